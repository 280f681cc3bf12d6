"""Raw ops on the handle of a variable: optimizers, and what reads, assigns and indexes.

Variables are given tensors at the start of each call and read back as tensors at its end, so that a case is a function
of tensors like any other. A handle does not carry the dtype of its variable: the op must refuse a variable of
another dtype than that of its tensors or of its dtype attribute.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tfparity import DTYPE, I, T, each, error, sample, tf

from ..references.arithmetic import positive, quotient
from ..references.indexing import by_places, by_rows, distinct, gather_nd, of_same_shape, replaced, sparse_read
from ..references.raw_ops import named, raw
from ..references.variables import no_variables, variable

# One dtype of each family: the kernels are templates, and of 2,034 rows in the other dtypes none showed anything new.
ONE, FLOAT, FIELD = ("float32",), ("float32", "float16"), ("float32", "complex64")
REAL, NUMBERS, ANY_DTYPE = ("float32", "int32"), ("float32", "int32", "complex64"), ("float32", "bool", "string")


def behind(name, reference, variables, *tensors, samples=None, **options):
    """Declare `tf.raw_ops.NAME`, whose first inputs are handles of variables that hold `variables`. The reference gives
    a list: what the op gives, if anything, and what the variables are worth after it."""
    count = len(variables)

    def call(f, kept, *inputs, **attributes):
        held = [variable(x, kept, f"variable{k}") for k, x in enumerate(inputs[:count])]
        found = named(f, *(v.handle for v in held), *inputs[count:], **attributes)
        return [*([found] if tf.is_tensor(found) else []), *(v.read_value() for v in held)]

    inputs = (*variables, *tensors)
    other = error("complex64", *variables[:-1], replace(variables[-1], dtype="complex64"), *tensors)
    told = samples or {"dtype", "T"} & options.keys()
    case = raw(name, reference, *inputs, call=call, state=no_variables, errors=[other] if told else [], **options)
    return case(lambda: samples) if samples else case


# --- optimizers: each rule gives the new values of its variables ----------------------------------------------------

ANY = T("n d", domain=(-4, 4), edges=False)
SQUARE = T("n d", domain=(0.5, 4), edges=False)
MEAN = T("n d", domain=(-0.5, 0.5), edges=False)
GRADIENT = T("n d", domain=(-3, 3), edges=False)
RATE, POWER = T("", domain=(0.01, 0.5), edges=False), T("", domain=(0.1, 0.9), edges=False)
SMALL = T("", domain=(0.01, 0.1), edges=False)
STEP = I("", dtype="int64", within=(1, 9), edges=False)


def descent(x, rate, g):
    return [x - rate * g]


def momentum(x, a, rate, g, decay, use_nesterov):
    a = decay * a + g
    return [x - rate * (g + decay * a if use_nesterov else a), a]


def keras_momentum(x, a, rate, g, decay, use_nesterov):
    a = decay * a - rate * g
    return [x + (decay * a - rate * g if use_nesterov else a), a]


def adagrad(x, a, rate, g, update_slots):
    a = a + g * g if update_slots else a
    return [x - rate * g / np.sqrt(a), a]


def adagrad_2(x, a, rate, epsilon, g, update_slots):
    a = a + g * g if update_slots else a
    return [x - rate * g / (np.sqrt(a) + epsilon), a]


def adadelta(x, a, u, rate, rho, epsilon, g):
    a = rho * a + (1 - rho) * g * g
    update = np.sqrt(u + epsilon) / np.sqrt(a + epsilon) * g
    return [x - rate * update, a, rho * u + (1 - rho) * update * update]


def adam(x, m, v, power_1, power_2, rate, beta_1, beta_2, epsilon, g, use_nesterov):
    m, v = beta_1 * m + (1 - beta_1) * g, beta_2 * v + (1 - beta_2) * g * g
    rate = rate * np.sqrt(1 - power_2) / (1 - power_1)
    return [x - rate * (beta_1 * m + (1 - beta_1) * g if use_nesterov else m) / (np.sqrt(v) + epsilon), m, v]


def amsgrad(x, m, v, highest, power_1, power_2, rate, beta_1, beta_2, epsilon, g):
    m, v = beta_1 * m + (1 - beta_1) * g, beta_2 * v + (1 - beta_2) * g * g
    highest = np.maximum(highest, v)
    return [x - rate * np.sqrt(1 - power_2) / (1 - power_1) * m / (np.sqrt(highest) + epsilon), m, v, highest]


def adamax(x, m, v, power_1, rate, beta_1, beta_2, epsilon, g):
    m, v = beta_1 * m + (1 - beta_1) * g, np.maximum(beta_2 * v, np.abs(g))
    return [x - rate / (1 - power_1) * m / (v + epsilon), m, v]


def rmsprop(x, s, m, rate, rho, decay, epsilon, g):
    s = rho * s + (1 - rho) * g * g
    m = decay * m + rate * g / np.sqrt(s + epsilon)
    return [x - m, s, m]


def centered_rmsprop(x, a, s, m, rate, rho, decay, epsilon, g):
    a, s = rho * a + (1 - rho) * g, rho * s + (1 - rho) * g * g
    m = decay * m + rate * g / np.sqrt(s - a * a + epsilon)
    return [x - m, a, s, m]


def ftrl_2(x, a, z, g, rate, l1, l2, shrinkage, power, multiply_linear_by_lr):
    """With `multiply_linear_by_lr` the variable holds the rate times z."""
    z = z / rate if multiply_linear_by_lr else z
    new = a + g * g
    z = z + g + 2 * shrinkage * x - (new ** -power - a ** -power) / rate * x
    x = np.where(np.abs(z) > l1, (np.sign(z) * l1 - z) / (new ** -power / rate + 2 * l2), 0)
    return [x, new, z * rate if multiply_linear_by_lr else z]


def ftrl(x, a, z, g, rate, l1, l2, power, multiply_linear_by_lr):
    return ftrl_2(x, a, z, g, rate, l1, l2, 0, power, multiply_linear_by_lr)


def add_sign(x, m, rate, alpha, decay, beta, g):
    m = beta * m + (1 - beta) * g
    return [x - rate * (alpha + decay * np.sign(g) * np.sign(m)) * g, m]


def power_sign(x, m, rate, base, decay, beta, g):
    m = beta * m + (1 - beta) * g
    return [x - rate * np.exp(base * decay * np.sign(g) * np.sign(m)) * g, m]


def shrunk(x, rate, l1, l2):
    """The proximal step: towards zero by the rate times l1, then by a factor."""
    return np.sign(x) * np.maximum(np.abs(x) - rate * l1, 0) / (1 + rate * l2)


def proximal_descent(x, rate, l1, l2, g):
    return [shrunk(x - rate * g, rate, l1, l2)]


def proximal_adagrad(x, a, rate, l1, l2, g):
    a = a + g * g
    rate = rate / np.sqrt(a)
    return [shrunk(x - rate * g, rate, l1, l2), a]


def dual_averaging(x, a, s, g, rate, l1, l2, step):
    a, s = a + g, s + g * g
    return [-np.sign(a) * rate * np.maximum(np.abs(a) - l1 * step, 0) / (l2 * step * rate + np.sqrt(s)), a, s]


def same_shapes(rule, count):
    """The rule, where the variables and the gradient have one shape and all else are scalars."""
    def reference(*inputs, **attributes):
        if len({x.shape for x in inputs if x.ndim} | {x.shape for x in inputs[:count]}) > 1:
            raise ValueError("shapes differ")
        return rule(*inputs, **attributes)

    return reference


def at_indices(rule, count, place):
    """The rule for rows, one after the other: row k of the gradient, input number `place`, is for the row of the
    variables that the next input, the indices, says."""
    def reference(*inputs, **attributes):
        held, before, after = [x.copy() for x in inputs[:count]], inputs[count:place], inputs[place + 2:]
        for g, i in zip(*inputs[place:place + 2], strict=True):
            for x, row in zip(held, rule(*(x[i] for x in held), *before, g, *after, **attributes), strict=True):
                x[i] = row
        return held

    return reference


NESTEROV, SLOTS = {"use_nesterov": each(False, True)}, {"update_slots": each(True, False)}
LINEAR = {"multiply_linear_by_lr": each(False, True), "error_factor": 16}  # it subtracts powers that are nearly equal
PROXIMAL = (RATE, POWER, SMALL)  # a rate, then l1 and l2
FAST = (T("", domain=(0.3, 0.9), edges=False), POWER, SMALL)
PAST_THE_SLOT = "reads past the end of its last slot, where anything may stand"
FALLING = T("", values=(-0.5, -0.75), edges=False)
ADAM = [POWER, POWER, RATE, POWER, POWER, SMALL, GRADIENT]
DECAYS, SIGNS = [RATE, POWER, POWER, SMALL, GRADIENT], [RATE, POWER, POWER, POWER, GRADIENT]
for name, rule, variables, tensors, dtypes, sparse, options in (
        ("GradientDescent", descent,          [ANY], [RATE, GRADIENT], FIELD, (), {}),
        ("Momentum",        momentum,         [ANY, ANY], [RATE, GRADIENT, POWER], FIELD, FIELD, NESTEROV),
        ("KerasMomentum",   keras_momentum,   [ANY, ANY], [RATE, GRADIENT, POWER], FIELD, FIELD, NESTEROV),
        ("Adagrad",         adagrad,          [ANY, SQUARE], [RATE, GRADIENT], FIELD, FIELD, SLOTS),
        ("AdagradV2",       adagrad_2,        [ANY, SQUARE], [RATE, SMALL, GRADIENT], FIELD, FIELD, SLOTS),
        ("Adadelta",        adadelta,         [ANY, SQUARE, SQUARE], [RATE, POWER, SMALL, GRADIENT], FIELD, FIELD,
         {"skips": {"rank-2": PAST_THE_SLOT}}),
        ("Adam",            adam,             [ANY, ANY, SQUARE], ADAM, FIELD, (), NESTEROV),
        ("AdamWithAmsgrad", amsgrad,          [ANY, ANY, SQUARE, SQUARE], ADAM, FLOAT, (),
         {"skips": {"rank-3": PAST_THE_SLOT}}),
        ("AdaMax",          adamax,           [ANY, ANY, SQUARE], ADAM[1:], FLOAT, (), {}),
        ("RMSProp",         rmsprop,          [ANY, SQUARE, ANY], DECAYS, FIELD, FIELD, {}),
        ("CenteredRMSProp", centered_rmsprop, [ANY, MEAN, SQUARE, ANY], DECAYS, FIELD, FIELD, {}),
        ("Ftrl",            ftrl,             [ANY, SQUARE, ANY], [GRADIENT, *FAST, FALLING], FLOAT, FLOAT, LINEAR),
        ("FtrlV2",          ftrl_2,           [ANY, SQUARE, ANY], [GRADIENT, *FAST, SMALL, FALLING],
         FLOAT, FLOAT, LINEAR),
        ("AddSign",         add_sign,         [ANY, ANY], SIGNS, FLOAT, (), {}),
        ("PowerSign",       power_sign,       [ANY, ANY], SIGNS, FLOAT, (), {}),
        ("ProximalAdagrad", proximal_adagrad, [ANY, SQUARE], [*PROXIMAL, GRADIENT], ONE, ONE, {}),
        ("ProximalGradientDescent", proximal_descent, [ANY], [*PROXIMAL, GRADIENT], ONE, ONE, {}),
        ("AdagradDA", dual_averaging, [ANY, ANY, SQUARE], [GRADIENT, RATE, SMALL, SMALL, STEP], ONE, ONE, {})):
    behind(f"ResourceApply{name}", same_shapes(rule, len(variables)), variables, *tensors, dtypes=dtypes, **options)
    place = tensors.index(GRADIENT)
    if sparse:
        behind(f"ResourceSparseApply{name}", at_indices(rule, len(variables), len(variables) + place), variables,
               *tensors[:place], T("k d", domain=(-3, 3), edges=False), I("k", below="n"), *tensors[place + 1:],
               dtypes=sparse, **options)


# --- variables as they are read, assigned and indexed ---------------------------------------------------------------


def counted(x, limit, T):
    if x >= limit:
        raise IndexError("the limit is reached")
    return [x, x + 1]


def assigned(x, begin, end, strides, value):
    x = x.copy()
    x[tuple(map(slice, begin, end, strides))] = value
    return [x]


def gathered(x, indices, dtype, batch_dims=0):
    """The rows of x, or with a batch dimension those of x[0], x[1], ..., that the indices name."""
    if not batch_dims:
        return [sparse_read(x, indices), x]
    if np.any(indices < 0) or np.any(indices >= x.shape[1]):
        raise IndexError("an index is out of range")
    return [x[np.arange(len(x))[:, None], indices], x]


def last(reference):
    """A reference of tf.Variable's method, which gives the new value twice."""
    return lambda *inputs: reference(*inputs)[-1:]


