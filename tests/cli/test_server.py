import socket

import pytest

from x25.cli.server import bind, refuse_open_network, url_of
from x25.graph.settings import load_settings
from x25.state.errors import ConfigError


@pytest.mark.parametrize(
    ("host", "require_key", "refused"),
    [
        ("127.0.0.1", None, False), ("::1", None, False), ("localhost", None, False), ("127.0.0.1", False, False),
        ("0.0.0.0", None, True), ("::", None, True), ("192.0.2.1", None, True), ("gateway.example", None, True),
        ("0.0.0.0", True, False), ("0.0.0.0", False, False),
    ],
)  # fmt: skip
def test_only_loopback_is_open_unasked(
    host: str, require_key: bool | None, refused: bool, caplog: pytest.LogCaptureFixture
) -> None:
    settings = load_settings({}, host=host, require_key=require_key)
    if refused:
        with pytest.raises(ConfigError, match=f"{host} can be reached from other machines"):
            refuse_open_network(settings)
    else:
        refuse_open_network(settings)
    is_open_to_all = host == "0.0.0.0" and require_key is False
    assert ("reads every org without a key" in caplog.text) is is_open_to_all


def test_a_bound_socket_answers_without_waiting_for_more() -> None:
    with bind(load_settings({}, port=0)) as listener:
        assert listener.proto == socket.IPPROTO_TCP
        assert listener.getsockname()[1] > 0


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"cannot listen on 192\.0\.2\.1:0: .*--port"):
        bind(load_settings({}, host="192.0.2.1", port=0))


def test_an_address_is_written_as_browsers_want_it() -> None:
    with bind(load_settings({}, port=0)) as listener:
        port = listener.getsockname()[1]
        assert url_of(load_settings({}), listener) == f"http://127.0.0.1:{port}"
        assert url_of(load_settings({}, host="::1"), listener) == f"http://[::1]:{port}"
