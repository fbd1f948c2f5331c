"""Library code prints nothing, hides no failure and reads the environment in one place."""

import ast
from pathlib import Path

import x25

ROOT = Path(x25.__file__).parent
ROOMS = (
    "api",
    "cli",
    "demo",
    "graph",
    "nodes",
    "providers",
    "routing",
    "simulator",
    "state",
    "training",
    "bench",
)
FILES = [*sorted(ROOT.glob("*.py")), *sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))]
SILENT = [path for path in FILES if path.relative_to(ROOT).parts[0] not in {"bench", "training"}]
BROAD = {"Exception", "BaseException"}

BROAD_HANDLERS = {
    "graph/checkpoints.py": (
        1,
        "2026-11-28: storages share no base class; what is not a storage's is raised again",
    ),
    "graph/execution/walk.py": (
        1,
        "2026-11-28: what a node raises is kept beside its checkpoint and raised again",
    ),
    "graph/memory/store_memories.py": (
        1,
        "2026-11-28: the store may be an agent's own; whatever it raises costs the memory, not the call",
    ),
    "graph/memory/losses.py": (
        2,
        "2026-11-28: a checkpoint that cannot be written costs no call; one that cannot be read is a named failure",
    ),
    "graph/recovery.py": (
        2,
        "2026-11-28: what one interrupted call meets is kept with it, and stops neither the others nor the next look",
    ),
    "graph/retention.py": (
        1,
        "2026-11-28: storages share no base class; what is not a storage's is raised again",
    ),
    "providers/langchain.py": (
        2,
        "2026-11-28: vendors' libraries share no base class; becomes a named failure",
    ),
    "providers/sparing_encoder.py": (
        1,
        "2026-11-28: libraries that load weights share no base class; becomes a named failure, and no call's",
    ),
    "state/postgres_driver.py": (
        1,
        "2026-11-28: what a transaction raised that nobody waits for is kept for who asks",
    ),
    "state/sqlite_driver.py": (1, "2026-11-28: whatever one work of a group raises is undone alone"),
    "state/sqlite_thread.py": (
        1,
        "2026-11-28: whatever a work raises is told its caller, and the thread goes on",
    ),
    "state/store.py": (1, "2026-11-20: closes a half-opened database and raises again"),
}
ENVIRONMENT_READERS = {
    "graph/settings.py": "the one place where settings are read",
    "graph/__init__.py": "2026-11-20: a default for langgraph's serializer, set before its first import",
    "bench/contestants.py": "2026-11-28: passes the environment to the proxy it starts, less the providers' keys",
    "graph/key_files.py": "2026-11-28: the file of provider keys, read again while the gateway runs",
    "demo/gateway.py": "2026-11-20: passes the environment to the gateway process it starts, less our settings",
}


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def parsed(path):
    return ast.parse(path.read_text())


def broad_handlers(tree):
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or any(isinstance(name, ast.Name) and name.id in BROAD for name in ast.walk(node.type))
        )
    ]


def reads_environment(tree):
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    called = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return bool(names & {"environb", "getenv"} or called & {"dotenv_values"} or _uses_os_environ(tree))


def _uses_os_environ(tree):
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == "environ"
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
        for node in ast.walk(tree)
    )


def test_library_code_does_not_print():
    prints = [
        f"{name_of(path)}:{node.lineno}"
        for path in SILENT
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert prints == []


def test_no_handler_catches_everything():
    counts = {name_of(path): len(broad_handlers(parsed(path))) for path in FILES}
    allowed = {name: count for name, (count, _) in BROAD_HANDLERS.items()}
    assert {name: count for name, count in counts.items() if count} == allowed


def test_environment_is_read_in_one_place():
    assert {name_of(path) for path in FILES if reads_environment(parsed(path))} == ENVIRONMENT_READERS.keys()


def test_bare_and_nested_broad_handlers_are_found():
    kinds = (" (ValueError, Exception)", "", " OSError")
    source = "".join(f"try: f()\nexcept{kind}: pass\n" for kind in kinds)
    assert [handler.lineno for handler in broad_handlers(ast.parse(source))] == [2, 4]
