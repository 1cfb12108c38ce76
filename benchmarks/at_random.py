"""What a run makes, and what it makes of other photos: drawn at random, none left out.

    python benchmarks/at_random.py --run RUN --photos PACKED --out build/at_random [--cache DIR]

Writes OUT/generated.png, rows deep | shallow (s = 1) | disparity, and OUT/unseen.png, photo | disparity, the latter by
the estimator that the run's own pairs teach, as jobs/evaluate.py has it. Both disparities are px per aperture unit of
the run, in the same colours: white is in focus, blue lies behind. OUT/unseen-disparity.png is the second row alone, for
photos that may not be shown. One JSON object on the last line.
"""

import argparse
import json

import numpy as np
import torch
from numpy.typing import NDArray

from argan.api import load_run
from argan.data.manifest import read_manifest
from argan.data.reading import read_photos
from argan.errors import DataError, UserError
from argan.evaluation.estimation import EstimatorBudget, estimate
from argan.pixels import to_signed
from argan.storage import open_storage
from argan.viewing.pictures import disparity_colours, grid, png_bytes, to_array, to_uint8
from jobs.runtime.cli import run_job
from jobs.runtime.depth_quality import taught_by_fakes

A_LINE = 12  # pictures
Pictures = NDArray[np.uint8]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--run", required=True, help="a run's folder, s3:// URI or zoo:NAME")
    add(
        "--photos", required=True, help="a set packed by jobs/pack.py at the run's resolution, of photos not trained on"
    )
    add("--out", required=True, help="folder of the pictures")
    add("--num", type=int, default=2 * A_LINE, help=f"of each (default {2 * A_LINE}, {A_LINE} a line)")
    add("--seed", type=int, default=0, help="of what is drawn (default 0)")
    add("--cache", default="build/estimators", help="where the estimator is kept and found (default build/estimators)")
    arguments = parser.parse_args(argv)
    if arguments.num < 1:
        raise UserError(f"--num must be at least 1, got {arguments.num}")
    run, data, out = load_run(arguments.run), open_storage(arguments.photos), open_storage(arguments.out)
    manifest, d_max_px = read_manifest(data, resolution=run.config.resolution), run.config.d_max_px
    if manifest.order_fingerprint == run.config.data.fingerprint:
        raise DataError(f"{data.uri} is the set that the run was trained on: none of its photos is unseen")
    rng = np.random.Generator(np.random.Philox(arguments.seed))

    sample = run.sample(arguments.num, seed=int(rng.integers(2**31)))
    shallow = run.render(sample.deep, sample.disparity)
    made = [to_uint8(to_array(sample.deep)), to_uint8(to_array(shallow)), coloured(sample.disparity, d_max_px)]
    out.write_bytes("generated.png", sheet(("deep", "shallow", "disparity"), made))

    rows = np.sort(rng.choice(manifest.num_samples, size=min(arguments.num, manifest.num_samples), replace=False))
    photos = torch.from_numpy(read_photos(data, manifest, rows))
    net, _ = taught_by_fakes(run, 0, EstimatorBudget(), open_storage(arguments.cache))
    seen = coloured(estimate(net, to_signed(photos)), d_max_px)
    out.write_bytes("unseen.png", sheet(("photo", "disparity"), [photos.permute(0, 2, 3, 1).numpy(), seen]))
    out.write_bytes("unseen-disparity.png", sheet(("disparity",), [seen]))
    protocol = {"run": run.uri, "images_seen": run.images_seen, "checkpoint_sha256": run.checkpoint_sha256}
    print(json.dumps({"pictures": out.uri, "unseen": manifest.key[rows].tolist(), "protocol": protocol}))
    return 0


def coloured(disparity: torch.Tensor, d_max_px: float) -> Pictures:
    """[N,1,H,W] -> [N,H,W,3]"""
    return disparity_colours(to_array(disparity)[:, 0], d_max_px)


def sheet(labels: tuple[str, ...], kinds: list[Pictures]) -> bytes:
    """Lines of A_LINE pictures, each with a row a kind, as PNG; the last is filled up with white."""
    blank = np.full_like(kinds[0][0], 255)
    rows = []
    for start in range(0, len(kinds[0]), A_LINE):
        for kind in kinds:
            line = list(kind[start : start + A_LINE])
            rows.append([*line, *[blank] * (A_LINE - len(line))])
    names = labels * (len(rows) // len(labels))
    return png_bytes(grid(rows, scale=max(1, 64 // blank.shape[0]), row_labels=names))


if __name__ == "__main__":
    run_job(main)
