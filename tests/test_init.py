import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import x25
from x25 import client, exceptions, response

LAZY = {"as_node", "build_cascade"}


def run(program, **env):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, **env)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_import_loads_httpx_and_the_standard_library_only():
    loaded = "import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    before = run("import httpx; " + loaded)
    after = run("import x25; " + loaded)
    assert set(after) - set(before) - sys.stdlib_module_names == {"x25"}


def test_import_loads_no_room_of_the_gateway():
    ours = run(
        "import sys, x25; print(*sorted(name for name in sys.modules if name.partition('.')[0] == 'x25'))"
    )
    assert ours == ["x25", "x25.client", "x25.exceptions", "x25.response"]


def test_all_lists_the_clients_names_and_the_lazy_ones():
    assert set(x25.__all__) == set(client.__all__) | LAZY
    for name in client.__all__:
        assert getattr(x25, name) is getattr(client, name)


def test_all_of_the_sdk_lists_every_public_class():
    public = {
        name
        for module in (client, exceptions, response)
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__ and not name.startswith("_")
    }
    assert set(client.__all__) == public


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'x25' has no attribute 'Agent'"):
        _ = x25.Agent


@pytest.fixture
def copy_of_the_face(tmp_path):
    """The real face and client over a graph room that needs one module nobody has."""
    package = tmp_path / "x25"
    (package / "graph").mkdir(parents=True)
    for name in ("__init__.py", "client.py", "exceptions.py", "response.py"):
        shutil.copy(Path(client.__file__).with_name(name), package / name)
    (package / "graph" / "__init__.py").touch()
    (package / "graph" / "build.py").write_text("import langgraph_is_not_here\n")
    (package / "graph" / "subgraph.py").write_text("def as_node(): ...\n")
    return tmp_path


def test_lazy_name_comes_from_the_graph_room(copy_of_the_face):
    assert run("from x25 import as_node; print(as_node.__module__)", cwd=copy_of_the_face) == [
        "x25.graph.subgraph"
    ]


def test_missing_gateway_package_names_the_extra_to_install(copy_of_the_face):
    program = "try:\n    from x25 import build_cascade\nexcept ImportError as error:\n    print(error)"
    sentence = (
        "x25.build_cascade needs 'langgraph_is_not_here', part of the gateway: pip install 'x25[gateway]'"
    )
    assert run(program, cwd=copy_of_the_face) == sentence.split()


def test_missing_module_of_our_own_is_not_blamed_on_the_extra(copy_of_the_face):
    (copy_of_the_face / "x25" / "graph" / "build.py").unlink()
    program = (
        "try:\n    import x25; x25.build_cascade\nexcept ModuleNotFoundError as error:\n    print(error.name)"
    )
    assert run(program, cwd=copy_of_the_face) == ["x25.graph.build"]
