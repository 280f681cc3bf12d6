"""Programs that give the same in every mode; only the suite's own tests use them."""

from functools import partial

from tfparity import T, each, program, tf

own = partial(program, autograph=False)


@own(
    "program.own_square", T("n", domain=(1, 2), edges=False), dtypes=("float32",), reference=lambda x: x * x, timed=True
)
def square(x):
    return x * x


@own(
    "program.own_total",
    T("n", dtype="float32", domain=(1, 2), edges=False),
    keep=each(False, True),
    reference=lambda x, keep: x.sum(keepdims=keep),
    timed=True,
)
def total(x, keep):
    return tf.reduce_sum(x, keepdims=keep)


@own("program.own_next", T("n", dtype="int32"), reference=lambda x: x + 1)
def following(x):
    return x + 1
