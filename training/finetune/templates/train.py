"""Train a LoRA adapter on this folder's examples, measure it on those held out, and export it.

    pip install -r requirements.txt        # with unsloth: a GPU and CUDA; the peft script runs on a CPU as well
    python train_unsloth.py                # or: python train_peft.py

Memory and time are in SETTINGS. Options: --base-model DIR, --output DIR, --epochs N, --max-steps N, --no-export.
The outcome is in `<output>/evaluation.json`; its `quality` belongs into the registration.

Serve what came out, then register it:

    vllm serve ./output/merged --served-model-name NAME            # http://localhost:8000/v1
    ollama create NAME -f ./output/Modelfile && ollama serve       # http://localhost:11434/v1
    x25 improve register ORG own/NAME --url http://localhost:8000/v1 --name NAME
"""

import argparse
import json
import math
import re
from pathlib import Path
from typing import Any

BACKEND = "peft"
SETTINGS: dict[str, Any] = {}

GOOD_F1 = 0.5
HERE = Path(__file__).resolve().parent
# The header, user and end marks of Llama 3, without the dates that its own template puts into every prompt.
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' }}"
    "{{ message['content'] + '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)


def read_examples(name: str) -> list[dict[str, str]]:
    """Return the rows of a JSONL file beside this script."""
    return [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines() if line]


def prompt_of(row: dict[str, str]) -> list[dict[str, str]]:
    """Return what serving sends: with an input the instruction is the system message, else it is the question."""
    if row["input"]:
        return [{"role": "system", "content": row["instruction"]}, {"role": "user", "content": row["input"]}]
    return [{"role": "user", "content": row["instruction"]}]


def conversation_of(row: dict[str, str]) -> dict[str, Any]:
    """Return a row as trl wants it: loss is taken on the completion alone."""
    return {"prompt": prompt_of(row), "completion": [{"role": "assistant", "content": row["output"]}]}


def load(base_model: str) -> tuple[Any, Any]:
    """Return the base model with LoRA layers, and its tokenizer."""
    return _load_unsloth(base_model) if BACKEND == "unsloth" else _load_peft(base_model)


def _load_unsloth(base_model: str) -> tuple[Any, Any]:
    from unsloth import FastLanguageModel

    model, tokenizer = FastLanguageModel.from_pretrained(
        model_name=base_model,
        max_seq_length=SETTINGS["max_seq_length"],
        load_in_4bit=SETTINGS["load_in_4bit"],
    )
    model = FastLanguageModel.get_peft_model(
        model,
        r=SETTINGS["lora_rank"],
        lora_alpha=SETTINGS["lora_alpha"],
        lora_dropout=SETTINGS["lora_dropout"],
        target_modules=SETTINGS["target_modules"],
        bias="none",
        use_gradient_checkpointing="unsloth",
        random_state=SETTINGS["seed"],
    )
    return model, prepared(tokenizer)


def _load_peft(base_model: str) -> tuple[Any, Any]:
    import torch
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
    from transformers import AutoModelForCausalLM, AutoTokenizer

    on_gpu = torch.cuda.is_available()
    is_quantized = SETTINGS["load_in_4bit"] and on_gpu  # bitsandbytes wants one
    more: dict[str, Any] = (
        {"device_map": "auto", "dtype": torch.bfloat16} if on_gpu else {"dtype": torch.float32}
    )
    if is_quantized:
        from transformers import BitsAndBytesConfig

        more["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16
        )
    model = AutoModelForCausalLM.from_pretrained(base_model, **more)
    if is_quantized:
        model = prepare_model_for_kbit_training(model)
    lora = LoraConfig(
        r=SETTINGS["lora_rank"],
        lora_alpha=SETTINGS["lora_alpha"],
        lora_dropout=SETTINGS["lora_dropout"],
        target_modules=SETTINGS["target_modules"],
        bias="none",
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, lora), prepared(AutoTokenizer.from_pretrained(base_model))


def prepared(tokenizer: Any) -> Any:
    """Return the tokenizer with the template that training and serving share, and a token to pad with."""
    tokenizer.chat_template = CHAT_TEMPLATE
    if tokenizer.pad_token is None:
        has_own = "<|finetune_right_pad_id|>" in tokenizer.get_vocab()
        tokenizer.pad_token = "<|finetune_right_pad_id|>" if has_own else tokenizer.eos_token
    return tokenizer


