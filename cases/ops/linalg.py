"""tf.linalg.*, and einsum, tensordot and norm, which it shares with other namespaces.

References are Gaussian elimination and power series, which also run in longdouble; LAPACK (through NumPy) is used only
for eigenvalues, singular values and QR. A decomposition is judged twice: by its definition (an invariant: the product
of the factors is the input, and the factors are orthonormal), and against NumPy after both results are brought to the
form that is promised (`canonical`). The documentation does not say what a decomposition or a solver gives for NaN,
infinity or a singular matrix, so these ops get no edge values.
"""

import numpy as np

from tfparity import COMPLEX, FLOATS, T, Undefined, each, error, inf, kind, program, sample, tf

from ..references.matrices import adjoint, flipped

linear = kind("linear algebra")


def inexact(error_factor):
    """Declares an op of floating or complex matrices whose allowed error is multiplied by `error_factor`.

    S is measured by moving every entry by one unit roundoff, in a few random directions. Elimination of n rows has an
    error as if the entries had moved by about n unit roundoffs, and an eigenvector may move most in a direction that
    was not tried.
    """
    return lambda *args, **more: linear(*args, **{"dtypes": (*FLOATS, *COMPLEX), "error_factor": error_factor, **more})


solver, decomposition = inexact(16), inexact(16)


def matrices(function):
    """A function of single matrices, applied to every matrix of a batch; batch shapes broadcast."""

    def batched(*arrays):
        batch = np.broadcast_shapes(*(a.shape[:-2] for a in arrays))
        arrays = [np.broadcast_to(a, batch + a.shape[-2:]) for a in arrays]
        found = [np.asarray(function(*(a[at] for a in arrays))) for at in np.ndindex(batch)]
        one = found[0] if found else np.asarray(function(*(np.eye(*a.shape[-2:], dtype=a.dtype) for a in arrays)))
        return np.array(found, one.dtype).reshape(batch + one.shape)

    return batched


def in_double(function):
    """The function, with inputs of extended precision cast to float64 or complex128: LAPACK has no wider dtype."""

    def converted(*arrays, **options):
        narrow = {np.dtype(np.longdouble): np.float64, np.dtype(np.clongdouble): np.complex128}
        return function(*(a.astype(narrow.get(a.dtype, a.dtype)) for a in arrays), **options)

    return converted


def wide(*arrays):
    return [np.asarray(a).astype(np.complex128) for a in arrays]


# Forms that the documentation requires of an input.


def regular(a):
    """Close to 2 I: invertible, and no eigenvalue is near the negative real axis."""
    n = a.shape[-1]
    return a / (4 * max(n, 1) ** 0.5) + 2 * np.eye(n, dtype=a.dtype)


def invertible(a):
    """Close to 2 I with its rows in reverse order: elimination must exchange every row."""
    return regular(a)[..., ::-1, :]


def definite(a):
    """Hermitian and positive definite."""
    n = a.shape[-1]
    return a @ adjoint(a) / max(n, 1) + np.eye(n, dtype=a.dtype)


def singular(a):
    """The matrix with its first row set to zero."""
    return a * (np.arange(a.shape[-2]) > 0)[:, None].astype(a.dtype)


def deficient(a):
    """The matrix with its first column set to zero."""
    return adjoint(singular(adjoint(a)))


def permutation(a):
    return a.argsort(-1)


M = T("b n n", edges="scale")
INVERTIBLE = T("b n n", form=invertible, edges="scale")
REGULAR = T("b n n", form=regular, edges="scale")
DEFINITE = T("b n n", form=definite, edges="scale")
RIGHT = T("b n k", edges="scale")
PERMUTATION = T("b n", dtype="int32", within=(0, 999), form=permutation, edges=False)


# --- products ------------------------------------------------------------------------------------------------------


def matmul(a, b, transpose_a=False, transpose_b=False, adjoint_a=False, adjoint_b=False, output_type=None, **sparse):
    a, b = (x if output_type is None else x.astype(output_type) for x in (a, b))
    return np.matmul(flipped(a, transpose_a, adjoint_a), flipped(b, transpose_b, adjoint_b))


def matvec(a, b, transpose_a=False, adjoint_a=False, **sparse):
    return np.matmul(flipped(a, transpose_a, adjoint_a), b[..., None])[..., 0]


