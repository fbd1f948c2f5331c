import pytest

from x25.terminal.rooms import ROOMS


def test_every_page_of_the_menu_has_a_room():
    assert {one.__name__.rpartition(".")[2] for one in ROOMS} >= {
        "home",
        "observatory",
        "chat_page",
        "routing_page",
        "mission",
    }


@pytest.mark.slow
def test_all_pages_are_served_and_others_are_not(pages):
    with pages.client() as client:
        for path in ("", "observatory", "chat", "routing", "mission", "keys", "call?id=x"):
            assert client.get(f"./{path}").status_code == 200, path
        lost = client.get("./no-such-page")
        assert lost.status_code == 404
        assert "There is no such page" in lost.text
        assert 'href="/terminal/"' in lost.text
        plain = client.get("./no-such-page", headers={"accept": "application/json"})
        assert (plain.status_code, plain.json()) == (404, {"detail": "Not Found"})
