"""Questions about a fact that the request must hold: nobody can work the answer out, and no model knows it."""

import re

ASKED = re.compile(r"What is the ([a-z]+(?: [a-z]+)?) of ([A-Z]\w+)\? Give the value\.")
_TOLD = r"The {kind} of (\w+) is ([\w-]+)\."


def told(kind: str, name: str, value: str) -> str:
    """Return the sentence that states a fact."""
    return f"The {kind} of {name} is {value}."


def ask(kind: str, name: str) -> str:
    """Return the question whose answer the sentence is."""
    return f"What is the {kind} of {name}? Give the value."


def looked_up(prompt: str) -> tuple[str | None, tuple[str, ...]] | None:
    """Return what a prompt says of the thing it asks about, and of others; None for a prompt that asks nothing so.

    The first is None where it says nothing of it.
    """
    found = list(ASKED.finditer(prompt))
    if not found:
        return None
    asked = found[-1]  # what stands before may quote earlier ones
    values = dict(re.findall(_TOLD.format(kind=asked[1]), prompt))
    truth = values.pop(asked[2], None)
    return truth, tuple(values.values())
