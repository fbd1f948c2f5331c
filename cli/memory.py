"""`x25 memory`: what an org's calls remember, whether they do, and forgetting it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from ..nodes.org.memory import scope_of
from ..routing.plan.memory import DEFAULT_BUDGET_TOKENS, MOST_BUDGET_TOKENS
from ..state.errors import InvalidRequest
from ..state.memories import OrgMemory
from ..state.names import check_conversation_id, check_org
from ..state.store import open_store
from .console import AsJson, Database, err, out, print_json, run, settings_for

memory = typer.Typer(
    help="Read, settle and delete what calls remember of earlier ones.", no_args_is_help=True
)

Org = Annotated[str, typer.Argument(help="Whose memory.")]
User = Annotated[str | None, typer.Option(help="Only what this user of the org said.")]
Conversation = Annotated[str | None, typer.Option(help="Only what was said in this conversation.")]


@memory.command()
def show(
    org: Org,
    user: User = None,
    conversation: Conversation = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Passages to show.")] = 20,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Print what an org settled, and what its calls remember, newest first."""

    async def work() -> dict[str, Any]:
        async with await open_store(settings_for(db).store_url) as store:
            name, (scope, told) = check_org(org), _narrowed(user, conversation)
            passages, total = await store.memories.page(name, scope=scope, conversation_id=told, limit=limit)
            setting = {one.org: one for one in await store.memories.settings()}.get(name)
            items = [
                {
                    "id": one.memory_id, "scope": whose, "conversation_id": one.conversation_id, "call_id": one.call_id,
                    "role": one.role, "text": one.text, "said_at": one.said_at.isoformat(),
                    "allowed_providers": one.allowed_providers,
                }
                for whose, one in passages
            ]  # fmt: skip
            return {
                "org": name,
                "enabled": setting is not None and setting.enabled,
                "total": total,
                "items": items,
            }

    found = run(work())
    if as_json:
        print_json(found)
        return
    table = Table("id", "said", "who", "conversation", "text")
    for one in found["items"]:
        table.add_row(one["id"], one["said_at"][:16], one["role"], one["conversation_id"], one["text"])
    out.print(table)
    on = "on" if found["enabled"] else "off"
    err.print(f"memory of {found['org']} is {on}; {found['total']} passages are kept")


@memory.command("on")
def switch_on(
    org: Org,
    budget_tokens: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=MOST_BUDGET_TOKENS,
            help=f"Most tokens added to a call; {DEFAULT_BUDGET_TOKENS} at first.",
        ),
    ] = None,
    keep_days: Annotated[
        float | None, typer.Option(min=0.001, max=36_500, help="Days that what was said is kept.")
    ] = None,
    db: Database = None,
) -> None:
    """Have an org's calls remember; gateways that run notice within seconds. What is left out stays as it was."""
    _settle(org, db, enabled=True, budget_tokens=budget_tokens, keep_days=keep_days)
    err.print(f"calls of {org} remember what was said")


@memory.command("off")
def switch_off(org: Org, db: Database = None) -> None:
    """Have an org's calls remember nothing more; what is kept stays until it is forgotten or old."""
    _settle(org, db, enabled=False)
    err.print(f"calls of {org} remember nothing; x25 memory forget {org} --all deletes what is kept")


@memory.command()
def forget(
    org: Org,
    item: Annotated[str | None, typer.Option("--id", help="One passage.")] = None,
    user: User = None,
    conversation: Conversation = None,
    everything: Annotated[bool, typer.Option("--all", help="All that the org said.")] = False,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Delete passages: one, those of a user or a conversation, or all."""

    async def work() -> int:
        if not everything and item is None and user is None and conversation is None:
            raise InvalidRequest("say which: --id, --user, --conversation or --all", field="org")
        async with await open_store(settings_for(db).store_url) as store:
            scope, told = _narrowed(user, conversation)
            return await store.memories.forget(
                check_org(org), scope=scope, conversation_id=told, memory_id=item
            )

    deleted = run(work())
    if as_json:
        print_json({"deleted": deleted})
    else:
        err.print(f"{deleted} passages of {org} are forgotten")


def _narrowed(user: str | None, conversation: str | None) -> tuple[str | None, str | None]:
    return (
        None if user is None else scope_of(user),
        None if conversation is None else check_conversation_id(conversation),
    )


def _settle(org: str, db: Any, **given: Any) -> None:
    """Write down what an org settles; what is not given stays, so that switching off keeps nothing for longer."""

    async def work() -> None:
        async with await open_store(settings_for(db).store_url) as store:
            name = check_org(org)
            first = OrgMemory(name, enabled=False, budget_tokens=DEFAULT_BUDGET_TOKENS, keep_days=None)
            known = {one.org: one for one in await store.memories.settings()}.get(name, first)
            changes = {field: value for field, value in given.items() if value is not None}
            await store.memories.settle(replace(known, **changes), datetime.now(UTC))

    run(work())
