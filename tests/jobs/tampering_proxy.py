"""An HTTP proxy in front of the local S3 server that takes away what other servers lack: headers of requests, the right
time. It signs every request anew, as a request without one of its headers would be refused.
"""

import http.client
import threading
from contextlib import closing
from email.utils import formatdate, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cluster.local_s3 import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY

CONDITIONS = ("if-match", "if-none-match")
OF_THE_CONNECTION = {"host", "connection", "expect", "authorization", "transfer-encoding"}


class TamperingProxy(ThreadingHTTPServer):
    """Passes requests on without the headers in `drops`, and answers with a Date off by `shift_s`, or without one."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, upstream_port: int, *, drops: tuple[str, ...] = (), shift_s: float | None = 0.0) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.upstream_port = upstream_port
        self.drops = drops
        self.shift_s = shift_s

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Request(BaseHTTPRequestHandler):
    server: TamperingProxy
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        unwanted = OF_THE_CONNECTION | set(self.server.drops)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in unwanted}
        host = f"127.0.0.1:{self.server.upstream_port}"
        request = AWSRequest(self.command, f"http://{host}{self.path}", headers, body)
        S3SigV4Auth(Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY), "s3", REGION).add_auth(request)
        with closing(http.client.HTTPConnection(host, timeout=60)) as upstream:  # who asked may be gone by now
            upstream.request(self.command, self.path, body, dict(request.headers.items()))
            self.give_back(upstream.getresponse())

    def give_back(self, answer: http.client.HTTPResponse) -> None:
        body = answer.read()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "content-length", "date"):
                self.send_header(name, value)
        if self.server.shift_s is not None:
            date = parsedate_to_datetime(answer.headers["Date"]).timestamp() + self.server.shift_s
            self.send_header("Date", formatdate(date, usegmt=True))
        length = answer.getheader("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any  # noqa: N815 (the names are http.server's)
