"""Characters that were cut in two: UTF-16 halves at the ends of two pieces of a text."""

import re

_HALF = re.compile("[\ud800-\udfff]")


class Halves:
    """Keeps the first half of a character until the piece with the other one comes, for each text of an answer."""

    def __init__(self) -> None:
        self._held: dict[object, str] = {}

    def join(self, name: object, text: str) -> str:
        """Return a piece of the text called `name`, with what its last piece kept, without half a character."""
        if text.isascii() and not self._held:
            return text
        text = self._held.pop(name, "") + text
        if text and "\ud800" <= text[-1] <= "\udbff":
            self._held[name], text = text[-1], text[:-1]
        if _HALF.search(text):
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return text

    def rest(self) -> dict[object, str]:
        """Return what stands for the halves whose other one never came, by text."""
        held, self._held = self._held, {}
        return dict.fromkeys(held, "\ufffd")
