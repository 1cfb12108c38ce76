"""Photos for the training tests."""

import torch

from argan.config import Config


def photos(images_seen: int, config: Config) -> torch.Tensor:
    """The global batch at that point: any pure function of the position will do. uint8 [B,3,H,W]"""
    random = torch.Generator().manual_seed(1000 + images_seen)
    size = (config.data.batch_images, 3, config.resolution, config.resolution)
    coarse = torch.rand(size[0], 3, 4, 4, generator=random)
    smooth = torch.nn.functional.interpolate(coarse, size=size[2:], mode="bilinear")
    return (255 * smooth).to(torch.uint8)
