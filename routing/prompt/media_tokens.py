"""How many tokens an attachment is billed as: a fair estimate, and the most by what vendors publish.

Sources, as read in 2026: OpenAI, "Images and vision", calculating costs (platform.openai.com/docs/guides/
images-vision); Anthropic, "Vision", calculate image costs (docs.claude.com/en/docs/build-with-claude/vision); Google,
"Understand and count tokens" and "Media resolution" (ai.google.dev/gemini-api/docs/tokens, …/media-resolution);
Alibaba Model Studio, "Visual understanding", image tokens (alibabacloud.com/help/en/model-studio/vision); Together,
"Vision", pricing (docs.together.ai/docs/vision-overview).
"""

from math import ceil

from .media import Media
from .media_size import image_size, wav_seconds

LOW_DETAIL_TOKENS = 85
"""OpenAI: an image of `detail` "low", whatever its size."""
USUAL_IMAGE = (1_024, 1_024)
"""Pixels taken where an image does not say how large it is."""
MOST_IMAGE_TOKENS = 16_384
"""Alibaba: the most for one image, at its highest resolution; the largest number any of the vendors publishes."""
AUDIO_TOKENS_PER_S = 32
"""Google: one second of sound. OpenAI counts 10."""
_USUAL_AUDIO_BYTES_PER_S = 16_000
_LEAST_AUDIO_BYTES_PER_S = 500
"""4 kbit a second: less than any codec that a vendor takes."""
_FEWEST_AUDIO_TOKENS = 100
_USUAL_FILE_BYTES_PER_TOKEN = 32
_USUAL_FILE_TOKENS = (1_500, 64_000)
"""Fewest and most taken for a file: about one page, and about thirty."""
_USUAL_VIDEO_TOKENS = 10_000
_TEXT_TYPES = ("text/", "application/json", "application/xml", "application/x-yaml")


def estimate_media_tokens(media: Media) -> int:
    """Return about how many tokens an attachment is billed as."""
    if media.kind == "image":
        return LOW_DETAIL_TOKENS if media.detail == "low" else tile_tokens(*(_pixels(media) or USUAL_IMAGE))
    if media.kind == "audio":
        return ceil(AUDIO_TOKENS_PER_S * _seconds(media, _USUAL_AUDIO_BYTES_PER_S))
    if media.kind == "video":
        return _USUAL_VIDEO_TOKENS
    fewest, most = _USUAL_FILE_TOKENS
    return min(max(fewest, (media.size_bytes or 0) // _USUAL_FILE_BYTES_PER_TOKEN), most)


def bound_media_tokens(media: Media) -> int | None:
    """Return the most tokens an attachment is billed as; None where nothing but the model's window bounds them.

    That is so for video, for sound and files that lie elsewhere, and for files whose text is packed (a PDF): a few
    bytes of them may hold any number of pages.
    """
    if media.kind == "image":
        pixels = _pixels(media)
        return MOST_IMAGE_TOKENS if pixels is None else bound_image_tokens(*pixels)
    size = media.size_bytes
    if size is None or media.kind == "video":
        return None
    if media.kind == "audio":
        seconds = _seconds(media, _LEAST_AUDIO_BYTES_PER_S)
        return max(_FEWEST_AUDIO_TOKENS, ceil(AUDIO_TOKENS_PER_S * seconds))
    return size if media.mime.startswith(_TEXT_TYPES) else None


def tile_tokens(width: int, height: int) -> int:
    """Return OpenAI's price of an image in high detail.

    Scaled to fit into 2,048 pixels square, then to 768 on its shorter side; 170 tokens for each tile of 512, and 85.
    """
    scale = min(1.0, 2_048 / max(width, height))
    scale *= min(1.0, 768 / (min(width, height) * scale))
    return 85 + 170 * _grid(width * scale, height * scale, 512)


def bound_image_tokens(width: int, height: int) -> int:
    """Return the most that an image of this size is billed as by any of the vendors.

    OpenAI: tiles, or patches of 32 pixels, at most 1,536 of them at 2.46 tokens (or 10,000 at one). Anthropic: a token
    for 750 pixels. Google: at most 2,240. Alibaba: patches of 28 pixels, at most 16,384. Together: 1,601 for each of at
    most four tiles of 560 pixels. `gpt-4o-mini`, alone in billing up to 48,169, is not among them.
    """
    tiles = 1_601 * min(2, ceil(width / 560)) * min(2, ceil(height / 560))
    patches = ceil(2.46 * min(1_536, _grid(width, height, 32)))
    # 27 pixels square are fewer than both a patch of 28 and a token's 750.
    return max(
        2_240, tile_tokens(width, height), tiles, patches, min(MOST_IMAGE_TOKENS, _grid(width, height, 27))
    )


def _grid(width: float, height: float, side: int) -> int:
    # Rounded, so that 768.0000001 of a scaled side is no second row.
    return ceil(round(width / side, 6)) * ceil(round(height / side, 6))


def _pixels(media: Media) -> tuple[int, int] | None:
    return None if media.head is None else image_size(media.head)


def _seconds(media: Media, bytes_per_s: int) -> float:
    if media.head is None:
        return 60.0
    size = media.size_bytes or 0
    exact = wav_seconds(media.head, size)
    return size / bytes_per_s if exact is None else exact
