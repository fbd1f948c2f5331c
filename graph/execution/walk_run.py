"""One run of the direct walk: its channels, step by step, and their versions as a checkpoint holds them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from langchain_core.runnables import RunnableConfig
from langgraph._internal._constants import INPUT
from langgraph._internal._typing import MISSING
from langgraph.channels.base import BaseChannel
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.constants import START
from langgraph.errors import GraphRecursionError
from langgraph.pregel._algo import prepare_next_tasks, task_path_str
from langgraph.pregel._checkpoint import create_checkpoint

from ..memory.leftovers import Failure, Leftover
from .walkable import WalkableGraph

Writes: TypeAlias = list[tuple[str, Any]]


class Run:
    """The channels of one run, and their versions as a checkpoint holds them."""

    def __init__(self, graph: WalkableGraph, config: RunnableConfig, most_steps: int) -> None:
        self._graph = graph
        self._most_steps = most_steps
        self._config = config
        self._reducers = {name: graph.channels[name].from_checkpoint(MISSING) for name in graph.reducers}
        self.values = {name: one.get() for name, one in self._reducers.items() if one.is_available()}
        """What the channels hold, of those that hold anything."""
        self._checkpoint = empty_checkpoint()
        self._versions = self._checkpoint["channel_versions"]
        self._seen = self._checkpoint["versions_seen"]
        self._newest: Any = None
        self._updated: set[str] = set()
        self._step = self._ended_step = -1

    @property
    def reducers(self) -> Collection[str]:
        """Channels that make something of what is written to them."""
        return self._reducers.keys()

    def begin(self, given: Any) -> None:
        """Write the input: the step before the first node's."""
        self._seen[INPUT] = {}
        self._write([(START, given)], is_input=True)

    def next_node(self) -> str | None:
        """Return the node of the next step; None at the end.

        Raises
        ------
        GraphRecursionError
            When there were too many.
        """
        names = {name for channel in self._updated for name in self._graph.channel_to_nodes.get(channel, ())}
        if not names:
            return None
        self._step += 1
        if self._step > self._most_steps:
            raise GraphRecursionError(f"{self._most_steps} steps were taken without an end")
        (name,) = names
        return name

    def read(self, channels: str | Sequence[str]) -> Any:
        """Return the value of a channel, or those of several that hold one."""
        values = self.values
        if isinstance(channels, str):
            return values[channels]
        return {name: values[name] for name in channels if name in values}

    def read_after(self, writes: Writes, select: str | Sequence[str], fresh: bool = False) -> Any:
        """Return what a conditional edge sees: the channels with what its node wrote, `fresh` or not a new step."""
        if not fresh:
            return self.read(select)
        seen = dict(self.values)
        for name, written in _by_channel(writes).items():
            changed = self._channel(name).copy()
            changed.update(written)
            seen[name] = changed.get()
        return seen[select] if isinstance(select, str) else {one: seen[one] for one in select if one in seen}

    def end_step(self, name: str, writes: Writes) -> None:
        """Write what the node of a step brought."""
        seen = {one: self._versions[one] for one in self._graph.nodes[name].triggers if one in self._versions}
        self._seen.setdefault(name, {}).update(seen)
        self._write(writes)

    def leftover(self, failed: Writes | None = None) -> Leftover:
        """Return what a saver is to keep; `failed` is what the node wrote that raised."""
        config: RunnableConfig = {
            **self._config,
            "configurable": {"checkpoint_ns": "", **self._config["configurable"]},
        }
        self._checkpoint["channel_values"] = self._kept_values()
        checkpoint = create_checkpoint(
            self._checkpoint, None, self._ended_step, updated_channels=self._updated
        )
        failure = None
        if failed is not None:
            channels = {name: self._channel(name) for name in self._graph.channels}
            (found,) = prepare_next_tasks(
                checkpoint, [], self._graph.nodes, channels, {}, config, self._step,
                self._most_steps, for_execution=False,
            ).values()  # fmt: skip
            failure = Failure(failed, found.id, task_path_str(found.path))
        return Leftover(
            config, checkpoint, {"source": "loop", "step": self._ended_step, "parents": {}}, failure
        )

    def _kept_values(self) -> dict[str, Any]:
        """Return what a checkpoint holds of the channels."""
        kept = {
            name: value
            for name, value in self.values.items()
            if name in self._versions and name not in self._graph.unkept and name not in self._reducers
        }
        for name, channel in self._reducers.items():
            if name in self._versions and (value := channel.checkpoint()) is not MISSING:
                kept[name] = value
        return kept

    def _channel(self, name: str) -> BaseChannel[Any, Any, Any]:
        """Return a channel as LangGraph would have it now."""
        if name in self._reducers:
            return self._reducers[name]
        channel = self._graph.channels[name].from_checkpoint(MISSING)
        if name in self.values:
            channel.update([self.values[name]])
        return channel

    def _write(self, writes: Writes, *, is_input: bool = False) -> None:
        version = self._graph.next_version(self._newest, None)
        values, versions, reduced = self.values, self._versions, dict[str, list[Any]]()
        updated = self._updated = set()
        for name, value in writes:
            if name in self._reducers:
                reduced.setdefault(name, []).append(value)
                continue
            if name in updated:
                self._channel(name).update([values[name], value])  # raises where only one is allowed
            values[name], versions[name] = value, version
            updated.add(name)
        for name, written in reduced.items():
            self._reduce(name, written, version)
        if not is_input:
            for name in self._graph.fading:
                if name in self._reducers:
                    if name not in reduced:
                        self._reduce(name, (), version)
                elif name in values and name not in updated:
                    del values[name]
                    versions[name] = version
        self._newest = version
        self._ended_step = self._step

    def _reduce(self, name: str, written: Sequence[Any], version: Any) -> None:
        channel = self._reducers[name]
        if not channel.update(written):
            return
        self._versions[name] = version
        if channel.is_available():
            self.values[name] = channel.get()
            self._updated.add(name)
        else:
            self.values.pop(name, None)


class SeenAfter(Mapping[str, Any]):
    """The channels as a conditional edge sees them, with what its node wrote: each is looked at when it is read."""

    def __init__(self, run: Run, writes: Writes) -> None:
        self._run, self._writes = run, writes

    def __getitem__(self, name: str) -> Any:
        if name in self._run.reducers:
            own = [write for write in self._writes if write[0] == name]
            return self._run.read_after(own, name, fresh=True)
        for written, value in reversed(self._writes):
            if written == name:
                return value
        return self._run.values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self._run.values, *(name for name, _ in self._writes)]))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _by_channel(writes: Writes) -> dict[str, list[Any]]:
    grouped: dict[str, list[Any]] = {}
    for name, value in writes:
        grouped.setdefault(name, []).append(value)
    return grouped
