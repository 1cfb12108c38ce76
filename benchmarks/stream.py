"""Our stream against stock webdataset on the same shards: 64-px JPEGs on disk and in the local S3 server.

    python benchmarks/stream.py

Both decode with the same function, give shuffled uint8 batches [64,3,64,64], and may use the same threads of one
process: one that assembles batches two ahead, and two that read ahead (webdataset gets whole shards, two ahead, from
our own S3 client; on disk it opens files itself, as it does best). Runs are interleaved; medians. Ours also checks
every photo's hash; webdataset does not. Prints one JSON object on its last line:

    ratio_s3, ratio_disk    our samples/s over webdataset's
    cpu_ratio_s3, ...       webdataset's CPU seconds a sample over ours: what it takes from training on the same cores
    ours_s3, ...            the medians themselves, samples/s
    resume_s                time to the ids of the first batch at sample one million of a simulated manifest
"""

import argparse
import hashlib
import io
import json
import os
import queue
import statistics
import tarfile
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.runtime.cli import run_job

if TYPE_CHECKING:  # at run time when needed, so that --help is quick
    import numpy as np

    from argan.data.manifest import Manifest
    from argan.storage import Storage

RESOLUTION_PX = 64
NUM_SHARDS = 8
BATCH_IMAGES = 64
WINDOW_SAMPLES = 256
NUM_LANES = 8
NUM_READERS = 2
NUM_READY_BATCHES = 2


