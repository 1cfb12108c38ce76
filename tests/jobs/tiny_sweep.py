"""A sweep of the debug preset, as a program that can be killed:

python tiny_sweep.py DATA OUT NUM_TRIALS CONCURRENT [KEY=VALUE ...]
"""

import sys

from argan.judging_size import JudgingSize
from argan.search.space import LogUniform, Uniform
from argan.search.sweep import Objective, Sweep
from jobs.runtime.cli import run_job
from jobs.runtime.sweeping import SweepRequest, run_sweep
from jobs.runtime.workers import Workers

RUNGS = (96, 240)


def tiny_sweep(num_trials: int, **changes: object) -> Sweep:
    settings = {
        "name": "tiny",
        "preset": "debug",
        "space": {
            "optics.d_max_at_64_px": Uniform(low=1.0, high=6.0),
            "prior.weight": LogUniform(low=0.1, high=10.0),
        },
        "objectives": (
            Objective(name="kid", goal="min", reference=5000.0),
            Objective(name="ordinal_accuracy", goal="max", reference=0.0),
        ),
        "rungs_images": RUNGS,
        "num_trials": num_trials,
        "search": "random",
        "judging": JudgingSize(num_photos=12, kid_photos=12, estimator_images=64, estimator_pairs=32),
    }
    return Sweep(**{**settings, **changes})


def request(data: str, out: str, num_trials: int, concurrent: int = 1, **speed_ups: str) -> SweepRequest:
    return SweepRequest(
        sweep=tiny_sweep(num_trials),
        data_uri=data,
        out_uri=out,
        workers=Workers(minimum=1, maximum=1, cpus_each=1),
        concurrent=concurrent,
        speed_ups=speed_ups,
    )


def main() -> int:
    data, out, num_trials, concurrent, *words = sys.argv[1:]
    speed_ups = dict(word.split("=", 1) for word in words)
    run_sweep(request(data, out, int(num_trials), int(concurrent), **speed_ups))
    return 0


if __name__ == "__main__":
    run_job(main)
