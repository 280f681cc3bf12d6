"""Raw ops on what is behind a variant or a table's handle: lists, maps, ragged tensors, CSR matrices, lookup tables.

What such an op changes is made of tensors at the start of each call and read back as tensors at its end. A handle does
not carry a dtype: an op that has the dtype as an attribute is also called with another, which it must refuse.
"""

from __future__ import annotations

import itertools

import numpy as np

from tfparity import DTYPE, I, SparseValue, T, each, error, sample, tf

from ..references.indexing import sparse_read
from ..references.matrices import flipped
from ..references.raw_ops import named, raw

# --- tensor lists ---------------------------------------------------------------------------------------------------


def list_of(x):
    """The rows of a tensor as a list."""
    return tf.raw_ops.TensorListFromTensor(tensor=x, element_shape=tf.shape(x)[1:])


def stack(handle, x, shape=(3,)):
    """A list of rows like those of x as a tensor."""
    return tf.raw_ops.TensorListStack(input_handle=handle, element_shape=shape, element_dtype=x.dtype)


def on_list(f, x, *arguments, **attributes):
    """The op on the list of the rows of x."""
    return named(f, list_of(x), *arguments, **attributes)


def on_list_then_stack(f, x, *arguments, **attributes):
    return stack(on_list(f, x, *arguments, **attributes), x)


def to_list(f, x, *arguments, **attributes):
    return stack(named(f, x, *arguments, **attributes), x)


def lists(name, reference, *inputs, call=on_list, errors=(), **options):
    """Declare `tf.raw_ops.TensorListNAME`. Where the op is told the dtype of what the list holds, it is also told
    another."""
    def of_inputs(*inputs, element_dtype=None, **attributes):
        return reference(*inputs, **attributes)

    told = "element_dtype" in options
    raw(f"TensorList{name}", of_inputs, *inputs, call=call, exact=True, **options,
        errors=[*errors, *([error("complex64", element_dtype=np.dtype("complex64"))] if told else [])])


def zeros(shape, dtype):
    return np.full(shape, b"" if dtype.kind == "O" else 0, dtype)


def resized(x, size):
    return np.concatenate([x, zeros((max(size - len(x), 0), *x.shape[1:]), x.dtype)])[:size]


def placed(x, indices, shape, size=None):
    """Row k of x at indices[k], all else zero; at the same index the later row."""
    if np.any(indices < 0) or (size is not None and np.any(indices >= size)):
        raise IndexError("an index is out of range")
    out = zeros((size if size is not None else max(indices, default=-1) + 1, *x.shape[1:]), x.dtype)
    out[indices] = x
    return out


def set_item(x, index, item):
    x = x.copy()
    x[index] = item
    return x


def pop(f, x, shape, **attributes):
    rest, popped = on_list(f, x, shape, **attributes)
    return stack(rest, x), popped


def push(f, x, rows, **attributes):
    """One row for each of two lists, both of the rows of x."""
    both = named(f, tf.stack([list_of(x), list_of(x)]), rows, **attributes)
    return [stack(handle, x) for handle in tf.unstack(both, 2)]


def both_ends(f, x, y, **attributes):
    return stack(named(f, list_of(x), list_of(y), **attributes), x)


def cut(f, x, shape, lengths):
    return tf.raw_ops.TensorListConcatV2(input_handle=named(f, x, shape, lengths), element_shape=shape,
                                         leading_dims=lengths, element_dtype=x.dtype)


def cut_up(x, shape, lengths):
    if lengths.sum() != len(x):
        raise ValueError("the lengths do not add up")
    return x, lengths


def concat(f, x, *arguments, written, **attributes):
    """Of a list of which nothing is written, leading_dims tells the lengths."""
    blank = tf.raw_ops.TensorListReserve(element_shape=[-1, 3], num_elements=tf.shape(x)[0], element_dtype=x.dtype)
    return named(f, list_of(x) if written else blank, *arguments, **attributes)


def end_to_end(x, *arguments, written=True, **attributes):
    x = x if written else zeros(x.shape, x.dtype)
    return x.reshape(-1, *x.shape[2:]), np.full(len(x), x.shape[1], np.int64)


LENGTHS = I(3, dtype="int64", form=lambda _: np.array([2, 0, 3]), edges=False)
ROWS, PARTS, OF = T("n 3", edges=False), T("n 2 3", edges=False), {"element_dtype": DTYPE}
TWO_EACH = I("n", dtype="int64", within=(2, 2), edges=False)
lists("FromTensor",   lambda x, shape: x, ROWS, [3], call=to_list)
lists("Stack",        lambda x, shape, num_elements: x, T("4 3", edges=False), [3], num_elements=each(-1, 4), **OF)
lists("Length",       lambda x: np.int32(len(x)), ROWS)
lists("ElementShape", lambda x, shape_type: np.array(x.shape[1:], shape_type), ROWS,
      shape_type=each("int32", "int64"))
