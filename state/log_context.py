"""Which call a line of the log belongs to."""

from contextvars import ContextVar

OF_CALL: ContextVar[tuple[str, str] | None] = ContextVar("x25_of_call", default=None)
"""Org and call id of what runs; None outside of any call."""
