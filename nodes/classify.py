"""Name the kind of work a prompt asks for."""

from ..routing.prompt.features import extract
from ..state.working_memory import Change, Inputs, Opened, Task
from .services import Services


async def classify(call: Opened, services: Services) -> Change:
    """Choose the task type from what the request looks like; the caller's hint wins."""
    features = extract(call.messages, call.options)
    embedding = await services.encoder.embed(features.text)
    found = services.classifier.classify(features, embedding, call.opening.hint)
    task = Task(
        type=found.task_type,
        cell=found.task_cell,
        confidence=round(found.confidence, 4),
        source=found.source,
        request_type=found.eight_type,
        prompt_tokens=features.prompt_tokens,
    )
    return Change(task=task, inputs=Inputs(embedding.tolist(), features.values.tolist()))
