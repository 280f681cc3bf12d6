"""tf.signal.*: Fourier and cosine transforms, frames and windows.

A transform mixes all elements, so an infinity or a NaN may come out as either everywhere, and no page promises which:
the transforms get no edge values, data movement (shift, frame, overlap) does. A window function is named by a string,
which `call` looks up in tf.signal.
"""

import numpy as np

from tfparity import COMPLEX, DTYPE, FLOATS, T, Undefined, each, error, kind, lazy, sample, tf

scipy_fft = lazy("scipy.fft")

signal = kind("signal")


def transform(*args, **more):
    """Declares a transform: its rounding error is relative to all of the input, of which S sees a part."""
    return signal(*args, error_factor=8, **more)


def typed(f, *args, dtype, **options):
    """The call where TensorFlow wants its own dtype and not NumPy's."""
    return f(*args, dtype=tf.as_dtype(dtype), **options)


VECTORS, IMAGES, VOLUMES = (T(shape, edges=False) for shape in ("b n", "b m n", "b l m n"))


# --- Fourier transforms --------------------------------------------------------------------------------------------


def half_spectrum(rank):
    """An input: what a real signal's transform over the last `rank` dimensions can be."""

    def form(a):
        if not a.size:
            return a
        axes = tuple(range(a.ndim - rank, a.ndim))
        lengths = [a.shape[axis] for axis in axes[:-1]] + [max(1, 2 * (a.shape[-1] - 1))]
        return np.fft.rfftn(a.real.astype(np.float64), lengths, axes)

    return T(("b n", "b m n", "b l m n")[rank - 1], form=form, edges=False)


def nd(function):
    """NumPy's transform over some dimensions."""

    def over_axes(a, fft_length=None, axes=None, norm=None):
        axes = [axis % a.ndim for axis in (range(a.ndim) if axes is None else axes)]
        if 0 in (fft_length or [a.shape[axis] for axis in axes]):
            raise Undefined("a transform of no points")
        # An empty input is padded with zeros; NumPy's irfft would read uninitialised memory.
        a = np.pad(a, [(0, int(n == 0 and axis in axes)) for axis, n in enumerate(a.shape)])
        return function(a, fft_length, axes, norm)

    return over_axes


def over(function, rank):
    """The transform over the last `rank` dimensions."""
    return lambda a, fft_length=None: nd(function)(a, fft_length, tuple(range(-rank, 0)))


transform("tf.signal.fft",    over(np.fft.fftn, 1),  VECTORS, dtypes=COMPLEX)
transform("tf.signal.fft2d",  over(np.fft.fftn, 2),  IMAGES,  dtypes=COMPLEX)
transform("tf.signal.fft3d",  over(np.fft.fftn, 3),  VOLUMES, dtypes=COMPLEX)
transform("tf.signal.ifft",   over(np.fft.ifftn, 1), VECTORS, dtypes=COMPLEX)
transform("tf.signal.ifft2d", over(np.fft.ifftn, 2), IMAGES,  dtypes=COMPLEX)
transform("tf.signal.ifft3d", over(np.fft.ifftn, 3), VOLUMES, dtypes=COMPLEX)


def impossible(rank):
    """Lengths that must be refused: of no points, and padding nothing to more points than can be counted."""
    none = T(9, *[0] * rank)
    return [error("no-points", fft_length=[0] * rank),
            *([error("points-beyond-count", none, fft_length=[2**31 - 1] * rank)] if rank > 1 else [])]


transform("tf.signal.rfft",   over(np.fft.rfftn, 1), VECTORS, fft_length=each(None, [2], [5], [8]),
          errors=impossible(1))
transform("tf.signal.rfft2d", over(np.fft.rfftn, 2), IMAGES,  fft_length=each(None, [2, 5], [4, 8]),
          errors=impossible(2))
transform("tf.signal.rfft3d", over(np.fft.rfftn, 3), VOLUMES, fft_length=each(None, [2, 3, 5], [6, 4, 8]),
          errors=impossible(3))

