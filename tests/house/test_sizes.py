"""Small files, small functions, small nodes."""

import ast
import inspect
import io
import tokenize
from pathlib import Path

import x25
from x25.graph import build

ROOT = Path(x25.__file__).parent
HIDDEN = {"build", "dist", "notebooks"}
FILES = sorted(
    path
    for path in ROOT.rglob("*.py")
    if not any(part[0] == "." or part in HIDDEN for part in path.relative_to(ROOT).parts)
)
TESTS = [path for path in FILES if path.is_relative_to(ROOT / "tests")]
CODE = [path for path in FILES if path not in TESTS]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
NOT_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}

LONGER_FILES = {
    "providers/gateway.py": (315, "2026-11-28: one walk, from its first deployment to why there is none"),
    "providers/keyring.py": (
        310,
        "2026-11-29: one ring of keys, and all that keeps one of them from being used",
    ),
    "api/schemas.py": (335, "2026-11-29: what callers send and get at the doors of calls, in one place"),
    "bench/side_by_side.py": (315, "2026-11-28: one command, from its rows to its table"),
    "graph/run.py": (380, "2026-11-28: every door's one function; what it calls has files of its own"),
    "graph/settings.py": (380, "2026-11-29: the only file that reads the environment, one entry a setting"),
    "state/working_memory.py": (325, "2026-11-28: a call's nouns after each node, read from top to bottom"),
    "state/errors.py": (490, "2026-11-29: one tree of errors in one file, drawn at its top"),
    "state/schema.py": (430, "2026-11-29: all tables in one picture; a table is declared nowhere else"),
    "client.py": (490, "2026-11-28: both agents and both constructor forms are spelled out for editors"),
}


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def code_lines(source):
    """Return the numbers of the lines that hold code: no blank line, comment or docstring."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    lines = {
        line
        for token in tokens
        if token.type not in NOT_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
    texts = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]
    return lines - {line for text in texts for line in range(text.lineno, (text.end_lineno or 0) + 1)}


def functions_of(path):
    """Return each function's name and its number of lines of code."""
    source = path.read_text()
    lines = code_lines(source)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, FUNCTIONS):
            yield node.name, len(lines & set(range(node.lineno, (node.end_lineno or 0) + 1)))


def longer(counts, limit, exceptions):
    """Return what is longer than its limit, and exceptions that are no longer needed."""
    limits = {name: limit for name, (limit, _) in exceptions.items()}
    return {
        name: count
        for name, count in counts.items()
        if count > limits.get(name, limit) or (name in limits and count <= limit)
    }


def lines_of(paths):
    return {name_of(path): len(path.read_text().splitlines()) for path in paths}


def test_files_have_at_most_300_lines():
    assert longer(lines_of(CODE), 300, LONGER_FILES) == {}


def test_test_files_have_at_most_500_lines():
    assert longer(lines_of(TESTS), 500, {}) == {}


def test_functions_have_at_most_40_lines_of_code():
    counts = {f"{name_of(path)}:{name}": count for path in CODE for name, count in functions_of(path)}
    assert longer(counts, 40, {}) == {}


def test_nodes_have_at_most_60_lines_of_code():
    files = {name: ROOT / "nodes" / f"{name}.py" for name in build.build_cascade({}).nodes}
    counts = {name: len(code_lines(path.read_text())) for name, path in files.items()}
    assert longer(counts, 60, {}) == {}


def test_the_picture_has_at_most_80_lines_of_code():
    assert len(code_lines(inspect.getsource(build))) <= 80


def test_docstrings_comments_and_blank_lines_are_not_counted():
    source = '"""One\n\ntwo."""\n\n# three\nx = 1  # four\n\n\n'
    source += 'def f():\n    """Five."""\n    return (\n        x\n    )\n'
    assert code_lines(source) == {6, 9, 11, 12, 13}
