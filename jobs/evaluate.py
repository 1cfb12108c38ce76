"""Judge a run by the depth it has learned, on photos whose depth is known: scenes, or any set in the truth schema;
by its photos, which KID, precision and recall compare with those, or with any packed set; and by its optics: do photos
blur as their disparity says.

On a laptop:    python jobs/evaluate.py --run build/runs/small-32-0123456789 --json build/evaluation.json
On a cluster:   ray job submit --working-dir . -- python jobs/evaluate.py --run s3://BUCKET/runs/NAME \\
                    --data s3://BUCKET/truth --json s3://BUCKET/results/NAME.json --page s3://BUCKET/results/NAME.html

One process on one machine, with all its cores. Writes one JSON object: each measure by name, and by the same names its
ceiling, its best trivial guess and the gap closed between the two; docs/decisions/evaluation.md says what they mean.
The two estimators that it trains, and the real photos' features, are kept in a folder beside it: the same command again
computes neither.
"""

import argparse
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from argan import strict_json
from argan.errors import StorageError, UserError
from argan.storage import Storage, open_storage
from jobs.runtime.cli import run_job


def main(argv: list[str] | None = None) -> int:
    arguments = parse(argv)

    from argan.evaluation.estimation import EstimatorBudget  # after the arguments: --help answers at once
    from jobs.runtime.depth_quality import DepthQuality
    from jobs.runtime.evaluation import PARTS, EvaluationRequest, evaluate, plan
    from jobs.runtime.optics_quality import OpticsQuality
    from jobs.runtime.photo_quality import PhotoQuality

    json_file = OutputFile.at(arguments.json)
    page_file = OutputFile.at(arguments.page) if arguments.page else None
    if json_file == page_file:
        raise UserError(f"--json and --page are one file, {arguments.json!r}: give two")
    cache = open_storage(arguments.cache) if arguments.cache else json_file.folder.child("estimators")
    request = EvaluationRequest(
        run_uri=arguments.run,
        checkpoint=arguments.checkpoint,
        cache_uri=cache.uri,
        data_uri=arguments.data,
        num_photos=arguments.scenes,
        use=arguments.use,
        depth=DepthQuality(
            seed=arguments.seed,
            apertures=arguments.pairs,
            budget=EstimatorBudget(
                num_images=arguments.estimator_images, num_pairs=arguments.estimator_pairs, seed=arguments.seed
            ),
        ),
        photos=PhotoQuality(
            photos_uri=arguments.photos,
            num_fakes=arguments.kid_images,
            num_reals=arguments.kid_images,
            features=arguments.features,
            seed=arguments.seed,
        ),
        optics=OpticsQuality(seed=arguments.seed),
        parts=(arguments.only,) if arguments.only else PARTS,
    )
    planned = plan(request)  # refuses what cannot be done, before anything is written
    if arguments.dry_run:
        print(json.dumps(planned, indent=2))
        return 0
    for file in (json_file, page_file, OutputFile(cache, "estimator")):
        if file:
            file.require_writable()
    result, page = evaluate(request)
    json_file.write(strict_json.dumps(result, indent=2) + "\n")
    if page_file:
        page_file.write(page())
    for line in told(result):
        print(line)
    print(arguments.page or arguments.json)
    return 0