@linear("tf.linalg.matmul", matmul, errors=[error("transpose-and-adjoint", transpose_a=True, adjoint_a=True)])
def matmul_samples():
    yield sample(T("m k"), T("k n"))
    yield sample(T("b m k"), T("b k n"), name="batch")
    yield sample(T("b 1 m k"), T("c k n"), name="broadcast")
    yield sample(T("k m"), T("k n"), transpose_a=True, name="transpose_a")
    yield sample(T("b m k"), T("b n k"), transpose_b=True, name="transpose_b")
    yield sample(T("b k m"), T("b n k"), adjoint_a=True, adjoint_b=True, name="adjoint")
    yield sample(T("m k", dtype="int8"), T("k n", dtype="int8"), output_type=np.int32, name="int8-to-int32")
    yield sample(T("m k"), T("k n"), a_is_sparse=True, name="a_is_sparse")
    yield sample(T("m k"), T("n k"), a_is_sparse=True, b_is_sparse=True, transpose_b=True, name="both_sparse")


@program("program.product_of_many_with_one", T(3000, 1, 3, 512, edges=False), T(512, 512, edges=False),
         dtypes=["float32"], autograph=False,
         skips={"gradient": "an out-of-bounds read: the process crashes in four full runs of five"})
def product_of_many_with_one(a, b):
    """Many batches times one matrix. One copy of it per batch would take 3 GB, so a kernel that reads past the end of
    the matrix soon leaves the process's memory. With 512 MB, one of 17 processes survived, and its memory was so
    corrupted that NumPy's own products were wrong: so there is no reference."""
    return tf.linalg.matmul(a, b)


@linear("tf.linalg.matvec", matvec, errors=[error("transpose-and-adjoint", transpose_a=True, adjoint_a=True)])
def matvec_samples():
    yield sample(T("m k"), T("k"))
    yield sample(T("b m k"), T("b k"), name="batch")
    yield sample(T("m k"), T("b k"), name="broadcast")
    yield sample(T("k m"), T("k"), transpose_a=True, name="transpose_a")
    yield sample(T("b k m"), T("b k"), adjoint_a=True, name="adjoint_a")


@linear("tf.einsum", np.einsum, errors=[error("unknown-output", "ij,jk->il", np.ones((2, 3)), np.ones((3, 2))),
                                        error("too-few-inputs", "ij,jk->ik", np.ones((2, 3)))])
def einsum_samples():
    yield sample("ij,jk->ik", T("i j"), T("j k"))
    yield sample("ij,jk", T("i j"), T("j k"), name="implicit")
    yield sample("i,i->", T("i"), T("i"), name="dot")
    yield sample("i,j->ij", T("i"), T("j"), name="outer")
    yield sample("ij->ji", T("i j"), name="transpose")
    yield sample("ii->i", T("i i"), name="diagonal")
    yield sample("ii", T("i i"), name="trace")
    yield sample("ijk->j", T("i j k"), name="sum")
    yield sample("bij,bjk->bik", T("b i j"), T("b j k"), name="batch")
    yield sample("...ij,...jk->...ik", T("a 1 i j"), T("1 b j k"), name="ellipsis")
    yield sample("ij,jk,kl->il", T("i j", edges=False), T("j k", edges=False), T("k l", edges=False), name="three")
    yield sample("iij,jk->ik", T("i i j"), T("j k"), name="repeated")


@linear("tf.tensordot", np.tensordot, errors=[error("axes-disagree", np.ones((2, 3)), np.ones((2, 3)), axes=1)])
def tensordot_samples():
    yield sample(T("i j"), T("j k"), axes=1)
    yield sample(T("i j"), T("k"), axes=0, name="outer")
    yield sample(T("i j k"), T("j k l"), axes=2, name="two")
    yield sample(T("i j k"), T("l m i"), axes=[[0], [2]], name="first-and-last")
    yield sample(T("i j k"), T("j i l"), axes=[[1, 0], [0, 1]], name="pairs")
    yield sample(T("i j k"), T("k l"), axes=[[-1], [0]], name="negative")


# --- diagonals and bands -------------------------------------------------------------------------------------------


def band_part(a, num_lower, num_upper):
    m, n = np.ogrid[:a.shape[-2], :a.shape[-1]]
    in_band = ((num_lower < 0) | (m - n <= num_lower)) & ((num_upper < 0) | (n - m <= num_upper))
    return np.where(in_band, a, np.zeros((), a.dtype))


def places(rows, cols, k, align):
    """For each entry on diagonals k[0] to k[1]: (row, column, index of the diagonal, index in the diagonal), as the
    page of tf.linalg.diag defines them."""
    low, high = k if isinstance(k, tuple | list) else (k, k)

    def length(d):
        return min(cols - max(d, 0), rows + min(d, 0))

    longest = min(rows + min(high, 0), cols - max(low, 0))
    for m, n in np.ndindex(rows, cols):
        d = n - m
        if low <= d <= high:
            above, below = align.split("_")
            right = (above == "RIGHT" and d >= 0) or (below == "RIGHT" and d <= 0)
            yield m, n, high - d, n - max(d, 0) + (longest - length(d) if right else 0)


