"""How is each published format read? One file a format, all returning `training.data.outcomes.Outcomes`."""

from .kinds import KINDS, load, parse_dataset_argument

__all__ = ["KINDS", "load", "parse_dataset_argument"]
