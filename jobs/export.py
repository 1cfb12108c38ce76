"""Takes the model out of a run: a folder that loads wherever a run does, without what only training needs.

    python jobs/export.py --run build/runs/RUN --out build/model
    python jobs/export.py --run s3://BUCKET/runs/RUN --out argan/zoo/NAME --half

With --half the weights are rounded to float16: half the size, and another model with a hash of its own, to be judged as
such. The models of the zoo (zoo:NAME) were made so.
"""

import argparse

from jobs.runtime.cli import run_job, say


def main(argv: list[str] | None = None) -> int:
    arguments = parse(argv)
    from argan.errors import DataError, UserError  # after the arguments: --help answers at once
    from argan.runs.best import images_of_best
    from argan.runs.checkpoints import read_pointer
    from argan.runs.export import export_model
    from argan.runs.folder import CONFIG, find_run, read_config
    from argan.storage import open_storage

    run, out = find_run(arguments.run), open_storage(arguments.out)
    read_config(run)  # says so where there is no run
    if out.exists(CONFIG):
        raise UserError(f"{out.uri} holds a run or a model already: choose another place")
    if not read_pointer(run).checkpoints:
        raise DataError(f"the run at {run.uri} has no checkpoint yet")
    which = arguments.checkpoint
    at_images = None if which == "newest" else images_of_best(run, which)
    if arguments.dry_run:
        print(f"would export {run.uri} ({which}) to {out.uri}")
        return 0
    exported = export_model(run, out, half=arguments.half, at_images=at_images, warn=say)
    size_bytes = sum(entry.size_bytes for entry in out.list())
    print(f"model at {exported.record['images_seen']:,} images, {size_bytes / 1e6:.1f} MB, sha256 {exported.sha256}")
    print(out.uri)
    return 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, metavar="RUN", help="the run's folder or s3:// URI, or zoo:NAME")
    parser.add_argument("--out", required=True, metavar="URI", help="where the model goes: local path or s3://")
    parser.add_argument(
        "--checkpoint",
        choices=("newest", "best-kid", "best-depth"),
        default="newest",
        help="the best are of those judged in training (default newest)",
    )
    parser.add_argument("--half", action="store_true", help="round the weights to float16")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and write nothing")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_job(main)
