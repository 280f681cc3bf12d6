"""tf.sparse: tensors of which only some places hold a value.

A reference receives and returns `SparseValue`s. A place that holds a zero is not an empty place: these cases test how
an op treats each. Indices are in row-major order, which the pages assume, except where the order is the point.
"""

import itertools

import numpy as np

from tfparity import DTYPE, FLOATS, B, I, S, Sparse, SparseValue, T, Undefined, each, error, kind, sample, tf

from ..references.segments import segments

sparse = kind("sparse")


def places(x):
    """The indices of a sparse value, as NumPy wants them."""
    return tuple(x.indices.T)


def held(x):
    """A dense array that is true where a sparse value holds something."""
    out = np.zeros(tuple(map(int, x.dense_shape)), bool)
    out[places(x)] = True
    return out


def sparse_of(dense, where):
    """The sparse value of a dense array that holds the places where `where` is true, in row-major order."""
    return SparseValue(np.argwhere(where), dense[where], np.array(dense.shape))


def with_values(x, values):
    return SparseValue(x.indices, values, x.dense_shape)


def ordered(x):
    order = np.lexsort(places(x)[::-1])
    return SparseValue(x.indices[order], x.values[order], x.dense_shape)


# --- elementwise ---------------------------------------------------------------------------------------------------


def add(a, b, threshold=0):
    """The sum, at every place that either holds; sparse when both are, and then without what is below the threshold."""
    if not isinstance(b, SparseValue):
        out = b.copy()
        np.add.at(out, places(a), a.values)
        return out
    if tuple(a.dense_shape) != tuple(b.dense_shape):
        raise ValueError("shapes differ")
    total = a.dense() + b.dense()
    magnitude = np.abs(total if total.dtype.kind in "fc" else total.astype(float))
    return sparse_of(total, (held(a) | held(b)) & ~(magnitude < threshold))


def pairwise(function):
    """A function of two sparse values, at every place that either holds; an empty place counts as zero."""

    def reference(a, b):
        if tuple(a.dense_shape) != tuple(b.dense_shape):
            raise ValueError("shapes differ")
        return sparse_of(function(a.dense(), b.dense()), held(a) | held(b))

    return reference


def softmax(x):
    """Along the last dimension, over the places held."""
    filled = np.where(held(x), x.dense(), -np.inf)
    top = filled.max(-1, keepdims=True, initial=-np.inf)
    shares = np.where(held(x), np.exp(filled - top), 0)
    return with_values(x, (shares / shares.sum(-1, keepdims=True))[places(x)])


A = Sparse("m n")


@sparse("tf.sparse.add", add)
def sums():
    yield sample(A, Sparse("m n"), name="sparse")
    yield sample(A, T("m n"), name="dense")
    yield sample(A, Sparse("m n"), 2, name="threshold")


sparse("tf.sparse.maximum", pairwise(np.maximum), A, Sparse("m n"), canonical=lambda x: with_values(x, x.values + 0))
sparse("tf.sparse.minimum", pairwise(np.minimum), A, Sparse("m n"), canonical=lambda x: with_values(x, x.values + 0))
sparse("tf.sparse.softmax", softmax, each(Sparse("m n"), Sparse("b m n")))
sparse("tf.sparse.map_values", lambda x: with_values(x, np.square(x.values) + 1), A,
       call=lambda f, x: f(lambda v: v * v + tf.ones_like(v), x))

# --- reductions ----------------------------------------------------------------------------------------------------


def reduced(function, start):
    """A reduction over the places held; zero where there are none."""

    def reference(x, axis, keepdims, output_is_sparse):
        axes = None if axis is None else tuple(axis) if isinstance(axis, list) else (axis,)
        lowest = start(x.values.dtype)
        out = function(np.where(held(x), x.dense(), lowest), axis=axes, keepdims=keepdims, initial=lowest)
        seen = held(x).any(axis=axes, keepdims=keepdims)
        out = np.where(seen, out, np.zeros((), x.values.dtype)).astype(x.values.dtype)
        return sparse_of(out, seen) if output_is_sparse else out

    return reference


def least(dtype):
    return np.iinfo(dtype).min if dtype.kind in "iu" else -np.inf


def wrapping_sum(array, axis, keepdims, initial):
    return np.sum(array, axis=axis, keepdims=keepdims, dtype=array.dtype, initial=initial)