lists("Gather",       lambda x, i, shape: sparse_read(x, i), ROWS, I("k", below="n"), [3], **OF)
lists("GetItem",      lambda x, i, shape: sparse_read(x, i[None])[0], ROWS, I("", below="n"), [3], **OF, empty=False)
lists("SetItem",      set_item, ROWS, I("", below="n"), T(3, edges=False), call=on_list_then_stack, empty=False)
lists("Scatter",      placed, T("k 3", edges=False), I("k", within=(0, 4), edges=False), [3], call=to_list)
lists("ScatterV2",    placed, T("k 3", edges=False), I("k", below=5), [3], 5, call=to_list)
lists("Split",        cut_up, T(5, 3, edges=False), [-1, 3], LENGTHS, call=cut)
lists("Concat",       end_to_end, PARTS, element_shape=each([2, 3], [None, 3]), **OF, skips={
    "deeper-0": "out-of-bounds write: crashes at once or in a later op (tensorflow#63722)"})
lists("ConcatV2",     end_to_end, PARTS, each([2, 3], [-1, 3]), TWO_EACH, written=each(True, False), **OF, call=concat,
      errors=[error("negative-length", PARTS, [-1, 3], T("n", dtype="int64", values=(-1,)), written=False)])
lists("PushBackBatch", lambda x, rows: [np.concatenate([x, row[None]]) for row in rows], ROWS, T(2, 3, edges=False),
      call=push)
lists("PopBack",      lambda x, shape: (x[:-1], x[-1]), ROWS, [3], call=pop, **OF)
lists("Resize",       resized, ROWS, each(6, 2), call=on_list_then_stack)
lists("Reserve",      lambda x, count, **_: zeros((count, 3), x.dtype), T("", edges=False), 4, **OF,
      call=lambda f, x, count, **of: stack(f(element_shape=[3], num_elements=count, **of), x))
lists("ConcatLists",  lambda x, y: np.concatenate([x, y]), ROWS, T("m 3", edges=False), call=both_ends, **OF)


# --- maps -----------------------------------------------------------------------------------------------------------


def map_of(keys, values):
    """A map of the k-th key to the k-th value."""
    held = tf.raw_ops.EmptyTensorMap()
    for key, value in zip(keys, values, strict=True):
        held = tf.raw_ops.TensorMapInsert(input_handle=held, key=key, value=value)
    return held


def in_map(f, key, x, *asked, **attributes):
    """The op on a map of a key and the next number to the two rows of x."""
    return named(f, map_of([key, key + 1], [x[0], x[1]]), *asked, **attributes)


def looked_up(key, x, asked, **dtypes):
    if asked not in (key, key + 1):
        raise KeyError("no such key")
    return x[int(asked - key)]


def inserted(f, key, x):
    held = named(f, map_of([key], [x[0]]), key, x[1])
    return [tf.raw_ops.TensorMapLookup(input_handle=held, key=key, value_dtype=x.dtype),
            tf.raw_ops.TensorMapSize(input_handle=held)]


def maps(name, reference, *inputs, call=in_map, **options):
    raw(f"TensorMap{name}", reference, *inputs, call=call, exact=True, **options)


KEY, PAIR = T("", dtype="int32", values=(3,), edges=False), T(2, 3, edges=False)
ASKED = T("", dtype="int32", values=(4,), edges=False)
raw("EmptyTensorMap", lambda: np.int32(0), call=lambda f: tf.raw_ops.TensorMapSize(input_handle=f()))
maps("Insert",    lambda key, x: [x[1], np.int32(1)], KEY, PAIR, call=inserted)
maps("Size",      lambda key, x: np.int32(2), KEY, PAIR)
maps("HasKey",    lambda key, x, asked: np.bool_(asked in (key, key + 1)), KEY, PAIR, ASKED)
maps("Lookup",    looked_up, KEY, PAIR, ASKED, value_dtype=DTYPE,
     errors=[error("complex64", value_dtype=np.dtype("complex64")),
             error("no-such-key", KEY, PAIR, T("", dtype="int32", values=(7,)))])
