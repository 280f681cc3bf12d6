"""The operators of tf.Tensor, tf.Variable, tf.RaggedTensor and tf.sparse.SparseTensor, applied as Python applies them.

A row is one operator: its name, Python's function of it, NumPy's, the dtypes it is for, and the form of values that it
divides by or raises to. It is expanded over the pairings of operands, `left` and `right`: a Tensor is an argument, a
Variable is assigned one before the operator is applied, and an ndarray or a scalar is always a constant of the
graph. `__radd__` is the sum of what has no such operator of its own with a Tensor, in this order. The reflections, and
the operators of a Variable, which hands its value to a Tensor's, run in one dtype of each family, those of a
RaggedTensor, which works on its values, in one.
"""

import operator

import numpy as np

from tfparity import (
    COMPLEX,
    FLOATS,
    INTEGERS,
    NUMBERS,
    B,
    I,
    Ragged,
    RaggedValue,
    Sparse,
    SparseValue,
    T,
    each,
    error,
    kind,
    op,
    program,
    sample,
    tf,
)

from ..references.arithmetic import finite, floordiv, floormod, power, true_divide
from ..references.variables import no_variables, variable

# --- operands --------------------------------------------------------------------------------------------------------

CONSTANTS = {"f": (2.5, -0.5, 3.0), "c": (2 - 1j, -0.5 + 0j, 3j), "i": (3, 2, 7), "u": (3, 2, 7),
             "b": (True, False, True), "O": (b"ab", b"", "né".encode())}
GIVEN = ("Tensor", "Variable", "RaggedTensor", "SparseTensor")


def constant(kind, dtype, length=3):
    """A Python scalar, a vector, or the square matrix of its rotations, in the dtype of the other operand."""
    values = CONSTANTS["f" if dtype.kind == "V" else dtype.kind]  # bfloat16 is of no kind that NumPy knows
    if kind == "scalar":
        return values[0]
    vector = np.array(values[:length], dtype)
    return vector if kind == "ndarray" else np.stack([np.roll(vector, k) for k in range(3)])


def backwards(x):
    """The second operand where two ragged tensors must have the same rows: the values of the first, last first."""
    return x.with_values(tf.reverse(x.values, [0]))


def operands(inputs, kinds, dtype, of_kind):
    """What is operated on, in order; an input of its own each, but for constants and a second ragged tensor."""
    given, length = iter(inputs), 1 if "RaggedTensor" in kinds.values() else 3  # rows are not of one length
    return [of_kind(side, kind, next(given, None)) if kind in GIVEN else constant(kind, dtype, length)
            for side, kind in kinds.items()]


def applied(function):
    """The operator on TensorFlow's operands."""
    def call(f, kept, *inputs, **kinds):
        def of_kind(side, kind, x):
            return backwards(inputs[0]) if x is None else variable(x, kept, side) if kind == "Variable" else x

        return function(*operands(inputs, kinds, np.dtype(inputs[0].dtype.as_numpy_dtype), of_kind))

    return call


def applied_to_one(function):
    return lambda f, x: function(x)


def applied_to_variable(function):
    return lambda f, kept, x: function(variable(x, kept))


def values_of(x):
    return x.values if isinstance(x, RaggedValue | SparseValue) else x


def expected(function):
    """The function on NumPy's operands: of a ragged one on its values, of a sparse one where it holds some."""
    def aligned(x, like):
        if isinstance(x, RaggedValue | SparseValue):
            return x.values
        if isinstance(like, RaggedValue):
            return x if x.ndim < 2 else np.repeat(x[:, 0], np.diff(like.splits[0]))
        return np.broadcast_to(x, tuple(like.dense_shape))[tuple(like.indices.T)]

    def reference(*inputs, **kinds):
        dtype = values_of(inputs[0]).dtype
        again = RaggedValue(values_of(inputs[0])[::-1], getattr(inputs[0], "splits", ()))
        both = operands(inputs, kinds, dtype, lambda side, kind, x: again if x is None else x)
        both = [x if kind in GIVEN else np.asarray(x, dtype) for x, kind in zip(both, kinds.values(), strict=True)]
        for like in both:
            if isinstance(like, RaggedValue):
                return RaggedValue(function(*(aligned(x, like) for x in both)), like.splits)
            if isinstance(like, SparseValue):
                return SparseValue(like.indices, function(*(aligned(x, like) for x in both)), like.dense_shape)
        return function(*both)

    return reference


