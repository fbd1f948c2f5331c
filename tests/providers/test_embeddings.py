import asyncio
import json
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest

from x25.providers import embeddings
from x25.providers.embeddings import (
    BUNDLED_FOLDER,
    MOST_TABLE_CHARS,
    RemoteEncoder,
    SentenceTransformerEncoder,
    StaticEncoder,
    open_encoder,
)
from x25.providers.embeddings_remote import MOST_CHARS
from x25.routing.prompt import features
from x25.state.errors import ConfigError

TEXTS = (
    "What is the capital of Italy?",
    "Prove that x^2 + y^2 ≥ 2xy for all real x, y. 😀 終わり",
    "def total(rows):\n    return sum(row.cost_usd for row in rows)\n",
    " ".join(f"word{number}" for number in range(800)),
)


@pytest.fixture(scope="module")
def bundled():
    return open_encoder()


@pytest.fixture
def copied(tmp_path):
    folder = tmp_path / "table"
    shutil.copytree(BUNDLED_FOLDER, folder)
    return folder


@pytest.fixture
def counted_loads(monkeypatch):
    """The real loader, counting."""
    loads, load = [], embeddings._load_table

    def counting(folder):
        loads.append(threading.get_ident())
        return load(folder)

    monkeypatch.setattr(embeddings, "_load_table", counting)
    return loads


async def test_one_text_and_many_give_the_same_unit_vectors(bundled):
    many = bundled.embed_many(TEXTS)
    one = np.array([await bundled.embed(text) for text in TEXTS])
    assert many.shape == (4, bundled.dimension) == (4, 256)
    assert many.dtype == one.dtype == np.float32
    assert np.allclose(many, one, atol=1e-6)
    assert np.allclose(np.linalg.norm(many, axis=1), 1.0, atol=1e-5)


async def test_related_texts_are_nearer_than_unrelated_ones(bundled):
    poem, verse, loop = bundled.embed_many(
        ["write a poem about the sea", "compose a song on the ocean", "fix this python for loop bug"]
    )
    assert poem @ verse > poem @ loop + 0.1


@pytest.mark.parametrize("text", ["", "  \n", "𓀀", "\x00"])
async def test_a_text_without_a_known_token_is_zeros(bundled, text):
    assert not (await bundled.embed(text)).any()
    assert bundled.embed_many([text]).shape == (1, 256)


def test_no_texts_give_no_rows(bundled):
    assert bundled.embed_many([]).shape == (0, 256)


async def test_half_a_surrogate_pair_is_no_failure(bundled):
    assert np.linalg.norm(await bundled.embed("hello \ud83d world")) == pytest.approx(1.0, abs=1e-5)


async def test_the_start_the_middle_and_the_end_of_a_long_text_count(bundled):
    whole = "sum " * 1_500  # 6,000 characters, of which three pieces of 500 are read
    third = len(whole) // 3
    for place in (0, third, len(whole) - 500):
        other = whole[:place] + "poem " * 100 + whole[place + 500 :]
        assert not np.allclose(await bundled.embed(whole), await bundled.embed(other))
    unread = whole[:1_000] + "poem " * 100 + whole[1_500:]
    assert np.allclose(await bundled.embed(whole), await bundled.embed(unread))


def test_the_fingerprint_is_of_the_table(copied, bundled):
    assert StaticEncoder(copied).fingerprint == bundled.fingerprint
    (copied / "manifest.json").unlink()
    assert StaticEncoder(copied).fingerprint == bundled.fingerprint
    tokenizer = copied / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text().replace('"lowercase": true', '"lowercase": false'))
    assert StaticEncoder(copied).fingerprint != bundled.fingerprint


def test_a_table_that_is_not_the_manifests_is_refused(copied):
    (copied / "config.json").write_text(json.dumps({"normalize": False}))
    with pytest.raises(ConfigError, match=r"config\.json is not the file its manifest describes"):
        StaticEncoder(copied).embed_many(["hello"])


