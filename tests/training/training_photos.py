"""Photos for the training tests, and the options that none of them would meet by default."""

import torch

from argan.config import Config

OFF_BY_DEFAULT: dict[str, object] = {
    "optics.linear_light": False,
    "optics.occlusion_steps": 8,
    "prior.reach": 0.2,
    "prior.edge_freedom": 4.0,
    "dof.distribution": "uniform",
    "optimizer.lr_fall_images": 24,
    "augment.shift": 0.125,
    "augment.colour": 0.5,
}


def photos(images_seen: int, config: Config) -> torch.Tensor:
    """The global batch at that point: any pure function of the position will do. uint8 [B,3,H,W]"""
    random = torch.Generator().manual_seed(1000 + images_seen)
    size = (config.data.batch_images, 3, config.resolution, config.resolution)
    coarse = torch.rand(size[0], 3, 4, 4, generator=random)
    smooth = torch.nn.functional.interpolate(coarse, size=size[2:], mode="bilinear")
    return (255 * smooth).to(torch.uint8)
