"""Which process is it, and is it still there? A pid alone does not say: it is used again, and on other machines too."""

import os
import platform
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, kw_only=True)
class ProcessIdentity:
    """A process among all machines and all times: no two processes share all fields but the host's name."""

    host: str
    boot_id: str  # changes with each start of the machine; "" if the platform does not tell
    pid_namespace: str  # containers on one machine count their pids apart
    pid: int
    started_at: str  # opaque: what the platform calls the process's start


def this_process() -> ProcessIdentity:
    pid = os.getpid()
    return ProcessIdentity(
        host=socket.gethostname(),
        boot_id=_boot_id(),
        pid_namespace=_pid_namespace(),
        pid=pid,
        started_at=_started_at(pid) or "",
    )


def is_visible(process: ProcessIdentity) -> bool:
    """Whether `process` counts its pid where we do, and is not kept from us, so that `is_alive` can judge it."""
    here = process.boot_id != "" and (process.boot_id, process.pid_namespace) == (_boot_id(), _pid_namespace())
    return here and not _is_hidden(process.pid)


def is_alive(process: ProcessIdentity) -> bool:
    """Whether a visible process still runs. A zombie does not, nor does a newer process of the same pid."""
    return _started_at(process.pid) == process.started_at


def _boot_id() -> str:
    if PROC.is_dir():
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    if platform.system() == "Darwin":
        return _said_by("sysctl", "-n", "kern.bootsessionuuid")
    return ""


def _pid_namespace() -> str:
    return os.readlink(PROC / "self/ns/pid") if PROC.is_dir() else ""


def _started_at(pid: int) -> str | None:
    """When the process started, in whatever unit, or None if it does not run."""
    if not PROC.is_dir():
        return _said_by("ps", "-o", "lstart=", "-p", str(pid)) or None
    try:
        stat = (PROC / str(pid) / "stat").read_text(errors="replace")  # a name cut inside a character
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()  # the name before it may hold spaces and brackets
    state, start_ticks = fields[0], fields[19]
    return None if state in "ZX" else start_ticks


def _is_hidden(pid: int) -> bool:
    """Whether the process runs and /proc does not tell us of it: another user's, mounted with hidepid."""
    if not PROC.is_dir():
        return False
    try:
        (PROC / str(pid) / "stat").read_bytes()
        return False
    except PermissionError:
        return True
    except (FileNotFoundError, ProcessLookupError):
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is there, and another user's
    return True


def _said_by(*command: str) -> str:
    """By the same clock and in the same language to whoever asks."""
    environment = {**os.environ, "TZ": "UTC", "LC_ALL": "C"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment).stdout.strip()
