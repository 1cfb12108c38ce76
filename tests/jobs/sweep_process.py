"""tests/jobs/tiny_sweep.py as a process, and what its ledger says, for tests that look on, and kill."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from training_job import ROOT

from argan.search.ledger import LEDGER
from cluster.local_head import LocalHead

NUM_TRIALS = 2
PATIENCE_S = 500


@contextmanager
def start(
    data: str,
    out: Path,
    num_trials: int = NUM_TRIALS,
    concurrent: int = 1,
    speed_ups: Sequence[str] = (),
    **environment: str,
) -> Iterator[subprocess.Popen[str]]:
    """It ends with the block at the latest. `speed_ups` are KEY=VALUE."""
    numbers = str(num_trials), str(concurrent)
    command = [sys.executable, "tests/jobs/tiny_sweep.py", data, str(out), *numbers, *speed_ups]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    with subprocess.Popen(command, cwd=ROOT, env=variables, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def run(data: str, out: Path, **asked: Any) -> str:
    """To its end; asked for as `start` is."""
    with start(data, out, **asked) as started:
        _, errors = started.communicate(timeout=PATIENCE_S)
    assert started.returncode == 0, errors
    return errors


def folder(out: Path) -> Path:
    (found,) = out.glob("tiny-*")
    return found


def events(out: Path) -> list[dict[str, Any]]:
    """The ledger without the clock."""
    path = next(iter(out.glob(f"tiny-*/{LEDGER}")), None)
    lines = path.read_text().splitlines() if path else []
    return [{key: value for key, value in json.loads(line).items() if key != "seconds"} for line in lines]


def wait_for(process: subprocess.Popen[str], out: Path, kind: str, trial: int, number: int = 1) -> None:
    """Until the ledger holds so many events of that kind for the trial."""
    deadline = time.monotonic() + PATIENCE_S
    while sum(event["event"] == kind and event.get("trial") == trial for event in events(out)) < number:
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.2)


def kill_process(head: LocalHead, name: str) -> None:
    """The next one that there is of that name."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for process in psutil.Process(head.pid).children(recursive=True):
            if process.name().startswith(name):
                process.kill()
                return
        time.sleep(0.1)
    pytest.fail(f"there is no {name}")
