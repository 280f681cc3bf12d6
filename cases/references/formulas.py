"""Programs that are written once, as a formula over `m`: TensorFlow in the program, NumPy in the reference.

NumPy computes in the program's own dtype, not in a higher precision, because a rewritten program must give what the
program gives as it is written.
"""

from functools import partial

import numpy as np

from tfparity import DTYPE, T, inf, program, tf

rewrite = partial(program, kind="rewrite", rewrites=True, autograph=False, timed=False)
nan = float("nan")


class TensorFlow:
    """The names that formulas use, as TensorFlow's functions on tensors."""

    cast = staticmethod(lambda x, dtype: tf.cast(x, dtype))
    transpose = staticmethod(lambda x, order: tf.transpose(x, order))
    reshape = staticmethod(lambda x, shape: tf.reshape(x, shape))
    concat = staticmethod(lambda parts, axis: tf.concat(parts, axis))
    pad = staticmethod(lambda x, by: tf.pad(x, by))
    reverse = staticmethod(lambda x, axis: tf.reverse(x, [axis]))
    broadcast_to = staticmethod(lambda x, shape: tf.broadcast_to(x, shape))
    tile = staticmethod(lambda x, by: tf.tile(x, by))
    sum = staticmethod(lambda x, axis=None: tf.reduce_sum(x, axis))
    max = staticmethod(lambda x, axis=None: tf.reduce_max(x, axis))
    mean = staticmethod(lambda x, axis=None: tf.reduce_mean(x, axis))
    prod = staticmethod(lambda x, axis=None: tf.reduce_prod(x, axis))
    where = staticmethod(lambda p, x, y: tf.where(p, x, y))
    shift_left = staticmethod(lambda x, by: tf.bitwise.left_shift(x, tf.cast(by, x.dtype)))
    shift_right = staticmethod(lambda x, by: tf.bitwise.right_shift(x, tf.cast(by, x.dtype)))
    bits = staticmethod(lambda x, dtype: tf.bitcast(x, dtype))
    like = staticmethod(lambda value, x: tf.constant(value, x.dtype))

    def __getattr__(self, name):
        return getattr(tf.math, name)


class NumPy:
    """The same names as NumPy's functions, which round every step to the arrays' own dtype."""

    renamed = (("concat", "concatenate"), ("reverse", "flip"), ("round", "rint"), ("is_nan", "isnan"),
               ("is_finite", "isfinite"))
    cast = staticmethod(lambda x, dtype: x.astype(dtype))
    pow = staticmethod(lambda x, y: np.power(*map(np.array, np.broadcast_arrays(x, y))))   # a scalar 0.5 takes roots
    shift_left = staticmethod(lambda x, by: np.left_shift(x, x.dtype.type(by)))
    shift_right = staticmethod(lambda x, by: np.right_shift(x, x.dtype.type(by)))
    bits = staticmethod(lambda x, dtype: x.view(dtype))
    like = staticmethod(lambda value, x: x.dtype.type(value))

    def __getattr__(self, name):
        return getattr(np, dict(self.renamed).get(name, name))


ours, theirs = TensorFlow(), NumPy()


def family(formulas, *inputs, **more):
    """Declares one case per formula: the program runs it on tensors, the reference on arrays of the same dtype."""
    for name, formula in formulas.items():
        def written(*arrays, dtype, formula=formula):
            return formula(theirs, *(a.astype(dtype) if a.dtype.kind in "fc" else a for a in map(np.asarray, arrays)))

        def run(*tensors, dtype, formula=formula):
            return formula(ours, *tensors)

        rewrite(f"rewrite.{name}", *inputs, dtype=DTYPE, reference=written, constants=(), **more)(run)


# The smallest numbers and the numbers with such small reciprocals are left out: eager kernels flush subnormal
# intermediate results to zero, and a rewrite may not have that intermediate result. Such a difference is caused by the
# ops, not by the rewrites.
TELLING = [0.0, -0.0, nan, inf, -inf, *(sign * v for sign in (1, -1) for v in (
    1, 0.5, 2, 1.5, 2.5, 3, 0.1, 1 / 3, np.pi, 10, 1 + 2**-23, 1 - 2**-24, 49, 1e4 + 0.5, 2**24 + 2, 1e-6, 1e12, 1e25,
    5e37))]
ANY = T(values=TELLING)
FLOAT32 = {"dtypes": ["float32"]}
ACTIVATIONS = {"none": lambda x: x, "relu": lambda x: np.maximum(x, 0), "relu6": lambda x: np.clip(x, 0, 6),
               "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))), "tanh": np.tanh,
               "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x)}
