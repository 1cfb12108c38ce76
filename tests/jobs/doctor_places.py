"""Places for the doctor to look at: sets that are whole, identities of the S3 server that may only do so much, ports
where nobody answers.
"""

import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from packed_scenes import pack_scenes
from unprivileged import unprivileged

from argan.data.manifest import read_manifest
from argan.storage import Storage
from cluster.local_s3 import LocalS3, weed_path


def pack(uri: str, *, num_photos: int = 20, resolution: int = 16) -> Storage:
    out = pack_scenes(uri, f"scenes:{num_photos}", resolution=resolution)
    assert read_manifest(out).num_samples == num_photos
    return out


def identity(server: LocalS3, actions: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes this process a user of the server who may do nothing but `actions` ("Read,List") in its bucket."""
    options = psutil.Process(server.weed_pid).cmdline()
    ports = dict(word.strip("-").split(".port=") for word in options if ".port=" in word and word.count(".") == 1)
    name = "may-" + actions.replace(",", "-").lower()
    granted = ",".join(f"{action}:{server.bucket}" for action in actions.split(","))
    subprocess.run(
        [weed_path(), "shell", f"-master=127.0.0.1:{ports['master']}", f"-filer=127.0.0.1:{ports['filer']}"],
        input=f"s3.configure -user={name} -access_key={name} -secret_key={name}-secret -actions={granted} -apply\n",
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", name)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", f"{name}-secret")


@contextmanager
def read_only_folder() -> Iterator[Path]:
    """A folder that this process may list and not write."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        try:
            with unprivileged():
                yield folder
        finally:
            folder.chmod(0o755)


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that takes connections, and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]
