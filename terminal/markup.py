"""HTML from values: everything that is not markup already is escaped, so that no stored word can become a script."""

from collections.abc import Iterable
from typing import Any

from markupsafe import Markup, escape

__all__ = ["Markup", "div", "escape", "join", "link", "span", "tag"]

VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})


def tag(name: str, /, *children: Any, **attributes: Any) -> Markup:
    """Return an element; `class_` and `for_` stand for class and for, "_" in other names for "-".

    An attribute that is None or False is left out, one that is True has no value.
    """
    written = Markup("").join(_attribute(key, value) for key, value in attributes.items())
    # Names of elements and attributes are this program's own.
    head = Markup("<{}{}>").format(Markup(name), written)  # noqa: S704
    return head if name in VOID else head + join(children) + Markup("</{}>").format(Markup(name))  # noqa: S704


def _attribute(key: str, value: Any) -> Markup:
    if value is None or value is False:
        return Markup("")
    name = Markup(key.rstrip("_").replace("_", "-"))  # noqa: S704
    return Markup(" {}").format(name) if value is True else Markup(' {}="{}"').format(name, value)


def join(children: Iterable[Any], between: str = "") -> Markup:
    """Return several pieces as one; None is nothing."""
    return escape(between).join(escape(one) for one in children if one is not None)


def div(class_: str, /, *children: Any, **attributes: Any) -> Markup:
    """Return a block of a class."""
    return tag("div", *children, class_=class_, **attributes)


def span(class_: str, /, *children: Any, **attributes: Any) -> Markup:
    """Return words of a class."""
    return tag("span", *children, class_=class_, **attributes)


def link(href: str, /, *children: Any, **attributes: Any) -> Markup:
    """Return a link within the pages."""
    return tag("a", *children, href=href, **attributes)
