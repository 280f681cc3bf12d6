"""The public methods and properties of tf.Tensor, tf.Variable, tf.TensorArray and tf.random.Generator.

The call of a variable's method first assigns the first input to the variable, and reads the variable after it.
A method that returns a Python value (`len`, `bool`) is run in eager mode only: a graph must refuse it, as its page
says, and then an op gives the same value. Programs that combine methods are in `programs.programs` and in `random`.
"""

import numpy as np

from tfparity import DTYPE, FLOATS, INTEGERS, NUMBERS, I, T, each, error, kind, sample, tf

from ..references.arithmetic import positive, quotient
from ..references.distributions import N, follows, is_normal, is_truncated, is_uniform, shaped, stats
from ..references.indexing import (
    by_places,
    by_rows,
    distinct,
    gather_nd,
    of_same_shape,
    replaced,
    scattered,
    sparse_read,
    within,
    zeros_like,
)
from ..references.variables import no_variables, variable

ROWS = T("n d", edges=False)
LEADING = ("float32", "int32", "complex64", "bool", "string")

# --- tf.Tensor -------------------------------------------------------------------------------------------------------

shaping = kind("shape and indexing")


def told(x, shape):
    """The static shape, with unknown dimensions filled in from the tensor: known ones must agree with the tensor."""
    actual = tf.shape(x)
    return actual if shape.rank is None else tf.stack([actual[k] if n is None else n for k, n in enumerate(shape)])


def dimensions(x):
    return np.array(x.shape, np.int32)


def of_shape(f, x, shape):
    same = tf.identity(x)
    same.set_shape(shape)
    return same


def known(x, shape):
    if len(shape) != x.ndim or any(n not in (None, m) for n, m in zip(shape, x.shape, strict=True)):
        raise ValueError("the shapes contradict each other")
    return x


def unhashable(x):
    raise TypeError("ref() is the key that stands for a tensor")


def python_only(ask, refusal, instead):
    """In eager mode, the answer of `ask`; in a graph, `ask` must raise `refusal`, and the ops of `instead` answer."""
    def call(f, x):
        if tf.executing_eagerly():
            return ask(x)
        try:
            ask(x)
        except refusal:
            return instead(x)
        raise AssertionError("a tensor of a graph has told Python its value")

    return call


of_a_tensor = {"timed": False, "exact": True}

shaping("tf.Tensor.shape",     dimensions, ROWS, call=lambda f, x: told(x, x.shape), **of_a_tensor)
shaping("tf.Tensor.get_shape", dimensions, ROWS, call=lambda f, x: told(x, f(x)), **of_a_tensor)
shaping("tf.Tensor.ndim", lambda x: np.int32(x.ndim), each(ROWS, T("", edges=False), T("a b c d", edges=False)),
        call=lambda f, x: tf.rank(x) if x.ndim is None else np.int32(x.ndim), **of_a_tensor)
shaping("tf.Tensor.dtype", lambda x: np.array(x.dtype.name.replace("object", "string").encode(), object), ROWS,
        call=lambda f, x: x.dtype.name, **of_a_tensor)
shaping("tf.Tensor.set_shape", known, T("4 3", edges=False), each([4, 3], [None, 3], [None, None]), call=of_shape,
        errors=[error("other-rank", shape=[4]), error("other-size", shape=[4, 2])], **of_a_tensor)
shaping("tf.Tensor.ref", lambda x: x, ROWS, call=lambda f, x: {f(x): f(x).deref()}[f(x)], **of_a_tensor)
shaping("tf.Tensor.experimental_ref", lambda x: x, ROWS, call=lambda f, x: f(x).deref(), **of_a_tensor)
shaping("tf.Tensor.__hash__", unhashable, ROWS, call=lambda f, x: hash(x), **of_a_tensor)
shaping("tf.Tensor.__array__", lambda x: x, ROWS, **of_a_tensor,
        call=python_only(np.asarray, NotImplementedError, lambda x: tf.stop_gradient(x)))
