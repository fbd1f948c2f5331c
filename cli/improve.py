"""`x25 improve`: training data from an org's good calls, and models of its own."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ..graph.bootstrap import open_services
from ..graph.improvements import ask_for_improvement
from ..graph.own_models import DEFAULT_USD_PER_MTOK, Registration, check_address, register, unregister
from ..graph.settings import Settings
from ..graph.training_folders import delete_folders
from ..routing.belief.stage import FINE_TUNE_STAGE, require_stage
from ..state.gathering import BASE_MODEL, LEAST_QUALITY, Gathering
from ..state.improvements import Improvement
from ..state.names import check_org
from ..state.store import Store
from .console import AsJson, Database, err, existing_store, out, print_json, run, settings_for

LOOKS_EVERY_S = 0.5


class RunsByDefault(TyperGroup):
    """A group whose first word may be an org: then it is that of `run`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that the words name, `run` where they name none."""
        return super().resolve_command(ctx, args if args and args[0] in self.commands else ["run", *args])


improve = typer.Typer(
    cls=RunsByDefault,
    help="Gather training data for a model of an org's own (x25 improve ORG), and add such models to its pool.",
    no_args_is_help=True,
)
Org = Annotated[str, typer.Argument(help="Whose calls and models.")]


@improve.command("run")
def gather(
    org: Org,
    min_quality: Annotated[
        float, typer.Option(help="A call's quality_score must be above it.")
    ] = LEAST_QUALITY,
    judged_only: Annotated[bool, typer.Option(help="Leave out calls whose score is an estimate.")] = False,
    personal_data: Annotated[
        str, typer.Option(help="redact, drop (leave such calls out) or keep (do not look for it).")
    ] = "redact",
    held_out_share: Annotated[float, typer.Option(help="Share of the prompts kept for measuring.")] = 0.1,
    min_examples: Annotated[int, typer.Option(help="Fewer end it, saying how many are missing.")] = 50,
    max_examples: Annotated[int, typer.Option(help="The best and newest of more.")] = 5_000,
    base_model: Annotated[str, typer.Option(help="Model to train.")] = BASE_MODEL,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Write examples, a LoRA script and a model card from the org's good calls; needs stage 4 (500 calls)."""

    async def work() -> Improvement:
        settings = settings_for(db)
        wanted = Gathering(
            min_quality, judged_only, personal_data, held_out_share, min_examples, max_examples, base_model  # type: ignore[arg-type] # checked there
        )  # fmt: skip
        async with await existing_store(settings) as store:
            require_stage(await store.orgs.call_count(check_org(org)), FINE_TUNE_STAGE, "training data")
            job, _ = await ask_for_improvement(store, org, wanted, datetime.now(UTC))
            return await _worked_off(store, settings, job, show=not as_json)

    ended: Improvement = run(work())
    if ended.result is None:
        if as_json:
            print_json({"job_id": ended.job_id, "status": ended.status, "detail": ended.detail})
        else:
            err.print(f"[red]error[/red] {ended.detail}", highlight=False, soft_wrap=True)
        raise typer.Exit(1)
    if as_json:
        print_json({"job_id": ended.job_id, "status": ended.status, **ended.result})
        return
    _show(ended.result)


async def _worked_off(store: Store, settings: Settings, job: Improvement, *, show: bool) -> Improvement:
    """Work a job off here, or wait where a gateway was faster."""
    from ..training.finetune.work import work  # noqa: PLC0415 - the workshop is loaded where it is used

    mine = await store.improvements.claim(datetime.now(UTC), job)
    if mine is not None:
        return await work(store, settings, mine)
    if show:
        err.print("a gateway works on it already; waiting")
    while True:
        job = await store.improvements.get(job.org, job.job_id)
        if job.finished_at is not None:
            return job
        await asyncio.sleep(LOOKS_EVERY_S)


def _show(result: dict[str, Any]) -> None:
    examples, left_out = result["examples"], result["left_out"]
    out.print(
        f"{examples['train']:,} examples to train on, {examples['held_out']:,} held out, in {result['folder']}",
        highlight=False, markup=False, soft_wrap=True,
    )  # fmt: skip
    for reason, count in left_out.items():
        out.print(f"left out {count:,}: {reason}", highlight=False)
    if result["is_simulated"]:
        err.print("simulated models gave the answers: good for trying the way out, and nothing else")
    err.print("next: python train_unsloth.py there, on a GPU; README.md says the rest")