def shapes_of(left, right):
    """Shapes that broadcast: a row with every row, a column with every ragged row, a lone operand as it likes."""
    if "RaggedTensor" in (left, right):
        return tuple("n m" if kind == "RaggedTensor" else "n 1" for kind in (left, right))
    if "SparseTensor" in (left, right):
        return tuple("m n" if kind == "SparseTensor" else "n" for kind in (left, right))
    return "m n", "n" if left in GIVEN else "m n"


def inputs_of(left, right, form):
    """The inputs of a pair; `form` is that of values on the right. Edge values are planted beside a scalar, for whose
    sake the graph is rewritten: beside anything else they are those of the op that the operator stands for."""
    kinds = {left, right}
    edges = kinds == {"Tensor", "scalar"}
    if kinds == {"RaggedTensor"}:
        return [Ragged("n m", form=form, edges=edges)]
    inputs = {"RaggedTensor": Ragged, "SparseTensor": Sparse}
    return [inputs.get(kind, T)(shape, form=side, edges=edges) for kind, shape, side in
            zip((left, right), shapes_of(left, right), (None, form), strict=True) if kind in GIVEN]


def declare(name, function, reference, pairs, dtypes, form=None, more=(), **options):
    """One operator of one class: a sample for each pair of kinds, and more. What times it is the op that it stands
    for."""
    op(name, expected(reference), call=applied(function), state=no_variables, dtypes=dtypes, timed=False, **options)(
        lambda: [*(sample(*inputs_of(*pair, form), left=pair[0], right=pair[1]) for pair in pairs), *more])


def one_of_each_family(dtypes):
    """The first dtype of each family, which are those whose every pairing is tried."""
    return [d for d in ("float32", "int32", "complex64", "bool", "string") if d in dtypes]


# --- rows ------------------------------------------------------------------------------------------------------------


def no_zero(x):
    return np.where(x == 0, np.ones_like(x), x)


def no_sign(x):
    return np.abs(x) if x.dtype.kind == "i" else x


def old_division(left, right):
    """Python 2's, whose operator Python 3 does not have: that of the left operand, else the reflected one."""
    return left.__div__(right) if hasattr(left, "__div__") else right.__rdiv__(left)


def old_quotient(x, y):
    return floordiv(x, y) if x.dtype.kind in "iu" else x / y


def broadcastable(x, y):
    try:
        return bool(np.broadcast_shapes(x.shape, y.shape) is not None)
    except ValueError:
        return False


def equal(x, y):
    """By element; False, once, where shapes do not broadcast."""
    return np.equal(x, y) if broadcastable(x, y) else np.False_


def not_equal(x, y):
    return np.not_equal(x, y) if broadcastable(x, y) else np.True_


REAL, WHOLE, EVERY = FLOATS + INTEGERS, (*INTEGERS, "bool"), (*NUMBERS, "bool", "string")

ARITHMETIC = (
    ("add",      operator.add,      np.add,                 (*NUMBERS, "string"), None),
    ("sub",      operator.sub,      np.subtract,            NUMBERS,              None),
    ("mul",      operator.mul,      finite(np.multiply),    NUMBERS,              None),
    ("truediv",  operator.truediv,  finite(true_divide),    NUMBERS,              no_zero),
    ("div",      old_division,      finite(old_quotient),   NUMBERS,              no_zero),
    ("floordiv", operator.floordiv, floordiv,               REAL,                 no_zero),
    ("mod",      operator.mod,      floormod,               REAL,                 no_zero),
    ("pow",      operator.pow,      finite(power),          NUMBERS,              no_sign),
)
BITWISE = (
    ("and",      operator.and_,     np.bitwise_and,         WHOLE,                None),
    ("or",       operator.or_,      np.bitwise_or,          WHOLE,                None),
    ("xor",      operator.xor,      np.bitwise_xor,         WHOLE,                None),
)
COMPARISON = (
    ("eq",       operator.eq,       equal,                  EVERY,                None),
    ("ne",       operator.ne,       not_equal,              EVERY,                None),
    ("lt",       operator.lt,       np.less,                REAL,                 None),
    ("le",       operator.le,       np.less_equal,          REAL,                 None),
    ("gt",       operator.gt,       np.greater,             REAL,                 None),
    ("ge",       operator.ge,       np.greater_equal,       REAL,                 None),
)
UNARY = (
    ("abs",      operator.abs,      finite(np.abs),         NUMBERS),
    ("neg",      operator.neg,      np.negative,            NUMBERS),
    ("invert",   operator.invert,   np.invert,              WHOLE),
)

