"""A model2vec table: one vector a token, and a text's vector is the mean of its tokens'.

Read without the model2vec library, which loads four times as much memory and a progress bar; what `StaticModel.encode`
gives for the same folder is given here, entry for entry.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from tokenizers import Tokenizer

_KINDS = {
    "F16": "<f2", "F32": "<f4", "F64": "<f8", "I8": "|i1", "I16": "<i2", "I32": "<i4", "I64": "<i8", "U8": "|u1",
}  # fmt: skip
"""The dtypes of safetensors that a table is written in, as numpy's."""
_NEVER_ZERO = 1e-32
"""Added to a length before dividing by it, as model2vec does."""


class TokenTable:
    """The table of one folder: `config.json`, `tokenizer.json` and `model.safetensors`. Safe to share between threads.

    Raises
    ------
    OSError, ValueError
        When a file cannot be read, or the tokenizer has more tokens than the table has vectors.
    """

    def __init__(self, folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        tensors = _mapped(folder / "model.safetensors")
        self._rows = tensors["embeddings"]
        """As stored, most often half precision: a text's rows are widened, not the table."""
        self._weights = tensors.get("weights")
        """Of each token, in tables whose vocabulary was quantised; None in others."""
        self._row_of = tensors.get("mapping")
        """Row of each token, likewise."""
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._unknown = _unknown_token(self._tokenizer)
        self._is_normalized = bool(config.get("normalize", False))
        known = len(self._rows) if self._row_of is None else len(self._row_of)
        if self._tokenizer.get_vocab_size() > known:
            raise ValueError(f"expected a vector for each token of {folder / 'tokenizer.json'}, got {known}")

    @property
    def dimension(self) -> int:
        """Entries of a vector."""
        return int(self._rows.shape[1])

    def vector(self, text: str) -> NDArray[np.float32]:
        """Return the mean vector of a text's known tokens, shape (dimension,); zeros where it has none."""
        found = self._tokenizer.encode(text, add_special_tokens=False).ids
        tokens = [token for token in found if token != self._unknown]
        if not tokens:
            return np.zeros(self.dimension, dtype=np.float32)
        rows = self._rows[tokens if self._row_of is None else self._row_of[tokens]].astype(np.float32)
        if self._weights is not None:
            rows = rows * self._weights[tokens][:, None]
        mean: NDArray[np.float32] = rows.mean(axis=0, dtype=np.float32)
        return mean / (np.linalg.norm(mean) + _NEVER_ZERO) if self._is_normalized else mean


def _mapped(file: Path) -> dict[str, NDArray[Any]]:
    """Return the tensors of a safetensors file, read from disk where and when they are looked at.

    The table is the largest thing a gateway holds. Mapped, the pages that no prompt needs take no memory, and the
    others are shared by all workers of a machine; safetensors itself would copy all of it for each.
    """
    with safe_open(file, framework="numpy") as checked:  # refuses a file whose header lies
        names = list(checked.keys())
    with file.open("rb") as opened:
        header_bytes = int.from_bytes(opened.read(8), "little")
        header = json.loads(opened.read(header_bytes))
    whole = np.memmap(file, dtype=np.uint8, mode="r", offset=8 + header_bytes)
    tensors = {}
    for name in names:
        kind, (start, end) = _KINDS.get(header[name]["dtype"]), header[name]["data_offsets"]
        if kind is None:
            raise ValueError(f"expected numbers in {name} of {file}, got {header[name]['dtype']}")
        tensors[name] = np.frombuffer(whole[start:end], dtype=kind).reshape(header[name]["shape"])
    return tensors


def _unknown_token(tokenizer: Tokenizer) -> int | None:
    """Return the id of a tokenizer's unknown token; None without one."""
    model = tokenizer.model
    if hasattr(model, "unk_token"):
        return None if model.unk_token is None else tokenizer.token_to_id(model.unk_token)
    unknown: int | None = json.loads(tokenizer.to_str())["model"].get("unk_id")  # of a unigram model
    return unknown