def fit(model: Any, tokenizer: Any, rows: list[dict[str, str]], asked: argparse.Namespace) -> list[float]:
    """Train in place; return the loss of every step that was logged."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    config = SFTConfig(
        output_dir=str(asked.output / "checkpoints"),
        max_length=SETTINGS["max_seq_length"],
        num_train_epochs=asked.epochs,
        max_steps=asked.max_steps,
        per_device_train_batch_size=SETTINGS["batch_size"],
        gradient_accumulation_steps=SETTINGS["gradient_accumulation"],
        learning_rate=SETTINGS["learning_rate"],
        warmup_steps=SETTINGS["warmup_steps"],
        weight_decay=SETTINGS["weight_decay"],
        lr_scheduler_type=SETTINGS["lr_scheduler"],
        seed=SETTINGS["seed"],
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        completion_only_loss=True,
        bf16=_takes_bfloat16(),
        fp16=False,
    )
    data = Dataset.from_list([conversation_of(row) for row in rows])
    trainer = SFTTrainer(model=model, processing_class=tokenizer, train_dataset=data, args=config)
    trainer.train()
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def _takes_bfloat16() -> bool:
    import torch

    return torch.cuda.is_available() and torch.cuda.is_bf16_supported()


def measure(model: Any, tokenizer: Any, rows: list[dict[str, str]], most_answers: int = 50) -> dict[str, Any]:
    """Return how well the held-out answers are predicted, and how like them the model's own are.

    `loss` is the mean negative log-likelihood a token of the answer. `word_f1` is how alike the words of an answer
    written greedily and of the held-out one are, 0 to 1, and `quality` the share of answers of which that is above
    one half: what registration may be told as `held_out_quality`.
    """
    import torch

    model.eval()
    losses, tokens, scores = 0.0, 0, []
    for number, row in enumerate(rows):
        asked = tokenizer.apply_chat_template(prompt_of(row), add_generation_prompt=True, return_dict=False)
        answer = tokenizer(row["output"] + "<|eot_id|>", add_special_tokens=False)["input_ids"]
        whole = torch.tensor([(asked + answer)[: SETTINGS["max_seq_length"]]], device=model.device)
        wanted = whole.clone()
        wanted[:, : len(asked)] = -100
        count = int((wanted != -100).sum())
        with torch.no_grad():
            if count:
                losses += float(model(input_ids=whole, labels=wanted).loss) * count
                tokens += count
            if number < most_answers:
                scores.append(word_f1(reply_of(model, tokenizer, row, len(answer) + 32), row["output"]))
    mean = losses / max(tokens, 1)
    return {
        "held_out": len(rows), "answers_written": len(scores), "loss": round(mean, 4),
        "perplexity": round(math.exp(min(mean, 50.0)), 3), "word_f1": round(sum(scores) / max(len(scores), 1), 4),
        "quality": round(sum(score > GOOD_F1 for score in scores) / max(len(scores), 1), 4),
    }  # fmt: skip


def reply_of(model: Any, tokenizer: Any, row: dict[str, str], most_tokens: int) -> str:
    """Return the model's own answer to a row, written greedily."""
    import torch

    asked = tokenizer.apply_chat_template(prompt_of(row), add_generation_prompt=True, return_dict=False)
    given = torch.tensor([asked], device=model.device)
    stops = [tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids("<|eot_id|>")]
    written = model.generate(
        input_ids=given, attention_mask=torch.ones_like(given), max_new_tokens=most_tokens, do_sample=False,
        eos_token_id=[stop for stop in stops if stop is not None], pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    return str(tokenizer.decode(written[0, len(asked) :], skip_special_tokens=True)).strip()


def word_f1(said: str, wanted: str) -> float:
    """Return the F1 of two texts' words (Rajpurkar et al., 2016), 0 to 1."""
    ours, theirs = (re.findall(r"\w+", text.casefold()) for text in (said, wanted))
    left, shared = list(theirs), 0
    for word in ours:
        if word in left:
            left.remove(word)
            shared += 1
    return 2.0 * shared / (len(ours) + len(theirs)) if ours or theirs else 1.0


def export(model: Any, tokenizer: Any, output: Path) -> None:
    """Write the merged model for vLLM and Ollama, with Unsloth a GGUF file too, and a Modelfile naming one of them."""
    merged = output / "merged"
    if BACKEND == "unsloth":
        model.save_pretrained_merged(str(merged), tokenizer, save_method="merged_16bit")
        model.save_pretrained_gguf(
            str(output / "gguf"), tokenizer, quantization_method=SETTINGS["gguf_quantization"]
        )
    else:
        model.merge_and_unload().save_pretrained(str(merged))
        tokenizer.save_pretrained(str(merged))
        # GGUF: python llama.cpp/convert_hf_to_gguf.py output/merged --outfile output/gguf/model.gguf --outtype q8_0
    made = sorted(path.relative_to(output) for path in output.rglob("*.gguf"))
    (output / "Modelfile").write_text(modelfile(str(made[0]) if made else "merged"), encoding="utf-8")


def modelfile(weights: str) -> str:
    """Return what Ollama needs to serve the weights, a path beside it, with the template they were trained with."""
    turn = "<|start_header_id|>{role}<|end_header_id|>\n\n{text}<|eot_id|>"
    system = "{{ if .System }}" + turn.format(role="system", text="{{ .System }}") + "{{ end }}"
    user = turn.format(role="user", text="{{ .Prompt }}")
    return (
        f'FROM ./{weights}\nTEMPLATE """{system}{user}'
        '<|start_header_id|>assistant<|end_header_id|>\n\n{{ .Response }}"""\n'
        f'PARAMETER stop "<|eot_id|>"\nPARAMETER num_ctx {SETTINGS["max_seq_length"]}\n'
    )


def main() -> None:
    """Train, measure before and after, export."""
    parser = argparse.ArgumentParser(description="Train a LoRA adapter on this folder.")
    parser.add_argument("--base-model", default=SETTINGS["base_model"])
    parser.add_argument("--output", type=Path, default=HERE / "output")
    parser.add_argument("--epochs", type=float, default=SETTINGS["epochs"])
    parser.add_argument("--max-steps", type=int, default=-1)
    parser.add_argument("--no-export", action="store_true")
    asked = parser.parse_args()
    asked.output.mkdir(parents=True, exist_ok=True)
    held_out = read_examples("held_out.jsonl")
    model, tokenizer = load(asked.base_model)
    before = measure(model, tokenizer, held_out)
    losses = fit(model, tokenizer, read_examples("train.jsonl"), asked)
    after = measure(model, tokenizer, held_out)
    model.save_pretrained(str(asked.output / "adapter"))
    tokenizer.save_pretrained(str(asked.output / "adapter"))
    outcome = {"base_model": asked.base_model, "before": before, "after": after, "losses": losses}
    (asked.output / "evaluation.json").write_text(json.dumps(outcome, indent=2), encoding="utf-8")
    if not asked.no_export:
        export(model, tokenizer, asked.output)
    print(json.dumps({"before": before, "after": after}, indent=2))


if __name__ == "__main__":
    main()
