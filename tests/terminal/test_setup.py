from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from x25.state.store import open_store

PASSWORD = "correct horse battery"
PAGE = {"accept": "text/html"}


@pytest.fixture
def locked(serve_pages, tmp_path):
    """A gateway that asks everybody for a key and has no account, and a function that issues a link's token."""
    with serve_pages(tmp_path, X25_REQUIRE_KEY="true") as pages:

        def issue():
            found = []

            async def work():
                async with await open_store(pages.store_url) as store:
                    found.append(await store.setups.issue())

            pages.apart(work())
            return found[0]

        yield f"{pages.url}/terminal", issue


@pytest.mark.slow
def test_a_link_opens_a_form_whose_first_sending_makes_the_admin_and_no_second(locked):
    url, issue = locked
    assert "x25 accounts link" in httpx.get(f"{url}/sign-in").text
    assert httpx.get(f"{url}/setup?token=guessed").status_code == 403
    token = issue()
    for _ in range(2):  # a preview of the link uses nothing up
        shown = httpx.get(f"{url}/setup?token={token}")
        assert (shown.status_code, shown.headers["cache-control"]) == (200, "no-store")
    form = {"token": token, "name": "root", "password": PASSWORD, "again": PASSWORD}
    wrong = [form | {"password": "short", "again": "short"}, form | {"again": "other"}, form | {"name": " "}]
    assert [httpx.post(f"{url}/setup", data=one).status_code for one in wrong] == [422] * 3
    endless = httpx.post(f"{url}/setup", data=form | {"password": "x" * 9_000})
    assert (endless.status_code, "at most 8,192 bytes" in endless.text) == (413, True)
    foreign = {"origin": "http://evil.test"}
    assert httpx.post(f"{url}/setup", data=form, headers=foreign).status_code == 403
    with ThreadPoolExecutor(2) as two:
        names = [form | {"name": f"root-{n}"} for n in range(2)]
        answers = list(two.map(lambda one: httpx.post(f"{url}/setup", data=one, timeout=30), names))
    assert sorted(one.status_code for one in answers) == [303, 403]
    made = next(one for one in answers if one.status_code == 303)
    session = made.headers["set-cookie"].partition(";")[0]
    home = httpx.get(f"{url}/", headers=PAGE | {"cookie": session}, timeout=30)
    assert home.status_code == 200
    assert "Signed in as root-" in home.text
    late = httpx.post(f"{url}/setup", data=form)
    assert (late.status_code, "set-cookie" in late.headers) == (403, False)
    assert httpx.get(f"{url}/setup?token={token}").status_code == 403
