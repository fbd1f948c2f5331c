"""The peft script of a real folder, really run: on a tiny Llama of random weights, on the processor."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from x25.training.finetune.recipe import Recipe, script

pytestmark = [pytest.mark.train, pytest.mark.slow]

SPECIALS = [
    "<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>",
    "<|finetune_right_pad_id|>",
]  # fmt: skip
COLOURS = ("red", "green", "blue", "black", "white", "brown")
ROWS = [
    {"instruction": f"Which colour has box {number}?", "input": "", "output": f"Box {number} is {COLOURS[number % 6]}."}
    for number in range(24)
] + [
    {"instruction": "Say the word twice.", "input": word, "output": f"{word} {word}"}
    for word in ("red", "green", "blue", "black", "white", "brown", "box", "word")
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _libraries() -> None:
    for name in ("torch", "transformers", "peft", "trl", "datasets"):
        pytest.importorskip(name, reason=f"the lora extra is not installed: {name} is missing")


@pytest.fixture(scope="module")
def base_model(tmp_path_factory) -> Path:
    """A Llama of two layers and random weights, with a tokenizer that knows Llama 3's marks."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("base")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=SPECIALS, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator((text for row in ROWS for text in row.values()), trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=SPECIALS[0], eos_token=SPECIALS[4], pad_token=SPECIALS[5]
    )
    fast.save_pretrained(folder)
    torch.manual_seed(25)
    config = LlamaConfig(
        vocab_size=len(fast), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=512, tie_word_embeddings=False, initializer_range=0.2,
        bos_token_id=0, eos_token_id=4, pad_token_id=5,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory, base_model: Path) -> Path:
    """The folder of a job after its script ran to its end."""
    folder = tmp_path_factory.mktemp("folder")
    # Weights of chance, unlike those of a real base model, have everything to learn: more rank and larger steps.
    recipe = Recipe(
        base_model="tiny", name="acme-tiny", lora_rank=32, lora_alpha=64, learning_rate=1e-2, epochs=25
    )
    (folder / "train_peft.py").write_text(script(recipe, "peft"))
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS[2:]))
    (folder / "held_out.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS[:2]))
    environ = os.environ | {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "train_peft.py", "--base-model", str(base_model)],
        cwd=folder, env=environ, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4_000:]
    print(f"\ntrained, measured and exported in {time.monotonic() - began:.0f} s")  # noqa: T201 - for -s
    return folder


def test_the_loss_falls_and_the_held_out_examples_are_measured_before_and_after(trained: Path):
    found = json.loads((trained / "output" / "evaluation.json").read_text())
    losses = found["losses"]
    first, last = sum(losses[:3]) / 3, sum(losses[-3:]) / 3
    print(f"\nloss {first:.2f} -> {last:.2f}; held out {found['before']} -> {found['after']}")  # noqa: T201 - for -s
    assert last < 0.5 * first
    assert found["after"]["loss"] < found["before"]["loss"]
    assert found["after"]["held_out"] == found["after"]["answers_written"] == 2
    assert 0.0 <= found["before"]["quality"] <= found["after"]["quality"] <= 1.0


def test_what_was_exported_loads_again_and_answers_in_the_form_it_was_trained_in(
    trained: Path, base_model: Path
):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    output = trained / "output"
    tokenizer = AutoTokenizer.from_pretrained(output / "merged")
    merged = AutoModelForCausalLM.from_pretrained(output / "merged")
    adapted = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base_model), output / "adapter")
    asked = tokenizer.apply_chat_template(
        [{"role": "user", "content": ROWS[5]["instruction"]}], add_generation_prompt=True, return_dict=False
    )
    assert tokenizer.decode(asked) == (
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nWhich colour has box 5?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    )
    given = torch.tensor([asked])
    with torch.no_grad():
        assert torch.allclose(merged(given).logits, adapted(given).logits, atol=1e-3)
    written = merged.generate(given, max_new_tokens=24, do_sample=False, eos_token_id=4, pad_token_id=5)
    said = tokenizer.decode(written[0, len(asked) :], skip_special_tokens=True)
    print(f"\nit says {said!r}")  # noqa: T201 - for -s
    assert said.startswith("Box ")
    assert written[0, -1] == 4, "it ends its answer by itself"


def test_the_modelfile_has_the_marks_of_the_template(trained: Path):
    text = (trained / "output" / "Modelfile").read_text()
    assert text.startswith("FROM ./merged\n")
    assert "<|start_header_id|>user<|end_header_id|>\n\n{{ .Prompt }}<|eot_id|>" in text
