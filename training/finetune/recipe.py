"""How is a model trained on a folder? One record that both scripts carry, and the scripts made of one template."""

from dataclasses import asdict, dataclass
from pathlib import Path
from pprint import pformat
from typing import Any, Literal

Backend = Literal["unsloth", "peft"]
TEMPLATE = Path(__file__).parent / "templates" / "train.py"
MEMORY_NOTE = (
    "about 8 GB of GPU memory: 4-bit weights 2.4 GB, LoRA and its optimizer 0.4 GB, activations 4 to 5 GB"
)
TIME_NOTE = "about 45 minutes on a T4 (16 GB) for 1,000 examples and 3 passes; it grows with both"
_PLACES = ('BACKEND = "peft"', "SETTINGS: dict[str, Any] = {}")
"""The two lines of the template that are filled in."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings of a LoRA run (Hu et al., 2021) on a model loaded in 4 bits (Dettmers et al., 2023)."""

    base_model: str
    name: str
    """What the trained model is called."""
    max_seq_length: int = 2_048
    load_in_4bit: bool = True
    lora_rank: int = 16
    lora_alpha: int = 16
    lora_dropout: float = 0.0
    target_modules: tuple[str, ...] = (
        "q_proj",
        "k_proj",
        "v_proj",
        "o_proj",
        "gate_proj",
        "up_proj",
        "down_proj",
    )
    """Every linear layer of a block."""
    epochs: float = 3.0
    batch_size: int = 2
    gradient_accumulation: int = 4
    learning_rate: float = 2e-4
    warmup_steps: int = 5
    weight_decay: float = 0.01
    lr_scheduler: str = "linear"
    seed: int = 3407
    gguf_quantization: str = "q4_k_m"
    memory_note: str = MEMORY_NOTE
    time_note: str = TIME_NOTE

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON has them."""
        return {**asdict(self), "target_modules": list(self.target_modules)}


def script(recipe: Recipe, backend: Backend) -> str:
    """Return a script that runs alone: it needs its folder and the libraries its head names, nothing of ours."""
    text = TEMPLATE.read_text(encoding="utf-8")
    settings = pformat(recipe.to_dict(), width=100, sort_dicts=False)
    for place, line in zip(
        _PLACES, (f'BACKEND = "{backend}"', f"SETTINGS: dict[str, Any] = {settings}"), strict=True
    ):
        if text.count(place) != 1:
            raise ValueError(f"the template must hold {place!r} once")
        text = text.replace(place, line)
    return text
