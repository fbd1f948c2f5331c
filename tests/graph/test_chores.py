import asyncio

import pytest

from x25.graph.chores import doing_chores


class Looking:
    """A recovery that looks for ever and notes how often it may."""

    def __init__(self) -> None:
        self.every_s, self.is_looking = 0.0, False

    async def look_for_ever(self, every_s):
        self.every_s, self.is_looking = every_s, True
        try:
            await asyncio.Event().wait()
        finally:
            self.is_looking = False


@pytest.mark.parametrize(("kept", "others"), [({}, 0), ({"prompt_days": 3.0}, 1)])
async def test_they_are_begun_with_a_gateway_and_end_with_it(cascade, kept, others):
    settings = cascade.settings.model_copy(update={"lease_s": 30.0, **kept})
    looking, before = Looking(), asyncio.all_tasks()
    async with doing_chores(cascade.services, looking, cascade.saver, settings):
        await asyncio.sleep(0)
        assert looking.is_looking
        assert 0 < looking.every_s < 30.0
        begun = asyncio.all_tasks() - before
        assert len(begun) == 4 + others
    assert not looking.is_looking
    assert all(task.done() for task in begun)


async def test_checkpoints_are_dropped_only_where_they_are_kept_for_a_time(cascade):
    before = asyncio.all_tasks()
    for saver, days, count in ((cascade.saver, 0.0, 3), (None, 30.0, 3), (cascade.saver, 30.0, 4)):
        settings = cascade.settings.model_copy(update={"checkpoint_days": days})
        async with doing_chores(cascade.services, Looking(), saver, settings):
            assert len(asyncio.all_tasks() - before) == count
