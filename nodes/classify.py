"""Name the kind of work a prompt asks for."""

from typing import Any

from numpy.typing import NDArray

from ..routing.prompt.features import extract
from ..state.errors import EncoderUnavailable, ProviderError
from ..state.working_memory import Change, Inputs, Opened, Task
from .services import Services


async def classify(call: Opened, services: Services) -> Change:
    """Choose the task type from what the request looks like; the caller's hint wins."""
    features = extract(call.messages, call.options)
    embedding, missing = await _embed(features.text, services)
    seen = services.classifier.neutral_embedding if missing else embedding
    found = services.classifier.classify(features, seen, call.opening.hint)
    task = Task(
        type=found.task_type,
        cell=found.task_cell,
        confidence=round(found.confidence, 4),
        source=found.source,
        request_type=found.eight_type,
        prompt_tokens=features.prompt_tokens + (0 if call.recalled is None else call.recalled.tokens),
    )
    return Change(task=task, inputs=Inputs(embedding.tolist(), features.values.tolist(), missing))


async def _embed(text: str, services: Services) -> tuple[NDArray[Any], str | None]:
    """Return the vector of a text; without one, a vector that tells the difficulty nothing, and why."""
    try:
        return await services.encoder.embed(text), None
    except EncoderUnavailable as error:
        return services.difficulty.neutral_embedding, str(error)
    except ProviderError as error:  # of an encoder that somebody brought along
        return services.difficulty.neutral_embedding, error.code
