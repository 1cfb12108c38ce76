"""A Ray head and an S3 server on this machine, to submit jobs to as on a real cluster.

    python cluster/local.py               until Ctrl-C, which ends both; the objects stay in build/s3
    python cluster/local.py --no-s3       the head alone: its jobs find the storage that this shell knows

What it prints belongs into another terminal: `export` lines for both, and a first command.
"""

import argparse
import os
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import NoReturn

from argan.errors import UserError
from cluster.local_head import LocalHead
from cluster.local_s3 import LocalS3

ROOT = Path(__file__).resolve().parents[1]
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # Ctrl-C, kill, and a terminal that is closed
POLL_S = 1.0
FIRST_COMMAND = "ray job submit --working-dir . -- python jobs/pack.py scenes:2000 {bucket}/scenes32 --resolution 32"


def main(argv: list[str] | None = None) -> int:
    arguments = parse(argv)
    listen()
    try:
        with ExitStack() as running:
            exports, notes, bucket = {}, [], "s3://BUCKET"
            servers: list[LocalS3 | LocalHead] = []
            if arguments.s3:
                s3 = running.enter_context(LocalS3(arguments.folder, port=arguments.port))
                servers.append(s3)
                exports, bucket = s3.environment(), s3.uri
                os.environ.update(exports)  # the head hands on to its jobs what it finds when it starts
                notes.append(f"# S3 at {exports['AWS_ENDPOINT_URL']}, bucket {bucket}, objects in {arguments.folder}")
            head = running.enter_context(LocalHead(num_cpus=arguments.num_cpus))
            servers.append(head)
            notes.append(f"# Ray at {head.address}, for jobs and for a browser, which is asked for the token below")
            exports = {**exports, **head.environment()}
            notes.append("# In another terminal, in this folder and with .venv activated:")
            notes += [f"export {name}={value}" for name, value in exports.items()]
            notes.append(FIRST_COMMAND.format(bucket=bucket))
            print(*notes, "# Ctrl-C here ends it all", sep="\n", flush=True)
            while True:
                time.sleep(POLL_S)
                for server in servers:
                    server.require_running()
    except KeyboardInterrupt:
        pass
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "s3", help="of the objects (default build/s3)")
    parser.add_argument("--port", type=int, help="of the S3 server; default: a free one")
    parser.add_argument("--no-s3", dest="s3", action="store_false", help="start no S3 server")
    parser.add_argument("--num-cpus", type=int, help="of the Ray head; default: all of this machine")
    return parser.parse_args(argv)


def listen() -> None:
    """Has each ending leave in order, but those that are ignored: `nohup` asks for that."""
    for number in ENDINGS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, leave)


def leave(number: int, frame: FrameType | None) -> NoReturn:
    """Ends the program in order; who asks a second time must not end it in the middle of that."""
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
