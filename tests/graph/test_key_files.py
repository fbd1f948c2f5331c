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


@pytest.mark.parametrize(
    "text", ["POOL='k1\n", "# ours\nPOOL=k1\nhalf of sk-secret\n", "POOL k1=sk-secret\n"]
)
def test_a_line_that_is_no_assignment_is_refused_by_its_number_and_not_repeated(tmp_path, text):
    with pytest.raises(
        ConfigError, match=rf"line {3 if 'half' in text else 1} of .* is no NAME=value"
    ) as refused:
        read_keys(str(write(tmp_path / "keys.env", text)))
    assert "secret" not in str(refused.value)


async def test_a_file_that_is_half_written_leaves_the_keys_as_they_are(tmp_path, caplog):
    path = write(tmp_path / "keys.env", "POOL=k1\n")
    keyring = Keyring(read_keys(str(path)))
    async with following_keys(keyring, lambda: read_keys(str(path)), (path,), every_s=0.01):
        write(path, "POOL='k")
        await until(lambda: "provider_keys_unreadable" in caplog.text)
        assert keyring.next_key(ONE, 0.0).key == "k1"


def test_comments_blank_lines_exports_and_quotes_are_read_as_in_any_such_file(tmp_path):
    text = "# ours\n\nexport POOL='k1, k2'  # two\nOTHER=\"k3\"\nNONE\n"
    assert read_keys(str(write(tmp_path / "keys.env", text))) == {"POOL": "k1, k2", "OTHER": "k3"}


def test_a_file_that_is_not_there_at_start_is_refused_by_name(tmp_path):
    with pytest.raises(ConfigError, match="X25_KEYS_FILE"):
        read_keys(str(tmp_path / "absent.env"))


def test_without_a_file_there_are_none():
    assert read_keys("") == {}
