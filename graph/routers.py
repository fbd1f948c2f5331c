"""The names that a request's `router`, or an OpenAI client's `model`, may have."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from ..providers.specs import ModelSpec
from ..providers.written import read_file
from ..routing.plan.configs import RouterConfig
from ..state.errors import ConfigError
from .settings import PACKAGE_DIR

BUNDLED_ROUTERS = PACKAGE_DIR / "registry" / "routers"


def load_routers(folder: Path | None = None) -> dict[str, RouterConfig]:
    """Return the router configs by name: the bundled ones, then those of `folder` on top.

    Raises
    ------
    ConfigError
        When the folder does not exist or a file is wrong.
    """
    if folder is not None and not folder.is_dir():
        raise ConfigError(f"the routers folder {folder} does not exist")
    routers: dict[str, RouterConfig] = {}
    for place in (BUNDLED_ROUTERS, folder):
        for path in sorted(place.glob("*.y*ml")) if place is not None else ():
            config = RouterConfig.parse(read_file(path), str(path))
            routers[config.name] = config
    return routers


def absent_models(
    models: Iterable[ModelSpec], routers: Mapping[str, RouterConfig], bundled: Mapping[str, RouterConfig]
) -> dict[str, list[str]]:
    """Return the models that nobody can reach here, by the name of the router of one's own that chooses among them."""
    reached = {spec.model_id for spec in models}
    absent = {
        name: [model_id for model_id in router.models if model_id not in reached]
        for name, router in routers.items()
        if bundled.get(name) != router
    }
    return {name: missing for name, missing in absent.items() if missing}


def with_direct_routers(
    models: Iterable[ModelSpec], routers: Mapping[str, RouterConfig]
) -> dict[str, RouterConfig]:
    """Return the router configs with one more for each model's id and alias: whoever names one, gets that one.

    Raises
    ------
    ConfigError
        When a model goes by the name of a router: nobody could tell which of them a request means.
    """
    names = {name: spec.model_id for spec in models for name in (spec.model_id, *spec.aliases)}
    for name in names.keys() & routers.keys():
        raise ConfigError(
            f"the model {names[name]!r} goes by the name {name!r}, which is a router's: rename it"
        )
    return {name: RouterConfig.direct(name, model_id) for name, model_id in names.items()} | dict(routers)
