"""What a place lets us do, tried for real under a prefix of its own that is taken away again.

A refusal comes back as a value, verb by verb, so that a person reads at once all that is missing.
"""

import dataclasses
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from botocore.exceptions import ClientError

from argan.errors import ConflictError, MissingError, StorageError
from argan.storage import Storage, open_storage
from argan.storage.local import LocalStorage
from argan.storage.s3 import PART_BYTES, S3Storage
from argan.storage.s3_client import client_for_this_thread
from argan.storage.s3_faults import FAULTS, code_of, explained

PATIENCE_S = 2.0  # a busy server gets another chance, one that stays away is found out in seconds
DENIED = {"AccessDenied", "403"}  # the keys are known, the right is missing; an answer to HEAD has no code of its own

SMALL, CREATED, REPLACED, LARGE, ABORTED = "small", "created", "replaced", "large", "aborted"
BODY = b"written by argan's doctor"

RIGHTS = {
    "list": "s3:ListBucket",
    "read": "s3:GetObject",
    "write": "s3:PutObject",
    "create only": "s3:PutObject",
    "replace only": "s3:PutObject",
    "write in parts": "s3:PutObject",
    "abort an upload": "s3:AbortMultipartUpload",
    "delete": "s3:DeleteObject",
}


class Clock(NamedTuple):
    """How far a clock is ahead of this machine's, in seconds, give or take `doubt_s`."""

    ahead_s: float
    doubt_s: float


class Outcome(NamedTuple):
    """One verb tried. `problem` is a sentence, empty where it works; `right` what S3 calls the right that is missing,
    where that is the problem.
    """

    verb: str
    problem: str = ""
    right: str = ""


def impatient(uri: str) -> Storage:
    """The storage at `uri`, for who wants to know soon rather than to get through."""
    storage = open_storage(uri)
    return dataclasses.replace(storage, patience_s=PATIENCE_S) if isinstance(storage, S3Storage) else storage


def reach(storage: Storage) -> Clock | None:
    """Asks for the first object of a listing: is somebody there, are the keys known, does the bucket exist?

    Returns the server's clock, by its Date header; None for a local folder, and where no date came. A missing right to
    list is no error here. Raises StorageError, one sentence, where nothing can be done at the place.
    """
    if not isinstance(storage, S3Storage):
        return None
    clocks = [_ask(storage), _ask(storage)]  # the second one need not connect, so it knows the time better
    return min((clock for clock in clocks if clock), key=lambda clock: clock.doubt_s, default=None)


def _ask(storage: S3Storage) -> Clock | None:
    client = client_for_this_thread()
    root = f"{storage.prefix}/" if storage.prefix else ""
    asked_at = time.time()
    try:
        answer = client.list_objects_v2(Bucket=storage.bucket, Prefix=root, MaxKeys=1)
    except FAULTS as fault:
        if not isinstance(fault, ClientError) or code_of(fault) not in DENIED:
            raise explained(fault, storage.uri, client.meta.endpoint_url) from fault
        answer = fault.response
    answered_at = time.time()
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    if date is None:
        return None
    # The header has whole seconds: on the average the server meant half a second later.
    server = parsedate_to_datetime(date).timestamp() + 0.5
    return Clock(server - (asked_at + answered_at) / 2, 0.5 + (answered_at - asked_at) / 2)


def local_clock(storage: LocalStorage) -> Clock:
    """The clock that dates the files of a folder: another machine's, where it is mounted from there.

    Raises StorageError where nothing can be written.
    """
    with own_place(storage) as place:
        before = time.time()
        place.write_bytes(SMALL, BODY)
        after = time.time()
        written_at = (Path(place.uri) / SMALL).stat().st_mtime
    # Truncated to the tick of the kernel that keeps the file, a hundredth of a second at most.
    return Clock(written_at - (before + after) / 2, (after - before) / 2 + 0.01)


def try_reading(storage: Storage, path: str) -> list[Outcome]:
    """Lists and reads; an object that is missing is nobody's refusal."""
    return [_try("list", partial(_list, storage, path)), _try("read", partial(_read, storage, path))]