def stacked(diagonal, k):
    """The diagonals in the shape (..., number, length); a single diagonal is given without the dimension `number`."""
    return diagonal if isinstance(k, tuple | list) and k[0] < k[1] else diagonal[..., None, :]


def diag(diagonal, k=0, num_rows=-1, num_cols=-1, padding_value=0, align="RIGHT_LEFT"):
    low, high = k if isinstance(k, tuple | list) else (k, k)
    rows, cols = (diagonal.shape[-1] + offset for offset in (-min(high, 0), max(low, 0)))
    if num_rows == num_cols == -1:
        rows = cols = max(rows, cols)
    rows, cols = (given if given != -1 else smallest for given, smallest in ((num_rows, rows), (num_cols, cols)))
    bands = stacked(diagonal, k)
    out = np.full((*bands.shape[:-2], rows, cols), padding_value, diagonal.dtype)
    for m, n, which, at in places(rows, cols, k, align):
        out[..., m, n] = bands[..., which, at]
    return out


def diag_part(a, k=0, padding_value=0, align="RIGHT_LEFT"):
    low, high = k if isinstance(k, tuple | list) else (k, k)
    longest = min(a.shape[-2] + min(high, 0), a.shape[-1] - max(low, 0))
    out = np.full((*a.shape[:-2], high - low + 1, longest), padding_value, a.dtype)
    for m, n, which, at in places(*a.shape[-2:], k, align):
        out[..., which, at] = a[..., m, n]
    return out if low < high else out[..., 0, :]


def set_diag(a, diagonal, k=0, align="RIGHT_LEFT"):
    out, bands = a.copy(), stacked(diagonal, k)
    for m, n, which, at in places(*a.shape[-2:], k, align):
        out[..., m, n] = bands[..., which, at]
    return out


def tensor_diag(diagonal):
    out = np.zeros(diagonal.size**2, diagonal.dtype)
    out[:: diagonal.size + 1] = diagonal.ravel()
    return out.reshape(diagonal.shape * 2)


