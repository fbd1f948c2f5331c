"""What an org may ask of a folder of training data."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from .errors import InvalidRequest

PersonalData = Literal["redact", "drop", "keep"]
BASE_MODEL = "unsloth/Llama-3.2-3B-Instruct"
BASE_MODELS = (
    "unsloth/Llama-3.2-3B-Instruct",
    "meta-llama/Llama-3.2-3B-Instruct",
    "unsloth/Llama-3.2-1B-Instruct",
)
"""One chat template and one set of layers, so one script fits them all; the first needs no licence to be clicked."""
HOW_TO_KEEP = (
    "prompts and answers are kept only with X25_STORE_PROMPTS=true and X25_CHECKPOINTS=exit or sync, for as long as "
    "X25_CHECKPOINT_DAYS says"
)
LEAST_QUALITY = 0.7
MOST_EXAMPLES = 20_000


@dataclass(frozen=True, slots=True)
class Gathering:
    """Which calls become examples, and what they are for."""

    min_quality: float = LEAST_QUALITY
    """A call's quality_score must be above it: .7 or more."""
    judged_only: bool = False
    """Leave out calls whose score is an estimate."""
    personal_data: PersonalData = "redact"
    """redact: put [email] and the like in its place; drop: leave such calls out; keep: do not look for it."""
    held_out_share: float = 0.1
    """Share of prompts kept for measuring, by the hash of the prompt."""
    min_examples: int = 50
    """Fewer are not worth training on: the job then says how many calls are missing."""
    max_examples: int = 5_000
    """The best and newest of more."""
    base_model: str = BASE_MODEL

    def __post_init__(self) -> None:
        """Check every field; InvalidRequest names the one that is wrong."""
        _require(LEAST_QUALITY <= self.min_quality < 1.0, "min_quality", "a number from 0.7 to below 1")
        _require(0.0 < self.held_out_share <= 0.5, "held_out_share", "a number above 0, at most 0.5")
        _require(
            2 <= self.min_examples <= self.max_examples, "min_examples", "at least 2, at most max_examples"
        )
        _require(self.max_examples <= MOST_EXAMPLES, "max_examples", f"at most {MOST_EXAMPLES:,}")
        _require(self.personal_data in get_args(PersonalData), "personal_data", "redact, drop or keep")
        _require(self.base_model in BASE_MODELS, "base_model", f"one of {', '.join(BASE_MODELS)}")

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)


def _require(is_so: bool, field: str, expected: str) -> None:
    if not is_so:
        raise InvalidRequest(f"{field} must be {expected}", field=field)
