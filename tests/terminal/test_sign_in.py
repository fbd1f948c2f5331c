import re
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI

from x25.state.store import open_store
from x25.terminal.gate import CASCADE, VIEWER
from x25.terminal.passwords import hash_password
from x25.terminal.sign_in import router, safe_target

PASSWORD = "correct horse battery"
FORM = {"name": "ann", "password": PASSWORD}


@pytest.mark.parametrize(
    ("asked", "target"),
    [
        ("observatory?org=acme", "observatory?org=acme"), ("/keys", "keys"), ("", ""), ("https://evil.test/x", ""),
        ("//evil.test", ""), ("/\\evil.test", ""), ("javascript:alert(1)", ""), ("a\r\nset-cookie: x", ""),
    ],
)  # fmt: skip
def test_nobody_is_sent_elsewhere_after_signing_in(asked, target):
    assert safe_target(asked) == target


async def test_who_signed_in_and_whose_password_was_wrong_is_logged_without_what_was_typed(tmp_path, caplog):
    caplog.set_level("INFO")
    app = FastAPI()
    app.include_router(router)
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as store:
        await store.accounts.create("ann", hash_password(PASSWORD), orgs=["acme"])
        cascade = SimpleNamespace(services=SimpleNamespace(store=store))

        async def gated(scope, receive, send):
            await app({**scope, VIEWER: None, CASCADE: cascade}, receive, send)

        through = httpx.ASGITransport(gated, client=("192.0.2.7", 1))
        async with httpx.AsyncClient(transport=through, base_url="http://gateway") as client:
            for name, password in (("Ann", "typed"), ("my secret\n", "typed"), ("ann", PASSWORD)):
                await client.post("/sign-in", data={"name": name, "password": password})
    told = [one.getMessage() for one in caplog.records if one.name == "x25.terminal.sign_in"]
    assert told == [
        "wrong password for ann, from 192.0.2.7", "wrong password for an unknown name, from 192.0.2.7",
        "ann signed in, from 192.0.2.7",
    ]  # fmt: skip