def bincount(values, weights=None, axis=0, minlength=None, maxlength=None, binary_output=False):
    """How often each number stands in every row, or in all of them."""
    rows = values[None] if axis == 0 and values.ndim == 1 else values.reshape(1, -1) if axis == 0 else values
    if values.size and values.min() < 0:
        raise ValueError("negative value")
    width = maxlength if maxlength is not None else max(int(values.max(initial=-1)) + 1, minlength or 0)
    kind = np.int64 if weights is None else weights.dtype
    counts, seen = np.zeros((len(rows), width), kind), np.zeros((len(rows), width), bool)
    amounts = np.ones(rows.shape, kind) if weights is None else weights.reshape(rows.shape)
    for row, value in np.ndindex(rows.shape):
        at = row, rows[row, value]
        if at[1] < width:
            counts[at] = 1 if binary_output else counts[at] + amounts[row, value]
            seen[at] = True
    found = sparse_of(counts, seen)
    if axis == 0:
        found = SparseValue(found.indices[:, 1:], found.values, found.dense_shape[1:])
    return found


sparse("tf.sparse.reduce_sum", reduced(wrapping_sum, lambda dtype: 0), Sparse("a b c"),
       axis=each(None, 0, [0, 2], -1), keepdims=each(False, True), output_is_sparse=each(False, True))
sparse("tf.sparse.reduce_max", reduced(np.max, least), Sparse("a b c"),
       axis=each(None, 0, [0, 2], -1), keepdims=each(False, True), output_is_sparse=each(False, True))


@sparse(
    "tf.sparse.bincount",
    bincount,
    dtypes=("int32", "int64"),
    errors=[error("negative", np.array([3, -1, 2], np.int32))],
)
def counts():
    number = (0, 9)
    yield sample(T("n", within=number))
    yield sample(T("m n", within=number), axis=-1, name="rows")
    yield sample(T("m n", within=number), axis=0, name="all")
    yield sample(T("m n", within=number), axis=-1, maxlength=5, name="maxlength")
    yield sample(T("m n", within=number), axis=-1, minlength=20, name="minlength")
    yield sample(T("m n", within=number), axis=-1, binary_output=True, name="binary")
    yield sample(T("m n", within=number), weights=T("m n", dtype="float32", edges=False), axis=-1, name="weights")


# --- shape and order -----------------------------------------------------------------------------------------------


def moved(x, function):
    """A rearrangement of the dense array; applied to the numbers of the places it shows where each place moves."""
    size = tuple(map(int, x.dense_shape))
    number = function(np.arange(np.prod(size, dtype=int)).reshape(size))
    return sparse_of(function(x.dense()), np.isin(number, np.flatnonzero(held(x))))


def concat(axis, inputs, expand_nonconcat_dims=False):
    shape = np.max([x.dense_shape for x in inputs], axis=0)
    for x in inputs:
        if not expand_nonconcat_dims and (np.delete(x.dense_shape, axis) != np.delete(shape, axis)).any():
            raise ValueError("the other dimensions differ")
    start, parts = 0, []
    for x in inputs:
        at = x.indices.copy()
        at[:, axis] += start
        start += int(x.dense_shape[axis])
        parts.append(at)
    shape[axis] = start
    return ordered(SparseValue(np.concatenate(parts), np.concatenate([x.values for x in inputs]), shape))


def sliced(x, start, size):
    start, end = np.asarray(start), np.minimum(np.add(start, size), x.dense_shape)
    inside = ((x.indices >= start) & (x.indices < end)).all(-1)
    return SparseValue(x.indices[inside] - start, x.values[inside], np.maximum(end - start, 0))


def split(x, num_split, axis):
    """Equal parts; the first ones are one longer where it does not divide."""
    length, longer = divmod(int(x.dense_shape[axis]), num_split)
    parts, start = [], 0
    for k in range(num_split):
        first, size = np.zeros(len(x.dense_shape), int), x.dense_shape.copy()
        first[axis], size[axis] = start, length + (k < longer)
        parts.append(sliced(x, first, size))
        start += int(size[axis])
    return parts


def expand_dims(x, axis=-1):
    axis = axis if axis is not None else -1
    return SparseValue(np.insert(x.indices, axis if axis >= 0 else x.indices.shape[1] + 1 + axis, 0, axis=1), x.values,
                       np.insert(x.dense_shape, axis if axis >= 0 else len(x.dense_shape) + 1 + axis, 1))


def reset_shape(x, new_shape=None):
    if new_shape is None:
        return SparseValue(
            x.indices, x.values, x.indices.max(0) + 1 if len(x.values) else np.zeros(len(x.dense_shape), int)
        )
    if len(new_shape) != len(x.dense_shape) or (np.array(new_shape) < x.dense_shape).any():
        raise ValueError("the new shape is smaller")
    return SparseValue(x.indices, x.values, np.array(new_shape))


