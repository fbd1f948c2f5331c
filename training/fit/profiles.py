"""What is published of models? Catalogues of benchmark figures as the completion model reads them."""

from collections.abc import Mapping
from typing import Any

from ...providers.profiles import Profile as Published
from ...providers.profiles import load_profiles, parse_profile
from ...routing.belief.irt import Profile


def read_profiles(catalogues: str | None = None) -> dict[str, Profile]:
    """Return the profiles by model_id; arguments and errors are those of `providers.profiles.load_profiles`."""
    return {model_id: _profile(one) for model_id, one in load_profiles(catalogues).items()}


def profiles_from(models: Mapping[str, Mapping[str, Any]]) -> dict[str, Profile]:
    """Return the profiles of a mapping of model_id to `benchmarks` and, where wanted, `tier`; raises ConfigError."""
    return {
        model_id: _profile(parse_profile({**fields, "model_id": model_id}, "profiles"))
        for model_id, fields in models.items()
    }


def _profile(one: Published) -> Profile:
    return Profile(one.model_id, one.scores, one.tier or "mid")