@pytest.mark.slow
def test_a_session_is_a_new_one_that_scripts_cannot_read_and_sign_out_ends_it(locked_pages):
    with locked_pages.client() as client:
        assert client.get("./").headers["location"].endswith("/terminal/sign-in?next=")
        fixed = "a" * 43
        client.cookies.set("x25_session", fixed, path="/terminal")
        answer = client.post("sign-in", data={**FORM, "next": "observatory"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/terminal/observatory")
        cookie = answer.headers["set-cookie"]
        assert re.search(r"HttpOnly", cookie)
        assert "SameSite=lax" in cookie
        assert "Path=/terminal" in cookie
        token = re.search(r"x25_session=([^;]+)", cookie).group(1)
        assert token != fixed
        assert len(token) >= 43
    for offered, status in ((fixed, 303), (token, 200)):
        answer = httpx.get(
            f"{locked_pages.url}/terminal/",
            headers={"accept": "text/html", "cookie": f"x25_session={offered}"},
        )
        assert answer.status_code == status
    mine = {"cookie": f"x25_session={token}", "accept": "text/html"}
    again = httpx.post(f"{locked_pages.url}/terminal/sign-in", data=FORM, headers=mine)
    newer = re.search(r"x25_session=([^;]+)", again.headers["set-cookie"]).group(1)
    assert newer != token
    assert httpx.get(f"{locked_pages.url}/terminal/", headers=mine).status_code == 303
    mine["cookie"] = f"x25_session={newer}"
    assert httpx.post(f"{locked_pages.url}/terminal/sign-out", headers=mine).status_code == 303
    assert httpx.get(f"{locked_pages.url}/terminal/", headers=mine).status_code == 303


@pytest.mark.slow
def test_behind_a_proxy_that_takes_a_prefix_away_somebody_signs_in_all_the_same(locked_pages):
    base, behind = f"{locked_pages.url}/terminal", {"x-forwarded-prefix": "/x25", "accept": "text/html"}
    assert httpx.get(f"{base}/keys", headers=behind).headers["location"] == "/x25/terminal/sign-in?next=keys"
    for bare in (locked_pages.url, base):
        assert httpx.get(bare, headers=behind).headers["location"] == "/x25/terminal/"
    answer = httpx.post(f"{base}/sign-in", data=FORM, headers=behind)
    assert answer.headers["location"] == "/x25/terminal/"
    assert "Path=/x25/terminal;" in answer.headers["set-cookie"]
    mine = behind | {"cookie": answer.headers["set-cookie"].split(";")[0]}
    assert 'prefix: "/x25/terminal"' in httpx.get(f"{base}/", headers=mine).text
    elsewhere = mine | {"x-forwarded-prefix": "//evil.test"}
    assert "evil.test" not in httpx.get(f"{base}/", headers=elsewhere).text
    gone = httpx.post(f"{base}/sign-out", headers=elsewhere)
    assert gone.headers["location"] == "/terminal/sign-in"


@pytest.mark.slow
def test_guessing_has_to_wait_and_says_nothing_of_who_exists(locked_pages):
    with locked_pages.client() as client:
        answers = [client.post("sign-in", data={"name": "mallory", "password": "x" * n}) for n in range(4)]
        known = client.post("sign-in", data={"name": "root", "password": "wrong"})
        assert [one.status_code for one in answers] == [401] * 4
        assert answers[-1].text == known.text
        waiting = client.post("sign-in", data={"name": "root", "password": PASSWORD})
        assert waiting.status_code == 429
        assert 0 < int(waiting.headers["retry-after"]) <= 300


@pytest.mark.slow
def test_who_signed_in_here_before_is_not_kept_out_by_what_others_guess(serve_locked):
    with serve_locked() as pages, pages.client("ann") as mine, pages.client() as strangers:
        for _ in range(5):
            strangers.post("sign-in", data={"name": "ann", "password": "wrong"})
        assert strangers.post("sign-in", data=FORM).status_code == 429
        assert mine.post("sign-out").status_code == 303
        wrong = [mine.post("sign-in", data={**FORM, "password": "wrong"}).status_code for _ in range(4)]
        assert (wrong, mine.post("sign-in", data=FORM).status_code) == ([401] * 4, 303)
        assert mine.post("sign-in", data={"name": "root", "password": PASSWORD}).status_code == 429
        guessed = [mine.post("sign-in", data={**FORM, "password": "wrong"}).status_code for _ in range(6)]
        assert guessed == [401] * 5 + [429]
        endless = strangers.post("sign-in", data={"name": "ann", "password": "x" * 9_000})
        assert (endless.status_code, "at most 8,192 bytes" in endless.text) == (413, True)
        shown = mine.cookies.get("x25_device")
        assert PASSWORD not in shown
        forged = {"cookie": f"x25_device={shown.partition('.')[0]}.{'0' * 64}"}
        assert strangers.post("sign-in", data=FORM, headers=forged).status_code == 429


@pytest.mark.slow
def test_passwords_sent_at_once_are_counted_before_they_are_looked_at(serve_locked):
    with serve_locked() as pages, pages.client() as client, ThreadPoolExecutor(12) as senders:

        def guess(number):
            wrong = {"name": f"nobody{number}", "password": "wrong"}
            return client.post("sign-in", data=wrong).status_code

        assert sorted(senders.map(guess, range(12))) == [401] * 5 + [429] * 7


@pytest.mark.browser
@pytest.mark.slow
def test_somebody_signs_in_sees_their_orgs_and_signs_out(tab, pages, simulator, tmp_path):
    one = tab(pages)
    page = one.open()
    assert "No account exists" in page.locator(".notice").inner_text()
    assert page.get_by_label("Organisation").locator("option").all_inner_texts()[0] == "All organisations"
