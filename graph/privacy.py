"""Which parts of a call never reach a checkpoint."""

from typing import Annotated

from langgraph.channels import UntrackedValue

from ..state.types import CascadeState, JSONObject


class PrivateCascadeState(CascadeState, total=False):
    """The same memory with every channel that holds words of the caller or of a model kept out of checkpoints."""

    prompt: Annotated[str, UntrackedValue(str)]  # type: ignore[misc]
    messages: Annotated[list[JSONObject], UntrackedValue(list)]  # type: ignore[misc]
    options: Annotated[JSONObject, UntrackedValue(dict)]  # type: ignore[misc]
    held: Annotated[list[JSONObject], UntrackedValue(list)]  # type: ignore[misc]
    text: Annotated[str, UntrackedValue(str)]  # type: ignore[misc]
    message: Annotated[JSONObject, UntrackedValue(dict)]  # type: ignore[misc]
