from x25.providers.wire.request import ReasoningOrigins, messages_for


def test_parts_are_sent_in_a_chats_form():
    image = {"type": "image_url", "image_url": {"url": "https://x/y.png"}}
    parts = [
        {"type": "input_text", "text": "See"},
        {"type": "image_url", "image_url": "https://x/y.png"},
        {"type": "input_image", "image_url": "https://x/y.png", "detail": "low"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}},
        {"type": "hologram", "text": 3},
        "x",
    ]
    (sent,) = messages_for([{"role": "user", "content": parts}], "m", ReasoningOrigins())
    assert sent["content"] == [
        {"type": "text", "text": "See"},
        image,
        {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
        *parts[4:],
    ]