def told(result: Mapping[str, Any]) -> Iterator[str]:
    """The result in a few lines."""
    if "kid" in result:
        low, high = result["kid_interval"]
        fid = f" | fid {result['fid']:.2f}" if "fid" in result else ""
        yield f"kid {result['kid']:.2f} | 95 % of subsets in {low:.2f} .. {high:.2f}{fid}"
        yield f"precision {result['precision']:.3f} | recall {result['recall']:.3f}"
    if "blur_slope" in result:
        yield f"blur slope {result['blur_slope']:.3f} | R^2 {result['blur_r_squared']:.3f}"
        yield f"sharpness of deep photos {result['sharpness_deep']:.3f} | of real ones {result['sharpness_real']:.3f}"
    for measure, best in result.get("trivial", {}).items():
        gap = result["gap_closed"].get(measure)
        yield (
            f"{measure} {result[measure]:.4f} | best trivial {best['value']:.4f} ({best['name']}) | "
            f"ceiling {result['ceiling'][measure]:.4f}" + (f" | gap closed {gap:.3f}" if gap is not None else "")
        )
    if "gap_closed_past_fixed" in result:
        gaps = result["gap_closed_past_fixed"].items()
        yield "from the mean of truth on: gap closed " + ", ".join(f"{measure} {gap:.3f}" for measure, gap in gaps)
    if "inverted" in result:
        yield f"inverted {100 * result['inverted']:.1f} % | ceiling {100 * result['ceiling']['inverted']:.1f} %"
    if "smooth_subjects" in result:
        gaps = result["smooth_subjects"]["gap_closed"].items()
        yield "smooth subjects: gap closed " + ", ".join(f"{measure} {gap:.3f}" for measure, gap in gaps)


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--run", required=True, metavar="RUN", help="the folder of a run, a local path, s3:// or zoo:NAME")
    add(
        "--checkpoint",
        choices=("newest", "best-kid", "best-depth"),
        default="newest",
        help="the best are of those judged in training (default newest)",
    )
    add("--json", required=True, metavar="FILE", help="where the result goes, a local path or s3://")
    add("--page", metavar="FILE.html", help="a page with the best, median and worst photos")
    add("--scenes", type=count, default=1000, metavar="N", help="photos to judge on, at most (default 1000)")
    add("--data", metavar="URI", help="a packed set with truth to judge on instead of scenes")
    add(
        "--use",
        choices=("test", "selection"),
        default="test",
        help="of the photos: to tell how good a run is, or to choose among runs by others (default test)",
    )
    add(
        "--cache", metavar="DIR", help="where trained estimators are kept and found (default: estimators beside --json)"
    )
    add("--seed", type=int, default=0, help="of samples, estimators and pixel pairs, not of the photos (default 0)")
    add("--estimator-images", type=count, default=48_000, help="images an estimator sees (default 48000)")
    add("--estimator-pairs", type=count, default=8_000, help="distinct pairs among them (default 8000)")
    add(
        "--pairs",
        choices=("uniform", "own"),
        default="uniform",
        help="apertures of the run's pairs: uniform in [0, 1] for every run, or its own p(s) (default uniform)",
    )
    add("--only", choices=("depth", "kid", "optics"), help="leave the others out")
    add(
        "--kid-images",
        type=count,
        default=1000,
        metavar="N",
        help="generated photos for KID, and real ones (default 1000); FID from 5000 of each, scenes too",
    )
    add(
        "--photos", metavar="URI", help="compare with as many photos of this packed set (default: with those judged on)"
    )
    add("--features", default="efficientnet-lite0", metavar="NET", help="that, or the path of Inception as TorchScript")
    add("--dry-run", action="store_true", help="print what would be done as JSON, and stop")
    return parser.parse_args(argv)


def count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"at least 1, got {value}")
    return value


class OutputFile(NamedTuple):
    """A file to write when all is done, and to know about before anything is."""

    folder: Storage
    name: str

    @classmethod
    def at(cls, uri: str) -> "OutputFile":
        """Raises UserError where `uri` can only be a folder or a bucket."""
        folder, slash, name = uri.rpartition("/")
        if not name or folder.endswith(":/") or os.path.isdir(os.path.expanduser(uri)):
            raise UserError(f"{uri!r} is a folder or a bucket: give a file to write")
        return cls(open_storage(folder + slash or "."), name)

    def require_writable(self) -> None:
        """Tries by a file beside it, so that what stands there stays. Raises UserError."""
        trial = f"writing-trial-{self.name}"
        try:
            self.folder.write_bytes(trial, b"")
            self.folder.delete(trial)
        except StorageError as error:
            raise UserError(f"no result could be kept in {self.folder.uri}: {error}") from error

    def write(self, text: str) -> None:
        self.folder.write_bytes(self.name, text.encode())


if __name__ == "__main__":
    run_job(main)
