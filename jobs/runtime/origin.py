"""Which code is running: what a thing's history should say beside its versions."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def git_commit() -> str:
    """The commit of this checkout, with "-dirty" where files were changed since; or that it is none, as in the package
    that `ray job submit` sends.
    """
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    except OSError:
        return "unknown: no git here"
    return done.stdout.strip() if done.returncode == 0 else "unknown: not a git checkout"
