"""Judge a run by the depth it has learned, on photos whose depth is known: scenes, or a packed set with truth;
by its photos, which KID, precision and recall compare with those, or with any packed set; and by its optics: do photos
blur as their disparity says.

On a laptop:    python jobs/evaluate.py --run build/runs/small-32-0123456789 --json build/evaluation.json
On a cluster:   ray job submit --working-dir . --entrypoint-num-cpus 8 -- python jobs/evaluate.py \\
                    --run s3://BUCKET/runs/NAME --data s3://BUCKET/scenes64 \\
                    --json s3://BUCKET/results/NAME.json --page s3://BUCKET/results/NAME.html

One process on one machine, with its GPU if it sees one, else all its cores, or OMP_NUM_THREADS of them: for a job Ray
sets that to the processors that were booked, and to one where none were. Writes one JSON object: each measure by name,
and by the same names its ceiling, its best trivial guess and the gap closed between the two;
docs/decisions/evaluation.md says what they mean. The two estimators that it trains, and the real photos' features, are
kept in a folder beside it: the same command again computes neither.
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import Any

from argan import strict_json
from argan.errors import UserError
from argan.storage import open_storage
from argan.viewing.numbers import number
from jobs.runtime.cli import run_job
from jobs.runtime.flags import count
from jobs.runtime.output_file import OutputFile


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
    for line in told(strict_json.finite(result)):
        print(line)
    print(arguments.page or arguments.json)
    return 0


def told(result: Mapping[str, Any]) -> Iterator[str]:
    """The result in a few lines; a dash where there is no number."""
    if "kid" in result:
        fid = f" | fid {number(result['fid'])}" if "fid" in result else ""
        ends = " .. ".join(map(number, result["kid_interval"]))
        yield f"kid {number(result['kid'])} | 95 % of subsets in {ends}{fid}"
        yield f"precision {number(result['precision'])} | recall {number(result['recall'])}"
    if "blur_slope" in result:
        yield f"blur slope {number(result['blur_slope'])} | R^2 {number(result['blur_r_squared'])}"
        deep, real = number(result["sharpness_deep"]), number(result["sharpness_real"])
        yield f"sharpness of deep photos {deep} | of real ones {real}"
    for measure, best in result.get("trivial", {}).items():
        guess, ceiling = number(best["value"]), number(result["ceiling"][measure])
        line = f"{measure} {number(result[measure])} | best trivial {guess} ({best['name']}) | ceiling {ceiling}"
        if measure in result["gap_closed"]:
            ends = " .. ".join(map(number, result["gap_closed_interval"][measure]))
            line += f" | gap closed {number(result['gap_closed'][measure])} (95 % of draws of photos: {ends})"
        yield line
    if "gap_closed_past_fixed" in result:
        yield f"from the mean of truth on: gap closed {named(result['gap_closed_past_fixed'])}"
    if "inverted" in result:
        yield f"inverted {number(result['inverted'])} | ceiling {number(result['ceiling']['inverted'])}"
    if "smooth_subjects" in result:
        yield f"smooth subjects: gap closed {named(result['smooth_subjects']['gap_closed'])}"


def named(gaps: Mapping[str, float | None]) -> str:
    return ", ".join(f"{measure} {number(gap)}" for measure, gap in gaps.items())


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
        help="generated photos for KID, and real ones (default 1000); FID with 5000 of each: --scenes 5000 as well",
    )
    add(
        "--photos", metavar="URI", help="compare with as many photos of this packed set (default: with those judged on)"
    )
    add("--features", default="efficientnet-lite0", metavar="NET", help="that, or the path of Inception as TorchScript")
    add("--dry-run", action="store_true", help="print what would be done as JSON, and stop")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_job(main)
