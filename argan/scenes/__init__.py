"""Procedural photos of flowers, leaves and fruits with exact disparity, mask and optics (docs/scenes.md)."""

from argan.scenes.photo import SCENES_VERSION, Scene, scene

__all__ = ["SCENES_VERSION", "Scene", "scene"]