def tensor_diag_part(a):
    shape = a.shape[: a.ndim // 2]
    size = int(np.prod(shape))
    return a.reshape(size, size).diagonal().reshape(shape)


ALIGNMENTS = each("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT")

linear("tf.linalg.band_part", band_part, T("b m n"), each(1, 0, -1), each(-1, 0, 1), exact=True)


@linear("tf.linalg.diag", diag, exact=True,
        errors=[error("low-above-high", k=(1, -1)), error("rows-too-few", num_rows=1),
                error("band-of-a-vector", T(4), k=(-2, 1))])
def diag_samples():
    yield sample(T("b n"))
    yield sample(T("b n"), k=1, name="super")
    yield sample(T("b n"), k=-2, padding_value=7, name="sub-padded")
    yield sample(T("n"), k=-1, num_rows=5, num_cols=6, name="rectangular", sizes={"n": 4})
    yield sample(T("n"), k=-1, num_rows=4, padding_value=9, name="rows-given", sizes={"n": 3})
    for align in ALIGNMENTS.values:
        yield sample(T("b 3 n"), k=(-1, 1), align=align, name=f"band-{align}", sizes={"n": 4})
    yield sample(T("b 3 3"), k=(-1, 1), num_rows=3, num_cols=4, padding_value=9, name="band-rectangular")


@linear("tf.linalg.diag_part", diag_part, exact=True,
        errors=[error("low-above-high", k=(1, -1)), error("outside", k=99)])
def diag_part_samples():
    yield sample(T("b m n"))
    yield sample(T("b m n"), k=1, name="super", sizes={"m": 3, "n": 5})
    for align in ALIGNMENTS.values:
        yield sample(T("b 3 4"), k=(-1, 2), align=align, padding_value=9, name=f"band-{align}")
    yield sample(T("4 3"), k=(-2, -1), name="below")


@linear("tf.linalg.set_diag", set_diag, exact=True, errors=[error("low-above-high", k=(1, -1))])
def set_diag_samples():
    yield sample(T("b n n"), T("b n"))
    yield sample(T("b 3 4"), T("b 3"), k=1, name="super")
    for align in ALIGNMENTS.values:
        yield sample(T("b 3 4"), T("b 4 3"), k=(-1, 2), align=align, name=f"band-{align}")


linear("tf.linalg.adjoint",          adjoint,          each(T("m n"), T("b m n")))
linear("tf.linalg.matrix_transpose", lambda a, conjugate=False: flipped(a, True, conjugate), T("b m n"),
       conjugate=each(False, True))
linear("tf.linalg.tensor_diag",      tensor_diag,      each(T("n"), T("m n"), T("2 m n")), exact=True)
linear("tf.linalg.tensor_diag_part", tensor_diag_part, each(T("n n"), T("m n m n")), exact=True)
linear("tf.linalg.trace",            lambda a: np.trace(a, axis1=-2, axis2=-1), each(T("b m n"), T("n n")))
linear("tf.linalg.cross",            np.cross,         T("b c 3"), T("b c 3"))


# --- norms ---------------------------------------------------------------------------------------------------------


def norm(tensor, ord="euclidean", axis=None, keepdims=None):
    if axis is None:
        whole = np.linalg.norm(tensor.ravel(), 2 if ord == "euclidean" else ord)
        return np.reshape(whole, (1,) * tensor.ndim if keepdims else ()).astype(tensor.dtype)
    matrix = isinstance(axis, tuple | list)
    if ord == "euclidean":
        ord = "fro" if matrix else 2
    return np.linalg.norm(tensor, ord, tuple(axis) if matrix else axis, bool(keepdims)).astype(tensor.dtype)


def normalize(tensor, ord="euclidean", axis=None):
    length = norm(tensor, ord, axis, keepdims=True)
    return tensor / length, length


def global_norm(t_list):
    return np.sqrt(sum(np.sum(np.abs(t) ** 2) for t in t_list if t is not None))


linear("tf.linalg.global_norm", global_norm, each([T("m n"), T("k")], [T("m"), None, T("")]))


@linear("tf.norm", norm, errors=[error("fro-of-vectors", ord="fro", axis=0), error("unknown-ord", ord="nuc"),
                                 error("three-axes", axis=[0, 1, 2]), error("ord-of-matrix", ord=3, axis=[0, 1])])
def norm_samples():
    for ord in ("euclidean", 1, 2, 2.5, inf):
        yield sample(T("m n"), ord=ord, name="" if ord == "euclidean" else f"whole-{ord}")
        yield sample(T("a m n"), ord=ord, axis=1, name=f"vectors-{ord}")
    for ord in ("euclidean", "fro", 1, 2, inf):
        yield sample(T("a m n", edges=ord != 2), ord=ord, axis=[-2, -1], keepdims=True, name=f"matrices-{ord}")


@linear("tf.linalg.normalize", normalize, errors=[error("fro-of-vectors", ord="fro", axis=0)])
def normalize_samples():
    yield sample(T("m n"))
    for ord in ("euclidean", 1, inf):
        yield sample(T("a m n"), ord=ord, axis=-1, name=f"vectors-{ord}")
    yield sample(T("a m n"), ord=1, axis=[0, 1], name="matrices-1")


# --- solving -------------------------------------------------------------------------------------------------------


def eliminate(a, b):
    """(x, pivots, sign of the row exchanges) of a x = b: Gauss-Jordan elimination with partial pivoting, in the
    precision of the inputs."""
    n, both, pivots, sign = len(a), np.concatenate([a, b], axis=1), [], 1
    for k in range(n):
        top = k + int(np.argmax(np.abs(both[k:, k])))
        if both[top, k] == 0:
            raise Undefined("the matrix is singular")
        if top != k:
            both[[k, top]], sign = both[[top, k]], -sign
        pivots.append(both[k, k])
        both[k] /= both[k, k]
        others = np.arange(n) != k
        both[others] -= np.outer(both[others, k], both[k])
    return both[:, n:], np.array(pivots, a.dtype), sign


solved = matrices(lambda a, b: eliminate(a, b)[0])


def inverse(a):
    return solved(a, np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape))


@matrices
def determinant(a):
    try:
        _, pivots, sign = eliminate(a, a[:, :0])
    except Undefined:
        return np.zeros((), a.dtype)
    return sign * np.prod(pivots)


def sign_and_log_determinant(a):
    pivots = matrices(lambda a: eliminate(a, a[:, :0])[1] * [1])(a)
    sign = matrices(lambda a: np.asarray(eliminate(a, a[:, :0])[2], a.dtype))(a)
    size = np.abs(pivots)
    return sign * np.prod(pivots / size, -1), np.log(size).sum(-1).astype(a.dtype)


def triangle(a, lower):
    return np.tril(a) if lower else np.triu(a)


def triangular_solve(matrix, rhs, lower=True, adjoint=False):
    return solved(flipped(triangle(matrix, lower), conjugate=adjoint), rhs)


def banded(bands, lower):
    """The triangular matrices whose diagonals are the rows of `bands`, with the alignment LEFT_RIGHT."""
    k, n = bands.shape[-2:]
    rows = [diag(bands[..., j, j:] if lower else bands[..., k - 1 - j, : max(n - j, 0)], k=-j if lower else j)
            for j in range(min(k, n))]
    return sum(rows, np.zeros((*bands.shape[:-2], n, n), bands.dtype))


