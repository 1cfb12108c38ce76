"""Ray's own files go where ours go, however the endpoint is told."""

from pathlib import Path

import pytest
from pyarrow.fs import FileSystem

from argan.storage import open_storage
from cluster.local_s3 import LocalS3
from jobs.runtime.rays_place import rays_place


def by_profile(s3: LocalS3, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """The environment names a profile, and that names endpoint and keys."""
    told = s3.environment()
    lines = ["[profile lab]", f"endpoint_url = {told['AWS_ENDPOINT_URL']}", f"region = {told['AWS_REGION']}"]
    lines += [f"{name.lower()} = {told[name]}" for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
    (folder / "config").write_text("\n".join(lines) + "\n")
    for name in told:
        patch.delenv(name, raising=False)
    patch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    patch.setenv("AWS_PROFILE", "lab")


@pytest.mark.s3
@pytest.mark.parametrize("told_by", ["environment", "profile"])
def test_what_ray_writes_is_where_we_read(
    s3: LocalS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told_by: str
) -> None:
    if told_by == "profile":
        by_profile(s3, tmp_path, monkeypatch)
    place = rays_place(f"{s3.uri}/rays/{told_by}/ray")
    filesystem: FileSystem = place["storage_filesystem"]
    with filesystem.open_output_stream(f"{place['storage_path']}/file") as out:
        out.write(b"Ray's")
    assert open_storage(f"{s3.uri}/rays/{told_by}").read_bytes("ray/file") == b"Ray's"


def test_elsewhere_ray_finds_its_own_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rays_place(str(tmp_path)) == {"storage_path": str(tmp_path)}
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    assert rays_place("s3://bucket/runs/ray") == {"storage_path": "s3://bucket/runs/ray"}
