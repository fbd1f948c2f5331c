"""Name the kind of work a prompt asks for."""

from ..routing.prompt.features import extract
from ..state.types import CascadeState
from .services import Services


async def classify(state: CascadeState, services: Services) -> CascadeState:
    """Choose the task type from what the request looks like; the caller's hint wins."""
    features = extract(state["messages"], state["options"])
    embedding = await services.encoder.embed(features.text)
    task = services.classifier.classify(features, embedding, state["hint"])
    return CascadeState(
        task_type=task.task_type,
        task_cell=task.task_cell,
        task_confidence=round(task.confidence, 4),
        task_source=task.source,
        request_type=task.eight_type,
        prompt_tokens=features.prompt_tokens,
        features=features.values.tolist(),
        embedding=embedding.tolist(),
    )