maps("Erase",     lambda key, x, asked, value_dtype: np.int32(2 - (asked in (key, key + 1))), KEY, PAIR, ASKED,
     value_dtype=DTYPE, call=lambda *inputs, **of: tf.raw_ops.TensorMapSize(input_handle=in_map(*inputs, **of)))
maps("StackKeys", lambda key, x, key_dtype: np.array([key, key + 1]), KEY, PAIR, key_dtype="int32",
     canonical=lambda keys: np.sort(keys, 0), errors=[error("float32", key_dtype=np.dtype("float32"))])


# --- ragged tensors as variants -------------------------------------------------------------------------------------


def encoded(splits, values, batched=True):
    return tf.raw_ops.RaggedTensorToVariant(
        rt_nested_splits=[splits], rt_dense_values=values, batched_input=batched)


def decoded(handle, splits, values, batched=True):
    return tf.raw_ops.RaggedTensorFromVariant(
        encoded_ragged=handle, input_ragged_rank=0 if batched else 1, output_ragged_rank=1, Tvalues=values.dtype,
        Tsplits=splits.dtype)


def encode(f, splits, values, batched_input):
    return decoded(f(rt_nested_splits=[splits], rt_dense_values=values, batched_input=batched_input),
                   splits, values, batched_input)


def decode(f, splits, values, Tvalues, **ranks):
    batched = ranks["input_ragged_rank"] == 0
    return f(encoded_ragged=encoded(splits, values, batched), Tvalues=Tvalues, Tsplits=splits.dtype, **ranks)


def gradient(f, splits, values, shape, Tvalues):
    """Of the encoding of some values, where `values` is the gradient, encoded."""
    return f(encoded_ragged_grad=encoded(splits, values), row_splits=splits, dense_values_shape=shape, Tvalues=Tvalues)


def unchanged(splits, values, **attributes):
    return [[splits], values]


SPLITS = I(4, dtype="int64", form=lambda _: np.array([0, 2, 2, 5]), edges=False)
OTHERWISE = [error("complex64", Tvalues=np.dtype("complex64"))]
raw("RaggedTensorToVariant", unchanged, SPLITS, T("5 d", edges=False), batched_input=each(True, False), call=encode,
    exact=True)
raw("RaggedTensorFromVariant", unchanged, SPLITS, T("5 d", edges=False), Tvalues=DTYPE, call=decode, exact=True,
    errors=OTHERWISE)(lambda: [
        sample(SPLITS, T("5 d", edges=False), Tvalues=DTYPE, input_ragged_rank=rank, output_ragged_rank=1)
        for rank in (0, 1)])
raw("RaggedTensorToVariantGradient", lambda splits, values, shape, Tvalues: values, SPLITS, T(5, 3, edges=False),
    [5, 3], Tvalues=DTYPE, call=gradient, exact=True, errors=OTHERWISE, skips=dict.fromkeys(
        ("option-2-beyond", "option-2-shorter"),
        "out-of-bounds write: crashes at once or in a later op (tensorflow#80332)"))


# --- CSR matrices ---------------------------------------------------------------------------------------------------


def sparse(x):
    """A CSR matrix of a tensor's nonzero elements."""
    return tf.raw_ops.DenseToCSRSparseMatrix(dense_input=x, indices=tf.where(x != 0))


def dense(handle, x):
    return tf.raw_ops.CSRSparseMatrixToDense(sparse_input=handle, type=x.dtype)


def to_matrix(f, x, places):
    return dense(f(dense_input=x, indices=places), x)


def from_matrix(f, x, *arguments, **attributes):
    return named(f, sparse(x), *arguments, **attributes)


def columns_and_values(x, index, type):
    if index not in (0, -1):
        raise IndexError("a matrix is a batch of one")
    rows, columns = np.nonzero(x)
    return np.searchsorted(rows, np.arange(len(x) + 1)).astype(np.int32), columns.astype(np.int32), x[rows, columns]


def sparse_value(x, type):
    return SparseValue(np.argwhere(x), x[np.nonzero(x)], np.array(x.shape))


def of_sparse_tensor(f, places, values, shape):
    return dense(f(indices=places, values=values, dense_shape=shape), values)


def filled(places, values, shape):
    out = np.zeros(shape, values.dtype)
    out[tuple(places.T)] = values
    return out


def only(x, places):
    """The matrix with its elements at these places, else zero."""
    return filled(places, x[tuple(places.T)], x.shape)


def product(a, b, transpose_a=False, transpose_b=False, adjoint_a=False, adjoint_b=False, transpose_output=False,
            conjugate_output=False, type=None):
    found = flipped(a, transpose_a, adjoint_a) @ flipped(b, transpose_b, adjoint_b)
    return flipped(np.conj(found) if conjugate_output else found, transpose_output)