VALUE, EXACTLY = T("n d", edges=False), {"exact": True, "dtypes": ANY_DTYPE}
behind("ReadVariableOp",      lambda x, dtype: [x, x], [VALUE], dtype=DTYPE, **EXACTLY)
behind("AssignVariableOp",    of_same_shape(lambda x, y: [y]), [VALUE], VALUE, **EXACTLY)
behind("AssignAddVariableOp", of_same_shape(lambda x, y: [x + y]), [VALUE], VALUE, dtypes=NUMBERS)
behind("AssignSubVariableOp", of_same_shape(lambda x, y: [x - y]), [VALUE], VALUE, dtypes=NUMBERS)
behind("ResourceCountUpTo",   counted, [T("", values=(2, 3, 5), edges=False)], limit=each(7, 5),
       T=DTYPE, dtypes=("int32", "int64"))
behind("ResourceStridedSliceAssign", assigned, [T(5, 4, edges=False)], [1, 0], [5, 4], [2, 1], T(2, 4, edges=False),
       **EXACTLY)
behind("ResourceGatherNd",    lambda x, i, dtype: [gather_nd(x, i), x], [T(5, 3, edges=False)], I("k 1", below=5),
       **EXACTLY, samples=[sample(T(5, 3, edges=False), I("k 1", below=5), dtype=DTYPE, name="rows"),
                           sample(T(5, 3, edges=False), I("k 2", below=3), dtype=DTYPE, name="elements")])
