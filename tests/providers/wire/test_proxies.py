import pytest

from x25.providers.wire.proxies import Proxies
from x25.state.errors import ConfigError

PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("given", "url", "proxy"),
    [
        ({}, "https://a.example/v1", None),
        ({"https": PROXY}, "https://a.example/v1", PROXY),
        ({"https": PROXY}, "http://a.example/v1", None),
        ({"https": "proxy.example:3128"}, "https://a.example/v1", PROXY),
        ({"all": PROXY}, "http://a.example/v1", PROXY),
        ({"all": "http://other.example", "http": PROXY}, "http://a.example/v1", PROXY),
        ({"all": PROXY, "no": "a.example"}, "https://a.example/v1", None),
        ({"all": PROXY, "no": "b.example, a.example"}, "https://www.a.example/v1", None),
        ({"all": PROXY, "no": "a.example"}, "https://wwwa.example/v1", PROXY),
        ({"all": PROXY, "no": ".a.example"}, "https://a.example/v1", PROXY),
        ({"all": PROXY, "no": ".a.example"}, "https://www.a.example/v1", None),
        ({"all": PROXY, "no": "*"}, "https://a.example/v1", None),
        ({"all": PROXY, "no": "127.0.0.1,localhost,::1"}, "http://127.0.0.1:8000/v1", None),
        ({"all": PROXY, "no": "127.0.0.1,localhost,::1"}, "http://localhost:8000/v1", None),
        ({"all": PROXY, "no": "127.0.0.1,localhost,::1"}, "http://[::1]:8000/v1", None),
        ({"all": PROXY, "no": "fe80::/10, ::1"}, "http://[::1]:8000/v1", None),
        ({"all": PROXY, "no": "a.example:8443"}, "https://a.example:8443/v1", None),
        ({"all": PROXY, "no": "a.example:8443"}, "https://a.example/v1", PROXY),
        ({"all": PROXY, "no": "http://a.example"}, "https://a.example/v1", PROXY),
        ({"all": PROXY, "no": "http://a.example"}, "http://a.example/v1", None),
    ],
)
def test_the_environment_names_the_proxy_of_an_address(given, url, proxy):
    proxies = Proxies(given)
    assert [proxies.to(url), proxies.to(url)] == [proxy, proxy]


def test_the_environment_is_read_when_nothing_else_is_said(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", "near.example")
    proxies = Proxies()
    assert [proxies.to(f"https://{host}/v1") for host in ("a.example", "near.example")] == [PROXY, None]


def test_a_proxy_that_is_not_http_is_refused_without_its_password():
    with pytest.raises(ConfigError, match="all proxy") as caught:
        Proxies({"all": "socks5://user:pass@proxy.example"})
    assert "pass" not in str(caught.value)


def test_what_is_remembered_is_bounded():
    proxies = Proxies({"all": PROXY})
    for number in range(2_500):
        assert proxies.to(f"http://host{number}.example/v1") == PROXY
    assert len(proxies._known) <= 1_000
