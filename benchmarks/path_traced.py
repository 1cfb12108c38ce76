"""Depth on path-traced flowers that nobody trained on: the estimator that a run teaches, against guesses.

    python benchmarks/path_traced.py --run RUN --tar rendered-000.tar [--cache DIR]

The thin lens's photos, brought to the run's resolution. Told is Spearman's correlation with true disparity, mean over
photos: of the estimator; of every cheap cue at both polarities, of which the best counts, chosen with the truth in hand
as jobs/evaluate.py does; and of two maps that are the same for every photo, the mean of the other photos' truth and the
mean of the estimates. The estimator is told less the best cue, less "lower is nearer" and "the middle is nearer", and
less those maps, with the interval of 95 % of 10,000 resamplings of the photos, in each of which the best cue is chosen
anew. One JSON object on the last line.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from known_photos import path_traced_photos

from argan.api import load_run
from argan.errors import UserError
from argan.evaluation.cues import cue_maps
from argan.evaluation.estimation import EstimatorBudget, estimate
from argan.evaluation.fixed import MEAN_OF_ESTIMATES, MEAN_OF_TRUTH
from argan.evaluation.ranks import spearman
from argan.pixels import to_bytes
from argan.storage import open_storage
from argan.versions import platform_facts, versions
from jobs.runtime.cli import run_job
from jobs.runtime.depth_quality import taught_by_fakes

NAMED = ("+height", "+centre")
RESAMPLINGS = 10_000


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, help="a run's folder, s3:// URI or zoo:NAME")
    parser.add_argument("--tar", type=Path, required=True)
    parser.add_argument("--cache", default="build/estimators", help="where the estimator is kept and found")
    arguments = parser.parse_args(argv)
    if not arguments.tar.is_file():
        raise UserError(f"--tar is no file: {arguments.tar}")
    run = load_run(arguments.run)
    budget, resolution = EstimatorBudget(), run.config.resolution
    photos, truths, num_flat = [], [], 0
    for known in path_traced_photos(arguments.tar):
        factor, rest = divmod(known.photo.shape[-1], resolution)
        if rest:
            raise UserError(f"{arguments.tar}: photos of {known.photo.shape[-1]} px do not divide into {resolution} px")
        truth = F.avg_pool2d(known.disparity, factor)[0, 0].numpy()
        if truth.min() == truth.max():  # it has no order to find
            num_flat += 1
            continue
        photos.append(F.avg_pool2d(known.photo, factor))
        truths.append(truth)
    if not photos:
        raise UserError(f"{arguments.tar} holds no photo with depth")
    net, _ = taught_by_fakes(run, 0, budget, open_storage(arguments.cache))
    estimates = estimate(net, torch.cat(photos))[:, 0].numpy()
    ours = np.array([spearman(*pair) for pair in zip(estimates, truths, strict=True)])
    cues = [cue_maps(to_bytes(photo[0]).permute(1, 2, 0).numpy()) for photo in photos]
    guesses = {
        f"{sign}{cue}": np.array(
            [spearman(toward * maps[cue], truth) for maps, truth in zip(cues, truths, strict=True)]
        )
        for cue in cues[0]
        for sign, toward in (("+", 1.0), ("-", -1.0))
    }
    best = max(guesses, key=lambda name: guesses[name].mean())
    total = sum(truths)
    fixed = {
        MEAN_OF_TRUTH: np.array([spearman(total - truth, truth) for truth in truths]),
        MEAN_OF_ESTIMATES: np.array([spearman(estimates.mean(0), truth) for truth in truths]),
    }
    single = {name: guesses[name] for name in NAMED} | fixed
    opponents = {"best cue": np.stack(list(guesses.values()))} | {name: maps[None] for name, maps in single.items()}
    print(
        json.dumps(
            {
                "estimator": round(float(ours.mean()), 4),
                "best_cue": best,
                "cues": {name: round(float(values.mean()), 4) for name, values in guesses.items()},
                "fixed": {name: round(float(values.mean()), 4) for name, values in fixed.items()},
                "over": {name: difference(ours, values) for name, values in opponents.items()},
                "photos": len(photos),
                "flat_photos_left_out": num_flat,
                "resolution": resolution,
                "protocol": {
                    "run": run.uri,
                    "images_seen": run.images_seen,
                    "checkpoint_sha256": run.checkpoint_sha256,
                    "estimator": asdict(budget),
                    "tar": arguments.tar.name,
                    "platform": {**platform_facts(run.device), **versions()},
                },
            }
        )
    )
    return 0


def difference(ours: np.ndarray, opponents: np.ndarray) -> dict[str, float]:
    """By how much the mean of ours [photos] is above that of the best opponent [opponents, photos], and the ends of its
    95 % interval, by the bootstrap over photos: the best one is another in some draws.
    """
    num_photos = len(ours)
    draws = np.random.default_rng(0).multinomial(num_photos, np.full(num_photos, 1 / num_photos), size=RESAMPLINGS)
    over = (draws @ ours - (draws @ opponents.T).max(axis=1)) / num_photos
    low, high = np.quantile(over, (0.025, 0.975))
    mean = ours.mean() - opponents.mean(axis=1).max()
    return {"mean": round(float(mean), 4), "low": round(float(low), 4), "high": round(float(high), 4)}


if __name__ == "__main__":
    run_job(main)
