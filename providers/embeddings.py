"""Turn a text into a vector: the bundled token table, a sentence transformer, or an embeddings API.

`open_encoder` reads the setting. A head fitted on one encoder's vectors stores its fingerprint and must refuse
any other's.
"""

import asyncio
import hashlib
import importlib
import json
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..state.errors import ConfigError, EncoderAbsent
from .embeddings_remote import RemoteEncoder, clean
from .wire.client import VendorClient

if TYPE_CHECKING:
    from .token_table import TokenTable

Vector = NDArray[np.float32]
Vectors = NDArray[np.float32]

BUNDLED_FOLDER = Path(__file__).resolve().parent.parent / "artifacts" / "encoder"
MOST_TABLE_CHARS = 1_500
"""Characters of a text a table reads: tokenising takes the time, and a mean over more words hardly moves."""
_TABLE_FILES = ("config.json", "tokenizer.json", "model.safetensors")
_SENTENCE_TRANSFORMER = "st:"
_WEB = ("http://", "https://")
_EXPECTED = (
    "'bundled' (or nothing), a folder with a model2vec table, 'st:' and a sentence transformer's name or folder, "
    "or the base URL of an OpenAI-compatible embeddings API"
)


class Encoder(Protocol):
    """What turns texts into vectors. Safe to share between threads and event loops."""

    @property
    def name(self) -> str:
        """What a person would call it."""
        ...

    @property
    def dimension(self) -> int:
        """Entries of a vector; 0 while a remote encoder has not answered yet."""
        ...

    @property
    def fingerprint(self) -> str:
        """Equal for equal vectors: kept with every head fitted on them. May load the model."""
        ...

    async def embed(self, text: str) -> Vector:
        """Return the vector of one text, shape (dimension,); zeros for a text without any known token."""
        ...

    def embed_many(self, texts: Sequence[str]) -> Vectors:
        """Return one vector per text, shape (n, dimension). Blocks: for training."""
        ...


class StaticEncoder:
    """Serves a model2vec table (`training.fit.encoder` writes one) without torch.

    The first use loads it, once, however many callers arrive at the same time.
    """

    def __init__(self, folder: Path) -> None:
        missing = [name for name in _TABLE_FILES if not (folder / name).is_file()]
        if missing:
            raise ConfigError(f"expected a model2vec table in {folder}, found no {', '.join(missing)}")
        self.name = f"static:{folder.name}"
        self._folder = folder
        self._loading = threading.Lock()
        self._loaded: tuple[TokenTable, str] | None = None

    @property
    def dimension(self) -> int:
        """Entries of a vector."""
        return self._load()[0].dimension

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the table's files and of how much of a text is read."""
        return self._load()[1]

    async def embed(self, text: str) -> Vector:
        """Return the vector of one text in about 0.2 ms, at unit length; zeros without any known token."""
        if self._loaded is None:
            await asyncio.to_thread(self._load)
        return self._vector(text)

    def embed_many(self, texts: Sequence[str]) -> Vectors:
        """Return one vector per text, shape (n, dimension)."""
        return np.array([self._vector(text) for text in texts], dtype=np.float32).reshape(-1, self.dimension)

    def _vector(self, text: str) -> Vector:
        return self._load()[0].vector(clean(_sampled(text)))

    def _load(self) -> tuple["TokenTable", str]:
        if self._loaded is None:
            with self._loading:
                if self._loaded is None:
                    self._loaded = _load_table(self._folder)
        return self._loaded


def _sampled(text: str) -> str:
    """Return the beginning, the start of the middle third and the end of a long text.

    `routing.prompt.features` keeps the user's own request of a long templated prompt at the start of the middle third.
    """
    if len(text) <= MOST_TABLE_CHARS:
        return text
    third, piece = len(text) // 3, MOST_TABLE_CHARS // 3
    return f"{text[:piece]}\n{text[third : third + piece]}\n{text[-piece:]}"


