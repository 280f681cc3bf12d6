"""Programs that are not one op: state (variables, TensorArrays, tables, queues), what tf.function promises, and models.

State is created once for each prepared mode and is kept between calls, so each body first assigns the initial values.
"""

from functools import partial

import numpy as np

from tfparity import NUMBERS, I, S, T, each, program, tf

state = partial(program, kind="state", timed=False)
semantics = partial(program, kind="control flow", timed=False)

ROWS, SHORT = T(4, 3, dtype="float32", edges=False), T(2, 3, dtype="float32", edges=False)


def variable(*shape, dtype="float32"):
    """A maker of a variable of zeros."""
    return lambda: tf.Variable(tf.zeros(shape, dtype))


# --- variables -----------------------------------------------------------------------------------------------------


def updated(name, apply, reference, *inputs, **more):
    """A variable set to the first input, changed by `apply(variable, *rest)`, and read."""
    def body(v, start, *rest):
        v.assign(start)
        result = apply(v, *rest)
        return v.read_value() if result is None else (result, v.read_value())

    state(f"program.variable_{name}", ROWS, *inputs, state=variable(4, 3), reference=reference, **more)(body)


def with_rows(change):
    """A reference that changes rows of a copy, in order."""
    def reference(x, indices, updates):
        x = x.copy()
        for i, row in zip(indices, updates, strict=True):
            x[i] = change(x[i], row)
        return x

    return reference


def discard(_):
    """Ignores the result of an update, which is the variable: only the value read after it is compared."""


INDICES = I(2, below=4)
DISTINCT = I(2, within=(0, 3), form=lambda i: np.array([i[0], (i[0] + 1) % 4]))

updated("assign", lambda v, y: discard(v.assign(y)), lambda x, y: y, ROWS)
updated("assign_add", lambda v, y: discard(v.assign_add(y)), lambda x, y: x + y, ROWS)
updated("assign_sub", lambda v, y: discard(v.assign_sub(y)), lambda x, y: x - y, ROWS)
updated("read_before", lambda v, y: (v.read_value(), v.assign(y)), lambda x, y: [x, y, y], ROWS)
updated("assign_twice", lambda v, y: discard((v.assign_add(y), v.assign(v * 2))), lambda x, y: 2 * (x + y), ROWS)
updated("slice_assign", lambda v, y: discard(v[1:3].assign(y)),
        lambda x, y: np.concatenate([x[:1], y, x[3:]]), SHORT)
updated("gather", lambda v, i: tf.gather(v, i), lambda x, i: [x[i], x], INDICES)
updated("sparse_read", lambda v, i: v.sparse_read(i), lambda x, i: [x[i], x], INDICES)
updated("gather_nd", lambda v, i: v.gather_nd(i[:, None]), lambda x, i: [x[i], x], INDICES)

for name, change, indices in (
        ("scatter_update", lambda row, new: new, DISTINCT), ("scatter_add", np.add, INDICES),
        ("scatter_sub", np.subtract, INDICES), ("scatter_mul", np.multiply, INDICES),
        ("scatter_div", np.divide, INDICES), ("scatter_min", np.minimum, INDICES),
        ("scatter_max", np.maximum, INDICES)):
    updated(name, lambda v, i, y, name=name: discard(getattr(v, name)(tf.IndexedSlices(y, i))), with_rows(change),
            indices, SHORT)

for name, change, indices in (
        ("scatter_nd_update", lambda row, new: new, DISTINCT), ("scatter_nd_add", np.add, INDICES),
        ("scatter_nd_sub", np.subtract, INDICES)):
    updated(name, lambda v, i, y, name=name: discard(getattr(v, name)(i[:, None], y)), with_rows(change),
            indices, SHORT)

updated("keeps_its_shape", lambda v, y: discard(v.assign(y)), lambda x, y: refuse("it has 4 rows, not 2"), SHORT)
updated("result_of_update", lambda v, y: v.assign_add(y) * 2, lambda x, y: [2 * (x + y), x + y], ROWS)


def refuse(why):
    raise ValueError(why)


