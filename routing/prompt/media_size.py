"""How large an attachment is, read from its first bytes: pixels of an image, seconds of a recording.

At most the first 128 KiB are decoded, and nothing is believed that the head of a file does not plainly say.
"""

from base64 import b64decode
from struct import error as OutOfData  # noqa: N812 - it is a class
from struct import unpack_from

from .media import HEAD_BASE64

_FIRST_BASE64 = 4_096
"""Characters looked at first: most images say their size at once."""
_MOST_PIXELS = 100_000
"""Longest side of an image that a head is believed to state."""
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_NO_FRAME = frozenset({0xC4, 0xC8, 0xCC})
_MOST_WAV_BYTES_PER_S = 192_000 * 2 * 4


def image_size(base64: str) -> tuple[int, int] | None:
    """Return (width, height) in pixels of a PNG, JPEG, GIF or WebP; None where its head does not say."""
    for chars in (_FIRST_BASE64, HEAD_BASE64):
        try:
            size = _size(_decoded(base64[:chars]))
        except OutOfData:
            continue
        return size if size and all(1 <= side <= _MOST_PIXELS for side in size) else None
    return None


def _size(head: bytes) -> tuple[int, int] | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        width, height = unpack_from(">II", head, 16)
        return width, height
    if head.startswith((b"GIF87a", b"GIF89a")):
        width, height = unpack_from("<HH", head, 6)
        return width, height
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return _webp_size(head)
    return _jpeg_size(head) if head.startswith(b"\xff\xd8") else None


def _webp_size(head: bytes) -> tuple[int, int] | None:
    form = head[12:16]
    if form == b"VP8X":
        low_w, high_w, low_h, high_h = unpack_from("<HBHB", head, 24)
        return (low_w | high_w << 16) + 1, (low_h | high_h << 16) + 1
    if form == b"VP8L":
        (bits,) = unpack_from("<I", head, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if form == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = unpack_from("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _jpeg_size(head: bytes) -> tuple[int, int] | None:
    """Return what the first frame header says; each step goes forward, to the end of the data at most.

    Raises
    ------
    struct.error
        When the data end before it.
    """
    at = 2
    while True:
        mark, marker = unpack_from("BB", head, at)
        if mark != 0xFF:
            return None
        if marker == 0xFF:  # padding
            at += 1
        elif marker in _JPEG_BARE:
            at += 2
        elif 0xC0 <= marker <= 0xCF and marker not in _JPEG_NO_FRAME:
            height, width = unpack_from(">HH", head, at + 5)
            return width, height
        else:
            (length,) = unpack_from(">H", head, at + 2)
            at += 2 + max(length, 2)


def wav_seconds(base64: str, size_bytes: int) -> float | None:
    """Return how long a WAV recording of plain samples lasts at most; None for anything else."""
    head = _decoded(base64[:4096])
    if not (head.startswith(b"RIFF") and head[8:16] == b"WAVEfmt "):
        return None
    try:
        coding, channels, rate, _, _, bits = unpack_from("<HHIIHH", head, 20)
    except OutOfData:
        return None
    bytes_per_s = rate * channels * bits // 8
    if coding not in {1, 3} or not 0 < bytes_per_s <= _MOST_WAV_BYTES_PER_S:
        return None
    return size_bytes / float(bytes_per_s)


def _decoded(base64: str) -> bytes:
    head = base64.replace("-", "+").replace("_", "/")
    try:
        return b64decode(head[: len(head) // 4 * 4])
    except ValueError:  # not ASCII, or padding where none may be
        return b""
