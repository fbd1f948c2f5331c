import asyncio
import json
from datetime import UTC, datetime

import pytest

from x25.nodes.org.memory import scope_of
from x25.state.memories import OrgMemory
from x25.state.recalled import Memory
from x25.state.store import open_store


@pytest.fixture
def store_url(home) -> str:
    return f"sqlite+aiosqlite:///{home}/.x25/x25.db"


@pytest.fixture
def filled(store_url):
    async def fill() -> None:
        async with await open_store(store_url) as store:
            for number, (org, scope) in enumerate(
                (("lab", "org"), ("lab", scope_of("ann")), ("other", "org"))
            ):
                said = Memory(f"m{number}", f"talk{number}", "c", "user", f"text {number}", datetime.now(UTC))
                await store.memories.keep(org, scope, [said], None, "")

    asyncio.run(fill())


def shown(x25, *arguments) -> dict:
    return json.loads(x25("memory", "show", *arguments, "--json").stdout)


def test_what_an_org_remembers_is_shown(x25, filled):
    assert [one["text"] for one in shown(x25, "lab")["items"]] == ["text 1", "text 0"]
    assert [one["text"] for one in shown(x25, "lab", "--user", "ann")["items"]] == ["text 1"]
    assert [one["text"] for one in shown(x25, "lab", "--conversation", "talk0")["items"]] == ["text 0"]
    assert "text 0" in x25("memory", "show", "lab").stdout


def test_memory_is_switched_on_and_off(x25, store_url):
    async def settings() -> list[OrgMemory]:
        async with await open_store(store_url) as store:
            return await store.memories.settings()

    assert x25("memory", "on", "lab", "--budget-tokens", "99", "--keep-days", "2").exit_code == 0
    assert asyncio.run(settings()) == [OrgMemory("lab", True, 99, 2.0)]
    assert shown(x25, "lab")["enabled"] is True
    assert x25("memory", "off", "lab").exit_code == 0
    assert shown(x25, "lab")["enabled"] is False
    assert asyncio.run(settings()) == [OrgMemory("lab", False, 99, 2.0)]


@pytest.mark.parametrize(
    ("chosen", "deleted"),
    [
        (["--id", "m0"], 1),
        (["--user", "ann"], 1),
        (["--conversation", "talk1"], 1),
        (["--all"], 2),
        (["--id", "m2"], 0),
    ],
)  # fmt: skip
def test_what_is_chosen_is_forgotten_of_one_org(x25, filled, chosen, deleted):
    assert json.loads(x25("memory", "forget", "lab", *chosen, "--json").stdout) == {"deleted": deleted}
    assert shown(x25, "lab")["total"] == 2 - deleted
    assert shown(x25, "other")["total"] == 1


def test_forgetting_says_what_or_does_nothing(x25, filled):
    assert x25("memory", "forget", "lab").exit_code != 0
    assert shown(x25, "lab")["total"] == 2


def test_a_name_that_is_none_is_refused(x25):
    assert x25("memory", "on", "Not An Org").exit_code != 0
