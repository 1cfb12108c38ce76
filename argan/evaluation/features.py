"""Deep features of photos, for KID: what they are of is named with every value, for values of different nets never
compare.
"""

import hashlib
import io
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from argan.errors import UserError

EFFICIENTNET = "efficientnet-lite0"
EFFICIENTNET_PX = 224
CHUNK_IMAGES = 32
PROBE_PX = 64


class Extractor(NamedTuple):
    """`net` takes uint8 [N,3,H,W] on its device and gives features [N,d]; `record` says what it is."""

    net: Callable[[Tensor], Tensor]
    device: torch.device
    record: dict[str, Any]


def efficientnet(weights: bytes, device: torch.device) -> Extractor:
    """EfficientNet-lite0 trained on ImageNet, its last feature maps averaged over height and width, 1280 numbers."""
    from efficientnet_lite_pytorch import EfficientNet

    net = EfficientNet.from_name(EFFICIENTNET)
    net.load_state_dict(torch.load(io.BytesIO(weights), weights_only=True))
    net = _EfficientNet(net).to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    net.eval().requires_grad_(False)
    record = {"extractor": EFFICIENTNET, "resize": f"bicubic, antialiased, to {EFFICIENTNET_PX} px"}
    return Extractor(net, device, {**record, "weights_sha256": hashlib.sha256(weights).hexdigest()})


class _EfficientNet(nn.Module):
    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net = net

    def forward(self, images: Tensor) -> Tensor:
        size = (EFFICIENTNET_PX, EFFICIENTNET_PX)
        resized = F.interpolate(images.float(), size, mode="bicubic", antialias=True).clamp(0, 255)
        scaled = ((resized - 127) / 128).contiguous(memory_format=torch.channels_last)  # as this net was trained
        return self.net.extract_features(scaled).mean((2, 3))


def torchscript(data: bytes, name: str, device: torch.device) -> Extractor:
    """A net of the user's own: `net(images, return_features=True)`, uint8 [N,3,H,W] to [N,d], resizing included.

    This is what the Inception file of StyleGAN's authors takes. Running it runs what its author wrote. Raises UserError
    where it is no TorchScript, or of another net, by one black photo.
    """
    try:
        net = torch.jit.load(io.BytesIO(data), map_location=device).eval()
        with torch.inference_mode():
            found = net(torch.zeros(1, 3, PROBE_PX, PROBE_PX, dtype=torch.uint8, device=device), return_features=True)
    except (ValueError, RuntimeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise UserError(f"{name} is no TorchScript file with a feature extractor: {reason}") from error
    if not isinstance(found, Tensor) or found.ndim != 2 or len(found) != 1:
        got = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise UserError(f"{name} must give features [N,d] for photos [N,3,H,W], for one photo it gave {got}")
    record = {"extractor": f"TorchScript {name}", "resize": "by the net itself"}
    sha256 = hashlib.sha256(data).hexdigest()
    return Extractor(lambda images: net(images, return_features=True), device, {**record, "weights_sha256": sha256})


@torch.inference_mode()
def extract(
    extractor: Extractor, images: Tensor, progress: Callable[[int, int], None] = lambda done, total: None
) -> Tensor:
    """Features [N,d] float32 on the CPU, for photos uint8 [N,3,H,W]."""
    parts = []
    for chunk in images.split(CHUNK_IMAGES):
        parts.append(extractor.net(chunk.to(extractor.device)).float().cpu())
        progress(sum(map(len, parts)), len(images))
    return torch.cat(parts)
