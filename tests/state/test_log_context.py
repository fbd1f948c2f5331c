import asyncio

from x25.state.log_context import OF_CALL


async def test_each_task_has_its_own():
    async def inside(call):
        OF_CALL.set(call)
        await asyncio.sleep(0)
        return OF_CALL.get()

    calls = [("a", "1"), ("b", "2")]
    tasks = [asyncio.create_task(inside(call)) for call in calls]
    assert [await task for task in tasks] == calls
    assert OF_CALL.get() is None
