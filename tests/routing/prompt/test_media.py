from base64 import b64encode

import pytest

from x25.routing.prompt.media import Media, media_of, take_out

DATA = b64encode(b"\x00" * 300).decode()


def parts(*content):
    return [{"role": "user", "content": list(content)}]


ATTACHMENTS = [
    ({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{DATA}", "detail": "low"}},
     Media("image", DATA, len(DATA), "image/png", "low")),
    ({"type": "image_url", "image_url": f"DATA:image/jpeg;charset=x;Base64,{DATA}"},
     Media("image", DATA, len(DATA), "image/jpeg")),
    ({"type": "input_image", "image_url": f"data:;base64,{DATA}"}, Media("image", DATA, len(DATA))),
    ({"type": "image_url", "image_url": {"url": "https://host/cat.png"}}, Media("image")),
    ({"type": "image", "source": {"type": "base64", "media_type": "image/gif", "data": DATA}},
     Media("image", DATA, len(DATA), "image/gif")),
    ({"type": "image", "source_type": "base64", "mime_type": "image/png", "data": DATA},
     Media("image", DATA, len(DATA), "image/png")),
    ({"type": "input_audio", "input_audio": {"data": DATA, "format": "wav"}},
     Media("audio", DATA, len(DATA), "wav")),
    ({"type": "audio_url", "audio_url": {"url": "https://host/a.mp3"}}, Media("audio")),
    ({"type": "video_url", "video_url": {"url": f"data:video/mp4;base64,{DATA}"}},
     Media("video", DATA, len(DATA), "video/mp4")),
    ({"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{DATA}"}},
     Media("file", DATA, len(DATA), "application/pdf")),
    ({"type": "file", "file": {"file_id": "file-1"}}, Media("file")),
    ({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": DATA}},
     Media("file", DATA, len(DATA), "application/pdf")),
]  # fmt: skip


@pytest.mark.parametrize(("part", "media"), ATTACHMENTS)
def test_an_attachment_is_known_in_every_dialect_and_its_base64_is_taken_out(part, media):
    found = take_out(parts({"type": "text", "text": "Look"}, part))
    assert (found.media, found.unknown) == ((media,), ())
    assert DATA not in str(found.messages)
    assert found.messages[0]["content"][0] == {"type": "text", "text": "Look"}
    assert media.size_bytes == (None if media.head is None else 300)


def test_nothing_given_is_changed():
    given = parts(ATTACHMENTS[0][0])
    before = str(given)
    take_out(given)
    assert str(given) == before


def test_attachments_within_a_tools_result_are_found_too():
    result = {"type": "tool_result", "tool_use_id": "t", "content": [ATTACHMENTS[0][0]]}
    found = take_out([{"role": "tool", "content": [result]}])
    assert [one.kind for one in found.media] == ["image"]
    assert DATA not in str(found.messages)


def test_words_that_only_look_like_an_attachment_stay_words():
    text = {"type": "text", "text": f"data:image/png;base64,{DATA}", "data": DATA}
    document = {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": "plain words"},
    }
    found = take_out([*parts(text, document), {"role": "user", "content": f"data:image/png;base64,{DATA}"}])
    assert found.messages[0]["content"] == [text, document]
    assert found.messages[1]["content"].endswith(DATA)
    assert found.media == (Media("file"),)


def test_a_part_of_another_type_is_named_by_its_place():
    found = take_out(parts({"type": "text", "text": "a"}, {"type": "hologram", "data": DATA}, 5, {"type": 5}))
    assert found.unknown == ("messages[0].content[1] (type 'hologram')",)
    assert found.messages[0]["content"][1]["data"] == DATA


def test_content_nested_without_end_counts_as_text():
    part = {"type": "tool_result", "content": []}
    for _ in range(400):
        part = {"type": "tool_result", "content": [part]}
    assert media_of(parts(part)) == ()
