from pathlib import Path

import pytest

import x25
from x25.graph.bootstrap import BUNDLED_MODELS
from x25.graph.routers import BUNDLED_ROUTERS
from x25.graph.settings import (
    SWITCHES,
    Settings,
    as_environment,
    default_model_path,
    default_models_dir,
    default_routers_dir,
    load_settings,
    read_environment,
)
from x25.providers.embeddings import open_encoder
from x25.state.errors import ConfigError


def test_every_setting_has_a_description_and_a_default():
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert not field.is_required(), name


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("X25_PROT", "X25_PORT"), ("X25_JUGDE", "X25_JUDGE"), ("X25_DATADIR", "X25_DATA_DIR")],
)
def test_an_unknown_name_is_refused_naming_the_nearest(wrong, right):
    with pytest.raises(ConfigError, match=f"unknown setting {wrong}; did you mean {right}"):
        load_settings({wrong: "1"})


def test_a_name_near_nothing_lists_what_is_known():
    with pytest.raises(ConfigError, match="known: X25_ALLOWED_HOSTS, X25_ATTEMPT_TIMEOUT_S, "):
        load_settings({"X25_QQQQQQQQQ": "1"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X25_PORT", "70000"),
        ("X25_PORT", "-1"),
        ("X25_PORT", "many"),
        ("X25_JUDGE_TIMEOUT_S", "0"),
        ("X25_CALL_DEADLINE_S", "7201"),
        ("X25_CHECKPOINTS", "sometimes"),
        ("X25_UPSTREAM", "fake"),
        ("X25_DEFAULT_MAX_OUTPUT_TOKENS", "0"),
        ("X25_SQLITE_SYNCHRONOUS", "OFF"),
        ("X25_STORE_PROMPTS", "perhaps"),
    ],
)
def test_a_value_out_of_range_is_refused_naming_setting_and_value(name, value):
    with pytest.raises(ConfigError, match=f"^{name}: .*got '{value}'"):
        load_settings({name: value})


def test_values_are_read_by_name_and_typed():
    settings = load_settings({"X25_PORT": "0", "X25_STORE_PROMPTS": "true", "X25_SEED": "7", "PATH": "/bin"})
    assert (settings.port, settings.store_prompts, settings.seed) == (0, True, 7)


def test_an_empty_value_means_the_default_and_an_override_wins():
    assert load_settings({"X25_PORT": "", "X25_JUDGE": ""}) == load_settings({})
    assert load_settings({"X25_PORT": "1"}, port=2, host=None).port == 2


def test_switches_of_the_registry_are_no_settings():
    assert load_settings(dict.fromkeys(SWITCHES, "1")) == load_settings({})


def test_the_dotenv_file_is_read_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / ".env").write_text("X25_PORT=1234\nX25_HOST=from-file\nOPENROUTER_API_KEY=sk-file\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("X25_HOST", "from-environment")
    settings = load_settings()
    assert (settings.port, settings.host) == (1234, "from-environment")
    assert read_environment()["OPENROUTER_API_KEY"] == "sk-file"
    assert "X25_PORT" not in read_environment(None)


def test_an_unknown_name_in_the_dotenv_file_is_refused_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / ".env").write_text("X25_PROT=1234\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="X25_PROT"):
        load_settings()


def test_own_models_are_in_the_data_folder_unless_another_is_named(tmp_path):
    settings = load_settings({"X25_DATA_DIR": str(tmp_path)})
    assert (settings.model_dirs, settings.own_models_dir) == ([], tmp_path / "models")
    (tmp_path / "models").mkdir()
    assert settings.model_dirs == [tmp_path / "models"]
    named = load_settings({"X25_DATA_DIR": str(tmp_path), "X25_MODELS_DIR": "~/a:/b"})
    assert named.model_dirs == [Path.home() / "a", Path("/b")]
    assert named.own_models_dir == Path.home() / "a"


def test_derived_values_follow_from_the_settings():
    settings = load_settings({"X25_DATA_DIR": "/d", "X25_MODELS_DIR": "/a:/b"})
    assert settings.store_url == "sqlite+aiosqlite:////d/x25.db"
    assert settings.model_dirs == [Path("/a"), Path("/b")]
    assert (
        load_settings({"X25_DATABASE_URL": "postgresql+psycopg://h/d"}).store_url
        == "postgresql+psycopg://h/d"
    )
    kept = [load_settings({}, checkpoints=mode).keeps_text for mode in ("exit", "sync", "off")]
    assert kept == [False, True, False]
    assert load_settings({}, store_prompts=True).keeps_text


def test_the_environment_selects_the_encoder(tmp_path):
    def opened(**environ):
        settings = load_settings(environ)
        key = environ.get(settings.encoder_key_env)
        return open_encoder(settings.encoder, model=settings.encoder_model, api_key=key)

    url = {"X25_ENCODER": "https://acme.example/v1", "X25_ENCODER_MODEL": "embed-1"}
    assert opened().name == "static:encoder"
    assert opened(**url).name == "remote:embed-1"
    with pytest.raises(ConfigError, match="no HTTP header can carry"):
        opened(**url, X25_ENCODER_KEY_ENV="ACME_KEY", ACME_KEY="\n")
    with pytest.raises(ConfigError, match="found no config"):
        opened(X25_ENCODER=str(tmp_path))


@pytest.mark.parametrize("default", [default_model_path, default_models_dir, default_routers_dir])
def test_default_paths_lie_inside_the_installed_package_whatever_the_folder(default, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = default()
    assert path.is_absolute()
    assert path.exists()
    assert path.is_relative_to(Path(x25.__file__).resolve().parent)


def test_what_is_bundled_is_read_from_the_default_paths():
    assert load_settings({}).model == default_model_path()
    assert default_models_dir() == BUNDLED_MODELS
    assert default_routers_dir() == BUNDLED_ROUTERS
    assert len(list(default_models_dir().glob("*.yaml"))) > 40


def test_another_process_reads_the_same_settings_from_the_environment(tmp_path):
    settings = load_settings({}, data_dir=tmp_path, require_key=True, seed=3, judge_timeout_s=2.5, host="::1")
    assert load_settings(as_environment(settings)) == settings
