import pytest

ON = {"enabled": True}


def said(route, text="My dog is called Rex.", **more):
    return route(text, memory=ON, **more)


def test_an_org_that_settled_nothing_remembers_nothing(http, org, route):
    route()
    told = http.get(f"/memory/{org}").json()
    assert (told["total"], told["items"]) == (0, [])
    assert told["setting"] == {"enabled": False, "budget_tokens": 512, "keep_days": None, "reason": None}


def test_an_org_settles_that_its_calls_remember(http, org, route):
    settled = http.put(
        f"/memory/{org}", json={"enabled": True, "budget_tokens": 200, "keep_days": 2.5}
    ).json()
    assert settled == {"enabled": True, "budget_tokens": 200, "keep_days": 2.5, "reason": None}
    assert route("My dog is called Rex.")["remembered"]["budget_tokens"] == 200
    reply = route("What is my dog called?")
    assert reply["remembered"]["items"]
    assert http.put(f"/memory/{org}", json={"enabled": False}).json()["budget_tokens"] == 200
    assert route("What is my dog called?")["remembered"] is None
    assert http.get(f"/memory/{org}").json()["total"] > 0


def test_what_is_remembered_is_read_by_page_user_and_conversation(http, org, route):
    said(route, conversation_id="talk")
    said(route, "We deploy on Tuesdays.", conversation_id="walk", options={"user": "ann"})
    everything = http.get(f"/memory/{org}").json()
    texts = [item["text"] for item in everything["items"] if item["role"] == "user"]
    assert sorted(texts) == ["My dog is called Rex.", "We deploy on Tuesdays."]
    (first,) = http.get(f"/memory/{org}", params={"limit": 1}).json()["items"]
    assert first == everything["items"][0]
    mine = http.get(f"/memory/{org}", params={"user": "ann"}).json()["items"]
    assert {item["conversation_id"] for item in mine} == {"walk"}
    assert {item["scope"] for item in mine} != {"org"}
    told = http.get(f"/memory/{org}", params={"conversation_id": "talk"}).json()["items"]
    assert {item["conversation_id"] for item in told} == {"talk"}


def test_one_passage_a_conversation_a_user_or_everything_is_forgotten(http, org, route):
    kept = said(route, conversation_id="talk")["remembered"]["kept"]
    said(route, "We deploy on Tuesdays.", conversation_id="walk", options={"user": "ann"})
    said(route, "The code is 42.", conversation_id="run")
    assert http.delete(f"/memory/{org}/{kept[0]}").json() == {"deleted": 1}
    assert http.delete(f"/memory/{org}/{kept[0]}").status_code == 404
    assert (
        http.delete(f"/memory/{org}", params={"conversation_id": "talk"}).json()["deleted"] == len(kept) - 1
    )
    assert http.delete(f"/memory/{org}", params={"user": "ann"}).json()["deleted"] > 0
    left = http.get(f"/memory/{org}").json()
    assert {item["conversation_id"] for item in left["items"]} == {"run"}
    for path in (f"/memory/{org}", f"/memory/{org}/"):  # as when an id came out empty
        assert http.delete(path, follow_redirects=True).status_code == 422
    assert http.delete(f"/memory/{org}", params={"all": True}).json()["deleted"] == left["total"]
    assert http.get(f"/memory/{org}").json()["total"] == 0


def test_a_key_reads_and_deletes_its_own_org_alone_an_admins_too(http, gateway, org, route):
    said(route)
    for key in (gateway.new_key(f"{org}-2"), gateway.new_key(f"{org}-2", is_admin=True)):
        head = {"Authorization": f"Bearer {key}"}
        assert http.get(f"/memory/{org}", headers=head).status_code == 403
        assert http.delete(f"/memory/{org}", headers=head).status_code == 403
        assert http.put(f"/memory/{org}", json=ON, headers=head).status_code == 403
    own = {"Authorization": f"Bearer {gateway.new_key(org)}"}
    assert http.get(f"/memory/{org}", headers=own).json()["total"] > 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "enabled"), ({"enabled": "yes"}, "enabled"), ({"enabled": True, "budget_tokens": -1}, "budget_tokens"),
        ({"enabled": True, "keep_days": 0}, "keep_days"), ({"enabled": True, "days": 3}, "days"),
    ],
)  # fmt: skip
def test_a_setting_that_is_wrong_is_refused_by_name(http, org, body, field):
    reply = http.put(f"/memory/{org}", json=body)
    assert reply.status_code == 422
    assert reply.json()["error"]["field"].endswith(field)


