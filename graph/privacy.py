"""Which parts of a call never reach a checkpoint."""

from typing import Annotated

from langgraph.channels import UntrackedValue

from ..state.types import CascadeState, JSONObject


class PrivateCascadeState(CascadeState, total=False):
    """The same memory with every channel that holds words of the caller or of a model kept out of checkpoints."""

    prompt: Annotated[str, UntrackedValue(str)]
    messages: Annotated[list[JSONObject], UntrackedValue(list)]
    options: Annotated[JSONObject, UntrackedValue(dict)]
    inputs: Annotated[JSONObject, UntrackedValue(dict)]
    # Reasons quote: a check shows how a refusal begins, a judge and a provider's error say what they like.
    answers: Annotated[list[JSONObject], UntrackedValue(list)]
    text: Annotated[str, UntrackedValue(str)]
    message: Annotated[JSONObject, UntrackedValue(dict)]
    verdict: Annotated[JSONObject, UntrackedValue(dict)]
    explain: Annotated[JSONObject, UntrackedValue(dict)]
