"""The programs of TensorFlow's eager execution guide, each run eagerly, in a graph, under XLA and against Python.

A program that cannot do inside a graph what it does eagerly (print a value, hand an array to NumPy) returns what the
documentation promises there instead: `eagerly_or` runs the eager form, or shows that a symbolic tensor refuses it.
"""

import os
import tempfile
import time
import traceback
from functools import partial

import numpy as np

from tfparity import T, each, inf, program, tf

guide = partial(program, timed=False)

A = np.array([[1, 2], [3, 4]], np.int32)


def eagerly_or(eager, graph, *tensors):
    """`eager(*tensors)`; in a graph, where tensors have no value, it must raise, and `graph` is returned."""
    if tf.executing_eagerly():
        return eager(*tensors)
    try:
        taken = eager(*tensors)
    except (AttributeError, NotImplementedError, TypeError):
        return graph(*tensors)
    raise AssertionError(f"a symbolic tensor was taken for a value: {taken}")


# --- setup and basic usage -----------------------------------------------------------------------------------------


@guide("guide.executing_eagerly", T("", dtype="float32"), reference=lambda x: [True, False, True, True])
def executing_eagerly(x):
    """True where tensors have values, False while a function is traced, True again in init_scope and py_function."""
    has_value = not tf.is_symbolic_tensor(x)
    inside = tf.function(lambda: tf.constant(tf.executing_eagerly()))()
    with tf.init_scope():
        lifted = tf.executing_eagerly()
    return tf.executing_eagerly() == has_value, inside, lifted, tf.py_function(tf.executing_eagerly, [], tf.bool)


@guide("guide.matmul", np.array([[2.0]], np.float32), reference=lambda x: np.array([[4.0]]))
def matmul(x):
    return tf.matmul(x, x)


@guide("guide.print_tensor", A, reference=lambda a: [True, True, True])
def print_tensor(a):
    """Printing shows shape and dtype in every mode, the values only where there are any."""
    text = str(a)
    shape_shown = f"shape={a.shape}" in text or a.shape.rank is None
    return shape_shown, "dtype=int32" in text, ("[[1 2]\n [3 4]]" in text) == tf.executing_eagerly()


@guide("guide.repr_tensor", A, reference=lambda a: [True, True, True])
def repr_tensor(a):
    text = repr(a)
    value_shown = "numpy=\narray([[1, 2],\n       [3, 4]], dtype=int32)" in text
    return f"shape={a.shape}" in text, "dtype=int32" in text, value_shown == tf.executing_eagerly()


@guide("guide.format_tensor", A, reference=lambda a: b"a is [[1 2]\n [3 4]]")
def format_tensor(a):
    return tf.strings.format("a is {}", a)


@guide("guide.broadcasting_add", A, reference=lambda a: np.array([[2, 3], [4, 5]], np.int32))
def broadcasting_add(a):
    return tf.add(a, 1)


@guide("guide.operators", A, reference=lambda a: np.array([[2, 6], [12, 20]], np.int32))
def operators(a):
    b = tf.add(a, 1)
    return a * b


@guide("guide.numpy_on_tensors", A, reference=lambda a: np.array([[2, 6], [12, 20]], np.int32))
def numpy_on_tensors(a):
    """NumPy accepts tensors and returns arrays; a symbolic tensor must raise, not become an object array."""
    return eagerly_or(np.multiply, tf.multiply, a, a + 1)


@guide("guide.tensorflow_on_arrays", T("n", dtype="float64"), reference=lambda x: [
    np.square([1.0, 2.0]), np.array([6, 8], np.int32), 2.5, x + 0.1, np.array([2, 4])])
def tensorflow_on_arrays(x):
    """tf.math accepts NumPy arrays and keeps their dtype; Python numbers become int32 or float32."""
    array = np.array([3, 4], np.int32)
    return (tf.square(np.array([1.0, 2.0])), tf.add(array, array), tf.add(1.0, 1.5), tf.add(x, 0.1),
            tf.multiply([1, 2], 2))


