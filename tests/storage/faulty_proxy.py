"""A TCP proxy that harms the connections it is told to harm, and passes the others through."""

import socket
import socketserver
import threading
from collections import deque
from contextlib import suppress
from typing import Literal, NamedTuple, Self

BUSY = (
    b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nConnection: close\r\nContent-Length: 51\r\n\r\n"
    b"<Error><Code>SlowDown</Code><Message/></Error>     "
)
CONFLICT = (
    b"HTTP/1.1 409 Conflict\r\nContent-Type: application/xml\r\nConnection: close\r\nContent-Length: 64\r\n\r\n"
    b"<Error><Code>ConditionalRequestConflict</Code><Message/></Error>"
)


class Fault(NamedTuple):
    """`cut`: end after `after_bytes` of the answer. `busy`: answer 503. `conflict`: answer 409. `deaf`: pass the
    request, not its answer.
    """

    kind: Literal["cut", "busy", "conflict", "deaf"]
    after_bytes: int = 0


class FaultyProxy(socketserver.ThreadingTCPServer):
    """Each new connection suffers the next of `faults`; once they are used up, none does."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, upstream_port: int, faults: list[Fault]) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.upstream_port = upstream_port
        self.faults = deque(faults)
        self.num_connections = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Connection(socketserver.BaseRequestHandler):
    server: FaultyProxy

    def handle(self) -> None:
        self.server.num_connections += 1
        fault = self.server.faults.popleft() if self.server.faults else None
        if fault is not None and fault.kind in ("busy", "conflict"):
            self.request.recv(1 << 16)
            self.request.sendall(BUSY if fault.kind == "busy" else CONFLICT)
            return
        with socket.create_connection(("127.0.0.1", self.server.upstream_port)) as upstream, suppress(OSError):
            threading.Thread(target=_pass_on, args=(self.request, upstream), daemon=True).start()
            self._answer(upstream, fault)

    def _answer(self, upstream: socket.socket, fault: Fault | None) -> None:
        left = fault.after_bytes if fault is not None and fault.kind == "cut" else None
        while data := upstream.recv(1 << 16):
            if data.startswith(b"HTTP/1.1 100"):  # "go on and send the body": the answer is yet to come
                self.request.sendall(data)
                continue
            if fault is not None and fault.kind == "deaf":
                return
            self.request.sendall(data[:left])
            if left is not None:
                left -= len(data)
                if left <= 0:
                    return


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