def _load_table(folder: Path) -> tuple["TokenTable", str]:
    from safetensors import SafetensorError  # noqa: PLC0415 - only where a table is used

    from .token_table import TokenTable  # noqa: PLC0415

    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in _TABLE_FILES}
    manifest = folder / "manifest.json"
    if manifest.is_file():
        written = json.loads(manifest.read_text(encoding="utf-8")).get("sha256", {})
        for name, digest in digests.items():
            if written.get(name, digest) != digest:
                raise ConfigError(f"{folder / name} is not the file its manifest describes")
    try:
        table = TokenTable(folder)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ConfigError(f"{folder} holds no model2vec table: {error}") from error
    # How much of a text is read changes its vector as the table does.
    named = "".join(digests.values()) + str(MOST_TABLE_CHARS)
    return table, hashlib.sha256(named.encode()).hexdigest()


class SentenceTransformerEncoder:
    """Serves any sentence transformer; needs torch, takes milliseconds to tens of milliseconds a text."""

    def __init__(self, name_or_path: str) -> None:
        try:
            # By name, because serving itself must not depend on torch.
            library: Any = importlib.import_module("sentence_transformers")
        except ImportError as error:
            raise EncoderAbsent(
                f"the encoder {_SENTENCE_TRANSFORMER}{name_or_path} needs sentence-transformers: "
                "pip install 'x25[train]'"
            ) from error
        self.name = f"{_SENTENCE_TRANSFORMER}{name_or_path}"
        try:
            # Only a name is looked up outside; a folder holds all there is.
            self._model: Any = library.SentenceTransformer(
                name_or_path, device="cpu", local_files_only=Path(name_or_path).is_dir()
            )
        except (OSError, ValueError) as error:
            raise EncoderAbsent(f"no sentence transformer could be loaded from {name_or_path!r}") from error
        self.dimension = int(self._model.encode([""]).shape[1])
        self._encoding = threading.Lock()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the weights and of the length texts are cut to."""
        digest = hashlib.sha256(str(self._model.max_seq_length).encode())
        for name, weights in sorted(self._model.state_dict().items()):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(weights.float().cpu().numpy()).tobytes())
        return digest.hexdigest()

    async def embed(self, text: str) -> Vector:
        """Return the vector of one text, computed in a thread; zeros for an empty one."""
        return (await asyncio.to_thread(self.embed_many, [text])).reshape(-1)

    def embed_many(self, texts: Sequence[str]) -> Vectors:
        """Return one vector per text, shape (n, dimension)."""
        cleaned = [clean(text) for text in texts]
        vectors = np.zeros((len(cleaned), self.dimension), dtype=np.float32)
        rows = [row for row, text in enumerate(cleaned) if text.strip()]
        if rows:
            with self._encoding:
                found = self._model.encode([cleaned[row] for row in rows], show_progress_bar=False)
            vectors[rows] = found
        return vectors


def open_encoder(
    setting: str = "",
    *,
    model: str = "",
    api_key: str | None = None,
    client: VendorClient | None = None,
) -> Encoder:
    """Return the encoder a setting names.

    Parameters
    ----------
    setting
        "" or "bundled"; a folder with a model2vec table; "st:NAME" for a sentence transformer; or the base URL
        of an OpenAI-compatible API, such as `https://host/v1`.
    model, api_key, client
        For a URL alone: the model to ask for, the key (None = none is sent) and the HTTP client to share.

    Raises
    ------
    ConfigError
        If the setting is none of these, or what it names is not there.
    """
    if setting in ("", "bundled"):
        return _bundled()
    if setting.startswith(_SENTENCE_TRANSFORMER):
        return SentenceTransformerEncoder(setting.removeprefix(_SENTENCE_TRANSFORMER))
    if setting.startswith(_WEB):
        if not model:
            raise ConfigError("X25_ENCODER is a URL, so X25_ENCODER_MODEL must name the model to ask for")
        return RemoteEncoder(setting, model, api_key, client)
    if Path(setting).is_dir():
        return StaticEncoder(Path(setting))
    raise ConfigError(f"X25_ENCODER: expected {_EXPECTED}, got {setting!r}")


@cache
def _bundled() -> StaticEncoder:
    """Return the table that comes with the package: 60 MB and half a second, once for all graphs of a process."""
    return StaticEncoder(BUNDLED_FOLDER)