@improve.command("work", hidden=True)
def work_off(org: Org, job_id: Annotated[str, typer.Argument()], db: Database = None) -> None:
    """Do a job that was claimed by the gateway that starts this."""

    async def do() -> None:
        from ..training.finetune.work import work  # noqa: PLC0415 - as above

        settings = settings_for(db)
        async with await existing_store(settings) as store:
            await work(store, settings, await store.improvements.get(check_org(org), job_id))

    run(do())


@improve.command("jobs")
def list_jobs(org: Org, db: Database = None, as_json: AsJson = False) -> None:
    """List an org's jobs, newest first."""

    async def work() -> list[Improvement]:
        async with await existing_store(settings_for(db)) as store:
            return await store.improvements.newest(check_org(org))

    found: list[Improvement] = run(work())
    if as_json:
        print_json([{"job_id": one.job_id, "status": one.status, "phase": one.phase, "done": one.done,
                     "total": one.total, "detail": one.detail, "result": one.result} for one in found])  # fmt: skip
        return
    for one in found:
        said = one.detail or (one.result or {}).get("folder", one.phase)
        out.print(
            f"{one.job_id}  {one.status}  {one.done}/{one.total}  {said}", highlight=False, markup=False
        )


@improve.command("opt-out")
def opt_out(
    org: Org,
    undo: Annotated[bool, typer.Option("--undo", help="Allow it again.")] = False,
    db: Database = None,
) -> None:
    """Keep every call of an org out of training data; single calls are kept out by the option store: false."""

    async def work() -> None:
        async with await existing_store(settings_for(db)) as store:
            await store.improvements.opt_out(check_org(org), None if undo else datetime.now(UTC))

    run(work())
    err.print(f"calls of {org} may {'' if undo else 'not '}be trained on")


@improve.command("delete")
def delete(org: Org, db: Database = None, as_json: AsJson = False) -> None:
    """Delete the folders of training data of an org on this machine."""

    async def work() -> int:
        return await asyncio.to_thread(delete_folders, settings_for(db), org=check_org(org))

    gone = run(work())
    if as_json:
        print_json({"org": org, "folders": gone})
    else:
        err.print(f"deleted {gone} folders")


@improve.command("register")
def register_model(
    org: Org,
    model_id: Annotated[str, typer.Argument(help="Its id here, such as own/support-3b.")],
    url: Annotated[
        str, typer.Option(help="Address of its OpenAI-compatible API, such as http://localhost:8000/v1.")
    ],
    key_env: Annotated[
        str | None, typer.Option(help="Variable of the gateway's environment with its key.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What it is called there [its id here].")] = None,
    price_in: Annotated[
        float, typer.Option(min=0.0, help="US dollars per million tokens.")
    ] = DEFAULT_USD_PER_MTOK,
    price_out: Annotated[
        float, typer.Option(min=0.0, help="US dollars per million tokens.")
    ] = DEFAULT_USD_PER_MTOK,
    held_out_quality: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="Share of held-out prompts it answered well.")
    ] = None,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Ask a model for a completion and give it to an org, at tier slm; running gateways have it within 3 seconds."""
    wanted = Registration(
        model_id, url.rstrip("/"), key_env, name, price_in, price_out, held_out_quality=held_out_quality
    )

    async def work() -> bool:
        settings = settings_for(db)
        check_address(wanted, settings, is_operator=True)
        async with open_services(settings) as services:
            return (await register(services, check_org(org), wanted))[1]

    is_new = run(work())
    if as_json:
        print_json({"org": org, "model_id": model_id, "registered": True, "is_new": is_new})
    else:
        err.print(
            f"{model_id} answered; calls of {org} are routed to it at tier slm from now on", soft_wrap=True
        )


@improve.command("unregister")
def unregister_model(
    org: Org,
    model_id: Annotated[str, typer.Argument(help="As it was registered.")],
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Take a model out of an org's pool, with what was learnt of it."""

    async def work() -> None:
        async with open_services(settings_for(db)) as services:
            await unregister(services, check_org(org), model_id)

    run(work())
    if as_json:
        print_json({"org": org, "model_id": model_id, "unregistered": True})
    else:
        err.print(f"{model_id} is asked no more")