def banded_triangular_solve(bands, rhs, lower=True, adjoint=False):
    return solved(flipped(banded(bands, lower), conjugate=adjoint), rhs)


def tridiagonal(diagonals, diagonals_format):
    """The tridiagonal matrices that `diagonals` stand for in the given format."""
    if diagonals_format == "matrix":
        return band_part(diagonals, 1, 1)
    if diagonals_format == "compact":
        diagonals = [diagonals[..., i, :] for i in range(3)]
    above, main, below = diagonals
    n = main.shape[-1]
    below = below[..., below.shape[-1] - (n - 1):]
    return diag(main) + (diag(above[..., : n - 1], k=1) + diag(below, k=-1) if n > 1 else 0)


def dominant(diagonals):
    """Diagonals in the compact format, the main one the largest, so that elimination needs no row exchange."""
    return diagonals * np.array([[0.2], [1], [0.2]], diagonals.dtype)


def tridiagonal_solve(diagonals, rhs, diagonals_format="compact", transpose_rhs=False, conjugate_rhs=False, **pivoting):
    rhs = np.conj(rhs) if conjugate_rhs else rhs
    rhs = np.swapaxes(rhs, -1, -2) if transpose_rhs else rhs
    vector = rhs.ndim == (1 if isinstance(diagonals, list) else diagonals.ndim - 1)
    found = solved(tridiagonal(diagonals, diagonals_format), rhs[..., None] if vector else rhs)
    return found[..., 0] if vector else found


def lstsq(matrix, rhs, l2_regularizer=0.0, fast=True):
    """The least-squares solution of least norm; the fast path promises it only for matrices of full rank."""
    m, n = matrix.shape[-2:]
    if not fast:
        return pinv(matrix) @ rhs
    more = l2_regularizer * np.eye(min(m, n), dtype=matrix.dtype)
    if m >= n:
        return solved(adjoint(matrix) @ matrix + more, adjoint(matrix) @ rhs)
    return adjoint(matrix) @ solved(matrix @ adjoint(matrix) + more, rhs)


def unpacked(lower_upper, perm):
    """The matrices A that have these packed factors and this permutation: P A = L U, and row i of P A is row perm[i] of
    A."""
    n = lower_upper.shape[-1]
    multiplied = (np.tril(lower_upper, -1) + np.eye(n, dtype=lower_upper.dtype)) @ np.triu(lower_upper)
    return np.take_along_axis(multiplied, perm.argsort(-1)[..., None], -2)


def determinant_samples():
    yield sample(INVERTIBLE)
    yield sample(T("b n n", form=singular, edges=False), name="singular")


def conjugate_gradient(f, a, b, jacobi=False, **options):
    """The solution; with `jacobi`, the Jacobi preconditioner is used, which is the inverse of the diagonal."""
    operator = tf.linalg.LinearOperatorFullMatrix(a, is_self_adjoint=True, is_positive_definite=True)
    if jacobi:
        options["preconditioner"] = tf.linalg.LinearOperatorDiag(
            1 / tf.linalg.diag_part(a), is_self_adjoint=True, is_positive_definite=True)
    return f(operator, b, **options).x


solver("tf.linalg.inv", lambda a, adjoint=False: inverse(flipped(a, conjugate=adjoint)), INVERTIBLE,
       adjoint=each(False, True))
solver("tf.linalg.solve", lambda a, b, adjoint=False: solved(flipped(a, conjugate=adjoint), b), INVERTIBLE, RIGHT,
       adjoint=each(False, True))
solver("tf.linalg.triangular_solve", triangular_solve, REGULAR, RIGHT, lower=each(True, False),
       adjoint=each(False, True))
solver("tf.linalg.banded_triangular_solve", banded_triangular_solve, T("b 2 n", domain=(1, 2), edges=False), RIGHT,
       lower=each(True, False), adjoint=each(False, True))
solver("tf.linalg.cholesky_solve", lambda chol, rhs: solved(np.tril(chol) @ adjoint(np.tril(chol)), rhs), REGULAR,
       RIGHT)
solver("tf.linalg.lu_solve", lambda lu, perm, rhs, **validate: solved(unpacked(lu, perm), rhs), REGULAR, PERMUTATION,
       RIGHT, validate_args=each(False, True))
solver("tf.linalg.lu_matrix_inverse", lambda lu, perm, **validate: inverse(unpacked(lu, perm)))(
    lambda: (sample(REGULAR, PERMUTATION), sample(REGULAR, PERMUTATION, validate_args=True)))
solver("tf.linalg.lu_reconstruct", lambda lu, perm, **validate: unpacked(lu, perm))(
    lambda: (sample(M, PERMUTATION), sample(M, PERMUTATION, validate_args=True)))
