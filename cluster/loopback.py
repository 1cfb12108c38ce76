"""What servers of this machine alone need: free ports, and clients that go past a proxy."""

import os
import random
import socket
import urllib.request
from contextlib import suppress

from argan.errors import StorageError

HOST = "127.0.0.1"
GRPC_OFFSET = 10_000  # SeaweedFS's services take their port and the one this far above


def free_ports(count: int) -> list[int]:
    """Ports whose pair is free too, away from those of Ray's workers (to 19999) and ephemeral ones (from 32768)."""
    found: list[int] = []
    for port in random.SystemRandom().sample(range(20_000, 22_700), 2_700):
        if is_free(port) and is_free(port + GRPC_OFFSET):
            found.append(port)
        if len(found) == count:
            return found
    raise StorageError(f"no free ports between 20000 and 22700 on {HOST}")


def free_port() -> int:
    return free_ports(1)[0]


def is_free(port: int) -> bool:
    if not 0 < port < 65536:
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a closed server's last connections do not count
        with suppress(OSError):
            probe.bind((HOST, port))
            return True
    return False


def past_proxies() -> dict[str, str]:
    """What a client must have in its environment so that no proxy is asked for this machine; nothing without one."""
    if not urllib.request.getproxies():
        return {}
    names = [name for name in os.environ.get("no_proxy", os.environ.get("NO_PROXY", "")).split(",") if name]
    value = ",".join(dict.fromkeys([*names, HOST, "localhost"]))
    return {"no_proxy": value, "NO_PROXY": value}
