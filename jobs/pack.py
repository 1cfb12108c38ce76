"""Packs photos, or procedural scenes with their truth, into webdataset shards with a manifest.

On a laptop:
    python jobs/pack.py ~/photos build/photos64 --resolution 64
    python jobs/pack.py '~/sets/flowers-*.tar' build/flowers64 --resolution 64
    python jobs/pack.py scenes:8000@1 build/scenes32 --resolution 32
On a cluster, next to its bucket:
    ray job submit --working-dir . -- python jobs/pack.py s3://BUCKET/photos s3://BUCKET/photos64 --resolution 64

The same command again goes on where it was stopped. Broken photos are skipped, counted, and listed in skipped.jsonl.
"""

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from argan.errors import UserError
from argan.viewing.numbers import duration
from jobs.runtime.cli import run_job
from jobs.runtime.flags import count

if TYPE_CHECKING:
    from argan.data.manifest import Manifest
    from argan.data.packing import Plan
    from argan.storage import Storage


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "source", metavar="SOURCE", help="folder, tar, glob (quoted), s3:// prefix, scenes:COUNT[@SEED]"
    )
    parser.add_argument("out", metavar="OUT_URI", help="local path or s3://bucket/prefix")
    parser.add_argument("--resolution", type=int, required=True, metavar="PX", help="side of the square photos")
    parser.add_argument("--seed", type=int, default=0, help="of the shuffle (default 0)")
    parser.add_argument("--num-workers", type=count, metavar="N", help="at most so many at once (default: all cores)")
    parser.add_argument("--shard-samples", type=int, default=512, metavar="N", help="photos a shard (default 512)")
    parser.add_argument(
        "--max-pixels", type=int, default=100_000_000, metavar="N", help="skip larger photos (default 100,000,000)"
    )
    parser.add_argument("--dry-run", action="store_true", help="say in JSON what would be done, and write nothing")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse(argv)
    from argan.data.packing import commit, finished_shards, is_committed, make_plan
    from argan.data.sources import list_source, would_list
    from argan.storage import open_storage
    from jobs.runtime.packing import pack_missing

    started_s = time.monotonic()
    out = open_storage(args.out)
    source = os.path.expanduser(args.source)
    if would_list(source, out.uri):
        raise UserError(f"OUT_URI {out.uri} lies inside of SOURCE: the shards would become photos of the source")
    plan = make_plan(
        args.source,
        list_source(source),
        resolution=args.resolution,
        seed=args.seed,
        shard_samples=args.shard_samples,
        max_pixels=args.max_pixels,
    )
    records = finished_shards(plan, out)
    if args.dry_run:
        print(json.dumps(forecast(plan, out, len(records)), indent=2))
        return
    if is_committed(out) and len(records) == plan.num_shards:
        print(f"already packed: {out.uri} is finished, nothing was written")
        return
    manifest = commit(plan, out, pack_missing(plan, out, records, args.num_workers))
    print(summary(manifest, out, time.monotonic() - started_s))


def forecast(plan: "Plan", out: "Storage", num_finished: int) -> dict[str, Any]:
    """What a run would do, as plain data."""
    return {
        "source": plan.source,
        "out": out.uri,
        **asdict(plan.terms),
        "truth": plan.listing.has_truth,
        "num_shards": plan.num_shards,
        "num_finished_shards": num_finished,
        "first_items": [item.name for item in plan.items[:5]],
        "skipped": [entry.message for entry in plan.listing.skipped],
    }


def summary(manifest: "Manifest", out: "Storage", seconds: float) -> str:
    """The last words: what was packed, what was not, and what to do with it."""
    from argan.data.packing import SKIPPED_PATH
    from argan.presets import presets

    size_bytes = sum(shard.size_bytes for shard in manifest.shards)
    lines = [
        f"packed {manifest.num_samples:,} photos of {manifest.resolution} px into {len(manifest.shards):,} shards,"
        f" {size_bytes / 1e6:,.1f} MB, in {duration(seconds)}: {out.uri}"
    ]
    if manifest.skipped:
        counts = ", ".join(f"{count:,} {reason}" for reason, count in manifest.skipped.items())
        lines.append(f"skipped {sum(manifest.skipped.values()):,} ({counts}), listed in {out.uri}/{SKIPPED_PATH}")
    copies = manifest.num_samples - len(set(manifest.sha256.tolist()))
    if copies:
        lines.append(f"{copies:,} are exact copies of others; they were kept")
    fitting = f"small-{manifest.resolution}"
    name = fitting if fitting in presets() else "NAME"
    parent, _, _ = out.uri.rpartition("/")
    runs = f"{out.uri if parent == 's3:/' else parent}/runs"  # beside the set, where the job's workers reach it too
    lines.append(f"next: python jobs/train.py --preset {name} --data {out.uri} --out {runs}")
    return "\n".join(lines)


if __name__ == "__main__":
    run_job(main)
