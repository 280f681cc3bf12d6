"""Control flow: the functions of the root namespace that take functions, and Python control flow under autograph.

The functions that are passed use operators only, so that the reference runs the same functions on arrays. Control flow
does not depend on dtypes or values: one floating and one integer dtype stand for all, without edge values.
"""

from functools import partial

import numpy as np

from tfparity import DTYPE, B, I, S, T, each, error, kind, program, sample, tf

control = partial(kind("control flow"), dtypes=["float32", "int64"])
differentiation = partial(kind("control flow"), dtypes=["float32"])
autograph = partial(program, kind="control flow")


def twice(v):
    return v + v


def cubed(v):
    return v * v * v


def both(v):
    return v + v, -v


def doubled_plus(a, v):
    return a + a + v


def minus(a, v):
    return a - v


def of_other_dtype(*values):
    return tf.cast(values[-1], tf.int32)


# --- branches ------------------------------------------------------------------------------------------------------

control("tf.cond", lambda p, x: twice(x) if p else -x, B(""), T("n", edges=False),
        call=lambda f, p, x: f(p, lambda: twice(x), lambda: -x))


def first_true(p, q, x, exclusive, default, strict):
    if exclusive and p and q:
        raise ValueError("both are true")
    if p or q:
        return twice(x) if p else -x
    if not default:
        raise ValueError("none is true and there is no default")
    return x


control("tf.case", first_true, B(""), B(""), T("n", edges=False), exclusive=each(False, True),
        default=each(True, False), strict=each(False, True), call=lambda f, p, q, x, exclusive, default, strict: f(
            [(p, lambda: twice(x)), (q, lambda: -x)], exclusive=exclusive, strict=strict,
            default=(lambda: tf.identity(x)) if default else None))


def switched(index, x, default):
    """An index out of range runs the default, or the last branch where there is no default."""
    branches = [twice, cubed, lambda v: -v]
    outside = (lambda v: v) if default else branches[-1]
    return (branches[int(index)] if 0 <= index < 3 else outside)(x)


control("tf.switch_case", switched, I("", within=(-2, 5)), T("n", edges=False), default=each(False, True),
        call=lambda f, index, x, default: f(
            index, [lambda: twice(x), lambda: cubed(x), lambda: -x],
            default=(lambda: tf.identity(x)) if default else None))


UNLIKE_FIRST = {
    "other-dtype":     lambda v: tf.cast(v, tf.float64),
    "other-rank":      lambda v: [v[None]],
    "more":            lambda v: [v, v],
    "of-another-form": lambda v: {"v": v},
    "nothing":         lambda v: None,
}


@program("program.branches_that_differ", B(""), T("n", edges=False), dtypes=["float32"], autograph=False, timed=False,
         second=each("alike"), reference=lambda p, x, second: [x + x if p else -x],
         errors=[error(form, second=form) for form in UNLIKE_FIRST if form != "other-rank"])
def branches_that_differ(p, x, second):
    """The page of tf.cond requires "the same number and type of outputs" of both branches."""
    return tf.cond(p, lambda: [twice(x)], lambda: UNLIKE_FIRST.get(second, lambda v: [-v])(x))


# --- loops ---------------------------------------------------------------------------------------------------------


def looped(n, x, maximum_iterations=None, **_):
    done = 0
    while done < n and (maximum_iterations is None or done < maximum_iterations):
        x, done = doubled_plus(x, x), done + 1
    return [np.int32(done), x]


control("tf.while_loop", looped, I("", within=(0, 5)), T("m", edges=False),
        maximum_iterations=each(None, 3, 0), parallel_iterations=each(10, 1), invariants=each(False, True),
        call=lambda f, n, x, invariants, **options: f(
            lambda i, v: i < n, lambda i, v: [i + 1, doubled_plus(v, v)], [tf.constant(0), x],
            shape_invariants=[tf.TensorShape([]), tf.TensorShape([None])] if invariants else None, **options))


@program("program.loop_of_one_variable", T("", domain=(0, 3), edges=False), form=each("list", "tuple", "bare"),
         dtypes=["float32"], autograph=False,
         reference=lambda x, form: [x + max(1, np.ceil(3 - x)), np.array(True)])
