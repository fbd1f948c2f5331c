"""No run holds up an event loop: neither the first one, which opens everything, nor a later one."""

import os
import subprocess
import sys

import pytest

# Stricter than `langgraph dev`, which lets files be read.
SCRIPT = """
import asyncio
import blockbuster
from langgraph.checkpoint.memory import InMemorySaver
from x25.graph.build import graph

async def main():
    kept = graph.copy(update={"checkpointer": InMemorySaver()})
    with blockbuster.blockbuster_ctx():
        for prompt in ("What is 17 * 23?", "And 3 * 3?", "word " * 5_000):
            reply = await kept.ainvoke({"prompt": prompt}, {"configurable": {"thread_id": "t"}})
            print(reply["simulated"])

asyncio.run(main())
"""


@pytest.mark.slow
def test_nothing_blocks_from_the_first_call_on_when_the_simulator_the_store_and_the_encoder_are_opened(
    tmp_path,
):
    (tmp_path / ".env").write_text("X25_LOG_LEVEL=WARNING\n")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=tmp_path, env=os.environ | {"X25_UPSTREAM": "simulator"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == ["True"] * 3


@pytest.mark.slow
def test_what_blocks_would_be_noticed():
    blocking = SCRIPT.replace("reply = await", "__import__('time').sleep(0); reply = await")
    done = subprocess.run(
        [sys.executable, "-c", blocking], capture_output=True, text=True, timeout=120, check=False
    )
    assert "BlockingError: Blocking call to time.sleep" in done.stderr