shaping("tf.Tensor.__len__", lambda x: np.int32(len(x)), ROWS, **of_a_tensor,
        call=python_only(lambda x: np.int32(len(x)), TypeError, lambda x: tf.shape(x)[0]))
shaping("tf.Tensor.__iter__", list, T("4 d", edges=False), **of_a_tensor,
        call=python_only(list, TypeError, lambda x: [x[k] for k in range(4)]))
shaping("tf.Tensor.__bool__", lambda x: x != 0, dtypes=(*NUMBERS, "bool"), **of_a_tensor,
        call=python_only(bool, TypeError, lambda x: tf.cast(x, tf.bool)))(
    lambda: [sample(T("", values=(value,)), name=name) for name, value in (("nonzero", 3), ("zero", 0))])
shaping("tf.Tensor.__nonzero__").unimplemented("the name of __bool__ in Python 2")
shaping("tf.Tensor.name").unimplemented("the name of a tensor in its graph; it is undefined in eager mode")
shaping("tf.Tensor.eval").unimplemented("it needs a session of TensorFlow 1")

# --- tf.Variable -----------------------------------------------------------------------------------------------------

state = kind("state")


def method(name, reference, *inputs, result=True, dtypes=None, samples=None, **options):
    """A method of a variable that holds the first input. The method returns what the reference gives, and the variable
    holds the same value afterwards. `result=False`: the method returns something else or nothing."""
    def call(f, kept, start, *rest, **arguments):
        v = variable(start, kept)
        found = getattr(v, name)(*rest, **arguments)
        return (found, v.read_value()) if result and arguments.get("read_value", True) else v.read_value()

    def twice(start, *rest, **arguments):
        found = reference(start, *rest, **{k: a for k, a in arguments.items() if k not in LOCKS})
        return [found, found] if result and arguments.get("read_value", True) else found

    case = state(f"tf.Variable.{name}", twice, *inputs, call=call, state=no_variables, dtypes=dtypes, timed=False,
                 **options)
    if samples:
        case(lambda: samples)


def slices(name):
    """A method that takes one tf.IndexedSlices, which is made here from tensors of indices and rows."""
    def call(f, kept, start, indices, rows, **arguments):
        v = variable(start, kept)
        return getattr(v, name)(tf.IndexedSlices(rows, indices), **arguments), v.read_value()

    return call


LOCKS = ("use_locking", "read_value")
LOCKED = {"use_locking": each(False, True)}


method("assign",     of_same_shape(lambda x, y: y), T("n d"), T("n d"), read_value=each(True, False), **LOCKED)
method("assign_add", of_same_shape(np.add),         T("n d"), T("n d"), read_value=each(True, False), **LOCKED)
method("assign_sub", of_same_shape(np.subtract),    T("n d"), T("n d"), read_value=each(True, False), **LOCKED)


for name, change, form, dtypes in (
        ("scatter_add", np.add,      None,     NUMBERS),
        ("scatter_sub", np.subtract, None,     NUMBERS),
        ("scatter_mul", np.multiply, None,     NUMBERS),
        ("scatter_div", quotient,    positive, NUMBERS),
        ("scatter_min", np.minimum,  None,     FLOATS + INTEGERS),
        ("scatter_max", np.maximum,  None,     FLOATS + INTEGERS)):
    one, zero = np.ones((1, 1), np.int32), np.zeros((1, 1), np.int32)
    state(f"tf.Variable.{name}", by_rows(change), T("n d", form=form, edges=False), I("k", below="n"),
          T("k d", form=form, edges=False), use_locking=each(False, True), call=slices(name), state=no_variables,
          dtypes=dtypes, errors=[error("by-zero", one, zero[0], zero)] if name == "scatter_div" else [], timed=False,
          error_factor=4 if name == "scatter_div" else 1)  # a row may be divided four times