def loop_of_one_variable(x, form):
    """`loop_vars` is a list of one variable, and so is the result; the body gives a list, a tuple or a bare tensor."""
    body = {"list": lambda v: [v + 1], "tuple": lambda v: (v + 1,), "bare": lambda v: v + 1}[form]
    found = tf.while_loop(lambda v: v < 3, body, [x])
    return [*tf.nest.flatten(found), isinstance(found, list)]


def counted(x, start, limit, step, inclusive):
    while start < limit + inclusive:
        start += step
    return x + x.dtype.type(start)


@program("program.loop_of_constants", T("", edges=False), dtypes=["int32", "int64"], timed=False,
         start=each(0, 1), limit=each(1, 4), step=each(1, 2, 5), inclusive=each(False, True), reference=counted)
def loop_of_constants(x, start, limit, step, inclusive):
    """Start, limit and step are constants, so a compiler can compute the iterations; some loops step over the limit."""
    start = tf.constant(start, x.dtype)
    goes_on = (lambda i: i <= limit) if inclusive else (lambda i: i < limit)
    return x + tf.while_loop(goes_on, lambda i: [i + step], [start])[0]


@program("program.branch_not_taken", T("n", edges=False), dtypes=["float32"], autograph=False, timed=False,
         reference=lambda x: x if len(x) != 1 else np.full(1, x[0]))
def branch_not_taken(x):
    """The branch that is not taken would fail."""
    return tf.cond(tf.size(x) == 1, lambda: tf.fill(tf.shape(x), tf.reshape(x, [])), lambda: tf.identity(x))


@program("program.loop_that_changes", T("n", edges=False), dtypes=["float32"], autograph=False, timed=False,
         turn=each("alike"), reference=lambda x, turn: [np.int32(2), x],
         errors=[error(form, turn=form) for form in UNLIKE_FIRST if form != "of-another-form"])
def loop_that_changes(x, turn):
    """The body must return as many values as the loop has variables, with the same dtypes and shapes."""
    step = UNLIKE_FIRST.get(turn, lambda v: [-v])
    return tf.while_loop(lambda i, *v: i < 2, lambda i, *v: [i + 1, *tf.nest.flatten(step(v[0]))], [0, x])


def mapped(fn, x, **_):
    rows = [fn(v) for v in x] or [fn(np.zeros(x.shape[1:], x.dtype))]
    parts = [np.stack(part)[: len(x)] for part in zip(*rows, strict=True)] if isinstance(rows[0], tuple) else None
    return parts or np.stack(rows)[: len(x)]


OF_OTHER_DTYPE = error("other-dtype", of_other_dtype, np.ones((4, 3), np.float32))
control("tf.map_fn", lambda fn, x, **_: mapped(fn, x), each(twice, cubed), T("n d", edges=False),
        parallel_iterations=each(None, 1), fn_output_signature=each(None, DTYPE), errors=[OF_OTHER_DTYPE])
control("tf.vectorized_map", mapped, each(cubed, both, twice), T("n d", edges=False),
        fallback_to_while_loop=each(True, False))


def scanned(fn, x, initializer=None, reverse=False, **_):
    x = x[::-1] if reverse else x
    at, rows = (x[0], [x[0]]) if initializer is None else (initializer, [])
    for v in x[len(rows):]:
        at = fn(at, v)
        rows.append(at)
    rows = np.stack(rows) if rows else np.zeros((0, *at.shape), at.dtype)
    return rows[::-1] if reverse else rows


def folded(fn, x, initializer=None, **_):
    """A fold from the left. Without an initializer an empty tensor raises, because it has no first element."""
    at, rest = (x[0], x[1:]) if initializer is None else (initializer, x)
    for v in rest:
        at = fn(at, v)
    return at


def folding(name, reference, **options):
    @control(name, reference, errors=[OF_OTHER_DTYPE])
    def samples():
        for fn in (doubled_plus, minus):
            yield sample(fn, T("n d", edges=False), name=fn.__name__)
        yield sample(minus, T("n d", edges=False), name="initializer", initializer=T("d", edges=False))
        for option, value in options.items():
            yield sample(minus, T("n d", edges=False), name=option, **{option: value})


