"""tf.debugging: assertions about tensors, which pass or raise; also printing, pinned memory and the time.

An assertion returns no tensor. In a graph, only operations that depend on an assertion wait for it. So each case does
what the pages say: it puts the assertion into `tf.control_dependencies` and returns the first tensor inside that block.
The reference raises where the assertion must raise. XLA removes assertions.
"""

import os
import tempfile
import time
from pathlib import Path

import numpy as np

from tfparity import DTYPE, FLOATS, INTEGERS, B, I, T, Undefined, each, kind, sample, tf

debugging = kind("debugging")


def passing_on(f, x, *args, **options):
    """The first tensor, returned after the assertion about it."""
    done = f(x, *args, **options)
    with tf.control_dependencies([] if done is None else [done]):
        return tf.identity(x)


def must(holds):
    """The reference of an assertion: it returns its first argument if the condition holds everywhere, else raises."""

    def reference(x, *args, **options):
        tensors = [t for t in (x, *args) if isinstance(t, np.ndarray) and t.dtype.kind == "f"]
        if any(((t != 0) & (np.abs(t) < 2.0**-126)).any() for t in tensors):
            raise Undefined("kernels may read a subnormal number as zero")
        if not np.all(holds(x, *args, **options)):
            raise ValueError("the assertion does not hold")
        return x

    return reference


def assertion(name, holds, *inputs, **more):
    return debugging(name, must(holds), *inputs, **{"call": passing_on, "timed": False, **more})


def near(x, y, rtol, atol):
    return np.abs(x - y) < atol + rtol * np.abs(y)


def finite(x, message):
    return np.isfinite(x)


# --- values --------------------------------------------------------------------------------------------------------

assertion("tf.debugging.assert_equal", np.equal, T(), T(), dtypes=(*FLOATS, *INTEGERS, "bool"))
assertion("tf.debugging.assert_none_equal",    np.not_equal,     T(), T(), dtypes=(*FLOATS, *INTEGERS, "bool"))
assertion("tf.debugging.assert_less",          np.less,          T(), T(), dtypes=(*FLOATS, *INTEGERS))
assertion("tf.debugging.assert_less_equal",    np.less_equal,    T(), T(), dtypes=(*FLOATS, *INTEGERS))
assertion("tf.debugging.assert_greater",       np.greater,       T(), T(), dtypes=(*FLOATS, *INTEGERS))
assertion("tf.debugging.assert_greater_equal", np.greater_equal, T(), T(), dtypes=(*FLOATS, *INTEGERS))
assertion("tf.debugging.assert_positive",      lambda x: x > 0,  T(), dtypes=(*FLOATS, *INTEGERS))
assertion("tf.debugging.assert_negative",      lambda x: x < 0,  T(), dtypes=(*FLOATS, *INTEGERS))
assertion("tf.debugging.assert_non_negative",  lambda x: x >= 0, T(), dtypes=(*FLOATS, *INTEGERS))
assertion("tf.debugging.assert_non_positive",  lambda x: x <= 0, T(), dtypes=(*FLOATS, *INTEGERS))
assertion("tf.debugging.assert_near", near, T(), T(), each(0.5, 0.0), 0.25, dtypes=FLOATS)
assertion(
    "tf.debugging.Assert", lambda x: x, B("n"), call=lambda f, x: passing_on(lambda x: f(tf.reduce_all(x), [x]), x)
)
assertion(
    "tf.debugging.check_numerics", finite, T(), message="", call=lambda f, x, message: f(x, message), dtypes=FLOATS
)
assertion(
    "tf.debugging.assert_all_finite", finite, T(), message="", call=lambda f, x, message: f(x, message), dtypes=FLOATS
)

# --- shapes --------------------------------------------------------------------------------------------------------


def shapes_hold(x, y, shape_x, shape_y):
    """Whether both shapes match: equal letters are equal sizes, a number is a size, None is any size, and `...` is any
    number of outer dimensions."""
    sizes = {}
    for array, wanted in ((x, shape_x), (y, shape_y)):
        inner = array.shape[len(array.shape) - len(wanted) + 1 :] if wanted[:1] == ["..."] else array.shape
        wanted = wanted[1:] if wanted[:1] == ["..."] else wanted
        if len(inner) != len(wanted):
            return False
        for size, name in zip(inner, wanted, strict=True):
            if name is not None and size != (name if isinstance(name, int) else sizes.setdefault(name, size)):
                return False
    return True


