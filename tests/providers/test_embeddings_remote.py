import copy
import logging
import pickle

import numpy as np
import pytest

from x25.providers.embeddings_remote import RemoteEncoder, clean
from x25.state.errors import (
    ConfigError,
    ProviderAuth,
    ProviderConnection,
    ProviderMalformed,
    ProviderRateLimit,
    ProviderServer,
    ProviderTimeout,
)

KEY = "sk-secret-0123456789"


def answer_with(*vectors, **extra):
    items = [{"object": "embedding", "index": index, "embedding": v} for index, v in enumerate(vectors)]
    return {"object": "list", "data": items, "model": "embed-1", **extra}


@pytest.fixture
def remote(upstream, client):
    return RemoteEncoder(upstream.url, "embed-1", KEY, client)


async def test_a_text_is_posted_with_model_and_key_and_its_vector_comes_back(remote, upstream, scripted):
    upstream.reply(scripted(body=answer_with([0.5, -1.0, 2.0])))
    assert remote.dimension == 0
    vector = await remote.embed("hello")
    assert vector.dtype == np.float32
    assert vector.tolist() == [0.5, -1.0, 2.0]
    assert remote.dimension == 3
    (request,) = upstream.requests
    assert request["path"] == "/v1/embeddings"
    assert request["headers"]["authorization"] == f"Bearer {KEY}"
    assert request["body"] == {"model": "embed-1", "input": ["hello"]}


async def test_no_key_sends_no_authorization(upstream, client, scripted):
    upstream.reply(scripted(body=answer_with([1.0])))
    await RemoteEncoder(f"{upstream.url}/", "embed-1", None, client).embed("hello")
    assert "authorization" not in upstream.requests[0]["headers"]


async def test_another_dimension_than_the_first_is_refused_naming_both(remote, upstream, scripted):
    upstream.reply(scripted(body=answer_with([1.0] * 384)), scripted(body=answer_with([1.0] * 768)))
    await remote.embed("hello")
    with pytest.raises(ProviderMalformed, match="768 dimensions after 384"):
        await remote.embed("hello")
    assert remote.dimension == 384


async def test_an_empty_text_is_zeros_without_a_request_once_the_size_is_known(remote, upstream, scripted):
    upstream.reply(scripted(body=answer_with([1.0, 2.0])))
    await remote.embed("")
    assert upstream.requests[0]["body"]["input"] == [" "]
    assert (await remote.embed("")).tolist() == [0.0, 0.0]
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    ("status", "kind"), [(401, ProviderAuth), (429, ProviderRateLimit), (503, ProviderServer)]
)
async def test_a_refusal_becomes_our_error_without_the_key(remote, upstream, scripted, status, kind):
    upstream.reply(scripted(status=status, body={"error": {"message": f"bad key {KEY}"}}))
    with pytest.raises(kind, match=f"127.0.0.1 \\(embed-1\\) answered {status}") as caught:
        await remote.embed("hello")
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[]",
        b"null",
        {"data": []},
        {"data": [{"index": 0}]},
        {"data": [{"index": 0, "embedding": []}]},
        {"data": [{"index": 0, "embedding": ["a"]}]},
        b'{"data": [{"index": 0, "embedding": [NaN, 1.0]}]}',
        answer_with([1.0], [2.0]),
        {"data": "none", "error": "over capacity"},
    ],
)
async def test_a_reply_that_is_no_embedding_is_malformed(remote, upstream, scripted, body):
    upstream.reply(scripted(body=body))
    with pytest.raises(ProviderMalformed):
        await remote.embed("hello")
    assert remote.dimension == 0


async def test_a_server_that_hangs_or_hangs_up_is_told_apart(upstream, client, scripted):
    quick = RemoteEncoder(upstream.url, "embed-1", KEY, client, timeout_s=0.2)
    upstream.reply(scripted(hang=True), scripted(hang_up=True))
    with pytest.raises(ProviderTimeout):
        await quick.embed("hello")
    upstream.released.set()
    with pytest.raises(ProviderConnection):
        await quick.embed("hello")


def test_many_texts_go_in_batches_and_come_back_in_order(upstream, scripted):
    reversed_first = answer_with(*([float(number), 1.0] for number in range(64)))
    reversed_first["data"].reverse()
    upstream.reply(scripted(body=reversed_first), scripted(body=answer_with([64.0, 1.0])))
    found = RemoteEncoder(upstream.url, "embed-1", KEY).embed_many([f"text {n}" for n in range(65)])
    assert found[:, 0].tolist() == [float(number) for number in range(65)]
    assert [len(request["body"]["input"]) for request in upstream.requests] == [64, 1]


async def test_a_client_of_its_own_is_opened_where_none_is_given(upstream, scripted):
    upstream.reply(scripted(body=answer_with([1.0])))
    assert (await RemoteEncoder(upstream.url, "embed-1").embed("hello")).tolist() == [1.0]


async def test_the_key_is_in_no_repr_pickle_copy_or_log(remote, upstream, scripted, caplog):
    caplog.set_level(logging.DEBUG)
    upstream.reply(scripted(body=answer_with([1.0])))
    await remote.embed("hello")
    assert KEY not in repr(remote) + str(remote) + remote.name + remote.fingerprint + caplog.text
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="holds a key") as caught:
            attempt(remote)
        assert KEY not in str(caught.value)


@pytest.mark.parametrize("key", ["sk-ünlösbar", "sk-two\nlines", " "])
def test_a_key_no_header_can_carry_is_refused_unseen(key):
    with pytest.raises(ConfigError, match="no HTTP header can carry") as caught:
        RemoteEncoder("https://acme.example/v1", "embed-1", key)
    assert key.strip() == "" or key not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://user:pass@acme.example/v1",
        "https://acme.example/v1?key=pass@",
        "https://",
        "acme.example",
        "http://[::1",
        "file:///etc/hosts",
    ],
)
def test_a_url_with_a_secret_or_without_a_host_is_refused_unseen(url):
    with pytest.raises(ConfigError, match="expected an embeddings URL like") as caught:
        RemoteEncoder(url, "embed-1")
    assert "pass@" not in str(caught.value)


def test_the_fingerprint_tells_servers_and_models_apart():
    pairs = [("https://a.example/v1", "m"), ("https://b.example/v1", "m"), ("https://a.example/v1", "n")]
    assert len({RemoteEncoder(url, model).fingerprint for url, model in pairs}) == 3
    one, other = RemoteEncoder("https://a.example/v1/", "m"), RemoteEncoder(*pairs[0])
    assert one.fingerprint == other.fingerprint


def test_long_texts_are_cut_and_lone_surrogates_replaced():
    assert clean("a\ud800b") == "a?b"
    assert len(clean("x" * 9_000)) == 6_000