# Odd lengths only: in an even one that crops, a middle frequency would become the last, which is real.
transform("tf.signal.irfft",   over(np.fft.irfftn, 1), half_spectrum(1), fft_length=each(None, [3], [9]),
          dtypes=COMPLEX, errors=impossible(1))
transform("tf.signal.irfft2d", over(np.fft.irfftn, 2), half_spectrum(2), fft_length=each(None, [3, 9]),
          dtypes=COMPLEX, errors=impossible(2))
transform("tf.signal.irfft3d", over(np.fft.irfftn, 3), half_spectrum(3), fft_length=each(None, [2, 3, 9]),
          dtypes=COMPLEX, errors=impossible(3))


def fftnd_samples():
    yield sample(T("3 4 5", edges=False))
    yield sample(T("3 4 5", edges=False), axes=[1, 2], fft_length=[4, 5], name="inner")
    yield sample(T("3 4 5", edges=False), axes=[2, 0], fft_length=[5, 3], name="reversed")
    yield sample(T("3 4 5", edges=False), axes=[1, 2], fft_length=[2, 8], name="cropped-and-padded")
    yield sample(T("3 4 5", edges=False), norm="ortho")


NO_POINTS = [error("no-points", axes=[1, 2], fft_length=[0, 0])]
transform("tf.signal.fftnd",  nd(np.fft.fftn),  dtypes=COMPLEX, errors=NO_POINTS)(fftnd_samples)
transform("tf.signal.ifftnd", nd(np.fft.ifftn), dtypes=COMPLEX, errors=NO_POINTS)(fftnd_samples)
transform("tf.signal.rfftnd", nd(np.fft.rfftn), errors=NO_POINTS)(fftnd_samples)


@transform("tf.signal.irfftnd", nd(np.fft.irfftn), dtypes=COMPLEX, errors=NO_POINTS)
def irfftnd_samples():
    yield sample(half_spectrum(2), axes=[1, 2], fft_length=[3, 3], name="cropped")
    yield sample(half_spectrum(2), axes=[1, 2], fft_length=[3, 9], name="padded")
    yield sample(half_spectrum(2), axes=[1, 2], fft_length=[3, 9], norm="ortho")


def required(function):
    """The raw ops of the four above, whose arguments all must be given."""
    return lambda a, fft_length, axes, **dtype: nd(function)(a, [int(n) for n in fft_length], [int(n) for n in axes])


def raw_samples():
    for name, axes, lengths in (("all", [0, 1, 2], [3, 4, 5]), ("inner", [1, 2], [4, 5]), ("reversed", [2, 0], [5, 3]),
                                ("cropped-and-padded", [1, 2], [2, 8])):
        yield sample(T(3, 4, 5, edges=False), np.array(lengths, np.int32), np.array(axes, np.int32), name=name)


WIDE = {"float32": "complex64", "float64": "complex128", "complex64": "float32", "complex128": "float64"}


def widened(argument):
    """The call with the dtype of the result, which must be that of the argument's parts."""
    return lambda f, a, *more: f(a, *more, **{argument: tf.as_dtype(WIDE[a.dtype.name])})


transform("tf.fftnd",   required(np.fft.fftn),   dtypes=COMPLEX)(raw_samples)
transform("tf.ifftnd",  required(np.fft.ifftn),  dtypes=COMPLEX)(raw_samples)
transform("tf.rfftnd",  required(np.fft.rfftn),  dtypes=("float32", "float64"), call=widened("Tcomplex"))(raw_samples)
transform("tf.irfftnd", required(np.fft.irfftn), half_spectrum(2), np.array([3, 9], np.int32),
          np.array([1, 2], np.int32), dtypes=COMPLEX, call=widened("Treal"))

signal("tf.signal.fftshift",  np.fft.fftshift,  T("a b c"), axes=each(None, 1, (0, 2)))
signal("tf.signal.ifftshift", np.fft.ifftshift, T("a b c"), axes=each(None, 1, (0, 2)))


# --- cosine transforms ---------------------------------------------------------------------------------------------


def dct(a, type=2, n=None, axis=-1, norm=None):
    return scipy_fft.dct(a, type, n, axis, norm)


