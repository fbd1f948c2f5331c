"""The report a reader opens: one HTML file, charts drawn in it, nothing fetched from elsewhere."""

from .page import render, write_report

__all__ = ["render", "write_report"]
