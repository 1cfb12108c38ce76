"""The objectives of METHOD.md. Tensors in, per-sample tensors [B] out; nothing here calls a network. What the focus
prior is, argan/prior.py says.

The sums, weights and the division by the global batch are the step's business (argan/training/step.py).
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def generator_adversarial(fake_logits: Tensor) -> Tensor:
    """-log sigmoid(C(fake)), the non-saturating form (METHOD: Objectives). [B] -> [B]"""
    return F.softplus(-fake_logits)


def discriminator_adversarial(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """-log sigmoid(C(real)) - log(1 - sigmoid(C(fake))) (METHOD: Objectives). [B], [B] -> [B]"""
    return F.softplus(-real_logits) + F.softplus(fake_logits)


def r1_penalty(image_gradient: Tensor) -> Tensor:
    """Half the squared norm of dC/dI at real photos (Mescheder et al. 2018). [B,3,H,W] -> [B]"""
    return 0.5 * image_gradient.square().sum(dim=(1, 2, 3))


def focus_prior_loss(disparity: Tensor, prior_disparity: Tensor, d_max_px: float) -> Tensor:
    """mean ((D - D_p) / d_max)^2 on the unscaled disparity. [B,1,H,W], [B or 1,1,H,W] -> [B]"""
    return ((disparity - prior_disparity) / d_max_px).square().mean(dim=(1, 2, 3))


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
