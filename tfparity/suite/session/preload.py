"""Imported once by the fork server: what every worker needs, so that a worker is a fork and not an import.

TensorFlow is only imported, its runtime not started: threads do not survive a fork. What it says of itself while it
is imported (CPU features, oneDNN) goes nowhere; the run records it.
"""

import contextlib
import gc
import os

_stderr = os.dup(2)
_nowhere = os.open(os.devnull, os.O_WRONLY)
os.dup2(_nowhere, 2)
try:
    import scipy.linalg
    import scipy.signal
    import scipy.special  # noqa: F401
    import tensorflow  # noqa: F401

    from tfparity.suite.language import case, loading
    from tfparity.suite.session import worker  # noqa: F401
    from tfparity.suite.timing import case_timing as timed  # noqa: F401

    with contextlib.suppress(case.CaseError):  # the command says it, in one line
        loading.load()
    gc.collect()
    gc.freeze()  # a worker's collections need not look at TensorFlow's million objects: 5 ms, not 200
finally:
    os.dup2(_stderr, 2)
    os.close(_stderr)
    os.close(_nowhere)
