"""tf.image, and the image codecs of tf.io: resizing, geometry, colour, quality measures, boxes, codecs.

Colours are converted by linear maps or by the hexcone model of HSV. Resizing multiplies by one matrix of weights for
the height and one for the width, as the page of tf.image.resize describes it. Short functions below write the PNG, BMP,
GIF and WebP files that the lossless codecs must read.
"""

import itertools
import struct
import zlib
from functools import partial

import numpy as np

from tfparity import FLOATS, I, S, T, Undefined, each, error, every, inf, kind, sample, tf

from ..references.images import resize

image = partial(kind("image"), empty=False)               # an image has a pixel and a channel
boxed = kind("image")                                     # the number of boxes may be 0
random = kind("random", random=True)


def torn(a):
    """Images with pixels in which one colour is NaN."""
    a[..., 0, 0, 0] = a[..., 0, 1, 1] = a[..., 1, 0, 2] = np.nan
    return a


UNIT = T("n h w 3", domain=(0, 1), within=(0, 1))
TORN = T("n h w 3", domain=(0, 1), form=torn, edges=False)


# Geometry

def crop(x, top, left, height, width):
    if top < 0 or left < 0 or top + height > x.shape[-3] or left + width > x.shape[-2]:
        raise ValueError("the box leaves the image")
    return x[..., top:top + height, left:left + width, :]


def blank(x):
    return b"" if x.dtype == object else 0


def pad(x, top, left, height, width):
    bottom, right = height - top - x.shape[-3], width - left - x.shape[-2]
    if min(top, left, bottom, right) < 0:
        raise ValueError("the image does not fit")
    return np.pad(x, [(0, 0)] * (x.ndim - 3) + [(top, bottom), (left, right), (0, 0)], constant_values=blank(x))


def central_crop(x, central_fraction):
    """The middle `central_fraction` of height and of width."""
    h, w = x.shape[-3:-1]
    top, left = int((h - h * central_fraction) / 2), int((w - w * central_fraction) / 2)
    return x[..., top:h - top, left:w - left, :]


def crop_or_pad(x, height, width):
    for axis, want in ((-3, height), (-2, width)):
        have = x.shape[axis]
        if have > want:
            start = (have - want) // 2
            x = np.take(x, range(start, start + want), axis)
        else:
            before = (want - have) // 2
            widths = [(0, 0)] * x.ndim
            widths[axis] = before, want - have - before
            x = np.pad(x, widths, constant_values=blank(x))
    return x