KINDS = dict.fromkeys((name for name, *_ in ARITHMETIC), "binary")
KINDS |= dict.fromkeys((name for name, *_ in BITWISE), "integer and bitwise")
KINDS |= dict.fromkeys((name for name, *_ in COMPARISON), "comparison and logical")
OTHERS = ("Tensor", "Variable", "ndarray", "scalar")


def to(kind, others=OTHERS):
    """A kind of operand on the left of all others."""
    return [(kind, other) for other in others]


def after(kind, others=("scalar", "ndarray")):
    """A kind of operand on the right of those that leave the operation to it."""
    return [(other, kind) for other in others]


# --- Tensor and Variable ---------------------------------------------------------------------------------------------

SHAPES_DIFFER = [sample(T("m", edges=False), T("n", edges=False), left="Tensor", right="Tensor", name="shapes-differ")]

for name, function, reference, dtypes, form in (*ARITHMETIC, *BITWISE):
    few, others = one_of_each_family(dtypes), (*OTHERS, "SparseTensor") if name == "mul" else OTHERS
    declare(f"tf.Tensor.__{name}__", function, reference, to("Tensor", others), dtypes, form, kind=KINDS[name])
    declare(f"tf.Tensor.__r{name}__", function, reference, after("Tensor"), few, form, kind=KINDS[name])
    declare(f"tf.Variable.__{name}__", function, reference, to("Variable", others), few, form, kind=KINDS[name])
    declare(f"tf.Variable.__r{name}__", function, reference, after("Variable"), few, form, kind=KINDS[name])

# Python has no reflected comparison: of 2 < x it asks x > 2.
for name, function, reference, dtypes, form in COMPARISON:
    few, more = one_of_each_family(dtypes), SHAPES_DIFFER if name in ("eq", "ne") else ()
    declare(f"tf.Tensor.__{name}__", function, reference, to("Tensor") + after("Tensor"), dtypes, form, more,
            kind=KINDS[name])
    declare(f"tf.Variable.__{name}__", function, reference, to("Variable") + after("Variable"), few, form,
            kind=KINDS[name])


@program("program.operator_with_python_number", T("n", dtype="int8"), number=each(100, True, 300, -200), kind="binary",
         reference=lambda x, number: x + np.int8(number), autograph=False)
def operator_with_python_number(x, number):
    """A number that the dtype cannot hold is refused, as tf.constant and NumPy refuse it."""
    return x + number


unary = kind("elementwise unary")

for name, function, reference, dtypes in UNARY:
    few = one_of_each_family(dtypes)
    unary(f"tf.Tensor.__{name}__", reference, T(), dtypes=dtypes, timed=False, call=applied_to_one(function))
    unary(f"tf.Variable.__{name}__", reference, T("m n", edges=False), dtypes=few, timed=False, state=no_variables,
          call=applied_to_variable(function))

unary("tf.Tensor.__round__", np.round, T(), dtypes=["float32", "int32"], timed=False, call=lambda f, x: round(x))

PRODUCTS = (*FLOATS, *COMPLEX, "int32", "int64")


def products(*pairs):
    """Matrices, and of two tensors also batches of them."""
    for left, right in pairs:
        shapes = zip((left, right), ("m 3", "3 n") if "square" in (left, right) else ("m k", "k n"), strict=True)
        yield sample(*(T(shape, edges=False) for kind, shape in shapes if kind in GIVEN), left=left, right=right)
        if left == right:
            yield sample(T("b m k", edges=False), T("b k n", edges=False), left=left, right=right, name=f"batch,{left}")


for name, pairs in {
        "tf.Tensor.__matmul__": [("Tensor", "Tensor"), ("Tensor", "Variable"), ("Tensor", "square")],
        "tf.Tensor.__rmatmul__": [("square", "Tensor")],
        "tf.Variable.__matmul__": [("Variable", "Tensor"), ("Variable", "Variable"), ("Variable", "square")],
        "tf.Variable.__rmatmul__": [("square", "Variable")]}.items():
    declare(name, operator.matmul, np.matmul, (), PRODUCTS if name == "tf.Tensor.__matmul__" else PRODUCTS[0::4],
            more=tuple(products(*pairs)), kind="linear algebra")

# --- RaggedTensor and SparseTensor -----------------------------------------------------------------------------------
# An ndarray on the left takes the operation itself, and gives an array of ragged tensors: no page promises more.

