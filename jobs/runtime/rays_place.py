"""Where Ray keeps its own files: below a run or a sweep, at the same endpoint as our storage.

Ray writes with pyarrow, which heeds AWS_ENDPOINT_URL, but no endpoint that an AWS profile names.
"""

from typing import Any
from urllib.parse import urlsplit

from pyarrow.fs import S3FileSystem

from argan.storage.s3_client import own_endpoint


def rays_place(uri: str) -> dict[str, Any]:
    """Of a RunConfig: its storage_path, and its storage_filesystem where pyarrow would not find it by itself."""
    endpoint = own_endpoint() if uri.startswith("s3://") else None
    if endpoint is None:
        return {"storage_path": uri}
    url = urlsplit(endpoint.url)
    filesystem = S3FileSystem(scheme=url.scheme, endpoint_override=url.netloc + url.path, region=endpoint.region)
    return {"storage_path": uri.removeprefix("s3://"), "storage_filesystem": filesystem}