@guide("guide.python_dtypes", reference=lambda: ["float32", "int32", "float64", "bool", "complex128", "string"])
def python_dtypes():
    """Python's numbers become float32, int32, bool and complex128, NumPy's arrays keep their dtype."""
    values = [1.0, 1, np.array(1.0), True, 1j, "a"]
    return tuple(tf.convert_to_tensor(v).dtype.name for v in values)


@guide("guide.numpy_method", T("n", dtype="float32"), reference=lambda x: x)
def numpy_method(x):
    """`.numpy()` gives the value as an array; a symbolic tensor has no such method."""
    return eagerly_or(lambda t: t.numpy(), tf.stop_gradient, x)


@guide("guide.truth_of_tensor", T("", dtype="float32"), reference=lambda x: x > 0, autograph=False)
def truth_of_tensor(x):
    """A scalar tensor has a truth value in eager; in a graph without autograph, bool() of it is an error."""
    return eagerly_or(lambda t: bool(t > 0), lambda t: t > 0, x)


# --- dynamic control flow ------------------------------------------------------------------------------------------


def fizzbuzz_lines(most):
    words = {(True, True): "FizzBuzz", (True, False): "Fizz", (False, True): "Buzz"}
    return [words.get((n % 3 == 0, n % 5 == 0), str(n)) for n in range(1, most + 1)]


@guide("guide.fizzbuzz", np.array(15, np.int32), reference=lambda most: [most, np.array(fizzbuzz_lines(most))])
def fizzbuzz(most):
    """The same lines and the same counter, whether Python or autograph runs the loop."""
    counter = tf.constant(0)
    lines = tf.TensorArray(tf.string, size=most)
    for num in tf.range(1, most + 1):
        if num % 3 == 0 and num % 5 == 0:
            line = tf.constant("FizzBuzz")
        elif num % 3 == 0:
            line = tf.constant("Fizz")
        elif num % 5 == 0:
            line = tf.constant("Buzz")
        else:
            line = tf.strings.as_string(num)
        lines = lines.write(counter, line)
        counter += 1
    return counter, lines.stack()


@guide("guide.fizzbuzz_counts", np.array(15, np.int32), reference=lambda most: np.array([
    sum(line == w for line in fizzbuzz_lines(most)) for w in ("FizzBuzz", "Fizz", "Buzz")], np.int32))
def fizzbuzz_counts(most):
    """How often each word occurs, as numbers only, so that XLA can compile it too."""
    both, fizz, buzz = tf.constant(0), tf.constant(0), tf.constant(0)
    num = tf.constant(1)
    while num <= most:
        if num % 3 == 0 and num % 5 == 0:
            both += 1
        elif num % 3 == 0:
            fizz += 1
        elif num % 5 == 0:
            buzz += 1
        num += 1
    return tf.stack([both, fizz, buzz])


def temporary():
    """A fresh path under a folder of its own."""
    return os.path.join(tempfile.mkdtemp(prefix="tfparity-"), "file")


@guide("guide.fizzbuzz_printed", np.array(15, np.int32), state=temporary,
       reference=lambda most: "".join(line + "\n" for line in fizzbuzz_lines(most)))
def fizzbuzz_printed(path, most):
    """What tf.print writes, line by line and in order, read back from the file it prints to."""
    tf.io.write_file(path, "")
    counter = tf.constant(0)
    for num in tf.range(1, most + 1):
        if num % 3 == 0 and num % 5 == 0:
            tf.print("FizzBuzz", output_stream="file://" + path)
        elif num % 3 == 0:
            tf.print("Fizz", output_stream="file://" + path)
        elif num % 5 == 0:
            tf.print("Buzz", output_stream="file://" + path)
        else:
            tf.print(num, output_stream="file://" + path)
        counter += 1
    with tf.control_dependencies([counter]):
        return tf.io.read_file(path)


# --- automatic differentiation -------------------------------------------------------------------------------------


@guide("guide.gradient_tape", state=lambda: tf.Variable([[1.0]]), reference=lambda: np.array([[2.0]]))
def gradient_tape(w):
    w.assign([[1.0]])
    with tf.GradientTape() as tape:
        loss = w * w
    return tape.gradient(loss, w)


