"""What binds a fitted head to the encoder whose embeddings it was fitted on."""

from ...state.errors import ConfigError


def require_encoder(what: str, fitted: tuple[str, int], found: tuple[str, int], refit: str) -> None:
    """Refuse an encoder other than the one `what` was fitted with; each pair is fingerprint and dimension.

    Raises
    ------
    ConfigError
        Naming both encoders and both dimensions, and how to fit again.
    """
    if found != fitted:
        raise ConfigError(
            f"the {what} was fitted with encoder {fitted[0]!r} of dimension {fitted[1]}, this one is "
            f"{found[0]!r} of dimension {found[1]}; {refit}"
        )