def write_set(storage: "Storage", num_samples: int) -> "Manifest":
    """Shards of smooth noise, about as many bytes a photo as real ones of this size."""
    import numpy as np
    from PIL import Image

    from argan.data.manifest import Manifest, ShardInfo, manifest_columns, write_manifest

    rng = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    shards = []
    for index in range(NUM_SHARDS):
        tar = io.BytesIO()
        with tarfile.open(fileobj=tar, mode="w") as archive:
            for row in range(index * num_samples // NUM_SHARDS, (index + 1) * num_samples // NUM_SHARDS):
                coarse = rng.integers(0, 256, (12, 12, 3), np.uint8)
                photo = io.BytesIO()
                Image.fromarray(coarse).resize((RESOLUTION_PX,) * 2, Image.Resampling.BICUBIC).save(
                    photo, "JPEG", quality=95
                )
                member = tarfile.TarInfo(f"{row:08d}.jpg")
                member.size = len(photo.getvalue())
                rows.append(
                    {"key": f"{row:08d}", "shard": index, "offset": tar.tell() + 512, "size": member.size,
                     "width": RESOLUTION_PX, "height": RESOLUTION_PX,
                     "sha256": hashlib.sha256(photo.getvalue()).hexdigest()}
                )  # fmt: skip
                photo.seek(0)
                archive.addfile(member, photo)
        name, data = f"shards/{index:05d}.tar", tar.getvalue()
        storage.write_bytes(name, data)
        count, digest = sum(row["shard"] == index for row in rows), hashlib.sha256(data).hexdigest()
        shards.append(ShardInfo(name=name, num_samples=count, size_bytes=len(data), sha256=digest))
    manifest = Manifest(
        **manifest_columns(rows), shards=tuple(shards), resolution=RESOLUTION_PX, truth=False, source="noise", seed=0
    )
    write_manifest(storage, manifest)
    return manifest


def our_batches(storage: "Storage", manifest: "Manifest") -> Iterator["np.ndarray"]:
    """One epoch of our stream."""
    from argan.data.stream import stream_batches

    stream = stream_batches(
        storage, manifest, seed=0, num_lanes=NUM_LANES, batch_images=BATCH_IMAGES, window_samples=WINDOW_SAMPLES,
        lanes=range(NUM_LANES), start_images=0,
    )  # fmt: skip
    yield from (batch.images for batch in islice(stream, manifest.num_samples // BATCH_IMAGES))
    stream.close()


def webdataset_batches(storage: "Storage", manifest: "Manifest") -> Iterator["np.ndarray"]:
    """One epoch of webdataset, assembled by a thread that keeps as many batches ready as ours."""
    import webdataset as wds

    if storage.uri.startswith("s3://"):
        urls = [f"argan:{shard.name}" for shard in manifest.shards]
    else:
        urls = [f"{storage.uri}/{shard.name}" for shard in manifest.shards]
    ready: queue.Queue[np.ndarray | BaseException | None] = queue.Queue(NUM_READY_BATCHES)
    with ThreadPoolExecutor(NUM_READERS) as readers:
        if storage.uri.startswith("s3://"):
            wds.gopen_schemes["argan"] = opener_that_reads_ahead(storage, manifest, readers)
        samples = wds.DataPipeline(
            wds.SimpleShardList(urls),
            wds.tarfile_to_samples(),
            wds.shuffle(WINDOW_SAMPLES, initial=WINDOW_SAMPLES),
            wds.to_tuple("jpg"),
            wds.batched(BATCH_IMAGES, collation_fn=decode_batch),
        )

        def assemble() -> None:
            try:
                for batch in samples:
                    ready.put(batch)
                ready.put(None)
            except BaseException as error:  # who waits for batches must hear of it
                ready.put(error)

        assembler = threading.Thread(target=assemble)
        assembler.start()
        while (batch := ready.get()) is not None:
            if isinstance(batch, BaseException):
                raise batch
            yield batch
        assembler.join()


def opener_that_reads_ahead(storage: "Storage", manifest: "Manifest", readers: ThreadPoolExecutor) -> Any:
    """What webdataset opens argan:NAME with: whole shards in order, as many under way as there are readers."""
    waiting = deque(shard.name for shard in manifest.shards)
    under_way = deque(readers.submit(storage.read_bytes, waiting.popleft()) for _ in range(NUM_READERS))

    def open_next(url: str, mode: str = "rb", bufsize: int = 8192, **options: Any) -> io.BytesIO:
        data = under_way.popleft().result()
        if waiting:
            under_way.append(readers.submit(storage.read_bytes, waiting.popleft()))
        return io.BytesIO(data)

    return open_next


def decode_batch(samples: Sequence[tuple[bytes]]) -> "np.ndarray":
    import numpy as np

    from argan.data.reading import decode_photo

    images = np.empty((len(samples), 3, RESOLUTION_PX, RESOLUTION_PX), np.uint8)
    for (data,), image in zip(samples, images, strict=True):
        decode_photo(data, image)
    return images


def measure(batches: Iterator["np.ndarray"], num_samples: int) -> tuple[float, float]:
    """Wall and CPU seconds of a whole run, start and end included."""
    begin, cpu_begin = time.perf_counter(), time.process_time()
    counted = sum(len(images) for images in batches)
    assert counted == num_samples
    return time.perf_counter() - begin, time.process_time() - cpu_begin


def compare(storage: "Storage", num_samples: int, rounds: int, where: str) -> dict[str, float]:
    manifest = write_set(storage, num_samples)
    measured: dict[str, list[tuple[float, float]]] = {"ours": [], "webdataset": []}
    for turn in range(rounds + 1):
        for name, run in (("ours", our_batches), ("webdataset", webdataset_batches)):
            seconds = measure(run(storage, manifest), num_samples)
            if turn > 0:  # the first warms imports, connections and the disk's cache
                measured[name].append(seconds)
                print(f"{where} {turn} {name}: {seconds[0]:.2f} s, CPU {seconds[1]:.2f} s", flush=True)
    wall, cpu = (
        {name: statistics.median(run[which] for run in runs) for name, runs in measured.items()} for which in (0, 1)
    )
    return {
        f"ratio_{where}": round(wall["webdataset"] / wall["ours"], 3),
        f"cpu_ratio_{where}": round(cpu["webdataset"] / cpu["ours"], 3),
        f"ours_{where}": round(num_samples / wall["ours"]),
        f"webdataset_{where}": round(num_samples / wall["webdataset"]),
    }


def resume_s(position: int = 1_000_000) -> float:
    """Seconds to the ids of the first global batch at `position` of 1.5 million samples in 1,500 shards, 64 lanes."""
    import numpy as np

    from argan.data.shards import Order, lane_blocks

    begin = time.perf_counter()
    order = Order(seed=0, shard_counts=(1000,) * 1500, num_lanes=64, window_samples=1024)
    firsts = [next(lane_blocks(order, lane, position // order.num_lanes)) for lane in range(order.num_lanes)]
    assert np.concatenate([ids[:1] for ids in firsts]).shape == (order.num_lanes,)
    return time.perf_counter() - begin


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--num-samples", type=int, default=8192, help="photos of the set; rounded down to whole batches"
    )
    parser.add_argument("--rounds", type=int, default=7, help="interleaved runs of each")
    arguments = parser.parse_args(argv)
    num_samples = arguments.num_samples // BATCH_IMAGES * BATCH_IMAGES

    from argan.storage import open_storage
    from cluster.local_s3 import LocalS3

    with tempfile.TemporaryDirectory() as folder:
        result = compare(open_storage(f"{folder}/disk"), num_samples, arguments.rounds, "disk")
        with LocalS3(Path(folder) / "s3") as server:
            os.environ.update(server.environment())
            result |= compare(open_storage(f"{server.uri}/stream"), num_samples, arguments.rounds, "s3")
    print(json.dumps(result | {"resume_s": round(resume_s(), 4)}))


if __name__ == "__main__":
    run_job(main)
