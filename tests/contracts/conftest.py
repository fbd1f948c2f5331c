"""Databases for the contract suites: a SQLite file, and a Postgres server of the test run's own."""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest

from x25.state.sqlite_driver import make_private
from x25.state.store import Store, open_store

SERVER_USER = "postgres"
"""Whom the server runs as when the tests run as root, which Postgres refuses."""


def find_binaries() -> Path | None:
    in_path = shutil.which("initdb")
    if in_path is not None:
        return Path(in_path).resolve().parent
    return next(
        (p.parent for p in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)), None
    )


def do_without(reason: str) -> NoReturn:
    """Skip what needs Postgres; fail where `X25_TEST_REQUIRE_POSTGRES` says that there must be one."""
    if os.environ.get("X25_TEST_REQUIRE_POSTGRES"):
        pytest.fail(f"X25_TEST_REQUIRE_POSTGRES is set, but {reason}")
    pytest.skip(reason)


def server_account() -> dict[str, str]:
    return {"user": SERVER_USER, "group": SERVER_USER} if os.geteuid() == 0 else {}


@pytest.fixture(autouse=True)
def stores_as_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each database's schema as the product does, not as a copy."""
    monkeypatch.setattr("x25.state.sqlite_driver.make_private", make_private)


@pytest.fixture(scope="session")
def postgres_folder() -> Iterator[Path]:
    # A socket's path may have no more than about a hundred characters, so not below tmp_path.
    folder = Path(tempfile.mkdtemp(prefix="x25-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, SERVER_USER, SERVER_USER)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield the socket folder of a running server that this test run started."""
    binaries = find_binaries()
    if binaries is None:
        do_without("no initdb in PATH or /usr/lib/postgresql")
    if os.geteuid() == 0 and SERVER_USER not in {entry.pw_name for entry in pwd.getpwall()}:
        do_without(f"running as root and there is no user {SERVER_USER} to run the server")
    folder: Path = request.getfixturevalue("postgres_folder")
    data, log = folder / "data", folder / "log"

    def run(program: str, *args: str) -> None:
        command = [str(binaries / program), "-D", str(data), *args]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, **server_account())

    run("initdb", "-U", "x25", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
    run("pg_ctl", "-w", "-l", str(log), "-o", options, "start")
    try:
        with psycopg.connect(host=str(folder), user="x25", dbname="postgres") as connection:
            (directory,) = connection.execute("SHOW data_directory").fetchone() or (None,)
        assert directory == str(data), f"expected the server started on {data}, reached one on {directory}"
        yield str(folder)
    finally:
        run("pg_ctl", "-w", "-m", "immediate", "stop")


@pytest.fixture
def new_postgres_url(postgres: str) -> Callable[[], str]:
    """Return a function that makes an empty Postgres database and returns its URL."""

    def make() -> str:
        name = f"test_{secrets.token_hex(6)}"
        with psycopg.connect(host=postgres, user="x25", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://x25@/{name}?host={postgres}"

    return make


@pytest.fixture
def postgres_url(new_postgres_url: Callable[[], str]) -> str:
    """Return the URL of a fresh, empty Postgres database."""
    return new_postgres_url()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty database, once for each kind that is supported."""
    if request.param == "postgres":
        return request.getfixturevalue("postgres_url")
    return f"sqlite+aiosqlite:///{tmp_path}/x25.db"


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    async with await open_store(database_url) as opened:
        yield opened
