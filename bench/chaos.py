"""Every fault through a real gateway: `x25 chaos`.

Each trial has three models of its own that only it asks, cheapest first, so that nothing one of them is remembered for
meets the next trial. A gateway and a simulator run in processes of their own; what was billed is read from the
simulator, what was recorded and learnt from the gateway's database. All models and faults are simulated.
"""

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx
import yaml

from ..graph.settings import read_environment
from ..simulator.child import ChildServer
from ..simulator.process import SimulatorProcess

Where = Literal["first", "second", "all"]
WHERES: tuple[Where, ...] = ("first", "second", "all")
UPSTREAM = ("sim/tiny-1", "sim/small-2", "sim/medium-3")
"""What the three targets are at the simulator."""
DEADLINE_S, SLACK_S = 8.0, 2.5
LIMITS = {
    "X25_ATTEMPT_TIMEOUT_S": "1.0",
    "X25_FIRST_TOKEN_TIMEOUT_S": "0.8",
    "X25_STREAM_IDLE_TIMEOUT_S": "0.5",
    "X25_CALL_DEADLINE_S": str(DEADLINE_S),
}
ADDRESSES = {
    "dns": "http://x25-nowhere.invalid/v1",
    "connection_refused": "http://127.0.0.1:9/v1",
    "tls": "https://127.0.0.1:{port}/v1",
}
"""Faults of an address; the simulator's port does not speak TLS."""
FAULTS: Sequence[str] = (
    "400", "401", "402", "403", "404", "408", "413", "429", "429;retry_after=1", "500", "502", "503",
    "503;retry_after=30", "504", "529", "refused", "reset", "redirect", "timeout", "timeout;billed=1",
    "slow_first_token;seconds=3", "drip;ms=50", "slow_tokens;ms=20", "ragged", "malformed", "wrong_type",
    "gzip_garbage", "huge", "empty", "missing_usage", "absurd_usage", "cut_stream;after=2", "stall;after=2;seconds=5",
    "garbage_frame;after=2", "error_frame;after=2", "refuse_usage", *ADDRESSES,
)  # fmt: skip
"""Every kind of the simulator, and the addresses."""
HARMLESS = frozenset({"slow_tokens", "ragged", "empty", "missing_usage", "absurd_usage", "refuse_usage"})
"""Faults of an answer that is one all the same; an empty one fails a check, which is for the router to act on."""
MOST_ATTEMPTS = 12
"""Of three models, each asked three times at most."""
IN_THE_MIDDLE = frozenset({"cut_stream", "stall", "garbage_frame", "error_frame", "drip"})
"""Faults that strike after a part of a stream was sent, which nobody else can go on with; told as an error there."""
ONLY_STREAMS = frozenset({"stall", "garbage_frame", "error_frame"})


