"""Variables as the state of a case: made once for each mode, assigned at the start of each call."""

from tfparity import tf


def no_variables():
    """The state at first: a case's variables by their names."""
    return {}


def variable(x, kept, name="variable"):
    """A variable that holds a tensor. It is made of the tensor's static shape, once, and kept in the case's state."""
    if name not in kept:
        shape = x.shape if x.shape.rank is not None else ()
        kept[name] = tf.Variable(tf.zeros([n or 0 for n in shape], x.dtype), shape=x.shape)
    kept[name].assign(x)
    return kept[name]
