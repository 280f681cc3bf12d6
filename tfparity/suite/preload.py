"""Imported once by the fork server: what every worker needs, so that a worker is a fork and not an import.

TensorFlow is only imported, its runtime not started: threads do not survive a fork.
"""

import tensorflow  # noqa: F401

from . import case, timing, worker  # noqa: F401

case.load()
