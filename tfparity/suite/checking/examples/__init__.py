"""TensorFlow's own examples: the `>>>` lines in the docstrings of documented ops, which nobody here wrote.

An op's examples run eagerly, in order, as TensorFlow runs them (`docstring`): its seed, its module's globals, its
checker of the printed output, which allows for rounding errors. Their `tf` is a stand-in that records every eager call
of a documented op, with its arguments and its result (`recording`). Each recorded call is made again in a graph and
under XLA, its tensors being arguments, and is judged against what it gave eagerly (`replaying`). Calls that a call
makes of functions it was given, and calls inside a function that the example itself traces, are not recorded: they
belong to that call or function.

The rows (`page`): `tf.gather/mixed/example-3/eager@CPU:0#docs:docs` says whether the third `>>>` of tf.gather's
docstring runs and prints what the page shows: `identical`, or `close` where it differs only as the checker allows.
`tf.gather/mixed/example-3,tf.constant-2/xla@CPU:0#docs:eager` is the second call of tf.constant in it, under XLA.
`scripts` shows a row without tfparity.
"""

from tfparity.suite.checking.examples.page import DTYPE, Page, documented, may_have, rows, rows_of, speaks_of
from tfparity.suite.checking.examples.scripts import script

__all__ = ["DTYPE", "Page", "documented", "may_have", "rows", "rows_of", "script", "speaks_of"]
