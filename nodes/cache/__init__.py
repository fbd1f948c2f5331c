"""Answers that are given again: for which request, by which rules, and from where."""
