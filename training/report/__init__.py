"""What does a reader open? One HTML file, charts drawn in it, nothing fetched from elsewhere."""

from .page import render, require_libraries, write_report

__all__ = ["render", "require_libraries", "write_report"]
