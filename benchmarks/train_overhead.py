"""What the distributed system costs: the Ray job's images/s against the same step in a bare loop on data in memory.

    python benchmarks/train_overhead.py

Preset small-64 on two cores, with its own ticks. The job reads packed shards from disk, reports ticks, writes history,
checkpoints, pictures and its page; its first tick, with the start of it all, is left out. The bare loop keeps memory as
the job's workers do. Bare loop, job with one worker of two threads and job with two workers of one thread take turns;
medians over the rounds. One JSON object on the last line:

    ratio        job with one worker over the bare loop
    scaling      job with two workers of one thread over job with one worker of two
    conv_share   part of the bare step's operator time that convolutions take (profiler, self time)
    top_ops      the operators behind the rest
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from in_turns import last_line, noise_step, paired

from argan.presets import preset
from jobs.runtime.cli import run_job
from jobs.runtime.trainer import KEEP_MEMORY

PRESET = "small-64"
NUM_SCENES = 512


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved runs of each (default 5)")
    parser.add_argument("--images", type=int, default=8_000, help="images a measured run (default 8,000)")
    parser.add_argument("--bare", action="store_true", help="only the bare loop: prints its images/s")
    parser.add_argument("--profile", action="store_true", help="only the profile of the bare step")
    arguments = parser.parse_args(argv)
    if arguments.bare:
        print(json.dumps(bare_loop(arguments.images)))
    elif arguments.profile:
        print(json.dumps(profile()))
    else:
        print(json.dumps(compare(arguments.rounds, arguments.images)))


def compare(rounds: int, images: int) -> dict[str, object]:
    speeds: dict[str, list[float]] = {"bare": [], "one_worker": [], "two_workers": []}
    with tempfile.TemporaryDirectory() as folder:
        data = f"{folder}/scenes"
        last_line("jobs/pack.py", f"scenes:{NUM_SCENES}", data, "--resolution", "64", "--shard-samples", "128")
        for number in range(rounds):
            bare = last_line(__file__, "--bare", "--images", str(images), environment=KEEP_MEMORY)
            speeds["bare"].append(json.loads(bare)["images_per_s"])
            speeds["one_worker"].append(job(data, f"{folder}/one-{number}", images, workers=1, cpus=2))
            speeds["two_workers"].append(job(data, f"{folder}/two-{number}", images, workers=2, cpus=1))
            print(f"round {number + 1} of {rounds}:", {name: round(s[-1], 1) for name, s in speeds.items()}, flush=True)
    return {
        "ratio": paired(speeds["one_worker"], speeds["bare"]),
        "scaling": paired(speeds["two_workers"], speeds["one_worker"]),
        **json.loads(last_line(__file__, "--profile")),
        "rounds": rounds,
        "images": images,
        "images_per_s": {name: round(statistics.median(values), 1) for name, values in speeds.items()},
    }


def job(data: str, out: str, images: int, *, workers: int, cpus: int) -> float:
    """Images a second of the training job after its first tick, by the clock of its own history."""
    options = {
        "--num-workers": workers,
        "--cpus-per-worker": cpus,
        "--schedule.total_images": preset(PRESET).schedule.tick_images + images,
    }
    words = [str(word) for option in options.items() for word in option]
    last_line("jobs/train.py", "--preset", PRESET, "--data", data, "--out", out, *words)
    (history,) = Path(out).glob("*/history.jsonl")
    rows = [json.loads(line) for line in history.read_text().splitlines()]
    return float(
        (rows[-1]["images_seen"] - rows[0]["images_seen"]) / (rows[-1]["time/elapsed_s"] - rows[0]["time/elapsed_s"])
    )


def bare_loop(images: int) -> dict[str, float]:
    """The step alone, on two threads, a batch of noise in memory."""
    step, batch_images = bare_step(), preset(PRESET).data.batch_images
    for _ in range(8):
        step()
    started_s = time.monotonic()
    num_batches = images // batch_images
    for _ in range(num_batches):
        step()
    return {"images_per_s": num_batches * batch_images / (time.monotonic() - started_s)}


def bare_step() -> Callable[[], None]:
    import torch

    torch.set_num_threads(2)
    return noise_step(preset(PRESET), torch.device("cpu"))


def profile() -> dict[str, object]:
    """Where the operator time of 16 steps goes: two of them with R1, as in training."""
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as record

    step = bare_step()
    for _ in range(8):
        step()
    with record(activities=[ProfilerActivity.CPU]) as recorded:
        for _ in range(16):
            step()
    times_us = {event.key: event.self_cpu_time_total for event in recorded.key_averages()}
    total_us = sum(times_us.values())
    shares = {name: time_us / total_us for name, time_us in times_us.items()}
    rest = sorted((name for name in shares if "conv" not in name), key=lambda name: -shares[name])
    return {
        "conv_share": round(sum(share for name, share in shares.items() if "conv" in name), 3),
        "top_ops": {name: round(shares[name], 3) for name in rest[:8]},
    }


if __name__ == "__main__":
    run_job(main)
