import numpy as np
import pytest

from x25.training.replay.streams import Replayed, Side


def make_side(length=400, levels=(0.3, 0.6, 0.8), costs=(0.0001, 0.001, 0.01), seed=0, noise=0.1):
    """A side whose predictions are right on average; rewards scatter around them."""
    rng = np.random.default_rng(seed)
    easy = rng.normal(size=length)
    probs = np.clip(np.array(levels) + 0.1 * easy[:, None], 0.05, 0.95)
    rewards = np.clip(probs + noise * rng.normal(size=probs.shape), 0.0, 1.0)
    realised = np.array(costs) * rng.lognormal(sigma=0.3, size=probs.shape)
    contexts = np.stack([easy, np.ones(length)], axis=1)
    models = tuple(f"m{arm}" for arm in range(len(levels)))
    predicted = np.broadcast_to(realised.mean(axis=0), probs.shape)
    folds = np.arange(length) % 5
    return Side(models, rewards, realised, probs, probs, predicted, contexts, folds)


@pytest.fixture
def side():
    return make_side()


@pytest.fixture
def replayed(side):
    return Replayed(side, side, 0)


@pytest.fixture
def long_side():
    """A frontier a little better than the middle arm, as on the published stream."""
    return make_side(length=900, levels=(0.6, 0.85, 0.9), seed=3)