@state("program.variable_of_dtype", T(3), reference=lambda x: x,
       state=lambda: {dtype: tf.Variable(tf.zeros([3], dtype)) for dtype in (*NUMBERS, "bool", "string")})
def variable_of_dtype(variables, x):
    """A variable of any dtype gives back what was assigned."""
    variables[x.dtype.name].assign(x)
    return variables[x.dtype.name].read_value()


@state("program.variable_loop", I("", within=(0, 9)), state=variable(dtype="int32"),
       reference=lambda n: np.int32(sum(range(n))))
def variable_loop(v, n):
    """A loop that changes a variable keeps its steps in order."""
    v.assign(0)
    for i in tf.range(n):
        v.assign_add(i)
    return v.read_value()


@state("program.variable_in_branch", I("", within=(-3, 3)), state=variable(dtype="int32"),
       reference=lambda n: np.int32(1 if n > 0 else 10))
def variable_in_branch(v, n):
    """Only the branch taken changes the variable."""
    v.assign(0)
    if n > 0:
        v.assign_add(1)
    else:
        v.assign_add(10)
    return v.read_value()


# --- TensorArray ---------------------------------------------------------------------------------------------------

LIST = T("n d", dtype="float32", edges=False)


def filled(x, **options):
    n = tf.shape(x)[0]
    return tf.TensorArray(tf.float32, **{"size": n, "element_shape": x.shape[1:], **options}).unstack(x)


@state("program.tensorarray_write_stack", LIST, reference=lambda x: 2 * x[::-1])
def tensorarray_write_stack(x):
    n = tf.shape(x)[0]
    out = tf.TensorArray(tf.float32, n, element_shape=x.shape[1:])
    for i in tf.range(n):
        out = out.write(n - 1 - i, x[i] + x[i])
    return out.stack()


@state("program.tensorarray_unstack_read", LIST, reference=lambda x: [x[0], x[-1], np.int32(len(x))], empty=False)
def tensorarray_unstack_read(x):
    array = filled(x, clear_after_read=False)
    return array.read(0), array.read(tf.shape(x)[0] - 1), array.size()


@state("program.tensorarray_gather", LIST, I("k", below="n"), reference=lambda x, i: x[i])
def tensorarray_gather(x, i):
    return filled(x).gather(i)


@state("program.tensorarray_scatter", ROWS, reference=lambda x: x[[2, 0, 3, 1]])
def tensorarray_scatter(x):
    return tf.TensorArray(tf.float32, 4, element_shape=[3]).scatter([1, 3, 0, 2], x).stack()


@state("program.tensorarray_split_concat", ROWS, reference=lambda x: [x[:1], x[1:], x])
def tensorarray_split_concat(x):
    """Pieces of unequal length, and all of them joined again."""
    array = tf.TensorArray(tf.float32, 2, infer_shape=False, clear_after_read=False).split(x, [1, 3])
    return array.read(0), array.read(1), array.concat()


@state("program.tensorarray_split_leftover", T(5, dtype="float32", edges=False),
       reference=lambda x: refuse("3 of 5 elements"))
def tensorarray_split_leftover(x):
    """The lengths of the pieces must sum to what is split."""
    return tf.TensorArray(tf.float32, 3).split(x, [1, 1, 1]).read(0)


@state("program.tensorarray_write_dropped", T(3, dtype="float32", edges=False),
       reference=lambda x: np.zeros((2, 3), np.float32))
def tensorarray_write_dropped(x):
    """A write returns the changed array; the array on which it was called is unchanged."""
    array = tf.TensorArray(tf.float32, 2, element_shape=x.shape)
    array.write(0, x).mark_used()
    return array.stack()


@state("program.tensorarray_dynamic_size", I("", within=(0, 9)), reference=lambda n: np.arange(n, dtype=np.int32) ** 2)
def tensorarray_dynamic_size(n):
    out = tf.TensorArray(tf.int32, 0, dynamic_size=True, element_shape=[])
    for i in tf.range(n):
        out = out.write(i, i * i)
    return out.stack()


@state("program.tensorarray_unwritten_is_zero", T("d", dtype="float32", edges=False),
       reference=lambda x: np.stack([np.zeros_like(x), x, np.zeros_like(x)]))