def try_writing(storage: Storage) -> list[Outcome]:
    """All that the jobs do at the place of their results. What rests on a verb that was refused is not tried."""
    with own_place(storage) as place:
        outcomes = [
            _try("list", partial(_list, place, "")),
            _try("write", partial(place.write_bytes, SMALL, BODY)),
            _try("read", partial(_read_back, place)),
        ]
        if not any(outcome.problem for outcome in outcomes[1:]):
            outcomes += [_try("create only", partial(_create_only, place))]
            outcomes += [_try("replace only", partial(_replace_only, place))]
            if isinstance(place, S3Storage):
                outcomes += [_try("write in parts", partial(_write_in_parts, place))]
                outcomes += [_try("abort an upload", partial(_abort_an_upload, place))]
        return [*outcomes, _try("delete", partial(place.delete, SMALL))]


@contextmanager
def own_place(storage: Storage) -> Iterator[Storage]:
    """A place in `storage` that nobody else knows; what stands there under our names is gone afterwards, and so are
    local folders that were made for it. Without the right to delete it stays behind.
    """
    place = storage.child(f".argan-doctor-{uuid.uuid4().hex}")
    folders = [Path(place.uri), *Path(place.uri).parents] if isinstance(place, LocalStorage) else []
    made = [folder for folder in folders if not os.path.exists(folder)]  # one that may not be asked for is not made
    try:
        yield place
    finally:
        for name in (SMALL, CREATED, REPLACED, LARGE):
            with suppress(StorageError):
                place.delete(name)
        if made:
            shutil.rmtree(made[0], ignore_errors=True)  # with the locks that conditional writes leave on purpose
        for folder in made[1:]:
            with suppress(OSError):
                os.rmdir(folder)


def _try(verb: str, act: Callable[[], str | None]) -> Outcome:
    """`act` returns what was wrong with what came of it, if anything, or raises StorageError."""
    try:
        return Outcome(verb, act() or "")
    except StorageError as error:
        cause = error.__cause__
        is_denied = isinstance(cause, Exception) and code_of(cause) in DENIED
        return Outcome(verb, str(error), RIGHTS[verb] if is_denied else "")


def _list(storage: Storage, prefix: str) -> None:
    next(storage.list(prefix), None)


def _read(storage: Storage, path: str) -> None:
    with suppress(MissingError):
        storage.read_bytes(path, 0, 1)


def _read_back(place: Storage) -> str | None:
    try:
        return None if place.read_bytes(SMALL) == BODY else "other bytes came back than were written"
    except MissingError:  # it could not be written
        return None


def _create_only(place: Storage) -> str | None:
    place.write_if(CREATED, b"first", None)
    try:
        place.write_if(CREATED, b"second", None)
    except ConflictError:
        return None
    return "a second writer who may only create was let through"


def _replace_only(place: Storage) -> str | None:
    version = place.write_if(REPLACED, b"first", None)
    place.write_if(REPLACED, b"second", version)
    try:
        place.write_if(REPLACED, b"third", version)
    except ConflictError:
        return None
    return "a writer who holds an old version was let through"


def _write_in_parts(place: Storage) -> str | None:
    place.write_bytes(LARGE, bytes(PART_BYTES + 1))
    found = place.size_bytes(LARGE)
    return (
        None if found == PART_BYTES + 1 else f"{PART_BYTES + 1:,} bytes were sent in two parts, {found:,} stand there"
    )


def _abort_an_upload(place: S3Storage) -> None:
    client = client_for_this_thread()
    request = {"Bucket": place.bucket, "Key": f"{place.prefix}/{ABORTED}"}
    try:
        upload = client.create_multipart_upload(**request)
        client.abort_multipart_upload(**request, UploadId=upload["UploadId"])
    except FAULTS as fault:
        raise explained(fault, f"{place.uri}/{ABORTED}", client.meta.endpoint_url) from fault
