"""Faults planted for real, each found and named by the doctor, and its silence where nothing is wrong."""

import json
import os
import sys
import uuid
from pathlib import Path

import pytest
from doctor_places import identity, pack, read_only_folder, silent_port
from tampering_proxy import CONDITIONS, TamperingProxy
from training_job import ROOT

from argan.presets import preset
from argan.settings import override
from argan.storage import open_storage
from argan.storage.s3_client import client_for_this_thread
from cluster.local_s3 import LocalS3
from cluster.loopback import free_port
from jobs.runtime.doctor import packed_set, places
from jobs.runtime.doctor.finding import Finding
from jobs.runtime.doctor.installed import check_versions, wanted_by
from jobs.runtime.doctor.package import MIB, check_package
from jobs.runtime.doctor.packed_set import check_set
from jobs.runtime.doctor.places import check_data, check_out

DEBUG = preset("debug")


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is slow to answer; where an answer never comes, the test says how long to wait."""
    monkeypatch.setattr(places, "FIRST_ANSWER_S", 60.0)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A set of 20 scenes, for tests that leave it as it is."""
    return pack(str(tmp_path_factory.mktemp("doctor") / "set")).uri


def bad(findings: list[Finding]) -> list[str]:
    """The lines that are not ok, all of which say what to do."""
    wrong = [finding for finding in findings if finding.verdict != "ok"]
    assert all(finding.advice for finding in wrong)
    return [finding.line() for finding in wrong]


def assert_only_fault(findings: list[Finding], *words: str) -> None:
    (line,) = bad(findings)
    assert line.startswith("FAULT ")
    for word in words:
        assert word in line


# Storage: credentials, endpoint, rights, promises


