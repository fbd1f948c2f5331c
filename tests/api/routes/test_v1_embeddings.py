import pytest

from x25.state.errors import EncoderUnavailable


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"model": "text-embedding-3-small", "input": "x"}, 404, "model"),
        ({"input": "x"}, 422, "model"),
        ({"model": "x25-embed", "input": "x", "dimensions": 257}, 422, "dimensions"),
        ({"model": "x25-embed", "input": "x", "encoding_format": "int8"}, 422, "encoding_format"),
        ({"model": "x25-embed", "input": "x", "task": "search"}, 422, "task"),
        ({"model": "x25-embed", "input": [[1, 2]]}, 422, "input"),
    ],
)
def test_what_cannot_be_had_is_refused_by_name(http, body, status, param):
    answer = http.post("/v1/embeddings", json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (status, param)


def test_a_key_is_needed_where_keys_are(strict_gateway):
    import httpx

    asked = {"model": "x25-embed", "input": "x"}
    assert httpx.post(f"{strict_gateway.url}/v1/embeddings", json=asked).status_code == 401


async def test_an_encoder_that_is_away_is_told(open_app, monkeypatch):
    async with open_app() as client:
        from x25.providers.embeddings import StaticEncoder

        async def away(self, text):
            raise EncoderUnavailable("resting")

        monkeypatch.setattr(StaticEncoder, "embed", away)
        answer = await client.post("/v1/embeddings", json={"model": "x25-embed", "input": "x"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "encoder_unavailable")