@dataclass(frozen=True, slots=True)
class Trial:
    """One fault, met in one place."""

    fault: str
    stream: bool
    where: Where
    number: int

    @property
    def kind(self) -> str:
        """The fault without its parameters."""
        return self.fault.partition(";")[0]

    def strikes(self, target: int) -> bool:
        """Return whether a target, 0 to 2, meets the fault itself; in second place the first one is simply down."""
        return self.where == "all" or target == WHERES.index(self.where)

    def model_id(self, target: int) -> str:
        """Return the model that is a target of this trial alone."""
        return f"chaos/{self.number}-{target + 1}"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a trial, and the promises it broke."""

    trial: Trial
    status: int
    outcome: Literal["answered", "told", "broken off", "silent"]
    """Answered whole; refused with an error; an error within the stream; ended without a word."""
    attempts: int
    took_s: float
    billed_once: bool
    posterior_untouched: bool
    broken: tuple[str, ...]

    def row(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "fault": self.trial.fault, "stream": self.trial.stream, "where": self.trial.where, "status": self.status,
            "outcome": self.outcome, "attempts": self.attempts, "took_s": round(self.took_s, 2),
            "billed_once": self.billed_once, "posterior_untouched": self.posterior_untouched,
            "broken": list(self.broken),
        }  # fmt: skip


def trials(faults: Sequence[str] = FAULTS) -> list[Trial]:
    """Return every fault in every place, answered whole and streamed; those of streams streamed alone."""
    found = [
        (fault, stream, where)
        for fault in faults
        for stream in (False, True)
        for where in WHERES
        if stream or fault.partition(";")[0] not in ONLY_STREAMS
    ]
    return [Trial(*one, number) for number, one in enumerate(found)]


def run(folder: Path, chosen: Sequence[Trial]) -> Iterator[Result]:
    """Run trials one after another, with what they need in `folder`, and yield what came of each."""
    with SimulatorProcess(latency=False) as simulator:
        _write_models(folder, chosen, simulator.url)
        environ = without_access() | LIMITS | {
            "X25_DATA_DIR": str(folder / "data"), "X25_MODELS_DIR": str(folder / "models"),
            "X25_ROUTERS_DIR": str(folder / "routers"), "X25_UPSTREAM": "real", "X25_JUDGE": "none",
            # Trials share the simulator's addresses: a breaker that opened would hide the fault from the next.
            "X25_BREAKER_FAILURES": "1000000", "X25_MAX_QUEUE_MS": "0", "X25_LOG_LEVEL": "ERROR",
            **{f"CHAOS_KEY_{one.number}": f"chaos-{one.number}" for one in chosen},
        }  # fmt: skip
        arguments = ["-m", "x25", "serve", "--port", "0", "--json", "--exit-with-parent"]
        with (
            ChildServer("gateway", arguments, environ=environ, folder=folder) as gateway,
            httpx.Client(base_url=gateway.url, timeout=DEADLINE_S + 10) as client,
        ):
            for trial in chosen:
                simulator.set_scenario(_rules(trial))
                yield _try(trial, client, simulator, folder / "data" / "x25.db")


def without_access() -> dict[str, str]:
    """Return the environment without settings and without what opens a provider."""
    return {
        name: value
        for name, value in read_environment(None).items()
        if not name.startswith("X25_") and not name.endswith(("_API_KEY", "_TOKEN"))
    }


def _write_models(folder: Path, chosen: Sequence[Trial], url: str) -> None:
    for name in ("models", "routers"):
        (folder / name).mkdir(parents=True)
    port = httpx.URL(url).port
    (folder / "routers" / "auto.yaml").write_text(yaml.safe_dump({"name": "auto", "strategy": "plan"}))
    for trial in chosen:
        address = ADDRESSES.get(trial.kind, url).format(port=port)
        for target, upstream in enumerate(UPSTREAM):
            way = {
                "name": f"target-{target + 1}", "base_url": address if trial.strikes(target) else url,
                "model": upstream,
                "key_env": f"CHAOS_KEY_{trial.number}",
            }  # fmt: skip
            price = 0.1 * (target + 1)
            model = {
                "model_id": trial.model_id(target), "provider": "chaos", "tier": ("slm", "slm", "mid")[target],
                "prices": {"input_usd_per_mtok": price, "output_usd_per_mtok": price}, "deployments": [way],
            }  # fmt: skip
            (folder / "models" / f"{trial.number}-{target}.yaml").write_text(yaml.safe_dump(model))
        router = {
            "name": f"chaos-{trial.number}", "strategy": "threshold", "completion_threshold": 1e-6,
            "models": [trial.model_id(target) for target in range(3)],
        }  # fmt: skip
        (folder / "routers" / f"{trial.number}.yaml").write_text(yaml.safe_dump(router))


def _rules(trial: Trial) -> list[dict[str, Any]]:
    rules = []
    for target, upstream in enumerate(UPSTREAM):
        if trial.strikes(target) and trial.kind not in ADDRESSES:
            rules.append({"match": {"model": upstream}, "fault": trial.fault})
        elif trial.where == "second" and target == 0:
            rules.append({"match": {"model": upstream}, "fault": "503"})
    return rules


def _try(trial: Trial, client: httpx.Client, simulator: SimulatorProcess, database: Path) -> Result:
    org, before = f"chaos-{trial.number}", len(simulator.bills())
    body = {
        "model": f"chaos-{trial.number}", "stream": trial.stream, "x25": {"org": org},
        "messages": [{"role": "user", "content": "What is 17 * 23? Say how you got there, in a few words."}],
    }  # fmt: skip
    began_s = time.monotonic()
    status, outcome, text = _ask(client, body)
    took_s = time.monotonic() - began_s
    attempts = _attempts(database, org)
    bills = simulator.bills(before)
    evidence = _evidence(database, org)
    winner = next((one["model_id"] for one in attempts if one["status"] == "finished"), None)
    untouched = not {model_id for model_id, counts in evidence.items() if any(counts)} - {winner}
    once = _is_billed_once(outcome, attempts, bills)
    broken = [
        *_promises_on_the_answer(trial, outcome, text),
        *(["beyond the deadline"] if took_s > DEADLINE_S + SLACK_S else []),
        *(["not billed once"] if not once else []),
        *(["a failure taught"] if not untouched else []),
        *(["too many attempts"] if len(attempts) > MOST_ATTEMPTS else []),
    ]
    return Result(trial, status, outcome, len(attempts), took_s, once, untouched, tuple(broken))


def _promises_on_the_answer(trial: Trial, outcome: str, text: str) -> Iterator[str]:
    """Yield what is wrong with how a call ended."""
    is_harmless = trial.kind in HARMLESS
    may_break_off = trial.stream and trial.kind in IN_THE_MIDDLE
    if outcome == "silent":
        yield "ended without a word"
    elif outcome == "broken off" and not may_break_off:
        yield "broken off"
    elif outcome == "told" and (trial.where != "all" or is_harmless):
        yield "not answered"
    elif outcome == "answered" and trial.where == "all" and not is_harmless:
        yield "answered by nobody"
    if outcome == "answered" and not text and trial.kind != "empty":
        yield "an empty answer"


def _ask(client: httpx.Client, body: dict[str, Any]) -> tuple[int, Any, str]:
    """Return the status, what came of the call, and the text of its answer."""
    try:
        with client.stream("POST", "/v1/chat/completions", json=body) as response:
            if not body["stream"] or "event-stream" not in response.headers.get("content-type", ""):
                said = json.loads(response.read())
                if response.status_code != 200:
                    return response.status_code, "told" if said.get("error", {}).get("code") else "silent", ""
                return 200, "answered", said["choices"][0]["message"]["content"] or ""
            text, is_done, error = "", False, None
            for line in response.iter_lines():
                data = line.removeprefix("data: ")
                if line == "data: [DONE]":
                    is_done = True
                elif line.startswith("data: "):
                    event = json.loads(data)
                    error = event.get("error") or error
                    for choice in event.get("choices", ()):
                        text += choice["delta"].get("content") or ""
            if error is not None:
                return response.status_code, "broken off" if text else "told", text
            return response.status_code, "answered" if is_done else "silent", text
    except httpx.HTTPError:
        return 0, "silent", ""


def _attempts(database: Path, org: str) -> list[dict[str, Any]]:
    """Return the attempts of a call once all are settled, in the order they were made."""
    for _ in range(100):
        found = _rows(database, "select * from attempts where org = ? order by started_at, attempt_id", org)
        is_logged = bool(_rows(database, "select 1 from calls where org = ?", org))
        if is_logged and all(one["status"] != "started" for one in found):
            break
        time.sleep(0.02)
    return found


def _evidence(database: Path, org: str) -> dict[str, tuple[float, float]]:
    rows = _rows(database, "select model_id, successes, failures from posteriors where org = ?", org)
    return {row["model_id"]: (row["successes"], row["failures"]) for row in rows}


def _rows(database: Path, sql: str, org: str) -> list[dict[str, Any]]:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(sql, (org,))]


def _is_billed_once(
    outcome: str, attempts: Sequence[dict[str, Any]], bills: Sequence[dict[str, Any]]
) -> bool:
    """Return whether no request was billed twice, the answer's was once, and all that was billed is recorded."""
    counts = Counter(bill["attempt_id"] for bill in bills)
    made = {one["attempt_id"]: one for one in attempts}
    if any(count > 1 for count in counts.values()) or counts.keys() - made.keys():
        return False
    finished = [one for one in attempts if one["status"] == "finished"]
    if outcome == "answered" and (len(finished) != 1 or counts[finished[0]["attempt_id"]] != 1):
        return False
    # A request that may have been billed keeps its reservation: never less than nothing.
    return all((made[attempt_id]["cost_nusd"] or 0) > 0 for attempt_id in counts)
