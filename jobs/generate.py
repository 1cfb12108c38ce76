"""Makes a set of (deep, shallow, disparity) samples from a trained run: what it is good for.

On a laptop:
    python jobs/generate.py --run build/runs/RUN --num-samples 10000 --out build/tuples
    python jobs/generate.py verify build/tuples
    python jobs/generate.py repair build/tuples
On a cluster:
    ray job submit --working-dir . -- python jobs/generate.py --run s3://BUCKET/runs/RUN --num-samples 1000000 \\
        --out s3://BUCKET/tuples

The same command again goes on where it was stopped: each shard is made once, its bytes are the same for any number of
workers and any kill. `verify` says what is wrong with a set, a fault a line, and leaves with 1 if anything is; `repair`
makes anew what is broken, and only that. docs/decisions/tuples.md says what is in a set.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from argan.errors import UserError
from argan.viewing.numbers import duration
from jobs.runtime.cli import run_job
from jobs.runtime.flags import count

if TYPE_CHECKING:
    from argan.generation.recipe import Quality


def main(argv: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] in ("verify", "repair"):
        return look_after(words)
    return make(words)


def make(words: list[str]) -> int:
    arguments = parse(words)
    from argan.generation.recipe import Recipe  # after the arguments: --help answers at once
    from jobs.runtime.generating import GenerationRequest, generate, plan

    request = GenerationRequest(
        run_uri=arguments.run,
        out_uri=arguments.out,
        recipe=Recipe(
            num_samples=arguments.num_samples,
            seed=arguments.seed,
            apertures=arguments.apertures,
            random_apertures=arguments.random_apertures,
            focus_px=arguments.focus,
            shape=arguments.shape,
            truncation=arguments.truncation,
            shard_samples=arguments.shard_samples,
            quality=limits(arguments.limit),
        ),
        num_workers=arguments.num_workers,
    )
    if arguments.dry_run:
        print(json.dumps(plan(request), indent=2))
        return 0
    started_s = time.monotonic()
    made = generate(request)
    print(summary(made.head, made.num_new_shards, made.size_bytes, time.monotonic() - started_s))
    print(arguments.out)
    return 0


def look_after(words: list[str]) -> int:
    arguments = parse_care(words)
    from jobs.runtime.generating import CareRequest, repair, verify

    request = CareRequest(uri=arguments.uri, num_workers=arguments.num_workers, num_retaken=arguments.retake)
    started_s = time.monotonic()
    if arguments.action == "repair" and not arguments.dry_run:
        mended, left = repair(request)
        for fault in mended:
            print(f"mended {fault}")
        for fault in left:
            print(f"left as it is, {fault}")
        print(f"{len(mended):,} faults mended" if mended else "nothing was broken, nothing was written")
        return 1 if left else 0
    faults, terms = verify(request)
    for fault in faults:
        print(fault)
    size = f"{terms.recipe.num_samples:,} samples in {terms.recipe.num_shards:,} shards"
    print(f"{len(faults):,} faults: {size}, checked in {duration(time.monotonic() - started_s)}")
    return 1 if faults else 0


def parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, metavar="RUN", help="the run's folder or s3:// URI, or zoo:NAME")
    parser.add_argument(
        "--num-samples", required=True, type=int, metavar="N", help="samples to try; rejected ones count"
    )
    parser.add_argument("--out", required=True, metavar="URI", help="local path or s3://bucket/prefix")
    parser.add_argument("--num-workers", type=count, metavar="N", help="default: all processors, or all GPUs")
    parser.add_argument("--seed", type=int, default=0, help="of z (default 0)")
    parser.add_argument(
        "--apertures", type=apertures, default=(0.5, 1.0), metavar="S,S", help="a shallow photo each (default 0.5,1)"
    )
    parser.add_argument(
        "--random-apertures", type=int, default=0, metavar="K", help="K more, each drawn from (0, 1] (default 0)"
    )
    parser.add_argument("--focus", type=float, default=0.0, metavar="PX", help="disparity that is sharp (default 0)")
    parser.add_argument("--shape", choices=("disk", "square"), help="of the aperture (default: the model's own)")
    parser.add_argument(
        "--truncation", type=float, default=0.0, metavar="T", help="cut z's style off at +-T; 0, the default: not cut"
    )
    parser.add_argument("--shard-samples", type=int, default=500, metavar="N", help="samples a shard (default 500)")
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="from where on a sample is rejected: min_spread, min_contrast, max_prior_correlation, min_sharpness, "
        "max_saturation (argan/generation/recipe.py says what they are, their defaults, and what switches them off)",
    )
    parser.add_argument("--dry-run", action="store_true", help="say in JSON what would be made, and write nothing")
    return parser.parse_args(words)


def parse_care(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Look after a set that jobs/generate.py has made.")
    parser.add_argument("action", choices=("verify", "repair"))
    parser.add_argument("uri", metavar="URI", help="the set: local path or s3://bucket/prefix")
    parser.add_argument("--num-workers", type=count, metavar="N", help="default: all processors, or all GPUs")
    parser.add_argument(
        "--retake",
        type=int,
        default=10,
        metavar="N",
        help="samples a shard whose shallow photos are taken again and compared (default 10; a large N: all)",
    )
    parser.add_argument("--dry-run", action="store_true", help="with repair: only say what is wrong, as verify does")
    arguments = parser.parse_args(words)
    if arguments.retake < 0:
        raise UserError(f"--retake must be at least 0, got {arguments.retake}")
    return arguments


def apertures(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(",") if part)


def limits(words: list[str]) -> "Quality":
    """The quality filters with these limits changed. Raises UserError for a name or a number that is none."""
    from argan.generation.recipe import Quality

    changed = {}
    for word in words:
        name, _, value = word.partition("=")
        try:
            changed[name] = float(value)
        except ValueError:
            raise UserError(f"--limit wants NAME=NUMBER, got {word!r}") from None
        if name not in Quality.__dataclass_fields__:
            raise UserError(f"--limit knows {', '.join(Quality.__dataclass_fields__)}, got {name!r}")
    return Quality(**changed)


def summary(head: dict[str, Any], num_new_shards: int, size_bytes: int, seconds: float) -> str:
    """The last words: what is there now."""
    num_shards = len(head["shards"])
    lines = [
        f"{head['num_kept']:,} of {head['num_samples']:,} tuples kept, {num_shards:,} shards,"
        f" {size_bytes / 1e6:,.1f} MB, in {duration(seconds)}"
    ]
    if head["rejected"]:
        lines.append("rejected: " + ", ".join(f"{count:,} {reason}" for reason, count in head["rejected"].items()))
    if head["num_duplicates"]:
        lines.append(f"{head['num_duplicates']:,} are exact copies of others")
    if num_new_shards < num_shards:
        lines.append(f"{num_shards - num_new_shards:,} shards were there already, whole by their hashes")
    return "\n".join(lines)


if __name__ == "__main__":
    run_job(main)