folding("tf.scan", scanned, reverse=True, parallel_iterations=1)
folding("tf.foldl", folded, parallel_iterations=1)
folding("tf.foldr", lambda fn, x, **options: folded(fn, x[::-1], **options), parallel_iterations=1)

# --- order of effects ----------------------------------------------------------------------------------------------


def after(dependencies, variables):
    with tf.control_dependencies([d for d in dependencies if d is not None]):
        return [v.read_value() for v in variables]


def two_zeros():
    return tf.Variable(0.0), tf.Variable(0.0)


kind("control flow")(
    "tf.group", lambda x: [x, 2 * x], T("", dtype="float32"), state=two_zeros,
    call=lambda f, variables, x: after([f(variables[0].assign(x), variables[1].assign(2 * x))], variables))


def no_op_first(f, x):
    """The input, returned after tf.no_op, which gives an operation without outputs, or None in eager mode."""
    done = f()
    with tf.control_dependencies([] if done is None else [done]):
        return tf.identity(x)


kind("control flow")("tf.no_op", lambda x: x, T("n", dtype="float32"), call=no_op_first)

kind("control flow")(
    "tf.tuple", lambda x: [x, 2 * x, 3 * x, 4 * x], T("", dtype="float32"), state=two_zeros,
    call=lambda f, variables, x: [*f([x, 2 * x], [tf.group(v.assign(k * x)) for k, v in enumerate(variables, 3)]),
                                  *(v.read_value() for v in variables)])

kind("control flow")(
    "tf.control_dependencies", lambda x: [x, 2 * x], T("", dtype="float32"), state=two_zeros,
    call=lambda f, variables, x: after([variables[0].assign(x), variables[1].assign(2 * x)], variables))

# --- functions of functions ----------------------------------------------------------------------------------------

control("tf.function", lambda fn, x, **_: fn(x), cubed, T("n", edges=False), jit_compile=each(None, True),
        autograph=each(True, False), reduce_retracing=each(False, True),
        call=lambda f, fn, x, **options: f(lambda v: fn(v), **options)(x))


def derivative(function, *inputs):
    """The value of a function and its gradients with respect to its inputs."""
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = function(*inputs)
    return y, *tape.gradient(y, inputs)


differentiation("tf.custom_gradient", lambda x: [x * x, 3 + 0 * x], T("n", edges=False),
                call=lambda f, x: derivative(f(lambda v: (v * v, lambda upstream: 3 * upstream)), x))

differentiation("tf.recompute_grad", lambda x: [cubed(x), 3 * x * x], T("n", edges=False),
                call=lambda f, x: derivative(f(cubed), x))


def in_graph(function, *inputs):
    """tf.gradients and tf.hessians are refused in eager mode, so they always run in a tf.function."""
    return tf.function(function, autograph=False)(*inputs)


def gradients_of(f, x, y, *weights, stop=False, **options):
    """Gradients of x**3, computed as x * (x * x), with respect to x and an unrelated y. `stop` makes x * x a
    constant."""
    def inner(x, y, *weights):
        square = x * x
        return f(x * square, [x, y], grad_ys=list(weights) or None, stop_gradients=[square] if stop else None,
                 **options)

    return in_graph(inner, x, y, *weights)


def weighted(x, y, weights=1, unconnected_gradients="none", stop=False):
    return [weights * (x**2 if stop else 3 * x**2), np.zeros_like(y) if unconnected_gradients == "zero" else None]


@differentiation("tf.gradients", weighted, call=gradients_of)
def gradients():
    x, y = T("n", edges=False), T("m", edges=False)
    yield sample(x, y)
    yield sample(x, y, name="zero", unconnected_gradients="zero")
    yield sample(x, y, x, name="grad_ys")
    yield sample(x, y, name="stop_gradients", stop=True)


differentiation("tf.hessians", lambda x: [np.diag(6 * x) + 2 * np.ones((len(x), len(x)))], T("n", edges=False),
                call=lambda f, x: in_graph(lambda v: f(tf.reduce_sum(cubed(v)) + tf.reduce_sum(v) ** 2, v), x))

control("tf.numpy_function", lambda x: [np.sort(x), np.int64(x.size)], T("n", domain=(0, 100), edges=False),
        call=lambda f, x: f(lambda v: (np.sort(v), np.int64(v.size)), [x], [x.dtype, tf.int64]))
