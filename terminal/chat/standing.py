"""Questions about how things are: models, prices, stage, beliefs, judges, the audit chain, keys."""

from decimal import Decimal

from ...api.routes.thompson import thompson
from ...routing.belief.judge_agreement import judge_report
from ...routing.belief.stage import STAGE_NAMES
from ..alerts import alerts_of, providers_down
from ..figures import read_home, reference_name, stage_now
from ..formats import number, percent
from .answers import Answer, Rows, Scope

CHOOSE = "Each organisation has its own: choose one above, or name it."


async def reference(scope: Scope) -> Answer:
    """What savings are measured against."""
    name = await reference_name(scope.cascade.services, scope.org)
    others = " Organisations may have named another: choose one above." if scope.org is None else ""
    words = (
        f"Savings are measured against {name}: what the same tokens would have cost there, less "
        f"everything paid, judging included.{others}"
    )
    source = f"settings and the registry of models; {scope.whose}"
    return Answer(words, source, page="./", figures={"model": name})


async def stage(scope: Scope) -> Answer:
    """How far an org's learning has come."""
    source = f"calls on record; {scope.whose}"
    if scope.org is None:
        return Answer(CHOOSE, source)
    found = await stage_now(scope.cascade.services, scope.org)
    then = (
        f"{number(found.calls_to_next_stage)} more open {STAGE_NAMES[found.stage]}."
        if found.calls_to_next_stage
        else "Nothing is left to unlock."
    )
    words = (
        f"{scope.org} is at stage {found.stage}, {found.name}, after {number(found.total_calls)} calls. "
        f"{then}"
    )
    return Answer(words, source, figures={"stage": found.stage, "calls": found.total_calls})


async def prices(scope: Scope) -> Answer:
    """What models cost."""
    services = scope.cascade.services
    specs = services.models if scope.org is None else services.models_of(scope.org)
    wanted = [
        one.priced_at(services.now()) for one in specs.values() if scope.asked.model in (None, one.model_id)
    ]
    ordered = sorted(wanted, key=lambda one: -float(one.output_usd_per_mtok))
    rows = Rows(("Model", "Tier", "$ per million tokens in", "out"), [
        (one.model_id, one.tier, _price(one.input_usd_per_mtok), _price(one.output_usd_per_mtok)) for one in ordered
    ])  # fmt: skip
    first, last = ordered[0], ordered[-1]
    least = (
        f"{last.model_id} the least, {_price(last.input_usd_per_mtok)} in and "
        f"{_price(last.output_usd_per_mtok)} out"
    )
    words = (
        f"{first.model_id} costs ${float(first.input_usd_per_mtok):,.2f} per million tokens in and "
        f"${float(first.output_usd_per_mtok):,.2f} out"
        + ("." if len(ordered) == 1 else f", the most of {len(ordered)} models; {least}.")
    )
    return Answer(words, "the registry of models, prices of now", rows, figures={"models": len(ordered)})


async def models(scope: Scope) -> Answer:
    """Which models there are."""
    services = scope.cascade.services
    specs = services.models if scope.org is None else services.models_of(scope.org)
    wanted = [one for one in specs.values() if scope.asked.tier in (None, one.tier)]
    rows = Rows(("Model", "Tier", "Answers from"), [
        (one.model_id, one.tier, ", ".join(way.name for way in one.deployments)) for one in wanted
    ])  # fmt: skip
    return Answer(
        f"{len(wanted)} models can be asked{scope.narrowed}.",
        "the registry of models",
        rows,
        figures={"models": len(wanted)},
    )


async def routers(scope: Scope) -> Answer:
    """Which router configs there are."""
    services = scope.cascade.services
    direct = {name for spec in services.models.values() for name in (spec.model_id, *spec.aliases)}
    found = [one for name, one in services.routers.items() if name not in direct]
    rows = Rows(("Router config", "Rule", "Models"), [
        (one.name, one.strategy, ", ".join(one.models) if one.models else "all") for one in found
    ])  # fmt: skip
    return Answer(
        f"There are {len(found)} router configs.",
        "the registry of routers",
        rows,
        "routing",
        {"routers": len(found)},
    )