@pytest.mark.parametrize("query", [{"limit": 0}, {"conversation_id": "a/b"}, {"offset": -1}])
def test_a_page_that_cannot_be_is_refused(http, org, query):
    assert http.get(f"/memory/{org}", params=query).status_code == 422


# conversations over HTTP


@pytest.mark.parametrize("path", ["/route", "/v1/chat/completions"])
def test_a_conversation_is_named_by_body_or_header_and_told_in_body_and_head(http, org, path):
    asked = {"messages": [{"role": "user", "content": "Calculate 2 + 2. Give the number."}]}
    wishes = {"org": org, "conversation_id": "talk"}
    body = {**asked, **wishes} if path == "/route" else {**asked, "x25": wishes}
    told = http.post(path, json=body).json()
    assert (told if path == "/route" else told["x25"])["conversation_id"] == "talk"
    plain = {**asked, "org": org} if path == "/route" else {**asked, "x25": {"org": org}}
    reply = http.post(path, json=plain, headers={"x-x25-conversation-id": "walk"})
    told = reply.json() if path == "/route" else reply.json()["x25"]
    assert told["conversation_id"] == "walk"
    if path != "/route":
        assert reply.headers["x-x25-conversation-id"] == "walk"
    torn = http.post(path, json=body, headers={"x-x25-conversation-id": "walk"})
    assert (torn.status_code, torn.json()["error"]["field"]) == (422, "conversation_id")
    odd = http.post(path, json=plain, headers={"x-x25-conversation-id": "a b"})
    assert (odd.status_code, odd.json()["error"]["field"]) == (422, "conversation_id")


def test_a_conversation_is_found_by_its_history(http, org):
    question = {"role": "user", "content": "Calculate 2 + 2. Give the number."}
    first = http.post("/v1/chat/completions", json={"messages": [question], "x25": {"org": org}}).json()
    history = [question, first["choices"][0]["message"], {"role": "user", "content": "Calculate 3 + 3."}]
    second = http.post("/v1/chat/completions", json={"messages": history, "x25": {"org": org}}).json()
    other = http.post("/v1/chat/completions", json={"messages": history, "x25": {"org": f"{org}-2"}}).json()
    assert second["x25"]["conversation_id"] == first["x25"]["conversation_id"]
    assert other["x25"]["conversation_id"] != first["x25"]["conversation_id"]


@pytest.mark.parametrize(
    ("memory", "field"),
    [("on", "memory"), ({"enable": True}, "memory.enable"), ({"budget_tokens": 1.5}, "memory")],
)
def test_a_wish_that_is_wrong_is_refused_by_name(http, org, memory, field):
    reply = http.post("/route", json={"prompt": "hi", "org": org, "memory": memory})
    assert reply.status_code == 422
    assert field in reply.json()["error"]["field"]


@pytest.mark.parametrize("privacy", ["inputs", "hashes"])
def test_of_an_org_whose_words_nobody_may_keep_nothing_is_remembered_and_that_is_said(
    http, org, route, privacy
):
    assert http.patch(f"/orgs/{org}/settings", json={"privacy": privacy}).status_code == 200
    settled = http.put(f"/memory/{org}", json=ON).json()
    assert (settled["enabled"], "(privacy)" in settled["reason"]) == (True, True)
    remembered = said(route)["remembered"]
    assert (remembered["kept"], "(privacy)" in str(remembered)) == ([], True)
    assert http.get(f"/memory/{org}").json()["total"] == 0
