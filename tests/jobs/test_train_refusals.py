"""What training cannot go on with is one sentence, and soon."""

from pathlib import Path

import pytest
from training_job import assert_one_sentence, only_run, train

from argan.errors import UserError
from argan.runs.checkpoints import read_pointer
from argan.runs.folder import read_history
from argan.storage import open_storage, s3_faults
from cluster.local_s3 import LocalS3
from jobs.train import main

pytestmark = pytest.mark.ray


def test_numbers_that_break_are_one_sentence(scenes: str, tmp_path: Path) -> None:
    result = train(scenes, str(tmp_path), "--optimizer.discriminator_lr", "1e30")
    assert_one_sentence(result, "between image 0 and image 48", "not finite")
    run = only_run(str(tmp_path))
    (row,) = read_history(run)  # it shows where the numbers went, and nothing can go on from there
    assert row["images_seen"] == 48
    assert None in row.values()
    assert read_pointer(run).checkpoints == []
    page = run.read_bytes("report.html").decode()
    assert "stopped: training broke between image 0 and image 48" in page
    assert "Not finite, a cross in the charts" in page
    assert "not say how the run ended" not in result.stderr
    assert list(run.list("tensorboard/"))


def test_what_does_not_fit_is_one_sentence(scenes: str, tmp_path: Path) -> None:
    out = str(tmp_path / "runs")
    assert_one_sentence(train(str(tmp_path / "nothing"), out), "nothing")
    assert_one_sentence(train(scenes, out, "--resolution", "32", "--generator.channels", "8,8,8,8"), "16 px", "32 px")
    assert_one_sentence(train(scenes, out, "--num-workers", "7"), "7", "data.num_lanes = 6")
    assert_one_sentence(train(scenes, out, "--num-workers", "2", "--cpus-per-worker", "64"), "64 CPU")
    assert_one_sentence(train(scenes, out, "--prior.weight", "-1"), "prior.weight", "-1")
    copy = open_storage(str(tmp_path / "copy"))
    for entry in open_storage(scenes).list():
        copy.upload(Path(scenes) / entry.path, entry.path)
    copy.write_bytes("shards/00001.tar", copy.read_bytes("shards/00001.tar")[:-1024])
    assert_one_sentence(train(copy.uri, out), "shards/00001.tar", "does not fit the manifest")


@pytest.mark.s3
def test_a_bucket_that_refuses_is_one_sentence(s3: LocalS3, scenes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_one_sentence(train(scenes, "s3://no-such-bucket/runs"), "no-such-bucket")
    data = f"{s3.uri}/refused/scenes"
    open_storage(data).upload(Path(scenes) / "manifest.json", "manifest.json")  # with the right key there is a set
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    assert_one_sentence(train(data, f"{s3.uri}/refused/runs"), data, "refused the credentials (SignatureDoesNotMatch)")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setattr(s3_faults, "waits_s", lambda patience_s: iter(()))  # else 20 s of it
    with pytest.raises(UserError, match=r"127\.0\.0\.1:9 cannot be reached"):
        main(["--preset", "debug", "--data", data, "--out", f"{s3.uri}/refused/runs"])


def test_a_broken_photo_in_a_shard_is_one_sentence(scenes: str, tmp_path: Path) -> None:
    copy = open_storage(str(tmp_path / "copy"))
    for entry in open_storage(scenes).list():
        copy.upload(Path(scenes) / entry.path, entry.path)
    for number in range(3):
        data = copy.read_bytes(f"shards/0000{number}.tar")
        copy.write_bytes(f"shards/0000{number}.tar", data.replace(b"\xff\xd8\xff", b"\xff\xd8\xfe"))
    result = train(copy.uri, str(tmp_path / "runs"))
    assert_one_sentence(result, "shards/0000")
    assert "workers failed, going on" not in result.stderr  # it would break there again