ONCE = I(2, below=5, form=distinct, edges=False)
state("tf.Variable.scatter_update", by_rows(replaced), T("5 d", edges=False), ONCE, T("2 d", edges=False),
      use_locking=each(False, True), call=slices("scatter_update"), state=no_variables, exact=True, timed=False)


def by_batch(x, indices, rows):
    x = x.copy()
    for b, i in np.ndindex(within(x[0], indices[..., None], 1).shape[:2]):
        x[b, indices[b, i]] = rows[b, i]
    return [x, x]


state("tf.Variable.batch_scatter_update", by_batch, T("3 5 d", edges=False),
      I(3, 2, below=5, form=distinct, edges=False), T("3 2 d", edges=False), call=slices("batch_scatter_update"),
      state=no_variables, exact=True, timed=False)


for name, change, form, dtypes in (("scatter_nd_update", replaced,    lambda i: np.argsort(i, axis=0), None),
                                   ("scatter_nd_add",    np.add,      None, NUMBERS),
                                   ("scatter_nd_sub",    np.subtract, None, NUMBERS)):
    rows, places = (I(shape, below=below, form=form, edges=form is None) for shape, below in (("2 1", 5), ("2 2", 3)))
    method(name, by_places(change), dtypes=dtypes, samples=[
        sample(T("5 3", edges=False), rows, T("2 3", edges=False), name="rows"),
        sample(T("5 3", edges=False), places, T("2", edges=False), name="elements")])


def reading(name, reference, *inputs, **options):
    state(f"tf.Variable.{name}", reference, *inputs, state=no_variables, exact=True, timed=False, **options,
          call=lambda f, kept, x, *rest: getattr(variable(x, kept), name)(*rest))


reading("read_value",  lambda x: x, ROWS)
reading("value",       lambda x: x, ROWS)
reading("sparse_read", sparse_read, T("5 d", edges=False),
        each(I("k", below=5), I("j k", below=5, dtype="int64")))
reading("gather_nd",   gather_nd,   T("5 3", edges=False),
        each(I("k 1", below=5), I("k 2", below=3), I("j k 2", below=3)))


def counted(x, limit):
    if x >= limit:
        raise IndexError("the limit is reached")
    return [x, x + 1]


state("tf.Variable.count_up_to", counted, T("", values=(2, 3, 5), edges=False), each(5, 7), dtypes=("int32", "int64"),
      call=lambda f, kept, x, limit: (variable(x, kept).count_up_to(limit), kept["variable"].read_value()),
      state=no_variables, errors=[error("limit-reached", np.array(5, np.int32), 5)], timed=False)


def matrix():
    return tf.Variable(np.zeros((4, 3), np.float32), name="matrix", trainable=False, shape=[None, 3],
                       constraint=tf.nn.relu, aggregation=tf.VariableAggregation.SUM,
                       synchronization=tf.VariableSynchronization.ON_READ)


def asked(ask):
    return lambda f, v: ask(v)


for name, ask, answer in (
        ("dtype",           lambda v: v.dtype.name,                     b"float32"),
        ("shape",           lambda v: str(v.shape),                     b"(None, 3)"),
        ("get_shape",       lambda v: str(v.get_shape()),               b"(None, 3)"),
        ("set_shape",       lambda v: (v.set_shape([4, 3]), str(v.shape))[1], b"(4, 3)"),
        ("name",            lambda v: v.name,                           b"matrix:0"),
        ("trainable",       lambda v: v.trainable,                      np.False_),
        ("aggregation",     lambda v: v.aggregation.name,               b"SUM"),
        ("synchronization", lambda v: v.synchronization.name,           b"ON_READ"),
        ("constraint",      lambda v: v.constraint(tf.constant([-1.0, 2.0])), np.array([0, 2], np.float32)),
        ("ref",             lambda v: {v.ref(): v.ref().deref()}[v.ref()] is v, np.True_),
        ("experimental_ref", lambda v: v.experimental_ref().deref() is v, np.True_)):
    state(f"tf.Variable.{name}", lambda answer=answer: answer, call=asked(ask), state=matrix, timed=False)