@pytest.mark.s3
def test_a_wrong_secret(s3: LocalS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret")
    for check in (check_out, check_data):
        assert_only_fault(check(f"{s3.uri}/runs"), "refused the credentials (SignatureDoesNotMatch)")


@pytest.mark.s3
def test_a_missing_bucket(s3: LocalS3) -> None:
    for check in (check_out, check_data):
        assert_only_fault(check("s3://no-such-bucket/runs"), "s3://no-such-bucket/runs: the bucket does not exist at")


@pytest.mark.s3
def test_an_endpoint_that_refuses(s3: LocalS3, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
    assert_only_fault(check_out(f"{s3.uri}/runs"), endpoint, "cannot be reached: check AWS_ENDPOINT_URL")


@pytest.mark.s3
def test_an_endpoint_that_never_answers(s3: LocalS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "FIRST_ANSWER_S", 1.0)
    with silent_port() as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{port}")
        assert_only_fault(check_out(f"{s3.uri}/runs"), "no answer within 1 s")


def test_no_credentials_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    assert_only_fault(check_out("s3://argan/runs"), "no AWS credentials: set AWS_ACCESS_KEY_ID")


@pytest.mark.s3
def test_a_key_that_may_only_read(s3: LocalS3, monkeypatch: pytest.MonkeyPatch) -> None:
    pack(f"{s3.uri}/set")
    identity(s3, "Read,List", monkeypatch)
    assert not bad(check_data(f"{s3.uri}/set") + check_set(f"{s3.uri}/set", DEBUG))
    write, delete = bad(check_out(f"{s3.uri}/runs"))
    assert "the right to write is missing -> grant s3:PutObject" in write
    assert "the right to delete is missing -> grant s3:DeleteObject" in delete


@pytest.mark.s3
def test_a_key_that_may_only_write(s3: LocalS3, monkeypatch: pytest.MonkeyPatch) -> None:
    identity(s3, "Write", monkeypatch)
    for check in (check_data, check_out):
        lines = bad(check(f"{s3.uri}/runs"))
        assert [line.rpartition(" ")[2] for line in lines] == ["s3:ListBucket", "s3:GetObject"]


@pytest.mark.s3
def test_a_bucket_where_nothing_may_be_deleted(s3: LocalS3) -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::keeping/*"}
    client_for_this_thread().create_bucket(Bucket="keeping")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    client_for_this_thread().put_bucket_policy(Bucket="keeping", Policy=policy)
    assert_only_fault(check_out("s3://keeping/runs"), "the right to delete is missing -> grant s3:DeleteObject")


def test_a_folder_that_may_not_be_written(packed: str) -> None:
    with read_only_folder() as folder:
        findings = check_out(str(folder / "runs"))
    assert_only_fault(findings, "write: ", "cannot be written: permission denied")


@pytest.mark.s3
def test_a_store_that_knows_no_conditions(s3: LocalS3, monkeypatch: pytest.MonkeyPatch) -> None:
    with TamperingProxy(s3.port, drops=CONDITIONS) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", proxy.endpoint)
        create, replace = bad(check_out(f"{s3.uri}/runs"))
    assert "a second writer who may only create was let through" in create
    assert "a writer who holds an old version was let through" in replace


@pytest.mark.s3
@pytest.mark.parametrize(("shift_s", "words"), [(90.0, "s ahead of this machine's"), (-90.0, "s behind")])
def test_a_clock_that_is_off(s3: LocalS3, monkeypatch: pytest.MonkeyPatch, shift_s: float, words: str) -> None:
    with TamperingProxy(s3.port, shift_s=shift_s) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", proxy.endpoint)
        assert_only_fault(check_out(f"{s3.uri}/runs"), "clocks", words, "chrony")


@pytest.mark.s3
def test_a_store_that_does_not_tell_its_time(s3: LocalS3, monkeypatch: pytest.MonkeyPatch) -> None:
    with TamperingProxy(s3.port, shift_s=None) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", proxy.endpoint)
        (line,) = bad(check_out(f"{s3.uri}/runs"))
    assert line.startswith("warning  clocks ")


@pytest.mark.s3
def test_nothing_is_left_behind(s3: LocalS3, tmp_path: Path) -> None:
    for uri in (f"{s3.uri}/{uuid.uuid4().hex}/runs", str(tmp_path / "not" / "there" / "runs")):
        assert not bad(check_out(uri))
        assert not list(open_storage(uri).list())
    assert not list(tmp_path.iterdir())


# The set


def test_a_missing_shard(tmp_path: Path) -> None:
    pack(str(tmp_path)).delete("shards/00001.tar")
    assert_only_fault(check_set(str(tmp_path), DEBUG), "shards/00001.tar is missing", "jobs/pack.py")


def test_a_truncated_shard(tmp_path: Path) -> None:
    out = pack(str(tmp_path))
    whole = out.read_bytes("shards/00000.tar")
    out.write_bytes("shards/00000.tar", whole[:-512])
    found = f"shards/00000.tar is {len(whole) - 512:,} bytes instead of {len(whole):,}"
    assert_only_fault(check_set(str(tmp_path), DEBUG), found)


def test_a_flipped_bit(tmp_path: Path) -> None:
    out = pack(str(tmp_path))
    data = bytearray(out.read_bytes("shards/00002.tar"))  # the smallest
    data[len(data) // 2] ^= 1
    out.write_bytes("shards/00002.tar", bytes(data))
    assert_only_fault(check_set(str(tmp_path), DEBUG), "shards/00002.tar is not the file whose sha256")
    out.delete("shards/00002.tar")  # as it advises
    pack(str(tmp_path))
    assert bad(check_set(str(tmp_path), DEBUG)) == []


def test_a_storage_too_slow_to_verify(packed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_set, "SLOW_S", -1.0)
    (line,) = bad(check_set(packed, DEBUG))
    assert line.startswith("warning  set ")
    assert "it is not verified" in line


def test_a_manifest_that_was_changed(tmp_path: Path) -> None:
    out = pack(str(tmp_path))
    out.write_bytes("manifest.parquet", out.read_bytes("manifest.parquet")[:-1])
    assert_only_fault(check_set(str(tmp_path), DEBUG), "manifest.parquet is not the file whose sha256")


def test_a_set_that_was_never_finished(tmp_path: Path) -> None:
    assert_only_fault(check_set(str(tmp_path), DEBUG), "holds no finished set of shards")


def test_a_set_of_another_resolution(packed: str) -> None:
    findings = check_set(packed, preset("small-32"))
    assert_only_fault(findings, "is packed at 16 px, small-32 wants 32 px", "pack with --resolution 32")


def test_fewer_samples_than_lanes(packed: str) -> None:
    config = override(DEBUG, {"data.num_lanes": 24, "data.batch_images": 24})
    assert_only_fault(check_set(packed, config), "has 20 samples, fewer than data.num_lanes = 24")


# What is installed, and what is sent


def test_a_package_out_of_its_range(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "numpy-1.0.dist-info"
    fake.mkdir()
    (fake / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert_only_fault(check_versions(wanted_by(ROOT)), "numpy 1.0, wanted", "pip install")


def test_a_package_that_is_missing_and_another_python(tmp_path: Path) -> None:
    project = '[project]\nrequires-python = ">=9"\ndependencies = ["argan-no-such-package>=1", "torch"]\n'
    (tmp_path / "pyproject.toml").write_text(project)
    words = ("argan-no-such-package missing, wanted >=1", f"python {sys.version_info.major}.")
    assert_only_fault(check_versions(wanted_by(tmp_path)), *words)


def test_a_folder_too_large_to_send(tmp_path: Path) -> None:
    for name, size in (("data", 600 * MIB), ("notes", 5 * MIB), ("build", 900 * MIB)):
        (tmp_path / name).mkdir()
        with (tmp_path / name / "file").open("wb") as file:
            file.truncate(size)  # sparse: it takes no disk, and would be sent in full
    (tmp_path / ".rayignore").write_text("/build\n")
    assert_only_fault(check_package(tmp_path), "605.0 MiB, of which data 600 MiB, notes 5 MiB", "Ray takes 512 MiB")
    (tmp_path / ".rayignore").write_text("/build\n/data\n")
    assert not bad(check_package(tmp_path))


# The command
