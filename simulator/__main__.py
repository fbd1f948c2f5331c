"""Runs the simulator on loopback: `python -m x25.simulator`."""

import argparse
import asyncio
import json
import logging
import os
import socket
import sys
from pathlib import Path
from threading import Thread

import uvicorn
import yaml

from .app import Simulator, World, create_app
from .faults import parse_scenario
from .models import load_models
from .replay import Replay
from .wire import SimulatorProtocol

_BUNDLED = Path(__file__).parent / "models"


def main(arguments: list[str] | None = None) -> None:
    """Listen, say where as one JSON line on stdout, and serve until stopped."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    config = _config(_simulator(options))
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_serve(uvicorn.Server(config), options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m x25.simulator", description=__doc__)
    add = parser.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=0, help="0 takes a free port")
    add("--models-dir", type=Path, action="append", help="repeatable; the bundled models without it")
    add("--seed", type=int, default=7)
    add("--scenario", type=Path, help="YAML list of {match: …, fault: …}")
    add("--replay", type=Path, metavar="DATA_DIR", help="folder with prompts/, outcomes/, responses/")
    add("--replay-source", action="append", default=[], metavar="SOURCE", help="repeatable")
    add("--judge-auc", type=float, default=0.85)
    add("--no-latency", action="store_true", help="answer at once")
    add("--exit-with-parent", action="store_true", help="stop when stdin is closed")
    return parser


def _simulator(options: argparse.Namespace) -> Simulator:
    scenario = None
    if options.scenario is not None:
        scenario = parse_scenario(yaml.safe_load(options.scenario.read_text("utf-8")), options.seed)
    return Simulator(
        load_models(options.models_dir or [_BUNDLED]),
        World(options.seed, options.judge_auc, latency=not options.no_latency),
        scenario=scenario,
        replay=Replay(options.replay, options.replay_source) if options.replay else None,
    )


def _config(simulator: Simulator) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(simulator),
        http=SimulatorProtocol,
        lifespan="off",
        ws="none",
        access_log=False,
        log_level="error",
        server_header=False,
        timeout_graceful_shutdown=1,
    )


async def _serve(server: uvicorn.Server, options: argparse.Namespace) -> None:
    # asyncio turns Nagle's algorithm off only where the protocol number is named
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((options.host, options.port))
        listener.listen(2048)
        url = f"http://{options.host}:{listener.getsockname()[1]}/v1"
        sys.stdout.write(json.dumps({"url": url, "simulated": True}) + "\n")
        sys.stdout.flush()
        if options.exit_with_parent:
            Thread(target=_stop_at_eof, args=(server,), daemon=True).start()
        await server.serve(sockets=[listener])


def _stop_at_eof(server: uvicorn.Server) -> None:
    while os.read(0, 4096):
        pass
    server.should_exit = server.force_exit = True


if __name__ == "__main__":
    main()
