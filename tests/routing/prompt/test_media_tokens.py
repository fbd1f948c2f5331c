from base64 import b64encode
from struct import pack

import pytest

from x25.routing.prompt.media import Media
from x25.routing.prompt.media_tokens import (
    MOST_IMAGE_TOKENS,
    bound_image_tokens,
    bound_media_tokens,
    estimate_media_tokens,
    tile_tokens,
)


def image(width, height, detail=""):
    head = b"\x89PNG\r\n\x1a\n" + pack(">I4sII", 13, b"IHDR", width, height) + b"\x00" * 50
    return Media("image", b64encode(head).decode(), 90, "image/png", detail)


def data(kind, size, mime=""):
    base64 = b64encode(b"x" * size).decode()
    return Media(kind, base64, len(base64), mime)


@pytest.mark.parametrize(
    ("width", "height", "tokens"),
    # The first two are OpenAI's own examples.
    [(1024, 1024, 765), (2048, 4096, 1105), (1, 1, 255), (512, 512, 255), (513, 512, 425), (768, 768, 765),
     (4032, 3024, 765), (8192, 1024, 765), (30_000, 100, 765)],
)  # fmt: skip
def test_an_image_is_estimated_by_openais_tiles(width, height, tokens):
    assert tile_tokens(width, height) == tokens
    assert estimate_media_tokens(image(width, height)) == tokens


def test_low_detail_costs_85_and_an_unknown_size_counts_as_a_megapixel():
    assert estimate_media_tokens(image(4032, 3024, "low")) == 85
    assert estimate_media_tokens(Media("image")) == 765


def test_the_bound_of_an_image_is_above_each_vendors_own_figure():
    for width, height in [
        (10, 10),
        (384, 384),
        (640, 480),
        (1000, 1000),
        (1568, 1568),
        (4032, 3024),
        (90_000, 9),
    ]:
        bound = bound_image_tokens(width, height)
        assert bound >= tile_tokens(width, height)
        assert bound >= min(4_784, width * height / 750)  # Anthropic
        assert bound >= min(10_000, -(-width // 32) * -(-height // 32))  # OpenAI's patches
        assert bound >= 2.46 * min(1_536, -(-width // 32) * -(-height // 32))  # its nano models
        assert 2_240 <= bound <= MOST_IMAGE_TOKENS
    assert bound_media_tokens(Media("image")) == bound_image_tokens(20_000, 20_000) == MOST_IMAGE_TOKENS


def test_sound_counts_32_tokens_a_second():
    minute = b"RIFF" + pack("<I", 0) + b"WAVEfmt " + pack("<IHHIIHH", 16, 1, 1, 16_000, 32_000, 2, 16)
    base64 = b64encode(minute + b"\x00" * (32_000 * 60)).decode()
    recording = Media("audio", base64, len(base64), "wav")
    assert estimate_media_tokens(recording) == pytest.approx(1_920, abs=3)
    assert bound_media_tokens(recording) == pytest.approx(1_920, abs=3)
    packed = data("audio", 480_000, "mp3")  # a minute at 64 kbit
    assert bound_media_tokens(packed) > 1_920


def test_text_in_a_file_has_no_more_tokens_than_bytes_and_a_packed_file_any_number():
    assert bound_media_tokens(data("file", 900, "text/markdown")) == 900
    assert bound_media_tokens(data("file", 900, "application/pdf")) is None
    assert bound_media_tokens(data("video", 900, "video/mp4")) is None
    assert bound_media_tokens(Media("file")) is bound_media_tokens(Media("audio")) is None
    assert (
        1_500 == estimate_media_tokens(data("file", 9)) < estimate_media_tokens(data("file", 10**6)) < 64_000
    )


@pytest.mark.parametrize("kind", ["image", "audio", "video", "file"])
def test_the_estimate_is_never_above_the_bound(kind):
    for media in (Media(kind), data(kind, 10), data(kind, 10**6), data(kind, 3_000, "text/plain")):
        bound = bound_media_tokens(media)
        if bound is not None and kind != "file":
            assert estimate_media_tokens(media) <= bound
