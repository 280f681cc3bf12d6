"""Programs that kill or hang their process; only the suite's own tests use them."""

import ctypes
import os
import signal
import tempfile
from functools import partial
from pathlib import Path

from tfparity import T, each, program

own = partial(program, autograph=False)
X = T("n", dtype="float32", domain=(1, 2), edges=False)


def end(how):
    if how == "abort":
        os.abort()
    if how == "divide":
        os.kill(os.getpid(), signal.SIGFPE)
    if how == "exit":
        os._exit(7)
    if how == "hang":
        ctypes.PyDLL(None).sleep(600)  # PyDLL keeps the interpreter lock


@own(
    "program.own_deadly",
    X,
    how=each("sound", "abort", "divide", "exit", "hang", "sound-too"),
    reference=lambda x, how: x * 2,
)
def deadly(x, how):
    end(how)
    return x * 2.0


@own("program.own_deadly_after_dawsn", X, how=each("sound", "abort"))
def deadly_after_dawsn(x, how):
    """A kernel that no other test runs; what it gave before the death is not computed again."""
    import tensorflow as tf

    end(how)
    return tf.math.special.dawsn(x)


@own("program.own_deadly_gradient", T("n", domain=(1, 2), edges=False), dtypes=("float32",))
def deadly_gradient(x):
    import tensorflow as tf

    @tf.custom_gradient
    def same(x):
        def back(dy):
            os.abort()

        return tf.identity(x), back

    return same(x)


def raising(result, x, how):
    if how == "raise":
        raise ZeroDivisionError("the invariant of the case")
    return result, x


@own("program.own_raising", X, how=each("sound", "raise", "sound-too"), invariant=raising)
def raises(x, how):
    return x * 1.0


@own("program.own_bad_state", X, state=lambda: 1 / 0)
def bad_state(held, x):
    return x


@own("program.own_noting", X, reference=lambda x, how: x, how=each("sound", "exit"))
def noting(x, how):
    """Writes down that it was called, before it dies."""
    with (Path(tempfile.gettempdir()) / "calls").open("a") as calls:
        calls.write(f"{how}\n")
    end(how)
    return x


def endless(x):
    while True:
        pass


@program("program.own_endless_reference", T("n", edges=False), reference=endless, autograph=False)
def own_endless_reference(x):
    return x