behind("ResourceGather",      gathered, [T("n m d", edges=False)], I("n k", below="m"), **EXACTLY, samples=[
    sample(T("n m d", edges=False), I("n k", below="m"), dtype=DTYPE, batch_dims=1),
    sample(T("n d", edges=False), I("j k", below="n"), dtype=DTYPE),
    sample(T("n d", edges=False), I("k", below="n", dtype="int64"), dtype=DTYPE, name="int64")])

for name, change, form, dtypes in (("Add", np.add, None, NUMBERS), ("Sub", np.subtract, None, NUMBERS),
                                   ("Mul", np.multiply, None, NUMBERS), ("Div", quotient, positive, NUMBERS),
                                   ("Min", np.minimum, None, REAL), ("Max", np.maximum, None, REAL)):
    behind(f"ResourceScatter{name}", last(by_rows(change)), [T("n d", form=form, edges=False)], I("k", below="n"),
           T("k d", form=form, edges=False), dtypes=dtypes, error_factor=4 if name == "Div" else 1)
behind("ResourceScatterUpdate", last(by_rows(replaced)), [T("5 d", edges=False)],
       I(2, below=5, form=distinct, edges=False), T("2 d", edges=False), **EXACTLY)

for name, change, dtypes in (("Add", np.add, NUMBERS), ("Sub", np.subtract, NUMBERS), ("Min", np.minimum, REAL),
                             ("Max", np.maximum, REAL), ("Update", replaced, ANY_DTYPE)):
    rows, places = (I(shape, below=below, form=lambda i: np.argsort(i, axis=0), edges=False)
                    for shape, below in (("2 1", 5), ("2 2", 3)))
    behind(f"ResourceScatterNd{name}", lambda *inputs, change=change: [by_places(change)(*inputs)],
           [T("5 3", edges=False)], rows, T("2 3", edges=False), dtypes=dtypes, samples=[
               sample(T("5 3", edges=False), rows, T("2 3", edges=False), name="rows"),
               sample(T("5 3", edges=False), places, T("2", edges=False), name="elements")])
