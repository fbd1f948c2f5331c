"""What is an org's call log as training rows? The form `training.data.loaders.jsonl_csv` reads."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from ...state.audit.sums import LOOKED_AT
from ...state.errors import ConfigError
from ...state.records import Call, usd_from_nusd
from ...state.store import Store

MOST_ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Export:
    """What was written, and how many calls were left out for which reason."""

    rows: int
    skipped: dict[str, int]


async def export_log(store: Store, org: str, output: Path) -> Export:
    """Write a row for each call whose prompt was stored and whose first answer was looked at, oldest first.

    The first answer only: later ones are asked for after failures, and would make every model look worse than it
    is. Cost and latency are known of calls that bought one answer. Rows of one prompt share a prompt_id.

    Raises
    ------
    ConfigError
        If no row can be written, saying why; no file is written then.
    """
    skipped = Counter[str]()
    lines = list(_rows(await store.calls.with_prompts(org, MOST_ROWS), skipped))
    if not lines:
        raise ConfigError(
            f"org {org!r} has no call to train on: prompts are kept only with X25_STORE_PROMPTS=true, and the first "
            f"answer must have been looked at ({dict(skipped) or 'no prompt is stored'})"
        )
    _write(output, lines)
    return Export(len(lines), dict(skipped))


def _write(output: Path, lines: list[dict[str, Any]]) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n" for line in lines)
    output.write_text(text, encoding="utf-8")


def _rows(calls: list[Call], skipped: Counter[str]) -> Iterator[dict[str, Any]]:
    for call in calls:
        verdict = call.decision.get("first_verdict")
        if not call.prompt or not verdict:
            skipped["first model did not answer" if call.prompt else "empty prompt"] += 1
        elif verdict["source"] not in LOOKED_AT:
            skipped["nobody looked at the first answer"] += 1
        else:
            paid = {"cost_usd": usd_from_nusd(call.cost_nusd), "latency_s": call.latency_ms / 1e3}
            yield {
                "prompt_id": sha256(call.prompt.encode("utf-8", "surrogatepass")).hexdigest()[:24],
                "prompt": call.prompt,
                "model_id": call.decision["model_id"],
                "score": verdict["score"],
                "task": call.task_type,
                **(paid if call.cascade_steps == 1 and not call.fallbacks else {}),
            }
