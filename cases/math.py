"""tf.math."""

import numpy as np
from scipy import special

from tfparity import I, T, each, inf, kind

unary = kind("elementwise unary")
binary = kind("binary")
reduction = kind("reduction")

unary("tf.math.acosh", np.arccosh, T(domain=(1, inf)))
unary("tf.math.erf", special.erf, T())
binary("tf.math.pow", np.power, T(), T())
binary("tf.math.floordiv", np.floor_divide, T(), T())
reduction("tf.math.reduce_sum", np.sum, T("a b c"), axis=each(None, 0, [0, 2]), keepdims=each(False, True))
