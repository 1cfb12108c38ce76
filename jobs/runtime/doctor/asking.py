"""The survey of the cluster, seen from the process that waits for it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict

from argan.errors import UserError
from jobs.runtime.doctor.nodes import Node
from jobs.runtime.doctor.survey import Question

LEAVE_S = 3.0
NODES_SHARE = 0.8  # of the time: the nodes end sooner than who waits for them, so that late ones are told by name


class Survey:
    """A survey that has begun."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def nodes(self, within_s: float) -> list[Node]:
        """What it came to. Raises UserError where Ray cannot be started or joined, or hangs."""
        try:
            out, err = self._process.communicate(timeout=max(0.0, within_s))
        except subprocess.TimeoutExpired:
            raise UserError("Ray does not answer in time") from None
        if self._process.returncode:
            raise UserError((err.strip().splitlines() or ["Ray ends without a word"])[-1].removeprefix("error: "))
        return [Node.from_dict(values) for values in json.loads(out.strip().splitlines()[-1])]


@contextmanager
def surveying(question: Question) -> Iterator[Survey]:
    """Begins it. With the block it ends, and so does a Ray of its own: Ray's processes die with who started them."""
    words = [sys.executable, "-P", "-m", "jobs.runtime.doctor", json.dumps(asdict(question))]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield Survey(process)
        finally:
            process.terminate()  # so that it takes away what it wrote to --out
            with suppress(subprocess.TimeoutExpired):
                process.wait(LEAVE_S)
            process.kill()
