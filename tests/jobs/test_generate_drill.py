"""The long proof of exactly-once: 100,000 samples on the S3 server, killed five times on the way. Run by hand:

python -m pytest tests/jobs/test_generate_drill.py -m slow -s
"""

import json
import random
import subprocess
import sys
import time

import psutil
import pytest
from training_job import ROOT, children

from argan.data.shard_files import tar_path
from argan.data.tuple_manifest import read_head
from argan.storage import Storage, open_storage
from cluster.local_s3 import LocalS3

MODEL = "zoo:ar-gan-scenes-64"
NUM_SAMPLES, NUM_UNDISTURBED, SHARD_SAMPLES = 100_000, 10_000, 500
KILLS = ("worker", "driver", "worker", "driver", "worker")  # one in each sixth of the way


def command(out: Storage, num_samples: int) -> list[str]:
    options = ["--num-samples", str(num_samples), "--shard-samples", str(SHARD_SAMPLES), "--out", out.uri]
    return [sys.executable, "jobs/generate.py", "--run", MODEL, *options]


def start(out: Storage) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command(out, NUM_SAMPLES), cwd=ROOT, stdout=subprocess.DEVNULL)


def num_finished(out: Storage) -> int:
    return sum(entry.path.endswith(".json") for entry in out.list("shards/"))


def kill_driver(process: "subprocess.Popen[bytes]") -> None:
    orphans = children(process)
    process.kill()
    process.wait()
    psutil.wait_procs(orphans, timeout=60)


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.s3
@pytest.mark.timeout(7200)
def test_a_hundred_thousand_samples_through_five_kills(s3: LocalS3) -> None:
    rng = random.Random(0)
    out, calm = open_storage(f"{s3.uri}/drill/killed"), open_storage(f"{s3.uri}/drill/undisturbed")
    started_s = time.monotonic()
    process = start(out)
    for number, victim in enumerate(KILLS, 1):
        goal = NUM_SAMPLES // SHARD_SAMPLES * number // (len(KILLS) + 1) + rng.randrange(5)
        while num_finished(out) < goal:
            assert process.poll() is None, "it ended before it was far enough"
            time.sleep(0.5)
        if victim == "driver":
            kill_driver(process)
            process = start(out)
        else:
            workers = [child for child in children(process) if "ShardWorker" in " ".join(child.cmdline())]
            rng.choice(workers).kill()
        print(f"killed a {victim} at {num_finished(out)} shards, {time.monotonic() - started_s:.0f} s", flush=True)
    assert process.wait() == 0
    made_s = time.monotonic() - started_s
    head = read_head(out)
    assert head["num_samples"] == NUM_SAMPLES
    verified = subprocess.run(
        [sys.executable, "jobs/generate.py", "verify", out.uri], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert verified.returncode == 0, verified.stdout
    subprocess.run(command(calm, NUM_UNDISTURBED), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    for shard in range(NUM_UNDISTURBED // SHARD_SAMPLES):
        assert out.read_bytes(tar_path(shard)) == calm.read_bytes(tar_path(shard)), shard
    facts = {name: head[name] for name in ("num_samples", "num_kept", "rejected", "num_duplicates")}
    size_bytes = sum(shard["size_bytes"] for shard in head["shards"])
    print(json.dumps({**facts, "kills": KILLS, "made_s": round(made_s), "size_bytes": size_bytes}))
