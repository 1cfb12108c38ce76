"""The photos of a configuration, from a packed set, in their order: what every training reads."""

from collections.abc import Generator

from argan.config import Config
from argan.data.cache import ShardCache
from argan.data.manifest import read_manifest
from argan.data.stream import Batch, stream_batches
from argan.storage import open_storage


def photo_stream(
    config: Config, data_uri: str, lanes: range, start_images: int, *, cache: ShardCache | None = None
) -> Generator[Batch, None, None]:
    """These lanes of the data, from `start_images` on; without end, to be closed."""
    storage, data = open_storage(data_uri), config.data
    return stream_batches(
        storage,
        read_manifest(storage),
        seed=config.seed,
        num_lanes=data.num_lanes,
        batch_images=data.batch_images,
        window_samples=data.window_samples,
        lanes=lanes,
        start_images=start_images,
        cache=cache,
    )
