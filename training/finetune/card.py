"""What does whoever trains, serves or audits the model have to know? Its card, in the form model hubs read."""

from collections.abc import Mapping
from typing import Any

_TEXT = """\
---
base_model: {base_model}
library_name: peft
tags: [lora, sft, x25]
---

# {name}

A LoRA adapter on `{base_model}`, trained on answered calls of org `{org}`. {warning}

## Data

{train} examples to train on (`train.jsonl`), {held_out} held out by the hash of their prompt (`held_out.jsonl`): no
prompt is in both, whatever its case and spaces. All come from calls with a quality score above {min_quality}, of
{first} to {last}; {looked_at} of the answers were looked at by a judge or a check, the score of the others is an
estimate. A prompt asked several times is here once.

Personal data: {personal_data}. Names and postal addresses are **not** found: look through the files before you give
them away.

| Answers by | examples |
|---|---|
{models}

Some vendors' terms forbid training a model on their models' answers: check those above before you train.

| Left out | calls |
|---|---|
{left_out}

`manifest.json` has the hashes of all files, and every count.

## Training

    pip install -r requirements.txt
    python train_unsloth.py     # a GPU; or train_peft.py: the same settings without Unsloth, also on a CPU

Rank {lora_rank}, alpha {lora_alpha}, learning rate {learning_rate}, {epochs:g} passes, batches of {batch_size} x
{gradient_accumulation}, {max_seq_length} tokens, 4-bit weights. Memory: {memory_note}. Time: {time_note}.

Before and after training the script measures the held-out examples (`output/evaluation.json`): loss, perplexity,
`word_f1`, how alike the words of the model's answers and of the held-out ones are, and `quality`, the share of answers
of which that is above one half: a stand-in for their being right, which registration may be told.

## Serving

    vllm serve output/merged --served-model-name {name}
    x25 improve register {org} own/{name} --url http://localhost:8000/v1 --name {name} --held-out-quality Q

or with Ollama from the GGUF file: `ollama create {name} -f output/Modelfile`, then `--url http://localhost:11434/v1`.
From then on the router tries the model on the calls of `{org}`, at tier slm, and sends it what it answers well.

## Limits

It knows the kinds of calls that were made until {last}. It answers as the models above did, their mistakes included:
scores of unlooked-at answers are estimates. Calls with tools, attachments or several turns are not in its data.
"""


def card(manifest: Mapping[str, Any]) -> str:
    """Return the model card of a folder."""
    recipe, options = manifest["recipe"], manifest["options"]
    warning = "**Simulated models gave the answers: good for trying the way out, and nothing else.**"
    return _TEXT.format(
        **{key: value for key, value in recipe.items() if key != "name"},
        name=recipe["name"],
        org=manifest["org"],
        warning=warning if manifest["is_simulated"] else "",
        train=manifest["examples"]["train"],
        held_out=manifest["examples"]["held_out"],
        min_quality=options["min_quality"],
        first=manifest["calls"]["from"][:10],
        last=manifest["calls"]["to"][:10],
        looked_at=manifest["quality"]["looked_at"],
        personal_data=_personal_data(manifest["personal_data"]),
        models=_rows(manifest["models"]),
        left_out=_rows(manifest["left_out"]) or "| none | 0 |",
    )


def _personal_data(found: Mapping[str, Any]) -> str:
    if found["rule"] == "keep":
        return "it was not looked for"
    if found["rule"] == "drop":
        return "calls in which any was found were left out"
    replaced = ", ".join(f"{count} x {kind}" for kind, count in found["replaced"].items())
    return f"replaced by its kind in brackets ({replaced or 'none was found'})"


def _rows(counts: Mapping[str, int]) -> str:
    return "\n".join(f"| {name.replace('|', '/')} | {count} |" for name, count in counts.items())
