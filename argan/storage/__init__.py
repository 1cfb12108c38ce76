"""Bytes under paths, in a local folder or in an S3 bucket, behind one small set of verbs (`Storage`)."""

from argan.errors import StorageError
from argan.storage.base import Entry, Storage, Versioned
from argan.storage.local import LocalStorage

__all__ = ["Entry", "Storage", "Versioned", "open_storage"]


def open_storage(uri: str) -> Storage:
    """The storage at a local path or at s3://bucket/prefix. Nothing is touched yet: the first verb goes there.

    Raises StorageError where the URI is neither.
    """
    scheme, separator, rest = uri.partition("://")
    if not uri:
        raise StorageError("the storage URI is empty: give a local path or s3://bucket/prefix")
    if not separator:
        if uri.startswith("s3:"):  # it would be a folder of that name, on whichever machine this runs
            raise StorageError(f"{uri!r}: a slash is missing, give s3://bucket/prefix")
        return LocalStorage.at(uri)
    if scheme != "s3":
        raise StorageError(f"{uri!r}: {scheme}:// is no storage known here, give a local path or s3://bucket/prefix")
    from argan.storage.s3 import S3Storage  # boto3 takes a while: only who names a bucket waits for it

    bucket, _, prefix = rest.partition("/")
    if not bucket:
        raise StorageError(f"{uri!r} names no bucket: give s3://bucket/prefix")
    return S3Storage(bucket, prefix.strip("/"))
