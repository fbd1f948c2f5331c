import pytest

from x25.nodes.org.checked import checked_request
from x25.routing.plan.org_settings import OrgSettings
from x25.state.errors import InvalidRequest


async def test_the_orgs_weights_count_where_a_request_names_none(services):
    settings = OrgSettings(optimize_for="cost-first")
    ours = await checked_request({"prompt": "hi"}, "acme", settings, services)
    own = await checked_request({"prompt": "hi", "optimize_for": "quality-first"}, "acme", settings, services)
    assert ours["optimize_for"]["cost"] == pytest.approx(0.7)
    assert own["optimize_for"]["quality"] == pytest.approx(0.8)


async def test_a_wrong_schema_is_refused_by_name(services):
    schema = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "no such type"}}}
    with pytest.raises(InvalidRequest) as caught:
        await checked_request(
            {"prompt": "hi", "options": {"response_format": schema}}, "acme", OrgSettings(), services
        )
    assert caught.value.field.startswith("options.response_format")
