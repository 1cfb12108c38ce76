"""Storage in an S3 bucket, or in whatever speaks S3. The one home of boto3.

Endpoint, credentials and region come the standard AWS way: environment (AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL,
AWS_ACCESS_KEY_ID, ...), profile, or the machine's role.
"""

import io
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from argan.errors import ConflictError, MissingError, StorageError
from argan.storage import s3_faults
from argan.storage.base import Entry, Storage, Versioned, check_range, checked
from argan.storage.local import reading, replace
from argan.storage.s3_client import client_for_this_thread

T = TypeVar("T")

CHUNK_BYTES = 1 << 20
PART_BYTES = 32 << 20  # larger objects go up in parts, so that a fault repeats one part and not the whole
MAX_PARTS = 10_000
PAGE_KEYS = 1000
WRITE_TAG = "argan-write"  # metadata that tells our own write from another's of the same bytes


@dataclass(frozen=True)
class S3Storage(Storage):
    """Objects under `prefix` in `bucket`. Passing faults are tried again for `patience_s`, refusals are not."""

    bucket: str
    prefix: str = ""
    patience_s: float = 20.0

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def child(self, path: str) -> "S3Storage":
        return S3Storage(self.bucket, self._key(path), self.patience_s)

    def read_bytes(self, path: str, start: int = 0, stop: int | None = None) -> bytes:
        check_range(start, stop)
        if start == stop:
            self.size_bytes(path)  # an empty range of nothing is missing too
            return b""
        into = io.BytesIO()
        self._read(path, start, stop, into)
        return into.getvalue()

    def write_bytes(self, path: str, data: bytes) -> None:
        self._write(path, io.BytesIO(data), len(data))

    def read_versioned(self, path: str) -> Versioned:
        into = io.BytesIO()
        version = self._read(path, 0, None, into)
        return Versioned(into.getvalue(), version)

    def write_if(self, path: str, data: bytes, version: str | None) -> str:
        tag = uuid.uuid4().hex
        condition = {"IfNoneMatch": "*"} if version is None else {"IfMatch": version}
        put = partial(self._call, "put_object", path, Body=data, Metadata={WRITE_TAG: tag}, **condition)
        try:
            return self._try(path, put)["ETag"]
        except (ConflictError, MissingError) as refused:
            # Either we lost, or a first attempt of ours won unheard and its repetition was refused.
            standing = self._head(path)
            if standing is not None and standing["Metadata"].get(WRITE_TAG) == tag:
                return standing["ETag"]
            raise s3_faults.conflict(self._uri(path)) from refused

    def size_bytes(self, path: str) -> int:
        head = self._head(path)
        if head is None:
            raise MissingError(f"{self._uri(path)}: no such object")
        return head["ContentLength"]

    def exists(self, path: str) -> bool:
        return self._head(path) is not None

    def list(self, prefix: str = "") -> Iterator[Entry]:
        root = f"{self.prefix}/" if self.prefix else ""
        request: dict[str, Any] = {"Bucket": self.bucket, "Prefix": root + prefix, "MaxKeys": PAGE_KEYS}
        found = []

        def list_page(client: Any) -> Any:
            page = client.list_objects_v2(**request)
            s3_faults.check_whole("list_objects_v2", page)
            return page

        more = True
        while more:
            page = self._try(prefix, list_page)
            for item in page.get("Contents", []):
                path = item["Key"].removeprefix(root)
                if path and not path.endswith("/"):  # consoles leave empty objects to show a folder, this one too
                    found.append(Entry(path, item["Size"]))
            more = page["IsTruncated"]
            request["ContinuationToken"] = page.get("NextContinuationToken")
        # AWS lists in this order already; others, SeaweedFS among them, go folder by folder.
        yield from sorted(found, key=lambda entry: entry.path.encode())

    def delete(self, path: str) -> None:
        self._try(path, partial(self._call, "delete_object", path))

    def upload(self, local_path: Path, path: str) -> None:
        with reading(local_path), local_path.open("rb") as source:
            self._write(path, source, local_path.stat().st_size)

    def download(self, path: str, local_path: Path) -> None:
        replace(local_path, partial(self._read, path, 0, None))

    def _read(self, path: str, start: int, stop: int | None, into: BinaryIO) -> str:
        """Copy [start, stop) to `into` and return the version read; after a break go on where it stopped."""
        position = start
        version: str | None = None

        def read_on(client: Any) -> bool:
            nonlocal position, version
            request: dict[str, Any] = {}
            if position > 0 or stop is not None:
                request["Range"] = f"bytes={position}-{'' if stop is None else stop - 1}"
            if version is not None:
                request["IfMatch"] = version  # the rest must be of the same object
            before = position
            try:
                response = self._call("get_object", path, client, **request)
                version = response["ETag"]
                for chunk in response["Body"].iter_chunks(CHUNK_BYTES):
                    into.write(chunk)
                    position += len(chunk)
            except s3_faults.FAULTS as fault:
                if s3_faults.is_beyond_end(fault):
                    return True
                if position > before and s3_faults.is_passing(fault):
                    return False  # there was progress, so patience starts anew
                raise
            return True

        try:
            while not self._try(path, read_on):
                pass
        except ConflictError as conflict:
            raise StorageError(f"{self._uri(path)} was replaced while it was being read") from conflict
        return version or ""

    def _write(self, path: str, source: BinaryIO, size_bytes: int) -> None:
        if size_bytes <= PART_BYTES:
            self._try(path, partial(self._call, "put_object", path, Body=source.read()))
            return
        part_bytes = max(PART_BYTES, -(-size_bytes // MAX_PARTS))
        tag = uuid.uuid4().hex
        upload = self._try(path, partial(self._call, "create_multipart_upload", path, Metadata={WRITE_TAG: tag}))
        upload_id = upload["UploadId"]
        parts: list[dict[str, Any]] = []
        try:
            while data := source.read(part_bytes):
                number = len(parts) + 1
                send = partial(self._call, "upload_part", path, UploadId=upload_id, PartNumber=number, Body=data)
                parts.append({"PartNumber": number, "ETag": self._try(path, send)["ETag"]})
            complete = partial(self._call, "complete_multipart_upload", path, UploadId=upload_id)
            self._complete(path, partial(complete, MultipartUpload={"Parts": parts}), tag)
        except BaseException:
            with suppress(StorageError):  # what stopped us is what the caller must hear
                self._try(path, partial(self._call, "abort_multipart_upload", path, UploadId=upload_id))
            raise

    def _complete(self, path: str, complete: Callable[[Any], Any], tag: str) -> None:
        """Join the parts; if a first attempt did so unheard, its repetition finds no upload, but our object stands."""
        try:
            self._try(path, complete)
        except MissingError:
            standing = self._head(path)
            if standing is None or standing["Metadata"].get(WRITE_TAG) != tag:
                raise

    def _head(self, path: str) -> dict[str, Any] | None:
        """An object's head, or None where nothing is."""
        try:
            return self._try(path, partial(self._call, "head_object", path))
        except MissingError:
            self._check_bucket()  # a missing bucket answers 404 as well, and HEAD has no body to tell
            return None

    def _check_bucket(self) -> None:
        try:
            self._try("", lambda client: client.head_bucket(Bucket=self.bucket))
        except MissingError:
            raise s3_faults.no_such_bucket(self.uri, client_for_this_thread().meta.endpoint_url) from None

    def _call(self, verb: str, path: str, client: Any, **arguments: Any) -> Any:
        """One request about one object, no second attempt."""
        answer = getattr(client, verb)(Bucket=self.bucket, Key=self._key(path), **arguments)
        s3_faults.check_whole(verb, answer)
        return answer

    def _try(self, path: str, attempt: Callable[[Any], T]) -> T:
        """Call `attempt` with this thread's client, again while faults pass and patience lasts."""
        client = client_for_this_thread()
        waits = s3_faults.waits_s(self.patience_s)
        while True:
            try:
                return attempt(client)
            except s3_faults.FAULTS as fault:
                wait_s = next(waits, None) if s3_faults.is_passing(fault) else None
                if wait_s is None:
                    raise s3_faults.explained(fault, self._uri(path), client.meta.endpoint_url) from fault
            time.sleep(wait_s)

    def _key(self, path: str) -> str:
        return f"{self.prefix}/{checked(path)}" if self.prefix else checked(path)

    def _uri(self, path: str) -> str:
        return f"{self.uri}/{path}" if path else self.uri