solver("tf.linalg.det", determinant, canonical=lambda d: d + 0)(determinant_samples)
solver("tf.linalg.slogdet", sign_and_log_determinant)(determinant_samples)
solver("tf.linalg.logdet", lambda a: sign_and_log_determinant(a)[1].real, DEFINITE)


# The fast path solves the normal equations, which square the condition number of the matrix.
@solver("tf.linalg.lstsq", lstsq, error_factor=64)
def lstsq_samples():
    yield sample(T("b 5 3", edges=False), T("b 5 k", edges=False))
    yield sample(T("b 3 5", edges=False), T("b 3 k", edges=False), name="under-determined")
    yield sample(T("b 5 3", edges=False), T("b 5 k", edges=False), l2_regularizer=0.5, name="regularized")
    yield sample(T("b 3 5", edges=False), T("b 3 k", edges=False), l2_regularizer=0.5, name="under-regularized")
    yield sample(T("b 5 3", edges=False), T("b 5 k", edges=False), fast=False, name="robust")
    yield sample(T("b 3 5", edges=False), T("b 3 k", edges=False), fast=False, name="robust-under-determined")
    yield sample(T("b 5 3", form=deficient, edges=False), T("b 5 k", edges=False), fast=False, name="robust-deficient")


def tridiagonal_matmul(diagonals, rhs, diagonals_format="compact"):
    return tridiagonal(diagonals, diagonals_format) @ rhs


@solver("tf.linalg.tridiagonal_matmul", tridiagonal_matmul)
def tridiagonal_matmul_samples():
    yield sample(T("b 3 n", edges=False), RIGHT)
    yield sample([T("b n", edges=False)] * 3, RIGHT, diagonals_format="sequence", name="sequence")
    yield sample(M, RIGHT, diagonals_format="matrix", name="matrix")


@solver("tf.linalg.tridiagonal_solve", tridiagonal_solve)
def tridiagonal_solve_samples():
    yield sample(T("b 3 n", edges=False), RIGHT)
    yield sample(T("b 3 n", edges=False), T("b n", edges=False), name="vector")
    yield sample([T("b n", edges=False)] * 3, RIGHT, diagonals_format="sequence", name="sequence")
    yield sample([T("b 3", edges=False), T("b 4", edges=False), T("b 3", edges=False)], T("b 4 k", edges=False),
                 diagonals_format="sequence", name="short-sequence")
    yield sample(M, RIGHT, diagonals_format="matrix", name="matrix")
    yield sample(T("b 3 n", edges=False), T("b k n", edges=False), transpose_rhs=True, name="transpose_rhs")
    yield sample(T("b 3 n", edges=False), RIGHT, conjugate_rhs=True, name="conjugate_rhs")
    yield sample(T("b 3 n", edges=False, domain=(2, 4), form=dominant), RIGHT, partial_pivoting=False,
                 name="no-pivoting")


@solver("tf.linalg.experimental.conjugate_gradient", None, call=conjugate_gradient,
        invariant=lambda found, a, b, tol, **_: bool(np.linalg.norm(b - a @ found) <= 2 * tol * np.linalg.norm(b)))
def conjugate_gradient_samples():
    a, b = T("n n", form=definite, edges=False), T("n", edges=False)
    yield sample(a, b, tol=1e-4)
    yield sample(a, b, tol=1e-2)
    yield sample(a, b, tol=1e-4, max_iter=50)
    yield sample(a, b, tol=1e-4, x=T("n", edges=False), name="start")
    yield sample(a, b, tol=1e-4, jacobi=True)


# --- decompositions ------------------------------------------------------------------------------------------------


def turned(v):
    """The factors of modulus 1 that make the largest entry of each column real and positive."""
    if not v.size:
        return np.ones((*v.shape[:-2], 1, v.shape[-1]), v.dtype)
    largest = np.take_along_axis(v, np.abs(v).argmax(-2)[..., None, :], -2)
    return np.conj(largest) / np.abs(largest)


def eye_like(a):
    return np.broadcast_to(np.eye(a.shape[-1]), (*a.shape[:-2], a.shape[-1], a.shape[-1]))


def orthonormal(u):
    [u] = wide(u)
    return adjoint(u) @ u, eye_like(u)


def svd(a, full_matrices=False, compute_uv=True):
    if not compute_uv:
        return np.linalg.svd(a, compute_uv=False)
    u, s, v = np.linalg.svd(a, full_matrices=full_matrices)
    return s, u, adjoint(v)


