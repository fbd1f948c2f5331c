"""`x25 models add`: an own model in one command."""

import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
import yaml
from rich.markup import escape

from ..graph.bootstrap import BUNDLED_MODELS
from ..graph.settings import PACKAGE_DIR, read_environment
from ..providers.keyring import Keyring
from ..providers.model_files import parse_model
from ..providers.registry import load_registry
from ..providers.specs import ModelSpec
from ..providers.vendor_models import VendorList, VendorModel, ask_for_models, trimmed
from ..providers.written import read_file
from ..state.errors import ConfigError
from ..state.types import TIERS, Tier
from .console import err, friendly_errors, out, settings_for

TIERS_FILE = PACKAGE_DIR / "registry" / "tiers.yaml"
MOST_LISTED = 200
Url = Annotated[
    str, typer.Option(help="Address of an OpenAI-compatible API, such as http://localhost:8001/v1.")
]
ModelId = Annotated[
    str | None, typer.Argument(help="Id of the model here, vendor/name; none = list what the vendor has.")
]
Price = Annotated[
    float | None, typer.Option(min=0.0, help="US dollars per million tokens [what the vendor lists].")
]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line says of the model."""

    model_id: str
    url: str
    key_env: str | None
    name: str | None
    """What it is called at its address."""
    price_in: float | None
    price_out: float | None
    tier: Tier | None
    is_judge: bool


def add(
    url: Url,
    model_id: ModelId = None,
    key_env: Annotated[
        str | None, typer.Option(help="Environment variable that holds its key; none = no key is needed.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Its name at the vendor, where it is not its id here.")
    ] = None,
    price_in: Price = None,
    price_out: Price = None,
    tier: Annotated[str | None, typer.Option(help="slm, mid or frontier [by its price].")] = None,
    is_judge: Annotated[
        bool, typer.Option("--judge", help="It judges answers and never answers itself.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the file and write nothing.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a file that is there.")] = False,
) -> None:
    """Add a model of your own: asks the vendor's /models for what it lists, and writes one file."""
    with friendly_errors():
        keyring = Keyring(read_environment())
        found = _asked(url, keyring.key_of(key_env) if key_env else None)
        if model_id is None:
            _show_list(found, url)
            return
        wanted = Wanted(model_id, url, key_env, name, price_in, price_out, _tier(tier), is_judge)
        content = describe_model(wanted, found)
        spec = parse_model(content, "the new file")
        settings = settings_for()
        path = settings.own_models_dir / f"{_file_name(model_id)}.yaml"
        if path.exists() and not replace:
            raise ConfigError(f"{path} is there already; --replace writes it anew")
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        out.print(f"[dim]# {escape(str(path))}[/dim]\n{escape(text)}", highlight=False, soft_wrap=True)
        if dry_run or not (yes or typer.confirm("Write this file?")):
            err.print("nothing was written")
            return
        _write(path, text, settings.model_dirs)
        err.print(_next_step(spec, keyring), soft_wrap=True)


def describe_model(wanted: Wanted, found: VendorList | None) -> dict[str, Any]:
    """Return the content of a model's file: what was said of it, then what the vendor lists.

    Raises
    ------
    ConfigError
        Nobody says what it costs.
    """
    listed = _listed(wanted, found)
    paid = _price(wanted.price_in, listed.input_usd_per_mtok)
    answered = _price(wanted.price_out, listed.output_usd_per_mtok)
    if paid is None or answered is None:
        raise ConfigError(
            "nobody says what the model costs: give --price-in and --price-out in US dollars per million tokens, "
            "0 for a model that costs nothing"
        )
    upstream = wanted.name or (listed.name if listed.name != wanted.model_id else None)
    content: dict[str, Any] = {
        "model_id": wanted.model_id,
        "base_url": trimmed(wanted.url) if found is None else found.base_url,
        "model": upstream,
        "key_env": wanted.key_env,
        "tier": wanted.tier or tier_of(answered),
        "role": "judge" if wanted.is_judge else None,
        "free": True if paid == answered == 0 else None,
        "prices": {"input_usd_per_mtok": paid, "output_usd_per_mtok": answered},
        "context_tokens": listed.context_tokens,
        "max_output_tokens": listed.max_output_tokens,
        "modalities": list(listed.modalities) or None,
        "capabilities": list(listed.capabilities) or None,
    }
    return {key: value for key, value in content.items() if value is not None}


def tier_of(output_usd_per_mtok: float) -> Tier:
    """Return the tier whose price band an output price falls in."""
    bands = read_file(TIERS_FILE)
    for tier in TIERS:
        most = bands[tier]["output_usd_per_mtok"]["max"]
        if most is None or output_usd_per_mtok < most:
            return tier
    return TIERS[-1]


def _asked(url: str, key: str | None) -> VendorList | None:
    """Return what the vendor lists, with a word of how much; None with a word of why where it lists nothing."""
    try:
        with httpx.Client() as client:
            found = ask_for_models(url, key, client)
    except ConfigError as error:
        err.print(
            f"the vendor lists no models ({error}); going by what you say", markup=False, soft_wrap=True
        )
        return None
    err.print(f"{len(found.models)} models are listed at {found.base_url}", markup=False, soft_wrap=True)
    return found


def _listed(wanted: Wanted, found: VendorList | None) -> VendorModel:
    """Return the model as the vendor lists it; with nothing but its name where it is not listed."""
    name = wanted.name or wanted.model_id
    listed = None if found is None else found.find(name)
    if found is not None and listed is None:
        some = ", ".join(one.name for one in found.models[:5]) or "none"
        err.print(f"{name} is not among them ({some}, …)", markup=False, soft_wrap=True)
    return listed or VendorModel(name)


def _price(said: float | None, listed: Decimal | None) -> float | None:
    return said if said is not None else None if listed is None else float(listed)


def _tier(given: str | None) -> Tier | None:
    tier = next((one for one in TIERS if one == given), None)
    if given is not None and tier is None:
        raise ConfigError(f"--tier must be one of {', '.join(TIERS)}, got {given!r}")
    return tier


def _show_list(found: VendorList | None, url: str) -> None:
    if found is None:
        raise ConfigError(f"nothing to list at {url}: name the model, vendor/name, and its prices")
    for one in found.models[:MOST_LISTED]:
        out.print(one.name, markup=False, highlight=False, soft_wrap=True)
    if (more := len(found.models) - MOST_LISTED) > 0:
        err.print(f"… and {more} more")


def _file_name(model_id: str) -> str:
    return re.sub(r"[^\w.-]+", "--", model_id).lstrip(".")


def _write(path: Path, text: str, folders: list[Path]) -> None:
    """Write the file unless the registry could not be read with it; then it is as it was."""
    before = path.read_text("utf-8") if path.exists() else None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    try:
        load_registry(BUNDLED_MODELS, *(folders or [path.parent]))
    except ConfigError:
        if before is None:
            path.unlink()
        else:
            path.write_text(before, encoding="utf-8")
        raise


def _next_step(spec: ModelSpec, keyring: Keyring) -> str:
    missing = [name for name in spec.deployments[0].key_envs if not keyring.has(name)]
    if missing:
        return f"written; set {missing[0]} in the environment or in .env, then: x25 serve"
    if spec.role == "judge":
        return f"written; make it the judge with X25_JUDGE={spec.model_id}, then: x25 serve"
    return "written; it is routed to from the next start on: x25 serve"