state("tf.Variable.__iter__", list, T("4 d", edges=False), state=no_variables, exact=True, timed=False, dtypes=LEADING,
      call=lambda f, kept, x: python_only(list, TypeError, lambda v: [v[k] for k in range(4)])(f, variable(x, kept)))

for name in ("eval", "initialized_value", "initializer", "load", "to_proto", "from_proto"):
    state(f"tf.Variable.{name}").unimplemented(
        "it belongs to the sessions of TensorFlow 1; in eager mode it raises or does nothing")
for name in ("device", "graph", "op", "initial_value"):
    state(f"tf.Variable.{name}").unimplemented(
        "it describes where a variable is placed or how it was made, not its value")

# --- tf.TensorArray --------------------------------------------------------------------------------------------------


def array(x, **options):
    """A TensorArray that holds the rows of a tensor."""
    settings = {"size": tf.shape(x)[0], "element_shape": x.shape[1:], "clear_after_read": False, **options}
    return tf.TensorArray(x.dtype, **settings).unstack(x)


def unstacked(f, x):
    return f(tf.TensorArray(x.dtype, 3 if x.shape.rank == 0 else tf.shape(x)[0]), x).stack()


def written(x, index, size, dynamic_size):
    out = zeros_like(x, (max(size, index + 1) if dynamic_size else size, *x.shape))
    out[index] = x
    return out


def write(f, x, index, size, dynamic_size):
    empty = tf.TensorArray(x.dtype, size, dynamic_size=dynamic_size, element_shape=x.shape)
    return f(empty, index, x).stack()


def scatter(f, x, indices, size):
    return f(tf.TensorArray(x.dtype, size, element_shape=x.shape[1:]), indices, x).stack()


def pieces(x, lengths):
    if lengths.sum() != len(x):
        raise ValueError("the lengths do not add up")
    return [*np.split(x, np.cumsum(lengths)[:-1]), x]


def split(f, x, lengths):
    """The three pieces, and their concatenation."""
    shape = tf.TensorShape([None]).concatenate(x.shape[1:])
    empty = tf.TensorArray(x.dtype, 3, infer_shape=False, element_shape=shape, clear_after_read=False)
    parts = f(empty, x, lengths)
    return parts.read(0), parts.read(1), parts.read(2), parts.concat()


def joined(x):
    return x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])


def counted_rows(x):
    return np.int32(len(x))


def listed(name, reference, call, *inputs, **options):
    return state(f"tf.TensorArray.{name}", reference, *inputs, call=call, exact=True, timed=False, **options)


listed("stack",    lambda x: x,             lambda f, x: f(array(x)), ROWS)
listed("unstack",  lambda x: x,             unstacked, ROWS, errors=[error("scalar", T("", edges=False))])
listed("identity", lambda x: x,             lambda f, x: f(array(x)).stack(), ROWS)
listed("size",     counted_rows,            lambda f, x: f(array(x)), ROWS)
listed("concat",   joined,                  lambda f, x: f(array(x)), T("n d e", edges=False))
listed("gather",   sparse_read,             lambda f, x, i: f(array(x), i), ROWS, I("k", below="n"))
listed("split",    pieces, split, T("6 d", edges=False),
       each(np.array([1, 2, 3], np.int32), np.array([2, 2, 2], np.int32), np.array([0, 6, 0], np.int32)),
       errors=[error("too-short", T("6 d"), np.array([1, 2, 2], np.int32)),
               error("too-long", T("6 d"), np.array([1, 2, 4], np.int32)),
               error("negative", T("6 d"), np.array([-1, 4, 3], np.int32))])


