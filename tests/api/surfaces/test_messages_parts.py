from x25.api.surfaces.messages_request import MessagesRequest, messages_of


def test_what_was_looked_up_is_read_as_text_or_left_to_its_vendor():
    found = {
        "type": "search_result",
        "title": "A",
        "source": "u",
        "content": [{"type": "text", "text": "words"}],
    }
    source = {"type": "content", "content": [{"type": "text", "text": "words"}]}
    history = [
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
        {"type": "text", "text": "So."},
    ]
    said = [
        {"role": "user", "content": [found, {"type": "document", "title": "B", "source": source}]},
        {"role": "assistant", "content": history},
    ]
    first, second = messages_of(MessagesRequest.model_validate({"max_tokens": 9, "messages": said}))
    assert [part["text"] for part in first["content"]] == ["A\n\nu\n\nwords", "B\n\nwords"]
    assert second["content"] == "So."
