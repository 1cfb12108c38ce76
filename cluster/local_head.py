"""A Ray cluster of one node on this machine, to submit jobs to as on a real one; cluster/local.py starts it by hand.

    with LocalHead() as head:
        subprocess.run(["ray", "job", "submit", ...], env={**os.environ, **head.environment()})

Parts of Ray listen on all interfaces, whatever one asks, so it demands a token, made anew at every start.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from argan.errors import UserError
from cluster.end_with_parent import ending_with_parent
from cluster.loopback import HOST, free_ports, past_proxies

START_S = 180.0  # took 15 beside other work on two cores
STOP_S = 30.0
PAST_PROXIES = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class LocalHead:
    """The head as a child process; `start` returns once it takes jobs. Raises UserError where it does not start.

    On Linux it ends with the thread that started it, by kill -9 too.
    """

    def __init__(self, *, num_cpus: int | None = None) -> None:
        self._num_cpus = num_cpus
        self._token = secrets.token_hex(32)
        self._gcs_port, self._dashboard_port, self._agent_port, self._env_port, self._client_port = free_ports(5)
        # Short, since sockets live in it and their paths may have about 100 characters.
        self._folder = Path(tempfile.mkdtemp(prefix="argan-ray-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where jobs are submitted, and the dashboard is."""
        return f"http://{HOST}:{self._dashboard_port}"

    @property
    def cluster_address(self) -> str:
        """RAY_ADDRESS of a driver on this machine that joins without being submitted."""
        return f"{HOST}:{self._gcs_port}"

    @property
    def pid(self) -> int:
        """Of the head; all it started is in its process group."""
        assert self._process is not None
        return self._process.pid

    def environment(self) -> dict[str, str]:
        """What a client needs: where the head is, the token that it asks for, NO_PROXY where a proxy would be asked."""
        return {
            "RAY_API_SERVER_ADDRESS": self.address,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": self._token,
            "RAY_USAGE_STATS_ENABLED": "0",
            **past_proxies(),
        }

    def start(self) -> Self:
        # Jobs run with the head's PATH: `python` must be this one.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        environment = {**os.environ, **self.environment(), "PATH": path}
        environment.pop("RAY_ADDRESS", None)
        with (self._folder / "head.log").open("wb") as log:
            self._process = subprocess.Popen(
                ending_with_parent(self._command()), env=environment, stdout=log, stderr=log, start_new_session=True
            )
        end = time.monotonic() + START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                said = "; ".join((self._folder / "head.log").read_text().strip().splitlines()[-3:]) or "without a word"
                self.stop()
                raise UserError(f"the local Ray head does not start: {said}")
            time.sleep(0.2)
        return self

    def require_running(self) -> None:
        """Raises UserError where it has ended by itself, or was killed."""
        if self._process is not None and self._process.poll() is not None:
            raise UserError(f"the local Ray head has ended, with code {self._process.returncode}")

    def stop(self) -> None:
        """Stops the head and all it started. `ray stop` would end every cluster on the machine, so it is not used."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:  # Ctrl-C while it starts: nobody else will stop it
            self.stop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _command(self) -> list[str]:
        ray = str(Path(sys.executable).parent / "ray")
        command = [ray, "start", "--head", "--block", "--disable-usage-stats", f"--node-ip-address={HOST}"]
        command += [f"--port={self._gcs_port}", f"--dashboard-port={self._dashboard_port}"]
        command += [f"--dashboard-host={HOST}", "--include-dashboard=true"]
        command += [f"--dashboard-agent-listen-port={self._agent_port}", f"--runtime-env-agent-port={self._env_port}"]
        command += [f"--ray-client-server-port={self._client_port}", f"--temp-dir={self._folder / 'ray'}"]
        return command if self._num_cpus is None else [*command, f"--num-cpus={self._num_cpus}"]

    def _answers(self) -> bool:
        """The dashboard, and the agent that it hands jobs to, which comes later: it waits for it for 10 s only."""
        request = urllib.request.Request(
            f"{self.address}/api/jobs/", headers={"Authorization": f"Bearer {self._token}"}
        )
        try:
            with (
                PAST_PROXIES.open(request, timeout=5) as answer,
                socket.create_connection((HOST, self._agent_port), timeout=5),
            ):
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False