def idct(a, type=2, norm=None):
    """Without the factor 1 / 2n, as the page says: the cosine transform of the opposite type."""
    return scipy_fft.dct(a, {1: 1, 2: 3, 3: 2, 4: 4}[type], norm=norm)


@transform("tf.signal.dct", dct, dtypes=FLOATS, errors=[error("type-5", type=5), error("ortho-1", type=1, norm="ortho"),
                                                     error("axis-0", axis=0), error("n-0", n=0)])
def dct_samples():
    for type in (2, 1, 3, 4):
        yield sample(T("b 5", edges=False), type=type, name=f"type-{type}")
        yield sample(T("b 5", edges=False), type=type, n=3, name=f"type-{type}-cropped")
        yield sample(T("b 5", edges=False), type=type, n=9, name=f"type-{type}-padded")
        if type != 1:
            yield sample(VECTORS, type=type, norm="ortho", name=f"type-{type}-ortho")


@transform("tf.signal.idct", idct, dtypes=FLOATS, errors=[error("type-5", type=5), error("axis-0", axis=0),
                                                       error("n-given", n=3)])
def idct_samples():
    for type in (2, 1, 3, 4):
        yield sample(T("b 5", edges=False), type=type, name=f"type-{type}")
        if type != 1:
            yield sample(VECTORS, type=type, norm="ortho", name=f"type-{type}-ortho")


# HTK scales the cosine transform by sqrt(2 / bins); SciPy's has a factor 2.
transform("tf.signal.mfccs_from_log_mel_spectrograms", lambda a: scipy_fft.dct(a) / np.sqrt(2.0 * a.shape[-1]), VECTORS,
       dtypes=FLOATS)


# --- windows -------------------------------------------------------------------------------------------------------


def raised_cosine(a):
    def window(window_length, periodic=True, dtype=None):
        n = window_length if periodic else window_length - 1
        return a - (1 - a) * np.cos(2 * np.pi * np.arange(window_length) / n) if window_length > 1 else np.ones(1)

    return window


hann_window, hamming_window = raised_cosine(0.5), raised_cosine(0.54)


def kaiser_window(window_length, beta=12.0, dtype=None):
    return np.kaiser(window_length, beta)


