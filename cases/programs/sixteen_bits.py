"""Counts and sums above the range of 16 bits: 65,504 is the largest float16, and the sum of 70,000 ones is larger.

Sums above 2,048, where float16 loses the addition of 1, are tested for every op by the samples `many-k`.
"""

import numpy as np

from tfparity import T, each, program, tf

OF_ONES = {  # functions of 70,000 ones, a count above the largest float16
    "mean":      (lambda x: tf.reduce_mean(x),                  lambda x: np.float16(1)),
    "variance":  (lambda x: tf.math.reduce_variance(x),         lambda x: np.float16(0)),
    "deviation": (lambda x: tf.math.reduce_std(x),              lambda x: np.float16(0)),
    "norm":      (lambda x: tf.math.reduce_euclidean_norm(x),   lambda x: np.float16(70_000**0.5)),
    "logsumexp": (lambda x: tf.math.reduce_logsumexp(x),        lambda x: np.float16(1 + np.log(70_000))),
    "moments":   (lambda x: tf.nn.moments(x, [0]),              lambda x: [np.float16(1), np.float16(0)]),
    "segment":   (lambda x: tf.math.segment_mean(x, tf.zeros_like(x, tf.int32)), lambda x: np.ones(1, np.float16)),
    "softmax":   (lambda x: tf.nn.softmax(x)[:1] * 2.0**13,     lambda x: np.float16([2**13 / 70_000])),
}


@program("program.of_many_ones", T(70_000, values=[1.0]), of=each(*OF_ONES), dtypes=["float16"], autograph=False,
         timed=False, reference=lambda x, of: OF_ONES[of][1](x), error_factor=16)
def of_many_ones(x, of):
    """The count 70,000 is infinite in float16, but the mean is still 1."""
    return OF_ONES[of][0](x)
