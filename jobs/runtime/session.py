"""A Ray session: the environment that every process of it needs, set rather than hoped for."""

import logging
import os
import secrets
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from argan.errors import UserError
from jobs.runtime.cli import say

# Read by the processes that Ray starts, so they must stand before Ray does. A value that the user has set wins.
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # else Ray posts usage to its makers every hour
    "RAY_CHDIR_TO_TRIAL_DIR": "0",  # a relative path means the same in a worker as in the driver
    "RAY_TRAIN_ENABLE_PRINT_PATCH": "0",  # else workers' prints come out twice
    "RAY_AIR_NEW_OUTPUT": "0",  # else Tune prints tables over our own progress
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Ctrl-C ends a sweep as it ends any other job
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",  # one more process a run, for news that nobody here asks for
    "RAY_TRAIN_COUNT_PREEMPTION_AS_FAILURE": "1",  # else Tune restarts a preempted trial past the ledger
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # a worker without a GPU keeps its CUDA_VISIBLE_DEVICES as it was
}
CONNECT_TIMEOUT_S = 10


def joins_cluster() -> bool:
    """Whether the nodes are others' than this process's own, so that more of them may come."""
    return bool(os.environ.get("RAY_ADDRESS"))


@contextmanager
def start_ray(*, num_cpus: int | None = None) -> Iterator[None]:
    """Joins the cluster at RAY_ADDRESS where that is set (`ray job submit` sets it), else starts one on this machine.

    A cluster of our own has `num_cpus` (None: what is there) and ends with the block; the size of a joined one is not
    ours to say, so it is left out there.
    A UserError that a task raised leaves the block as itself, without Ray's traceback around it.
    UserError where the cluster cannot be reached. Inside a task of Ray's there is a session already, and it stays.
    """
    if "ray" in sys.modules and sys.modules["ray"].is_initialized():
        yield
        return
    joins = joins_cluster()
    added = {name: value for name, value in ENVIRONMENT.items() if name not in os.environ}
    os.environ.update(added)
    if joins:
        _knock(os.environ["RAY_ADDRESS"])
    elif "RAY_AUTH_TOKEN_PATH" not in os.environ:
        # A cluster of our own listens on all interfaces, so Ray asks for a token: this session's, none in the home.
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    import ray  # after the environment: Ray reads parts of it at import
    from ray.exceptions import RayTaskError

    where: dict[str, Any]
    if joins:
        # The nodes were started without us: what we add must travel with the job. What is set already came with it.
        where = {"address": None, "runtime_env": {"env_vars": added} if added else None}
    else:
        where = {"address": "local", "num_cpus": num_cpus, "include_dashboard": False}
    terminate = signal.getsignal(signal.SIGTERM)
    for is_last in (True,) if joins else (False, True):  # a busy machine may take longer than Ray's patience, 30 s
        try:
            ray.init(**where, log_to_driver=False, logging_level=logging.ERROR)
            break
        except Exception as error:  # of no class of its own
            ray.shutdown()
            if not is_last:
                say(f"Ray did not start, it is tried once more: {_first_line(error)}")
                continue
            address = os.environ.get("RAY_ADDRESS")
            what = f"cannot join the Ray cluster at RAY_ADDRESS={address}" if joins else "Ray does not start here"
            raise UserError(f"{what}: {_first_line(error)}") from error
    signal.signal(signal.SIGTERM, terminate)  # Ray's own would leave with code 15 and without a word
    try:
        yield
    except RayTaskError as error:
        if isinstance(error.cause, UserError):
            raise error.cause from None
        raise
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Ray tries a dead address for two minutes, with lines of its own: find out in seconds whether somebody answers."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not (colon and port.isdigit()):
        return  # "auto" and the like: Ray knows where to look
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_TIMEOUT_S).close()
    except OSError as error:
        raise UserError(f"no Ray cluster answers at RAY_ADDRESS={address}: {error}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
