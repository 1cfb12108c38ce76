"""Batches of photos from a set of shards, in the order of `argan.data.shards`, read and decoded ahead by threads.

Threads, not processes: Pillow, hashing and sockets let go of the interpreter's lock, and nothing is copied between
processes. In memory are, of each lane, the files of the block in use and of the next one, and a few decoded batches.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

import numpy as np

from argan.data.cache import ShardCache
from argan.data.manifest import Manifest
from argan.data.reading import decode_photos, read_photo_bytes
from argan.data.shards import Order, lane_blocks
from argan.errors import UserError
from argan.storage import Storage

NUM_READERS = 2  # requests under way at once: one is hashed while the other waits for the storage
NUM_READY_BATCHES = 2  # decoded ahead of the consumer

Sample = tuple[int, bytes]  # id, file


class Batch(NamedTuple):
    """A worker's slice of a global batch."""

    images: np.ndarray  # [b,3,H,W] uint8, sRGB, contiguous
    ids: np.ndarray  # [b] int64, rows of the manifest


def stream_batches(
    storage: Storage,
    manifest: Manifest,
    *,
    seed: int,
    num_lanes: int,
    batch_images: int,
    window_samples: int,
    lanes: range,
    start_images: int,
    cache: ShardCache | None = None,
) -> Generator[Batch, None, None]:
    """The endless stream of one worker's slices of the global batches of `batch_images` photos, from images seen on.

    The slice is batch_images / num_lanes samples of each of `lanes`, in lane order; `lanes_of` says which a worker
    owns. What comes depends on the arguments before `lanes` and on `start_images` alone. Reading begins with the first
    batch asked for; closing the generator ends its threads, as their first error does.

    Raises UserError at once where the numbers do not fit each other; in the stream DataError where photos are not those
    of the manifest, StorageError where the storage fails.
    """
    order = Order(
        seed=seed, shard_counts=manifest.shard_counts, num_lanes=num_lanes, window_samples=window_samples
    )  # fmt: skip
    if batch_images < 1 or batch_images % num_lanes:
        raise UserError(f"a batch of {batch_images} images cannot take equally many from each of {num_lanes} lanes")
    if start_images < 0 or start_images % num_lanes:
        raise UserError(f"{start_images} images seen is no position in a stream of {num_lanes} lanes")
    if not lanes or lanes[0] < 0 or lanes[-1] >= num_lanes:
        raise UserError(f"lanes {lanes} are not among the {num_lanes} lanes of the stream")
    blocks = [lane_blocks(order, lane, start_images // num_lanes) for lane in lanes]

    def read(ids: np.ndarray) -> list[bytes]:
        return read_photo_bytes(storage, manifest, ids, cache)

    def decode(ids: np.ndarray, files: list[bytes]) -> Batch:
        return Batch(decode_photos(manifest, ids, files), ids)

    return _run(blocks, batch_images // num_lanes, read, decode)


def _run(
    blocks: list[Iterator[np.ndarray]],
    lane_images: int,
    read: Callable[[np.ndarray], list[bytes]],
    decode: Callable[[np.ndarray, list[bytes]], Batch],
) -> Generator[Batch, None, None]:
    """Give batches, `lane_images` from each lane's blocks in turn, while threads read and decode those to come."""
    readers = ThreadPoolExecutor(NUM_READERS, thread_name_prefix="argan-read")
    decoder = ThreadPoolExecutor(1, thread_name_prefix="argan-decode")  # one: it walks through the lanes in order
    try:
        lanes = [_read_ahead(lane, lambda ids: readers.submit(read, ids)) for lane in blocks]

        def next_batch() -> Batch:
            samples = [sample for lane in lanes for sample in islice(lane, lane_images)]
            return decode(np.array([row for row, _ in samples], np.int64), [data for _, data in samples])

        ready = deque(decoder.submit(next_batch) for _ in range(NUM_READY_BATCHES))
        while True:
            batch = ready.popleft().result()
            ready.append(decoder.submit(next_batch))
            yield batch
    finally:
        readers.shutdown(wait=False, cancel_futures=True)  # first: the decoder may be waiting for one of them
        decoder.shutdown(cancel_futures=True)
        readers.shutdown()


def _read_ahead(
    blocks: Iterator[np.ndarray], submit: Callable[[np.ndarray], "Future[list[bytes]]"]
) -> Iterator[Sample]:
    """A lane's samples. Its first block is asked for now, each next one when the one before it has come."""
    ids = next(blocks)
    return _samples(ids, submit(ids), blocks, submit)


def _samples(
    ids: np.ndarray,
    reading: "Future[list[bytes]]",
    blocks: Iterator[np.ndarray],
    submit: Callable[[np.ndarray], "Future[list[bytes]]"],
) -> Iterator[Sample]:
    for next_ids in blocks:
        files = reading.result()
        reading = submit(next_ids)
        yield from zip(ids.tolist(), files, strict=True)
        ids = next_ids
