"""Places for the doctor to look at: sets that are whole, identities of the S3 server that may only do so much, ports
where nobody answers.
"""

import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from argan.data.manifest import Manifest
from argan.data.packing import commit, make_plan, pack_shard
from argan.data.sources import list_source
from argan.storage import Storage, open_storage
from cluster.local_s3 import LocalS3, weed_path

NOBODY = 65534


def pack(uri: str, *, num_photos: int = 20, resolution: int = 16) -> Storage:
    """A set as jobs/pack.py makes it, without Ray: shards of seven scenes, the last one smaller."""
    source, out = f"scenes:{num_photos}", open_storage(uri)
    items = list_source(source)
    plan = make_plan(source, items, resolution=resolution, seed=0, shard_samples=7, max_pixels=1_000_000)
    manifest: Manifest = commit(plan, out, {job.index: pack_shard(job, out) for job in plan.shard_jobs()})
    assert manifest.num_samples == num_photos
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
    """A folder that this process may list and not write, root or not: root lays its power down meanwhile."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        is_root = os.geteuid() == 0
        if is_root:
            os.seteuid(NOBODY)
        try:
            yield folder
        finally:
            if is_root:
                os.seteuid(0)
            folder.chmod(0o755)


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that takes connections, and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]