def tensorarray_unwritten_is_zero(x):
    """An element never written reads as zeros where its shape is known."""
    return tf.TensorArray(tf.float32, 3, element_shape=x.shape).write(1, x).stack()


@state("program.tensorarray_beyond_the_end", T("d", dtype="float32", edges=False),
       reference=lambda x: refuse("index 3"))
def tensorarray_beyond_the_end(x):
    """Writing past a fixed size is an error."""
    return tf.TensorArray(tf.float32, 3, element_shape=x.shape).write(3, x).stack()


@state("program.tensorarray_gradient", LIST, reference=lambda x: 2 * x)
def tensorarray_gradient(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        stacked = filled(x).stack()
        y = tf.reduce_sum(stacked * stacked)
    return tape.gradient(y, x)


# --- tables and queues ---------------------------------------------------------------------------------------------

KEYS, VALUES = np.array([3, 1, 2], np.int64), np.array([30, 10, 20], np.int64)


def looked_up(keys, default=-1):
    table = dict(zip(KEYS.tolist(), VALUES.tolist(), strict=True))
    return np.array([table.get(k, default) for k in np.ravel(keys).tolist()], np.int64).reshape(np.shape(keys))


def mutable_table(kind):
    def make():
        extra = {"empty_key": -100, "deleted_key": -101} if kind == "DenseHashTable" else {}
        return getattr(tf.lookup.experimental, kind)(tf.int64, tf.int64, default_value=-1, **extra)

    return make


@state("program.static_table", T("n", dtype="int64", within=(0, 5)), reference=looked_up,
       state=lambda: tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(KEYS, VALUES), -1))
def static_table(table, keys):
    return table.lookup(keys)


for name in ("MutableHashTable", "DenseHashTable"):
    @state(f"program.table_{name}", T("n", dtype="int64", within=(0, 5)), state=mutable_table(name),
           reference=lambda keys: [looked_up(keys), np.int64(3), np.array([-1, 30]), np.int64(2), np.array([1, 31])])
    def mutable(table, keys):
        """Insert, look up, remove, replace: each operation sees the effects of those before it."""
        table.remove(tf.constant([1, 2, 3], tf.int64))
        table.insert(tf.constant(KEYS), tf.constant(VALUES))
        found, size = table.lookup(keys), table.size()
        table.remove(tf.constant([1], tf.int64))
        after, smaller = table.lookup(tf.constant([1, 3], tf.int64)), table.size()
        table.insert(tf.constant([1, 3], tf.int64), tf.constant([1, 31], tf.int64))
        return found, size, after, smaller, table.lookup(tf.constant([1, 3], tf.int64))


@state("program.static_vocabulary", S("n", values=["a", "b", "c", ""]), reference=lambda words: np.array(
    [{b"a": 0, b"b": 1}.get(w, 2) for w in words], np.int64),
    state=lambda: tf.lookup.StaticVocabularyTable(tf.lookup.KeyValueTensorInitializer(
        ["a", "b"], tf.constant([0, 1], tf.int64)), num_oov_buckets=1))
def static_vocabulary(table, words):
    """Words outside the vocabulary share the one bucket after it."""
    return table.lookup(words)


@state("program.queue_first_in_first_out", T(3, dtype="float32"), reference=lambda x: [x[0], x[1:], np.int32(0)],
       state=lambda: tf.queue.FIFOQueue(8, [tf.float32], [()]))
def queue_first_in_first_out(queue, x):
    queue.enqueue_many([x])
    return queue.dequeue(), queue.dequeue_many(2), queue.size()


@state("program.queue_by_priority", T(3, dtype="float32"), reference=lambda x: x[[1, 2, 0]],
       state=lambda: tf.queue.PriorityQueue(8, [tf.float32], [()]))
def queue_by_priority(queue, x):
    """The lowest priority number comes first."""
    queue.enqueue_many([tf.constant([9, 1, 5], tf.int64), x])
    return queue.dequeue_many(3)[1]


# --- tf.function ---------------------------------------------------------------------------------------------------


