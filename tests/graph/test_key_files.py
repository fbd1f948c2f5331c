import asyncio

import pytest

from x25.graph.key_files import following_keys, read_keys
from x25.providers.keyring import Keyring
from x25.providers.specs import Deployment
from x25.state.errors import ConfigError

ONE = Deployment("one", "https://one.example/v1", "m", ("POOL",))


def write(path, text):
    path.write_text(text)
    return path


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


async def test_keys_are_rotated_while_the_gateway_runs(tmp_path, caplog):
    path = write(tmp_path / "keys.env", "POOL=k1,k2\n")
    keyring = Keyring(read_keys(str(path)))
    keyring.exhaust("k1", ONE, 1e9)
    async with following_keys(keyring, lambda: read_keys(str(path)), (path,), every_s=0.01):
        assert keyring.next_key(ONE, 0.0).key == "k2"
        replaced = write(tmp_path / "next.env", "POOL=k2,k3\n")
        replaced.replace(path)  # as secret stores put a file in another's place
        await until(lambda: keyring.next_key(ONE, 0.0).key == "k3")
    assert keyring.exhausted() == []
    assert {keyring.next_key(ONE, 0.0).key for _ in range(4)} == {"k2", "k3"}


async def test_a_file_that_cannot_be_read_leaves_the_keys_as_they_are(tmp_path, caplog):
    path = write(tmp_path / "keys.env", "POOL=k1\n")
    keyring = Keyring(read_keys(str(path)))
    async with following_keys(keyring, lambda: read_keys(str(path)), (path,), every_s=0.01):
        path.unlink()
        await until(lambda: "provider_keys_unreadable" in caplog.text)
        assert keyring.next_key(ONE, 0.0).key == "k1"
        write(path, "POOL=k2\n")
        await until(lambda: keyring.next_key(ONE, 0.0).key == "k2")
    assert "k2" not in caplog.text


def test_a_file_that_is_not_there_at_start_is_refused_by_name(tmp_path):
    with pytest.raises(ConfigError, match="X25_KEYS_FILE"):
        read_keys(str(tmp_path / "absent.env"))


def test_without_a_file_there_are_none():
    assert read_keys("") == {}
