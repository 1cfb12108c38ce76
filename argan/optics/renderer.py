"""The aperture renderer R (METHOD: Aperture renderer R [AS]; a reconstruction after Srinivasan et al., CVPR 2018)."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from argan.optics.aperture import ApertureShape, ViewsFit, aperture_views
from argan.optics.expansion import DepthExpansion
from argan.optics.light import to_coded, to_light
from argan.optics.light_field import Photo, ViewDisparity
from argan.optics.occlusion import occluded_photo


class Rendering(NamedTuple):
    """A photo taken through the aperture [B,C,H,W], and each sample's mean |T(E)| [B], in px per aperture unit."""

    image: Tensor
    expansion: Tensor


class ApertureRenderer(nn.Module):
    """I_s = R(I, D; s): the deep image I as a lens sees it that is opened by s and focused where the disparity D is 0.

    views_per_side sets how finely the aperture is sampled (`views_needed` says how finely a picture needs it); T, if
    `expansion`, belongs to its number of views. `generator` draws T's weights. With `linear_light` the image is taken
    for sRGB-coded in [-1, 1], and its light is averaged, as a lens does (METHOD: Beyond the paper). With
    `occlusion_steps`, what lies in front hides what lies behind, found in so many steps of disparity
    (argan/optics/occlusion.py); T has no place there. Raises ValueError where both are asked for.
    """

    views: Tensor

    def __init__(
        self,
        views_per_side: int = 5,
        shape: ApertureShape = "disk",
        *,
        fit: ViewsFit = "edge",
        linear_light: bool = False,
        expansion: bool = False,
        occlusion_steps: int = 0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if expansion and occlusion_steps:
            raise ValueError(f"T and occlusion exclude each other, got occlusion_steps={occlusion_steps}")
        self.occlusion_steps = occlusion_steps
        views = aperture_views(views_per_side, shape, fit)
        self.linear_light = linear_light
        centre = (views == 0).all(1)
        self.with_centre = bool(centre.any())
        self.register_buffer("views", views[~centre], persistent=False)
        self.expansion = DepthExpansion(len(views), generator=generator) if expansion else None

    def forward(self, image: Tensor, disparity: Tensor, dof_scale: Tensor) -> Rendering:
        """image [B,C,H,W], disparity [B,1,H,W] in px per aperture unit, dof_scale [B] in [0, 1].

        Differentiable, once, in all three. Runs in float32 at least, under autocast too. The result is laid out in
        memory as the image is. A disparity that is not finite leaves NaN in the photo, and renders without harm.
        Raises ValueError where shapes do not fit.
        """
        batch, _, height, width = image.shape
        if disparity.shape != (batch, 1, height, width) or dof_scale.shape != (batch,):
            shapes = f"{tuple(image.shape)}, {tuple(disparity.shape)} and {tuple(dof_scale.shape)}"
            raise ValueError(f"image, disparity and dof_scale must be [B,C,H,W], [B,1,H,W] and [B], got {shapes}")
        dtype = torch.promote_types(image.dtype, torch.float32)
        with torch.autocast(image.device.type, enabled=False):
            image, disparity, dof_scale = image.to(dtype), disparity.to(dtype), dof_scale.to(dtype)
            views = self.views.to(dtype)
            residual, expansion = None, torch.zeros_like(dof_scale)
            if self.expansion is not None:
                E = ViewDisparity.apply(disparity, dof_scale, views)
                residual = self.expansion(torch.cat([disparity, E], dim=1) if self.with_centre else E)
                expansion = residual.abs().mean((1, 2, 3))
                residual = residual[:, 1:] if self.with_centre else residual
            seen = to_light(image) if self.linear_light else image
            if self.occlusion_steps:
                views = torch.cat([views.new_zeros(int(self.with_centre), 2), views])
                photo = occluded_photo(seen, disparity, dof_scale, views, self.occlusion_steps)
            else:
                photo = Photo.apply(seen, disparity, dof_scale, residual, views, self.with_centre)
            return Rendering(to_coded(photo) if self.linear_light else photo, expansion)
