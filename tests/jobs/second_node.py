"""Another node of a local Ray cluster: as far as Ray can tell another machine, which can be switched off."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from cluster.local_head import LocalHead

START_S = 60.0


class SecondNode:
    """Joins the head's cluster with one processor; returns once its raylet stands."""

    def __init__(self, head: LocalHead, log: Path) -> None:
        environment = {**os.environ, **head.environment()}
        command = [str(Path(sys.executable).parent / "ray"), "start", "--block", "--num-cpus=1"]
        command += [f"--address={head.cluster_address}", "--disable-usage-stats"]
        with log.open("wb") as file:
            self._process = subprocess.Popen(command, env=environment, stdout=file, stderr=file, start_new_session=True)
        end = time.monotonic() + START_S
        while b"Ray runtime started" not in log.read_bytes():
            assert self._process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.2)

    def processes(self) -> list[psutil.Process]:
        """All of the node, its workers among them."""
        here = psutil.Process(self._process.pid)
        return [here, *here.children(recursive=True)]

    def switch_off(self) -> None:
        """As a machine does that loses its power: every process at once, and none says goodbye."""
        everything = self.processes() if self._process.poll() is None else []
        for process in everything:
            process.send_signal(signal.SIGSTOP)  # else one might still act on the death of another
        for process in everything:
            process.kill()
        psutil.wait_procs(everything, timeout=30)
        self._process.wait()
