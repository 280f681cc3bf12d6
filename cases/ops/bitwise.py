"""tf.bitwise: bit patterns of integers."""

import numpy as np

from tfparity import T, Undefined, kind

bitwise = kind("integer and bitwise")


def counted(shift):
    def function(x, y):
        if np.any((y < 0) | (y >= 8 * x.dtype.itemsize)):
            raise Undefined("implementation-defined: the shift count is negative, or not less than the number of bits")
        return shift(x, y)

    return function


bitwise("tf.bitwise.bitwise_and", np.bitwise_and,          T(), T())
bitwise("tf.bitwise.bitwise_or",  np.bitwise_or,           T(), T())
bitwise("tf.bitwise.bitwise_xor", np.bitwise_xor,          T(), T())
bitwise("tf.bitwise.invert",      np.invert,               T())
bitwise("tf.bitwise.left_shift",  counted(np.left_shift),  T(), T(domain=(0, 7)))
bitwise("tf.bitwise.right_shift", counted(np.right_shift), T(), T(domain=(0, 7)))