@listed("write", written, write)
def writes():
    yield sample(T("d", edges=False), I("", below=3), size=3, dynamic_size=False)
    yield sample(T("d", edges=False), I("", within=(0, 6)), size=3, dynamic_size=True)
    yield sample(T("d", edges=False), I("", within=(0, 6)), size=0, dynamic_size=True, name="from-nothing")


@listed("read", lambda x, i, **options: sparse_read(x, i), lambda f, x, i, **options: f(array(x, **options), i))
def reads():
    for clear in (False, True):
        yield sample(ROWS, I("", below="n"), clear_after_read=clear)


@listed("scatter", scattered, scatter)
def scatters():
    yield sample(T("5 d", edges=False), I(5, below=5, form=distinct, edges=False), size=5)
    yield sample(T("2 d", edges=False), I(2, below=5, form=distinct, edges=False), size=5, name="some")


def array_asked(ask):
    return lambda f: ask(tf.TensorArray(tf.float32, 3, dynamic_size=True, element_shape=[2, None]))


for name, ask, answer in (("dtype",         lambda a: a.dtype.name,         b"float32"),
                          ("element_shape", lambda a: str(a.element_shape), b"(2, None)"),
                          ("dynamic_size",  lambda a: a.dynamic_size,       np.True_)):
    listed(name, lambda answer=answer: answer, array_asked(ask))

listed("close", None, None).unimplemented("it releases memory and returns nothing")
listed("grad", None, None).unimplemented(
    "it belongs to TensorFlow 1: neither eager mode nor the graphs of TensorFlow 2 implement it")
for name in ("flow", "handle"):
    listed(name, None, None).unimplemented("it connects the operations of a graph; in eager mode it is a dummy")

# --- tf.random.Generator ---------------------------------------------------------------------------------------------
# The state is a counter, lowest word first, and a key; the algorithm is a keyed hash of the counter (Salmon, Moraes,
# Dror and Shaw, Parallel random numbers: as easy as 1, 2, 3, 2011).

random = kind("random", random=True)


def philox(state, blocks):
    """Philox4x32-10: each value of the counter of 128 bits gives four words of 32 bits."""
    low, high, key = (int(word) % 2**64 for word in state)
    words = []
    for step in range(blocks):
        counter = (low + (high << 64) + step) % 2**128
        c = [counter >> 32 * n & 0xFFFFFFFF for n in range(4)]
        k = [key & 0xFFFFFFFF, key >> 32]
        for _ in range(10):
            a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
            c = [b >> 32 ^ c[1] ^ k[0], b & 0xFFFFFFFF, a >> 32 ^ c[3] ^ k[1], a & 0xFFFFFFFF]
            k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
        words += c
    return np.array(words, np.uint32)


