"""Where the registry and what vendors list of their models differ: prices, limits, and models that are gone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from .specs import Deployment, ModelSpec
from .vendor_models import VendorList, VendorModel

PRICES = (
    "input_usd_per_mtok",
    "output_usd_per_mtok",
    "cached_input_usd_per_mtok",
    "audio_input_usd_per_mtok",
)
LIMITS = ("context_tokens", "max_output_tokens")
GONE = "not listed"


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference."""

    model_id: str
    deployment: str
    what: str
    """Field that differs; "not listed" where the vendor lists no such model."""
    here: str | None
    there: str | None
    costs_more: bool
    """Whether what is charged here may be less than what the vendor bills."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What one vendor's list says of the registry."""

    deployment: str
    compared: int
    """Models that both have."""
    unpriced: tuple[str, ...]
    """Models of which the vendor lists no price, so that nothing can be said of it."""
    drifts: tuple[Drift, ...]


def check_models(specs: Iterable[ModelSpec], deployment: str, listed: VendorList) -> Checked:
    """Return how the models that are reached by deployments of one name differ from their vendor's list."""
    compared, unpriced, drifts = 0, [], []
    names = {one.name: one for one in listed.models}
    for spec in specs:
        way = next((one for one in spec.deployments if one.name == deployment), None)
        if way is None:
            continue
        vendors = names.get(way.upstream_model)
        if vendors is None:
            drifts.append(Drift(spec.model_id, deployment, GONE, way.upstream_model, None, costs_more=False))
            continue
        compared += 1
        if vendors.input_usd_per_mtok is None or vendors.output_usd_per_mtok is None:
            unpriced.append(spec.model_id)
        drifts += _prices(spec, way, vendors) + _limits(spec, way, vendors)
    return Checked(deployment, compared, tuple(unpriced), tuple(drifts))


def _prices(spec: ModelSpec, way: Deployment, vendors: VendorModel) -> list[Drift]:
    """Return where prices differ. Of a model whose prices change with the hour, a listed one may be any of them."""
    found = []
    for name in PRICES:
        here, there = _all_of(spec, name), getattr(vendors, name)
        if there is None or there in here:
            continue
        if not here and name not in PRICES[:2]:
            # Without a price of their own, such tokens are charged as any other input.
            here = [spec.input_usd_per_mtok] if spec.priced else []
            if not here or there <= here[0]:
                continue
        costs_more = not here or there > max(here)
        found.append(Drift(spec.model_id, way.name, name, _told(here), f"{there:f}", costs_more=costs_more))
    thinking = spec.parts.reasoning_usd_per_mtok or spec.output_usd_per_mtok
    listed = vendors.reasoning_usd_per_mtok
    if listed and spec.priced and listed > thinking:
        found.append(
            Drift(
                spec.model_id,
                way.name,
                "reasoning_usd_per_mtok",
                f"{thinking:f}",
                f"{listed:f}",
                costs_more=True,
            )
        )
    if vendors.usd_per_request:
        there = f"{vendors.usd_per_request:f}"
        found.append(Drift(spec.model_id, way.name, "usd_per_request", None, there, costs_more=True))
    return found


def _all_of(spec: ModelSpec, name: str) -> list[Decimal]:
    windows = [getattr(one, name, None) for one in spec.price_windows]
    known = [one for one in (getattr(spec, name), *windows) if one is not None]
    return [one for one in known if not one.is_nan()]


def _limits(spec: ModelSpec, way: Deployment, vendors: VendorModel) -> list[Drift]:
    return [
        Drift(spec.model_id, way.name, name, str(getattr(spec, name)), str(there), costs_more=False)
        for name in LIMITS
        if (there := getattr(vendors, name)) is not None and there < getattr(spec, name)
    ]


def _told(prices: Sequence[Decimal]) -> str | None:
    return " or ".join(f"{one:f}" for one in prices) or None
