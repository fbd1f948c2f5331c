import pytest

from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.state.learning.judge_tables import count_label
from x25.state.store import open_store


async def labelled(url, org, *, right_bin, wrong_bin, times=100):
    def add(connection):
        for _ in range(times):
            count_label(connection, org, "sim/judge-1", DEFAULT_TABLE.edges, right_bin, 1.0)
            count_label(connection, org, "sim/judge-1", DEFAULT_TABLE.edges, wrong_bin, 0.0)

    async with await open_store(url) as store:
        await store.transact(add)


async def test_each_judge_has_its_bins_its_auc_and_whether_it_is_trusted(open_app, tmp_path) -> None:
    async with open_app() as client:
        url = f"sqlite+aiosqlite:///{tmp_path / 'app' / 'x25.db'}"
        await labelled(url, "good", right_bin=4, wrong_bin=0)
        await labelled(url, "blind", right_bin=2, wrong_bin=2)
        good = (await client.get("/judge/good")).raise_for_status().json()
        blind = (await client.get("/judge/blind")).raise_for_status().json()
    of_good = next(one for one in good["judges"] if one["judge"] == "sim/judge-1")
    assert of_good["bins"][4]["right"] == of_good["bins"][0]["wrong"] == 100
    assert (of_good["labels"], of_good["auc"], of_good["is_trusted"]) == (200, 1.0, True)
    of_blind = next(one for one in blind["judges"] if one["judge"] == "sim/judge-1")
    assert (of_blind["auc"], of_blind["is_trusted"], of_blind["gap_to_target"]) == (
        0.5,
        False,
        pytest.approx(0.3),
    )


def test_an_org_without_labels_sees_the_default_of_the_judges_in_use(http, org) -> None:
    found = http.get(f"/judge/{org}").json()
    assert found["labels"] == 0
    assert found["judges"]
    assert all(one["auc"] is None and one["is_trusted"] for one in found["judges"])


def test_a_key_reads_its_own_org_only(http, org, gateway) -> None:
    headers = {"Authorization": f"Bearer {gateway.new_key(org)}"}
    assert http.get(f"/judge/{org}", headers=headers).status_code == 200
    assert http.get("/judge/other", headers=headers).status_code == 403