def one_svd(result):
    """Singular vectors multiplied by `turned`. Vectors that belong to no singular value are determined only up to a
    rotation, so their projector takes their place."""
    if isinstance(result, np.ndarray):
        return result
    s, u, v = result
    p = s.shape[-1]
    turn, rest = turned(u[..., :p]), (u[..., p:], v[..., p:])
    return [s, u[..., :p] * turn, v[..., :p] * turn, *(r @ adjoint(r) for r in rest)]


def unsigned(*pairs):
    """The pairs with every zero positive: the sign of a zero in a product of factors is not promised."""
    return [(got + 0, expected + 0) for got, expected in pairs]


def svd_holds(result, a, full_matrices=False, compute_uv=True):
    if not compute_uv:
        return bool((np.diff(result) <= 0).all() and (result >= 0).all())
    s, u, v, more_u, more_v = wide(*result)
    whole = [(u @ adjoint(u) + more_u, eye_like(more_u)), (v @ adjoint(v) + more_v, eye_like(more_v))]
    multiplied = u * s[..., None, :] @ adjoint(v)
    return unsigned((multiplied, a), orthonormal(u), orthonormal(v), *(whole if full_matrices else []))


@in_double
def qr(a, full_matrices=False):
    return np.linalg.qr(a, "complete" if full_matrices else "reduced")


def one_qr(result):
    """Q and R, with the diagonal of R real and positive. The columns of Q beyond that diagonal are replaced by their
    projector."""
    q, r = result
    p = min(q.shape[-2], r.shape[-1])
    diagonal = np.diagonal(r[..., :p, :p], axis1=-2, axis2=-1)
    turn = np.where(diagonal == 0, 1, diagonal / np.abs(diagonal)).astype(r.dtype)
    rest = q[..., p:]
    return [q[..., :p] * turn[..., None, :], r[..., :p, :] * np.conj(turn)[..., None], rest @ adjoint(rest)]


def qr_holds(result, a, full_matrices=False):
    q, r, more = wide(*result)
    whole = [(q @ adjoint(q) + more, eye_like(more))] if full_matrices else []
    return unsigned((q @ r, a), orthonormal(q), (np.triu(r), r), *whole)


def real_diagonal(a):
    """The matrix with a real diagonal, as a self-adjoint one has; its upper triangle differs and must not be read."""
    return np.where(np.eye(a.shape[-1], dtype=bool), a.real, a)


@in_double
def eigh(a):
    e, v = np.linalg.eigh(a)
    return e.astype(a.dtype), v


@in_double
def eig(a):
    e, v = np.linalg.eig(a)
    return e.astype(np.complex128), v.astype(np.complex128)


def one_eigh(result):
    return [result[0] + 0, result[1] * turned(result[1]) + 0]


def eigh_holds(result, a):
    e, v, a = wide(*result, np.tril(a) + adjoint(np.tril(a, -1)))
    return unsigned((v * e[..., None, :] @ adjoint(v), a), orthonormal(v), (np.sort(e.real), e.real))


def in_order(e):
    """Indices that sort complex numbers by re + 0.7 im, which tells conjugates from each other."""
    return np.argsort(e.real + 0.7 * e.imag, axis=-1)


def one_eig(result):
    e, v = result
    order = in_order(e)
    v = np.take_along_axis(v, order[..., None, :], -1)
    v = v / np.linalg.norm(v, axis=-2, keepdims=True)
    return [np.take_along_axis(e, order, -1) + 0, v * turned(v) + 0]


def eig_holds(result, a):
    e, v, a = wide(*result, a)
    return unsigned((a @ v, v * e[..., None, :]))


def lu_holds(result, a, **output_idx_type):
    packed, perm = result
    [packed], n = wide(packed), a.shape[-1]
    product = (np.tril(packed, -1) + np.eye(n)) @ np.triu(packed)
    return [(product, np.take_along_axis(a, perm[..., None].astype(np.int64), -2)),
            (np.sort(perm), np.broadcast_to(np.arange(n, dtype=perm.dtype), perm.shape))]


@matrices
def cholesky(a):
    """The Cholesky-Banachiewicz algorithm, row by row, from the lower triangle alone, in the input's precision."""
    lower = np.zeros_like(a)
    for i in range(len(a)):
        for j in range(i):
            lower[i, j] = (a[i, j] - lower[i, :j] @ np.conj(lower[j, :j])) / lower[j, j]
        lower[i, i] = np.sqrt((a[i, i] - lower[i, :i] @ np.conj(lower[i, :i])).real)
    return lower


@matrices
def expm(a):
    """Scaling and squaring: the power series of exp(a / 2**k), squared k times."""
    k = max(0, int(np.ceil(np.log2(np.abs(a).sum(0).max(initial=1)))) + 3)
    term = total = np.eye(len(a), dtype=a.dtype)
    for n in range(1, 25):
        term = term @ a / (n * a.dtype.type(2) ** k)
        total = total + term
    for _ in range(k):
        total = total @ total
    return total


