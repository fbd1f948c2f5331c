import time

import pytest

from x25.routing.answer.code_blocks import MOST_PARSED_CHARS, broken_block, find_blocks

FENCE = "```"


def wrong(body, language="python", asked="", intro=""):
    return broken_block(list(find_blocks(f"{intro}\n{FENCE}{language}\n{body}\n{FENCE}")), asked)


@pytest.mark.parametrize(
    "body",
    [
        "elif x:\n    y()",
        "except KeyError:\n    pass",
        "case 3:\n    y()",
        "    def f(self):\n        pass\n\n    def g(self):\n        pass",
        "self.total += 1\n        self.count += 1",
        "def f(x: int) -> int",
        "@app.get('/')",
        "%timeit f()\n!ls\nx = 1",
        "model = load(<path to model>)",
        "options = {'a': 1, ...}",
        "train(model, ...)",
        "+new\n-old\n same",
        "Traceback (most recent call last):\n  File",
        "x = 3\n>>> x\n3",
        "{% if a %}b{% endif %}",
    ],
)
def test_a_part_of_a_program_is_no_broken_program(body):
    assert wrong(body) is None


@pytest.mark.parametrize(
    "body", ["def f(:\n    pass", "x = (1, 2", "for i in x\n    y()", "def f(x):\nreturn x"]
)
def test_a_broken_program_is_named(body):
    assert wrong(body).startswith("a Python block does not parse")


def test_an_unclosed_block_that_ends_in_the_middle_is_broken():
    assert broken_block(list(find_blocks(f"{FENCE}python\nfor x in y:"))) is not None
    assert wrong("for x in y:") is None


@pytest.mark.parametrize(
    "body",
    ['{"a": 1}\n{"a": 2}', '{\n "a": 1\n}\n\n{\n "b": 2\n}', '"a": 1,\n"b": 2', '{"a": [1, ...]}', '{"a": 1} // one',
     '{"id": 1},\n{"id": 2},', '{"id": <your id>}'],
)  # fmt: skip
def test_json_in_rows_in_parts_and_with_notes_is_not_broken(body):
    assert wrong(body, "json") is None


@pytest.mark.parametrize(
    "body", ["{'a': 1}", '{"a": 1', '{"a": 1 "b": 2}', "[1, 2", "{a: 1}", '{"a": 1,}', "[1 2]", '{"a": NaN}']
)
def test_broken_json_is_named_unless_a_dialect_was_asked_for(body):
    assert wrong(body, "json").startswith("a JSON block does not parse")
    assert wrong(body, "json", asked="Show it as JSON5.") is None


def test_what_is_shown_as_wrong_may_be_wrong():
    broken, whole = f"{FENCE}python\nf(\n{FENCE}", f"{FENCE}python\nf()\n{FENCE}"
    assert broken_block(list(find_blocks(f"Wrong:\n{broken}\nRight:\n{whole}"))) is None
    both = list(find_blocks(f"You have\n{broken}\nWrite\n{whole}"))
    assert broken_block(both) is not None
    assert broken_block(both, "Fix my call.") is None
    assert broken_block(list(find_blocks(broken)), "Fix my call.") is not None


def test_a_fence_is_closed_by_one_as_long():
    text = f"{FENCE}`markdown\n{FENCE}python\nf(\n{FENCE}\n{FENCE}`\nthen\n{FENCE}json\n[]\n{FENCE}"
    assert [(block.language, block.body, block.intro) for block in find_blocks(text)] == [
        ("json", "[]", "then")
    ]


@pytest.mark.parametrize(
    "body",
    ["x = [" + "1, " * 400_000, "(" * 900_000, "x = 1\n" * 200_000, "\n" * 900_000, "f(a b)\n" * 8_000,
     "lambda:" * 100_000, "with (" * 9_000, "a.b" * 200_000, "...," * 200_000, "<a" * 300_000, "-" * 59_000,
     "print 1\n" * 7_000, "{%" * 400_000, "if x:\n" * 9_000],
)  # fmt: skip
@pytest.mark.parametrize("language", ["python", "json"])
def test_a_million_characters_of_code_hold_nobody_up(language, body):
    """Within a quarter of a second, the longest that an event loop may be held."""
    blocks = [*find_blocks(f"{FENCE}{language}\n{body}\n{FENCE}")] * 2
    started = time.process_time()
    broken_block(blocks)
    assert time.process_time() - started < 0.25


def test_what_the_purse_does_not_pay_for_counts_as_parsed():
    assert wrong("f(\n" + "# note\n" * (MOST_PARSED_CHARS // 7)) is None
    assert wrong("f(\n" + "# note\n" * 100) is not None
