"""What goes wrong with S3: which faults pass by themselves, and one sentence for those that do not."""

import random
import re
import time
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # botocore's, not the built-in
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
)
from urllib3.exceptions import HTTPError

from argan.errors import ConflictError, MissingError, RefusedError, StorageError

# HTTPError: while a body is read, botocore lets some of urllib3's own faults through, a broken TLS record among them.
FAULTS = (BotoCoreError, ClientError, HTTPError)
NETWORK_FAULTS = (ConnectionError, HTTPClientError, IncompleteReadError, HTTPError)

# An answer cut off within its headers looks whole to the HTTP library: what it must hold tells.
NEEDED_OF_ANSWER = {
    "get_object": ("ETag", "ContentLength"),
    "head_object": ("ETag", "ContentLength"),
    "put_object": ("ETag",),
    "list_objects_v2": ("IsTruncated",),
    "create_multipart_upload": ("UploadId",),
    "upload_part": ("ETag",),
    "complete_multipart_upload": ("ETag",),
}

PASSING_STATUSES = {429, 500, 502, 503, 504}
PASSING_CODES = {
    "SlowDown",
    "RequestTimeout",
    "Throttling",
    "ThrottlingException",
    "InternalError",
    "ServiceUnavailable",
    "ConditionalRequestConflict",  # 409: another write was under way, which need not have won
    "OperationAborted",
}

FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 2.0


class CutAnswerError(HTTPClientError):
    fmt = "the answer to {verb} was cut short"


def check_whole(verb: str, answer: dict[str, Any]) -> None:
    """Raise CutAnswerError, a passing fault, if the answer to `verb` lacks what it must hold."""
    missing = [name for name in NEEDED_OF_ANSWER.get(verb, ()) if name not in answer]
    if missing or not re.fullmatch('(W/)?".*"', answer.get("ETag", '""')):
        raise CutAnswerError(verb=verb)


def waits_s(patience_s: float) -> Iterator[float]:
    """How long to wait before each further attempt: longer each time, with jitter, until `patience_s` is over.

    Patience begins with the first `next`, so with the first fault: a slow part may be sent again too.
    """
    end = time.monotonic() + patience_s
    wait_s = FIRST_WAIT_S
    while time.monotonic() < end:
        yield wait_s * random.uniform(0.5, 1.0)  # many workers must not come back all at once
        wait_s = min(2 * wait_s, LONGEST_WAIT_S)


def status_of(fault: Exception) -> int:
    """The HTTP status of a fault that the server answered with, else 0."""
    if isinstance(fault, ClientError):
        return int(fault.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return 0


def code_of(fault: Exception) -> str:
    return str(fault.response.get("Error", {}).get("Code", "")) if isinstance(fault, ClientError) else ""


def is_passing(fault: Exception) -> bool:
    """Whether the same request may succeed a little later: the server is busy, or the connection failed or broke."""
    if isinstance(fault, ClientError):
        return status_of(fault) in PASSING_STATUSES or code_of(fault) in PASSING_CODES
    return isinstance(fault, NETWORK_FAULTS)


def is_beyond_end(fault: Exception) -> bool:
    """Whether a range began at or after the object's end: the bytes there are none."""
    return status_of(fault) == 416


def explained(fault: Exception, uri: str, endpoint: str) -> StorageError:
    """The sentence for a fault that did not pass."""
    status, code = status_of(fault), code_of(fault)
    if code == "NoSuchBucket":
        return no_such_bucket(uri, endpoint)
    if status == 404:
        return MissingError(f"{uri}: no such object")
    if status in (409, 412):
        return conflict(uri)
    if code == "RequestTimeTooSkewed":
        return RefusedError(f"{uri}: {endpoint} refused the request, for this machine's clock is off: set it right")
    if code == "InvalidObjectState":
        return RefusedError(f"{uri} is archived: restore it first")
    if status in (401, 403) or code in ("ExpiredToken", "InvalidToken"):
        return RefusedError(
            f"{uri}: {endpoint} refused the credentials ({code or status}): check AWS_ACCESS_KEY_ID and"
            " AWS_SECRET_ACCESS_KEY (or the profile or role), and that they may list, read and write this bucket"
        )
    if isinstance(fault, NoCredentialsError | PartialCredentialsError):
        return RefusedError(f"{uri}: no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile")
    if isinstance(fault, NETWORK_FAULTS):
        return StorageError(
            f"{uri}: {endpoint} cannot be reached: check AWS_ENDPOINT_URL and the network ({_short(fault)})"
        )
    return StorageError(f"{uri}: {endpoint} failed: {_short(fault)}")


def no_such_bucket(uri: str, endpoint: str) -> RefusedError:
    return RefusedError(
        f"{uri}: the bucket does not exist at {endpoint}: check its name and AWS_ENDPOINT_URL, or create it"
    )


def conflict(uri: str) -> ConflictError:
    return ConflictError(f"{uri} is not at the expected version: another writer was there first")


def _short(fault: Exception) -> str:
    return " ".join(str(fault).split())[:300]
