"""tf.nn: convolutions, pooling, activations, normalisation, losses and embeddings.

References are the sums and maxima that the pages write down, over explicit windows of the input. Images are small and
their spatial sizes fixed, as strides, paddings and dilations only mean something against a size; batch and channels
are named dimensions. Convolutions are linear, so that no edge value but a non-finite one tells more than another.
"""

import itertools
from dataclasses import replace

import numpy as np

from tfparity import FLOATS, I, Sparse, SparseValue, T, Undefined, each, error, every, kind, program, sample, tf

from ..references import special
from ..references.ordering import isotonic

nn = kind("nn")
random = kind("random", random=True)


# Activations

def gelu(x, approximate=False):
    if approximate:
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return x * 0.5 * special.erfc(-x / np.sqrt(2))


def silu(x, beta=1.0):
    if x.dtype.kind != "c":
        return x * special.expit(beta * x)
    result = x / (1 + np.exp(-beta * x))
    if not (np.isfinite(x).all() and np.isfinite(result).all()):
        raise Undefined("of a complex number that is not finite")
    return result


def leaky_relu(x, alpha=0.2):
    return np.where(x < 0, alpha * x, x)


def crelu(x, axis=-1):
    return np.concatenate([np.maximum(x, 0), np.maximum(-x, 0)], axis)


def shifted(x, axis):
    """x minus its largest, which cancels in softmax and keeps the powers in range; an infinite one stays."""
    largest = np.max(x, axis, keepdims=True) if x.size else 0
    return x - np.where(np.isfinite(largest), largest, 0)


def softmax(x, axis=-1):
    powers = np.exp(shifted(x, axis))
    return powers / np.sum(powers, axis, keepdims=True)


def log_softmax(x, axis=-1):
    x = shifted(x, axis)
    return x - np.log(np.sum(np.exp(x), axis, keepdims=True))


SELU_SCALE, SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717

nn("tf.nn.relu", lambda x: np.maximum(x, 0), T())
nn("tf.nn.relu6", lambda x: np.minimum(np.maximum(x, 0), 6), T())
nn("tf.nn.elu", lambda x: np.where(x < 0, np.expm1(x), x), T())
nn("tf.nn.selu", lambda x: SELU_SCALE * np.where(x < 0, SELU_ALPHA * np.expm1(x), x), T())
nn("tf.nn.gelu", gelu, T(), approximate=each(False, True))
nn("tf.nn.silu", silu, T(), beta=each(1.0, 0.5))
nn("tf.nn.softsign", lambda x: x / (np.abs(x) + 1), T())
nn("tf.nn.leaky_relu", leaky_relu, T(), alpha=each(0.2, 0.0, 1.5))
nn("tf.nn.crelu", crelu, T("a b"), axis=each(-1, 0))
nn("tf.nn.softmax", softmax, T("a b"), axis=each(-1, 0))
nn("tf.nn.log_softmax", log_softmax, T("a b"), axis=each(-1, 0))


@program("program.softmax_of_scaled", T("a b", domain=(1e10, 9e10), edges=False), each("softmax", "log_softmax"),
         reference=lambda x, name: {"softmax": softmax, "log_softmax": log_softmax}[name](x / x.dtype.type(0.3)),
         dtypes=("float32", "float64"))
def softmax_of_scaled(x, name):
    """Under XLA the quotient is a product, here rounded and there not: the largest minus itself is not 0."""
    return getattr(tf.nn, name)(x / 0.3)


# Windows: every convolution and pooling below is a sum or maximum over what `windows` gives

def last(x, data_format):
    """With the channels in the last place."""
    return x if data_format is None or not data_format.startswith("NC") else np.moveaxis(x, 1, -1)


def back(x, data_format):
    return x if data_format is None or not data_format.startswith("NC") else np.moveaxis(x, -1, 1)


def spatial(value, rank, data_format=None):
    """A number, or a list of 1, `rank` or `rank + 2` numbers, as the `rank` spatial ones."""
    value = [1] * rank if value is None else list(np.atleast_1d(value))
    if len(value) == rank + 2:
        return value[2:] if data_format is not None and data_format.startswith("NC") else value[1:-1]
    return value * rank if len(value) == 1 else value


