"""Sets of shards: the manifest, the order of samples, the stream that reads them, the cache between."""