control("tf.py_function", cubed, T("n", edges=False), call=lambda f, x: f(cubed, [x], x.dtype))

# --- autograph: loops ----------------------------------------------------------------------------------------------

COUNT = I("", within=(0, 9))
WHOLE = T("n", dtype="int32", domain=(-10, 10))
REAL = T("n", dtype="float32")


@autograph("program.autograph_for_range", COUNT, reference=lambda n: np.int32(sum(i * i for i in range(n))))
def autograph_for_range(n):
    total = tf.constant(0)
    for i in tf.range(n):
        total += i * i
    return total


@autograph("program.autograph_for_range_step", COUNT, step=each(2, -3),
           reference=lambda n, step: np.array([sum(range(10, n, step)), len(range(10, n, step))], np.int32))
def autograph_for_range_step(n, step):
    total, count = tf.constant(0), tf.constant(0)
    for i in tf.range(10, n, step) if step < 0 else tf.range(tf.minimum(10, n), n, step):
        total += i
        count += 1
    return tf.stack([total, count])


@autograph("program.autograph_for_tensor", T("n d", dtype="float32"),
           reference=lambda x: np.sum(x * x, 0) if len(x) else np.zeros(x.shape[1:]))
def autograph_for_tensor(x):
    total = tf.zeros_like(x[0]) if tf.executing_eagerly() and len(x) else tf.reduce_sum(tf.zeros_like(x), 0)
    for row in x:
        total += row * row
    return total


@autograph("program.autograph_while", I("", within=(1, 100)), reference=lambda n: collatz(n))
def autograph_while(n):
    """The length of a Collatz sequence."""
    steps = tf.constant(0)
    while n != 1:
        if n % 2 == 0:
            n //= 2
        else:
            n = 3 * n + 1
        steps += 1
    return steps