def test_thirty_two_threads_that_arrive_at_once_load_once(counted_loads):
    encoder, start = StaticEncoder(BUNDLED_FOLDER), threading.Barrier(32)
    found = [None] * 32

    def first_use(index):
        start.wait()
        found[index] = encoder.embed_many([TEXTS[index % 4]])[0]

    threads = [threading.Thread(target=first_use, args=(index,)) for index in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(counted_loads) == 1
    expected = encoder.embed_many(TEXTS)
    assert all(np.allclose(found[index], expected[index % 4], atol=1e-6) for index in range(32))


async def test_thirty_two_first_calls_of_one_loop_load_once_and_not_in_the_loop(counted_loads):
    encoder = StaticEncoder(BUNDLED_FOLDER)
    vectors = await asyncio.gather(*(encoder.embed("hello") for _ in range(32)))
    assert len(counted_loads) == 1
    assert counted_loads != [threading.get_ident()]
    assert len({vector.tobytes() for vector in vectors}) == 1


def test_the_module_loads_no_tokenizer_until_a_table_is_used_and_never_torch():
    program = (
        "import sys; from x25.providers.embeddings import open_encoder; e = open_encoder();"
        "before = 'tokenizers' in sys.modules; e.embed_many(['hi']);"
        "heavy = {'torch', 'sklearn', 'pandas', 'scipy', 'pyarrow', 'transformers', 'model2vec',"
        " 'tqdm', 'joblib'} & set(sys.modules);"
        "print(before, 'tokenizers' in sys.modules, sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "False True []"


@pytest.mark.parametrize("setting", ["", "bundled", str(BUNDLED_FOLDER)])
def test_the_bundled_table_is_opened_by_nothing_by_name_and_by_folder(setting, bundled):
    assert open_encoder(setting).fingerprint == bundled.fingerprint


def test_a_url_opens_a_remote_encoder_and_needs_a_model():
    encoder = open_encoder("https://acme.example/v1", model="embed-1", api_key="sk-test-1234")
    assert isinstance(encoder, RemoteEncoder)
    assert encoder.name == "remote:embed-1"
    with pytest.raises(ConfigError, match="X25_ENCODER_MODEL must name the model"):
        open_encoder("https://acme.example/v1")


def test_a_wrong_setting_says_what_was_expected(tmp_path):
    with pytest.raises(ConfigError, match=r"expected 'bundled' .* a folder .* 'st:' .* URL .* got 'minilm'"):
        open_encoder("minilm")
    with pytest.raises(ConfigError, match=r"found no config\.json, tokenizer\.json, model\.safetensors"):
        open_encoder(str(tmp_path))


def test_a_sentence_transformer_without_its_library_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(ConfigError, match=r"st:some-model needs .*pip install 'x25\[train\]'"):
        open_encoder("st:some-model")


@pytest.mark.train
def test_a_folder_without_a_sentence_transformer_is_named(tmp_path):
    pytest.importorskip("sentence_transformers", reason="needs the train extra")
    with pytest.raises(ConfigError, match="no sentence transformer could be loaded from"):
        SentenceTransformerEncoder(str(tmp_path))


@pytest.mark.train
async def test_the_table_as_a_sentence_transformer_gives_the_same_vectors(bundled):
    pytest.importorskip("sentence_transformers", reason="needs the train extra")
    other = open_encoder(f"st:{BUNDLED_FOLDER}")
    assert other.dimension == bundled.dimension
    texts = [text[:MOST_TABLE_CHARS] for text in TEXTS]  # the table samples what is longer
    expected, found = bundled.embed_many(texts), other.embed_many(texts)
    assert found.dtype == np.float32
    assert (expected * found).sum(axis=1).min() > 0.999
    assert not (await other.embed(" ")).any()
    assert other.fingerprint == SentenceTransformerEncoder(str(BUNDLED_FOLDER)).fingerprint
    assert other.fingerprint != bundled.fingerprint


BOILERPLATE = (
    "You answer as a careful assistant. Keep to the rules of the house, cite nothing, be brief. " * 95
)
TASKS = (
    "Translate 'good evening' to Portuguese", "Prove that 17 is prime", "Write a haiku about rain",
    "Summarise the minutes of the board", "Fix the off-by-one error in the loop", "List the planets by mass",
    "Convert 40 miles to kilometres", "Classify this review as positive or negative", "Name the capital of Peru",
    "Extract every e-mail address", "Explain photosynthesis to a child", "Write SQL for the ten newest orders",
    "Compute the integral of x squared", "Draft a letter of resignation", "Give me a recipe with lentils",
    "Find the antonym of scarce", "Design a logo for a bakery", "Which law did Kepler find first",
    "Refactor the class into functions", "Plan three days in Kyoto",
)  # fmt: skip


@pytest.mark.parametrize("marker", ["User:", "Question:"])
def test_long_prompts_from_one_template_differ_in_text_and_in_vector(bundled, marker):
    prompts = [f"{BOILERPLATE}\n{marker} {task}\n{BOILERPLATE}" for task in TASKS]
    assert min(map(len, prompts)) > 8_000
    texts = [features.extract([{"role": "user", "content": prompt}], {}).text for prompt in prompts]
    assert all(task in text for task, text in zip(TASKS, texts, strict=True))
    assert max(map(len, texts)) <= MOST_CHARS
    vectors = bundled.embed_many(texts)
    distances = np.linalg.norm(vectors[:, None] - vectors[None], axis=2)
    assert distances[~np.eye(len(TASKS), dtype=bool)].min() > 1e-3
