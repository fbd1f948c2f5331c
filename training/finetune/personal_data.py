"""What in a text is somebody's own, and must not be trained on? Found by form and check digit, without a model.

Phone numbers come from `phonenumbers` (Google's rules for every country), account and identity numbers from
`python-stdnum`, which computes their check digits, so that sums, versions and order numbers stay as they are. Names and
postal addresses are not found: that takes a language model.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from ipaddress import ip_address
from typing import Any

from ...state.errors import ConfigError

KINDS = ("secret", "email", "iban", "card", "national_id", "ip", "phone")
"""In the order in which they are looked for; what one has taken no later one sees."""
LIBRARIES = ("phonenumbers", "stdnum")
HOME_REGION = "US"
"""Numbers without a country code are read as of here; those with one are read everywhere."""

_SECRET = re.compile(
    r"""-----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY-----.*?(?:-----END[ ][A-Z ]*PRIVATE[ ]KEY-----|\Z)
    | \b(?:sk|pk|rk)-[A-Za-z0-9_-]{20,}            # OpenAI, Anthropic, OpenRouter, this gateway
    | \b(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{16,}  # Stripe
    | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b                # AWS
    | \bgh[pousr]_[A-Za-z0-9]{30,}                 # GitHub
    | \bgithub_pat_[A-Za-z0-9_]{30,}
    | \bglpat-[A-Za-z0-9_-]{20,}                   # GitLab
    | \bhf_[A-Za-z0-9]{30,}                        # Hugging Face
    | \bxox[abeprs]-[A-Za-z0-9-]{20,}              # Slack
    | \bAIza[A-Za-z0-9_-]{35}                      # Google
    | \beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{10,}  # a signed web token
    | (?<=://)[^\s:/@]+:[^\s:/@]+(?=@)             # user and password of an address
    | (?<=(?i:password)[:=])[ ]?(?=\S*\d)\S{6,} | (?<=(?i:passwd|secret)[:=])[ ]?(?=\S*\d)\S{6,}
    """,
    re.VERBOSE | re.DOTALL,
)
_EMAIL = re.compile(r"[\w.!#$%&'*+/?^`{|}~-]+@(?:[^\W_](?:[\w-]*[^\W_])?\.)+(?:xn--[\w-]+|[^\W\d_]{2,})")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?\b", re.IGNORECASE)
_CARD = re.compile(
    r"(?<![\w.-])(?:[2-6]\d{3}(?:[ -]?\d{4}){3}|3[47]\d{2}[ -]?\d{6}[ -]?\d{5}"
    r"|3[0689]\d{2}[ -]?\d{6}[ -]?\d{4})(?![\w-])"
)
_IP = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\w)|(?:[0-9A-Fa-f]{1,4}:|::)[0-9A-Fa-f:]*:[0-9A-Fa-f:]{1,4})"
)
_NATIONAL: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])"), "us.ssn"),
    (re.compile(r"\b\d{8}-?[A-Z]\b"), "es.dni"),
    (re.compile(r"\b[XYZ]\d{7}-?[A-Z]\b"), "es.nie"),
    (re.compile(r"(?<![\w.])\d{3}\.\d{3}\.\d{3}-\d{2}(?!\w)"), "br.cpf"),
    (re.compile(r"\b[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]\b"), "it.codicefiscale"),
    (re.compile(r"(?<!\d)[12] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}(?!\d)"), "fr.nir"),
    (re.compile(r"\b[A-CEGHJ-PR-TW-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b"), "gb.nino"),
)  # fmt: skip

# Numbers whose form is any number's: looked for after a word that says what they are.
_CUED: tuple[re.Pattern[str], ...] = (
    re.compile(r"(?i)\b(?:ssn|social security)\D{0,20}?(\d{3} \d{2} \d{4}|\d{9})(?!\d)"),
    re.compile(r"(?i)\bpesel\D{0,10}?(\d{11})(?!\d)"),
    re.compile(r"(?i)\baadhaar\D{0,15}?(\d{4} ?\d{4} ?\d{4})(?!\d)"),
    re.compile(r"(?i)\b(?:steuer-?id|idnr|tax id)\D{0,20}?(\d{2} ?\d{3} ?\d{3} ?\d{3})(?!\d)"),
    re.compile(r"(?i)\bbsn\D{0,10}?(\d{9})(?!\d)"),
)
_PHONE_CUE = re.compile(
    r"(?i)\b(?:phone|tel|telefon|telephone|tél|teléfono|telefono|telefone|mobile?|mobil|handy|cell|celular|fax|whatsapp|"
    r"signal|sms|call|ring|dial|text me|anruf\w*|appelez|llám\w*|电话|電話)\W{0,3}(?:\w{1,6}\W{1,3}){0,3}$"
)
_AT_HOME = re.compile(r"(?<![\w.])0[1-9][\d /().-]{5,14}\d(?!\w)")
_ABROAD = re.compile(r"(?<![\w.])(?:00|\(\+)(?=[1-9]\d{0,2}\)?[ \d])")


def missing_libraries() -> list[str]:
    """Return which of the libraries of the `finetune` extra are not installed."""
    return [name for name in LIBRARIES if find_spec(name) is None]


def require_libraries() -> None:
    """Refuse to go on without them; ConfigError says what to install, and what to do without."""
    if missing := missing_libraries():
        raise ConfigError(
            f"personal data cannot be looked for: {', '.join(missing)} not installed; pip install 'x25[finetune]', "
            "or ask for personal_data: keep"
        )


def redacted(text: str) -> tuple[str, Counter[str]]:
    """Return the text with `[kind]` where something personal was, and how many there were of each kind."""
    found = Counter[str]()
    for kind in KINDS:
        spans = sorted(set(_FINDERS[kind](text)))
        spans = [one for at, one in enumerate(spans) if at == 0 or one[0] >= spans[at - 1][1]]
        for begin, end in reversed(spans):
            text = f"{text[:begin]}[{kind}]{text[end:]}"
        found[kind] += len(spans)
    return text, +found


def _matched(
    pattern: re.Pattern[str], is_one: Callable[[str], bool]
) -> Callable[[str], Iterator[tuple[int, int]]]:
    def find(text: str) -> Iterator[tuple[int, int]]:
        return (match.span() for match in pattern.finditer(text) if is_one(match.group()))

    return find


@cache
def _stdnum(name: str) -> Any:
    from importlib import import_module  # noqa: PLC0415 - a library of an extra

    return import_module(f"stdnum.{name}")


def _is_card(text: str) -> bool:
    digits = re.sub(r"\D", "", text)
    return len(set(digits)) > 1 and bool(_stdnum("luhn").is_valid(digits))


def _is_public_address(text: str) -> bool:
    """Return whether an address is somebody's: of no documentation, no private network, no version number."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if address.is_loopback or address.is_unspecified or address.is_multicast or address.is_link_local:
        return False
    named_for_examples = text.startswith(("192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:"))
    # Four numbers below 20 in a row are a version or a section.
    return (named_for_examples or not address.is_private) and not re.fullmatch(r"1?\d(?:\.1?\d){3}", text)


def _find_ibans(text: str) -> Iterator[tuple[int, int]]:
    """Find accounts; a word that follows one may look like its last group, so shorter ends are tried as well."""
    for match in _IBAN.finditer(text):
        whole = match.group()
        for cut in range(len(whole), 14, -1):
            if whole[cut - 1] != " " and _stdnum("iban").is_valid(whole[:cut].upper()):
                yield match.start(), match.start() + cut
                break


def _find_national_ids(text: str) -> Iterator[tuple[int, int]]:
    for pattern, name in _NATIONAL:
        for match in pattern.finditer(text):
            # Britain's has no check digit: its form is all there is.
            if name == "gb.nino" or _stdnum(name).is_valid(match.group()):
                yield match.span()
    for pattern in _CUED:
        # The word says it already, so a wrong check digit is a slip: somebody's number all the same.
        yield from (match.span(1) for match in pattern.finditer(text))


def _find_phones(text: str) -> Iterator[tuple[int, int]]:
    import phonenumbers as phones  # noqa: PLC0415 - a library of an extra

    for match in phones.PhoneNumberMatcher(text, HOME_REGION, leniency=phones.Leniency.POSSIBLE):
        before = text[max(0, match.start - 40) : match.start]
        is_abroad = text[match.start] == "+"
        if is_abroad or _is_written_as_phone(match.raw_string) or _PHONE_CUE.search(before):
            yield match.start, match.end
    for home in _AT_HOME.finditer(text):
        if _PHONE_CUE.search(text[max(0, home.start() - 40) : home.start()]):
            yield home.span()
    for abroad in _ABROAD.finditer(text):
        # "0049 89 1" and "(+39) 02 1" as "+49 89 1": of the same length, so that places stay.
        rest = text[abroad.end() :].replace(")", " ", 1) if "(" in abroad.group() else text[abroad.end() :]
        for match in phones.PhoneNumberMatcher("+" + rest[:40], None, max_tries=1):
            if match.start == 0:
                yield abroad.start(), abroad.end() + match.end - 1


def _is_written_as_phone(raw: str) -> bool:
    """Return whether a number without a country code is grouped as one is dialled: digits alone are any number."""
    return re.fullmatch(r"(?:\+?1[-. ])?(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}", raw) is not None


_FINDERS: dict[str, Callable[[str], Iterator[tuple[int, int]]]] = {
    "secret": _matched(_SECRET, lambda _: True),
    "email": _matched(_EMAIL, lambda address: not address.startswith("git@")),
    "iban": _find_ibans,
    "card": _matched(_CARD, _is_card),
    "national_id": _find_national_ids,
    "ip": _matched(_IP, _is_public_address),
    "phone": _find_phones,
}
