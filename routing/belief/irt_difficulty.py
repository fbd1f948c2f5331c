"""The difficulty head inside a completion model, as serving reads one."""

import numpy as np

from ...state.errors import ConfigError
from ..prompt.difficulty import DifficultyModel
from ..prompt.linear import LinearHead
from .irt import CompletionModel

_THIRDS_APART = 0.861
"""Distance between the terciles of a normal distribution, in standard deviations."""


def difficulty_model_of(model: CompletionModel) -> DifficultyModel:
    """Return the head, centred on the prompts it was fitted on, with the terciles its manifest holds.

    It knows no leverage, so no prompt counts as unlike those; sigma, alike for all prompts, follows from the
    correlation r of estimated and empirical difficulty on held-out prompts: sd of the estimates times
    sqrt(1 / r^2 - 1).

    Raises
    ------
    ConfigError
        The manifest lacks terciles or that correlation.
    """
    inputs = len(model.coef)
    try:
        easy_end, hard_start = (float(one) - model.intercept for one in model.manifest["terciles"])
        correlation = float(model.manifest["held_out"]["pearson"]["all"])
        alpha = float(model.manifest["ridge_alpha"])
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"its manifest lacks {error}; fit it again: x25 train") from error
    deviation = (hard_start - easy_end) / _THIRDS_APART
    head = LinearHead(
        mean=model.mean,
        scale=model.scale,
        centre=np.zeros(inputs),
        coef=model.coef,
        level=0.0,
        low=model.low - model.intercept,
        high=model.high - model.intercept,
        alpha=alpha,
        factor=np.zeros((inputs, inputs), dtype=np.float32),
        typical=1.0,
        shrinkage=0.0,
        sigma=(deviation**2 * (1.0 / max(correlation, 0.1) ** 2 - 1.0), 0.0),
    )
    return DifficultyModel(
        head, (easy_end, hard_start), model.encoder_fingerprint, model.encoder_dimension, model.manifest
    )
