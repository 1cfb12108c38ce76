"""What is seen of a generator in training beside its losses. Reconstruction: the source has no guard.

The same latents every time, and real photos beside them: a generator has as much variety and sharpness as photos have,
or it has not.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from argan.config import Config
from argan.draws import Purpose, draw_dof_scale, draw_z
from argan.models.camera import Camera
from argan.models.discriminator import Discriminator
from argan.pixels import LUMA, laplacian
from argan.prior import is_inside_out, nearest_prior

SAMPLES = 128
LEAST_FAR_LOG = -7.0  # of a share of sharpness: e^-7 is a thousandth


class Vitals(NamedTuple):
    """Of fixed samples of the moving average. The last four are nan for the standard GAN."""

    margin: float  # how much higher C scores real photos than fakes at apertures s ~ p(s), in logits
    diversity: float  # mean distance from a deep photo to the one most like it, in that of as many real photos
    sharpness: float  # root mean square Laplacian of deep photos, in that of real photos
    far_sharpness: float  # mean |Laplacian| of deep photos where disparity is large, in that where it is small
    spread: float  # standard deviation of disparity in d_max, mean over samples
    inverted: float  # share of samples that a focus prior would fit better inside out
    prior_correlation: float  # of disparity and the focus prior nearest to it, median over samples


@torch.no_grad()
def vitals(camera: Camera, discriminator: Discriminator, real: Tensor, priors: Tensor, config: Config) -> Vitals:
    """real [N,3,H,W] in [-1, 1], from two to SAMPLES; priors [K,1,H,W]. All on one device."""
    z = draw_z(config.seed, Purpose.Z_SAMPLE, 0, num=SAMPLES, z_dim=camera.generator.z_dim).to(real)
    s = draw_dof_scale(config.seed, Purpose.DOF_SAMPLE, 0, num=SAMPLES, dof=config.dof).to(real)
    fake = camera(z, s)  # C is at a loss before apertures that it was never shown
    margin = discriminator.forward(real).mean() - discriminator.forward(fake.photo).mean()
    diversity = nearest_distance(fake.deep[: len(real)]) / nearest_distance(real)
    sharpness = laplacian_rms(fake.deep) / laplacian_rms(real)
    if camera.renderer is None:
        return Vitals(float(margin), float(diversity), float(sharpness), *[float("nan")] * 4)
    prior_disparity = nearest_prior(fake.disparity, priors)
    stacked = torch.stack([fake.disparity.flatten(1), prior_disparity.expand_as(fake.disparity).flatten(1)], 1)
    correlation = torch.stack([torch.corrcoef(pair)[0, 1].nan_to_num(0.0) for pair in stacked])
    return Vitals(
        margin=float(margin),
        diversity=float(diversity),
        sharpness=float(sharpness),
        far_sharpness=far_sharpness(fake.deep, fake.disparity),
        spread=float(fake.disparity.std((1, 2, 3)).mean() / config.d_max_px),
        inverted=float(is_inside_out(fake.disparity, priors).double().mean()),
        prior_correlation=float(correlation.median()),
    )


def nearest_distance(images: Tensor) -> Tensor:
    """From each image to the one most like it, root mean square over pixels and channels, mean over images; 0-d. A few
    pictures made again and again are next to nothing apart, however far they are from each other.
    """
    flat = images.flatten(1).float()
    distances = torch.cdist(flat, flat, compute_mode="donot_use_mm_for_euclid_dist")
    return distances.fill_diagonal_(torch.inf).amin(dim=1).mean() / images[0].numel() ** 0.5


def laplacian_rms(images: Tensor) -> Tensor:
    """Of luma, over all images; 0-d."""
    return laplacian(luma(images)).square().mean().sqrt()


def far_sharpness(deep: Tensor, disparity: Tensor) -> float:
    """How sharp the half of a deep photo [N,3,H,W] is where |D| is larger, in the half where it is smaller: mean
    |Laplacian| without the pixels beside the border of the two, geometric mean over photos. True deep photos of scenes
    have 1.2; with all of their blur painted in, .7. nan where no photo has such halves.
    """
    size = disparity.float().abs().flatten(1)
    far = (size > size.median(dim=1, keepdim=True).values).reshape(disparity[:, 0].shape)
    inside = laplacian(far.float()) == 0  # of one kind with its four neighbours
    far, edges = far[:, 1:-1, 1:-1], laplacian(luma(deep)).abs()

    def mean(where: Tensor) -> Tensor:
        return (edges * where).sum((1, 2)) / where.sum((1, 2))

    share = (mean(inside & far) / mean(inside & ~far)).log()
    # No edge at all in the far half is the worst case; without one in the near half there is nothing to compare with.
    share = share.nan_to_num(nan=torch.nan, posinf=torch.nan, neginf=LEAST_FAR_LOG).clamp(min=LEAST_FAR_LOG)
    return float(share[share.isfinite()].mean().exp())


def luma(images: Tensor) -> Tensor:
    """[N,3,H,W] -> [N,H,W]"""
    return torch.einsum("nchw,c->nhw", images.float(), torch.tensor(LUMA, device=images.device))
