"""The training step alone, on one device: images a second of a preset in each number format, and what holds it up.

    python benchmarks/step.py --preset full-64

Every variant trains the same preset on a batch of noise in memory; variants take turns, medians over the rounds. The
preset's own compute settings play no part. One JSON object on the last line:

    images_per_s    of each variant: fp32 (TF32 products on a GPU), bf16, bf16 compiled
    draws_share     part of a step's time that drawing z takes, on the CPU, in the fastest variant

and, on a GPU, of the fastest variant:

    waits_share     part of the time that the GPU has nothing to do, by the profiler
    launches        kernels and copies a step
    memory_bytes    the most that its tensors take
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import torch
from in_turns import noise_step

from argan.config import Config
from argan.draws import Purpose, draw_z
from argan.presets import preset
from argan.settings import override
from argan.training.state import build_state
from jobs.runtime.cli import run_job

VARIANTS = {
    "fp32": {"compute.precision": "fp32", "compute.compile": False},
    "bf16": {"compute.precision": "bf16", "compute.compile": False},
    "bf16_compiled": {"compute.precision": "bf16", "compute.compile": True},
}


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="full-64", help="which nets and batch (default full-64)")
    parser.add_argument("--batch-images", type=int, help="another batch than the preset's")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--batches", type=int, default=64, help="of a round; R1 is in its share of them (default 64)")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved runs of each variant (default 5)")
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    arguments = parser.parse_args(argv)
    torch.set_float32_matmul_precision("high")
    device = torch.device(arguments.device)
    config = preset(arguments.preset)
    if arguments.batch_images:
        config = override(config, {"data.batch_images": arguments.batch_images})
    steps = {name: noise_step(override(config, VARIANTS[name]), device) for name in arguments.variants}
    for name, step in steps.items():
        started_s = time.monotonic()
        for _ in range(config.optimizer.r1_every_batches + 2):
            step()
        finish(device)
        print(f"{name}: ready in {time.monotonic() - started_s:.0f} s", flush=True)
    times_s: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(arguments.rounds):
        for name, step in steps.items():
            times_s[name].append(timed(step, arguments.batches, device))
        print(f"round {number + 1} of {arguments.rounds}:", {n: round(1e3 * t[-1], 2) for n, t in times_s.items()})
    step_s = {name: statistics.median(values) for name, values in times_s.items()}
    fastest = min(step_s, key=lambda name: step_s[name])
    size = config.data.batch_images
    result = {
        "images_per_s": {name: round(size / value, 1) for name, value in step_s.items()},
        "draws_share": round(draws_s(config) / step_s[fastest], 3),
        **(on_gpu(steps[fastest], arguments.batches, device) if device.type == "cuda" else {}),
        "preset": arguments.preset,
        "batch_images": size,
        "fastest": fastest,
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        "torch": torch.__version__,
    }
    print(json.dumps(result))


def timed(step: Callable[[], None], num_batches: int, device: torch.device) -> float:
    """Seconds a step."""
    started_s = time.monotonic()
    for _ in range(num_batches):
        step()
    finish(device)
    return (time.monotonic() - started_s) / num_batches


def finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def draws_s(config: Config) -> float:
    """Seconds that a step's draws of z take."""
    z_dim = build_state(config, torch.device("cpu")).camera.generator.z_dim
    times_s = []
    for counter in range(20):
        started_s = time.monotonic()
        for purpose in (Purpose.Z_DISCRIMINATOR, Purpose.Z_GENERATOR):
            draw_z(0, purpose, counter, num=config.data.batch_images, z_dim=z_dim)
        times_s.append(time.monotonic() - started_s)
    return statistics.median(times_s)


def on_gpu(step: Callable[[], None], num_batches: int, device: torch.device) -> dict[str, float]:
    """The GPU is busy as long as its kernels and copies take, one after another."""
    elapsed_s = timed(step, num_batches, device)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as recorded:
        timed(step, num_batches, device)
    events = [event for event in recorded.key_averages() if event.self_device_time_total]
    busy_s = sum(event.self_device_time_total for event in events) / 1e6 / num_batches
    torch.cuda.reset_peak_memory_stats(device)
    step()
    return {
        "waits_share": round(max(0.0, 1 - busy_s / elapsed_s), 3),
        "launches": round(sum(event.count for event in events) / num_batches),
        "memory_bytes": torch.cuda.max_memory_allocated(device),
    }


if __name__ == "__main__":
    run_job(main)