def root(f, x, type):
    """The factor of the matrix that the ordering permutes: another ordering, another factor."""
    order = tf.raw_ops.SparseMatrixOrderingAMD(input=sparse(x))
    return dense(f(input=sparse(x), permutation=order, type=type), x), order


def is_root(found, x, type):
    factor, order = (np.asarray(part) for part in found)
    return [(factor @ np.conj(factor.T), x[np.ix_(order, order)])]


def matrices(name, reference, *inputs, **options):
    """Declare an op on CSR matrices; where it is told the dtype of what the matrix holds, it is also told another."""
    errors = [error("float64", type=np.dtype("float64"))] if "type" in options else []
    raw(name, reference, *inputs, **{"dtypes": LAPACK, "errors": errors, "call": from_matrix, **options})


LAPACK = ("float32", "float64", "complex64", "complex128")


def every_other(x):
    return np.where(np.arange(x.size).reshape(x.shape) % 2 == 0, x, 0)


def definite(x):
    return x @ np.conj(x.T) + 9 * np.eye(len(x))


HALF = T("n m", form=every_other, domain=(-4, 4), edges=False)
PLACES = I("4 2", dtype="int64", form=lambda _: np.array([[0, 0], [0, 2], [1, 1], [3, 0]]), edges=False)
MATRIX, TYPED = T(4, 3, domain=(-4, 4), edges=False), {"type": DTYPE}
DEFINITE = T("n n", form=definite, domain=(-2, 2), edges=False)
matrices("DenseToCSRSparseMatrix", only, MATRIX, PLACES, call=to_matrix, exact=True)
matrices("CSRSparseMatrixToDense", lambda x, type: x, HALF, **TYPED, exact=True)
matrices("CSRSparseMatrixComponents", columns_and_values, HALF, index=each(0, 1), **TYPED, exact=True)
matrices("CSRSparseMatrixToSparseTensor", sparse_value, HALF, **TYPED, exact=True)
matrices("SparseTensorToCSRSparseMatrix", filled, PLACES, T(4, domain=(-4, 4), edges=False), np.array([4, 3]),
         call=of_sparse_tensor, exact=True)
matrices("SparseMatrixNNZ", lambda x: np.int32(np.count_nonzero(x)), HALF, exact=True)
matrices("SparseMatrixTranspose", lambda x, conjugate, type: flipped(x, not conjugate, conjugate) + 0, HALF, **TYPED,
         exact=True, conjugate=each(False, True), call=lambda f, x, **of: dense(from_matrix(f, x, **of), x))
matrices("SparseMatrixMatMul", product, HALF, T("m k", domain=(-4, 4), edges=False), **dict.fromkeys(
    ("transpose_output", "conjugate_output"), each(False, True)))
matrices("SparseMatrixSparseMatMul", product, HALF, T("m k", domain=(-4, 4), edges=False), **TYPED,
         call=lambda f, x, y, **attributes: dense(f(a=sparse(x), b=sparse(y), **attributes), x))
matrices("SparseMatrixSparseCholesky", None, DEFINITE, **TYPED, call=root, invariant=is_root, empty=False)
matrices("SparseMatrixOrderingAMD", None, DEFINITE, invariant=lambda found, x: [(np.sort(found), np.arange(len(x)))],
         empty=False)


# --- lookup tables --------------------------------------------------------------------------------------------------


def table_of(keys, values):
    """A table that is made anew in every call."""
    held = tf.raw_ops.AnonymousMutableHashTable(key_dtype=keys.dtype, value_dtype=values.dtype)
    tf.raw_ops.LookupTableInsertV2(table_handle=held, keys=keys, values=values)
    return held


def export(f, keys, values, Tvalues):
    return by_key(f(table_handle=table_of(keys, values), Tkeys=keys.dtype, Tvalues=Tvalues))


def by_key(pairs):
    keys, values = pairs
    order = tf.argsort(keys)
    return tf.gather(keys, order), tf.gather(values, order)


def exported(handle, keys, values):
    """All that a table holds, by its keys."""
    return by_key(tf.raw_ops.LookupTableExportV2(table_handle=handle, Tkeys=keys.dtype, Tvalues=values.dtype))


def on_table(f, keys, values, *arguments, **attributes):
    return named(f, table_of(keys, values), *arguments, **attributes)


def on_table_then_export(f, keys, values, *arguments):
    held = table_of(keys, values)
    named(f, held, *arguments)
    return exported(held, keys, values)