def full_int(state, shape, dtype):
    """The words in order; a number of 64 bits takes two words, the lower half first."""
    dtype, count = np.dtype(dtype), int(np.prod(shape))
    bits = philox(state, -(-count * dtype.itemsize // 16))
    return bits.view(np.dtype(f"u{dtype.itemsize}"))[:count].view(dtype).reshape(shape)


def generator():
    return tf.random.Generator.from_seed(17, alg="philox")


def drawn(name, *inputs, state=generator, **options):
    """A method of a generator whose state is reset before every call."""
    def call(f, g, *args, **kwargs):
        g.reset_from_seed(17)
        return f(g, *args, **kwargs)

    random(f"tf.random.Generator.{name}", None, *inputs, call=call, state=state, timed=False, **options)


def is_binomial(x, shape, counts, probs, dtype):
    return shaped(x, shape) and follows(x, stats.binom(int(counts), float(probs)).cdf)


drawn("uniform", [N], minval=2, maxval=9, dtype=DTYPE, dtypes=(*FLOATS, "int32", "int64", "uint32", "uint64"),
      invariant=is_uniform)
drawn("normal", [50, 80], mean=each(0.0, 3.0), stddev=each(1.0, 0.5), dtype=DTYPE, dtypes=FLOATS, invariant=is_normal)
drawn("truncated_normal", [50, 80], mean=each(0.0, 3.0), stddev=each(1.0, 0.5), dtype=DTYPE, dtypes=FLOATS,
      invariant=is_truncated)
drawn("binomial", [N], T("", values=[20]), T("", values=[0.25]), dtype=each(np.int32, np.int64, np.float32),
      dtypes=FLOATS, invariant=is_binomial)


def with_state(f, g, state, *args, **kwargs):
    g.reset(state)
    return f(g, *args, **kwargs)


STATE = I(3, dtype="int64", within=(-2**62, 2**62))

random("tf.random.Generator.uniform_full_int", full_int, STATE, each([9], [2, 3], [0]), call=with_state,
       dtype=each(np.uint64, np.int64, np.uint32, np.int32), state=generator, timed=False)
random("tf.random.Generator.make_seeds", lambda state, count: np.stack(
    [full_int(state, [count], np.int64), np.zeros(count, np.int64)]), STATE, each(1, 5), call=with_state,
    state=generator, timed=False)
random("tf.random.Generator.reset", lambda state: state, STATE, state=generator, timed=False,
       call=lambda f, g, x: (f(g, x), g.state.read_value())[1])
random("tf.random.Generator.reset_from_seed", lambda seed: np.array([seed, 0, 0]), each(7, 0, 2**40),
       state=generator, timed=False, call=lambda f, g, seed: (f(g, seed), g.state.read_value())[1])
random("tf.random.Generator.reset_from_key_counter", lambda key, counter: np.array([*counter, key]),
       I("", dtype="int64"), I(2, dtype="int64"), state=generator, timed=False,
       call=lambda f, g, key, counter: (f(g, key, counter), g.state.read_value())[1])
random("tf.random.Generator.state", lambda state: state, STATE, state=generator, timed=False,
       call=lambda f, g, x: (g.reset(x), g.state.read_value())[1])
random("tf.random.Generator.key", lambda state: state[2], STATE, state=generator, timed=False,
       call=lambda f, g, x: (g.reset(x), g.key)[1])
random("tf.random.Generator.algorithm", lambda: np.int32(1), state=generator, timed=False,
       call=lambda f, g: np.int32(g.algorithm))


def skipped(f, g, state, delta):
    """The state after skip(n), and the state after normal([n]): both must be equal."""
    g.reset(state)
    f(g, delta)
    after = g.state.read_value()
    g.reset(state)
    g.normal([delta])
    return after, g.state.read_value()


random("tf.random.Generator.skip", None, STATE, each(0, 1, 256, 1000), call=skipped, state=generator, timed=False,
       invariant=lambda states, state, delta: (states[0], states[1]))


def made(f, kept, *args, **kwargs):
    """The state of a generator that is made once, because a tf.function may make variables only in its first call."""
    if not kept:
        kept["generator"] = f(*args, **kwargs)
    return kept["generator"].state.read_value()


WORDS = {"philox": 2, "threefry": 1}

random("tf.random.Generator.from_seed", lambda seed, alg: np.array([seed] + [0] * WORDS[alg]), each(17, 0, 2**40),
       alg=each("philox", "threefry"), call=made, state=no_variables, timed=False)
random("tf.random.Generator.from_state", lambda state, alg: np.array(state), [1, -2, 3], alg="philox", call=made,
       state=no_variables, timed=False)
random("tf.random.Generator.from_key_counter", lambda key, counter, alg: np.array([*counter, key]), 5, [1, -2],
       alg="philox", call=made, state=no_variables, timed=False)
random("tf.random.Generator.from_non_deterministic_state", None, alg="philox", call=lambda f, kept, alg: tf.shape(
    made(f, kept, alg)), state=no_variables, timed=False, invariant=lambda x, alg: (x, np.array([3], np.int32)))
random("tf.random.Generator.split").unimplemented(
    "it makes variables, which a graph must not do at every call; program.generator_split draws from its results")
