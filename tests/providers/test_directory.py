from dataclasses import replace

import pytest

from x25.providers.base import ProviderRequest
from x25.providers.directory import known_providers
from x25.providers.openai_compatible import OpenAICompatible
from x25.state.errors import ConfigError

SPEAKING_OPENAI = sorted(name for name, one in known_providers().items() if one.dialect == "openai")


def entry(**changes):
    return [{"name": "groq", "model": "up/model", **changes}]


def test_more_than_sixteen_providers_are_known_and_four_dialects_beside_openais():
    known = known_providers()
    assert len(known) >= 16
    assert {one.dialect for one in known.values()} == {"openai", "anthropic", "gemini", "bedrock", "azure"}
    assert all(one.key_env or one.enabled_by for one in known.values())
    assert all(one.base_url is None or not one.base_url.endswith("/") for one in known.values())


def test_a_deployment_of_a_known_provider_needs_no_address(model):
    (one,) = model(deployments=entry()).deployments
    assert (one.base_url, one.key_envs, one.dialect) == (
        "https://api.groq.com/openai/v1",
        ("GROQ_API_KEY",),
        "openai",
    )
    (native,) = model(deployments=[{"name": "anthropic", "model": "claude-x"}]).deployments
    assert (native.dialect, native.base_url) == ("anthropic", "https://api.anthropic.com")


def test_a_known_providers_key_goes_to_its_own_address_alone(model):
    (one,) = model(deployments=entry(base_url="https://elsewhere.example/v1")).deployments
    assert (one.base_url, one.key_envs) == ("https://elsewhere.example/v1", ())
    (azure,) = model(deployments=[{"name": "azure", "base_url": "https://mine.openai.azure.com"}]).deployments
    assert (azure.key_envs, azure.dialect) == (("AZURE_OPENAI_API_KEY",), "azure")


@pytest.mark.parametrize("deployment", [{"name": "nobody"}, {"name": "azure"}])
def test_one_that_nobody_says_where_it_is_is_refused(model, deployment):
    with pytest.raises(ConfigError, match=r"base_url.*name of a known provider"):
        model(deployments=[deployment])


@pytest.mark.parametrize("dialect", ["klingon"])
def test_a_dialect_nobody_speaks_is_refused(model, dialect):
    with pytest.raises(ConfigError, match="one of openai, anthropic, gemini, bedrock, azure"):
        model(deployments=entry(dialect=dialect))


@pytest.mark.parametrize("name", SPEAKING_OPENAI)
async def test_each_that_speaks_openais_is_asked_in_it(name, model, upstream, client):
    spec = model(deployments=[{"name": name, "model": "up/model"}])
    deployment = replace(spec.deployments[0], base_url=upstream.url)
    body = {"messages": [{"role": "user", "content": "Capital of France?"}]}
    request = ProviderRequest(spec, deployment, body, "att-0", 5.0, "k1")
    completion = await OpenAICompatible(client).complete(request)
    assert completion.message["content"] == "Paris"
    assert upstream.requests[0]["path"] == "/v1/chat/completions"
    assert upstream.keys() == ["k1"]
