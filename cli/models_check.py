"""`x25 models check`: whether the registry still says what vendors list."""

from dataclasses import asdict
from typing import Annotated, Any

import httpx
import typer
from rich.table import Table

from ..graph.bootstrap import BUNDLED_MODELS
from ..graph.settings import read_environment
from ..providers.drift import Checked, check_models
from ..providers.keyring import Keyring
from ..providers.registry import load_registry
from ..providers.specs import Deployment, ModelSpec
from ..providers.vendor_models import ask_for_models
from ..state.errors import ConfigError
from .console import AsJson, err, friendly_errors, out, print_json, settings_for

DRIFTED, UNASKED = 2, 3
"""Exit codes: something differs; a vendor gave no list, so nothing is known of its models."""


def check(
    provider: Annotated[
        list[str] | None,
        typer.Argument(help="Deployments to ask, such as openrouter [default: all that a key opens]."),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Ask here instead of at the address in the registry.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare prices and limits with each vendor's /models. Exit code 0: all agrees, 2: it does not, 3: no list."""
    with friendly_errors():
        keyring = Keyring(read_environment())
        specs = load_registry(BUNDLED_MODELS, *settings_for().model_dirs).models
        ways = _ways(specs, keyring, provider or [])
        if url is not None and len(ways) != 1:
            raise ConfigError("--url goes with one provider: name it")
        checked, failed = _ask(specs, ways, keyring, url)
    _show(checked, failed, as_json=as_json)
    if any(one.drifts for one in checked):
        raise typer.Exit(DRIFTED)
    if failed:
        raise typer.Exit(UNASKED)


def _ways(specs: tuple[ModelSpec, ...], keyring: Keyring, wanted: list[str]) -> dict[str, Deployment]:
    """Return one deployment of each name to ask."""
    known = {way.name: way for spec in specs if not spec.simulated for way in spec.deployments}
    unknown = next((name for name in wanted if name not in known), None)
    if unknown is not None:
        raise ConfigError(f"no model is reached by {unknown!r}; known: {', '.join(sorted(known))}")
    ways = {
        name: way
        for name, way in known.items()
        if name in wanted or (not wanted and way.is_usable(keyring.has))
    }
    if not ways:
        raise ConfigError("no provider key is set, so there is nobody to ask: name a provider")
    return ways


def _ask(
    specs: tuple[ModelSpec, ...], ways: dict[str, Deployment], keyring: Keyring, url: str | None
) -> tuple[list[Checked], dict[str, str]]:
    """Return what was compared, and why not by provider."""
    checked, failed = [], {}
    with httpx.Client() as client:
        for name, way in ways.items():
            key = next((one for env in way.key_envs if (one := keyring.key_of(env)) is not None), None)
            try:
                listed = ask_for_models(url or way.base_url, key, client)
            except ConfigError as error:
                failed[name] = str(error)
                continue
            checked.append(check_models(specs, name, listed))
    return checked, failed


def _show(checked: list[Checked], failed: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        told: dict[str, Any] = {"checked": [asdict(one) for one in checked], "failed": failed}
        print_json(told)
        return
    table = Table("model", "by", "what", "here", "there", box=None, padding=(0, 1, 0, 0))
    for one in checked:
        for drift in one.drifts:
            mark = "!" if drift.costs_more else ""
            table.add_row(
                drift.model_id, drift.deployment, drift.what + mark, drift.here or "?", drift.there or "?"
            )
    if table.row_count:
        out.print(table)
        err.print("! = may cost more than is charged here")
    for one in checked:
        said = f"{one.deployment}: {one.compared} models compared, {len(one.drifts)} differences"
        more = f", {len(one.unpriced)} without a listed price" if one.unpriced else ""
        err.print(said + more, highlight=False)
    for name, reason in failed.items():
        err.print(f"{name}: no list ({reason})", markup=False, highlight=False)
