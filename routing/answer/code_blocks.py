"""Fenced blocks of Python and JSON that plainly do not parse.

What people show in a fence is seldom a whole file: fragments, differences, notebook cells, JSON Lines, shortened lists.
Those are read for what they are; what is left broken is broken. Parsing is paid from a purse of characters.
"""

import ast
import json
import re
import textwrap
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

MOST_PARSED_CHARS = 60_000
"""Characters handed to the parsers for one answer, tries included: about a tenth of a second. What the purse does not
pay for counts as parsed."""
MOST_BLOCKS = 100
"""Blocks of one answer that are looked at, the first ones."""
_LANGUAGES = {"python", "py", "python3", "json"}
_FENCE = re.compile(r"(`{3,})(.*)")

_SHOWN_AS_WRONG = re.compile(
    r"\b(?:wrong|incorrect|invalid|broken|bad|before|original|fails?|error|don't|do not|not valid|not work|pseudo\w*"
    r"|python 2|faulty|buggy|your code|problem|falsch|fehler|vorher|incorrecto|erreur|avant)\b|❌|错误|間違",
    re.IGNORECASE,
)
_ASKS_ABOUT_BROKEN = re.compile(
    r"\b(?:fix|debug|bug|broken|syntax ?error|invalid|errors?|wrong|repair|correct|traceback)\b"
    r"|\bdoesn't (?:work|parse|compile)\b",
    re.IGNORECASE,
)
_ASKS_FOR_DIALECT = re.compile(
    r"json ?5|jsonc|jsonl|json ?lines|ndjson|hjson|comments?\b|trailing comma|tsconfig|eslintrc|devcontainer"
    r"|settings\.json|placeholder|template|pseudo|kommentar|commentaire|注释|コメント",
    re.IGNORECASE,
)
_ASKS_FOR_PYTHON_2 = re.compile(r"python ?2", re.IGNORECASE)
_PROMPT_LINE = re.compile(r"^([ \t]*)(?:[%!?].*|\$ .*)$", re.MULTILINE)
_PLACEHOLDER = re.compile(r"<[A-Za-z_][\w .-]{0,40}>|\{\{[^{}\n]{0,60}\}\}")
_FIRST_WORD = re.compile(r"[ \t\n]*([a-z]+)")
_CONTINUES = {
    "else": "if x:\n    pass\n",
    "elif": "if x:\n    pass\n",
    "except": "try:\n    pass\n",
    "finally": "try:\n    pass\n",
}
_SESSION = re.compile(r"^[ \t]*>>> ", re.MULTILINE)
_NO_PROGRAM = ("Traceback", "@@ ", "--- ", "diff ")
_FOREIGN_MARKS = ("{%", "<<<<<<<")
_LEFT_OUT = re.compile(r",\s{0,9}\.\.\.(?=\s{0,9}[)\]}])|(?<=[(\[{,])\s{0,9}\.\.\.(?=[)\]},])|\.\.\.\s{0,9},")
_EXCHANGE = re.compile(r"\s*(?:HTTP/|(?:GET|POST|PUT|PATCH|DELETE) /|curl |\$ )")
_OUTER_DOTS = re.compile(r"\A\s*\.\.\.\s*\n|\n\s*\.\.\.\s*\Z")
_LINE_COMMENT = re.compile(r"(^|[\s,{\[])(?://|#)[^\n]*", re.MULTILINE)
_BLOCK_COMMENT = re.compile(r"/\*[^*]{0,2000}\*/")
_BETWEEN = re.compile(r"[\s,]*")
_SIGNATURE = re.compile(r"(?:async )?(?:def|class) [^\n:]+(?:[^\n]*[^\n:,(])?")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block in Python or JSON."""

    language: str
    body: str
    intro: str
    """The line of text before it."""
    is_closed: bool


@dataclass(slots=True)
class _Purse:
    left: int = MOST_PARSED_CHARS

    def pays(self, text: str) -> bool:
        """Take the price of parsing `text`; False when the purse does not hold it."""
        self.left -= len(text)
        return self.left >= 0


def find_blocks(text: str) -> Iterator[Block]:
    """Yield the first hundred fenced blocks in Python or JSON; an unclosed one runs to the end."""
    return islice(_blocks(text), MOST_BLOCKS) if "```" in text else iter(())


def _blocks(text: str) -> Iterator[Block]:
    fence, language, intro, body = "", "", "", list[str]()
    for line in text.split("\n"):
        mark = line.strip()
        found = _FENCE.fullmatch(mark) if mark.startswith("```") else None
        if not fence:
            if found is not None:
                fence, language, body = found[1], found[2].strip().lower(), []
            elif mark:
                intro = mark
        elif found is not None and len(found[1]) >= len(fence) and not found[2]:
            if language in _LANGUAGES:
                yield Block(language, _dedented("\n".join(body)), intro, is_closed=True)
            fence, intro = "", ""
        else:
            body.append(line)
    if fence and language in _LANGUAGES:
        yield Block(language, _dedented("\n".join(body)), intro, is_closed=False)


def _dedented(body: str) -> str:
    """Return the block without the indentation of a list it stands in; one too long to be parsed as it is."""
    return body if len(body) > MOST_PARSED_CHARS else textwrap.dedent(body)


def broken_block(blocks: list[Block], asked: str = "") -> str | None:
    """Return what is wrong with the first block that does not parse, as a sentence; None where all do.

    `asked` is the request: where it is about broken code, only the last block must parse, and where it asks for a
    dialect of JSON, nothing is known of JSON. Raises nothing.
    """
    purse = _Purse()
    is_about_broken = bool(_ASKS_ABOUT_BROKEN.search(asked))
    for index, block in enumerate(blocks):
        if len(block.body) > purse.left:
            continue
        if _SHOWN_AS_WRONG.search(block.intro[-200:]) or (is_about_broken and index < len(blocks) - 1):
            continue
        wrong = (
            _json_wrong(block, asked, purse)
            if block.language == "json"
            else _python_wrong(block, asked, purse)
        )
        if wrong is not None:
            return wrong
    return None


def _forbid(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def parse_json(text: str) -> Any:
    """Return the value of strict JSON (no NaN, no Infinity); ValueError says what is wrong."""
    try:
        return json.loads(text, parse_constant=_forbid)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _json_wrong(block: Block, asked: str, purse: _Purse) -> str | None:
    first = _json_error(block.body, purse)
    if first is None or _ASKS_FOR_DIALECT.search(asked) or _EXCHANGE.match(block.body):
        return None
    plain = _LINE_COMMENT.sub(r"\1", _BLOCK_COMMENT.sub("", block.body)).replace("…", "...")
    plain = _OUTER_DOTS.sub("", plain)
    plain = _PLACEHOLDER.sub("null", _LEFT_OUT.sub("", plain)).strip()
    inner = "{" + plain.rstrip(",") + "}" if plain.startswith('"') else plain
    if _json_error(inner, purse) is None or _is_row_of_json(plain, purse):
        return None
    return f"a JSON block does not parse: {first}"


def _is_row_of_json(text: str, purse: _Purse) -> bool:
    """Return whether the text is several objects or lists one after another: JSON Lines, or part of a list."""
    decoder, position = json.JSONDecoder(parse_constant=_forbid), 0
    if not purse.pays(text):
        return True
    try:
        while position < len(text):
            if text[position] not in "{[":
                return False
            _, position = decoder.raw_decode(text, position)
            position = _BETWEEN.match(text, position).end()  # type: ignore[union-attr]  # it matches nothing, too
    except (ValueError, RecursionError):
        return False
    return True


def _json_error(text: str, purse: _Purse) -> str | None:
    if not purse.pays(text):
        return None
    try:
        parse_json(text)
    except ValueError as error:
        return str(error)
    return None


def _python_wrong(block: Block, asked: str, purse: _Purse) -> str | None:
    body = block.body
    # A recorded session, a traceback, a difference or a template is no program.
    if body.lstrip().startswith(_NO_PROGRAM) or _SESSION.search(body) or _is_difference(body):
        return None
    if any(mark in body for mark in _FOREIGN_MARKS):
        return None
    first = _python_error(body, purse)
    if first is None or _ASKS_FOR_PYTHON_2.search(asked):
        return None
    if any(_python_error(shape, purse) is None for shape in _python_shapes(block)):
        return None
    return f"a Python block does not parse: {first}"


def _python_shapes(block: Block) -> Iterator[str]:
    """Yield programs of which the block may be a fragment."""
    plain = _PLACEHOLDER.sub("x", _PROMPT_LINE.sub(r"\1pass", block.body)).replace("…", "...").strip("\n")
    plain = _LEFT_OUT.sub("", plain)
    yield plain
    word = _FIRST_WORD.match(plain)
    if word is not None and word[1] in _CONTINUES:
        yield _CONTINUES[word[1]] + plain
    if word is not None and word[1] == "case":
        yield "match x:\n" + textwrap.indent(plain, "    ")
    if plain[:1] in {" ", "\t"}:
        yield "if x:\n" + plain
    if "\n" in plain.strip():
        # The first line lost its indentation when the fragment was cut out.
        first, _, rest = plain.strip().partition("\n")
        yield first + "\n" + textwrap.dedent(rest)
    end = plain.rstrip()
    if block.is_closed and end.endswith(":"):
        yield end + " pass"
    if block.is_closed and _SIGNATURE.fullmatch(end):
        yield end + ": pass"
    if block.is_closed and end.rpartition("\n")[2].lstrip().startswith("@"):
        yield end + "\ndef f(): pass"


def _is_difference(body: str) -> bool:
    lines = [line for line in body.split("\n") if line.strip()]
    marked = sum(line[0] in "+-" for line in lines)
    return marked > 0 and all(line[0] in "+- " for line in lines)


def _python_error(text: str, purse: _Purse) -> str | None:
    if not purse.pays(text):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError) as error:
        return str(error)
    except (RecursionError, MemoryError):  # nested beyond this parser; nothing is known
        return None
    return None
