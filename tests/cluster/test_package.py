"""What `ray job submit --working-dir .` sends: all that a job imports, and none of the bulk beside it."""

import zipfile
from pathlib import Path

from ray._private.runtime_env.packaging import create_package

ROOT = Path(__file__).resolve().parents[2]
CODE = ("argan", "jobs", "sweeps", "cluster")
BULK = (".git", ".venv", "benchmarks", "build", "data", "demo", "docs", "runs", "tests")


def package_of(checkout: Path, target: Path) -> set[str]:
    """The files in the package, made by Ray itself of .rayignore alone: .gitignore may be switched off."""
    create_package(str(checkout), target, include_gitignore=False)
    with zipfile.ZipFile(target) as package:
        return set(package.namelist())


def test_all_code_is_sent(tmp_path: Path) -> None:
    """A file that is missing may be masked by an installed copy, here and in the image: by another version of it."""
    files = [path for top in CODE for path in (ROOT / top).rglob("*") if path.is_file()]
    wanted = {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}
    assert len(wanted) > 80
    assert not wanted - package_of(ROOT, tmp_path / "package.zip")


def test_no_bulk_is_sent(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    for name in (*BULK, "argan/data", "jobs/runtime/build"):
        (checkout / name).mkdir(parents=True)
        (checkout / name / "file").write_text("bytes")
    (checkout / ".rayignore").write_bytes((ROOT / ".rayignore").read_bytes())
    assert package_of(checkout, tmp_path / "package.zip") == {
        ".rayignore",
        "argan/data/file",
        "jobs/runtime/build/file",
    }
