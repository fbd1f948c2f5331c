from types import SimpleNamespace

import httpx
import pytest

from x25.terminal.gate import is_foreign, prefix_of, session_of, with_plain_prefix

CASCADE = SimpleNamespace(settings=SimpleNamespace(allowed_hosts="pages.example"))


POLLED = "/_nicegui_ws/socket.io/"


def scope(method="POST", path="/", kind="http", **headers):
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": kind, "method": method, "path": f"/terminal{path}", "root_path": "/terminal",
        "headers": [(b"host", b"127.0.0.1:8000"), *named],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "is_refused"),
    [
        (scope(), False), (scope(origin="http://127.0.0.1:8000"), False), (scope(origin="https://evil.test"), True),
        (scope(origin="http://127.0.0.1:9000"), True), (scope(origin="null"), True),
        (scope(origin="https://pages.example"), False), (scope(sec_fetch_site="cross-site"), True),
        (scope(sec_fetch_site="same-origin"), False), (scope("GET", origin="https://evil.test"), False),
        (scope(kind="websocket", origin="https://evil.test"), True), (scope(kind="websocket"), False),
        (scope("GET", POLLED, origin="https://evil.test"), True), (scope("GET", POLLED, origin="null"), True),
        (scope("GET", POLLED, origin="http://127.0.0.1:8000"), False), (scope("GET", POLLED), False),
        (scope("GET", sec_fetch_site="cross-site", sec_fetch_dest="image"), True),
        (scope("GET", sec_fetch_site="same-site", sec_fetch_dest="empty"), True),
        (scope("GET", sec_fetch_site="cross-site", sec_fetch_dest="document"), False),
        (scope("GET", sec_fetch_site="same-origin", sec_fetch_dest="style"), False),
    ],
)  # fmt: skip
def test_what_changes_something_must_come_from_a_page_of_ours(asked, is_refused):
    assert is_foreign(asked, CASCADE) is is_refused


def test_the_session_is_the_cookies():
    assert session_of(scope(cookie="a=b; x25_session=tok; c=d")) == "tok"
    assert session_of(scope(cookie="a=b")) is None
    assert session_of(scope()) is None


@pytest.mark.parametrize(
    ("told", "prefix"),
    [
        ("/x25", "/x25"), ("/a/b.c/", "/a/b.c"), ("", ""), ("/", ""), ("x25", ""), ("//evil.test", ""),
        ("https://evil.test", ""), ('/"><script>', ""), ("/a b", ""),
    ],
)  # fmt: skip
def test_a_proxys_prefix_is_a_path_or_nothing(told, prefix):
    asked = scope(x_forwarded_prefix=told)
    assert prefix_of(asked) == prefix
    assert [value.decode() for name, value in with_plain_prefix(asked)["headers"] if name != b"host"] == (
        [prefix] if prefix else []
    )


@pytest.mark.slow
def test_nobody_passes_without_a_session_but_to_sign_in(locked_pages):
    base = f"{locked_pages.url}/terminal"
    for path in (
        "/",
        "/observatory",
        "/call?id=x",
        "/keys",
        "/export/calls.csv",
        "/routing",
        "/chat",
        "/mission",
    ):
        refused = httpx.get(base + path, headers={"accept": "text/html"})
        assert refused.status_code == 303
        assert "/terminal/sign-in?next=" in refused.headers["location"]
        assert httpx.get(base + path).status_code == 401
    assert httpx.get(base + "/_nicegui_ws/socket.io/?EIO=4&transport=polling").status_code == 401
    assert httpx.get(base + "/sign-in").status_code == 200
    assert httpx.get(base + "/theme.css").headers["content-type"].startswith("text/css")


@pytest.mark.slow
def test_pages_are_not_kept_nor_framed_and_load_nothing_from_elsewhere(locked_pages):
    with locked_pages.client("root") as client:
        for path in ("./", "observatory", "keys", "export/days.csv", "sign-in"):
            headers = client.get(path).headers
            assert headers["cache-control"] == "no-store", path
            assert headers["x-frame-options"] == "DENY"
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.slow
def test_another_site_and_another_name_are_refused(locked_pages):
    base, ours = f"{locked_pages.url}/terminal", {"name": "ann", "password": "correct horse battery"}
    assert (
        httpx.post(f"{base}/sign-in", data=ours, headers={"origin": "https://evil.test"}).status_code == 403
    )
    assert httpx.post(f"{base}/sign-out", headers={"origin": "https://evil.test"}).status_code == 403
    assert httpx.get(f"{base}/sign-in", headers={"host": "evil.test"}).status_code == 403


@pytest.mark.slow
def test_a_member_reads_no_other_orgs_rows(locked_pages):
    with locked_pages.client("ann") as client:
        text = client.get("export/calls.csv").text
        assert {line.split(",")[2] for line in text.splitlines()[1:]} == {"acme"}
        assert client.get("export/calls.csv?org=beta").status_code == 403
        foreign = next(one.call_id for one in locked_pages.calls if one.org == "beta")
        for path in (
            "./?org=beta",
            "observatory?org=beta",
            f"call?org=beta&id={foreign}",
            "mission?org=beta",
            "keys?org=beta",
        ):
            shown = client.get(path).text
            assert "may not see this organisation" in shown
            assert foreign not in shown.replace(f"id={foreign}", "")
        for written in (foreign, foreign[-8:]):
            assert "is on record in your organisations" in client.get(f"call?id={written}").text
        assert "sim/large-5" not in client.get(f"mission?call={foreign}").text.split("Trace")[1][:200]


@pytest.mark.slow
def test_a_page_of_another_site_neither_polls_nor_loads_pages(locked_pages):
    with locked_pages.client("ann") as client:
        polled = client.get(
            "_nicegui_ws/socket.io/?EIO=4&transport=polling", headers={"origin": "https://evil.test"}
        )
        assert polled.status_code == 403
        assert "access-control-allow-origin" not in polled.headers
        picture = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}
        assert client.get("observatory", headers=picture).status_code == 403


@pytest.mark.slow
def test_what_an_address_may_not_ask_for_is_refused_by_name(locked_pages):
    with locked_pages.client("ann") as client:
        for query, status, field in (
            ("org=beta", 403, "org"), ("org=No+Name", 422, "org"), ("from=soon", 422, "from"),
            ("tier=best", 422, "tier"), ("model=%00", 422, "model"), (f"model={'x' * 501}", 422, "model"),
        ):  # fmt: skip
            shown, saved = client.get(f"observatory?{query}"), client.get(f"export/calls.csv?{query}")
            assert (shown.status_code, saved.status_code) == (status, status), query
            assert "Not shown" in shown.text
            assert saved.json()["error"]["field"] == field
