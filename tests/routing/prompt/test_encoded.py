import pytest

from x25.routing.prompt.encoded import require_encoder
from x25.state.errors import ConfigError


def test_the_encoder_fitted_with_passes():
    require_encoder("head", ("a", 256), ("a", 256), "fit it again")


@pytest.mark.parametrize("found", [("b", 256), ("a", 384)])
def test_another_name_or_dimension_is_refused_with_both(found):
    with pytest.raises(
        ConfigError, match=rf"head was fitted with encoder 'a' of dimension 256.*{found[1]}; again"
    ):
        require_encoder("head", ("a", 256), found, "again")