def paddings(lengths, sizes, strides, dilations, padding, data_format=None):
    """(before, after) for each spatial dimension."""
    if not isinstance(padding, str):
        return padding[2:] if data_format is not None and data_format.startswith("NC") else padding[1:-1]
    if padding == "VALID":
        return [(0, 0)] * len(lengths)
    totals = [max((-(-length // stride) - 1) * stride + (size - 1) * dilation + 1 - length, 0)
              for length, size, stride, dilation in zip(lengths, sizes, strides, dilations, strict=True)]
    return [(total // 2, total - total // 2) for total in totals]


def windows(x, sizes, strides, dilations, padding, fill=0, data_format=None):
    """The window under each output place of x (batch, *spatial, channels): (batch, *out, channels, *sizes)."""
    around = paddings(x.shape[1:-1], sizes, strides, dilations, padding, data_format)
    x = np.pad(x, [(0, 0), *around, (0, 0)], constant_values=fill)
    extents = [(size - 1) * dilation + 1 for size, dilation in zip(sizes, dilations, strict=True)]
    short = [n == extent - 1 for n, extent in zip(x.shape[1:-1], extents, strict=True)]
    if any(short):      # no place: of an image one larger, none is taken
        larger = np.pad(x, [(0, 0), *((0, int(one)) for one in short), (0, 0)])
        return windows(larger, sizes, strides, dilations, "VALID")[
            (slice(None), *(slice(0 if one else None) for one in short))]
    axes = tuple(range(1, x.ndim - 1))
    every = np.lib.stride_tricks.sliding_window_view(x, extents, axes)
    steps = [slice(None, None, stride) for stride in strides]
    inside = [slice(None, None, dilation) for dilation in dilations]
    return every[(slice(None), *steps, slice(None), *inside)]


def convolve(x, w, strides=None, padding="VALID", data_format=None, dilations=None):
    """Cross-correlation, as all of tf.nn's convolutions; w is (*sizes, channels in, channels out)."""
    rank = w.ndim - 2
    if last(x, data_format).shape[-1] != w.shape[-2]:
        raise ValueError("channels of input and filter differ")
    if not w.size:
        raise Undefined("the page does not speak of a filter without elements")
    found = windows(last(x, data_format), w.shape[:-2], spatial(strides, rank, data_format),
                    spatial(dilations, rank, data_format), padding, data_format=data_format)
    return back(np.tensordot(found, np.moveaxis(w, -2, 0), rank + 1), data_format)


def transposed(y, w, output_shape, strides=None, padding="SAME", data_format=None, dilations=None):
    """The transpose of `convolve`: each y scatters its filter; w is (*sizes, channels out, channels in)."""
    rank = w.ndim - 2
    y, strides = last(y, data_format), spatial(strides, rank, data_format)
    dilations = spatial(dilations, rank, data_format)
    shape = last(np.empty(output_shape, bool), data_format).shape
    around = paddings(shape[1:-1], w.shape[:-2], strides, dilations, padding)
    out = np.zeros((shape[0], *(n + a + b for n, (a, b) in zip(shape[1:-1], around, strict=True)), shape[-1]), y.dtype)
    for place in np.ndindex(*w.shape[:-2]):
        to = tuple(slice(p * d, p * d + (n - 1) * s + 1, s)
                   for p, d, n, s in zip(place, dilations, y.shape[1:-1], strides, strict=True))
        out[(slice(None), *to)] += y @ w[place].T
    inner = tuple(slice(a, a + n) for n, (a, _) in zip(shape[1:-1], around, strict=True))
    return back(out[(slice(None), *inner)], data_format)


def depthwise(x, w, strides, padding, data_format=None, dilations=None):
    """Each channel alone, by w (*sizes, channels, multiplier)."""
    if not w.size:
        raise Undefined("the page does not speak of a filter without elements")
    found = windows(last(x, data_format), w.shape[:2], spatial(strides, 2, data_format), spatial(dilations, 2), padding,
                    data_format=data_format)
    out = np.einsum("nhwcij,ijcm->nhwcm", found, w)
    return back(out.reshape(*out.shape[:3], w.shape[2] * w.shape[3]), data_format)


def separable(x, depthwise_filter, pointwise, strides, padding, data_format=None, dilations=None):
    return convolve(depthwise(x, depthwise_filter, strides, padding, data_format, dilations), pointwise,
                    data_format=data_format)


def depthwise_to_filter(x, filter_sizes, dy, strides, padding, data_format="NHWC", dilations=None):
    found = windows(last(x, data_format), filter_sizes[:2], spatial(strides, 2, data_format),
                    spatial(dilations, 2, data_format), padding)
    dy = last(dy, data_format)
    return np.einsum("nhwcij,nhwcm->ijcm", found, dy.reshape(*dy.shape[:3], *filter_sizes[2:]))


def depthwise_to_input(input_sizes, w, dy, strides, padding, data_format="NHWC", dilations=None):
    dy, channels = last(dy, data_format), w.shape[2]
    dy, sizes = dy.reshape(*dy.shape[:3], *w.shape[2:]), spatial(input_sizes, 2, data_format)
    strides, dilations = (spatial(value, 2, data_format) for value in (strides, dilations))
    return back(np.concatenate([
        transposed(dy[:, :, :, c], w[:, :, c:c + 1], [len(dy), *sizes, 1], strides, padding, None, dilations)
        for c in range(channels)], -1), data_format)


def dilate(x, w, strides, padding, data_format, dilations):
    without_nan(x)
    without_nan(w)
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    found = windows(x, w.shape[:2], strides[1:3], dilations[1:3], padding, 0)
    there = windows(np.ones(x.shape, bool), w.shape[:2], strides[1:3], dilations[1:3], padding, False)
    return np.max(np.where(there, found + np.moveaxis(w, -1, 0), lowest), (-2, -1))


def erode(x, w, strides, padding, data_format, dilations):
    return -dilate(-x, w[::-1, ::-1], strides, padding, data_format, dilations)


EXPLICIT = ((0, 0), (2, 1), (0, 1), (0, 0))
def explicit(padding, flat):
    """The padding, where a flat list tells what is before and after each dimension as pairs."""
    return list(zip(flat[::2], flat[1::2], strict=True)) if padding == "EXPLICIT" else padding


def convolve_any(x, w, strides, padding, explicit_paddings=(), data_format="CHANNELS_LAST", dilations=None,
                 batch_dims=1, groups=1):
    """`convolve` of every image of the batch dimensions, and group by group of the channels."""
    form = "NC" if data_format == "CHANNELS_FIRST" else None
    images = last(x.reshape(-1, *x.shape[batch_dims:]), form)
    if images.shape[-1] != groups * w.shape[-2]:
        raise ValueError("channels of input and filter differ")
    steps, rates = spatial(strides, w.ndim - 2, form), spatial(dilations, w.ndim - 2, form)
    found = back(np.concatenate([
        convolve(i, f, steps, explicit(padding, explicit_paddings), None, rates)
        for i, f in zip(np.split(images, groups, -1), np.split(w, groups, -1), strict=True)], -1), form)
    return found.reshape(*x.shape[:batch_dims], *found.shape[1:])


def to_filter(x, w, dy, strides, padding, explicit_paddings=(), dilations=None):
    """The transpose of `convolve` as a function of the filter: each dy adds the window it was made of."""
    found = windows(x, w.shape[:2], strides[1:3], spatial(dilations, 2), explicit(padding, explicit_paddings))
    return np.einsum("nhwcij,nhwm->ijcm", found, dy)


def to_input(x, w, dy, strides, padding, explicit_paddings=(), dilations=None):
    return transposed(dy, w, x.shape, strides, explicit(padding, explicit_paddings), None, dilations)


LINE, IMAGE, VOLUME = T("n 9 c"), T("n 7 8 c"), T("n 5 6 4 c")
FAR = 2**62


def far(**options):
    """More than the 32 bits that a kernel has for it."""
    return [error(f"far-{name}", **{name: value}) for name, value in options.items()]


@nn("tf.nn.convolution", convolve, errors=far(strides=[FAR, FAR]))
def convolution():
    yield sample(IMAGE, T("3 2 c f"))
    yield sample(IMAGE, T("3 2 c f"), strides=[2, 3], padding="SAME")
    yield sample(IMAGE, T("3 2 c f"), dilations=[2, 2], padding="SAME")
    yield sample(LINE, T("3 c f"), padding="SAME", name="1d")
    yield sample(VOLUME, T("2 3 2 c f"), padding="VALID", name="3d")
    yield sample(T("n c 7 8"), T("3 2 c f"), padding="SAME", data_format="NCHW")


@nn("tf.nn.conv1d", lambda x, w, stride, padding, data_format="NWC", dilations=None: convolve(
    x, w, stride, padding, data_format, dilations), errors=far(stride=FAR))
def conv1d():
    yield sample(LINE, T("3 c f"), stride=1, padding="SAME")
    yield sample(LINE, T("3 c f"), stride=2, padding="VALID")
    yield sample(LINE, T("4 c f"), stride=1, padding="SAME", dilations=2)
    yield sample(T("n c 9"), T("3 c f"), stride=2, padding="SAME", data_format="NCW")
    yield sample(T("n 1 c"), T("2 c f"), stride=1, padding="VALID", name="no-window")


@nn("tf.nn.conv2d", convolve, errors=[*far(strides=FAR, dilations=FAR), error(
    "negative-size", np.ones((1, 2, 2, 1), np.float32), np.ones((5, 5, 1, 1), np.float32), padding="VALID")])
def conv2d():
    yield sample(IMAGE, T("3 2 c f"), strides=1, padding="SAME")
    yield sample(IMAGE, T("3 2 c f"), strides=[2, 3], padding="VALID")
    yield sample(IMAGE, T("3 2 c f"), strides=2, padding=EXPLICIT, name="explicit")
    yield sample(IMAGE, T("3 2 c f"), strides=1, padding="SAME", dilations=[3, 2])
    yield sample(IMAGE, T("1 1 c f"), strides=1, padding="SAME", name="pointwise")
    yield sample(T("n 1 8 c"), T("2 2 c f"), strides=1, padding="VALID", name="no-window")
    yield sample(T("n c 7 8"), T("3 2 c f"), strides=[1, 1, 2, 1], padding="SAME", data_format="NCHW")


@nn("tf.nn.conv3d", convolve, errors=far(strides=[1, FAR, FAR, FAR, 1]))
def conv3d():
    yield sample(VOLUME, T("2 3 2 c f"), strides=[1, 1, 1, 1, 1], padding="SAME")
    yield sample(VOLUME, T("2 3 2 c f"), strides=[1, 2, 1, 2, 1], padding="VALID")
    yield sample(VOLUME, T("2 3 2 c f"), strides=[1, 1, 1, 1, 1], padding="SAME", dilations=[1, 2, 1, 2, 1])
    yield sample(T("n 1 6 4 c"), T("2 2 2 c f"), strides=[1, 1, 1, 1, 1], padding="VALID", name="no-window")
    yield sample(T("n c 5 6 4"), T("2 3 2 c f"), strides=[1, 1, 1, 1, 1], padding="SAME", data_format="NCDHW")


@nn("tf.conv", convolve_any, errors=far(strides=[1, FAR, FAR, 1]))
def any_convolution():
    yield sample(IMAGE, T("3 2 c f"), strides=[1, 1, 1, 1], padding="SAME")
    yield sample(IMAGE, T("3 2 c f"), strides=[1, 2, 3, 1], padding="VALID")
    yield sample(IMAGE, T("3 2 c f"), strides=[1, 1, 1, 1], padding="SAME", dilations=[1, 3, 2, 1])
    yield sample(IMAGE, T("3 2 c f"), strides=[1, 2, 2, 1], padding="EXPLICIT",
                 explicit_paddings=[0, 0, 2, 1, 0, 1, 0, 0], name="explicit")
    yield sample(VOLUME, T("2 3 2 c f"), strides=[1, 1, 2, 1, 1], padding="SAME", name="3d")
    yield sample(T("n m 7 8 c"), T("3 2 c f"), strides=[1, 2, 2, 1], padding="SAME", batch_dims=2)
    yield sample(T("n 7 8 2*c"), T("3 2 c 2*f"), strides=[1, 1, 1, 1], padding="SAME", groups=2)
    yield sample(T("n c 7 8"), T("3 2 c f"), strides=[1, 1, 2, 2], padding="SAME", data_format="CHANNELS_FIRST")


def convolution_gradients():
    for s, (h, w), padding, more in ((1, (7, 8), "SAME", {}), (2, (3, 4), "VALID", {}),
                                     (1, (7, 8), "SAME", {"dilations": [1, 3, 2, 1]}),
                                     (2, (4, 4), "EXPLICIT", {"explicit_paddings": [0, 0, 2, 1, 0, 1, 0, 0]})):
        yield sample(T(2, 7, 8, 3), T(3, 2, 3, 4), T(2, h, w, 4), strides=[1, s, s, 1], padding=padding, **more,
                     name=f"{padding},{s},{''.join(more)}")


nn("tf.conv2d_backprop_filter_v2", to_filter)(convolution_gradients)
nn("tf.conv2d_backprop_input_v2", to_input)(convolution_gradients)


@nn("tf.nn.atrous_conv2d", lambda x, w, rate, padding: convolve(x, w, 1, padding, None, rate))
def atrous_conv2d():
    yield from every(IMAGE, T("3 2 c f"), rate=each(2, 3, 1), padding=each("SAME", "VALID"))


@nn("tf.nn.with_space_to_batch", lambda x, dilation_rate, padding, op, filter_shape, w, spatial_dims=None: convolve(
        x, w, 1, padding, None, dilation_rate if spatial_dims is None else [*dilation_rate, 1]),
    call=lambda f, x, dilation_rate, padding, op, filter_shape, w, **dims: f(
        x, dilation_rate, padding, lambda found, blocks, inner: tf.nn.conv2d(found, w, 1, inner), filter_shape, **dims))
def with_space_to_batch():
    for padding in ("SAME", "VALID"):
        yield sample(IMAGE, [2, 3], padding, None, [3, 2], T("3 2 c f"), name=padding)
    yield sample(IMAGE, [2], "VALID", None, [3], T("3 1 c f"), spatial_dims=[1])


nn("tf.nn.depthwise_conv2d", depthwise,
   errors=[*far(strides=[1, FAR, FAR, 1]), error("strides-and-dilations", strides=[1, 2, 2, 1], dilations=[2, 2])])(
    lambda: (*(sample(x, T("3 2 c m"), strides=[1, s, s, 1], padding=padding, dilations=dilations, name=name)
               for x, s, padding, dilations, name in (
                   (IMAGE, 1, "SAME", None, "same"), (IMAGE, 2, "VALID", None, "strided"),
                   (IMAGE, 2, EXPLICIT, None, "explicit"), (IMAGE, 1, "SAME", [2, 2], "dilated"),
                   (T("n 2 8 c"), 1, "VALID", None, "no-window"))),
             sample(T("n c 7 8"), T("3 2 c m"), strides=[1] * 4, padding="SAME", data_format="NCHW")))


@nn("tf.nn.separable_conv2d", separable, errors=far(strides=[1, FAR, FAR, 1]))
def separable_conv2d():
    yield sample(IMAGE, T("3 2 c 2"), T("1 1 2*c f"), strides=[1, 1, 1, 1], padding="SAME")
    yield sample(IMAGE, T("3 2 c 2"), T("1 1 2*c f"), strides=[1, 2, 2, 1], padding="VALID")
    yield sample(IMAGE, T("3 2 c 2"), T("1 1 2*c f"), strides=[1, 1, 1, 1], padding="SAME", dilations=[2, 2])
    yield sample(T("n c 7 8"), T("3 2 c 2"), T("1 1 2*c f"), strides=[1, 1, 1, 1], padding="SAME", data_format="NCHW")


@nn("tf.nn.depthwise_conv2d_backprop_filter", depthwise_to_filter, errors=far(strides=[1, FAR, FAR, 1]))
def depthwise_to_filters():
    yield sample(T("n 7 8 3"), [3, 2, 3, 2], T("n 4 4 6"), strides=[1, 2, 2, 1], padding="SAME")
    yield sample(T("n 7 8 3"), [3, 2, 3, 2], T("n 7 8 6"), strides=[1] * 4, padding="SAME", dilations=[1, 2, 2, 1])
    yield sample(T("n 3 7 8"), [3, 2, 3, 2], T("n 6 7 8"), strides=[1] * 4, padding="SAME", data_format="NCHW")
    doubles = T("n 7 8 3", dtype="float64"), [3, 2, 3, 2], T("n 7 8 6", dtype="float64")     # not oneDNN's
    yield sample(*doubles, strides=[1] * 4, padding="SAME", name="doubles")


@nn("tf.nn.depthwise_conv2d_backprop_input", depthwise_to_input, errors=far(strides=[1, FAR, FAR, 1]))
def depthwise_to_inputs():
    yield sample([2, 7, 8, 3], T(3, 2, 3, 2), T(2, 4, 4, 6), strides=[1, 2, 2, 1], padding="SAME")
    yield sample([2, 7, 8, 3], T(3, 2, 3, 2), T(2, 7, 8, 6), strides=[1] * 4, padding="SAME", dilations=[1, 2, 2, 1])
    yield sample([2, 3, 7, 8], T(3, 2, 3, 2), T(2, 6, 7, 8), strides=[1] * 4, padding="SAME", data_format="NCHW")


def unfit(shape, *larger):
    """A shape that no input of this size comes from, and one without batch and channels."""
    return [*far(strides=FAR), error("unfit", output_shape=[shape[0], *larger, shape[-1]]),
            error("two-sizes", output_shape=shape[1:3])]


@nn("tf.nn.conv1d_transpose", transposed, errors=unfit([2, 9, 4], 12))
def conv1d_transpose():
    yield sample(T(2, 5, 3), T(3, 4, 3), output_shape=[2, 9, 4], strides=2)
    yield sample(T(2, 4, 3), T(3, 4, 3), output_shape=[2, 9, 4], strides=2, padding="VALID")
    yield sample(T(2, 3, 5), T(3, 4, 3), output_shape=[2, 4, 9], strides=2, data_format="NCW")
    yield sample(T(2, 9, 3), T(3, 4, 3), output_shape=[2, 9, 4], strides=1, dilations=2)


@nn("tf.nn.conv2d_transpose", transposed, errors=[*unfit([2, 7, 6, 4], 9, 6), error(
    "two-sizes-and-no-filter", np.ones((2, 4, 3, 3), np.float32), np.float32(8), output_shape=[7, 6])])
def conv2d_transpose():
    yield sample(T(2, 4, 3, 3), T(3, 2, 4, 3), output_shape=[2, 7, 6, 4], strides=2)
    yield sample(T(2, 3, 3, 3), T(3, 2, 4, 3), output_shape=[2, 7, 6, 4], strides=[2, 2], padding="VALID")
    yield sample(T(2, 4, 5, 3), T(3, 2, 4, 3), output_shape=[2, 7, 9, 4], strides=2, padding=EXPLICIT, name="explicit")
    yield sample(T(2, 7, 6, 3), T(3, 2, 4, 3), output_shape=[2, 7, 6, 4], strides=1, dilations=2, name="dilated")
    yield sample(T(2, 3, 4, 3), T(3, 2, 4, 3), output_shape=[2, 4, 7, 6], strides=2, data_format="NCHW")


@nn("tf.nn.conv3d_transpose", transposed, errors=unfit([2, 5, 7, 4, 4], 7, 7, 4))
def conv3d_transpose():
    yield sample(T(2, 3, 4, 2, 3), T(2, 3, 2, 4, 3), output_shape=[2, 5, 7, 4, 4], strides=2)
    yield sample(T(2, 3, 3, 2, 3), T(2, 3, 2, 4, 3), output_shape=[2, 6, 7, 4, 4], strides=2, padding="VALID")
    yield sample(T(2, 5, 6, 4, 3), T(2, 3, 2, 4, 3), output_shape=[2, 5, 6, 4, 4], strides=1, dilations=2)
    yield sample(T(2, 3, 3, 4, 2), T(2, 3, 2, 4, 3), output_shape=[2, 4, 5, 7, 4], strides=2, data_format="NCDHW")


@nn("tf.nn.conv_transpose", transposed, errors=unfit([2, 7, 6, 4], 9, 6))
def conv_transpose():
    yield sample(T(2, 4, 3, 3), T(3, 2, 4, 3), output_shape=[2, 7, 6, 4], strides=2)
    yield sample(T(2, 5, 3), T(3, 4, 3), output_shape=[2, 9, 4], strides=2, name="1d")
    yield sample(T(2, 3, 4, 2, 3), T(2, 3, 2, 4, 3), output_shape=[2, 5, 7, 4, 4], strides=2, name="3d")
    yield sample(T(2, 3, 3, 3), T(3, 2, 4, 3), output_shape=[2, 7, 6, 4], strides=2, padding="VALID")
    yield sample(T(2, 7, 6, 3), T(3, 2, 4, 3), output_shape=[2, 7, 6, 4], strides=1, dilations=2)
    yield sample(T(2, 3, 4, 3), T(3, 2, 4, 3), output_shape=[2, 4, 7, 6], strides=2, data_format="NCHW")


nn("tf.nn.atrous_conv2d_transpose",
   lambda y, w, output_shape, rate, padding: transposed(y, w, output_shape, 1, padding, None, rate),
   T(2, 7, 6, 3), T(3, 2, 4, 3), output_shape=[2, 7, 6, 4], rate=each(2, 1), padding="SAME")


def morphology():
    for strides, dilations, padding in (((1, 1), (1, 1), "SAME"), ((2, 3), (1, 1), "VALID"), ((1, 1), (2, 1), "SAME")):
        yield sample(IMAGE, T("3 2 c"), strides=[1, *strides, 1], padding=padding, data_format="NHWC",
                     dilations=[1, *dilations, 1])


nn("tf.nn.dilation2d", dilate)(morphology)
nn("tf.nn.erosion2d", erode)(morphology)


# Pooling

def without_nan(x):
    if x.dtype.kind == "f" and np.isnan(x).any():
        raise Undefined("the page does not say what the maximum of NaN is")


def average(x, ksize, strides, padding, data_format=None, dilations=None, rank=None):
    """The mean of what is in the window; padding does not count."""
    rank = rank or x.ndim - 2
    sizes, strides = spatial(ksize, rank, data_format), spatial(strides, rank, data_format)
    dilations, x = spatial(dilations, rank), last(x, data_format)
    axes = tuple(range(-rank, 0))
    count = windows(np.ones_like(x), sizes, strides, dilations, padding).sum(axes)
    return back(windows(x, sizes, strides, dilations, padding).sum(axes) / count, data_format)


def largest(x, ksize, strides, padding, data_format=None, dilations=None):
    without_nan(x)
    rank = x.ndim - 2
    sizes, strides = spatial(ksize, rank, data_format), spatial(strides, rank, data_format)
    fill = np.iinfo(x.dtype).min if x.dtype.kind in "iu" else -np.inf
    found = windows(last(x, data_format), sizes, strides, spatial(dilations, rank), padding, fill, data_format)
    return back(found.max(tuple(range(-rank, 0))), data_format)


def largest_with_places(x, ksize, strides, padding, data_format="NHWC", output_dtype=None,
                        include_batch_in_index=False):
    """Places count (y * width + x) * channels + channel, and the batch before them if asked."""
    without_nan(x)
    places = np.arange(x.size).reshape(x.shape)
    if not include_batch_in_index:
        places = places % max(x[0].size if len(x) else 1, 1)
    sizes, strides = spatial(ksize, 2), spatial(strides, 2)
    fill = np.iinfo(x.dtype).min if x.dtype.kind in "iu" else -np.inf
    found = windows(x, sizes, strides, [1, 1], padding, fill)
    there = windows(np.ones(x.shape, bool), sizes, strides, [1, 1], padding, False)
    at = windows(places, sizes, strides, [1, 1], padding)
    found, there, at = (a.reshape(*a.shape[:-2], np.prod(sizes)) for a in (found, there, at))
    best = found.max(-1)
    first = np.argmax((found == best[..., None]) & there, -1)
    return best, np.take_along_axis(at, first[..., None], -1)[..., 0]


def pool_any(x, window_shape, pooling_type, strides=None, padding="VALID", data_format=None, dilations=None):
    return (average if pooling_type == "AVG" else largest)(x, window_shape, strides, padding, data_format, dilations)


def pooling(x, channels_first, size, data_format):
    yield sample(x, ksize=size, strides=2, padding="VALID")
    yield sample(x, ksize=size, strides=2, padding="SAME")
    yield sample(x, ksize=2, strides=3, padding="SAME")
    yield sample(channels_first, ksize=size, strides=1, padding="SAME", data_format=data_format)
    yield sample(replace(x, shape=(x.shape[0], 1, *x.shape[2:])), ksize=2, strides=1, padding="VALID", name="no-window")


LINES, IMAGES = (LINE, T("n c 9"), 3, "NCW"), (IMAGE, T("n c 7 8"), [3, 2], "NCHW")
VOLUMES = (VOLUME, T("n c 5 6 4"), [3, 2, 2], "NCDHW")
WIDE = far(ksize=FAR, strides=FAR)

nn("tf.nn.avg_pool1d", average, errors=WIDE)(lambda: pooling(*LINES))
nn("tf.nn.avg_pool2d", average, errors=WIDE)(lambda: pooling(*IMAGES))
nn("tf.nn.avg_pool3d", average, errors=WIDE)(lambda: pooling(*VOLUMES))
nn("tf.nn.avg_pool", average, errors=WIDE)(lambda: pooling(*IMAGES))
nn("tf.nn.max_pool1d", largest, errors=WIDE)(lambda: pooling(*LINES))
nn("tf.nn.max_pool3d", largest, errors=WIDE)(lambda: pooling(*VOLUMES))
nn("tf.nn.max_pool", largest, errors=WIDE)(lambda: pooling(*IMAGES))


@nn("tf.nn.max_pool2d", largest, errors=WIDE)
def max_pool2d():
    yield from pooling(*IMAGES)
    yield sample(IMAGE, ksize=[3, 2], strides=2, padding=EXPLICIT, name="explicit")


@nn("tf.nn.max_pool_with_argmax", largest_with_places, errors=WIDE)
def max_pool_with_argmax():
    yield from every(IMAGE, ksize=[3, 2], strides=2, padding=each("VALID", "SAME"),
                     include_batch_in_index=each(False, True))
    yield sample(IMAGE, ksize=[3, 2], strides=2, padding="VALID", output_dtype=np.int32)


@nn("tf.nn.pool", pool_any)
def pool():
    for which, (strides, dilations, padding) in itertools.product(
            ("AVG", "MAX"), (((1, 1), (1, 1), "VALID"), ((2, 1), (1, 1), "SAME"), ((1, 1), (2, 2), "VALID"))):
        yield sample(IMAGE, [3, 2], which, strides=strides, padding=padding, dilations=dilations,
                     name=f"{which},strides={strides},dilations={dilations}")
    yield sample(T("n c 7 8"), [3, 2], "AVG", padding="SAME", data_format="NCHW")


def fractional(reduce):
    """The pooled image must be what its own sequences of boundaries say, and those must be as the page says."""
    def holds(result, x, pooling_ratio, pseudo_random=False, overlapping=False, seed=0):
        out, rows, columns = result
        checks = []
        for ends, length, ratio in ((rows, x.shape[1], pooling_ratio[1]), (columns, x.shape[2], pooling_ratio[2])):
            count = int(length / ratio)
            steps, least = np.diff(ends), length // count
            checks.append((np.array([len(ends), ends[0], ends[-1]]), np.array([count + 1, 0, length])))
            checks.append((np.clip(steps, least, least + 1), steps))
        def pairs(ends):
            return [(a, b + overlapping) for a, b in itertools.pairwise(ends)]

        pooled = [[reduce(x[:, a:b, c:d].astype(np.float64), (1, 2)) for c, d in pairs(columns)]
                  for a, b in pairs(rows)]
        return [*checks, (out, np.moveaxis(np.array(pooled), 2, 0))]
    return holds


for name, reduce in (("max", np.max), ("avg", np.mean)):
    random(f"tf.nn.fractional_{name}_pool", None, T(2, 9, 11, 3), pooling_ratio=[1.0, 1.44, 1.73, 1.0],
           pseudo_random=each(False, True), overlapping=each(False, True), seed=7, invariant=fractional(reduce))


# Normalisation

def batch_normalization(x, mean, variance, offset, scale, variance_epsilon):
    scale, offset = 1 if scale is None else scale, 0 if offset is None else offset
    return (x - mean) / np.sqrt(variance + variance_epsilon) * scale + offset


def batch_norm_global(x, mean, variance, beta, gamma, variance_epsilon, scale_after_normalization):
    return batch_normalization(x, mean, variance, beta, gamma if scale_after_normalization else 1, variance_epsilon)


def lrn(x, depth_radius=5, bias=1, alpha=1, beta=0.5):
    if not x.size:
        return x
    padded = np.pad(x**2, [(0, 0)] * 3 + [(depth_radius, depth_radius)])
    sums = np.lib.stride_tricks.sliding_window_view(padded, 2 * depth_radius + 1, 3).sum(-1)
    return x / (bias + alpha * sums) ** beta


def moments(x, axes, shift=None, keepdims=False):
    axes = tuple(axes)
    return np.mean(x, axes, keepdims=keepdims), np.var(x, axes, keepdims=keepdims)


def weighted_moments(x, axes, frequency_weights, keepdims=False):
    axes, weights = tuple(axes), np.broadcast_to(frequency_weights, x.shape)
    total = np.sum(weights, axes, keepdims=True)
    if not np.all(total):
        raise Undefined("the page does not say what the mean under no weight is")
    mean = np.sum(weights * x, axes, keepdims=True) / total
    variance = np.sum(weights * (x - mean) ** 2, axes, keepdims=True) / total
    return (mean, variance) if keepdims else (np.squeeze(mean, axes), np.squeeze(variance, axes))


def sufficient_statistics(x, axes, shift=None, keepdims=False):
    axes = tuple(axes)
    moved = x if shift is None else x - shift
    count = x.dtype.type(np.prod([x.shape[a] for a in axes]))
    found = count, np.sum(moved, axes, keepdims=keepdims), np.sum(moved**2, axes, keepdims=keepdims)
    return (*found, None if shift is None else shift)


def normalize_moments(counts, mean_ss, variance_ss, shift):
    mean = mean_ss / counts
    return (mean if shift is None else mean + shift), variance_ss / counts - mean**2


POSITIVE = T("c", domain=(0, 3), within=(0, np.inf))

nn("tf.nn.batch_normalization", batch_normalization)(lambda: [
    *every(T("n h w c"), T("c"), POSITIVE, T("c"), T("c"), variance_epsilon=each(0.001, 0.5)),
    sample(T("n h w c", edges=False), T("c"), T("c", domain=(0, 3), edges=False), None, None, variance_epsilon=0.001,
           name="neither")])
nn("tf.nn.batch_norm_with_global_normalization", batch_norm_global, T("n h w c"), T("c"), POSITIVE, T("c"), T("c"),
   variance_epsilon=0.001, scale_after_normalization=each(True, False))
nn("tf.nn.local_response_normalization", lrn, T("n h w 4*c"), depth_radius=each(5, 1), bias=each(1, 2), alpha=0.3,
   beta=each(0.5, 0.75))
nn("tf.nn.moments", moments, T("a b c"), axes=each([0], [0, 2], [-1]), keepdims=each(False, True),
   dtypes=FLOATS)
nn("tf.nn.weighted_moments", weighted_moments, T("a b c"), axes=each([0], [0, 2]), frequency_weights=each(
    T("a 1 1", within=(0.1, 3)), T("a b c", within=(0.1, 3))), keepdims=each(False, True), dtypes=FLOATS)
nn("tf.nn.sufficient_statistics", sufficient_statistics, T("a b c"), axes=each([0], [0, 2]),
   shift=each(None, T("")), keepdims=each(False, True), dtypes=FLOATS)
nn("tf.nn.normalize_moments", normalize_moments, T("", domain=(1, 9)), T("c"), T("c", domain=(0, 9)),
   each(None, T("c")), dtypes=FLOATS)


# Losses

def cross_entropy(labels, logits, axis=-1):
    return 0 - np.sum(labels * log_softmax(logits, axis), axis)


def sparse_cross_entropy(labels, logits):
    if not logits.shape[-1]:
        raise Undefined("the page does not speak of no classes")
    return 0 - np.take_along_axis(log_softmax(logits), labels[..., None].astype(int), -1)[..., 0]


def sigmoid_cross_entropy(labels, logits):
    return labels * np.logaddexp(0, -logits) + (1 - labels) * np.logaddexp(0, logits)


def weighted_cross_entropy(labels, logits, pos_weight):
    softplus = np.log1p(np.exp(-np.abs(logits))) + np.maximum(-logits, 0)
    return (1 - labels) * logits + (1 + (pos_weight - 1) * labels) * softplus


def log_poisson(targets, log_input, compute_full_loss=False):
    if compute_full_loss and np.any((targets >= 0) & (targets <= 1)):
        raise Undefined("the page's Stirling term is no approximation up to 1, and it does not say what replaces it")
    stirling = targets * np.log(targets) - targets + 0.5 * np.log(2 * np.pi * targets) if compute_full_loss else 0
    return np.exp(log_input) - targets * log_input + stirling


def shares(a):
    """Each row a probability distribution."""
    return a / a.sum(-1, keepdims=True)


PROBABILITIES = T("n c", domain=(0.1, 1), form=shares, edges=False)

nn("tf.nn.softmax_cross_entropy_with_logits", cross_entropy, PROBABILITIES, T("n c"), axis=each(-1, 1), dtypes=FLOATS)
nn("tf.nn.sparse_softmax_cross_entropy_with_logits", sparse_cross_entropy, I("n", below="c"), T("n c"))
nn("tf.nn.sigmoid_cross_entropy_with_logits", sigmoid_cross_entropy, T("n c", within=(0, 1)), T("n c"))
nn("tf.nn.weighted_cross_entropy_with_logits", weighted_cross_entropy, T("n c", within=(0, 1)), T("n c"),
   T("c", within=(0, 4)))
nn("tf.nn.log_poisson_loss", log_poisson, T("n c", domain=(1.5, 9), within=(0, 100)), T("n c"),
   compute_full_loss=each(False, True))
nn("tf.nn.l2_loss", lambda t: np.sum(t**2) / 2, T("a b"))
nn("tf.nn.compute_average_loss",
   lambda loss, sample_weight=None, global_batch_size=None: np.sum(
       loss * (1 if sample_weight is None else sample_weight)) / (global_batch_size or len(loss)),
   T("n"), sample_weight=each(None, T("n")), global_batch_size=each(None, 8), empty=False, dtypes=FLOATS)
nn("tf.nn.scale_regularization_loss", np.sum, T("n"), dtypes=FLOATS)


# Sampled losses: the candidates and their expected counts are given, so that nothing is random

def sampled_logits(weights, biases, labels, inputs, sampled_values, remove_hits):
    candidates, true_expected, expected = sampled_values
    true = np.einsum("nd,ntd->nt", inputs, weights[labels]) + biases[labels] - np.log(true_expected)
    others = inputs @ weights[candidates].T + biases[candidates] - np.log(expected)
    if remove_hits:
        others = np.where((labels[:, :, None] == candidates).any(1), -np.inf, others)
    return true, others


def nce(weights, biases, labels, inputs, num_sampled, num_classes, num_true=1, sampled_values=None,
        remove_accidental_hits=False):
    true, others = sampled_logits(weights, biases, labels, inputs, sampled_values, remove_accidental_hits)
    return np.logaddexp(0, true).sum(1) - true.sum(1) / num_true + np.logaddexp(0, others).sum(1)


def sampled_softmax(weights, biases, labels, inputs, num_sampled, num_classes, num_true=1, sampled_values=None,
                    remove_accidental_hits=True, seed=None):
    true, others = sampled_logits(weights, biases, labels, inputs, sampled_values, remove_accidental_hits)
    return -log_softmax(np.concatenate([true, others], 1))[:, :num_true].mean(1)


def sampled(**seed):
    counts = T("s", domain=(0.1, 1), edges=False)
    for true, remove in itertools.product((1, 2), (False, True)):
        values = (np.array([5, 0, 3, 8], np.int64), T(f"n {true}", domain=(0.1, 1), edges=False), counts)
        yield sample(T("9 d"), T("9"), I(f"n {true}", below=9, dtype="int64"), T("n d"), num_sampled=4, num_classes=9,
                     num_true=true, sampled_values=values, remove_accidental_hits=remove, sizes={"s": 4}, **seed,
                     name=f"num_true={true},remove_accidental_hits={remove}{',seed' if seed else ''}")


def hits(true_classes, sampled_candidates, num_true, seed=None):
    rows, _, places = np.nonzero(true_classes[:, :, None] == sampled_candidates)
    return rows.astype(np.int32), places, np.full(len(rows), -np.finfo(np.float32).max, np.float32)


nn("tf.nn.nce_loss", nce)(sampled)
nn("tf.nn.sampled_softmax_loss", sampled_softmax)(lambda: [*sampled(), *sampled(seed=7)])      # given, nothing is drawn
nn("tf.nn.compute_accidental_hits", hits, I("n 2", within=(0, 8), dtype="int64"), np.array([5, 0, 3, 8], np.int64), 2,
   seed=each(None, 7))


# Embeddings

def clipped(rows, max_norm):
    if max_norm is None:
        return rows
    norm = np.sqrt(np.sum(rows**2, tuple(range(1, rows.ndim)), keepdims=True))
    return np.where(norm <= max_norm, rows, rows * (max_norm / norm))


def embedding(params, ids, max_norm=None):
    """Several params are one table in contiguous parts, the first ones longer by one where it does not divide."""
    table = np.concatenate(params) if isinstance(params, list) else params
    return clipped(table[ids.ravel()], max_norm).reshape(*ids.shape, *table.shape[1:])


def combined(rows, weights, combiner):
    total = np.tensordot(weights, rows, (0, 0))
    return total / {"sum": 1, None: weights.sum(), "mean": weights.sum(),
                    "sqrtn": np.sqrt((weights**2).sum())}[combiner]


def embedding_sparse(params, ids, weights, combiner=None, max_norm=None):
    out = []
    for row in range(ids.dense_shape[0]):
        here = ids.indices[:, 0] == row
        if not here.any():
            raise Undefined("a row without ids")
        picked = np.ones(here.sum(), params.dtype) if weights is None else weights[tuple(ids.indices[here].T)]
        out.append(combined(clipped(params[ids.values[here]], max_norm), picked, combiner))
    return np.stack(out)


def safe_embedding(params, ids, weights, combiner="mean", default_id=None, max_norm=None):
    """Ids below 0 and weights that are not positive are left out; a row with none left is that of the default id."""
    out = []
    for row in range(ids.dense_shape[0]):
        here = (ids.indices[:, 0] == row) & (ids.values >= 0)
        picked = np.ones(len(here), params.dtype) if weights is None else weights[tuple(ids.indices.T)]
        here &= picked > 0
        if here.any():
            out.append(combined(clipped(params[ids.values[here]], max_norm), picked[here], combiner))
        elif default_id is None:
            out.append(np.zeros_like(params[0]))
        else:
            out.append(clipped(params[[default_id]], max_norm)[0])
    return np.array(out).reshape(len(out), *params.shape[1:])


def with_sparse_weights(f, params, ids, weights, **options):
    """Weights come as a matrix, as those of two sparse inputs would not lie in the same places."""
    if weights is not None:
        weights = tf.SparseTensor(ids.indices, tf.gather_nd(weights, ids.indices), ids.dense_shape)
    return f(params, ids, weights, **options)


IDS = Sparse("n 6", dtype="int64", below="v")
WEIGHTS = T("n 6", domain=(0.1, 2), within=(0.1, 2))

nn("tf.nn.embedding_lookup", embedding, T("v d"), I("n m", below="v"), max_norm=each(None, 1.0))
nn("tf.nn.embedding_lookup_sparse", embedding_sparse, T("v d"), IDS, each(None, WEIGHTS),
   combiner=each("mean", "sum", "sqrtn"), max_norm=each(None, 1.5), call=with_sparse_weights, sizes={"v": 9, "n": 3},
   dtypes=FLOATS)


@nn("tf.nn.safe_embedding_lookup_sparse", safe_embedding, call=with_sparse_weights, dtypes=FLOATS)
def safe_embedding_lookups():
    ids, weights = Sparse("n 4", dtype="int64", within=(-3, 8)), T("n 4", domain=(-1, 2), within=(-2, 2))
    yield from every(T("9 d"), ids, each(None, weights), combiner=each("mean", "sqrtn"), default_id=each(None, 2))
    yield sample(T("9 d", edges=False), ids, None, max_norm=1.5)


# Layout

def space_to_depth(x, block_size, data_format="NHWC"):
    x, b = last(x, data_format), block_size
    n, h, w, c = x.shape
    blocks = x.reshape(n, h // b, b, w // b, b, c).transpose(0, 1, 3, 2, 4, 5)
    return back(blocks.reshape(n, h // b, w // b, b * b * c), data_format)


def depth_to_space(x, block_size, data_format="NHWC"):
    x, b = last(x, data_format), block_size
    n, h, w, c = x.shape
    blocks = x.reshape(n, h, w, b, b, c // (b * b)).transpose(0, 1, 3, 2, 4, 5)
    return back(blocks.reshape(n, h * b, w * b, c // (b * b)), data_format)


def bias_add(value, bias, data_format=None):
    if value.ndim < 2 or last(value, data_format).shape[-1] != len(bias):
        raise ValueError("value needs channels, as many as biases")
    return back(last(value, data_format) + bias, data_format)


@nn("tf.nn.bias_add", bias_add)
def bias_add_samples():
    yield sample(T("n h w c"), T("c"))
    yield sample(T("n c"), T("c"), data_format="N...C")
    yield sample(T("n c h w"), T("c"), data_format="NC...")


nn("tf.nn.space_to_depth", space_to_depth, empty=False)(lambda: (
    sample(T(shape), 2, data_format=form) for shape, form in (("n 2*h 2*w c", "NHWC"), ("n c 2*h 2*w", "NCHW"))))
nn("tf.nn.depth_to_space", depth_to_space, empty=False)(lambda: (
    sample(T(shape), 2, data_format=form) for shape, form in (("n h w 4*c", "NHWC"), ("n 4*c h w", "NCHW"))))


# Isotonic regression

nn("tf.nn.isotonic_regression", isotonic, T("a b"), decreasing=each(True, False), axis=each(-1, 0), empty=False,
   dtypes=FLOATS, canonical=lambda found: [found[0] + 0, found[1]])      # zeros of either sign


# Connectionist temporal classification

LENGTHS = np.array([6, 4], np.int32)


def best_path(inputs, sequence_length, merge_repeated=True, blank_index=None):
    _, batch, classes = inputs.shape
    blank = classes - 1 if blank_index is None else blank_index % classes
    if np.isnan(inputs.astype(np.float64)).any():
        raise Undefined("the greatest of NaN")
    rows = []
    for b in range(batch):
        path = np.argmax(inputs[:sequence_length[b], b], -1)
        kept = [k for t, k in enumerate(path) if k != blank and not (merge_repeated and t and path[t - 1] == k)]
        rows.append(kept)
    total = [0 - inputs[:n, b].max(-1).sum() for b, n in enumerate(sequence_length)]
    return from_rows(rows), np.array(total)[:, None]


def from_rows(rows):
    where = [(r, c) for r, row in enumerate(rows) for c in range(len(row))]
    return SparseValue(np.array(where, np.int64).reshape(-1, 2), np.array([k for row in rows for k in row], np.int64),
                       np.array([len(rows), max(map(len, rows), default=0)], np.int64))


def collapse(path, blank):
    """What a path of classes spells: repeats merged, then blanks dropped."""
    return tuple(k for k, _ in itertools.groupby(path) if k != blank)


def best_labels(inputs, sequence_length, beam_width=100, top_paths=1):
    """Sums the probability of every path, so that the beam must be wide enough to hold all labellings."""
    if not np.isfinite(inputs.astype(np.float64)).all():
        raise Undefined("the probability of what is not finite")
    _, batch, classes = inputs.shape
    logs = log_softmax(inputs)
    spelled, scores = [[] for _ in range(top_paths)], np.zeros((batch, top_paths), inputs.dtype)
    for b in range(batch):
        total = {}
        for path in itertools.product(range(classes), repeat=int(sequence_length[b])):
            words = collapse(path, classes - 1)
            p = sum(logs[t, b, k] for t, k in enumerate(path))
            total[words] = np.logaddexp(total.get(words, -np.inf), p)
        ranked = sorted(total.items(), key=lambda item: -item[1])[:top_paths]
        for r, (words, score) in enumerate(ranked):
            spelled[r].append(words)
            scores[b, r] = score
    return [from_rows(rows) for rows in spelled], scores


def ctc_loss(labels, logits, label_length, logit_length, logits_time_major=True, unique=None, blank_index=0):
    """Minus the log of the probability of all paths that spell the labels, by the forward recursion of Graves."""
    logs = log_softmax(logits if logits_time_major else np.moveaxis(logits, 1, 0))
    out = []
    for b in range(logs.shape[1]):
        blank = blank_index % logs.shape[2]
        spelled = [blank]
        for k in labels[b][:label_length[b]]:
            spelled += [int(k), blank]
        alpha = np.full(len(spelled), -np.inf, logs.dtype)
        alpha[0], alpha[1:2] = logs[0, b, blank], logs[0, b, spelled[1]] if len(spelled) > 1 else -np.inf
        for t in range(1, int(logit_length[b])):
            before = alpha.copy()
            for s, k in enumerate(spelled):
                alpha[s] = np.logaddexp(before[s], before[s - 1]) if s else before[s]
                if s > 1 and k != blank and k != spelled[s - 2]:
                    alpha[s] = np.logaddexp(alpha[s], before[s - 2])
                alpha[s] += logs[t, b, k]
        out.append(-np.logaddexp.reduce(alpha[-2:]))
    return np.array(out)


def unique_labels(labels):
    places, firsts = np.zeros_like(labels), np.zeros_like(labels)
    for row, found, place in zip(labels, firsts, places, strict=True):
        order = list(dict.fromkeys(row.tolist()))
        found[:len(order)] = order
        place[:] = [order.index(k) for k in row]
    return firsts, places


def collapse_repeated(labels, seq_length):
    rows = [[k for k, _ in itertools.groupby(row[:n])] for row, n in zip(labels, seq_length, strict=True)]
    width = max(map(len, rows), default=0)
    return np.array([row + [0] * (width - len(row)) for row in rows], labels.dtype), np.array([len(r) for r in rows],
                                                                                              seq_length.dtype)


LABELS = np.array([[1, 2, 2, 0], [3, 1, 0, 0], [2, 0, 0, 0]], np.int32)
LABEL_LENGTH, LOGIT_LENGTH = np.array([3, 2, 1], np.int32), np.array([7, 5, 6], np.int32)

nn("tf.nn.ctc_greedy_decoder", best_path, T("t 2 c"), LENGTHS, merge_repeated=each(True, False),
   blank_index=each(None, 0), sizes={"t": 6, "c": 4})
nn("tf.nn.ctc_beam_search_decoder", best_labels, T("t 2 c"), np.array([4, 3], np.int32), top_paths=each(1, 3),
   beam_width=60, sizes={"t": 4, "c": 3}, error_factor=4)  # a log near 0 is the sum of many that are not


@nn("tf.nn.ctc_loss", ctc_loss)
def ctc_loss_samples():
    given = {"labels": LABELS, "label_length": LABEL_LENGTH, "logit_length": LOGIT_LENGTH}
    yield sample(logits=T(7, 3, 5), **given, name="dense")
    yield sample(logits=T(3, 7, 5), **given, logits_time_major=False, name="batch-major")
    yield sample(logits=T(7, 3, 5), **given, blank_index=-1, name="last-is-blank")
    yield sample(logits=T(7, 3, 5), **given, unique=unique_labels(LABELS), name="unique")


nn("tf.nn.ctc_unique_labels", unique_labels, I("n m", within=(1, 4)), empty=False)
nn("tf.nn.collapse_repeated", collapse_repeated, I("n 6", within=(1, 3)), I("n", within=(1, 6)), empty=False)


# Random

def dropped(result, x, rate, noise_shape=None, seed=None, rng_alg=None):
    """Each element, or with a noise shape each row, is zero or scaled by 1 / (1 - rate), about `rate` of them zero."""
    kept = result != 0 if noise_shape is None else np.broadcast_to((result != 0).any(1, keepdims=True), x.shape)
    scaled = np.where(kept, x.astype(np.float64) / (1 - rate), 0)
    share = 1 - kept.mean() if kept.size > 500 else rate
    return [(result, scaled), (np.array(abs(share - rate) < 0.2), np.array(True))]


def drop(name, **options):
    random(name, None, T(40, 50, domain=(0.5, 2), within=(0.5, 2)), rate=each(0.3, 0.0),
           noise_shape=each(None, [40, 1]), invariant=dropped, **options)


drop("tf.nn.dropout", seed=3)
drop("tf.nn.experimental.stateless_dropout", seed=np.array([3, 4], np.int32), rng_alg=each("philox", "threefry"))
drop("tf.nn.experimental.general_dropout", call=lambda f, x, rate, noise_shape: f(
    x, rate, lambda shape, dtype: tf.random.stateless_uniform(shape, [3, 4], dtype=dtype, alg="philox"), noise_shape))
