"""What the fork server imports, once: everything a worker needs, so that starting a worker is a fork, not an import.

TensorFlow is imported but its runtime is not started, because threads do not survive a fork. What TensorFlow prints
while it is imported (CPU features, oneDNN) is discarded; the run records it as facts of the machine. This module holds
no logic.
"""

import contextlib
import gc
import os

_stderr = os.dup(2)
_null = os.open(os.devnull, os.O_WRONLY)
os.dup2(_null, 2)
try:
    import scipy.linalg
    import scipy.signal
    import scipy.special  # noqa: F401
    import tensorflow  # noqa: F401

    from tfparity.suite.language import case, loading
    from tfparity.suite.session import worker  # noqa: F401
    from tfparity.suite.timing import case_timing  # noqa: F401

    with contextlib.suppress(case.CaseError):  # the command reports it, in one line
        loading.load()
    gc.collect()
    gc.freeze()  # a worker's garbage collector skips TensorFlow's million objects: 5 ms, not 200
finally:
    os.dup2(_stderr, 2)
    os.close(_stderr)
    os.close(_null)
