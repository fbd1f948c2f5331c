"""What a run leaves for a checkpoint saver."""

from dataclasses import dataclass, replace
from typing import Any, Self, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, Checkpoint

from .privacy import wordless


@dataclass(frozen=True, slots=True)
class Failure:
    """The node that raised."""

    writes: list[tuple[str, Any]]
    """What it wrote until then, the exception last."""
    task_id: str
    path: str


@dataclass(frozen=True, slots=True)
class Leftover:
    """The newest checkpoint of a run, and with it the failure that ended the run, if one did."""

    config: RunnableConfig
    checkpoint: Checkpoint
    metadata: dict[str, Any]
    failure: Failure | None = None

    async def aput(self, saver: BaseCheckpointSaver[Any]) -> None:
        """Write it down, as LangGraph does at the end of a run."""
        await saver.aput(*self._whole)
        if self.failure is not None:
            await saver.aput_writes(*self._failed(self.failure))

    def put(self, saver: BaseCheckpointSaver[Any]) -> None:
        """Write it down on this thread."""
        saver.put(*self._whole)
        if self.failure is not None:
            saver.put_writes(*self._failed(self.failure))

    def without_words(self) -> Self:
        """Return the same with what may be stored of the failure; a private graph's checkpoint holds no word anyway."""
        if self.failure is None:
            return self
        return replace(self, failure=replace(self.failure, writes=wordless(self.failure.writes)))

    @property
    def _whole(self) -> Any:
        return self.config, self.checkpoint, self.metadata, self.checkpoint["channel_versions"]

    def _failed(self, failure: Failure) -> Any:
        configurable = {**self.config["configurable"], "checkpoint_id": self.checkpoint["id"]}
        config = cast("RunnableConfig", {**self.config, "configurable": configurable})
        return config, failure.writes, failure.task_id, failure.path
