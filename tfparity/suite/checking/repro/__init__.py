"""A standalone script for one check: TensorFlow and NumPy only, the inputs in it, the outcomes printed.

Everything it runs is source of its own: the case's functions, the mode's way of preparing, the gradient, what shows a
difference. The reference travels as its result, since it may need SciPy. Inputs are written bit for bit.
"""

from tfparity.suite.checking.repro.script import Spelled, of_sample, script

__all__ = ["Spelled", "of_sample", "script"]
