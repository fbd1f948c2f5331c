"""What caches and memory do for one call: the request over its org over the gateway.

Intelligence modes: "proxy" uses neither caches nor memory, "cache" uses caches, "full" both. A mode that nobody names
leaves both as they were settled: caches are off, memory is as the org and the request say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ...state.complaints import nearest_key
from ...state.errors import InvalidRequest
from .org_settings import OrgSettings

Mode = Literal["proxy", "cache", "full"]
Use = Literal["off", "fresh", "exact", "near"]
Kind = Literal["off", "exact", "near"]
MODES: tuple[Mode, ...] = get_args(Mode)
USES: tuple[Use, ...] = get_args(Use)
SECONDS_A_DAY = 86_400.0
_FIELDS = ("use", "max_age_s")


@dataclass(frozen=True, slots=True)
class CacheWish:
    """What one request says; None = as settled."""

    use: Use | None = None
    """off: neither look for an answer nor keep it. fresh: keep it, and do not look. exact, near: look and keep."""
    max_age_s: float | None = None
    """Oldest answer that may be given again."""


@dataclass(frozen=True, slots=True)
class GatewayCaching:
    """What the gateway settles for orgs and requests that say nothing."""

    mode: Mode | None = None
    kind: Kind = "off"
    ttl_s: float = 3600.0
    words_kept_s: float | None = None
    """How long the gateway keeps words at all; None = for ever."""


@dataclass(frozen=True, slots=True)
class Caching:
    """What caches do for one call."""

    is_read: bool
    """Whether an answer is looked for; whatever is bought is kept, where it may be."""
    is_near: bool
    """Whether a question in other words may be answered with it."""
    max_age_s: float


AS_SETTLED = CacheWish()
AS_THE_GATEWAY_COMES = GatewayCaching()
HOW_NEAR = "an org switches it on: settings.cache = near"


def check_mode(mode: object, field: str = "mode") -> Mode | None:
    """Return a mode, or None where there is none; InvalidRequest for any other value."""
    if mode is None or mode in MODES:
        return mode
    raise InvalidRequest(f"{field} must be one of {', '.join(MODES)}; got {mode!r}"[:300], field=field)


def check_cache(wish: object, field: str = "cache") -> CacheWish:
    """Return what a request says of caches: one word, or an object.

    Raises
    ------
    InvalidRequest
        Naming the part that is wrong.
    """
    if wish is None:
        return AS_SETTLED
    if isinstance(wish, str):
        return CacheWish(_use(wish, field))
    if not isinstance(wish, Mapping):
        raise InvalidRequest(
            f'{field} must be one of {", ".join(USES)}, or an object such as {{"max_age_s": 60}}', field=field
        )
    for name in wish:
        if name not in _FIELDS:
            shown = str(name)[:100]
            raise InvalidRequest(
                f"{field}.{shown} is not known; {nearest_key(shown, _FIELDS)}", field=f"{field}.{shown}"
            )
    use, age = wish.get("use"), wish.get("max_age_s")
    if age is not None and (isinstance(age, bool) or not isinstance(age, int | float) or not age >= 0):
        raise InvalidRequest(
            f"{field}.max_age_s must be a number of seconds from 0 up, got {age!r}"[:300],
            field=f"{field}.max_age_s",
        )
    return CacheWish(None if use is None else _use(use, f"{field}.use"), None if age is None else float(age))


def _use(use: object, field: str) -> Use:
    if use not in USES:
        raise InvalidRequest(f"{field} must be one of {', '.join(USES)}; got {use!r}"[:300], field=field)
    return use


def mode_of(asked: Mode | None, org: OrgSettings, gateway: GatewayCaching) -> Mode | None:
    """Return the mode of a call: the request's, else its org's, else the gateway's."""
    return asked or org.mode or gateway.mode


def remembers(mode: Mode | None, *, is_asked: bool, is_named: bool) -> bool:
    """Return whether memory may take part in a call.

    Parameters
    ----------
    is_asked
        Whether the request itself asks for memory.
    is_named
        Whether it names the mode itself.

    Raises
    ------
    InvalidRequest
        When the request asks for both memory and a mode that has none.
    """
    if mode is None or mode == "full":
        return True
    if is_asked and is_named:
        raise InvalidRequest(f"mode {mode} uses no memory, and memory is asked for: use full", field="memory")
    return is_asked


def caching_of(
    wish: CacheWish, asked: Mode | None, org: OrgSettings, gateway: GatewayCaching
) -> Caching | None:
    """Return what caches do for a call; None where they do nothing.

    Parameters
    ----------
    asked
        The mode that the request names.

    Raises
    ------
    InvalidRequest
        When the request asks for a cache that its org, or its own mode, keeps off.
    """
    kind = _settled(mode_of(asked, org, gateway), org, gateway)
    use = wish.use
    if use in ("exact", "near"):
        _require_allowed(use, asked, org)
        kind = "near" if use == "near" else "exact"
    if use == "off" or kind == "off":
        return None
    ttl_s = keeps_for_s(org, gateway)
    max_age_s = ttl_s if wish.max_age_s is None else min(ttl_s, wish.max_age_s)
    return Caching(use != "fresh" and max_age_s > 0, kind == "near", max_age_s)


def keeps_for_s(org: OrgSettings, gateway: GatewayCaching) -> float:
    """Return how long an answer is kept, seconds: no longer than words are."""
    ttl_s = gateway.ttl_s if org.cache_ttl_s is None else org.cache_ttl_s
    of_org = None if org.retention_days is None else org.retention_days * SECONDS_A_DAY
    return min(one for one in (ttl_s, of_org, gateway.words_kept_s) if one is not None)


def _settled(mode: Mode | None, org: OrgSettings, gateway: GatewayCaching) -> Kind:
    """Return which cache a call uses that asks for none."""
    kind: Kind = gateway.kind if org.cache is None else org.cache
    if mode == "proxy":
        return "off"
    # A mode that names caches switches the exact one on, unless the org keeps it off.
    return "exact" if mode is not None and kind == "off" and org.cache is None else kind


def _require_allowed(use: Any, asked: Mode | None, org: OrgSettings) -> None:
    if asked == "proxy":
        raise InvalidRequest("mode proxy uses no cache, and one is asked for", field="cache")
    if org.cache == "off":
        raise InvalidRequest("cache: this org keeps no answers (settings.cache = off)", field="cache")
    if use == "near" and org.cache != "near":
        raise InvalidRequest(f"cache: near is off until {HOW_NEAR}", field="cache")


def wish_of_header(cache_control: str | None) -> dict[str, Any] | None:
    """Return the `cache` field that a Cache-Control header stands for (RFC 9111, section 5.2.1); None for none.

    `no-store`, `no-cache`, `max-age` and the like narrow what a cache does; none of them switches one on. Others say
    nothing to this cache.

    Raises
    ------
    InvalidRequest
        For `only-if-cached`, which nothing here can promise, and a `max-age` that is no number.
    """
    if not cache_control:
        return None
    said = [one.strip().lower() for one in cache_control.split(",")]
    if "only-if-cached" in said:
        raise InvalidRequest("cache-control: only-if-cached is not supported", field="cache-control")
    if "no-store" in said:
        return {"use": "off"}
    if "no-cache" in said:
        return {"use": "fresh"}
    for one in said:
        name, _, seconds = one.partition("=")
        if name == "max-age":
            if not seconds.isdigit():
                raise InvalidRequest("cache-control: max-age must be a whole number", field="cache-control")
            return {"use": "fresh"} if int(seconds) == 0 else {"max_age_s": float(int(seconds))}
    return None