def shuffled(f, x, *args):
    """The op on the same tensor with its places in the opposite order."""
    return f(tf.SparseTensor(x.indices[::-1], x.values[::-1], x.dense_shape), *args)


sparse("tf.sparse.reorder", ordered, each(Sparse("m n"), Sparse("b m n")), call=shuffled)
sparse(
    "tf.sparse.transpose",
    lambda x, perm=None: moved(x, lambda d: d.transpose(perm)),
    Sparse("a b c"),
    each(None, [2, 0, 1], [0, 2, 1]),
)
sparse(
    "tf.sparse.reshape",
    lambda x, shape: moved(x, lambda d: d.reshape(shape)),
    Sparse("m n"),
    each([2, 6], [-1], [3, -1, 2]),
    sizes={"m": 4, "n": 3},
    errors=[error("size", shape=[5, 5]), error("two-unknown", shape=[-1, -1])],
)
sparse("tf.sparse.expand_dims", expand_dims, A, each(-1, 0, 1, -3))
sparse(
    "tf.sparse.reset_shape",
    reset_shape,
    A,
    each(None, [9, 9]),
    sizes={"m": 4, "n": 3},
    errors=[error("smaller", new_shape=[3, 3])],
)
sparse(
    "tf.sparse.concat",
    concat,
    each(0, 1, -1),
    [Sparse("m n"), Sparse("m n")],
    expand_nonconcat_dims=each(False, True),
    errors=[error("sizes", 0, [sparse_of(np.eye(2), np.eye(2) > 0), sparse_of(np.eye(3), np.eye(3) > 0)])],
)
sparse("tf.sparse.slice", sliced, Sparse("m n"), each([0, 0], [1, 2]), each([2, 2], [9, 9]))
sparse("tf.sparse.split", split, Sparse("m n"), each(1, 2, 3), each(0, 1), sizes={"m": 6, "n": 7})

# --- places --------------------------------------------------------------------------------------------------------


def fill_empty_rows(x, default_value):
    empty = ~held(x).any(1)
    extra = np.argwhere(empty) * [1, 0] if len(empty) else np.zeros((0, 2), int)
    filled = SparseValue(
        np.concatenate([x.indices, extra]),
        np.concatenate([x.values, np.full(len(extra), default_value, x.values.dtype)]),
        x.dense_shape,
    )
    return ordered(filled), empty


def retain(x, to_retain):
    return SparseValue(x.indices[to_retain], x.values[to_retain], x.dense_shape)


def to_indicator(x, vocab_size):
    """True at the numbers that every row holds."""
    out = np.zeros((len(held(x)), vocab_size), bool)
    if len(x.values) and not (x.values.min() >= 0 and x.values.max() < vocab_size):
        raise ValueError("a value is no index")
    out[x.indices[:, 0], x.values.astype(int)] = True
    return out


def to_dense(x, default_value=None, validate_indices=True):
    return (
        x.dense(0 if default_value is None else default_value)
        if x.values.dtype != object
        else x.dense(default_value or b"")
    )


def cross(inputs, separator="_X_"):
    """All combinations of one value of each input, row by row."""
    found = []
    for row in range(int(getattr(inputs[0], "dense_shape", np.shape(inputs[0]))[0])):
        lists = [x.values[x.indices[:, 0] == row] if isinstance(x, SparseValue) else x[row] for x in inputs]
        found.append([separator.encode().join(parts) for parts in itertools.product(*lists)])
    longest = max(map(len, found), default=0)
    indices = [(row, k) for row, words in enumerate(found) for k in range(len(words))]
    values = np.array([word for words in found for word in words], object)
    return SparseValue(np.array(indices, np.int64).reshape(-1, 2), values, np.array([len(found), longest]))


def eye(num_rows, num_columns=None, dtype=None):
    return sparse_of(np.eye(num_rows, num_columns, dtype=dtype), np.eye(num_rows, num_columns, dtype=bool))


def unordered(first, second):
    return SparseValue(np.array([first, second]), np.array([1, 2], np.int32), np.array([4, 3]))


