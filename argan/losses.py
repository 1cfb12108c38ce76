"""The objectives of METHOD.md. Tensors in, per-sample tensors [B] out; nothing here calls a network.

The sums, weights and the division by the global batch are the step's business (argan/training/step.py).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from argan.config import OptimizerConfig, PriorConfig


def generator_adversarial(fake_logits: Tensor) -> Tensor:
    """-log sigmoid(C(fake)), the non-saturating form (METHOD: Objectives). [B] -> [B]"""
    return F.softplus(-fake_logits)


def discriminator_adversarial(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """-log sigmoid(C(real)) - log(1 - sigmoid(C(fake))) (METHOD: Objectives). [B], [B] -> [B]"""
    return F.softplus(-real_logits) + F.softplus(fake_logits)


def r1_penalty(image_gradient: Tensor) -> Tensor:
    """Half the squared norm of dC/dI at real photos (Mescheder et al. 2018). [B,3,H,W] -> [B]"""
    return 0.5 * image_gradient.square().sum(dim=(1, 2, 3))


def focus_prior(
    resolution: int, d_max_px: float, prior: PriorConfig, *, middle: tuple[float, float] = (0.0, 0.0)
) -> Tensor:
    """The center focus prior D_p: 0 within the radius, then falling to -d_max (METHOD: center focus prior;
    reconstruction).

    Returns [1,1,H,W] in px per aperture unit. Distances are between pixel centres, in units of the width; `middle` is
    (x, y), right and down of the picture's.
    """
    offset = (torch.arange(resolution, dtype=torch.float64) - (resolution - 1) / 2) / resolution
    radius = torch.hypot(offset[:, None] - middle[1], offset[None, :] - middle[0])
    fall = (prior.gain * (radius - prior.radius)).clamp(0.0, 1.0)
    return (-d_max_px * fall)[None, None].float()


def focus_priors(resolution: int, d_max_px: float, prior: PriorConfig) -> Tensor:
    """D_p about each of 29 places within prior.reach of the picture's middle, or about that alone (ours:
    docs/decisions/prior.md). [K,1,H,W]
    """
    if prior.reach == 0:
        return focus_prior(resolution, d_max_px, prior)
    steps = [prior.reach * step / 3 for step in range(-3, 4)]
    places = [(x, y) for y in steps for x in steps if math.hypot(x, y) <= 1.001 * prior.reach]
    return torch.cat([focus_prior(resolution, d_max_px, prior, middle=place) for place in places])


@torch.no_grad()
def nearest_prior(disparity: Tensor, priors: Tensor) -> Tensor:
    """For each disparity that D_p of which focus_prior_loss is least. [B,1,H,W], [K,1,H,W] -> [B,1,H,W], or
    [1,1,H,W] where there is only one.
    """
    if len(priors) == 1:
        return priors
    flat = priors.flatten(1)
    distance = 0.5 * flat.square().sum(dim=1) - disparity.flatten(1).to(flat) @ flat.T  # but for |D|^2, twice too small
    return priors[distance.argmin(dim=1)]


def focus_prior_loss(disparity: Tensor, prior_disparity: Tensor, d_max_px: float) -> Tensor:
    """mean ((D - D_p) / d_max)^2 on the unscaled disparity. [B,1,H,W], [B or 1,1,H,W] -> [B]"""
    return ((disparity - prior_disparity) / d_max_px).square().mean(dim=(1, 2, 3))


def focus_prior_weight(images_seen: int, prior: PriorConfig) -> float:
    """lambda_p at that moment: it falls linearly from weight to final_share of it (ours: docs/decisions/prior.md)."""
    done = min(1.0, images_seen / prior.fall_images) if prior.fall_images else 1.0
    return prior.weight * (1.0 - done * (1.0 - prior.final_share))


def focus_contrast(disparity: Tensor, prior_disparity: Tensor) -> Tensor:
    """How much nearer the middle is than what lies around it: 1 for D_p itself, 0 for a constant, negative where
    disparity is inverted. Linear in D. [B,1,H,W], [B or 1,1,H,W] -> [B]
    """
    template = prior_disparity - prior_disparity.mean(dim=(1, 2, 3), keepdim=True)
    return (disparity * template).sum(dim=(1, 2, 3)) / (prior_disparity * template).sum(dim=(1, 2, 3))


def is_inside_out(disparity: Tensor, priors: Tensor) -> Tensor:
    """Whether D with its near and its far end exchanged were nearer to a focus prior than D is (ours). [B,1,H,W],
    [K,1,H,W] -> bool [B]

    True disparity of 600 scenes seems so in 19 of 100 with D_p in the middle, in 14 with a reach of .2.
    """
    ends = disparity.amin(dim=(2, 3), keepdim=True) + disparity.amax(dim=(2, 3), keepdim=True)
    of, other = (focus_prior_loss(each, nearest_prior(each, priors), 1.0) for each in (disparity, ends - disparity))
    return other < of


def contrast_loss(contrast: Tensor, margin: float) -> Tensor:
    """max(0, margin - contrast)^2 (ours): which side is in front. Above the margin it has no say. [B] -> [B]"""
    return (margin - contrast).clamp(min=0.0).square()


def total_variation(disparity: Tensor, deep: Tensor, d_max_px: float, edge_freedom: float) -> Tensor:
    """Mean |dD/dx| + |dD/dy| in d_max per width (ours): the length of all steps of D, free of resolution.

    Where the deep image I_d has an edge, a step counts exp(-edge_freedom |dI_d|) as much, |dI_d| the mean over colours
    of the difference in [0, 2] (edge-aware smoothness, Godard et al. 2017): things have edges where their depth ends.
    I_d gets no gradient: it would draw edges to be let off. [B,1,H,W], [B,3,H,W] -> [B]
    """

    def along(dim: int) -> Tensor:
        step = disparity.diff(dim=dim).abs()
        if edge_freedom:
            step = step * torch.exp(-edge_freedom * deep.detach().diff(dim=dim).abs().mean(dim=1, keepdim=True))
        return step.mean(dim=(1, 2, 3))

    return (along(3) + along(2)) * (disparity.shape[3] / d_max_px)


def learning_rate_share(images_seen: int, optimizer: OptimizerConfig) -> float:
    """Of the configured rates: 1, then falling as 1 / sqrt(images) (as in EDM2, Karras et al. 2024; ours for GANs). It
    does not know where training will end, so a run may be prolonged.
    """
    fall_images = optimizer.lr_fall_images
    return 1.0 if fall_images == 0 else min(1.0, (fall_images / max(images_seen, 1)) ** 0.5)