def extract_patches(x, sizes, strides, rates, padding):
    """Every patch as one vector, flattened in the order height, width, channel."""
    (_, a, b, _), (_, s, t, _), (_, p, q, _) = sizes, strides, rates
    around = [(0, 0)] * 2
    if padding == "SAME":
        totals = [max((-(-n // step) - 1) * step + (k - 1) * rate + 1 - n, 0)
                  for n, k, step, rate in zip(x.shape[1:3], (a, b), (s, t), (p, q), strict=True)]
        around = [(n // 2, n - n // 2) for n in totals]
    x = np.pad(x, [(0, 0), *around, (0, 0)], constant_values=blank(x))
    view = np.lib.stride_tricks.sliding_window_view(x, ((a - 1) * p + 1, (b - 1) * q + 1), (1, 2))
    found = view[:, ::s, ::t, :, ::p, ::q]
    return np.moveaxis(found, 3, -1).reshape(*found.shape[:3], -1)


FIVE = T("5 6 c")

image("tf.image.flip_left_right", lambda x: x[..., ::-1, :], each(T("h w c"), T("n h w c")))
image("tf.image.flip_up_down", lambda x: x[..., ::-1, :, :], each(T("h w c"), T("n h w c")))
image("tf.image.rot90", lambda x, k=1: np.rot90(x, k, (-3, -2)), T("n h w c"), k=each(1, 2, -1))
image("tf.image.transpose", lambda x: np.swapaxes(x, -3, -2), each(T("h w c"), T("n h w c")))
image("tf.image.crop_to_bounding_box", crop, each(FIVE, T("n 5 6 c")), 1, 2, 3, 4, errors=[
    error("outside", np.ones((5, 6, 3), np.float32), 3, 2, 3, 4),
    error("negative", np.ones((5, 6, 3), np.float32), -1, 2, 3, 4)])
image("tf.image.pad_to_bounding_box", pad, each(FIVE, T("n 5 6 c")), 1, 2, 8, 9, errors=[
    error("too-small", np.ones((5, 6, 3), np.float32), 1, 2, 5, 9)])
image("tf.image.central_crop", central_crop, each(T("8 9 c"), T("n 8 9 c")), each(0.5, 0.3, 1.0), errors=[
    error("zero", np.ones((5, 6, 3), np.float32), 0.0), error("above-one", np.ones((5, 6, 3), np.float32), 1.5)])
image("tf.image.resize_with_crop_or_pad", crop_or_pad, T("n 5 6 c"), each(3, 8), each(4, 9))


def glimpse(x, size, offsets, centered, normalized, noise):
    """Windows of the images, with zeros outside an image. If `centered`, an offset from -1 to 1 is the window's centre.
    Otherwise, as the page's example shows, it is the window's top left corner: a fraction of the image's sides if
    `normalized`, else in pixels."""
    sides = np.array(x.shape[1:3])
    start = (offsets + 1) / 2 * sides - size / 2 if centered else offsets * sides if normalized else offsets
    start = start.astype(int)
    around = np.pad(x, [(0, 0), *((n, n) for n in size), (0, 0)])
    return np.stack([image[top + size[0]:top + 2 * size[0], left + size[1]:left + 2 * size[1]]
                     for image, (top, left) in zip(around, start, strict=True)])


@image("tf.image.extract_glimpse", glimpse)
def glimpses():
    pictures = T("2 7 8 c", dtype="float32")
    for normalized, centered, offsets in ((False, False, [[1, 0], [4, 4]]), (True, False, [[0, 0.25], [0, 0.5]]),
                                          (True, True, [[0, 0], [0, 0.5]])):
        yield sample(pictures, np.array([3, 4], np.int32), np.array(offsets, np.float32), centered=centered,
                     normalized=normalized, noise="uniform", name=f"normalized={normalized},centered={centered}")
    yield sample(pictures, np.array([3, 5], np.int32), np.array([[-2, -1], [5, 6]], np.float32), centered=False,
                 normalized=False, noise="zero", name="beyond")


image("tf.image.extract_patches", extract_patches)(lambda: (
    sample(T("n 7 8 c"), [1, 3, 2, 1], strides=[1, s, s, 1], rates=[1, r, r, 1], padding=padding)
    for s, r, padding in ((1, 1, "SAME"), (2, 1, "VALID"), (2, 2, "SAME"))))


# Resizing


def resize_with_pad(x, height, width, method="bilinear", antialias=False):
    h, w = x.shape[-3:-1]
    scale = min(height / h, width / w)
    inner = resize(x, [int(h * scale), int(w * scale)], method, antialias=antialias)
    top, left = (height - inner.shape[-3]) // 2, (width - inner.shape[-2]) // 2
    return pad(inner, top, left, height, width)


def crop_and_resize(x, boxes, box_indices, crop_size, method="bilinear", extrapolation_value=0.0):
    """Corners are aligned: the centres of the first and last new pixels lie on the edges of the box."""
    def places(start, end, have, want):
        along = np.linspace(0, 1, want) if want > 1 else np.array([0.5])
        return (start + (end - start) * along) * (have - 1)

    out = np.full((len(boxes), *crop_size, x.shape[3]), extrapolation_value, np.float64)
    for number, (y1, x1, y2, x2) in enumerate(boxes):
        rows, columns = places(y1, y2, x.shape[1], crop_size[0]), places(x1, x2, x.shape[2], crop_size[1])
        for (i, y), (j, z) in itertools.product(enumerate(rows), enumerate(columns)):
            if not (0 <= y <= x.shape[1] - 1 and 0 <= z <= x.shape[2] - 1):
                continue
            picture = x[box_indices[number]].astype(np.float64)
            if method == "nearest":
                out[number, i, j] = picture[int(np.floor(y + 0.5)), int(np.floor(z + 0.5))]
                continue
            (a, c), (b, d) = (int(y), int(z)), (int(np.ceil(y)), int(np.ceil(z)))
            upper = picture[a, c] + (picture[a, d] - picture[a, c]) * (z - c)
            lower = picture[b, c] + (picture[b, d] - picture[b, c]) * (z - c)
            out[number, i, j] = upper + (lower - upper) * (y - a)
    return out


# Some weights are negative, so infinite pixels would give NaN: the values here are finite.
MILD = {"domain": (-4, 4), "within": (-100, 100)}
PHOTO = T("n 7 9 c", **MILD)
SINGLE = ("float32", "float16", "bfloat16")          # the others are computed in float32 but judged by their own u


# Positions are computed in float32, in pixels, which adds a few roundings to those of the pixels' values.
@image("tf.image.resize", resize, dtypes=SINGLE, error_factor=64)
def resize_samples():
    yield sample(PHOTO, [4, 5])
    yield sample(PHOTO, [11, 13], name="larger")
    yield sample(T("7 9 c", **MILD), [14, 3], name="one-image")
    yield sample(T("3 3 c"), [5, 5], name="edges")
    yield sample(PHOTO, [10, 5], preserve_aspect_ratio=True)
    yield sample(PHOTO, [4, 5], antialias=True)
    for method in ("nearest", "area", "bicubic", "lanczos3", "lanczos5", "gaussian", "mitchellcubic"):
        yield sample(PHOTO, [11, 5], method=method)
        if method not in ("nearest", "area"):
            yield sample(PHOTO, [4, 5], method=method, antialias=True)


image("tf.image.resize_with_pad", resize_with_pad, T("n 6 8 c", **MILD), 12, each(20, 4),
      method=each("bilinear", "nearest"), antialias=each(False, True), dtypes=SINGLE, error_factor=64)


# Positions are computed in float32, as in tf.image.resize.
@boxed("tf.image.crop_and_resize", crop_and_resize, error_factor=4, errors=[error(
    "no-rows", np.ones((3, 7, 9, 2), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32), [3, 4])])
def crop_and_resize_samples():
    telling = np.array([[0, 0, 1, 1], [0.1, 0.2, 0.7, 0.9], [0.9, 0.8, 0.3, 0.1], [-0.3, 0.2, 1.2, 0.6]])
    boxes = T("2*b 4", dtype="float32", form=lambda drawn: np.resize(telling, drawn.shape), edges=False)
    for method, size in itertools.product(("bilinear", "nearest"), ([3, 4], [1, 5])):
        yield sample(T(3, 7, 9, "c"), boxes, I("2*b", below=3), size, method=method,
                     extrapolation_value=-1.5, name=f"method={method},crop_size={size[0]}x{size[1]}")


# Colour

RGB_TO_GREY = np.array([0.2989, 0.5870, 0.1140])          # ITU-R BT.601, rounded as in MATLAB's rgb2gray
LUMA = np.array([0.299, 0.587, 0.114])
RGB_TO_YUV = np.stack([LUMA, 0.492111 * (np.eye(3)[2] - LUMA), 0.877283 * (np.eye(3)[0] - LUMA)], 1)
RGB_TO_YIQ = np.array([[0.299, 0.5959, 0.2115], [0.587, -0.2746, -0.5227], [0.114, -0.3213, 0.3112]])


def whole(x):
    if np.isnan(x).any():
        raise Undefined("the documentation gives no result for NaN")
    return x


def rgb_to_hsv(x):
    r, g, b = np.moveaxis(whole(x), -1, 0)
    value = x.max(-1)
    spread = value - x.min(-1)
    safe = np.where(spread > 0, spread, 1)
    hue = np.where(value == r, (g - b) / safe % 6, np.where(value == g, (b - r) / safe + 2, (r - g) / safe + 4)) / 6
    return np.stack([np.where(spread > 0, hue, 0), spread / np.where(value > 0, value, 1), value], -1)


def hsv_to_rgb(x):
    h, s, v = np.moveaxis(whole(x), -1, 0)
    distance = [np.abs((6 * h - k + 3) % 6 - 3) for k in (0, 2, 4)]       # from red, green, blue, in sixths of a turn
    return np.stack([v * (1 - s * np.clip(d - 1, 0, 1)) for d in distance], -1)


def adjust_hue(x, delta):
    hsv = rgb_to_hsv(x)
    hsv[..., 0] = (hsv[..., 0] + delta) % 1
    return hsv_to_rgb(hsv)


def adjust_saturation(x, saturation_factor):
    hsv = rgb_to_hsv(x)
    hsv[..., 1] = np.clip(hsv[..., 1] * saturation_factor, 0, 1)
    return hsv_to_rgb(hsv)


def adjust_contrast(x, contrast_factor):
    mean = x.mean((-3, -2), keepdims=True)
    return (x - mean) * contrast_factor + mean


def convert_dtype(x, dtype, saturate=False):
    """An integer stands for itself divided by the largest of its dtype. Between integer dtypes, values are multiplied
    or divided by the quotient of the two ranges, a power of two."""
    into = np.dtype(dtype)
    if x.dtype.kind == "f":
        if into.kind == "f":
            return x.astype(into)
        if not ((x >= 0) & (x < 1)).all():
            raise Undefined("a floating-point image must lie in [0, 1)")
        return np.floor(x * (np.iinfo(into).max + 0.5)).astype(into)
    if (x < 0).any():
        raise Undefined("an integer image must lie in [0, MAX]")
    if into.kind == "f":
        return x.astype(np.float64) / np.iinfo(x.dtype).max
    top, new_top = int(np.iinfo(x.dtype).max) + 1, int(np.iinfo(into).max) + 1
    return np.array([v // (top // new_top) if top > new_top else v * (new_top // top) for v in x.ravel().tolist()],
                    into).reshape(x.shape)


def standardized(x):
    mean, size = x.mean((-3, -2, -1), keepdims=True), np.prod(x.shape[-3:])
    return (x - mean) / np.maximum(x.std((-3, -2, -1), keepdims=True), 1 / np.sqrt(size))


image("tf.image.rgb_to_hsv", rgb_to_hsv)(lambda: [sample(UNIT), sample(TORN, name="torn")])
image("tf.image.hsv_to_rgb", hsv_to_rgb)(lambda: [sample(UNIT), sample(TORN, name="torn")])
image("tf.image.rgb_to_grayscale", lambda x: x @ RGB_TO_GREY[:, None], T("n h w 3"), dtypes=FLOATS)
image("tf.image.grayscale_to_rgb", lambda x: np.repeat(x, 3, -1), T("n h w 1"))
image("tf.image.rgb_to_yuv", lambda x: x @ RGB_TO_YUV, T("n h w 3"), dtypes=FLOATS)
image("tf.image.yuv_to_rgb", lambda x: x @ np.linalg.inv(RGB_TO_YUV).round(12), T("n h w 3"), dtypes=FLOATS)
image("tf.image.rgb_to_yiq", None, UNIT, invariant=lambda got, x: bool(
    (np.abs(got.astype(float) - x.astype(float) @ RGB_TO_YIQ) < 0.02).all())).no_reference(
        "the documentation does not give the matrix")
image("tf.image.yiq_to_rgb", None, UNIT, invariant=lambda got, x: bool(
    (np.abs(got.astype(float) @ RGB_TO_YIQ - x.astype(float)) < 0.03).all())).no_reference(
        "the documentation does not give the matrix")
image("tf.image.adjust_brightness", lambda x, delta: x + delta, T("n h w c"), delta=each(0.25, -0.5), dtypes=FLOATS)
image("tf.image.adjust_contrast", adjust_contrast, dtypes=FLOATS)(lambda: [
    *every(T("n h w c"), contrast_factor=each(2.0, 0.5)),
    sample(T("n 1 1 c"), contrast_factor=1000.3, name="one-pixel")])
image("tf.image.adjust_gamma", lambda x, gamma=1, gain=1: gain * x**gamma, UNIT, gamma=each(1, 2.5, 0.4),
      gain=each(1, 2), dtypes=FLOATS, errors=[error("negative-gamma", np.ones((2, 2, 3), np.float32), gamma=-1.0)])
image("tf.image.adjust_hue", adjust_hue, dtypes=FLOATS, errors=[
    error("beyond-one", np.ones((2, 2, 3), np.float32), delta=1.5)])(
        lambda: [*every(UNIT, delta=each(0.2, -0.7, 0.0)), sample(TORN, delta=0.2, name="torn")])
image("tf.image.adjust_saturation", adjust_saturation, dtypes=FLOATS)(
    lambda: [*every(UNIT, saturation_factor=each(0.5, 3.0)), sample(TORN, saturation_factor=0.5, name="torn")])
image("tf.image.convert_image_dtype", convert_dtype)(lambda: (
    sample(T("h w c", domain=(0, 1)), dtype=dtype, **options)
    for options in ({}, {"saturate": True}) for dtype in ("float32", "uint8", "int16", "float64")))
image("tf.image.per_image_standardization", standardized, T("n h w c"), dtypes=FLOATS)


# Measures

def psnr(a, b, max_val):
    return 10 * np.log10(max_val**2 / np.mean((a - b) ** 2, (-3, -2, -1)))


def gaussian_window(size, sigma):
    along = np.exp(-((np.arange(size) - (size - 1) / 2) ** 2) / (2 * sigma**2))
    return np.outer(along, along) / along.sum() ** 2


def local(x, window):
    view = np.lib.stride_tricks.sliding_window_view(x, window.shape, (-3, -2))
    return np.einsum("...ij,ij->...", view, window)


def ssim_maps(a, b, max_val, filter_size, filter_sigma, k1, k2):
    """The structural similarity (SSIM) at every pixel, and its factor of contrast and structure alone."""
    window, c1, c2 = gaussian_window(filter_size, filter_sigma), (k1 * max_val) ** 2, (k2 * max_val) ** 2
    m, n = local(a, window), local(b, window)
    both, squares = local(a * b, window) - m * n, local(a * a + b * b, window) - m * m - n * n
    contrast = (2 * both + c2) / (squares + c2)
    return (2 * m * n + c1) / (m * m + n * n + c1) * contrast, contrast


def ssim(a, b, max_val, filter_size=11, filter_sigma=1.5, k1=0.01, k2=0.03, return_index_map=False):
    found, _ = ssim_maps(a, b, max_val, filter_size, filter_sigma, k1, k2)
    return found.mean(-1) if return_index_map else found.mean((-3, -2, -1))


def ssim_multiscale(a, b, max_val, power_factors, filter_size=11, filter_sigma=1.5, k1=0.01, k2=0.03):
    """MS-SSIM of Wang, Simoncelli and Bovik: the contrast factor at every scale, but all of SSIM at the coarsest;
    images are halved from one scale to the next."""
    product = 1
    for scale, power in enumerate(power_factors):
        whole, contrast = ssim_maps(a, b, max_val, filter_size, filter_sigma, k1, k2)
        part = whole if scale == len(power_factors) - 1 else contrast
        product = product * np.maximum(part.mean((-3, -2)), 0) ** power
        a, b = (x.reshape(x.shape[0], x.shape[1] // 2, 2, x.shape[2] // 2, 2, -1).mean((2, 4)) for x in (a, b))
    return product.mean(-1)


def total_variation(x):
    return sum(np.abs(np.diff(x, axis=axis)).sum((-3, -2, -1)) for axis in (-3, -2))


def image_gradients(x):
    dy, dx = np.zeros_like(x), np.zeros_like(x)
    dy[:, :-1], dx[:, :, :-1] = np.diff(x, axis=1), np.diff(x, axis=2)
    return dy, dx


def sobel_edges(x):
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)], mode="reflect")
    down = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
    return np.stack([local(padded, down), local(padded, down.T)], -1)


BRIGHT = T("n 12 13 c", domain=(0, 1), within=(0, 1))

image("tf.image.psnr", psnr, T("n h w c", within=(0, 1)), T("n h w c", within=(0, 1)), max_val=each(1.0, 255.0),
      dtypes=FLOATS)
# Variances are E[x²] - E[x]², as in the paper's program: S does not include the digits that cancel there.
image("tf.image.ssim", ssim, dtypes=FLOATS, error_factor=64)(lambda: (
    sample(BRIGHT, BRIGHT, max_val=1.0, **options) for options in (
        {}, {"filter_size": 5}, {"return_index_map": True}, {"filter_sigma": 0.8}, {"k1": 0.2}, {"k2": 0.2})))
image("tf.image.ssim_multiscale", ssim_multiscale, dtypes=FLOATS, error_factor=64)(lambda: (
    sample(*[T("n 12 16 c", domain=(0, 1), within=(0, 1))] * 2, max_val=1.0, filter_size=5, **options) for options in (
        {"power_factors": [0.4, 0.6]}, {"power_factors": [0.2, 0.5]},
        *({"power_factors": [0.4, 0.6], **more} for more in ({"filter_sigma": 0.8}, {"k1": 0.2}, {"k2": 0.2})))))
image("tf.image.total_variation", total_variation, each(T("n h w c"), T("h w c")), dtypes=FLOATS)
image("tf.image.image_gradients", image_gradients, T("n h w c"))
image("tf.image.sobel_edges", sobel_edges, T("n 5 4 c"), dtypes=FLOATS)


# Boxes

def overlap(a, b):
    """Intersection over union of boxes given by any two opposite corners."""
    (ay, ax), (az, aw) = np.minimum(a[:2], a[2:]), np.maximum(a[:2], a[2:])
    (by, bx), (bz, bw) = np.minimum(b[:2], b[2:]), np.maximum(b[:2], b[2:])
    common = max(0, min(az, bz) - max(ay, by)) * max(0, min(aw, bw) - max(ax, bx))
    union = (az - ay) * (aw - ax) + (bz - by) * (bw - bx) - common
    return common / union if union > 0 else 0


def suppress(overlaps, scores, count, threshold, lowest):
    if np.isnan(scores).any():
        raise Undefined("the documentation does not say how a NaN score is ranked")
    kept = []
    for i in np.argsort(-scores, kind="stable"):
        if len(kept) < count and scores[i] > lowest and all(overlaps(i, k) <= threshold for k in kept):
            kept.append(i)
    return np.array(kept, np.int32)


def non_max(boxes, scores, max_output_size, iou_threshold=0.5, score_threshold=-inf):
    return suppress(lambda i, k: overlap(boxes[i], boxes[k]), scores, max_output_size, iou_threshold, score_threshold)


def non_max_overlaps(overlaps, scores, max_output_size, overlap_threshold=0.5, score_threshold=-inf):
    return suppress(lambda i, k: overlaps[i, k], scores, max_output_size, overlap_threshold, score_threshold)


def non_max_with_scores(boxes, scores, max_output_size, iou_threshold=0.5, score_threshold=-inf, soft_nms_sigma=0.0):
    """Soft-NMS of Bodla et al.: no box is dropped, but each kept box multiplies the scores of the others by a Gaussian
    of their overlap."""
    if not soft_nms_sigma:
        kept = non_max(boxes, scores, max_output_size, iou_threshold, score_threshold)
        return kept, scores[kept]
    scores, kept, found = scores.copy(), [], []
    while len(kept) < min(max_output_size, len(scores)):
        best = max((i for i in range(len(scores)) if i not in kept), key=lambda i: scores[i])
        if scores[best] <= score_threshold:
            break
        kept.append(best)
        found.append(scores[best])
        for i in range(len(scores)):
            if i not in kept:
                scores[i] *= np.exp(-overlap(boxes[i], boxes[best]) ** 2 / (2 * soft_nms_sigma))
    return np.array(kept, np.int32), np.array(found)


def non_max_padded(boxes, scores, max_output_size, iou_threshold=0.5, score_threshold=-inf,
                   pad_to_max_output_size=False, **form):
    kept = non_max(boxes, scores, max_output_size, iou_threshold, score_threshold)
    padded = np.pad(kept, (0, max_output_size - len(kept))) if pad_to_max_output_size else kept
    return padded, np.int32(len(kept))


def non_max_combined(boxes, scores, max_output_size_per_class, max_total_size, iou_threshold=0.5,
                     score_threshold=-inf, pad_per_class=False, clip_boxes=True):
    """Suppression within each class, then the best boxes of all classes. Boxes have the shape (batch, n, 1, 4), scores
    (batch, n, classes)."""
    batch, _, classes = scores.shape
    width = max_total_size if not pad_per_class else min(max_total_size, max_output_size_per_class * classes)
    out, values = np.zeros((batch, width, 4)), np.zeros((batch, width))
    labels, valid = np.zeros((batch, width)), np.zeros(batch, np.int32)
    for b in range(batch):
        found = [(scores[b, i, c], c, i) for c in range(classes) for i in non_max(
            boxes[b, :, 0], scores[b, :, c], max_output_size_per_class, iou_threshold, score_threshold)]
        found = sorted(found, key=lambda item: -item[0])[:width]
        valid[b] = len(found)
        for k, (value, c, i) in enumerate(found):
            out[b, k] = np.clip(boxes[b, i, 0], 0, 1) if clip_boxes else boxes[b, i, 0]
            values[b, k], labels[b, k] = value, c
    return out, values, labels, valid


def draw(images, boxes, colors):
    """Frames one pixel wide, with their corners at the box's coordinates times (size - 1); later boxes are drawn over
    earlier ones."""
    out = images.copy()
    h, w = images.shape[1:3]
    for picture, its in zip(out, boxes, strict=True):
        for number, (y1, x1, y2, x2) in enumerate(its):
            top, left, bottom, right = (int(v) for v in (y1 * (h - 1), x1 * (w - 1), y2 * (h - 1), x2 * (w - 1)))
            color = colors[number % len(colors)]
            picture[[top, bottom], left:right + 1] = color
            picture[top:bottom + 1, [left, right]] = color
    return out


BOXES, SCORES = T("3*n 4", domain=(0, 1), edges=False), T("3*n", domain=(0, 1), edges=False)
CORNERS = np.array([[[0, 0.25, 0.5, 0.75], [0.25, 0.5, 1, 1]], [[0.5, 0, 0.75, 0.25], [0, 0, 1, 1]]], np.float32)

boxed("tf.image.non_max_suppression", non_max, BOXES, SCORES, max_output_size=each(3, 9),
      iou_threshold=each(0.5, 0.1), score_threshold=each(-inf, 0.4))
boxed("tf.image.non_max_suppression_overlaps", non_max_overlaps, T("3*n 3*n", domain=(0, 1), edges=False), SCORES,
      max_output_size=each(3, 9), overlap_threshold=each(0.5, 0.9), score_threshold=each(-inf, 0.4))
boxed("tf.image.non_max_suppression_with_scores", non_max_with_scores, BOXES, SCORES, max_output_size=each(4, 9),
      iou_threshold=0.3, score_threshold=each(-inf, 0.4), soft_nms_sigma=each(0.0, 0.5))
FALLING = T("3*n", domain=(0, 1), edges=False, form=lambda s: -np.sort(-s))
UPRIGHT = T("3*n 4", domain=(0, 1), edges=False, form=lambda b: np.concatenate(
    [np.minimum(b[:, :2], b[:, 2:]), np.maximum(b[:, :2], b[:, 2:])], 1))


def unscored(scores):
    """The scores, of which one is NaN."""
    scores[2:3] = np.nan
    return scores


@boxed("tf.image.non_max_suppression_padded", non_max_padded)
def non_max_padded_samples():
    yield from every(BOXES, SCORES, max_output_size=6, iou_threshold=each(0.5, 0.1), score_threshold=each(-inf, 0.4),
                     pad_to_max_output_size=each(False, True))
    yield sample(BOXES, T("3*n", domain=(0, 1), form=unscored, edges=False), max_output_size=6, iou_threshold=0.5,
                 pad_to_max_output_size=True, name="nan-score")
    for given in ("sorted_input", "canonicalized_coordinates"):     # another algorithm, by tiles of boxes
        yield sample(UPRIGHT, FALLING, max_output_size=6, iou_threshold=0.3, pad_to_max_output_size=True, name=given,
                     **{given: True})


boxed("tf.image.combined_non_max_suppression", non_max_combined)(lambda: (
    sample(T("2 3*n 1 4", domain=(-0.2, 1.2), edges=False), T("2 3*n 3", domain=(0, 1), edges=False),
           max_output_size_per_class=2, iou_threshold=0.2, **{"max_total_size": 5, **options}) for options in (
        {}, {"max_total_size": 8}, {"pad_per_class": True}, {"pad_per_class": True, "max_total_size": 8},
        {"clip_boxes": False}, {"score_threshold": 0.6})))
image("tf.image.draw_bounding_boxes", draw, T("2 9 13 3", edges=False), CORNERS,
      np.array([[1, 0.5, 0], [0, 1, 0.25]], np.float32))


def proposed(result, scores, bbox_deltas, image_info, anchors, nms_threshold, pre_nms_topn, min_size, post_nms_topn):
    """Whether boxes come by falling score, lie within the image, and overlap by no more than the threshold."""
    for boxes, found, (height, width, *_) in zip(*result, image_info, strict=True):
        boxes = boxes[found > 0]
        if (np.diff(found) > 0).any() or (boxes < 0).any() or (boxes[:, 2:] > (height, width)).any():
            return False
        if any(overlap(a, b) > nms_threshold + 1e-5 for a, b in itertools.combinations(boxes, 2)):
            return False
    return bool(result[0].shape == (len(scores), post_nms_topn, 4) and np.isin(result[1][result[1] > 0], scores).all())


image("tf.image.generate_bounding_box_proposals", None, T(2, 3, 4, 2, dtype="float32", domain=(0.1, 1), edges=False),
      T(2, 3, 4, 8, dtype="float32", domain=(-0.3, 0.3), edges=False),
      np.array([[40, 50, 1, 40, 50], [30, 60, 1, 30, 60]], np.float32),
      T(3, 4, 8, dtype="float32", domain=(0, 30), edges=False), nms_threshold=each(0.7, 0.3), pre_nms_topn=20,
      min_size=1, post_nms_topn=10, invariant=proposed)


# Codecs

def png(pixels):
    """The bytes of a PNG of 8 or 16 bits; the last dimension decides between grey, grey with alpha, RGB and RGBA."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    h, w, channels = pixels.shape
    rows = b"".join(b"\0" + row.astype(pixels.dtype.newbyteorder(">")).tobytes() for row in pixels)
    head = struct.pack(">IIBBBBB", w, h, pixels.itemsize * 8, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def bmp(pixels):
    """The bytes of a BMP of 24 bits: blue first, bottom row first, rows padded to a multiple of four bytes."""
    h, w, _ = pixels.shape
    rows = b"".join(row[:, ::-1].tobytes() + b"\0" * (-3 * w % 4) for row in pixels[::-1])
    head = struct.pack("<IiiHHIIiiII", 40, w, h, 1, 24, 0, len(rows), 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(rows), 0, 0, 54) + head + rows


def gif(frames):
    """The bytes of an animated GIF, without compression: LZW codes of 9 bits, the table cleared before they grow."""
    palette = np.unique(np.concatenate(frames).reshape(-1, 3), axis=0).tolist()
    h, w, _ = frames[0].shape
    out = b"GIF89a" + struct.pack("<HHBBB", w, h, 0xF7, 0, 0) + bytes(itertools.chain(*palette)).ljust(768, b"\0")
    for frame in frames:
        pixels = [palette.index(colour) for colour in frame.reshape(-1, 3).tolist()]
        codes = [c for k in range(0, len(pixels), 100) for c in (256, *pixels[k:k + 100])] + [257]
        data = sum(code << 9 * k for k, code in enumerate(codes)).to_bytes(-(-9 * len(codes) // 8), "little")
        blocks = [data[k:k + 255] for k in range(0, len(data), 255)]
        out += b"," + struct.pack("<HHHHBB", 0, 0, w, h, 0, 8)
        out += b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"
    return out + b";"


def webp(pixels):
    """The bytes of a lossless WebP whose channels have two values each: one bit per value, without a transform."""
    bits = []

    def put(*fields):
        bits.extend(value >> k & 1 for value, length in fields for k in range(length))

    h, w, channels = pixels.shape
    put((0x2F, 8), (w - 1, 14), (h - 1, 14), (channels == 4, 1), (0, 3), (0, 3))
    levels = {c: np.unique(pixels[..., c]).tolist() if c < channels else [255] for c in (1, 0, 2, 3)}  # green is first
    for found in levels.values():
        put((1, 1), (len(found) - 1, 1), (1, 1), *((level, 8) for level in found))
    put((1, 1), (0, 3))
    for pixel in pixels.reshape(-1, channels).tolist():
        put(*((found.index(pixel[c]), 1) for c, found in levels.items() if len(found) == 2))
    data = np.packbits(np.array(bits, np.uint8), bitorder="little").tobytes()
    chunk = b"VP8L" + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def smooth(a):
    """A smooth gradient, which JPEG reproduces to within a few of the 256 levels."""
    h, w, c = a.shape
    return np.fromfunction(lambda y, x, k: 20 + 4 * y + 3 * x + 10 * k, (h, w, c))


def near(got, x, **options):
    return bool(got.shape == x.shape and (np.abs(got.astype(int) - x.astype(int)) <= 12).all())


PICTURE = np.random.default_rng(7).integers(0, 256, (5, 7, 3), np.uint8)
DEEP = np.random.default_rng(8).integers(0, 65536, (4, 3, 1), np.uint16)
PNG, PNG16, BMP = (np.array(data, object) for data in (png(PICTURE), png(DEEP), bmp(PICTURE)))
PNG4 = np.array(png(np.concatenate([PICTURE, PICTURE[..., :1]], -1)), object)
SMOOTH = T(16, 24, 3, dtype="uint8", form=smooth, edges=False)
BAD = [error("truncated", np.array(png(PICTURE)[:40], object)), error("not-an-image", np.array(b"hello", object))]


TWO = np.where(PICTURE > 100, np.uint8([200, 30, 99]), np.uint8([3, 7, 255]))
TWO4 = np.concatenate([TWO, np.where(PICTURE[..., :1] > 50, np.uint8(255), np.uint8(17))], -1)
MOVING = np.stack([PICTURE, PICTURE[::-1]])
GIF, WEBP, WEBP4 = (np.array(data, object) for data in (gif(MOVING), webp(TWO), webp(TWO4)))
# Lossless files written by libjxl: the values 0, 7, 14, ... in the shape (2, 3, channels).
JXL = {channels: np.array(bytes.fromhex(data), object) for channels, data in (
    (1, "ff0a084010143702080401002c004b188b158e13a603786201"),
    (3, "ff0a084010090804010068004b18132f070b492215aa77c301017a8130002ea5941200dcf61b"),
    (4, "ff0a0840b0120810100068004b18132f070b597a61d4c9c805b24eef0262005c550000dcf61b"))}


def read_jxl(contents, channels=0):
    held = next(n for n, data in JXL.items() if data.item() == contents.item())
    if channels not in (0, held):
        raise ValueError("as many channels as the file has")
    return (7 * np.arange(6 * held, dtype=np.uint8)).reshape(2, 3, held)


def read_webp(contents, channels=0):
    """The image as an animation of one frame."""
    held = {WEBP.item(): TWO, WEBP4.item(): TWO4}[contents.item()]
    if channels not in (0, held.shape[-1]):
        raise ValueError("as many channels as the file has")
    return held[None]


def read_png(contents, channels=0, dtype="uint8"):
    return {PNG.item(): PICTURE, PNG16.item(): DEEP,
            PNG4.item(): np.concatenate([PICTURE, PICTURE[..., :1]], -1)}[contents.item()]


@image("tf.io.decode_png", read_png, errors=BAD)
def decode_png():
    yield sample(PNG)
    yield sample(PNG, channels=3)
    yield sample(PNG4, channels=4)
    yield sample(PNG16, dtype="uint16")


def read_image(contents, channels=0, dtype="uint8", expand_animations=True):
    """A floating-point image is scaled to 0..1, an integer image to the whole range of its dtype."""
    found = {GIF.item(): MOVING if expand_animations else MOVING[0]}.get(contents.item(), PICTURE)
    return {"uint8": found, "uint16": found * np.uint16(257), "float32": found / 255}[dtype]


@image("tf.io.decode_image", read_image, errors=BAD)
def decode_image():
    yield sample(PNG, name="png")
    yield sample(BMP, name="bmp")
    yield sample(PNG, expand_animations=False)
    yield sample(PNG, channels=3)
    yield sample(GIF, name="gif")
    yield sample(GIF, expand_animations=False, name="gif,first")
    yield sample(PNG, dtype="uint16", name="uint16")
    yield sample(PNG, dtype="float32", name="float32")


image("tf.io.decode_gif", lambda contents: {GIF.item(): MOVING, PNG.item(): PICTURE[None]}[contents.item()],
      errors=[*BAD, error("truncated-gif", np.array(GIF.item()[:820], object))])(
          lambda: (sample(GIF, name="gif"), sample(PNG, name="png")))
image("tf.io.decode_jxl", read_jxl, errors=[*BAD, error("channels", JXL[3], channels=1)])(lambda: (
    sample(data, channels=c, name=f"{held}-as-{c}") for held, data in JXL.items() for c in (0, held)))
image("tf.io.decode_webp", read_webp, errors=[*BAD, error("channels", WEBP, channels=4)])(lambda: (
    sample(data, channels=c, name=f"{held}-as-{c}") for held, data in ((3, WEBP), (4, WEBP4)) for c in (0, held)))


image("tf.io.decode_bmp", lambda contents, channels=0: PICTURE, BMP, channels=each(0, 3), errors=BAD)
image("tf.io.encode_png", lambda x, compression=-1: x, T("h w 3"), compression=each(-1, 0, 9),
      call=lambda f, x, compression=-1: tf.io.decode_png(f(x, compression), dtype=x.dtype))
image("tf.io.encode_jpeg", None, invariant=near, call=lambda f, x, **options: tf.io.decode_jpeg(f(x, **options)))(
    lambda: (sample(SMOOTH, **options) for options in (
        {}, {"quality": 100}, {"progressive": True}, {"format": "rgb"}, {"optimize_size": True},
        {"chroma_downsampling": False}, {"density_unit": "cm", "x_density": 72, "y_density": 36},
        {"xmp_metadata": "about"})))


def seen(x, channels=0, ratio=1, **options):
    """An image with fewer channels, or at a smaller scale: then each pixel is the mean of several."""
    x = x @ [0.299, 0.587, 0.114] if channels == 1 else x
    x = x.reshape(*x.shape[:2], -1)
    return x.reshape(x.shape[0] // ratio, ratio, x.shape[1] // ratio, ratio, -1).mean((1, 3))


DECODINGS = ({}, {"fancy_upscaling": False}, {"dct_method": "INTEGER_ACCURATE"}, {"dct_method": "INTEGER_FAST"},
             {"channels": 3}, {"channels": 1}, {"try_recover_truncated": True, "acceptable_fraction": 0.5})

image("tf.io.decode_jpeg", None, invariant=lambda got, x, **options: near(got, seen(x, **options)),
      call=lambda f, x, **options: f(tf.io.encode_jpeg(x, quality=100), **options))(
          lambda: (sample(SMOOTH, **options) for options in (*DECODINGS, {"ratio": 2}, {"ratio": 8})))
image("tf.io.decode_and_crop_jpeg", None,
      invariant=lambda got, x, window, **options: near(got, seen(crop(x, *window), **options)),
      call=lambda f, x, window, **options: f(tf.io.encode_jpeg(x, quality=100), window, **options))(
          lambda: (sample(SMOOTH, [2, 3, 7, 11], **options) for options in DECODINGS))
image("tf.io.extract_jpeg_shape", lambda x, output_type: np.array(x.shape, output_type), SMOOTH,
      output_type=each(np.int32, np.int64), call=lambda f, x, **options: f(tf.io.encode_jpeg(x), **options))
image("tf.io.is_jpeg", lambda contents: contents.item()[:3] == b"\xff\xd8\xff",
      S("", values=[b"\xff\xd8\xff\xe0", b"\x89PNG", b"", b"\xff\xd8"]))
image("tf.image.adjust_jpeg_quality", None, SMOOTH, jpeg_quality=each(95, 100), invariant=near,
      dct_method=each("", "INTEGER_ACCURATE"))


# Random

def shifted(result, x, max_delta, seed=None):
    moved = result.astype(np.float64) - x
    return bool(np.ptp(moved) < 0.05 and (np.abs(moved) <= max_delta + 0.05).all())


def contrasted(result, x, lower, upper, seed=None):
    mean = x.astype(np.float64).mean((-3, -2), keepdims=True)
    factor = np.sum((result - mean) * (x - mean)) / np.sum((x - mean) ** 2)
    return bool(lower - 0.1 <= factor <= upper + 0.1 and np.abs(result - mean - factor * (x - mean)).max() < 0.1)


def same_value(result, x, *limits, seed=None):
    """A change of hue keeps the largest and smallest channel of each pixel, one of saturation only the largest."""
    ends = (np.max,) if len(limits) == 2 else (np.max, np.min)
    return bool(all(np.abs(end(result.astype(float), -1) - end(x.astype(float), -1)).max() < 0.05 for end in ends))


def flipped(axis):
    return lambda result, x, seed=None: bool(
        all(np.array_equal(r, a) or np.array_equal(r, np.flip(a, axis)) for r, a in zip(result, x, strict=True)))


def cut_out(result, x, size, seed=None):
    h, w, _ = size
    return bool(result.shape == tuple(size) and any(
        np.array_equal(result, x[i:i + h, j:j + w])
        for i in range(x.shape[0] - h + 1) for j in range(x.shape[1] - w + 1)))


def box_fits(result, image_size, bounding_boxes, seed, aspect_ratio_range=None, area_range=None, **options):
    """Whether the box lies inside the image, with area and aspect ratio in their ranges up to the rounding to whole
    pixels; or is the whole image."""
    begin, size, box = result
    (h, w, _), whole = size, (size[:2] == image_size[:2]).all()
    if area_range and not whole and not area_range[0] * 0.8 <= h * w / np.prod(image_size[:2]) <= area_range[1] * 1.2:
        return False
    if aspect_ratio_range and not whole and not aspect_ratio_range[0] * 0.8 <= w / h <= aspect_ratio_range[1] * 1.2:
        return False
    inside = (begin >= 0).all() and (size[:2] >= 1).all() and (begin[:2] + size[:2] <= image_size[:2]).all()
    share = np.concatenate([begin[:2], begin[:2] + size[:2]]) / np.tile(image_size[:2], 2)
    return bool(inside and np.allclose(box.ravel(), share, atol=1e-5))


COLOURS = T("3 8 9 3", domain=(0.05, 0.95), within=(0, 1), edges=False)
# So many flips and positions are possible that two different draws do not agree by chance.
FLIPPED, LARGE = T("24 4 5 3", domain=(0.05, 0.95), within=(0, 1), edges=False), T(40, 50, 3, edges=False)

for prefix, seed in (("random", 5), ("stateless_random", np.array([5, 6], np.int32))):
    random(f"tf.image.{prefix}_brightness", None, COLOURS, 0.3, seed=seed, dtypes=FLOATS, invariant=shifted)
    random(f"tf.image.{prefix}_contrast", None, COLOURS, 0.5, 1.5, seed=seed, dtypes=FLOATS, invariant=contrasted)
    random(f"tf.image.{prefix}_hue", None, COLOURS, 0.3, seed=seed, dtypes=FLOATS, invariant=same_value)
    random(f"tf.image.{prefix}_saturation", None, COLOURS, 0.5, 1.5, seed=seed, dtypes=FLOATS, invariant=same_value)
    random(f"tf.image.{prefix}_flip_left_right", None, FLIPPED, seed=seed, invariant=flipped(1), dtypes=FLOATS)
    random(f"tf.image.{prefix}_flip_up_down", None, FLIPPED, seed=seed, invariant=flipped(0), dtypes=FLOATS)
    random(f"tf.image.{prefix}_crop", None, LARGE, [3, 4, 3], seed=seed, invariant=cut_out)
    random(f"tf.image.{prefix}_jpeg_quality", None, SMOOTH, 90, 100, seed=seed,
           invariant=lambda got, x, *limits, seed=None: near(got, x))

for prefix, seed in (("", 5), ("stateless_", np.array([5, 6], np.int32))):
    random(f"tf.image.{prefix}sample_distorted_bounding_box", None, np.array([40, 50, 3], np.int32),
           np.array([[[0.1, 0.2, 0.6, 0.8]]], np.float32), seed=seed, min_object_covered=each(0.1, 0.7),
           aspect_ratio_range=each(None, [0.9, 1.1]), area_range=each(None, [0.3, 0.6]), max_attempts=each(None, 50),
           use_image_if_no_bounding_boxes=each(None, True), invariant=box_fits)
