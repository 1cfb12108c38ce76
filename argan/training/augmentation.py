"""Augmentation of what the discriminator sees, real photos and fakes alike, differentiable for the generator (as in
DiffAugment, Zhao et al. 2020; ours is made of what leaves blur alone: shifts by whole pixels, and colour).

Few photos are soon known by heart; shifted and tinted they are many. Each sample has its own draws.
"""

import torch
from torch import Tensor

from argan.config import AugmentConfig
from argan.draws import Purpose, keyed_draws

MOST_BRIGHTNESS = 0.5  # of the range [-1, 1], either way; at strength 1
MOST_CONTRAST = 0.5


def draw_augmentation(seed: int, purpose: Purpose, counter: int, *, num: int) -> Tensor:
    """[num, 5] uniform in [-1, 1): shift across and down, brightness, saturation, contrast."""
    return torch.from_numpy(2 * keyed_draws(seed, purpose, counter).random((num, 5), dtype="float32") - 1)


def augment(photos: Tensor, draws: Tensor, config: AugmentConfig) -> Tensor:
    """photos [B,3,H,W] and their draws [B,5] -> [B,3,H,W] in the same memory layout; what is shifted in is mid-grey."""
    if config.colour > 0:
        photos = tint(photos, config.colour * draws[:, 2:, None, None, None])
    if config.shift > 0:
        most_px = int(config.shift * photos.shape[3])
        photos = shift(photos, (draws[:, :2] * (most_px + 0.5)).round().clamp(-most_px, most_px).long())
    return photos


def tint(photos: Tensor, draws: Tensor) -> Tensor:
    """Brightness, saturation and contrast by draws [B,3,1,1,1] in [-1, 1], about grey and about each photo's mean."""
    brightness, saturation, contrast = draws.unbind(1)
    photos = photos + MOST_BRIGHTNESS * brightness
    grey = photos.mean(dim=1, keepdim=True)
    photos = grey + (photos - grey) * (1 + saturation)
    mean = photos.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (photos - mean) * (1 + MOST_CONTRAST * contrast)


def shift(photos: Tensor, by_px: Tensor) -> Tensor:
    """Each photo moved by its whole (across, down) [B,2] px."""
    height, width = photos.shape[2:]
    across = torch.arange(width, device=photos.device) - by_px[:, :1]  # [B,W], where each column comes from
    down = torch.arange(height, device=photos.device) - by_px[:, 1:]
    inside = ((across >= 0) & (across < width))[:, None, :] & ((down >= 0) & (down < height))[:, :, None]  # [B,H,W]
    sample = torch.arange(len(photos), device=photos.device)[:, None, None]
    rows, columns = down.clamp(0, height - 1)[:, :, None], across.clamp(0, width - 1)[:, None, :]
    moved = photos.permute(0, 2, 3, 1)[sample, rows, columns] * inside[..., None]  # [B,H,W,3]
    return torch.empty_like(photos).copy_(moved.permute(0, 3, 1, 2))