def collatz(n):
    steps = 0
    while n != 1:
        n, steps = (n // 2 if n % 2 == 0 else 3 * n + 1), steps + 1
    return np.int32(steps)


@autograph("program.autograph_break", WHOLE,
           reference=lambda x: np.int32(next((i for i, v in enumerate(x) if v < 0), -1)))
def autograph_break(x):
    found = tf.constant(-1)
    i = tf.constant(0)
    for v in x:
        if v < 0:
            found = i
            break
        i += 1
    return found


@autograph("program.autograph_continue", WHOLE, reference=lambda x: np.sum(x[x % 2 == 1], dtype=np.int32))
def autograph_continue(x):
    total = tf.constant(0)
    for v in x:
        if v % 2 == 0:
            continue
        total += v
    return total


@autograph("program.autograph_nested_loops", I("", within=(0, 30)),
           reference=lambda n: np.int32(sum(all(k % d for d in range(2, k)) for k in range(2, n))))
def autograph_nested_loops(n):
    """Counts the primes below n; the inner loop breaks early."""
    count = tf.constant(0)
    for k in tf.range(2, tf.maximum(n, 2)):
        prime = True
        for d in tf.range(2, k):
            if k % d == 0:
                prime = False
                break
        if prime:
            count += 1
    return count


@autograph("program.autograph_early_return", WHOLE, reference=lambda x: first_negative(x))
def autograph_early_return(x):
    for v in x:
        if v < 0:
            return v
    return tf.constant(0)


def first_negative(x):
    return np.int32(next((v for v in x if v < 0), 0))


@autograph("program.autograph_list_append", REAL, reference=lambda x: np.cumsum(x))
def autograph_list_append(x):
    """A loop in a graph cannot append to a Python list, so a TensorArray is written in its place."""
    total, sums = tf.constant(0.0), tf.TensorArray(tf.float32, tf.size(x), element_shape=[])
    for i in tf.range(tf.size(x)):
        total += x[i]
        sums = sums.write(i, total)
    return sums.stack()


@autograph("program.autograph_list_of_branch", T("", dtype="float32"), reference=lambda x: [x, 2 * x, 3 * x])
def autograph_list_of_branch(x):
    """A loop over Python values is unrolled while tracing, so it may append to a Python list."""
    made = []
    for k in range(1, 4):
        made.append(k * x)
    return made


@autograph("program.autograph_zip_enumerate", WHOLE, WHOLE,
           reference=lambda x, y: np.int32(sum(i * a * b for i, (a, b) in enumerate(zip(x, y, strict=True)))))
def autograph_zip_enumerate(x, y):
    total = tf.constant(0)
    for i, (a, b) in tf.data.Dataset.zip((tf.data.Dataset.from_tensor_slices(x),
                                          tf.data.Dataset.from_tensor_slices(y))).enumerate():
        total += tf.cast(i, tf.int32) * a * b
    return total


@autograph("program.autograph_loop_variables", I("", within=(0, 40)), reference=lambda n: fibonacci(n))
def autograph_loop_variables(n):
    """Two variables of a loop change together."""
    a, b = tf.constant(0), tf.constant(1)
    for _ in tf.range(n):
        a, b = b, a + b
    return a, b


def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return [np.int32(a), np.int32(b)]


@autograph("program.autograph_shape_invariant", COUNT, reference=lambda n: np.arange(n, dtype=np.int32))
def autograph_shape_invariant(n):
    """A tensor that grows in a loop."""
    out = tf.zeros([0], tf.int32)
    for i in tf.range(n):
        tf.autograph.experimental.set_loop_options(shape_invariants=[(out, tf.TensorShape([None]))])
        out = tf.concat([out, [i]], 0)
    return out


@autograph("program.autograph_maximum_iterations", COUNT, reference=lambda n: np.int32(min(n, 3)))
def autograph_maximum_iterations(n):
    """In a graph the option limits the loop; in eager mode it is documented to do nothing, and the condition does."""
    count = tf.constant(0)
    while count < n and (not tf.executing_eagerly() or count < 3):
        tf.autograph.experimental.set_loop_options(maximum_iterations=3)
        count += 1
    return count


@autograph("program.autograph_gcd", I("", within=(0, 1000)), I("", within=(0, 1000)), reference=np.gcd)
def autograph_gcd(a, b):
    while b > 0:
        a, b = b, a % b
    return a


@autograph("program.autograph_bubble_sort", WHOLE, reference=np.sort, empty=False)
def autograph_bubble_sort(x):
    x = tf.ensure_shape(x, [None])
    n = tf.size(x)
    for i in tf.range(n):
        for j in tf.range(n - 1 - i):
            if x[j] > x[j + 1]:
                x = tf.tensor_scatter_nd_update(x, [[j], [j + 1]], [x[j + 1], x[j]])
    return x


# --- autograph: branches and expressions ---------------------------------------------------------------------------


@autograph("program.autograph_if", T("", dtype="float32"), reference=lambda x: x * x if x > 0 else -x)
def autograph_if(x):
    if x > 0:
        y = x * x
        x = y
    else:
        y = -x
    return y


@autograph("program.autograph_nested_if", T("", dtype="float32"), reference=lambda x: grade(x))
def autograph_nested_if(x):
    if x < 0:
        y = tf.constant(1)
        if x < -1:
            y = tf.constant(0)
    elif x == 0:
        y = tf.constant(2)
    else:
        y = tf.constant(3)
        if x != x:
            y += 10
        elif x > 1:
            y += 1
    return y


def grade(x):
    if x < 0:
        return np.int32(0 if x < -1 else 1)
    return np.int32(2 if x == 0 else 13 if x != x else 4 if x > 1 else 3)


@autograph("program.autograph_return_in_branches", T("", dtype="float32"),
           reference=lambda x: [x, np.int32(1)] if x > 0 else [-x, np.int32(2)] if x < 0 else [x, np.int32(3)])
def autograph_return_in_branches(x):
    if x > 0:
        return x, tf.constant(1)
    if x < 0:
        return -x, tf.constant(2)
    return x, tf.constant(3)


@autograph("program.autograph_conditional_expression", T("", dtype="float32"), T("", dtype="float32"),
           reference=lambda x, y: x if x > y else y)
def autograph_conditional_expression(x, y):
    return x if x > y else y


@autograph("program.autograph_boolean_operators", B(""), B(""),
           reference=lambda p, q: [p and q, p or q, not p, not (p and not q) or q])
def autograph_boolean_operators(p, q):
    return p and q, p or q, not p, not (p and not q) or q


@autograph("program.autograph_lazy_operators", I("", within=(-3, 3)), reference=lambda n: n != 0 and 6 // n > 1)
def autograph_lazy_operators(n):
    """`and` does not evaluate its right side, a division by zero, where the left one is false."""
    return n != 0 and 6 // n > 1


@autograph("program.autograph_chained_comparison", T("", dtype="float32"), reference=lambda x: 1 >= x > -1)
def autograph_chained_comparison(x):
    return 1 >= x > -1


@autograph("program.autograph_equality", WHOLE, WHOLE, reference=lambda x, y: [x == y, x != y])
def autograph_equality(x, y):
    """`==` of tensors is elementwise."""
    return x == y, x != y


def with_all_features(function, *tensors):
    """The result with all features of autograph, which converts assertions and most builtins only on request."""
    if tf.executing_eagerly():
        return function(*tensors)
    return tf.function(function, experimental_autograph_options=tf.autograph.experimental.Feature.ALL)(*tensors)


@autograph("program.autograph_builtins", T("n", dtype="float32", edges=False), empty=False, autograph=False,
           reference=lambda x: [np.int32(len(x)), np.abs(x), np.int32(sum(range(len(x))))])
def autograph_builtins(x):
    """Python's len, abs and range on tensors."""
    def builtins(v):
        total = tf.constant(0)
        for i in range(len(v)):
            total += i
        return tf.convert_to_tensor(len(v)), abs(v), total

    return with_all_features(builtins, x)


@autograph("program.autograph_casts", T("", dtype="float32", within=(-100, 100)),
           reference=lambda x: [np.int32(x), np.float32(np.int32(x))])
def autograph_casts(x):
    """int() truncates, float() gives float32."""
    whole = int(x)
    return tf.convert_to_tensor(whole), tf.convert_to_tensor(float(whole))


@autograph("program.autograph_assert", REAL, reference=lambda x: checked(x), autograph=False)
def autograph_assert(x):
    def no_nan(v):
        assert tf.reduce_all(v == v), "no NaN is allowed"
        return v + 1

    return with_all_features(no_nan, x)


def checked(x):
    assert (x == x).all()
    return x + 1


@autograph("program.autograph_print", T("n", dtype="float32"), reference=lambda x: 2 * x)
def autograph_print(x):
    """Printing has no effect on the result."""
    print("tracing or running with", x.dtype)
    tf.print("running", tf.size(x))
    return x + x


@autograph("program.autograph_undefined_in_branch", T("", dtype="float32", values=[-1.0]),
           reference=lambda x: unbound(x))
def autograph_undefined_in_branch(x):
    """Only the branch that is not taken binds the returned name: an error in every mode."""
    if x > 0:
        y = x
    return y


def unbound(x):
    if x > 0:
        y = x
    return y


@autograph("program.autograph_recursion", T("", dtype="float32"), depth=each(0, 5),
           reference=lambda x, depth: x + depth if depth else x)
def autograph_recursion(x, depth):
    """Recursion that a Python value ends is unrolled while tracing."""
    return recursive(x, depth)


def recursive(x, depth):
    return x if depth == 0 else recursive(x + 1, depth - 1)


@autograph("program.autograph_closure", REAL, reference=lambda x: 3 * x + 1)
def autograph_closure(x):
    scale = 3.0

    def inner(v):
        if tf.size(v) > 0:
            v = v * scale
        return v

    return (lambda v: inner(v) + 1)(x)


@autograph("program.autograph_strings", S("n", values=["a", "b", "stop"]), reference=lambda x: joined(x))
def autograph_strings(x):
    out = tf.constant("")
    for word in x:
        if word == "stop":
            break
        out += word
    return out


def joined(x):
    words = list(x)
    return b"".join(words[: words.index(b"stop")] if b"stop" in words else words)


# --- gradients through control flow --------------------------------------------------------------------------------


@autograph("program.gradient_of_cond", T("", dtype="float32"),
           reference=lambda x: [cubed(x), 3 * x * x] if x > 1 else [-x, -1.0])
def gradient_of_cond(x):
    return derivative(lambda v: tf.cond(v > 1, lambda: cubed(v), lambda: -v), x)


@autograph("program.gradient_of_while", T("", dtype="float32", within=(-2, 2)), I("", within=(0, 5)),
           reference=lambda x, n: [x ** (n + 1), (n + 1) * x**n])
def gradient_of_while(x, n):
    return derivative(lambda v: tf.while_loop(
        lambda i, p: i < n, lambda i, p: (i + 1, p * v), (tf.constant(0), v), maximum_iterations=5)[1], x)


@autograph("program.gradient_of_scan", T("n", dtype="float32"), empty=False,
           reference=lambda x: [np.cumsum(x), np.arange(len(x), 0, -1.0)])
def gradient_of_scan(x):
    return derivative(lambda v: tf.scan(lambda a, e: a + e, v), x)


@autograph("program.gradient_of_map_fn", T("n", dtype="float32"), reference=lambda x: [cubed(x), 3 * x * x])
def gradient_of_map_fn(x):
    return derivative(lambda v: tf.map_fn(cubed, v), x)


def unsigned_zeros(matrix):
    """The matrix with every zero positive: the signs of a Jacobian's zeros are not promised."""
    return np.asarray(matrix) + 0.0


@autograph("program.jacobian", T("n", dtype="float32", edges=False), canonical=unsigned_zeros,
           experimental_use_pfor=each(True, False),
           reference=lambda x, **_: np.diag(2 * x) + np.ones((len(x), len(x))))
def jacobian(x, experimental_use_pfor):
    with tf.GradientTape(persistent=not experimental_use_pfor) as tape:
        tape.watch(x)
        y = x * x + tf.reduce_sum(x)
    return tape.jacobian(y, x, experimental_use_pfor=experimental_use_pfor)


@autograph("program.batch_jacobian", T("b n", dtype="float32", edges=False), canonical=unsigned_zeros,
           reference=lambda x: 2 * x[:, :, None] * np.eye(x.shape[1]))
def batch_jacobian(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    return tape.batch_jacobian(y, x)


TANGENT = T("n", dtype="float32", edges=False)


@autograph("program.forward_accumulator", TANGENT, TANGENT,
           reference=lambda x, t: [cubed(x), 3 * x * x * t])
def forward_accumulator(x, t):
    """Forward-mode differentiation: value and tangent."""
    with tf.autodiff.ForwardAccumulator(x, t) as accumulator:
        y = cubed(x)
    return y, accumulator.jvp(y)


@autograph("program.second_derivative", T("n", dtype="float32"), reference=lambda x: [3 * x * x, 6 * x])
def second_derivative(x):
    return derivative(lambda v: derivative(cubed, v)[1], x)


def tangent(function, x):
    """The derivative in forward mode, along ones."""
    with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as accumulator:
        y = function(x)
    return accumulator.jvp(y)


SLOPES = {"forward": tangent, "reverse": lambda function, x: derivative(function, x)[1]}


@autograph("program.derivative_of_derivative", T("n", dtype="float32", edges=False), outer=each(*SLOPES),
           inner=each(*SLOPES), reused=each(False, True), reference=lambda x, **_: 6 * x)
def derivative_of_derivative(x, outer, inner, reused):
    """The second derivative of x**3, in forward or reverse mode over forward or reverse mode; with `reused`, the three
    factors are one tensor that was computed."""
    def function(v):
        return cubed(tf.identity(v) if reused else v)

    return SLOPES[outer](lambda v: SLOPES[inner](function, v), x)


@autograph("program.persistent_tape", T("n", dtype="float32"), reference=lambda x: [2 * x, 4 * cubed(x)])
def persistent_tape(x):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        z = y * y
    return tape.gradient(y, x), tape.gradient(z, x)


@autograph("program.stop_recording", T("n", dtype="float32"), reference=lambda x: 2 * x)
def stop_recording(x):
    """What is computed while recording is stopped counts as a constant in the gradient."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        with tape.stop_recording():
            z = cubed(x)
        total = y + z
    return tape.gradient(total, x)


@autograph("program.unconnected_gradients", T("n", dtype="float32"), T("m", dtype="float32"),
           reference=lambda x, y: [None, np.zeros_like(y)])
def unconnected_gradients(x, y):
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, y])
        z = x * x
    return tape.gradient(z, y), tape.gradient(z, y, unconnected_gradients=tf.UnconnectedGradients.ZERO)


