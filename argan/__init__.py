"""AR-GAN: depth and depth of field from unlabeled photos. See argan.api for the Python API."""
