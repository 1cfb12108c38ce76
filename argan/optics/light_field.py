"""The light field of an aperture and its mean, the photo (METHOD: Aperture renderer R):

    E(x,u) = D(x + u s D(x))    M(x,u) = s (E + T(E))(x,u)    L(x,u) = I(x + u M(x,u))    I_s(x) = mean over u of L(x,u)

Views come without the centre one, where L is I itself. Some are warped at a time and the backward pass warps again,
so that memory does not grow with the number of views; only T(E), where there is one, has a picture a view.

B batch, C channels, V views, H height, W width.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from argan.optics.warp import view_grid, warp, warp_backward

CHUNK_VIEWS = 5
"""Views warped at a time; measured in docs/decisions/renderer.md."""


class ViewDisparity(Function):
    """apply(disparity [B,1,H,W], dof_scale [B], views [V,2]): the view-wise disparity E [B,V,H,W] that T sees."""

    @staticmethod
    def forward(ctx: Any, disparity: Tensor, dof_scale: Tensor, views: Tensor) -> Tensor:
        ctx.save_for_backward(disparity, dof_scale, views)
        return warp(disparity, view_grid(_per_sample(dof_scale) * disparity, views))[:, 0]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_E: Tensor) -> tuple[Tensor | None, ...]:
        disparity, dof_scale, views = ctx.saved_tensors
        scale = _per_sample(dof_scale)
        grid = view_grid(scale * disparity, views)
        grad_disparity, grad_shift = _view_disparity_backward(grad_E, disparity, grid, views)
        return grad_disparity + scale * grad_shift, (grad_shift * disparity).sum((1, 2, 3)), None


class Photo(Function):
    """apply(image [B,C,H,W], disparity [B,1,H,W], dof_scale [B], residual, views [V,2], with_centre): I_s [B,C,H,W].

    residual is T(E) [B,V,H,W], or None for 0. The result is laid out in memory as the image is.
    """

    @staticmethod
    def forward(
        ctx: Any,
        image: Tensor,
        disparity: Tensor,
        dof_scale: Tensor,
        residual: Tensor | None,
        views: Tensor,
        with_centre: bool,
    ) -> Tensor:
        ctx.save_for_backward(image, disparity, dof_scale, residual, views)
        ctx.with_centre = with_centre
        scale = _per_sample(dof_scale)
        shift = scale * disparity
        # 0 D is NaN where D is not finite: the samples pass over such a shift, the photo must not.
        total = (image if with_centre else torch.zeros_like(image)) + 0 * disparity
        for part in _chunks(views):
            u = views[part]
            E = warp(disparity, view_grid(shift, u))[:, 0]
            M = scale * (E if residual is None else E + residual[:, part])
            total += warp(image, view_grid(M, u)).sum(2)
        return total.mul_(1 / (len(views) + with_centre))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_photo: Tensor) -> tuple[Tensor | None, ...]:
        image, disparity, dof_scale, residual, views = ctx.saved_tensors
        need_image, _, need_scale, need_residual, *_ = ctx.needs_input_grad
        scale = _per_sample(dof_scale)
        grad = (grad_photo / (len(views) + ctx.with_centre)).contiguous()
        grad_image = grad.clone() if ctx.with_centre else torch.zeros_like(grad)
        grad_disparity, grad_shift = torch.zeros_like(disparity), torch.zeros_like(disparity)
        grad_scale = torch.zeros_like(dof_scale)
        grad_residual = torch.empty_like(residual) if need_residual else None
        grad_L = grad.unsqueeze(2).expand(-1, -1, CHUNK_VIEWS, -1, -1).contiguous()

        def add_chunk(part: slice) -> None:  # a function, so that its tensors are gone before the next chunk's
            u = views[part]
            grid = view_grid(scale * disparity, u)
            E = warp(disparity, grid)[:, 0]
            if residual is not None:
                E += residual[:, part]
            grad_warped, grad_M = warp_backward(
                grad_L[:, :, : len(u)], image, view_grid(scale * E, u), u, need_field=need_image
            )
            if grad_warped is not None:
                grad_image.add_(grad_warped)
            if need_scale:
                grad_scale.add_((grad_M * E).sum((1, 2, 3)))
            grad_E = grad_M * scale
            if grad_residual is not None:
                grad_residual[:, part] = grad_E
            sampled, shifted = _view_disparity_backward(grad_E, disparity, grid, u)
            grad_disparity.add_(sampled)
            grad_shift.add_(shifted)

        for part in _chunks(views):
            add_chunk(part)
        grad_disparity += scale * grad_shift
        grad_scale += (grad_shift * disparity).sum((1, 2, 3))
        return grad_image, grad_disparity, grad_scale, grad_residual, None, None


def _view_disparity_backward(grad_E: Tensor, disparity: Tensor, grid: Tensor, views: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of E in D where it is sampled, and in the shift s D of the samples: [B,1,H,W] each."""
    grad_sampled, grad_shift = warp_backward(grad_E.unsqueeze(1), disparity, grid, views, need_field=True)
    assert grad_sampled is not None
    return grad_sampled, grad_shift.sum(1, keepdim=True)


def _chunks(views: Tensor) -> list[slice]:
    return [slice(start, start + CHUNK_VIEWS) for start in range(0, len(views), CHUNK_VIEWS)]


def _per_sample(dof_scale: Tensor) -> Tensor:
    return dof_scale.view(-1, 1, 1, 1)