@guide("guide.inspect_in_tape", T("n", dtype="float32"), reference=lambda x: [3 * x**2, 3 * x**2])
def inspect_in_tape(x):
    """Printing, comparing and taking the value of what is recorded does not disturb the gradient."""
    found = []
    for inspect in (False, True):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x * x
            if inspect:
                str(y), y.shape, y.dtype
                tf.debugging.assert_equal(tf.size(y), tf.size(x))
                eagerly_or(lambda t: t.numpy(), tf.identity, y)
                tf.reduce_any(y > 1)
                tf.stop_gradient(y * 100)
            z = y * x
        found.append(tape.gradient(z, x))
    return found


@guide("guide.tape_is_used_once", T("", dtype="float32"), reference=lambda x: [2 * x, True])
def tape_is_used_once(x):
    """A tape that is not persistent gives one gradient, then an error."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    first = tape.gradient(y, x)
    try:
        tape.gradient(y, x)
        refused = False
    except RuntimeError:
        refused = True
    return first, refused


@guide("guide.error_at_line", autograph=False, reference=lambda: np.int32(2))
def error_at_line():
    """A faulty operation is reported at its own Python line, counted from the head of its function."""
    def faulty(a):
        good = tf.matmul(a, a, transpose_b=True)
        bad = tf.matmul(a, a)
        return good + bad

    try:
        faulty(tf.ones([2, 3]))
    except (ValueError, tf.errors.InvalidArgumentError) as error:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.name == "faulty"]
        return tf.constant(frames[-1].lineno - faulty.__code__.co_firstlineno)
    return tf.constant(-1)


# --- training ------------------------------------------------------------------------------------------------------


def line(x):
    return x * 3 + 2


def descent(x, steps, rate=0.02):
    """Fits `w x + b` to `3 x + 2` from (5, 10) by plain gradient descent on the mean squared error."""
    w, b, losses = x.dtype.type(5), x.dtype.type(10), []
    for _ in range(steps):
        error = w * x + b - line(x)
        losses.append(np.mean(error**2))
        w, b = w - rate * 2 * np.mean(error * x), b - rate * 2 * np.mean(error)
    return [np.array(losses), w, b]


def trained(w, b, x, steps, apply):
    """The loop of the guide: loss, gradient and update, `steps` times; the losses, then the variables."""
    w.assign(5.0)
    b.assign(10.0)
    losses = tf.TensorArray(tf.float32, size=steps)
    for step in tf.range(steps):
        with tf.GradientTape() as tape:
            error = w * x + b - line(x)
            loss = tf.reduce_mean(tf.square(error))
        apply(tape.gradient(loss, [w, b]))
        losses = losses.write(step, loss)
    return losses.stack(), w.read_value(), b.read_value()


def two_variables():
    return tf.Variable(5.0), tf.Variable(10.0)


DATA = T("n", dtype="float32", within=(-2, 2), edges=False)


@guide("guide.training_loop", DATA, steps=each(1, 20), state=two_variables, reference=descent, empty=False)
def training_loop(state, x, steps):
    w, b = state

    def apply(gradients):
        w.assign_sub(0.02 * gradients[0])
        b.assign_sub(0.02 * gradients[1])

    return trained(w, b, x, steps, apply)


def with_optimizer(name, **options):
    """Two variables and a Keras optimizer of them."""
    def make():
        w, b = two_variables()
        optimizer = getattr(tf.keras.optimizers, name)(**options)
        optimizer.build([w, b])
        return w, b, optimizer

    return make


def with_keras(state, x, steps):
    w, b, optimizer = state
    for slot in optimizer.variables:
        if "learning_rate" not in slot.path:
            slot.assign(tf.zeros_like(slot))
    return trained(w, b, x, steps, lambda gradients: optimizer.apply_gradients(zip(gradients, [w, b], strict=True)))


def momentum(x, steps, rate=0.02, friction=0.9):
    p, v, losses = np.array([5, 10], x.dtype), np.zeros(2, x.dtype), []
    for _ in range(steps):
        error = p[0] * x + p[1] - line(x)
        losses.append(np.mean(error**2))
        v = friction * v - rate * 2 * np.array([np.mean(error * x), np.mean(error)])
        p = p + v
    return [np.array(losses), p[0], p[1]]


def adam(x, steps, rate=0.1, beta1=0.9, beta2=0.999, epsilon=1e-7):
    p, m, v, losses = np.array([5, 10], x.dtype), np.zeros(2, x.dtype), np.zeros(2, x.dtype), []
    for t in range(1, steps + 1):
        error = p[0] * x + p[1] - line(x)
        losses.append(np.mean(error**2))
        g = 2 * np.array([np.mean(error * x), np.mean(error)])
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        scale = rate * np.sqrt(1 - beta2**t) / (1 - beta1**t)
        p = p - scale * m / (np.sqrt(v) + epsilon)
    return [np.array(losses), p[0], p[1]]


keras_loop = partial(guide, empty=False, error_factor=4)      # Keras scales its steps in float32 powers of beta
for reference, make in ((descent, with_optimizer("SGD", learning_rate=0.02)),
                        (momentum, with_optimizer("SGD", learning_rate=0.02, momentum=0.9)),
                        (adam, with_optimizer("Adam", learning_rate=0.1))):
    keras_loop(f"guide.training_loop_keras_{reference.__name__}", DATA, steps=each(1, 10), state=make,
               reference=reference)(with_keras)


@guide("guide.line_search", T("n", dtype="float32", within=(-4, 4)), reference=lambda x: searched(x), empty=False)
def line_search(x):
    """A model whose number of steps depends on its values."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = quartic(x)
    gradient = tape.gradient(value, x)
    norm, least, rate, at = tf.reduce_sum(gradient * gradient), value, 1.0, x
    while value > least - rate * norm:
        at = x - rate * gradient
        value = quartic(at)
        rate /= 2.0
    return at, value


