from x25.api.headers import header, path_of


def test_the_first_of_a_name_counts_and_a_missing_one_is_none():
    scope = {"headers": [(b"host", b"a"), (b"accept", b"*/*"), (b"accept", b"text/html")]}
    assert header(scope, b"accept") == b"*/*"
    assert header(scope, b"origin") is None


def test_the_path_of_a_request_is_the_one_within_the_application():
    assert path_of({"path": "/x25/route", "root_path": "/x25"}) == "/route"
    assert path_of({"path": "/route", "root_path": ""}) == path_of({"path": "/route"}) == "/route"
    assert path_of({"path": "/x25x/route", "root_path": "/x25"}) == "/x25x/route"
