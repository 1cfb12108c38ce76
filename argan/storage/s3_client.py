"""One boto3 client a process and thread, made when first needed and made anew after a fork or a change of AWS_*."""

import os
import threading
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import boto3
import botocore.loaders
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from argan.errors import RefusedError

_of_thread = threading.local()
_loader = botocore.loaders.create_loader()  # parses the 0.2 s of S3's description once a process, not once a thread


def client_for_this_thread() -> Any:
    """The S3 client of this process and thread, as AWS_* or a profile name its endpoint, credentials and region."""
    maker = (os.getpid(), sorted(item for item in os.environ.items() if item[0].startswith("AWS_")))
    if getattr(_of_thread, "maker", None) != maker:
        try:
            _of_thread.client = _new_client()
        except (BotoCoreError, ValueError) as error:
            raise RefusedError(f"no S3 client can be made: {error}: check AWS_ENDPOINT_URL and AWS_PROFILE") from error
        _of_thread.maker = maker
    return _of_thread.client


class Endpoint(NamedTuple):
    url: str
    region: str | None


def own_endpoint() -> Endpoint | None:
    """Where a client of this process goes, for who makes another kind of client; None where that is Amazon's own."""
    client = client_for_this_thread()
    return None if _is_amazons(client) else Endpoint(client.meta.endpoint_url, client.meta.region_name)


def _is_amazons(client: Any) -> bool:
    host = urlsplit(client.meta.endpoint_url).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn"))


def _new_client() -> Any:
    base = botocore.session.Session()
    base.register_component("data_loader", _loader)
    session = boto3.session.Session(botocore_session=base)  # a session is not safe to share between threads
    config = Config(
        connect_timeout=5,
        read_timeout=15,
        retries={"mode": "standard", "total_max_attempts": 1},  # s3.py tries again itself: it must know when it did
        max_pool_connections=1,
    )
    client = session.client("s3", config=config)
    if _is_amazons(client):
        return client
    # Elsewhere bucket.host seldom resolves: put the bucket into the path.
    return session.client("s3", config=config.merge(Config(s3={"addressing_style": "path"})))
