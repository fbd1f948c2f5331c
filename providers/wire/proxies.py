"""Which proxy leads to an address: what the environment says, read as httpx reads it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.request import getproxies

import httpx

from ...state.errors import ConfigError

_SCHEMES = ("http", "https", "all")
_MOST_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class _Rule:
    """Addresses of one kind, and the proxy that leads to them; None = none does."""

    scheme: str
    """"" = any."""
    host: re.Pattern[str] | None
    host_chars: int
    port: int | None
    proxy: str | None

    def matches(self, url: httpx.URL) -> bool:
        return (
            self.scheme in ("", url.scheme)
            and (self.host is None or self.host.fullmatch(url.host) is not None)
            and self.port in (None, url.port)
        )


class Proxies:
    """The proxies of `HTTP_PROXY`, `HTTPS_PROXY` and `ALL_PROXY`, less the hosts of `NO_PROXY`.

    Parameters
    ----------
    given
        By "http", "https" and "all"; under "no" the hosts reached without one. None = the environment's.

    Raises
    ------
    ConfigError
        When one is no HTTP proxy.
    """

    def __init__(self, given: Mapping[str, str] | None = None) -> None:
        found = getproxies() if given is None else given
        bypassed = [host.strip() for host in found.get("no", "").split(",")]
        rules = [_proxied(scheme, found[scheme]) for scheme in _SCHEMES if found.get(scheme)]
        rules += [_direct(host) for host in bypassed if host]
        most_telling_first = sorted(
            rules, key=lambda rule: (rule.port is None, -rule.host_chars, -len(rule.scheme))
        )
        self._rules = () if "*" in bypassed else tuple(most_telling_first)
        self._known: dict[str, str | None] = {}

    def to(self, address: str) -> str | None:
        """Return the URL of the proxy that leads to a URL; None where none does."""
        if not self._rules:
            return None
        if address not in self._known:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            url = httpx.URL(address)
            self._known[address] = next((rule.proxy for rule in self._rules if rule.matches(url)), None)
        return self._known[address]


def _proxied(scheme: str, proxy: str) -> _Rule:
    url = proxy if "://" in proxy else f"http://{proxy}"
    if not url.lower().startswith(("http://", "https://")):
        raise ConfigError(f"the {scheme} proxy of the environment is no HTTP proxy")
    return _Rule("" if scheme == "all" else scheme, None, 0, None, url)


def _direct(host: str) -> _Rule:
    """Return the rule of an entry of `NO_PROXY`: `example.com` means its subdomains, too, `.example.com` them alone."""
    if "://" not in host:
        host = f"all://{host}" if host.lower() == "localhost" else f"all://{_pattern(host)}"
    url = httpx.URL(host)
    name = "" if url.host == "*" else url.host
    if name.startswith("*."):
        pattern = rf".+\.{re.escape(name[2:])}"
    elif name.startswith("*"):
        pattern = rf"(?:.+\.)?{re.escape(name[1:])}"
    else:
        pattern = re.escape(name)
    scheme = "" if url.scheme == "all" else url.scheme
    return _Rule(scheme, re.compile(pattern) if name else None, len(name), url.port, None)


def _pattern(host: str) -> str:
    try:
        address = ip_address(host.split("/", maxsplit=1)[0])
    except ValueError:
        return f"*{host}"
    return host if address.version == 4 else f"[{address}]"
