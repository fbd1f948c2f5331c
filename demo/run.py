"""Run a demo from start to report: simulator, gateway, traffic, baselines, audit; all over real HTTP."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from ..client import Preset, X25Response
from ..providers.registry import Registry, load_registry
from ..simulator.process import SimulatorProcess
from ..state.types import TIERS
from . import figures, generated, recorded
from .gateway import gateway_process
from .items import Item, Panel, Routed
from .traffic import Traffic, send

SIMULATED_MODELS = Path(__file__).resolve().parent.parent / "simulator" / "models"
JUDGE_AUC = 0.85


@dataclass(frozen=True, slots=True)
class Options:
    """What a demo is asked to do."""

    calls: int = 600
    seed: int = 7
    concurrency: int = 8
    optimize_for: Preset = "balanced"
    recorded: Path | None = None
    """Folder of recorded outcomes; None = generated prompts."""
    port: int = 0
    """Of the gateway; 0 = any free one."""


Report = dict[str, Any]
Stay = Callable[[Report, str], Awaitable[None]]
"""What to do while the gateway is still there, told the report and its address."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a demo tells how far it is."""

    phase: Callable[[str, int], None]
    """Called with a name and the number of steps when a phase begins."""
    step: Callable[[Routed | None], None]
    """Called after each step, with the routed call where there is one."""


async def run_demo(
    options: Options, data_dir: Path, progress: Progress, stay: Stay | None = None
) -> dict[str, Any]:
    """Run a demo whose gateway keeps its state in `data_dir`; return the report as plain values and `Estimate`s.

    The gateway ends once `stay` returned, at once without it.
    """
    if options.recorded is not None:
        return await _run_recorded(options, options.recorded, data_dir, progress, stay)
    return await _run_generated(options, data_dir, progress, stay)


async def _run_generated(
    options: Options, data_dir: Path, progress: Progress, stay: Stay | None
) -> dict[str, Any]:
    progress.phase("starting the simulator and the gateway", 1)
    items = generated.make_items(options.calls, options.seed)
    panel = _simulated_panel()
    async with (
        SimulatorProcess(seed=options.seed, judge_auc=JUDGE_AUC, latency=False) as simulator,
        gateway_process(data_dir, simulator.url, port=str(options.port), seed=str(options.seed)) as gateway,
    ):
        progress.step(None)
        progress.phase("asking each model alone, for comparison", len(items))
        items = await generated.ask_each_model(
            items, panel.tier_to_model, simulator.url,
            concurrency=options.concurrency, advance=lambda: progress.step(None),
        )  # fmt: skip
        progress.phase("routing", len(items))
        routed = await send(
            items, Traffic(gateway.url, options.optimize_for, options.concurrency),
            score=lambda item, reply: generated.score(item, reply.text), on_reply=progress.step,
        )  # fmt: skip
        panels = [await _panel_report("generated tasks", panel, routed, gateway.url, generated.ORG)]
        report = await _report(panels, gateway.url, "simulated models")
        if stay is not None:
            await stay(report, gateway.url)
        return report


async def _run_recorded(
    options: Options, source_dir: Path, data_dir: Path, progress: Progress, stay: Stay | None
) -> dict[str, Any]:
    progress.phase("reading recorded outcomes, starting the simulator and the gateway", 1)
    folder = data_dir / "recorded"
    recordings = await asyncio.to_thread(recorded.prepare, source_dir, options.calls, options.seed, folder)
    simulator = SimulatorProcess(
        seed=options.seed, judge_auc=JUDGE_AUC, latency=False, replay_dir=source_dir,
        replay_sources=list(recorded.PANELS), start_timeout_s=120,
    )  # fmt: skip
    gateway_settings = {
        "seed": str(options.seed),
        "models_dir": str((folder / "models").resolve()),
        "routers_dir": str((folder / "routers").resolve()),
        "default_max_output_tokens": "16384",
    }
    async with (
        simulator,
        gateway_process(data_dir, simulator.url, port=str(options.port), **gateway_settings) as gateway,
    ):
        progress.step(None)
        panels = []
        for recording in recordings:
            progress.phase(f"routing {recording.panel.name}", len(recording.items))
            routed = await send(
                recording.items, Traffic(gateway.url, options.optimize_for, options.concurrency),
                score=_recorded_score, on_reply=progress.step,
            )  # fmt: skip
            org = recording.items[0].org
            panels.append(
                await _panel_report(recording.panel.name, recording.panel, routed, gateway.url, org)
            )
        report = await _report(panels, gateway.url, "recorded answers of real models, simulated judge")
        if stay is not None:
            await stay(report, gateway.url)
        return report


def _recorded_score(item: Item, reply: X25Response) -> float:
    return item.model_to_score[reply.model_used]


def _simulated_panel() -> Panel:
    """Return the baselines of the simulated pool: the cheapest slm, the cheapest mid, and the reference frontier."""
    models = [spec for spec in load_registry(SIMULATED_MODELS).models if spec.role == "chat"]
    cheapest: dict[str, str] = {
        tier: min(
            (spec for spec in models if spec.tier == tier), key=lambda spec: spec.output_usd_per_mtok
        ).model_id
        for tier in TIERS
    }
    return Panel("generated", {**cheapest, "frontier": Registry.reference(models).model_id})


async def _panel_report(
    name: str, panel: Panel, routed: Sequence[Routed], gateway_url: str, org: str
) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=gateway_url, timeout=30) as client:
        arms = (await client.get(f"/thompson/{org}")).raise_for_status().json()["arms"]
        stats = (await client.get(f"/stats/{org}")).raise_for_status().json()
    return {
        "name": name,
        "calls": len(routed),
        "rows": figures.compare(routed, panel),
        "over_time": figures.tier_mix_over_time(routed),
        "kinds": figures.by_kind(routed, panel),
        "stages": figures.stages_passed(routed),
        "escalated": sum(one.cascade_steps > 1 for one in routed),
        "judged": sum(one.judged for one in routed),
        "judge_cost_usd": sum(one.judge_cost_usd for one in routed),
        "arms": arms,
        "stats": stats,
    }


async def _report(panels: list[dict[str, Any]], gateway_url: str, simulated: str) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=gateway_url, timeout=60) as client:
        chain = (await client.get("/verify")).raise_for_status().json()
    return {
        "simulated": simulated,
        "panels": panels,
        "chain": {key: chain[key] for key in ("intact", "total_records", "reason")},
        "footnote": (
            "Dollars are list prices times tokens, escalations, failed attempts and the judge included. The judge is "
            f"simulated at AUC {JUDGE_AUC}; scores are the truth, not the judge's. "
            "Brackets: 95 % bootstrap over prompts. Here each baseline is asked every prompt; pages and receipts "
            "reckon the answer's own tokens on the reference model, which says less where a small model is brief."
        ),
    }
