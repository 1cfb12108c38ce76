"""What S3 does on a bad day, and the one sentence on a hopeless one."""

import random
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from faulty_proxy import Fault, FaultyProxy

from argan.errors import ConflictError, MissingError, StorageError, passes
from argan.storage import open_storage, s3_faults
from argan.storage import s3 as s3_module
from argan.storage.s3 import S3Storage
from argan.storage.s3_client import client_for_this_thread
from cluster.local_s3 import LocalS3

pytestmark = pytest.mark.s3

DATA = bytes(range(256)) * 8000


@pytest.fixture
def bucket(s3: LocalS3) -> S3Storage:
    """A new prefix of the real server's bucket, with little patience."""
    return S3Storage(s3.bucket, uuid.uuid4().hex, patience_s=5.0)


@pytest.fixture
def through(s3: LocalS3, monkeypatch: pytest.MonkeyPatch) -> Callable:  # type: ignore[type-arg]
    """Send this test's requests through a proxy with these faults."""

    @contextmanager
    def through(*faults: Fault) -> Iterator[FaultyProxy]:
        with FaultyProxy(s3.port, list(faults)) as proxy, monkeypatch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
            patch.setenv("AWS_ENDPOINT_URL_S3", proxy.endpoint)
            yield proxy

    return through


def test_a_read_goes_on_where_it_broke(bucket: S3Storage, through: Callable, tmp_path: Path) -> None:
    bucket.write_bytes("object", DATA)
    with through(Fault("cut", 300_000), Fault("cut", 700_000), Fault("cut", 10)) as proxy:
        assert bucket.read_bytes("object") == DATA
    assert proxy.num_connections == 4
    with through(Fault("cut", 300_000), Fault("cut", 200_000)):
        assert bucket.read_bytes("object", 1000, 900_000) == DATA[1000:900_000]
    with through(Fault("cut", 300_000)):
        assert bucket.read_versioned("object").data == DATA
    with through(Fault("cut", 300_000)):
        bucket.download("object", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == DATA


def test_a_read_does_not_mix_two_versions(
    bucket: S3Storage, through: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.write_bytes("object", DATA)
    with through(Fault("cut", 300_000)):
        is_passing = s3_faults.is_passing

        def replace_object_and_judge(fault: Exception) -> bool:
            monkeypatch.setattr(s3_faults, "is_passing", is_passing)
            bucket.write_bytes("object", b"other" + DATA)
            return is_passing(fault)

        monkeypatch.setattr(s3_faults, "is_passing", replace_object_and_judge)
        with pytest.raises(StorageError, match="replaced while it was being read"):
            bucket.read_bytes("object")


def test_a_busy_server_is_asked_again(bucket: S3Storage, through: Callable) -> None:
    for verb in (
        lambda: bucket.write_bytes("object", DATA),
        lambda: bucket.read_bytes("object"),
        lambda: bucket.size_bytes("object"),
        lambda: list(bucket.list()),
        lambda: bucket.delete("object"),
    ):
        with through(Fault("busy"), Fault("busy")) as proxy:
            verb()
        assert proxy.num_connections == 3


@pytest.mark.parametrize("after_bytes", [0, 17, 60, 120, 180, 240, 300])
def test_an_answer_cut_within_its_headers_is_asked_for_again(
    bucket: S3Storage, through: Callable, after_bytes: int
) -> None:
    bucket.write_bytes("object", b"data")
    cut = Fault("cut", after_bytes)
    with through(cut):
        assert bucket.read_bytes("object") == b"data"
    with through(cut):
        assert bucket.size_bytes("object") == 4
    with through(cut):
        assert len(list(bucket.list())) == 1
    with through(cut):
        assert bucket.write_if("other", b"data", None) == bucket.read_versioned("other").version


def test_a_server_that_stays_busy_is_given_up(bucket: S3Storage, through: Callable) -> None:
    impatient = S3Storage(bucket.bucket, bucket.prefix, patience_s=0.3)
    with through(*[Fault("busy")] * 50), pytest.raises(StorageError, match="SlowDown"):
        impatient.write_bytes("object", DATA)


def test_a_conditional_write_whose_answer_was_lost_has_won(bucket: S3Storage, through: Callable) -> None:
    with through(Fault("deaf")) as proxy:
        first = bucket.write_if("pointer", b"1", None)
    assert proxy.num_connections > 1
    with through(Fault("deaf")):
        second = bucket.write_if("pointer", b"2", first)
    assert bucket.read_versioned("pointer") == (b"2", second)


def test_a_write_under_way_beside_ours_need_not_have_won(bucket: S3Storage, through: Callable) -> None:
    """AWS answers 409 while another conditional write is in the air, and asks for the same again."""
    with through(Fault("conflict")):
        first = bucket.write_if("pointer", b"1", None)
    with through(Fault("conflict")):
        assert bucket.write_if("pointer", b"2", first) == bucket.read_versioned("pointer").version
    with through(Fault("conflict")), pytest.raises(ConflictError):
        bucket.write_if("pointer", b"3", first)


def test_the_same_bytes_of_another_writer_are_not_ours(bucket: S3Storage, through: Callable) -> None:
    bucket.write_if("pointer", b"1", None)
    with through(Fault("busy")), pytest.raises(ConflictError):
        bucket.write_if("pointer", b"1", None)


def test_an_upload_in_parts_survives_faults_and_is_aborted_when_given_up(
    bucket: S3Storage, through: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_module, "PART_BYTES", 5 << 20)
    content = DATA * 6
    (tmp_path / "big").write_bytes(content)
    with through(Fault("busy"), Fault("cut", 200), Fault("busy")):
        bucket.upload(tmp_path / "big", "big")
    assert bucket.read_bytes("big") == content

    complete = S3Storage._complete

    def lose_the_answer(self: S3Storage, path: str, attempt: Callable, tag: str) -> None:
        attempt(client_for_this_thread())
        complete(self, path, attempt, tag)

    with monkeypatch.context() as patch:
        patch.setattr(S3Storage, "_complete", lose_the_answer)
        bucket.upload(tmp_path / "big", "answered late")
    assert bucket.size_bytes("answered late") == len(content)

    def fail(*_: object) -> None:
        raise StorageError("no")

    monkeypatch.setattr(S3Storage, "_complete", fail)
    with pytest.raises(StorageError, match="no"):
        bucket.upload(tmp_path / "big", "never")
    assert not bucket.exists("never")
    left = client_for_this_thread().list_multipart_uploads(Bucket=bucket.bucket, Prefix=f"{bucket.prefix}/never")
    assert left.get("Uploads", []) == []


def test_a_tls_record_that_breaks_in_a_body_is_a_break_like_any(
    bucket: S3Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = random.Random(4).randbytes(3 << 20)
    bucket.write_bytes("object", content)
    whole, reads = StreamingBody.read, []

    def breaks_once(body: StreamingBody, amt: int | None = None) -> bytes:
        reads.append(amt)
        if len(reads) == 2:
            raise urllib3.exceptions.SSLError("bad record mac")
        return whole(body, amt)

    monkeypatch.setattr(StreamingBody, "read", breaks_once)
    assert bucket.read_bytes("object") == content
    assert len(reads) > 3
    assert isinstance(s3_faults.explained(urllib3.exceptions.SSLError("bad"), "s3://a/b", "there"), StorageError)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [("RequestTimeTooSkewed", "clock"), ("InvalidObjectState", "restore"), ("AccessDenied", "AWS_ACCESS_KEY_ID")],
)
def test_a_refusal_blames_what_is_to_blame(code: str, sentence: str) -> None:
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    assert sentence in str(s3_faults.explained(ClientError(answer, "GetObject"), "s3://a/b", "there"))


HOPELESS = {
    "wrong key": ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "refused the credentials.*AWS_SECRET_ACCESS_KEY"),
    "unknown key": ({"AWS_ACCESS_KEY_ID": "nobody"}, "refused the credentials.*AWS_ACCESS_KEY_ID"),
    "endpoint without http": ({"AWS_ENDPOINT_URL_S3": "127.0.0.1:1"}, "AWS_ENDPOINT_URL"),
    "unknown profile": ({"AWS_PROFILE": "nobody"}, "AWS_PROFILE"),
}


@pytest.mark.parametrize(("environment", "sentence"), HOPELESS.values(), ids=HOPELESS.keys())
def test_wrong_settings_are_said_at_once(
    bucket: S3Storage, environment: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert_all_verbs_say(S3Storage(bucket.bucket, bucket.prefix), sentence)


def test_a_missing_bucket_is_said_at_once(s3: LocalS3) -> None:
    assert_all_verbs_say(open_storage("s3://no-such-bucket/prefix"), "bucket does not exist.*check its name")


def test_an_unreachable_endpoint_is_said(monkeypatch: pytest.MonkeyPatch, s3: LocalS3) -> None:
    with socket.socket() as closed:  # bound but not listening: refuses connections
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{closed.getsockname()[1]}")
        assert_all_verbs_say(S3Storage("argan", patience_s=0.2), "cannot be reached.*AWS_ENDPOINT_URL", passing=True)


def test_without_credentials_the_sentence_names_them(s3: LocalS3, tmp_path: Path) -> None:
    code = "from argan.storage import open_storage; open_storage('s3://argan').read_bytes('x')"
    environment = {"AWS_ENDPOINT_URL": s3.environment()["AWS_ENDPOINT_URL"], "HOME": str(tmp_path)}
    environment["AWS_EC2_METADATA_DISABLED"] = "true"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert "RefusedError: s3://argan/x: no AWS credentials: set AWS_ACCESS_KEY_ID" in done.stderr


def test_patience_ends_well_within_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the longest connect timeout before each wait, and by a clock that only these waits move."""
    now_s = 0.0
    monkeypatch.setattr(s3_faults.time, "monotonic", lambda: now_s)
    waits = s3_faults.waits_s(S3Storage("bucket").patience_s)
    num_attempts = 1
    now_s += 5.0
    for wait_s in waits:
        now_s += wait_s + 5.0
        num_attempts += 1
    assert 3 < num_attempts < 10
    assert now_s < 40


def test_a_thread_has_its_own_client_and_keeps_it(s3: LocalS3, monkeypatch: pytest.MonkeyPatch) -> None:
    here = client_for_this_thread()
    assert client_for_this_thread() is here
    there = []
    thread = threading.Thread(target=lambda: there.append(client_for_this_thread()))
    thread.start()
    thread.join()
    assert there[0] is not here
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    assert client_for_this_thread() is not here


def test_what_shows_a_folder_is_no_object(bucket: S3Storage) -> None:
    """As consoles make it: an empty object that ends with a slash, for a folder within storage or for storage's own."""
    for folder in ("", "within/"):
        client_for_this_thread().put_object(Bucket=bucket.bucket, Key=f"{bucket.prefix}/{folder}", Body=b"")
    bucket.write_bytes("within/object", b"1")
    assert [entry.path for entry in bucket.list()] == ["within/object"]


def assert_all_verbs_say(storage: S3Storage, sentence: str, *, passing: bool = False) -> None:
    for verb in (
        lambda: storage.read_bytes("object"),
        lambda: storage.read_bytes("object", 3, 3),
        lambda: storage.read_versioned("object"),
        lambda: storage.write_bytes("object", b""),
        lambda: storage.write_if("object", b"", None),
        lambda: storage.write_if("object", b"", '"d41d8cd98f00b204e9800998ecf8427e"'),
        lambda: storage.exists("object"),
        lambda: list(storage.list()),
    ):
        start_s = time.monotonic()
        with pytest.raises(StorageError, match=sentence) as caught:
            verb()
        assert not isinstance(caught.value, MissingError | ConflictError)
        assert passes(caught.value) == passing  # else a sweep would wait for what has been refused
        assert "\n" not in str(caught.value)
        assert time.monotonic() - start_s < 10
