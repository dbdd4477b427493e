"""From linear light to a picture: resampling, soft blur, bloom, grading, vignette, and dither last."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from generation.studio.camera import Camera
from generation.studio.colour import Plane, encode_srgb
from generation.studio.rig import Rig

_LUMA = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)


def resized(plane: Plane, width: int, height: int) -> Plane:
    """A plane (rows, columns) or picture (rows, columns, channels) at another size: smooth up, averaged down."""
    if plane.shape[:2] == (height, width):
        return plane
    method = Image.Resampling.BICUBIC if height >= plane.shape[0] else Image.Resampling.BOX
    if plane.ndim == 2:
        image = Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32))
        return np.asarray(image.resize((width, height), method), dtype=np.float32)
    return np.stack([resized(plane[..., c], width, height) for c in range(plane.shape[2])], axis=-1)


def blurred(image: Plane, sigma: float) -> Plane:
    """A wide Gaussian blur, worked out at a smaller size."""
    if sigma < 0.4:
        return image
    rows, columns = image.shape[:2]
    factor = max(1, min(int(sigma / 2.2), rows // 8 or 1, columns // 8 or 1))
    small = resized(image, max(2, columns // factor), max(2, rows // factor))
    sigmas = (sigma * small.shape[0] / rows, sigma * small.shape[1] / columns)
    soft = ndimage.gaussian_filter(small, (*sigmas, 0.0)[: image.ndim], mode="nearest")
    return np.maximum(resized(soft, columns, rows), 0)


def mixed(a: Plane, b: Plane, share: Plane) -> Plane:
    """a where share is 0, b where it is 1."""
    return np.asarray(a + (b - a) * share, dtype=np.float32)


def finished(image: Plane, rig: Rig, camera: Camera, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The graded picture as uint8 (rows, columns, 3): bloom, exposure, soft shoulder, vignette, contrast, dither."""
    rows, columns = image.shape[:2]
    image = image * np.float32(rig.exposure)
    if rig.bloom > 0:
        factor = max(1, min(rows, columns) // 96)
        small = resized(image, max(2, columns // factor), max(2, rows // factor))
        glow = ndimage.gaussian_filter(np.maximum(small - 0.72, 0), (5, 5, 0), mode="nearest")
        image = image + resized(glow, columns, rows) * np.float32(rig.bloom * 6)
    if rig.vignette > 0:
        image = image * _vignette(camera, rig.vignette)[..., None]
    knee = np.float32(0.7)
    over = np.maximum(image - knee, 0) / (1 - knee)
    image = np.minimum(image, knee) + (1 - knee) * (1 - np.exp(-over))
    luma = (image[..., :1] * _LUMA[0] + image[..., 1:2] * _LUMA[1] + image[..., 2:] * _LUMA[2]).astype(np.float32)
    image = luma + (image - luma) * np.float32(rig.saturation)
    value = encode_srgb(image)
    value = value + np.float32(rig.contrast * 2.2) * (value - np.float32(0.5)) * value * (1 - value) * 2
    grain = rng.random((rows, columns, 1), dtype=np.float32) - np.float32(0.5)
    dither = rng.random((rows, columns, 3), dtype=np.float32) + rng.random((rows, columns, 3), dtype=np.float32)
    value = value * 255 + grain * np.float32(1.7) + (dither - 1) * np.float32(0.8)
    return np.asarray(np.clip(np.rint(value), 0, 255), dtype=np.uint8)


def _vignette(camera: Camera, depth: float) -> Plane:
    x = (np.arange(camera.width, dtype=np.float32) + 0.5) / camera.width
    y = (np.arange(camera.height, dtype=np.float32) + 0.5) / camera.height
    middle = 0.5 + 0.6 * (camera.foot_x / camera.width - 0.5)
    dx, dy = (x - np.float32(middle))[None, :], (y - np.float32(0.52))[:, None]
    far = np.clip((dx * dx + dy * dy) / np.float32(0.5), 0, 1.6)
    return np.asarray(1 - np.float32(depth) * far**1.2, dtype=np.float32)