def quartic(x):
    reduce_sum = np.sum if isinstance(x, np.ndarray) else tf.reduce_sum
    return reduce_sum(x * x * x * x) / 4


def searched(x):
    gradient = x**3
    value, rate, at = quartic(x), 1.0, x
    least, norm = value, np.sum(gradient**2)
    while value > least - rate * norm:
        at = x - rate * gradient
        value, rate = quartic(at), rate / 2
    return [at, value]


# --- custom gradients ----------------------------------------------------------------------------------------------


def clip(g, norm):
    """What tf.clip_by_norm documents: g * norm / ||g|| where ||g|| exceeds norm."""
    size = np.sqrt(np.sum(g * g))
    return g * norm / size if size > norm else g


@guide("guide.clip_gradient_by_norm", T("n", dtype="float32", edges=False), T("n", dtype="float32", edges=False),
       norm=each(0.5, 100.0), reference=lambda x, upstream, norm: [x, clip(upstream, norm)])
def clip_gradient_by_norm(x, upstream, norm):
    @tf.custom_gradient
    def clipped(x):
        return tf.identity(x), lambda dresult: tf.clip_by_norm(dresult, norm)

    with tf.GradientTape() as tape:
        tape.watch(x)
        y = clipped(x)
    return y, tape.gradient(y, x, output_gradients=upstream)


