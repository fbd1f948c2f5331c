"""`store: false` as OpenAI's clients send it, at a gateway that keeps words."""

import pytest

CANARY = "zebrafish-in-the-attic"
TALK = {"messages": [{"role": "user", "content": f"Say {CANARY} once."}]}
DOORS = {
    "/v1/chat/completions": TALK,
    "/v1/responses": {"input": f"Say {CANARY} once."},
    "/route": {"prompt": f"Say {CANARY} once."},
}


def with_store(path, store):
    asked = DOORS[path]
    return {**asked, "options": {"store": store}} if path == "/route" else {**asked, "store": store}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", DOORS)
async def test_no_word_of_the_call_is_on_the_disk_at_the_end(open_app, tmp_path, path, stream):
    asked = with_store(path, False) | ({"stream": True} if stream and path != "/route" else {})
    async with open_app(store_prompts=True) as client:
        assert (await client.post(path, json=asked)).status_code == 200
        rows = (await client.get("/api/history")).json()["calls"]
    assert [one["prompt"] for one in rows] == [None]
    written = b"".join(one.read_bytes() for one in (tmp_path / "app").rglob("*") if one.is_file())
    assert CANARY.encode() not in written


@pytest.mark.parametrize("path", DOORS)
async def test_words_are_kept_where_the_request_says_nothing(open_app, path):
    async with open_app(store_prompts=True) as client:
        assert (await client.post(path, json=DOORS[path])).status_code == 200
        rows = (await client.get("/api/history")).json()["calls"]
    assert CANARY in rows[0]["prompt"]