def held(*parts):
    """The keys, sorted, and the values of a table that the parts, keys and values, were written to in their order."""
    pairs = {int(key): value for keys, values in parts for key, value in zip(keys, values, strict=True)}
    kept = sorted(pairs)
    keys, values = parts[0]
    return np.array(kept, keys.dtype), np.array([pairs[k] for k in kept], values.dtype).reshape(-1, *values.shape[1:])


def found(keys, values, asked, default):
    pairs = dict(zip(keys.tolist(), values, strict=True))
    return np.array([pairs.get(key, default) for key in asked.ravel().tolist()], values.dtype).reshape(asked.shape)


def removed(keys, values, asked):
    left = ~np.isin(keys, asked)
    return held((keys[left], values[left]))


def made(f, keys, values, **attributes):
    """A table with something in it, read."""
    handle = f(value_dtype=values.dtype, **attributes)
    tf.raw_ops.LookupTableImportV2(table_handle=handle, keys=keys, values=values)
    return exported(handle, keys, values)


def made_dense(f, keys, values, **attributes):
    """A table that exports its empty places too, and so is asked for its keys."""
    empty, deleted = tf.constant(-1, keys.dtype), tf.constant(-2, keys.dtype)
    handle = f(value_dtype=values.dtype, empty_key=empty, deleted_key=deleted, **attributes)
    tf.raw_ops.LookupTableInsertV2(table_handle=handle, keys=keys, values=values)
    return by_key((keys, named(tf.raw_ops.LookupTableFindV2, handle, keys, tf.zeros([3], values.dtype))))


def made_once(f, keys, values, **attributes):
    """A table that is written once, read."""
    handle = f(value_dtype=values.dtype, **attributes)
    tf.raw_ops.InitializeTableV2(table_handle=handle, keys=keys, values=values)
    return exported(handle, keys, values)


def a_name():
    """A name that no other table has: a table of the same name would be the same table."""
    return f"table-{next(TABLES)}"


def tables(name, reference, *inputs, call=on_table, **options):
    raw(name, reference, KEYS, *inputs, call=call, exact=True, **{"dtypes": HELD, **options})


def written(keys, values, **attributes):
    if len(keys) != len(values):
        raise ValueError("a key without a value")
    return held((keys, values))


def numbered(drawn):
    """Keys of which none is there twice, in the order of the drawn numbers."""
    return 10 + 3 * np.argsort(drawn, axis=-1)


HELD = ("float32", "float64", "int32", "int64", "bool", "string")
KEYS = I("n", dtype="int64", form=numbered, edges=False)
TABLES = itertools.count()
VALUES, ASKING = T("n", edges=False), T("k", dtype="int64", values=(10, 11, 13, 16, 40), edges=False)
tables("LookupTableSizeV2",   lambda keys, values: np.int64(len(keys)), VALUES)
tables("LookupTableFindV2",   found, VALUES, ASKING, T("", edges=False))
tables("LookupTableRemoveV2", removed, VALUES, ASKING, call=on_table_then_export)
tables("LookupTableInsertV2", lambda *parts: held(parts[:2], parts[2:]), VALUES, ASKING, T("k", edges=False),
       call=on_table_then_export)
tables("LookupTableImportV2", lambda *parts: held(parts[2:]), VALUES, ASKING, T("k", edges=False),
       call=on_table_then_export)
tables("LookupTableExportV2", written, VALUES, Tvalues=DTYPE, call=export,
       errors=[error("complex64", Tvalues=np.dtype("complex64"))])
SOME = ("float32", "float64", "int32", "int64", "bool")
for name, call, options in (
        ("HashTable",          made,       {"key_dtype": "int64"}),
        ("HashTableOfTensors", made,       {"key_dtype": "int64", "value_shape": [3]}),
        ("DenseHashTable",     made_dense, {"value_shape": [3], "dtypes": SOME})):
    values = T("n", *options.get("value_shape", ()), edges=False)
    for maker in (f"AnonymousMutable{name}", f"Mutable{name}V2"):
        tables(maker, written, values, call=call, **options)
raw("AnonymousHashTable", written, KEYS, VALUES, key_dtype="int64", call=made_once, dtypes=HELD, exact=True,
    empty=False)
raw("HashTableV2", written, I(3, dtype="int64", form=numbered, edges=False), T(3, edges=False), key_dtype="int64",
    call=lambda f, name, *inputs, **of: made_once(f, *inputs, shared_name=name, **of), state=a_name, dtypes=HELD,
    exact=True, empty=False)
