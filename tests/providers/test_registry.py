import pytest
import yaml

from x25.providers.registry import Registry, load_judges, load_registry, wanted_variables
from x25.state.errors import ConfigError, NotFound

ADDRESS = "an address such as http://localhost:8001/v1"


def write(folder, mapping, name=None):
    folder.mkdir(exist_ok=True)
    path = folder / (name or mapping["model_id"].replace("/", "--") + ".yaml")
    path.write_text(yaml.safe_dump(mapping), encoding="utf-8")
    return path


def has_all(_name):
    return True


def test_adding_a_file_makes_the_model_routable(tmp_path, mapping):
    write(tmp_path, mapping())
    assert [spec.model_id for spec in load_registry(tmp_path).routable(has_all)] == ["acme/small"]
    write(tmp_path, mapping(model_id="acme/new"), "new.yml")
    assert [spec.model_id for spec in load_registry(tmp_path).routable(has_all)] == ["acme/new", "acme/small"]


def test_a_later_folder_wins(tmp_path, mapping):
    write(tmp_path / "bundled", mapping())
    write(tmp_path / "own", mapping(context_tokens=999))
    assert load_registry(tmp_path / "bundled", tmp_path / "own").get("acme/small").context_tokens == 999


def test_two_files_of_one_folder_for_one_model_are_both_named(tmp_path, mapping):
    write(tmp_path, mapping(), "a.yaml")
    write(tmp_path, mapping(), "b.yaml")
    with pytest.raises(ConfigError, match=r"acme/small is described twice: in .*a\.yaml and .*b\.yaml"):
        load_registry(tmp_path)


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "bad.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"bad\.yaml cannot be read as YAML"):
        load_registry(tmp_path)


def test_all_faults_of_all_files_are_told_at_once_with_file_key_and_line(tmp_path):
    (tmp_path / "one.yaml").write_text(
        "# mine\nmodel_id: a/one\ntier: huge\nbase_url: http://localhost:9/v1\n"
        "prices:\n  input_usd_per_mtok: 1\n  output_usd_per_mtok: cheap\n",
        encoding="utf-8",
    )
    (tmp_path / "two.yaml").write_text("model_id: a/two\n\nteir: slm\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_registry(tmp_path)
    told = str(caught.value).splitlines()
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    assert told == [
        f"{one}, line 3: tier must be one of slm, mid, frontier, got 'huge'",
        f"{one}, line 7: prices.output_usd_per_mtok must be a number >= 0, got 'cheap'",
        f"{two}, line 3: unknown key 'teir'; did you mean 'tier'?",
        f"{two}, line 1: base_url must be {ADDRESS}, or deployments be listed, got nothing",
    ]


def test_a_file_cannot_build_python_objects(tmp_path):
    (tmp_path / "evil.yaml").write_text("!!python/object/apply:os.getcwd []", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be read as YAML"):
        load_registry(tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ConfigError, match="absent does not exist"):
        load_registry(tmp_path / "absent")


def test_a_model_is_found_by_id_and_alias_and_a_typo_names_the_nearest(model):
    registry = Registry([model(aliases=["little"]), model(model_id="acme/large")])
    assert registry.get("little") is registry.get("acme/small")
    with pytest.raises(NotFound, match=r"no model is called 'acme/smal'; did you mean 'acme/small'\?"):
        registry.get("acme/smal")
    with pytest.raises(NotFound, match="the registry is empty"):
        Registry([]).get("x")


def test_one_name_cannot_mean_two_models(model):
    with pytest.raises(ConfigError, match="'acme/small' names both"):
        Registry([model(), model(model_id="acme/large", aliases=["acme/small"])])


def test_what_is_left_out_of_routing_says_why(model):
    registry = Registry(
        [
            model(),
            model(model_id="a/keyless", deployments=[{"name": "d", "base_url": "http://u"}]),
            model(model_id="a/unpriced", prices=None),
            model(model_id="a/judge", role="judge"),
            model(
                model_id="a/local",
                deployments=[{"name": "d", "base_url": "http://u", "enabled_by": "LOCAL_URL"}],
            ),
        ]
    )
    assert [spec.model_id for spec in registry.routable(lambda _name: False)] == ["a/keyless"]
    assert registry.unroutable(lambda _name: False) == {
        "acme/small": "set ACME_API_KEY",
        "a/unpriced": "its price is not known",
        "a/judge": "it is a judge",
        "a/local": "set LOCAL_URL",
    }
    names = {spec.model_id for spec in registry.routable({"ACME_API_KEY", "LOCAL_URL"}.__contains__)}
    assert names == {"acme/small", "a/keyless", "a/local"}


def test_a_model_without_a_price_is_never_taken_for_free(model):
    unpriced = model(model_id="a/unpriced", prices={"input_usd_per_mtok": 1, "output_usd_per_mtok": None})
    assert Registry([unpriced]).routable(lambda _name: True) == []
    for cost in (unpriced.expected_cost_nusd, unpriced.bound_cost_nusd):
        with pytest.raises(ConfigError, match="a/unpriced has no price"):
            cost(1_000)


def test_wanted_variables_are_named_once(model):
    twice = [{"name": name, "base_url": "http://u", "key_env": ["K1", "K2"]} for name in ("d", "e")]
    assert wanted_variables(model(deployments=twice)) == ["K1", "K2"]


def test_the_reference_is_the_frontier_model_of_median_price(model):
    def priced(model_id, tier, price):
        return model(
            model_id=model_id, tier=tier, prices={"input_usd_per_mtok": 1, "output_usd_per_mtok": price}
        )

    small, mid = priced("a/s", "slm", 90), priced("a/m", "mid", 95)
    cheap, usual, dear = (priced(f"a/{price}", "frontier", price) for price in (10, 15, 50))
    assert Registry.reference([small, dear, mid, cheap, usual]) is usual
    assert Registry.reference([cheap, usual]) is cheap
    assert Registry.reference([mid, small]) is small
    with pytest.raises(ValueError, match="at least one model"):
        Registry.reference([])


@pytest.mark.slow
def test_three_hundred_files_load_and_can_be_routed_to(tmp_path, mapping):
    for number in range(300):
        write(tmp_path, mapping(model_id=f"acme/model-{number}"))
    registry = load_registry(tmp_path)
    assert len(registry.routable(lambda name: True)) == 300
    assert registry.get("acme/model-299").model_id == "acme/model-299"


def test_judges_are_read_in_their_order(tmp_path):
    path = tmp_path / "judges.yaml"
    path.write_text("judges: [b/two, a/one]")
    assert load_judges(path) == ["b/two", "a/one"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("judges: []", "judges must be a list of model ids, best first, got "),
        ("judges: a/one", "judges must be a list of model ids, best first, got 'a/one'"),
        ("jugdes: [a/one]", "unknown key 'jugdes'; did you mean 'judges'"),
        ("[a/one]", "the file must be a mapping"),
    ],
)
def test_a_wrong_judges_file_names_file_and_key(tmp_path, content, complaint):
    path = tmp_path / "judges.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=rf"judges\.yaml: {complaint}"):
        load_judges(path)
