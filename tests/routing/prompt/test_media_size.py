from base64 import b64encode, urlsafe_b64encode
from struct import pack

import pytest

from x25.routing.prompt.media_size import image_size, wav_seconds


def encoded(raw):
    return b64encode(raw).decode()


def png(width, height):
    return (
        b"\x89PNG\r\n\x1a\n"
        + pack(">I4sII", 13, b"IHDR", width, height)
        + b"\x08\x02\x00\x00\x00"
        + b"\xff" * 99
    )


def jpeg(width, height, before=b""):
    frame = b"\xff\xc0" + pack(">HBHH", 17, 8, height, width) + b"\x03" + b"\x00" * 9
    return b"\xff\xd8" + before + b"\xff\xdb\x00\x04ab" + frame + b"\xff\xda" + b"\x00" * 99


def exif(size, inner=b""):
    return b"\xff\xe1" + pack(">H", size + 2) + inner.ljust(size, b"\x00")


def riff(form, body):
    return b"RIFF" + pack("<I", len(body) + 12) + b"WEBP" + form + pack("<I", len(body)) + body


THUMBNAIL = jpeg(160, 120)
IMAGES = {
    "png": (png(4000, 3000), (4000, 3000)),
    "jpeg": (jpeg(4032, 3024), (4032, 3024)),
    "jpeg with a thumbnail before": (jpeg(4032, 3024, exif(60_000, THUMBNAIL) * 2), (4032, 3024)),
    "jpeg with padding": (jpeg(640, 480, b"\xff\xff\xff\xfe\x00\x02"), (640, 480)),
    "gif": (b"GIF89a" + pack("<HH", 320, 200) + b"\x00" * 50, (320, 200)),
    "webp lossy": (
        riff(b"VP8 ", b"\x00\x00\x00\x9d\x01\x2a" + pack("<HH", 1920, 1080) + b"\x00" * 9),
        (1920, 1080),
    ),
    "webp lossless": (riff(b"VP8L", b"\x2f" + pack("<I", 799 | 599 << 14) + b"\x00" * 9), (800, 600)),
    "webp extended": (riff(b"VP8X", b"\x00" * 4 + b"\xff\x0f\x00\xff\x07\x00" + b"\x00" * 9), (4096, 2048)),
}


@pytest.mark.parametrize("name", IMAGES)
def test_the_head_of_an_image_says_how_large_it_is(name):
    raw, size = IMAGES[name]
    assert image_size(encoded(raw)) == size
    assert image_size(urlsafe_b64encode(raw).decode()) == size


@pytest.mark.parametrize("name", IMAGES)
def test_a_head_cut_off_anywhere_says_nothing_or_the_truth(name):
    raw, size = IMAGES[name]
    for length in range(min(len(raw), 400)):
        assert image_size(encoded(raw[:length])) in (None, size)


@pytest.mark.parametrize(
    "base64",
    ["", "A", "====", "ä" * 40, "\ud800", "!" * 40, encoded(b"<svg/>"), encoded(png(0, 5)), encoded(png(5, 2**31)),
     encoded(b"\xff\xd8" + b"\xff" * 5000), encoded(b"\xff\xd8" + exif(60_000) * 9)],
)  # fmt: skip
def test_what_is_no_image_or_none_that_can_be_has_no_size(base64):
    assert image_size(base64) is None


def wav(coding=1, channels=1, rate=16_000, bits=16, seconds=2):
    body = b"\x00" * (rate * channels * bits // 8 * seconds)
    head = b"RIFF" + pack("<I", len(body) + 36) + b"WAVEfmt " + pack(
        "<IHHIIHH", 16, coding, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits
    )  # fmt: skip
    return head + b"data" + pack("<I", len(body)) + body


def test_a_recording_of_plain_samples_says_how_long_it_is():
    raw = wav()
    assert wav_seconds(encoded(raw), len(raw)) == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"RIFF0000WAVEfmt ",
        wav(coding=85),
        wav(channels=0, seconds=0),
        wav(rate=4_000_000, seconds=0),
        b"ID3" * 99,
    ],
)
def test_any_other_recording_does_not(raw):
    assert wav_seconds(encoded(raw), 10**6) is None
