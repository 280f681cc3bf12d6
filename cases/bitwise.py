"""tf.bitwise: bit patterns of integers. Shifts by a negative count or by the width and more are undocumented."""

import numpy as np

from tfparity import T, kind

bitwise = kind("integer and bitwise")

bitwise("tf.bitwise.bitwise_and", np.bitwise_and,  T(), T())
bitwise("tf.bitwise.bitwise_or",  np.bitwise_or,   T(), T())
bitwise("tf.bitwise.bitwise_xor", np.bitwise_xor,  T(), T())
bitwise("tf.bitwise.invert",      np.invert,       T())
bitwise("tf.bitwise.left_shift",  np.left_shift,   T(), T(within=(0, 7)))
bitwise("tf.bitwise.right_shift", np.right_shift,  T(), T(within=(0, 7)))