ON_THE_RIGHT = to("RaggedTensor", ("RaggedTensor", *OTHERS))
ON_THE_LEFT = after("RaggedTensor", ("scalar", "Tensor", "Variable"))

for name, function, reference, dtypes, form in (*ARITHMETIC, *BITWISE):
    one = "bool" if "bool" in dtypes else "float32"
    declare(f"tf.RaggedTensor.__{name}__", function, reference, ON_THE_RIGHT, [one], form, kind="ragged")
    declare(f"tf.RaggedTensor.__r{name}__", function, reference, ON_THE_LEFT, [one], form, kind="ragged")

for name, function, reference, _, form in COMPARISON:
    declare(f"tf.RaggedTensor.__{name}__", function, reference, ON_THE_RIGHT + ON_THE_LEFT, ["float32"], form,
            kind="ragged")

for name, function, reference, dtypes in UNARY:
    op(f"tf.RaggedTensor.__{name}__", lambda x, reference=reference: RaggedValue(reference(x.values), x.splits),
       Ragged("n m", edges=False), kind="ragged", dtypes=["bool" if "bool" in dtypes else "float32"], timed=False,
       call=applied_to_one(function))

# A dense operand is broadcast to the sparse one, and what holds nothing stays so, whatever it is multiplied by.
for name, function, reference, dtypes, form in ARITHMETIC:
    if name in ("mul", "truediv", "div"):
        declare(f"tf.sparse.SparseTensor.__{name}__", function, reference, to("SparseTensor"),
                one_of_each_family(dtypes), form, kind="sparse")

# --- __getitem__ -----------------------------------------------------------------------------------------------------
# A piece is cut by one text from TensorFlow's operand and from NumPy's array.

shaping = kind("shape and indexing")


CUTS = (
    ("index",              lambda x: x[0]),
    ("negative-index",     lambda x: x[-1]),
    ("element",            lambda x: x[1, -2, 0]),
    ("slice",              lambda x: x[1:3]),
    ("negative-slice",     lambda x: x[-3:-1]),
    ("beyond-the-ends",    lambda x: x[-99:99, 2:1]),
    ("step",               lambda x: x[::2, 1:5:3]),
    ("negative-step",      lambda x: x[::-1]),
    ("from-behind",        lambda x: x[..., 4:0:-2]),
    ("wrong-way",          lambda x: x[0:3:-1]),
    ("newaxis",            lambda x: x[:, None]),
    ("newaxis-twice",      lambda x: x[None, ..., None]),
    ("newaxis-and-index",  lambda x: x[None, 1, None, 2]),
    ("ellipsis",           lambda x: x[...]),
    ("ellipsis-between",   lambda x: x[1:, ..., -1]),
    ("ellipsis-of-none",   lambda x: x[1, 2, ..., 3]),
    ("by-tensor",          lambda x, i: x[i], I("", within=(-4, 3))),
    ("by-int64-tensor",    lambda x, i: x[i], I("", within=(-4, 3), dtype="int64")),
    ("by-int16-tensor",    lambda x, i: x[i], I("", within=(-4, 3), dtype="int16")),
    ("by-tensors",         lambda x, i, j: x[i, :, j], I("", within=(0, 3)), I("", within=(-5, 4))),
    ("between-tensors",    lambda x, i, j: x[i:j], I("", within=(-9, 9)), I("", within=(-9, 9))),
    ("tensor-as-step",     lambda x, i: x[::i], T("", dtype="int32", values=(1, 2, -1, -3))),
    ("mask",               lambda x, mask: x[mask], B(4)),
    ("mask-of-two-axes",   lambda x, mask: x[mask], B("4 3")),
    ("mask-by-comparison", lambda x, y: x[x == y], T("4 3 5", edges=False)),
)
SOLID = T("4 3 5", edges=False)
OUTSIDE = [
    error("index-beyond", piece=lambda x: x[4]),
    error("index-before", piece=lambda x: x[-5]),
    error("too-many-indices", piece=lambda x: x[0, 0, 0, 0]),
    error("two-ellipses", piece=lambda x: x[..., 0, ...]),
    error("step-of-zero", piece=lambda x: x[::0]),
    error("float-index", piece=lambda x: x[1.0]),
    error("tensor-beyond", SOLID, np.array(4, np.int32), piece=lambda x, i: x[i]),
    error("tensor-before", SOLID, np.array(-5, np.int32), piece=lambda x, i: x[i]),
    error("tensor-step-of-zero", SOLID, np.array(0, np.int32), piece=lambda x, i: x[::i]),
    error("mask-of-other-length", SOLID, np.array([True, False, True]), piece=lambda x, i: x[i]),
]


