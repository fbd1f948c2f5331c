"""The models that can be spoken of: read from registry files, looked up by id or alias."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

from pydantic import Field

from ..state.errors import ConfigError, NotFound
from .model_files import ModelFile
from .specs import ModelSpec
from .written import Texts, Written, parse, parse_file, read_file


class JudgesFile(Written):
    """Which judges to use where none is named."""

    judges: Annotated[Texts, Field(min_length=1, description="a list of model ids, best first")]


class Registry:
    """A fixed set of models with unique ids and aliases."""

    def __init__(self, models: Iterable[ModelSpec]) -> None:
        self.models: tuple[ModelSpec, ...] = tuple(sorted(models, key=lambda spec: spec.model_id))
        self._by_name: dict[str, ModelSpec] = {}
        for spec in self.models:
            for name in (spec.model_id, *spec.aliases):
                other = self._by_name.setdefault(name, spec)
                if other is not spec:
                    raise ConfigError(f"{name!r} names both {other.model_id} and {spec.model_id}")

    def get(self, name: str) -> ModelSpec:
        """Return the model with this id or alias.

        Raises
        ------
        NotFound
            No model has that name; the sentence names the nearest one.
        """
        spec = self._by_name.get(name)
        if spec is None:
            nearest = get_close_matches(name, self._by_name, n=1, cutoff=0.0)
            hint = f"; did you mean {nearest[0]!r}?" if nearest else "; the registry is empty"
            raise NotFound(f"no model is called {name!r}{hint}")
        return spec

    def routable(self, environ_has_key: Callable[[str], bool]) -> list[ModelSpec]:
        """Return the models an answer may come from: priced, not a judge, at least one deployment usable."""
        return [spec for spec in self.models if _hindrance(spec, environ_has_key) is None]

    def unroutable(self, environ_has_key: Callable[[str], bool]) -> dict[str, str]:
        """Return why each of the other models is left out, by model id."""
        reasons = {spec.model_id: _hindrance(spec, environ_has_key) for spec in self.models}
        return {model_id: reason for model_id, reason in reasons.items() if reason is not None}

    def openable(self, environ_has_key: Callable[[str], bool]) -> tuple[ModelSpec, ...]:
        """Return the real models that might answer, were there a key for them."""
        closed = self.unroutable(environ_has_key)
        return tuple(
            spec
            for spec in self.models
            if spec.model_id in closed and spec.role == "chat" and spec.priced and not spec.simulated
        )

    @staticmethod
    def reference(models: Sequence[ModelSpec]) -> ModelSpec:
        """Return the model that savings are measured against: the frontier model of median output price.

        The lower one of two middle ones, and ties by input price and model id. Against the dearest model savings
        would look larger than what anybody would otherwise have paid. Without a frontier model: of all models.
        """
        if not models:
            raise ValueError("a reference needs at least one model, got none")
        by_price = sorted([spec for spec in models if spec.tier == "frontier"] or models, key=_price)
        return by_price[(len(by_price) - 1) // 2]

    @staticmethod
    def dearest(models: Sequence[ModelSpec]) -> ModelSpec:
        """Return the model of highest output price; ties by input price and model id. `models` is not empty."""
        return max(models, key=_price)


def _price(spec: ModelSpec) -> tuple[Decimal, Decimal, str]:
    return spec.output_usd_per_mtok, spec.input_usd_per_mtok, spec.model_id


def load_registry(*folders: Path) -> Registry:
    """Read every `*.yaml` and `*.yml` of `folders`, one model a file; later folders win over earlier ones.

    Raises
    ------
    ConfigError
        A folder or file cannot be read, a file breaks the schema, or two files of a folder name one model: everything
        that is wrong at once, a line each.
    """
    models: dict[str, ModelSpec] = {}
    faults: list[str] = []
    for folder in folders:
        models |= _load_folder(folder, faults)
    if faults:
        raise ConfigError("\n".join(faults))
    return Registry(models.values())


def _load_folder(folder: Path, faults: list[str]) -> dict[str, ModelSpec]:
    """Return the models of one folder; what is wrong with it is added to `faults`."""
    if not folder.is_dir():
        faults.append(f"the registry folder {folder} does not exist")
    models: dict[str, ModelSpec] = {}
    files: dict[str, Path] = {}
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        try:
            spec = parse_file(ModelFile, path).spec()
        except ConfigError as error:
            faults.append(str(error))
            continue
        if spec.model_id in models:
            faults.append(f"{spec.model_id} is described twice: in {files[spec.model_id]} and {path}")
        models[spec.model_id], files[spec.model_id] = spec, path
    return models


def load_judges(path: Path) -> list[str]:
    """Return the model ids of the judges that a file lists, best first.

    Raises
    ------
    ConfigError
        The file cannot be read or breaks the schema.
    """
    return list(parse(JudgesFile, read_file(path), str(path)).judges)


def _hindrance(spec: ModelSpec, environ_has_key: Callable[[str], bool]) -> str | None:
    if spec.role != "chat":
        return "it is a judge"
    if not spec.priced:
        return "its price is not known"
    if any(deployment.is_usable(environ_has_key) for deployment in spec.deployments):
        return None
    return f"set {' or '.join(wanted_variables(spec))}"


def wanted_variables(spec: ModelSpec) -> list[str]:
    """Return the environment variables that would open a deployment of the model, each once."""
    names: dict[str, None] = {}
    for deployment in spec.deployments:
        needed = (deployment.enabled_by,) if deployment.enabled_by else ()
        names |= dict.fromkeys((*needed, *deployment.key_envs))
    return list(names)
