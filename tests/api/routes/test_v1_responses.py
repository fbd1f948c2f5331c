import openai
import pytest

ASKED = "What is the weather in Paris?"
TOOL = {
    "type": "function", "name": "get_weather", "description": "Weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}  # fmt: skip


@pytest.fixture
def client(gateway, org):
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.new_key(org), max_retries=0) as client:
        yield client


def test_the_official_client_goes_on_from_a_response(client, http, org):
    first = client.responses.create(model="sim/medium-4", input="Say hello.", instructions="Be brief.")
    assert (first.output_text, first.status) != ("", "failed")
    second = client.responses.create(model="sim/medium-4", input="And again.", previous_response_id=first.id)
    assert second.previous_response_id == first.id
    assert second.usage.input_tokens > first.usage.input_tokens
    assert http.get(f"/stats/{org}").json()["total_calls"] == 2


def test_a_response_that_is_not_stored_or_another_orgs_is_not_known(client, gateway):
    unstored = client.responses.create(model="auto", input="Say hello.", store=False)
    assert unstored.store is False
    kept = client.responses.create(model="auto", input="Say hello.")
    with openai.OpenAI(
        base_url=f"{gateway.url}/v1", api_key=gateway.new_key("other-org"), max_retries=0
    ) as other:
        for who, name in ((client, unstored.id), (other, kept.id), (client, "resp_0")):
            with pytest.raises(openai.NotFoundError) as unknown:
                who.responses.create(model="auto", input="x", previous_response_id=name)
            assert unknown.value.code == "previous_response_not_found"


def test_tools_are_called_and_their_outputs_taken_whole_or_by_reference(client):
    said = client.responses.create(model="sim/medium-4", input=ASKED, tools=[TOOL])
    (call,) = said.output
    assert (call.type, call.name) == ("function_call", "get_weather")
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny, 21 degrees"}
    user = {"role": "user", "content": ASKED}
    for items, more in (
        ([user, call.model_dump(), result], {}),
        ([user, {"type": "item_reference", "id": call.id}, result], {}),
        ([result], {"previous_response_id": said.id}),
    ):
        answer = client.responses.create(model="sim/medium-4", input=items, tools=[TOOL], **more)
        assert "sunny" in answer.output_text


def test_a_stream_builds_the_same_response(client):
    with client.responses.stream(model="sim/medium-4", input=ASKED, tools=[TOOL]) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    assert final.output[0].arguments


def test_a_structured_answer_is_parsed(client):
    from pydantic import BaseModel

    class Sum(BaseModel):
        answer: str

    said = client.responses.parse(model="auto", input="What is 17 * 23?", text_format=Sum)
    assert isinstance(said.output_parsed, Sum)


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "web_search"},
        {"type": "file_search", "vector_store_ids": []},
        {"type": "mcp", "server_label": "x"},
    ],
)
def test_tools_that_a_vendor_runs_are_refused_before_anything_is_bought(client, simulator, tool):
    before = len(simulator.bills())
    with pytest.raises(openai.UnprocessableEntityError) as refused:
        client.responses.create(model="auto", input="x", tools=[tool])
    assert refused.value.param == "tools[0].type"
    assert len(simulator.bills()) == before


async def test_nothing_is_remembered_where_the_settings_say_so(open_app):
    async with open_app(responses_kept_s=0) as client:
        said = (await client.post("/v1/responses", json={"input": "hi"})).json()
        again = await client.post("/v1/responses", json={"input": "hi", "previous_response_id": said["id"]})
    assert again.status_code == 404


async def test_where_text_is_kept_a_restart_forgets_no_response_but_one_that_was_not_to_be_stored(open_app):
    said = {"input": "Say hello.", "instructions": "Be brief.", "model": "sim/medium-4"}
    async with open_app(store_prompts=True) as client:
        kept = (await client.post("/v1/responses", json=said)).json()
        unstored = (await client.post("/v1/responses", json={**said, "store": False})).json()
    async with open_app(store_prompts=True) as client:
        again = {"input": "And again.", "model": "sim/medium-4"}
        plain = (await client.post("/v1/responses", json=again)).json()
        after = await client.post("/v1/responses", json={**again, "previous_response_id": kept["id"]})
        lost = await client.post("/v1/responses", json={**again, "previous_response_id": unstored["id"]})
        other = {**again, "previous_response_id": kept["id"], "x25": {"org": "other"}}
        elsewhere = await client.post("/v1/responses", json=other)
    assert after.json()["usage"]["input_tokens"] > plain["usage"]["input_tokens"]
    assert (lost.status_code, elsewhere.status_code) == (404, 404)


async def test_what_another_process_erased_is_neither_told_nor_gone_on_from(open_app):
    async with open_app() as one, open_app() as other:
        tool = {"type": "function", "name": "get_weather", "parameters": {"type": "object", "properties": {}}}
        asked = {"input": "What is the weather in Paris?", "tools": [tool], "tool_choice": "required"}
        kept, erased = [(await one.post("/v1/responses", json=asked)).json() for _ in range(2)]
        call_id = erased["id"].removeprefix("resp_")
        assert (await one.get(f"/v1/responses/{erased['id']}")).status_code == 200
        assert (await other.delete(f"/api/calls/{call_id}")).status_code == 200
        items = [{"type": "item_reference", "id": erased["output"][0]["id"]}]
        for body in ({"input": "And?", "previous_response_id": erased["id"]}, {"input": items}):
            assert (await one.post("/v1/responses", json=body)).status_code in {404, 422}
        assert (await one.get(f"/v1/responses/{erased['id']}")).status_code == 404
        assert (await one.get(f"/v1/responses/{kept['id']}")).status_code == 200


