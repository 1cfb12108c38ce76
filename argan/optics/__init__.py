"""Optics: the aperture renderer. Knows no network but T, and no loss."""

from argan.optics.aperture import EDGE, ApertureShape, aperture_views, views_needed
from argan.optics.light import to_coded, to_light
from argan.optics.photo import render
from argan.optics.renderer import ApertureRenderer, Rendering

__all__ = [
    "EDGE",
    "ApertureRenderer",
    "ApertureShape",
    "Rendering",
    "aperture_views",
    "render",
    "to_coded",
    "to_light",
    "views_needed",
]