def of_eigenvalues(function):
    """The function of diagonalizable matrices a = V E V^-1 that a function f of numbers defines: V f(E) V^-1."""

    @in_double
    @matrices
    def of_matrix(a):
        e, v = np.linalg.eig(a)
        found = v * function(e.astype(np.complex128)) @ np.linalg.inv(v)
        return found if np.iscomplexobj(a) else found.real

    return of_matrix


@in_double
def pinv(a, rcond=None, validate_args=False):
    return np.linalg.pinv(a, 1e-12 if rcond is None else rcond)


@in_double
def matrix_rank(a, tol=None, validate_args=False):
    return np.linalg.matrix_rank(a, tol)


def eigh_tridiagonal(alpha, beta, eigvals_only=True, select="a", select_range=None, tol=None):
    """Eigenvalues; with the eigenvectors, whose signs are not promised, as magnitudes of their entries."""
    e, v = np.linalg.eigh(np.diag(alpha.real.astype(beta.dtype)) + np.diag(np.conj(beta), -1))
    if not eigvals_only:
        return e, np.abs(v)
    if select == "i":
        return e[select_range[0] : select_range[1] + 1]
    return e[(select_range[0] < e) & (e <= select_range[1])] if select == "v" else e


def without_signs(f, *diagonals, **options):
    found = f(*diagonals, **options)
    return found if options.get("eigvals_only", True) else (found[0], tf.abs(found[1]))


TALL, FLAT, SQUARE = (T(shape, edges="scale") for shape in ("b 5 3", "b 3 5", "b 4 4"))
NARROW = T("b 5 n", edges="scale")
LOWER = T("b 4 4", form=real_diagonal, edges="scale")

decomposition("tf.linalg.cholesky", cholesky, DEFINITE)
decomposition("tf.linalg.lu", None, INVERTIBLE, output_idx_type=each(np.int32, np.int64), invariant=lu_holds)

decomposition("tf.linalg.qr", qr, each(TALL, FLAT, SQUARE), full_matrices=each(False, True), canonical=one_qr,
              invariant=qr_holds)
decomposition("tf.linalg.eigh", eigh, LOWER, canonical=one_eigh, invariant=eigh_holds)
decomposition("tf.linalg.eig", eig, SQUARE, canonical=one_eig, invariant=eig_holds)
decomposition("tf.linalg.eigvalsh", lambda a: eigh(a)[0], T("b n n", form=real_diagonal, edges="scale"))
decomposition("tf.linalg.eigvals", lambda a: eig(a)[0], M,
              canonical=lambda e: np.take_along_axis(e, in_order(e), -1) + 0)
decomposition("tf.linalg.svd", in_double(svd), each(NARROW, FLAT), full_matrices=each(False, True),
              compute_uv=each(True, False), canonical=one_svd, invariant=svd_holds)

# The error of these algorithms is relative to the norm of the result, but S is measured for each of its elements.
NEAR_IDENTITY = T("b 4 4", form=regular, edges=False)
decomposition("tf.linalg.expm", expm, T("b 4 4", edges=False), error_factor=128)
decomposition("tf.linalg.sqrtm", of_eigenvalues(np.sqrt), NEAR_IDENTITY, error_factor=128)
decomposition("tf.linalg.logm", of_eigenvalues(np.log), NEAR_IDENTITY, dtypes=COMPLEX, error_factor=128)

decomposition("tf.linalg.pinv", pinv, dtypes=FLOATS)(lambda: (
    sample(NARROW), sample(FLAT, rcond=0.5), sample(TALL, validate_args=True, name="validated")))
decomposition("tf.linalg.matrix_rank", matrix_rank, dtypes=FLOATS)(lambda: (
    sample(NARROW), sample(T("b 3 3", form=singular, edges=False), tol=2.0),
    sample(FLAT, validate_args=True, name="validated")))


@decomposition("tf.linalg.eigh_tridiagonal", in_double(eigh_tridiagonal), errors=[error("unknown-select", select="x")],
               call=without_signs)
def eigh_tridiagonal_samples():
    alpha, beta = T("5", edges="scale"), T("4", edges="scale")
    yield sample(alpha, beta)
    yield sample(T("1", edges=False), T("0", edges=False), name="one")
    yield sample(alpha, beta, select="i", select_range=[1, 3], name="by-index")
    yield sample(alpha, beta, select="v", select_range=[-1.0, 3.0], name="by-value")
    yield sample(T("5", edges=False), T("4", edges=False), tol=1e-6, name="tolerance")
    yield sample(T("5", edges=False), T("4", edges=False), eigvals_only=False, name="vectors")
