from x25.nodes.offers.evidence import observed_by
from x25.routing.belief.thompson import combine


async def test_what_selection_reads_is_what_the_org_saw_in_the_cell_and_beyond(walk, services, teach):
    call = await walk("thompson_select")
    await teach(services.store, "mid", org=call.org, cell=call.task.cell)
    observed = await observed_by(call, services)
    cells, pooled = await services.store.posteriors.read_levels(call.org, call.task.cell)
    assert observed.cells == cells
    assert observed.combined == combine(cells, pooled, services.learner, 0)
    assert observed.combined


async def test_another_org_saw_nothing_of_it(walk, services, teach):
    await teach(services.store, "mid", org="umbrella")
    observed = await observed_by(await walk("thompson_select"), services)
    assert (observed.cells, observed.pooled, observed.combined) == ({}, {}, {})
