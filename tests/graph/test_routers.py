import pytest

from x25.graph.bootstrap import SIMULATED_MODELS
from x25.graph.routers import load_routers, with_direct_routers
from x25.providers.registry import load_registry
from x25.state.errors import ConfigError

MODELS = load_registry(SIMULATED_MODELS).models


def test_whoever_names_a_model_gets_that_one():
    routers = with_direct_routers(MODELS, load_routers())
    assert routers.keys() == load_routers().keys() | {
        name for spec in MODELS for name in (spec.model_id, *spec.aliases)
    }


def test_a_model_by_the_name_of_a_router_is_refused(tmp_path):
    (tmp_path / "m.yaml").write_text(
        "model_id: auto\nbase_url: http://localhost:9/v1\ntier: slm\n"
        "prices: {input_usd_per_mtok: 1, output_usd_per_mtok: 2}\n"
    )
    own = load_registry(tmp_path).models
    with pytest.raises(ConfigError, match="the model 'auto' goes by the name 'auto', which is a router's"):
        with_direct_routers([*MODELS, *own], load_routers())