@semantics("program.function_traces_once_per_signature", T("n", dtype="float32"), autograph=False,
           reference=lambda x: [np.array([1, 1, 2, 3, 3, 4], np.int32), x + 2])
def function_traces_once_per_signature(x):
    """Python's side effects happen when tracing: once for each new dtype, shape or Python value."""
    traced, counts = [], []

    @tf.function
    def add(a, b):
        traced.append(b)
        return a + b

    for a, b in ((tf.ones([2]), 1), (tf.zeros([2]), 1), (tf.ones([3]), 1), (tf.ones([2]), 2), (tf.zeros([2]), 2),
                 (tf.ones([2], tf.int32), 1)):
        add(a, b)
        counts.append(len(traced))
    return tf.constant(counts), add(x, 2)


@semantics("program.function_relaxes_shapes", T("", dtype="float32"), autograph=False,
           reference=lambda x: [np.array([1, 1, 1, 1], np.int32), np.array([x, x, x]) * 2])
def function_relaxes_shapes(x):
    """With an input signature of unknown length one trace serves all lengths."""
    traced, counts = [], []

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def double(a):
        traced.append(a)
        return a * 2

    for n in (1, 2, 3, 0):
        double(tf.ones([n]))
        counts.append(len(traced))
    return tf.constant(counts), double(tf.fill([3], x))


@semantics("program.function_refuses_signature", T("n", dtype="float32"), autograph=False,
           reference=lambda x: refuse("int32 is not float32"))
def function_refuses_signature(x):
    """An input signature refuses what it does not describe."""
    return tf.function(lambda a: a * 2, input_signature=[tf.TensorSpec([None], tf.float32)])(tf.cast(x, tf.int32))


@semantics("program.function_captures_variable", T("n", dtype="float32"), state=variable(),
           reference=lambda x: [x * 2, x * 5])
def function_captures_variable(v, x):
    """A captured variable is read at each call; a captured Python number was read when tracing."""
    v.assign(2.0)
    scaled = tf.function(lambda a: a * v)
    first = scaled(x)
    v.assign(5.0)
    return first, scaled(x)


@semantics("program.function_captures_value", T("n", dtype="float32"), autograph=False,
           reference=lambda x: [x * 2, x * 2])
def function_captures_value(x):
    """A Python number that changes after tracing has no effect: documented, and a common mistake."""
    scale = [2.0]
    scaled = tf.function(lambda a: a * scale[0])
    first = scaled(x)
    scale[0] = 5.0
    return first, scaled(x)


@semantics("program.function_updates_in_order", T("", dtype="float32"), state=variable(),
           reference=lambda x: [x + 1, 2 * (x + 1), 2 * (x + 1)])
def function_updates_in_order(v, x):
    """Automatic control dependencies: reads and writes of a variable keep the order of the program."""
    @tf.function
    def inner(a):
        v.assign(a)
        v.assign_add(1.0)
        before = v.read_value()
        v.assign(v * 2)
        return before, v.read_value()

    before, after = inner(x)
    return before, after, v.read_value()


@semantics("program.function_gradient", T("n", dtype="float32", edges=False), jit_compile=each(None, True),
           reference=lambda x, **_: [x**3, 3 * x**2, 6 * x])
def function_gradient(x, jit_compile):
    """Gradients of first and second order go through a function."""
    cube = tf.function(lambda a: a * a * a, jit_compile=jit_compile)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = cube(x)
        first = inner.gradient(y, x)
    return y, first, outer.gradient(first, x)


@semantics("program.function_structure", T("n", dtype="float32"), T("m", dtype="float32"),
           reference=lambda x, y: [2 * x, [x, y], None])
def function_structure(x, y):
    """Nested structures go in and come out as they are."""
    def nested(p):
        return {"a": p["first"] * 2, "b": (p["first"], p["rest"][0]), "c": None}

    out = tf.function(nested)({"first": x, "rest": [y]})
    return out["a"], out["b"], out["c"]


@semantics("program.function_calls_python_each_time", T("", dtype="float32", edges=False), autograph=False,
           reference=lambda x: [np.int32(1), np.int32(1)])
