"""A photo of any image with known disparity, sampled as finely as its blur needs."""

import torch
from torch import Tensor

from argan.optics.aperture import ApertureShape, views_needed
from argan.optics.renderer import ApertureRenderer


@torch.no_grad()  # not inference_mode: who trains on photos could not go backward through its own net
def render(
    image: Tensor,
    disparity: Tensor,
    aperture: float | Tensor = 1.0,
    *,
    shape: ApertureShape = "disk",
    focus: float = 0.0,
    views_per_side: int | None = None,
    linear_light: bool = False,
    occlusion_steps: int = 0,
) -> Tensor:
    """The photo of an all-in-focus image through an aperture opened by `aperture` in [0, 1] (METHOD: Aperture
    renderer).

    image [B,3,H,W] in any range, disparity [B,1,H,W] in px per aperture unit; `focus` is the disparity that is sharp.
    Takes as many views as the most blurred photo of the batch needs, so neighbouring ones lie at most 1 px apart; or
    `views_per_side`, to take again a photo that was taken with so many, or one in any company. `linear_light` averages
    light instead of sRGB codes in [-1, 1]; with `occlusion_steps` what lies in front hides what lies behind. Raises
    ValueError for an aperture out of range: it is a share of the widest one, no f-number.
    """
    dof_scale = torch.as_tensor(aperture, dtype=disparity.dtype, device=disparity.device).expand(image.shape[0])
    if not ((dof_scale >= 0) & (dof_scale <= 1)).all():
        raise ValueError(f"aperture must be in [0, 1], got {aperture}")
    shifted = disparity - focus
    if views_per_side is None:
        views_per_side = views_needed(float((shifted.abs().amax(dim=(1, 2, 3)) * dof_scale).max()))
    renderer = ApertureRenderer(views_per_side, shape, linear_light=linear_light, occlusion_steps=occlusion_steps).to(
        image.device
    )
    return renderer(image, shifted, dof_scale).image
