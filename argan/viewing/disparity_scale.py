"""The scale of disparity's colours, as pages show it beside pictures that have them."""

from argan.viewing.pages import Picture
from argan.viewing.pictures import legend, png_bytes


def disparity_scale(d_max_px: float, caption: str = "") -> Picture:
    alt = f"Scale of disparity colours: blue at {-d_max_px:g} px, white at 0, orange at {d_max_px:+g} px."
    return Picture(png_bytes(legend(d_max_px)), alt, caption)
