"""Resizing an image: one matrix of weights for the height, one for the width, as the page of tf.image.resize says."""

import numpy as np

from tfparity import Undefined


def sinc_window(radius):
    return lambda x: np.where(np.abs(x) < radius, np.sinc(x) * np.sinc(x / radius), 0)


def cubic(b, c):
    """The cubic filters (b, c) of Mitchell and Netravali; (0, 1/2) is the filter of Keys and Catmull-Rom."""
    def weight(x):
        x = np.abs(x)
        near = ((12 - 9 * b - 6 * c) * x**3 + (-18 + 12 * b + 6 * c) * x**2 + 6 - 2 * b) / 6
        far = ((-b - 6 * c) * x**3 + (6 * b + 30 * c) * x**2 + (-12 * b - 48 * c) * x + 8 * b + 24 * c) / 6
        return np.where(x < 1, near, np.where(x < 2, far, 0))
    return weight


KERNELS = {
    "bilinear": lambda x: np.maximum(1 - np.abs(x), 0),
    "bicubic": cubic(0, 1 / 2),
    "mitchellcubic": cubic(1 / 3, 1 / 3),
    "lanczos3": sinc_window(3),
    "lanczos5": sinc_window(5),
    "gaussian": lambda x: np.where(np.abs(x) < 3, np.exp(-x**2 / (2 * 0.5**2)), 0),
}


def weights(have, want, method, antialias):
    """The weight of each old pixel in each new one, of shape (want, have). The centre of pixel i lies at i + 1/2."""
    centres, pixels = (np.arange(want) + 0.5) * have / want, np.arange(have)
    if method == "nearest":
        return (np.floor(centres)[:, None] == pixels).astype(float)
    if method == "area":
        low, high = np.arange(want)[:, None] * have / want, (np.arange(want)[:, None] + 1) * have / want
        found = np.clip(np.minimum(high, pixels + 1) - np.maximum(low, pixels), 0, 1)
    else:
        found = KERNELS[method]((pixels + 0.5 - centres[:, None]) / (max(have / want, 1) if antialias else 1))
    return found / found.sum(1, keepdims=True)


def resize(x, size, method="bilinear", preserve_aspect_ratio=False, antialias=False):
    h, w = x.shape[-3:-1]
    if preserve_aspect_ratio:
        scale = min(size[0] / h, size[1] / w)
        size = [max(1, round(h * scale)), max(1, round(w * scale))]
    rows, columns = (weights(a, b, method, antialias) for a, b in ((h, size[0]), (w, size[1])))
    if method == "nearest":
        return x[..., rows.argmax(1), :, :][..., columns.argmax(1), :]
    if not np.isfinite(x.astype(np.float64)).all():
        raise Undefined("a pixel is not finite: where its weight is 0, 0 times infinity has no value")
    return np.einsum("ih,jw,...hwc->...ijc", rows, columns, x)
