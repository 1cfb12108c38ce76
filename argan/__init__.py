"""AR-GAN: depth and depth of field from unlabeled photos. See argan.api for the Python API."""

__version__ = "0.2.0"