def cuts():
    return [sample(SOLID, *more, piece=piece, name=name) for name, piece, *more in CUTS]


def assigned():
    """What is assigned to a slice of a variable; the result is the whole."""
    for name, into, shape in (("slice", np.s_[1:3], "2 3 5"), ("step", np.s_[:, ::2], "4 2 5"), ("all", ..., "4 3 5"),
                              ("backwards", np.s_[::-1], "4 3 5"), ("column", np.s_[..., 2], "4 3")):
        yield sample(SOLID, T(shape, edges=False), into=into, name=f"assign-{name}")


def of_array(x, *inputs, piece=None, into=None):
    if piece:
        return piece(x, *inputs)
    x = x.copy()
    x[into], = inputs
    return x


def of_variable(f, kept, x, *inputs, piece=None, into=None):
    v = variable(x, kept)
    return piece(v, *inputs) if piece else v[into].assign(*inputs)


shaping("tf.Tensor.__getitem__", of_array, call=lambda f, x, *inputs, piece: piece(x, *inputs), exact=True, timed=False,
        errors=OUTSIDE)(cuts)
shaping("tf.Variable.__getitem__", of_array, call=of_variable, state=no_variables, exact=True, timed=False,
        errors=OUTSIDE, dtypes=one_of_each_family(EVERY))(lambda: [*cuts(), *assigned()])


def of_rows(rows, like):
    return RaggedValue.of([np.asarray(row, like.values.dtype) for row in rows], like.values.dtype)


def by_row(cut):
    """The ragged value of the same cut of every row."""
    return lambda x: of_rows([row[cut] for row in x.rows()], x)


def one_more_axis(x):
    return RaggedValue(x.values, (np.array([0, len(x.splits[0]) - 1]), x.splits[0]))


RAGGED_CUTS = (
    ("row",                lambda x: x[0],        lambda x: x.rows()[0]),
    ("last-row",           lambda x: x[-1],       lambda x: x.rows()[-1]),
    ("empty-row",          lambda x: x[1],        lambda x: x.rows()[1]),
    ("rows",               lambda x: x[1:3],      lambda x: of_rows(x.rows()[1:3], x)),
    ("every-other-row",    lambda x: x[::2],      lambda x: of_rows(x.rows()[::2], x)),
    ("rows-backwards",     lambda x: x[::-1],     lambda x: of_rows(x.rows()[::-1], x)),
    ("no-row",             lambda x: x[3:1],      lambda x: of_rows([], x)),
    ("heads",              lambda x: x[:, :2],    by_row(np.s_[:2])),
    ("tails",              lambda x: x[:, -2:],   by_row(np.s_[-2:])),
    ("within-rows",        lambda x: x[:, 1:-1],  by_row(np.s_[1:-1])),
    ("step-within-rows",   lambda x: x[:, ::2],   by_row(np.s_[::2])),
    ("each-row-backwards", lambda x: x[:, ::-1],  by_row(np.s_[::-1])),
    ("rows-and-heads",     lambda x: x[2:, :1],   lambda x: of_rows([row[:1] for row in x.rows()[2:]], x)),
    ("part-of-a-row",      lambda x: x[0, 1:],    lambda x: x.rows()[0][1:]),
    ("ellipsis",           lambda x: x[...],      lambda x: x),
    ("newaxis",            lambda x: x[None],     one_more_axis),
)
JAGGED = RaggedValue(np.arange(6, dtype=np.float32), (np.array([0, 3, 3, 5, 6]),))


def refused(piece):
    return {"cut": (piece, None)}


@op("tf.RaggedTensor.__getitem__", lambda x, cut: cut[1](x), kind="ragged", timed=False, exact=True,
    dtypes=one_of_each_family(EVERY), call=lambda f, x, cut: cut[0](x),
    errors=[error("row-beyond", JAGGED, **refused(lambda x: x[4])),
            error("column", JAGGED, **refused(lambda x: x[:, 0])),
            error("place-beyond", JAGGED, **refused(lambda x: x[0, 3])),
            error("place-in-empty-row", JAGGED, **refused(lambda x: x[1, 0])),
            error("step-of-zero", JAGGED, **refused(lambda x: x[::0]))])
def ragged_cuts():
    for name, piece, rows in RAGGED_CUTS:
        yield sample(Ragged("n m", edges=False), cut=(piece, rows), name=name, sizes={"n": 4})