async def judge_strength(scope: Scope) -> Answer:
    """How far judges agree with labels."""
    source = f"labels of judged answers; {scope.whose}"
    if scope.org is None:
        return Answer(CHOOSE, source)
    services = scope.cascade.services
    counts = await services.store.judge_tables.counts(scope.org, services.judge_table.edges)
    reports = [judge_report(name, services.judge_table, one.right, one.wrong) for name, one in counts.items()]
    if not reports:
        name = "none" if services.judge is None else services.judge.name
        return Answer(
            f"The judge is {name}. No answer it scored was labelled, so how good it is was not "
            "measured here.",
            source,
            figures={"labels": 0},
        )
    rows = Rows(("Judge", "Labels", "AUC in use", "May escalate"), [
        (one.judge, number(one.labels), f"{one.served_auc:.2f}", "yes" if one.is_trusted else "no") for one in reports
    ])  # fmt: skip
    first = reports[0]
    words = (
        f"{first.judge} scores a right answer above a wrong one with probability {first.served_auc:.2f}, "
        f"as far as {number(first.labels)} labels tell."
    )
    return Answer(words, source, rows, figures={"auc": first.served_auc})


async def audit(scope: Scope) -> Answer:
    """Whether the audit chain is intact."""
    chain = scope.cascade.services.store.audit
    found = (
        await chain.verify_all(only_new=True) if scope.org is None else [await chain.verify_new(scope.org)]
    )
    broken = [one for one in found if not one.intact]
    entries = sum(one.total_records for one in found)
    words = (
        f"The audit chain of {scope.whose} is intact: {number(entries)} entries."
        if not broken
        else f"The audit chain of {broken[0].org} is broken: {broken[0].reason}."
    )
    return Answer(
        words,
        "the audit chain, walked since it was last found whole",
        figures={"entries": entries, "broken": len(broken)},
    )


async def alerts(scope: Scope) -> Answer:
    """What needs looking at."""
    services = scope.cascade.services
    home = await read_home(services, scope.org, services.now().date())
    found = await alerts_of(scope.cascade, scope.org, home)
    source = f"budgets, quality, drift, providers, judges; {scope.whose}"
    if not found:
        return Answer("Nothing needs looking at.", source, page="./", figures={"alerts": 0})
    rows = Rows(
        ("When", "What", "What to do"),
        [({"bad": "now", "warn": "soon"}[one.level], one.words, one.advice) for one in found],
    )
    return Answer(f"{len(found)} things need looking at.", source, rows, "./", {"alerts": len(found)})


async def beliefs(scope: Scope) -> Answer:
    """What is believed of the tiers."""
    source = f"posteriors; {scope.whose}"
    if scope.org is None:
        return Answer(CHOOSE, source)
    found = (await thompson(scope.org, scope.cascade, None)).arms
    rows = Rows(("Tier", "Believed to pass", "Observations"), [
        (one.tier, percent(one.mean_reward), number(one.selection.observations)) for one in found
    ])  # fmt: skip
    best = max(found, key=lambda one: one.mean_reward)
    words = f"{best.tier} is believed to pass most often: {percent(best.mean_reward)} of its answers."
    return Answer(words, source, rows, figures={one.tier: one.mean_reward for one in found})


async def drift(scope: Scope) -> Answer:
    """Which models were found changed."""
    source = f"drift detectors; {scope.whose}"
    if scope.org is None:
        return Answer(CHOOSE, source)
    found = await scope.cascade.services.store.labelled.alarms(scope.org)
    if not found:
        return Answer("No model was found changed.", source, figures={"drifts": 0})
    rows = Rows(
        ("Model", "Found on", "Times"),
        [(one.model_id, f"{one.at:%Y-%m-%d}", number(one.count)) for one in found],
    )
    return Answer(f"{len(found)} models were found changed.", source, rows, figures={"drifts": len(found)})


async def health(scope: Scope) -> Answer:
    """Which providers fail."""
    found = providers_down(scope.cascade.services)
    words = (
        " ".join(f"{one.words}." for one in found)
        or "No model is failing: the next request to each is expected to be answered."
    )
    return Answer(words, "recent requests of this process", page="mission", figures={"down": len(found)})


async def keys(scope: Scope) -> Answer:
    """How many keys there are."""
    services = scope.cascade.services
    found = await services.store.keys.list(scope.org)
    good = [
        one
        for one in found
        if one.revoked_at is None and (one.expires_at is None or one.expires_at > services.now())
    ]
    words = f"{scope.whose.capitalize()} has {len(good)} keys that are good, of {len(found)} ever made."
    return Answer(
        words, f"the keys; {scope.whose}", page="keys", figures={"good": len(good), "all": len(found)}
    )


async def orgs(scope: Scope) -> Answer:
    """Which organisations the asker sees."""
    found = scope.viewer.visible(await scope.cascade.services.store.orgs.list())
    rows = Rows(("Organisation",), [(one,) for one in found])
    return Answer(
        f"You see {len(found)} organisations.", "the organisations", rows, "./", {"orgs": len(found)}
    )


def _price(usd_per_mtok: Decimal) -> str:
    return f"${float(usd_per_mtok):,.2f}"
