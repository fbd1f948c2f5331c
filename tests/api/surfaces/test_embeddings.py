import asyncio
from base64 import b64decode

import numpy as np
import openai
import pytest

from x25.api.surfaces.embeddings import EmbeddingRequest, embed, reply_of, texts_of
from x25.state.errors import InvalidRequest


class Letters:
    """Counts three letters."""

    async def embed(self, text):
        return np.array([text.count(letter) for letter in "abc"], dtype=np.float32)


def vectors(texts, dimensions=None):
    return asyncio.run(embed(texts, Letters(), dimensions))


def test_vectors_have_unit_length_and_a_long_text_is_read_to_its_end():
    long = "a" * 3_000 + "b" * 3_000
    short, read, unknown = vectors(["ab", long, "xyz"])
    assert short == pytest.approx([2**-0.5, 2**-0.5, 0])
    assert read == pytest.approx([2**-0.5, 2**-0.5, 0], abs=1e-6)
    assert not unknown.any()


def test_fewer_dimensions_are_the_first_ones_at_unit_length():
    assert vectors(["aab"], 1)[0] == pytest.approx([1.0])
    with pytest.raises(InvalidRequest, match="at most 3"):
        vectors(["aab"], 4)


def test_base64_holds_the_same_numbers():
    told = vectors(["aab"])
    packed = reply_of(EmbeddingRequest(model="x", input="aab", encoding_format="base64"), ["aab"], told)
    assert np.frombuffer(b64decode(packed["data"][0]["embedding"]), "<f4") == pytest.approx(told[0])


@pytest.mark.parametrize("given", ["", [], [""], [1, 2], [[1]], 5, None, ["a", 3], ["a"] * 2_049])
def test_what_is_no_text_is_refused(given):
    with pytest.raises(InvalidRequest) as refused:
        texts_of(EmbeddingRequest(model="x", input=given), 1_000)
    assert refused.value.field.startswith("input")


def test_texts_are_bounded_together():
    with pytest.raises(InvalidRequest, match="at most 10"):
        texts_of(EmbeddingRequest(model="x", input=["aaaaaa", "bbbbbb"]), 10)


def test_the_official_client_reads_both_encodings_and_near_texts_are_near(gateway):
    texts = ["How do I cook rice?", "What is the best way to boil rice?", "Sort this list in Python."]
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0) as client:
        found = client.embeddings.create(model="x25-embed", input=texts)  # asks for base64
        plain = client.embeddings.create(model="x25-embed", input=texts[0], encoding_format="float")
        assert client.models.retrieve("x25-embed").owned_by == "x25"
    first, second, third = (np.array(one.embedding) for one in found.data)
    assert len(first) == 256
    assert first == pytest.approx(plain.data[0].embedding)
    assert first @ second > first @ third
    assert found.usage.total_tokens > 0
