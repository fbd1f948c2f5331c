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
        assert client.get("./no-such-page").status_code == 404
