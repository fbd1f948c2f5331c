"""A table gives what the library that such tables come from gives for them."""

import json
import shutil

import numpy as np
import pytest
from model2vec import StaticModel
from safetensors.numpy import load_file, save_file

from x25.providers.embeddings import BUNDLED_FOLDER
from x25.providers.token_table import TokenTable

TEXTS = [
    "What is the capital of France?", "", "   ", "a", "Übergrößenträger 東京 🙂🙂 \u0000 \ufffd",
    "\n\tdef f(x): return x**2",
    "word " * 900, "zqxj" * 40,
]  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(BUNDLED_FOLDER, tmp_path / "table")


def assert_like_model2vec(folder):
    table = TokenTable(folder)
    model = StaticModel.from_pretrained(folder, max_length=None, quantize_to="float32")
    expected = model.encode(TEXTS, max_length=None, use_multiprocessing=False)
    assert table.dimension == model.dim
    for text, vector in zip(TEXTS, expected, strict=True):
        given = table.vector(text)
        assert given.dtype == np.float32
        np.testing.assert_allclose(given, vector, atol=1e-5, err_msg=repr(text[:20]))


def test_the_bundled_table_gives_what_model2vec_gives(folder):
    assert_like_model2vec(folder)


def test_a_table_that_does_not_normalise_gives_what_model2vec_gives(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"normalize": False}))
    (folder / "modules.json").unlink()
    assert_like_model2vec(folder)


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_a_table_with_a_quantised_vocabulary_gives_what_model2vec_gives(folder, kind):
    rows = load_file(folder / "model.safetensors")["embeddings"]
    chance = np.random.default_rng(7)
    quantised = {
        "embeddings": rows[:500].astype(kind),
        "mapping": chance.integers(0, 500, len(rows)),
        "weights": chance.uniform(0.5, 2.0, len(rows)),
    }
    save_file(quantised, folder / "model.safetensors")
    assert_like_model2vec(folder)


def test_a_table_with_too_few_vectors_is_refused(folder):
    rows = load_file(folder / "model.safetensors")["embeddings"]
    save_file({"embeddings": rows[:500]}, folder / "model.safetensors")
    with pytest.raises(ValueError, match="a vector for each token"):
        TokenTable(folder)