def kaiser_bessel_derived_window(window_length, beta=12.0, dtype=None):
    sums = np.cumsum(np.kaiser(window_length // 2 + 1, beta))
    half = np.sqrt(sums[:-1] / sums[-1])
    return np.concatenate([half, half[::-1]])


def vorbis_window(window_length, dtype=None):
    return np.sin(np.pi / 2 * np.sin(np.pi * (np.arange(window_length) + 0.5) / window_length) ** 2)


def inverse_window(window):
    """Divided by the sum of the squares of the shifted windows that overlap there."""

    def inverse(frame_step, frame_length, dtype=None):
        forward = window(frame_length)
        return forward / [np.sum(forward[n % frame_step :: frame_step] ** 2) for n in range(frame_length)]

    return inverse


def window(*args, **more):
    """Declares a window: near its ends it is the difference of nearly equal numbers."""
    return signal(*args, **{"call": typed, "dtype": DTYPE, "error_factor": 16, **more})


LENGTHS = each(8, 1, 2, 7, 33)
EVEN = each(8, 2, 34)

window("tf.signal.hann_window",    hann_window,    LENGTHS, periodic=each(True, False))
window("tf.signal.hamming_window", hamming_window, LENGTHS, periodic=each(True, False))
window("tf.signal.kaiser_window",  kaiser_window,  LENGTHS, beta=each(12.0, 0.0))
window("tf.signal.vorbis_window",  vorbis_window,  EVEN)
window("tf.signal.kaiser_bessel_derived_window", kaiser_bessel_derived_window, EVEN, beta=each(12.0, 4.0))

WINDOWS = {"hann_window": hann_window, "hamming_window": hamming_window}
window("tf.signal.inverse_stft_window_fn",
       lambda frame_step, frame_length, forward_window_fn, dtype: inverse_window(WINDOWS[forward_window_fn])(
           frame_step, frame_length), each(2, 3, 4), 8, forward_window_fn=each(*WINDOWS),
       call=lambda f, frame_step, frame_length, forward_window_fn, dtype: typed(
           f(frame_step, getattr(tf.signal, forward_window_fn)), frame_length, dtype=dtype))


# --- frames --------------------------------------------------------------------------------------------------------


def frame(signal, frame_length, frame_step, pad_end=False, pad_value=0, axis=-1):
    samples = np.moveaxis(signal, axis, -1)
    n = samples.shape[-1]
    count = -(-n // frame_step) if pad_end else max(0, 1 + (n - frame_length) // frame_step)
    more = np.full((*samples.shape[:-1], frame_length), pad_value, samples.dtype)
    samples = np.concatenate([samples, more], -1)
    frames = [samples[..., i * frame_step : i * frame_step + frame_length] for i in range(count)]
    stacked = np.stack(frames, -2) if frames else np.zeros((*samples.shape[:-1], 0, frame_length), samples.dtype)
    axis = axis % signal.ndim
    return np.moveaxis(stacked, (-2, -1), (axis, axis + 1))


def overlap_and_add(signal, frame_step):
    frames, length = signal.shape[-2:]
    out = np.zeros((*signal.shape[:-2], (frames - 1) * frame_step + length), signal.dtype)
    for i in range(frames):
        out[..., i * frame_step : i * frame_step + length] += signal[..., i, :]
    return out


def windowed(window, length):
    return 1.0 if window is None else {"hann_window": hann_window, "hamming_window": hamming_window}[window](length)


def enclosing(frame_length):
    return 1 << (frame_length - 1).bit_length()


def stft(signals, frame_length, frame_step, fft_length=None, window="hann_window", pad_end=False):
    frames = frame(signals, frame_length, frame_step, pad_end) * windowed(window, frame_length)
    length = fft_length or enclosing(frame_length)
    if not frames.size:
        return np.zeros((*frames.shape[:-1], length // 2 + 1), np.complex128)
    return np.fft.rfft(frames, length)


def inverse_stft(stfts, frame_length, frame_step, fft_length=None, window="hann_window"):
    frames = over(np.fft.irfftn, 1)(stfts, [fft_length or enclosing(frame_length)])[..., :frame_length]
    frames = np.pad(frames, [(0, 0)] * (frames.ndim - 1) + [(0, frame_length - frames.shape[-1])])
    return overlap_and_add(frames * windowed(window, frame_length), frame_step)


def with_window(f, a, *lengths, **options):
    if "window" in options:
        name = options.pop("window")
        options["window_fn"] = name and getattr(tf.signal, name)
    return f(a, *lengths, **options)


@signal("tf.signal.frame", frame)
def frame_samples():
    samples = T("b 13")
    yield sample(samples, 4, 2)
    yield sample(samples, 4, 3, pad_end=True, name="pad_end")
    yield sample(samples, 4, 3, pad_end=True, pad_value=7, name="pad_value")
    yield sample(samples, 2, 5, pad_end=True, name="gaps")
    yield sample(samples, 20, 5, name="too-long")
    yield sample(T("2 13 3"), 4, 2, axis=1, name="axis")
    yield sample(T("2 13 3"), 4, 3, axis=-2, pad_end=True, name="axis-pad_end")


# Where frames do not overlap, -0.0 may be copied or added to 0.0.
signal("tf.signal.overlap_and_add", overlap_and_add, T("b f 4"), each(2, 1, 3, 4),
       canonical=lambda a: a + a.dtype.type(0), errors=[error("rank-1", np.ones(4, np.float32), 2)])


@transform("tf.signal.stft", stft, call=with_window, errors=[error("no-points", fft_length=0)])
def stft_samples():
    samples = T("b 19", edges=False)
    yield sample(samples, 8, 4)
    yield sample(samples, 6, 2, name="enclosing")
    yield sample(samples, 6, 5, fft_length=7, pad_end=True, name="odd-pad_end")
    yield sample(samples, 8, 4, fft_length=4, name="cropped")
    yield sample(samples, 8, 3, window="hamming_window", name="hamming")
    yield sample(samples, 8, 3, window=None, name="no-window")


@transform("tf.signal.inverse_stft", inverse_stft, call=with_window, dtypes=COMPLEX,
           errors=[error("no-points", fft_length=0)])
def inverse_stft_samples():
    stfts = half_spectrum(2)
    yield sample(stfts, 8, 4, sizes={"n": 5})
    yield sample(stfts, 6, 2, sizes={"n": 5}, name="enclosing")
    yield sample(stfts, 8, 4, window=None, sizes={"n": 5}, name="no-window")
    yield sample(stfts, 6, 3, fft_length=4, sizes={"n": 3}, name="fft-shorter-than-frame")
    yield sample(stfts, 8, 4, sizes={"n": 0}, name="no-frequencies")


def mdct_matrix(half):
    """cos(pi / N (n + 1/2 + N/2) (k + 1/2)) for 2 N samples n and N frequencies k."""
    n, k = np.arange(2 * half)[:, None], np.arange(half)[None]
    return np.cos(np.pi / half * (n + 0.5 + half / 2) * (k + 0.5))


def mdct_window(window, length):
    return np.full(length, 0.5**0.5) if window is None else vorbis_window(length)


def mdct(signals, frame_length, window="vorbis_window", pad_end=False, norm=None):
    """The unnormalized cosine transform of type 4 has a factor 2, the orthonormal one sqrt(2 / N)."""
    half = frame_length // 2
    frames = frame(signals, frame_length, half, pad_end) * mdct_window(window, frame_length)
    return frames @ mdct_matrix(half) * (2 if norm is None else (2 / half) ** 0.5)


def inverse_mdct(mdcts, window="vorbis_window", norm=None):
    half = mdcts.shape[-1]
    frames = mdcts @ mdct_matrix(half).T * (1 / half if norm is None else (2 / half) ** 0.5)
    return overlap_and_add(frames * mdct_window(window, 2 * half), half)


@transform("tf.signal.mdct", mdct, call=with_window, dtypes=FLOATS,
        errors=[error("not-a-multiple-of-4", np.ones((2, 19), np.float32), 6)])
def mdct_samples():
    samples = T("b 19", edges=False)
    yield sample(samples, 8)
    yield sample(samples, 4, pad_end=True, name="pad_end")
    yield sample(samples, 8, norm="ortho", name="ortho")
    yield sample(samples, 8, window=None, name="no-window")


@transform("tf.signal.inverse_mdct", inverse_mdct, call=with_window, dtypes=FLOATS)
def inverse_mdct_samples():
    mdcts = T("b f 4", edges=False)
    yield sample(mdcts)
    yield sample(mdcts, norm="ortho", name="ortho")
    yield sample(mdcts, window=None, name="no-window")


def mel_weights(num_mel_bins=20, num_spectrogram_bins=129, sample_rate=8000, lower_edge_hertz=125.0,
                upper_edge_hertz=3800.0, dtype=None):
    """Triangles on the mel scale, between edges that are equally far apart on it."""

    def mel(f):
        return 2595 * np.log10(1 + np.asarray(f) / 700)

    edges = np.linspace(mel(lower_edge_hertz), mel(upper_edge_hertz), num_mel_bins + 2)
    at = mel(np.linspace(0, sample_rate / 2, num_spectrogram_bins))[:, None]
    low, peak, high = edges[:-2], edges[1:-1], edges[2:]
    return np.maximum(0, np.minimum((at - low) / (peak - low), (high - at) / (high - peak)))


# A weight is a difference of mels: its error is absolute, as that of an invariant is judged.
@signal("tf.signal.linear_to_mel_weight_matrix", call=typed, dtypes=FLOATS, errors=[
    error("no-bins", num_mel_bins=0), error("edges-reversed", lower_edge_hertz=4000.0),
    error("negative-edge", lower_edge_hertz=-1.0), error("beyond-nyquist", upper_edge_hertz=5000.0)],
    invariant=lambda weights, *bins, **options: (weights, mel_weights(*bins, **options)))
def mel_samples():
    yield sample(dtype=DTYPE)
    yield sample(5, 9, 16000, 300.0, 8000.0, dtype=DTYPE, name="coarse")