sparse(
    "tf.sparse.to_dense",
    to_dense,
    A,
    each(None, T("")),
    validate_indices=each(True, False),
    errors=[
        error("order", unordered([1, 0], [0, 0])),
        error("twice", unordered([1, 0], [1, 0])),
        error("outside", unordered([1, 0], [9, 0])),
    ],
)
sparse("tf.sparse.from_dense", lambda x: sparse_of(x, x != (b"" if x.dtype == object else 0)), T("m n"))
sparse("tf.sparse.fill_empty_rows", fill_empty_rows, Sparse("m n"), T(""))
sparse("tf.sparse.retain", retain, Sparse("m n"), B("k"), sizes={"m": 4, "n": 3, "k": 6})
sparse("tf.sparse.to_indicator", to_indicator, Sparse("m n", within=(0, 6)), 7, dtypes=("int32", "int64"))
sparse("tf.sparse.eye", eye, 4, each(None, 6, 2), dtype=DTYPE)
sparse(
    "tf.sparse.cross",
    cross,
    each([Sparse("m n", dtype="string"), S("m k")], [S("m n"), S("m k"), S("m l")]),
    separator=each("_X_", ""),
)
sparse("tf.sparse.cross_hashed", None, [S("m n"), S("m k")], num_buckets=each(100, 0),
       hash_key=each(None, 5)).no_reference("the page does not define Fingerprint64")

# --- products and segments -----------------------------------------------------------------------------------------


def sparse_dense_matmul(a, b, adjoint_a, adjoint_b):
    """The product over the places held: an empty place meets nothing, not even NaN."""
    first, where = (a.dense(), held(a)) if isinstance(a, SparseValue) else (a, np.ones(a.shape, bool))
    second, there = (b.dense(), held(b)) if isinstance(b, SparseValue) else (b, np.ones(b.shape, bool))
    if first.dtype.kind == "c" and not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise Undefined("complex multiplication by infinity")
    first, where = (first.conj().T, where.T) if adjoint_a else (first, where)
    second, there = (second.conj().T, there.T) if adjoint_b else (second, there)
    if first.shape[1] != second.shape[0]:
        raise ValueError("inner dimensions differ")
    terms = np.where(where[:, :, None] & there[None], first[:, :, None] * second[None], np.zeros((), first.dtype))
    return terms.sum(1, dtype=first.dtype)


def sampled_addmm(indices, values, dense_shape, mat1, mat2, beta, alpha, output_type):
    product = (mat1 @ mat2)[tuple(indices.T)]
    return indices, alpha * product + beta * values, np.array(dense_shape)


def positive_zero(x):
    return x + np.zeros((), x.dtype)


SEGMENTS = T("k", dtype="int32", within=(0, 4), form=np.sort, edges=False)


@sparse("tf.sparse.sparse_dense_matmul", sparse_dense_matmul)
def products():
    for adjoint_a in (False, True):
        for adjoint_b in (False, True):
            a, b = "k m" if adjoint_a else "m k", "n k" if adjoint_b else "k n"
            yield sample(Sparse(a), T(b), adjoint_a, adjoint_b, name=f"sparse,{adjoint_a},{adjoint_b}")
            yield sample(T(a), Sparse(b), adjoint_a, adjoint_b, name=f"dense,{adjoint_a},{adjoint_b}")


sparse("tf.sparse.sampled_addmm", sampled_addmm, T("k", 2, dtype="int32", within=(0, 2)), T("k", edges=False), [3, 3],
       T(3, "p", edges=False), T("p", 3, edges=False),
       beta=each(1.0, 0.25), alpha=each(1.0, 0.75), output_type=DTYPE, dtypes=FLOATS)
sparse(
    "tf.sparse.segment_sum",
    segments(None),
    T("n d"),
    I("k", below="n"),
    SEGMENTS,
    each(None, 7),
    canonical=positive_zero,
)
sparse(
    "tf.sparse.segment_mean",
    segments(np.copy),
    T("n d"),
    I("k", below="n"),
    SEGMENTS,
    each(None, 7),
    canonical=positive_zero,
)
sparse(
    "tf.sparse.segment_sqrt_n",
    segments(np.sqrt),
    T("n d"),
    I("k", below="n"),
    SEGMENTS,
    each(None, 7),
    canonical=positive_zero,
)


def masked(values, indices, mask_indices):
    kept = ~np.isin(indices, mask_indices)
    return indices[kept], values[kept]


def mask(f, values, indices, mask_indices):
    found = f(tf.IndexedSlices(values, indices), mask_indices)
    return found.indices, found.values


sparse(
    "tf.sparse.mask",
    masked,
    T("n d"),
    T("n", dtype="int32", within=(0, 9), edges=False),
    T("k", dtype="int32", within=(0, 9)),
    call=mask,
)