def check_shapes(f, x, y, *shapes):
    pairs = [(t, [... if s == "..." else s for s in shape]) for t, shape in zip((x, y), shapes, strict=True)]
    f(pairs)
    return tf.identity(x)


X = T("a b", dtype="float32", edges=False)

assertion("tf.debugging.assert_rank",          lambda x, rank: x.ndim == rank,  X, each(2, 3, 0))
assertion("tf.debugging.assert_rank_at_least", lambda x, rank: x.ndim >= rank,  X, each(2, 3, 0))
assertion("tf.debugging.assert_rank_in",       lambda x, ranks: x.ndim in ranks, X, each([2], [0, 2, 4], [1, 3]))
assertion("tf.debugging.assert_scalar",        lambda x: x.ndim == 0, each(T("", dtype="float32", edges=False), X))
assertion("tf.debugging.assert_shapes", shapes_hold, X, T("a c", dtype="float32", edges=False),
          each(["n", "p"], ["n", None], ["...", "p"], [4, 3]), each(["n", "q"], ["q", "n"]), call=check_shapes)

# --- types ---------------------------------------------------------------------------------------------------------


def same_float_dtype(f, x, y, dtype):
    """A zero of the common dtype: a result must be a tensor, so its dtype shows the answer."""
    return tf.zeros([], f([x, y], dtype))


assertion(
    "tf.debugging.assert_type", lambda x, wanted: x.dtype == wanted, T("n", dtype="int32"), each(np.int32, np.float32)
)
assertion("tf.debugging.assert_integer", lambda x: x.dtype.kind in "iu", T("n", edges=False))
assertion("tf.debugging.assert_proper_iterable", lambda *tensors: True, T("n", dtype="float32", edges=False),
          call=lambda f, x: passing_on(lambda x: f([x, x]), x))
debugging(
    "tf.debugging.assert_same_float_dtype",
    lambda x, y, dtype: np.zeros((), x.dtype),
    T("n", edges=False),
    T("n", edges=False),
    dtype=each(None, DTYPE),
    call=same_float_dtype,
    dtypes=FLOATS,
    timed=False,
)
debugging("tf.debugging.is_numeric_tensor", lambda x: np.array(x.dtype.kind in "iufcV"), T("n", edges=False),
          call=lambda f, x: tf.constant(f(x)), timed=False)

# --- printing, pinned memory, time ---------------------------------------------------------------------------------


def printed(f, *inputs, **options):
    """The contents of the file after the op has printed to it. A Python function reads the file, because a graph would
    fold a read from a constant path (program.read_after_write), and deletes it, because printing appends."""
    path = Path(tempfile.gettempdir()) / f"tfparity-{os.getpid()}-printed"

    def taken():
        found = path.read_bytes()
        path.unlink()
        return found

    done = f(*inputs, output_stream=f"file://{path}", **options)
    with tf.control_dependencies([] if done is None else [done]):
        return tf.numpy_function(taken, [], tf.string)


def written(*inputs, summarize=None, sep=" ", end="\n"):
    """The printed text: of each vector the first and last three elements, or `summarize` of them; -1 means all."""
    def of(value):
        if not isinstance(value, np.ndarray):
            return str(value)
        shown, some = [str(v) for v in value.tolist()], 3 if summarize is None else summarize
        if 0 <= 2 * some < len(shown):
            shown = [*shown[:some], "...", *shown[-some:]]
        return f"[{' '.join(shown)}]"

    return (sep.join(map(of, inputs)) + end).encode()


@debugging("tf.print", written, call=printed, timed=False)
def prints():
    vector, empty = I(9, within=(-99, 99), edges=False), I(0)
    yield sample("numbers:", vector, empty, name="plain")
    for summarize in (1, 2, -1):
        yield sample(vector, summarize=summarize)
    yield sample(vector, vector, sep=", ", end=".")


def not_pinned(x):
    raise ValueError("an ordinary tensor is not in pinned memory, and without CUDA none is")


debugging("tf.check_pinned", not_pinned, T("n", edges=False), timed=False)
debugging("tf.timestamp", lambda: np.array(time.time()), timed=False,
          canonical=lambda seconds: np.array(abs(seconds - time.time()) < 3600))