@pytest.mark.parametrize("way", ["read", "gone on from", "referred to"])
async def test_each_way_to_an_erased_answer_is_closed_by_itself(open_app, way):
    async with open_app() as one, open_app() as other:
        said = (await one.post("/v1/responses", json={"input": "Say hello."})).json()
        await other.delete(f"/api/calls/{said['id'].removeprefix('resp_')}")
        again = {"input": "And?", "previous_response_id": said["id"]}
        items = {
            "input": [
                {"type": "item_reference", "id": said["output"][0]["id"]},
                {"role": "user", "content": "x"},
            ]
        }
        answer = (
            await one.get(f"/v1/responses/{said['id']}")
            if way == "read"
            else await one.post("/v1/responses", json=again if way == "gone on from" else items)
        )
        assert answer.status_code in {404, 422}, answer.text


async def test_where_it_is_not_kept_a_restart_forgets_all(open_app):
    async with open_app() as client:
        kept = (await client.post("/v1/responses", json={"input": "hi"})).json()
    async with open_app() as client:
        after = await client.post("/v1/responses", json={"input": "hi", "previous_response_id": kept["id"]})
    assert after.status_code == 404


def test_a_response_is_read_and_forgotten_by_its_own_org_alone(client, gateway, http, org):
    said = client.responses.create(model="sim/medium-4", input="Say hello.", metadata={"a": "b"})
    read = client.responses.retrieve(said.id)
    assert (read.output_text, read.metadata, read.usage) == (said.output_text, {"a": "b"}, said.usage)
    unstored = client.responses.create(model="sim/medium-4", input="Say hello.", store=False)
    with openai.OpenAI(
        base_url=f"{gateway.url}/v1", api_key=gateway.new_key("other-org"), max_retries=0
    ) as other:
        for who, name in ((other, said.id), (client, unstored.id), (client, "resp_0"), (client, "nonsense")):
            for ask in (who.responses.retrieve, who.responses.delete):
                with pytest.raises(openai.NotFoundError) as unknown:
                    ask(name)
                assert unknown.value.code == "response_not_found"
        elsewhere = http.get(f"/v1/responses/{said.id}", headers={"authorization": f"Bearer {other.api_key}"},
                             params={"org": org})  # fmt: skip
        assert elsewhere.status_code == 403
    assert http.delete(f"/v1/responses/{said.id}").status_code == 404  # without a key: org "default"
    assert http.request("DELETE", f"/v1/responses/{said.id}", params={"org": org}).json() == {
        "id": said.id, "object": "response", "deleted": True,
    }  # fmt: skip
    for ask in (client.responses.retrieve, client.responses.delete):
        with pytest.raises(openai.NotFoundError):
            ask(said.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.create(model="auto", input="x", previous_response_id=said.id)


def test_what_it_answered_is_listed_to_its_own_org_alone(client, gateway):
    first = client.responses.create(model="sim/medium-4", input="Say hello.")
    said = client.responses.create(model="sim/medium-4", input="Again.", previous_response_id=first.id)
    items = list(client.responses.input_items.list(said.id, order="asc", limit=1))  # three pages
    assert [item.role for item in items] == ["user", "assistant", "user"]
    assert items[1].content[0].text == first.output_text
    with (
        openai.OpenAI(
            base_url=f"{gateway.url}/v1", api_key=gateway.new_key("items-org"), max_retries=0
        ) as other,
        pytest.raises(openai.NotFoundError),
    ):
        other.responses.input_items.list(said.id)


def test_how_it_is_read_is_honoured_or_refused_by_name(client, http):
    said = client.responses.create(model="sim/medium-4", input="Say hello.")
    for asked, field in (
        ({"stream": "true"}, "stream"),
        ({"include": "thoughts"}, "include"),
    ):
        refused = http.get(f"/v1/responses/{said.id}", params=asked)
        assert (refused.status_code, refused.json()["error"]["param"]) == (422, field)


async def test_where_text_is_kept_forgetting_outlasts_a_restart(open_app):
    asked = {"input": "Say hello.", "model": "sim/medium-4"}
    async with open_app(store_prompts=True) as client:
        kept = (await client.post("/v1/responses", json=asked)).json()
        assert (await client.delete(f"/v1/responses/{kept['id']}")).status_code == 200
    async with open_app(store_prompts=True) as client:
        again = await client.post("/v1/responses", json={**asked, "previous_response_id": kept["id"]})
        assert (again.status_code, (await client.get("/verify")).json()["intact"]) == (404, True)


async def test_an_erased_call_is_no_response_any_more(open_app):
    async with open_app() as client:
        kept = (await client.post("/v1/responses", json={"input": "Say hello."})).json()
        call_id = kept["id"].removeprefix("resp_")
        assert (await client.delete(f"/api/calls/{call_id}")).status_code == 200
        assert (await client.get(f"/v1/responses/{kept['id']}")).status_code == 404
