"""A small set of shards, made by hand with the standard library: what the reading side must cope with."""

import hashlib
import io
import tarfile
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from argan.data.manifest import Manifest, ShardInfo, manifest_columns, write_manifest
from argan.storage import Storage

RESOLUTION_PX = 8


class PhotoSet(NamedTuple):
    manifest: Manifest
    photos: np.ndarray  # [N,3,H,W] uint8, as a plain Pillow decodes the files


def write_set(storage: Storage, counts: tuple[int, ...], *, gap_bytes: int = 0, kind: str = "JPEG") -> PhotoSet:
    """Write shards of `counts` photos, each followed by a member of `gap_bytes` where that is not 0."""
    rows, shards, photos = [], [], []
    for shard, count in enumerate(counts):
        tar = io.BytesIO()
        with tarfile.open(fileobj=tar, mode="w") as archive:
            for _ in range(count):
                row = len(rows)
                data = photo_file(row, kind)
                offset = tar.tell() + 512
                add(archive, f"{row:06d}.{'jpg' if kind == 'JPEG' else 'png'}", data)
                if gap_bytes:
                    add(archive, f"{row:06d}.extra", bytes(gap_bytes))
                rows.append(
                    {"key": f"{row:06d}", "shard": shard, "offset": offset, "size": len(data), "width": RESOLUTION_PX,
                     "height": RESOLUTION_PX, "sha256": hashlib.sha256(data).hexdigest()}
                )  # fmt: skip
                photos.append(np.asarray(Image.open(io.BytesIO(data))).transpose(2, 0, 1))
        name, data = f"shards/{shard:05d}.tar", tar.getvalue()
        storage.write_bytes(name, data)
        digest = hashlib.sha256(data).hexdigest()
        shards.append(ShardInfo(name=name, num_samples=count, size_bytes=len(data), sha256=digest))
    manifest = Manifest(
        **manifest_columns(rows), shards=tuple(shards), resolution=RESOLUTION_PX, truth=False, source="by hand", seed=0
    )
    write_manifest(storage, manifest)
    return PhotoSet(manifest, np.stack(photos))


def photo_file(row: int, kind: str) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(row).integers(0, 256, (RESOLUTION_PX, RESOLUTION_PX, 3), np.uint8)
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


@pytest.fixture(scope="session")
def make_set() -> Callable[..., PhotoSet]:
    return write_set
