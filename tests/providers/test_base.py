from x25.providers.base import ProviderRequest


def test_a_request_does_not_show_its_key(model):
    spec = model()
    request = ProviderRequest(spec, spec.deployments[0], {}, "att-1", 5.0, api_key="sk-secret")
    assert "sk-secret" not in repr(request)
