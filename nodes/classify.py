"""Name the kind of work a prompt asks for."""

from ..routing.classifier import classify as classify_features
from ..routing.features import extract
from ..state.types import CascadeState
from .services import Services


async def classify(state: CascadeState, services: Services) -> CascadeState:  # noqa: ARG001 - every node has both
    """Choose the task type from cheap features of the request; the caller's hint wins."""
    features = extract(state["messages"], state["options"])
    task = classify_features(features, state["hint"])
    return CascadeState(
        task_type=task.task_type,
        task_cell=task.task_cell,
        task_confidence=round(task.confidence, 4),
        task_source=task.source,
        prompt_tokens=features.prompt_tokens,
        features=features.values.tolist(),
    )