def function_calls_python_each_time(x):
    """tf.py_function runs at every call, however often the function was traced."""
    calls = []

    def count():
        calls.append(1)
        return len(calls)

    counted = tf.function(lambda: tf.py_function(count, [], tf.int32))
    first = counted()
    with tf.control_dependencies([first]):
        second = counted()
    with tf.control_dependencies([second]):
        return second - first, counted() - second


@semantics("program.negative_zero_after_zero", T("n", dtype="float32"), autograph=False,
           reference=lambda x: [np.float32(0.0), np.float32(-0.0), x])
def negative_zero_after_zero(x):
    """Two constants that compare equal but differ in the sign of zero."""
    return tf.constant(0.0), tf.constant(-0.0), x


def unused(name, wasted, *inputs):
    """A program that computes `wasted` and does not return it. Where that is invalid, eager raises an error, and a
    graph that prunes it does not. The program returns the first input plus itself."""

    def body(x, *more):
        wasted(x, *more)
        return x + x

    semantics(f"program.unused_{name}", *inputs, reference=lambda x, *more: x + x, autograph=False)(body)


unused("division", lambda x, y: x // y, T("n", dtype="int32"), T("n", dtype="int32"))
unused("gather", lambda x, i: tf.gather(x, i), T("n", dtype="float32"), I("m", below="n"))
unused("slice", lambda x: tf.slice(x, [1], [4]), T("n", dtype="float32"))
unused("reshape", lambda x: tf.reshape(x, [2, -1]), T("n", dtype="float32"))
unused("check_numerics", lambda x: tf.debugging.check_numerics(x, "an edge value"), T("n", dtype="float32"))
unused("assertion", lambda x: tf.debugging.assert_less(x, 3.0), T("n", dtype="float32"))


# --- models --------------------------------------------------------------------------------------------------------

VALUES_OF = partial(T, dtype="float32", edges=False, domain=(-1, 1))


def softmax(x):
    e = np.exp(x - np.max(x, -1, keepdims=True))
    return e / np.sum(e, -1, keepdims=True)


def perceptron():
    return [tf.Variable(tf.zeros(shape)) for shape in ([3, 5], [5], [5, 2], [2])]


@program("program.mlp_training", VALUES_OF(6, 3), VALUES_OF(6, 2), VALUES_OF(3, 5), VALUES_OF(5, 2), steps=each(1, 5),
         state=perceptron, reference=lambda *inputs, steps: descended(*inputs, steps), error_factor=8)
def mlp_training(weights, x, y, w1, w2, steps):
    """Two layers, forwards and backwards, with steps of gradient descent: losses and weights."""
    for variable, start in zip(weights, (w1 / 4, tf.zeros([5]), w2 / 4, tf.zeros([2])), strict=True):
        variable.assign(start)
    losses = tf.TensorArray(tf.float32, steps)
    for step in tf.range(steps):
        with tf.GradientTape() as tape:
            hidden = tf.tanh(tf.matmul(x, weights[0]) + weights[1])
            loss = tf.reduce_mean(tf.square(tf.matmul(hidden, weights[2]) + weights[3] - y))
        for variable, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
            variable.assign_sub(0.1 * gradient)
        losses = losses.write(step, loss)
    return losses.stack(), [v.read_value() for v in weights]


def descended(x, y, w1, w2, steps):
    w1, b1, w2, b2, losses = w1 / 4, np.zeros(5), w2 / 4, np.zeros(2), []
    for _ in range(steps):
        h = np.tanh(x @ w1 + b1)
        error = h @ w2 + b2 - y
        losses.append(np.mean(error**2))
        out = 2 * error / error.size
        back = (out @ w2.T) * (1 - h * h)
        w1, b1, w2, b2 = w1 - 0.1 * x.T @ back, b1 - 0.1 * back.sum(0), w2 - 0.1 * h.T @ out, b2 - 0.1 * out.sum(0)
    return [np.array(losses), [w1, b1, w2, b2]]


@program("program.rnn_cell", VALUES_OF("t b 3"), VALUES_OF(3, 4), VALUES_OF(4, 4),
         reference=lambda x, w, u: recurrent(x, w, u))
def rnn_cell(x, w, u):
    """A recurrent loop over time, down to its last state."""
    h = tf.zeros([tf.shape(x)[1], 4])
    for t in tf.range(tf.shape(x)[0]):
        h = tf.ensure_shape(tf.tanh(tf.matmul(x[t], w) + tf.matmul(h, u) / 4), [None, 4])
    return h


def recurrent(x, w, u):
    h = np.zeros((x.shape[1], 4))
    for step in x:
        h = np.tanh(step @ w + h @ u / 4)
    return h


@program("program.attention", VALUES_OF("b q d"), VALUES_OF("b k d"), VALUES_OF("b k v"), causal=each(False, True),
         reference=lambda q, k, v, causal: attended(q, k, v, causal), empty=False)
def attention(q, k, v, causal):
    """Scaled dot-product attention, with and without a mask."""
    scores = tf.matmul(q, k, transpose_b=True) / tf.sqrt(tf.cast(tf.shape(q)[-1], tf.float32))
    if causal:
        allowed = tf.sequence_mask(tf.range(1, tf.shape(q)[1] + 1), tf.shape(k)[1])
        scores = tf.where(allowed, scores, -1e9)
    return tf.matmul(tf.nn.softmax(scores), v)


def attended(q, k, v, causal):
    scores = q @ np.swapaxes(k, 1, 2) / np.sqrt(q.shape[-1])
    if causal:
        scores = np.where(np.arange(k.shape[1]) <= np.arange(q.shape[1])[:, None], scores, -1e9)
    return softmax(scores) @ v


@program("program.batch_normalisation_step", VALUES_OF(6, 3), VALUES_OF(3), VALUES_OF(3),
         state=lambda: (tf.Variable(tf.zeros([3])), tf.Variable(tf.ones([3]))), reference=lambda x, scale, offset: [
             (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3) * scale + offset, 0.1 * x.mean(0), 0.9 + 0.1 * x.var(0)])
def batch_normalisation_step(moving, x, scale, offset):
    """Normalises by the batch and moves the running mean and variance."""
    mean, variance = moving
    mean.assign(tf.zeros([3]))
    variance.assign(tf.ones([3]))
    m, v = tf.nn.moments(x, [0])
    mean.assign_sub((mean - m) * 0.1)
    variance.assign_sub((variance - v) * 0.1)
    return tf.nn.batch_normalization(x, m, v, offset, scale, 1e-3), mean.read_value(), variance.read_value()


@program("program.keras_dense", VALUES_OF("b", 3), VALUES_OF(3, 4), VALUES_OF(4), timed=False,
         state=lambda: built(tf.keras.layers.Dense(4, activation="relu"), 3),
         reference=lambda x, w, b: np.maximum(x @ w + b, 0))
def keras_dense(layer, x, w, b):
    layer.kernel.assign(w)
    layer.bias.assign(b)
    return layer(x)


def built(layer, width):
    layer.build((None, width))
    return layer


# --- numerical loops -----------------------------------------------------------------------------------------------


@program("program.power_iteration", T(4, 4, edges=False, form=lambda a: a @ a.T + 20 * np.diag([1, 0, 0, 0])),
         dtypes=["float32", "float64"], error_factor=8,
         reference=lambda a: np.linalg.eigvalsh(a.astype(np.float64))[-1])
def power_iteration(a):
    """The largest eigenvalue of a symmetric matrix, iterated until it no longer changes."""
    a = tf.ensure_shape(a, [4, 4])
    v, value, change = tf.ones([4, 1], a.dtype), tf.zeros([], a.dtype), tf.ones([], a.dtype)
    steps = tf.constant(0)
    while change > 0 and steps < 300:
        w = tf.matmul(a, v)
        v = w / tf.norm(w)
        new = tf.reduce_sum(v * tf.matmul(a, v))
        change = tf.abs(new - value)
        value = new
        steps += 1
    return value


@program("program.newton", T("n", within=(0.01, 100), edges=False), dtypes=["float32", "float64"], reference=np.sqrt)
def newton(x):
    """Square roots by Newton's iteration."""
    root = (x + 1) / 2
    for _ in tf.range(12):
        root = (root + x / root) / 2
    return root


@program("program.mandelbrot",
         T("n", dtype="complex64", values=[0, -1, 0.25, 1j, -0.5 + 0.5j, 0.3, 1, 2, -2.5, 0.5 + 0.5j]),
         reference=lambda c: escaped(c))
def mandelbrot(c):
    """The number of steps, of at most 20, after which a point leaves the circle of radius 2."""
    z, count = tf.zeros_like(c), tf.zeros_like(c, tf.int32)
    for _ in tf.range(20):
        inside = tf.abs(z) <= 2
        z = tf.where(inside, z * z + c, z)
        count += tf.cast(inside, tf.int32)
    return count


def escaped(c):
    counts = []
    for point in np.ravel(c):
        z, count = 0, 0
        while abs(z) <= 2 and count < 20:
            z, count = z * z + point, count + 1
        counts.append(count)
    return np.array(counts, np.int32)


@program("program.game_of_life", T(6, 6, dtype="int32", within=(0, 1)), steps=each(1, 4),
         reference=lambda cells, steps: lived(cells, steps))
def game_of_life(cells, steps):
    for _ in tf.range(steps):
        around = tf.zeros_like(cells)
        for dx in (-1, 0, 1):
            for dy in (-1, 0, 1):
                around += tf.roll(cells, [dx, dy], [0, 1])
        cells = tf.cast((around == 3) | ((around == 4) & (cells == 1)), tf.int32)
    return cells


def lived(cells, steps):
    for _ in range(steps):
        new = np.zeros_like(cells)
        for i in range(6):
            for j in range(6):
                near = sum(cells[(i + a) % 6, (j + b) % 6] for a in (-1, 0, 1) for b in (-1, 0, 1)) - cells[i, j]
                new[i, j] = near == 3 or (near == 2 and cells[i, j])
        cells = new
    return cells


@program("program.conjugate_gradients", T(4, 4, edges=False, form=lambda a: a @ a.T + 8 * np.eye(4)), T(4, edges=False),
         dtypes=["float32", "float64"], error_factor=8,
         reference=lambda a, b: np.linalg.solve(a.astype(np.float64), b.astype(np.float64)))
def conjugate_gradients(a, b):
    """Solves a positive definite system of n unknowns in n + 2 steps."""
    a, b = tf.ensure_shape(a, [4, 4]), tf.ensure_shape(b, [4])
    x, r, p = tf.zeros_like(b), b, b
    for _ in tf.range(6):
        size = tf.reduce_sum(r * r)
        ap = tf.linalg.matvec(a, p)
        step = tf.math.divide_no_nan(size, tf.reduce_sum(p * ap))
        x += step * p
        r -= step * ap
        p = r + tf.math.divide_no_nan(tf.reduce_sum(r * r), size) * p
    return x


@program("program.simpson", T(2, dtype="float64", within=(-3, 3), edges=False), error_factor=1e6,
         reference=lambda ends: np.sin(ends[1]) - np.sin(ends[0]))
def simpson(ends):
    """The integral of the cosine by Simpson's rule on 400 pieces, whose own error is about 1e-10."""
    x = tf.linspace(ends[0], ends[1], 401)
    weights = tf.concat([[1.0], tf.tile([4.0, 2.0], [199]), [4.0, 1.0]], 0)
    return tf.reduce_sum(tf.cast(weights, tf.float64) * tf.cos(x)) * (ends[1] - ends[0]) / 1200


@program("program.prefix_sums", T("n", dtype="int32"), reference=lambda x: np.cumsum(x, dtype=np.int32))
def prefix_sums(x):
    """Sums by doubling: log2(n) steps, each a shifted addition."""
    x = tf.ensure_shape(x, [None])
    by, n = tf.constant(1), tf.size(x)
    while by < n:
        x = tf.ensure_shape(x + tf.where(tf.range(n) < by, 0, tf.roll(x, by, 0)), x.shape)
        by *= 2
    return x
