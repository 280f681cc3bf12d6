"""Programs that part ways on purpose; only the suite's own tests use them."""

from functools import partial

from tfparity import Ragged, RaggedValue, Sparse, T, error, program, tf

own = partial(program, autograph=False)
X = T("n", dtype="float32", domain=(1, 2), edges=False)
FACTOR = 1.5


def scaled(x):
    return x * FACTOR


@own("program.own_parted", X)
def parted(x):
    """Another value in a graph."""
    return x if tf.executing_eagerly() else scaled(x)


@own("program.own_ranked", X)
def ranked(x):
    """Another value where the rank is unknown."""
    return scaled(x) if x.shape.rank is None else x


@own("program.own_unfit", T("n", dtype="float32", edges=False), T("n", dtype="float32", edges=False))
def unfit(x, y):
    """Refuses what does not fit, but where its dimensions are unknown."""
    return x + y if x.shape.is_fully_defined() else x


@own("program.own_wrong", X, reference=lambda x: x + 1)
def wrong(x):
    """Not what its reference says."""
    return x + 2.0


@own("program.own_lenient", X, axis=0, errors=[error("axis", axis=7)])
def lenient(x, axis):
    """Accepts an axis that it has not."""
    return tf.reduce_sum(x, axis=0)


@own("program.own_bent", T(dtype="float32", domain=(1, 2), edges=False))
def bent(x):
    """Another gradient in a graph."""
    factor = 1.0 if tf.executing_eagerly() else 3.0

    @tf.custom_gradient
    def same(x):
        return tf.identity(x), lambda dy: dy * factor

    return same(x)


@own("program.own_lanes", T(dtype="float32", domain=(1, 2), edges=False))
def lanes(x):
    """Another value in a long tensor."""
    return x + tf.cast(tf.size(x) > 10, x.dtype)


@own("program.own_sparse", Sparse("m n", "float32", domain=(1, 2), edges=False))
def sparse(s):
    return tf.sparse.map_values(tf.multiply, s, 1.0 if tf.executing_eagerly() else 2.0)


@own(
    "program.own_ragged",
    Ragged("r c", "float32", domain=(1, 2), edges=False),
    reference=lambda r: RaggedValue(r.values + 1, r.splits),
)
def ragged(r):
    return r * 1.0


@own("program.own_state", X, state=lambda: tf.Variable(1.0))
def stateful(held, x):
    held.assign_add(1.0 if tf.executing_eagerly() else 5.0)
    return x * held


@own(
    "program.own_constant",
    T(dtype="float32", domain=(1, 2), edges=False),
    T(dtype="float32", domain=(1, 2), edges=False),
)
def constant(x, y):
    known = None if tf.executing_eagerly() else tf.get_static_value(y)
    return x + y if known is None or known != 0.5 else x - y