def derivative(function, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return y, tape.gradient(y, x)


def naive_log1pexp(x):
    return tf.math.log(1 + tf.exp(x))


@guide("guide.log1pexp_naive", np.array([0.0, 100.0], np.float32), reference=lambda x: np.array([0.5, np.nan]))
def log1pexp_naive(x):
    """The guide's gradient that fails: 0.5 at 0, NaN at 100, where exp overflows."""
    return derivative(naive_log1pexp, x)[1]


@guide("guide.log1pexp", T(within=(0, inf)), dtypes=["float32", "float64"],
       reference=lambda x: [np.logaddexp(0, x), 1 / (1 + np.exp(-x))], constants=())
def log1pexp(x):
    """With a gradient of its own, value and gradient stay finite at 100 and far beyond."""
    @tf.custom_gradient
    def stable(x):
        e = tf.exp(x)
        return x + tf.math.log1p(tf.exp(-x)), lambda upstream: upstream * (1 - 1 / (1 + e))

    return derivative(stable, x)


# --- performance ---------------------------------------------------------------------------------------------------


@guide("guide.matmul_timed", T("n n", dtype="float32", edges=False), reference=lambda x: [x @ x @ x, True])
def matmul_timed(x):
    """Timed on every available device until it has finished: the time is positive and devices agree."""
    products, seconds = [], []
    for device in tf.config.list_logical_devices():
        if device.device_type not in ("CPU", "GPU"):
            continue
        with tf.device(device.name):
            tf.matmul(x, x)
            start = time.perf_counter()
            products.append(tf.matmul(tf.matmul(x, x), x))
            if tf.executing_eagerly():
                tf.test.experimental.sync_devices()
            seconds.append(time.perf_counter() - start)
    scale = tf.norm(x) ** 3
    apart = [tf.reduce_all(tf.abs(p - products[0]) <= 1e-5 * scale) for p in products]
    return products[-1], tf.reduce_all(tf.stack(apart)) & (min(seconds) > 0)


def powered(x, times):
    out = np.eye(10, dtype=x.dtype)
    for _ in range(times):
        out = x @ out
    return out


@program("guide.power", T(10, 10, dtype="int32", within=(-1, 1)), times=each(100), reference=powered, timed=True)
def power(x, times):
    """What a graph saves: many small operations, dispatched one by one by Python or in one call."""
    result = tf.eye(10, dtype=x.dtype)
    for _ in range(times):
        result = tf.matmul(x, result)
    return result


# --- objects -------------------------------------------------------------------------------------------------------


def checkpoint():
    x = tf.Variable(10.0)
    return x, tf.train.Checkpoint(x=x), temporary()


@guide("guide.object_save", T("", dtype="float32"), T("", dtype="float32"), state=checkpoint,
       reference=lambda saved, later: [later, saved])
def object_save(state, saved, later):
    """A variable saved, changed and restored has the saved value again; in a graph py_function does it eagerly."""
    x, objects, path = state

    def save_and_restore(saved, later):
        x.assign(saved)
        written = objects.write(path)
        x.assign(later)
        before = tf.identity(x)
        objects.read(written)
        return before, tf.identity(x)

    return tf.py_function(save_and_restore, [saved, later], [tf.float32, tf.float32])


@guide("guide.metrics", T("n", dtype="float32", edges=False), state=lambda: tf.keras.metrics.Mean(), empty=False,
       reference=lambda x: [0.0, 2.5, (5 + np.sum(x)) / (2 + len(x))])
def metrics(mean, x):
    """Mean of all values so far, updated by calling; reading it does not change it."""
    mean.reset_state()
    start = mean.result()
    mean.update_state(0.0)
    mean.update_state(5.0)
    middle = mean.result()
    mean.update_state(x)
    return start, middle, mean.result()


@guide("guide.dataset_iteration", T("n", dtype="int32"),
       reference=lambda x: [np.int32(len(x)), np.sum(x * x, dtype=np.int32)])
def dataset_iteration(x):
    """A loop over a dataset sees every element once, in batches, in Python and in autograph."""
    dataset = tf.data.Dataset.from_tensor_slices(x).map(tf.math.square).shuffle(2).batch(2)
    count, total = tf.constant(0), tf.constant(0)
    for batch in dataset:
        count += tf.size(batch)
        total += tf.reduce_sum(batch)
    return count, total


@guide("guide.dataset_order", T("n", dtype="float32"), reference=lambda x: x)
def dataset_order(x):
    """Unshuffled, a dataset gives back what it was made of, in order."""
    out = tf.TensorArray(tf.float32, size=0, dynamic_size=True, element_shape=[])
    for number, element in tf.data.Dataset.from_tensor_slices(x).enumerate():
        out = out.write(tf.cast(number, tf.int32), element)
    return out.stack()
