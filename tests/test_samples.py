"""What concrete samples a declaration gives, as the head of `samples` promises."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from conftest import same_tree
from tfparity import I, Ragged, S, Sparse, T, Undefined, each, inf, op, sample
from tfparity.suite.inputs.samples import LEADING, LONG, expand, fixed_dtype, swept, timed_draw
from tfparity.suite.language import loading
from tfparity.suite.language.case import CaseError
from tfparity.suite.language.dtypes import DTYPES, family, numpy_dtype
from tfparity.suite.language.edges import edges, few_edges

pytestmark = pytest.mark.usefixtures("registry")


def drawn(case, dtype="float32"):
    return {s.name: s for s in expand(case, dtype)}


def tensors(case, name, dtype="float32", draw=0):
    return drawn(case, dtype)[name].tensors[draw]


def same_values(a, b):
    """As sets, with NaN equal to NaN, and +0.0 different from -0.0."""

    def keys(x):
        return {repr(v) for v in np.asarray(x).ravel().tolist()}

    return keys(a) == keys(b)


# --- elementwise ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_elementwise_input_is_drawn_in_every_length_that_parts_kernels(dtype):
    found = drawn(op("tf.foo", None, T()), dtype)
    assert found["edge"].tensors[0][0].size >= 67
    assert {t[0].shape for t in found["n3"].tensors} == {(3,)}
    assert {t[0].shape for t in found["n17"].tensors} == {(17,)}
    singles = {"n1"} if dtype in LEADING or family(numpy_dtype(dtype)) == "float" else set()
    assert {t[0].shape for name in singles for t in found[name].tensors} == ({(1,)} if singles else set())
    if dtype not in LEADING:
        assert set(found) == {"edge", "n3", "n17"} | singles, "shapes are tried in the leading dtype of each family"
        return
    assert {t[0].shape for t in found["scalar"].tensors} == {()}
    assert found["empty"].tensors[0][0].shape == (0, 3)
    assert all(t[0].dtype == numpy_dtype(dtype) for s in found.values() for t in s.tensors)


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_edge_value_of_the_dtype_is_in_edge(dtype):
    there = {repr(v) for v in tensors(op("tf.foo", None, T()), "edge", dtype)[0].tolist()}
    assert {repr(v) for v in edges(numpy_dtype(dtype)).tolist()} <= there


def test_edges_hold_what_kernels_are_known_to_part_ways_on():
    values = edges(np.dtype(np.float32))
    info = np.finfo(np.float32)
    assert np.isnan(values).any()
    assert {np.inf, -np.inf, info.max, -info.max, info.tiny, info.smallest_subnormal} <= set(values.tolist())
    assert sorted(np.signbit(values[values == 0]).tolist()) == [False, True]
    for dtype in ("int8", "uint8", "int32", "uint64"):
        whole = edges(np.dtype(dtype))
        assert {np.iinfo(dtype).min, np.iinfo(dtype).max, 0, 1} <= {int(v) for v in whole}


@pytest.mark.parametrize("dtype", ["float32", "int32", "complex64"])
def test_the_lane_samples_hold_the_same_elements_as_edge(dtype):
    found = drawn(op("tf.foo", None, T()), dtype)
    whole = found["edge"].tensors[0][0]
    for name in ("n1", "n3", "n17"):
        sample = found[name]
        for positions, (piece,) in zip(sample.positions, sample.tensors, strict=True):
            assert piece.tobytes() == whole[positions].tobytes()
    for name in ("n3", "n17"):
        assert set(found[name].positions.ravel()) == set(range(whole.size))


def test_two_inputs_meet_in_every_pair_of_edge_values():
    x, y = tensors(op("tf.foo", None, T(), T()), "edge")
    few = few_edges(np.dtype(np.float32)).tolist()
    pairs = {(repr(a), repr(b)) for a, b in zip(x.tolist(), y.tolist(), strict=True)}
    assert {(repr(a), repr(b)) for a in few for b in few} <= pairs


def test_two_inputs_are_broadcast_emptied_and_made_to_disagree():
    found = drawn(op("tf.foo", None, T(), T()))
    assert [t.shape for t in found["broadcast"].tensors[0]] == [(3, 4), (4,)]
    assert [t.shape for t in found["broadcast-empty"].tensors[0]] == [(0, 1), (1, 4)]
    assert [t.shape for t in found["mismatch"].tensors[0]] == [(3,), (4,)]
    assert found["mismatch"].invalid
    assert found["mismatch"].must_fail


@pytest.mark.parametrize(
    ("dtype", "constants"),
    [
        ("float32", [0, 1, -1, 2, 0.5, -0.5, 3]),
        ("int32", [0, 1, 2, 3, -1]),
        ("uint8", [0, 1, 2, 3]),
        ("complex64", [0, 1, 2, 0.5]),
    ],
)
def test_the_last_of_several_inputs_is_also_a_constant_of_the_graph(dtype, constants):
    found = drawn(op("tf.foo", None, T(), T(), dtypes=(dtype,)), dtype)["constant"]
    assert [c.item() for c in found.constants] == constants
    assert all(c.dtype == numpy_dtype(dtype) for c in found.constants)
    assert len(found.tensors[0]) == 1


def test_constants_may_be_given_or_left_out():
    assert drawn(op("tf.foo", None, T(), T(), constants=(7.0,)))["constant"].constants == (7.0,)
    assert "constant" not in drawn(op("tf.bar", None, T(), T(), constants=()))
    assert "constant" not in drawn(op("tf.baz", None, T()))


def test_ordinary_values_lie_in_the_domain_and_edges_also_outside():
    case = op("tf.foo", None, T(domain=(1, inf)))
    assert all((t[0] > 1).all() for t in drawn(case)["scalar"].tensors)
    assert (tensors(case, "edge")[0] < 1).any()


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64"])
def test_values_come_ever_nearer_to_the_finite_ends_of_a_domain(dtype):
    near = tensors(op("tf.foo", None, T(domain=(-1, 1))), "near", dtype)[0]
    assert (np.abs(near) < 1).all() and (np.abs(near) > 0.5).all() and (near < 0).sum() == (near > 0).sum()
    gaps = 1 - near[near > 0].astype(float)
    assert (gaps[1:] < gaps[:-1]).all() and gaps[-1] <= 2 * np.finfo(dtype).eps


def test_one_input_at_a_time_is_near_an_end_and_one_without_ends_never():
    assert "near" not in drawn(op("tf.foo", None, T(), T()))
    x, y = tensors(op("tf.bar", None, T(domain=(0, inf)), T()), "near")
    assert x.shape == y.shape and (x < 1).all() and (np.abs(y) > 1).any()
    x, y = tensors(op("tf.baz", None, T(domain=(1, 9)), T(domain=(0, inf))), "near")
    near = np.abs(x - 1) < 1e-3, np.abs(x - 9) < 1e-3, y < 1e-3
    assert all(side.any() for side in near) and not (near[0] & near[2]).any()


@pytest.mark.parametrize("name", ["edge", "n1", "n3", "n17", "scalar"])
def test_no_value_lies_outside_within(name):
    for values in drawn(op("tf.foo", None, T(within=(0, 7))))[name].tensors:
        assert ((values[0] >= 0) & (values[0] <= 7)).all()


def test_an_element_that_the_reference_refuses_stands_only_alone():
    def reference(x):
        if np.any(np.asarray(x) == 0):
            raise Undefined("at zero")
        return 1 / x

    found = drawn(op("tf.foo", reference, T()))
    for name in ("edge", "n3", "n17"):
        assert not any((t[0] == 0).any() for t in found[name].tensors)
    alone = [t[0].item() for t in found["n1"].tensors]
    assert alone.count(0.0) >= 2, "both zeros stand alone"


def test_a_reference_that_refuses_everything_leaves_only_single_elements():
    def reference(x):
        raise ValueError("never")

    found = drawn(op("tf.foo", reference, T()))
    assert "n3" not in found
    assert len(found["n1"].tensors) > 8


# --- named dimensions ----------------------------------------------------------------------------------------------


def test_named_dimensions_get_unequal_sizes_then_one_then_long_then_zero_each_in_turn():
    found = drawn(op("tf.linalg.matmul", None, T("m k"), T("k n")))
    shapes = {name: [t.shape for t in s.tensors[0]] for name, s in found.items()}
    (m, k), (k2, n) = shapes["ordinary"]
    assert len({m, k, n}) == 3
    assert k == k2
    assert shapes["ones"] == [(1, 1), (1, 1)]
    assert shapes["long"] == [(17, k), (k, LONG)]
    assert shapes["empty-m"] == [(0, k), (k, n)]
    assert shapes["empty-k"] == [(m, 0), (0, n)]
    assert shapes["empty-n"] == [(m, k), (k, 0)]


def test_a_shared_dimension_is_made_to_disagree():
    found = drawn(op("tf.linalg.matmul", None, T("m k"), T("k n")))
    (_, k), (k2, _) = (t.shape for t in found["mismatch-k"].tensors[0])
    assert k2 == k + 1
    assert found["mismatch-k"].invalid
    assert "mismatch-m" not in found


def test_a_square_is_made_oblong():
    found = drawn(op("tf.linalg.inv", None, T("n n")))
    rows, columns = found["not-square-0-n"].tensors[0][0].shape
    assert columns == rows + 1


def test_all_named_dimensions_are_zero_at_once():
    assert [t.shape for t in drawn(op("tf.foo", None, T("m k"), T("k n")))["empty-all"].tensors[0]] == [(0, 0), (0, 0)]
    assert "empty-all" not in drawn(op("tf.bar", None, T("n"))), "which is empty-n"


def test_the_shapes_of_further_options_are_empty_too():
    found = drawn(op("tf.foo", None, T("n"), flag=each(False, True)))
    assert {"empty-n,flag=False", "empty-n,flag=True"} <= set(found)
    assert "ones,flag=True" not in found


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_sixteen_bits_get_more_ones_than_they_can_count(dtype):
    case = op("tf.foo", None, T("n d"), I("n", below="k"), T("k", domain=(3, 4)))
    found = drawn(case, dtype)
    data, rows, other = found["many-n"].tensors[0]
    assert data.shape == (3000, 1)
    assert (data == 1).all()
    assert (data[0] + data[:1] * 2048 == 2048).all() or dtype == "bfloat16"
    assert rows.shape == (3000,)
    assert (other == 1).all(), "of every input of the dtype"
    assert "many-n" not in drawn(case, "float32")
    assert "many-n" not in drawn(op("tf.bar", None, T("n"), I("n", within=(0, 3))), dtype), "beside labels or lengths"
    assert "many-n" not in drawn(op("tf.baz", None, T("n", 7, 8, 3)), dtype), "of images"


def test_a_long_matrix_has_a_first_row_of_nan_once():
    plain, with_nan = (t[0] for t in drawn(op("tf.foo", None, T("n d")))["long"].tensors)
    assert not np.isnan(plain).any()
    assert np.isnan(with_nan[0]).all()
    assert np.array_equal(with_nan[1:], plain[1:])
    assert len(drawn(op("tf.bar", None, T("n d", within=(0, 1))))["long"].draws) == 1


# --- invalid input -------------------------------------------------------------------------------------------------


def test_the_rank_of_each_input_is_changed():
    found = drawn(op("tf.linalg.matmul", None, T("m k"), T("k n")))
    (m, k), (_, n) = (t.shape for t in found["ordinary"].tensors[0])
    shapes = {name: [t.shape for t in s.tensors[0]] for name, s in found.items()}
    assert shapes["rank-0"] == [(k,), (k, n)]
    assert shapes["rank-1"] == [(m, k), (n,)]
    assert shapes["scalar-1"] == [(m, k), ()]
    assert shapes["deeper-0"] == [(1, m, k), (k, n)]
    assert shapes["column-1"] == [(m, k), (k, n, 1)]
    assert shapes["shallow-1"] == [(m, k), (k,)]
    assert shapes["emptied-0"] == [(0, k), (k, n)]
    assert all(s.invalid for name, s in found.items() if name[-2:] in ("-0", "-1"))


def test_a_tensor_has_another_dtype_than_declared_or_than_the_others():
    found = drawn(op("tf.foo", None, T("n"), T("n"), I("n", below="n"), T("n", dtype="bool")))
    dtypes = {name: [t.dtype.name for t in s.tensors[0]] for name, s in found.items() if name.startswith("dtype-")}
    assert dtypes == {
        "dtype-0": ["float64", "float32", "int32", "bool"],
        "dtype-1": ["float32", "float64", "int32", "bool"],
        "dtype-2": ["float32", "float32", "int64", "bool"],
    }
    assert not any(name.startswith("dtype-") for name in drawn(op("tf.bar", None, T("n")))), "one may be of any"


def test_a_count_is_made_negative_where_none_was_declared_to_be():
    found = drawn(op("tf.foo", None, T("n"), I("n", within=(0, 4)), I("n", within=(-2, 4)), I("n", below="n")))
    assert (found["minus-1"].tensors[0][1] == -1).all()
    assert "minus-2" not in found
    assert "minus-3" not in found, "which is negative-3"


def test_what_is_given_no_edge_values_is_half_nan_once():
    found = drawn(op("tf.foo", None, T("n"), T("n", within=(0, 1)), T("n", edges=False), T("n", values=[1.0, 2.0])))
    assert {name for name in found if name.startswith("nan-")} == {"nan-1", "nan-2", "nan-3"}
    assert [int(np.isnan(t).sum()) for t in found["nan-2"].tensors[0]] == [0, 0, 2, 0]


def test_a_sparse_tensor_gets_a_negative_size_and_an_index_outside():
    found = drawn(op("tf.sparse.foo", None, Sparse("4 5")))
    assert found["sparse-shape-0"].tensors[0][0].dense_shape.tolist() == [-1, 5]
    assert found["sparse-beyond-0"].tensors[0][0].indices[-1].tolist() == [4, 5]


def test_options_that_are_integers_leave_the_range_of_axes():
    case = op("tf.foo", None, T("m n"), axis=1, strides=[1, 2], flag=True, dtype="int64", sizes={"m": 4, "n": 3})
    found = {s.name.split(",")[0]: s.draws[0][1] for s in expand(case, "float32") if s.name.startswith("option-")}
    assert [found[f"option-axis-{name}"]["axis"] for name in ("zero", "below", "beyond")] == [0, -3, 2]
    assert [found[f"option-strides-{name}"]["strides"] for name in ("zero", "shorter")] == [[0, 0], [1]]
    assert found["option-dtype-float32"]["dtype"] == np.float32
    assert not any("flag" in name for name in found)
    assert found["option-axis-beyond"]["strides"] == [1, 2], "one at a time"


@pytest.mark.parametrize("random", [False, True])
def test_a_number_is_a_tensor(random):
    found = drawn(op("tf.foo", None, T("m n"), 2, rate=0.5, flag=True, random=random))
    tensors = {s.name.split(",")[0]: s.draws[0] for s in found.values() if s.name.startswith("tensor-")}
    assert set(tensors) == {"tensor-1", "tensor-rate"}
    assert tensors["tensor-1"][0][1].dtype == np.int32
    assert tensors["tensor-rate"][1]["rate"].dtype == np.float32


def test_a_matrix_that_is_scaled_is_also_singular():
    found = drawn(op("tf.linalg.solve", None, T("b n n", edges="scale"), T("n k", edges="scale")))
    assert not found["singular-0"].tensors[0][0].any()
    assert "singular-1" not in found


def test_an_axis_that_numpy_does_not_know_must_be_refused():
    found = drawn(op("tf.foo", lambda x, axis: np.cumsum(x, axis), T("m n"), axis=0))
    refused = {name: s.must_fail for name, s in found.items() if name.startswith("option-")}
    assert refused == {"option-axis-below": True, "option-axis-beyond": True}


def test_edge_values_are_planted_one_at_a_time_so_that_none_masks_the_others():
    case = op("tf.foo", None, T("n"))
    found = drawn(case)
    plain = found["ordinary"].tensors[0][0]
    single = [
        t[0] for t in found["edge"].tensors if np.sum(~((t[0] == plain) | (np.isnan(t[0]) & np.isnan(plain)))) <= 1
    ]
    planted = {repr(v) for t in single for v in t.tolist()}
    assert {repr(v) for v in few_edges(plain.dtype).tolist()} <= planted
    assert all(t[0].shape == plain.shape for t in found["edge"].tensors)


def test_edge_values_are_also_planted_together_at_first_and_last_and_everywhere():
    draws = [t[0] for t in drawn(op("tf.foo", None, T("n")))["edge"].tensors]
    assert any(np.isnan(d[0]) and not np.isnan(d[1:]).any() for d in draws), "NaN first"
    assert any(np.isnan(d[-1]) and not np.isnan(d[:-1]).any() for d in draws), "NaN last"
    assert any(d[0] == inf and d[-1] == -inf for d in draws), "both infinities"
    assert any(np.isnan(d).all() for d in draws), "all NaN"
    assert any((d == 0).all() for d in draws), "all zero"
    assert any((d == d[0]).all() and d[0] != 0 for d in draws), "all equal"


@pytest.mark.parametrize("dtype", ["float32", "float16", "complex128"])
def test_a_matrix_is_scaled_until_its_squares_leave_the_range(dtype):
    matrix, right = T("n n", form=np.triu, edges="scale"), T("n k", edges=False)
    case = op("tf.linalg.solve", np.linalg.solve, matrix, right, dtypes=(dtype,))
    found = drawn(case, dtype)
    assert "edge" not in found
    ((plain, right), _), *_ = found["ordinary"].draws
    squares = []
    for (scaled, beside), _ in found["scaled"].draws:
        assert np.array_equal(beside, right)
        assert np.array_equal(scaled == 0, plain == 0)
        diagonal = np.abs(np.diag(scaled))
        assert np.isfinite(diagonal).all()
        with np.errstate(over="ignore", under="ignore"):
            squares.append(diagonal * diagonal)
    large, small = squares
    assert np.isinf(large).any()
    assert (small < np.finfo(dtype).tiny).any()


def test_planting_changes_one_input_at_a_time():
    case = op("tf.foo", None, T("n"), T("n"))
    plain = drawn(case)["ordinary"].tensors[0]
    for draw in drawn(case)["edge"].tensors:
        changed = sum(a.tobytes() != b.tobytes() for a, b in zip(plain, draw, strict=True))
        assert changed <= 1 or {0.0} < {float(t[0]) for t in draw}, "but for what stands against a zero"


def test_infinity_and_nan_are_planted_against_a_zero():
    draws = drawn(op("tf.foo", None, T("n"), T("n")))["edge"].tensors
    for value in (inf, -inf, np.nan):
        for one, other in ((0, 1), (1, 0)):
            assert any(np.array_equal(d[one][0], value, equal_nan=True) and d[other][0] == 0 for d in draws)


@pytest.mark.parametrize("negative", [False, True])
def test_an_index_is_made_to_point_beyond_and_below(negative):
    found = drawn(op("tf.gather", None, T("n d"), I("m", below="n", negative=negative)))
    n = found["ordinary"].tensors[0][0].shape[0]
    assert (found["beyond-1"].tensors[0][1] == n).any()
    assert found["beyond-1"].must_fail
    assert ("negative-1" in found) is not negative
    for name in ("ordinary", "edge", "ones", "long"):
        for params, indices in found[name].tensors:
            assert ((indices >= 0) & (indices < params.shape[0])).all(), name


def test_an_unsigned_index_cannot_be_negative():
    assert "negative-1" not in drawn(op("tf.gather", None, T("n d"), I("m", below="n", dtype="uint8")))


def test_an_indexed_dimension_of_zero_leaves_no_index():
    found = drawn(op("tf.gather", None, T("n d"), I("m", below="n")))["empty-n"].tensors[0]
    assert [t.shape[0] for t in found] == [0, 0]


def test_an_op_without_meaning_for_empty_gets_none():
    assert not [n for n in drawn(op("tf.foo", None, T("m n"), empty=False)) if n.startswith("empty")]
    assert not [n for n in drawn(op("tf.bar", None, T(), T(), empty=False)) if "empty" in n]


def test_a_form_shapes_every_draw():
    case = op("tf.foo", None, T("n n", form=lambda a: a + a.T, edges=False))
    for name in ("ordinary", "long"):
        square = tensors(case, name)[0]
        assert (square == square.T).all()


def test_sparse_indices_are_in_order_and_half_the_places_are_filled():
    value = tensors(op("tf.foo", None, Sparse("m n")), "ordinary")[0]
    flat = np.ravel_multi_index(value.indices.T, tuple(value.dense_shape))
    assert (np.diff(flat) > 0).all()
    assert len(value.values) == -(-int(np.prod(value.dense_shape)) // 2)


def test_a_ragged_input_has_an_empty_row():
    value = tensors(op("tf.foo", None, Ragged("r c")), "ordinary")[0]
    assert any(len(row) == 0 for row in value.rows())
    assert value.splits[0][-1] == len(value.values)


def test_strings_hold_nul_and_invalid_utf8():
    values = tensors(op("tf.foo", None, S()), "edge")[0].tolist()
    assert any(b"\x00" in v for v in values)
    assert any(v.startswith(b"\xff") for v in values)
    assert b"" in values


# --- all samples ---------------------------------------------------------------------------------------------------

DECLARATIONS = {
    "tf.a": (T(),),
    "tf.b": (T(), T()),
    "tf.c": (T("m k"), T("k n")),
    "tf.d": (T("n d"), I("m", below="n")),
    "tf.e": (Sparse("m n"),),
    "tf.f": (Ragged("r c"),),
    "tf.g": (S("n"),),
    "tf.h": (T(domain=(1, inf)), each(1, 2)),
    "tf.i": (T(2, 3), T("n n")),
    "tf.j": ([T("n"), T("m")],),
}


@pytest.mark.parametrize("name", DECLARATIONS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int8", "complex128"])
def test_names_are_unique_and_draws_of_a_sample_share_one_signature(name, dtype):
    found = expand(op(name, None, *DECLARATIONS[name]), dtype)
    assert len({s.name for s in found}) == len(found)
    for s in found:
        forms = {tuple((getattr(t, "values", t).dtype, getattr(t, "shape", None)) for t in draw) for draw in s.tensors}
        assert len(forms) == 1, s.name


def test_two_samples_of_one_name_are_refused():
    @op("tf.foo", None)
    def foo():
        yield sample(T(2), name="same")
        yield sample(T(3), name="same")

    with pytest.raises(CaseError, match="two samples are called"):
        expand(foo, "float32")


def test_a_generator_that_yields_nothing_is_refused():
    @op("tf.foo", None)
    def foo():
        yield from ()

    with pytest.raises(CaseError, match="yields no sample"):
        expand(foo, "float32")


def test_a_dimension_that_nothing_gives_a_size_is_refused():
    with pytest.raises(CaseError, match="'n' has no size"):
        expand(op("tf.foo", None, T(3), I(2, below="n")), "float32")


def test_draws_do_not_depend_on_order_or_on_other_cases():
    first = drawn(op("tf.foo", None, T("m n"), axis=each(0, 1)))
    op("tf.bar", None, T("m n"))
    again = drawn(op("tf.baz", None, T("m n")))
    second = {s.name: s for s in expand(op.__globals__["CASES"]["tf.foo"], "float32")}
    assert all(same_tree(first[n].draws, second[n].draws) for n in first)
    assert not same_tree(first["ordinary,axis=0"].tensors, again["ordinary"].tensors), "another op draws other values"


def test_draws_are_the_same_in_every_process():
    script = """
import hashlib
from tfparity import I, Ragged, S, Sparse, T, op
from tfparity.suite.language.trees import leaves
from tfparity.suite.inputs.samples import expand
digest = hashlib.sha256()
declared = {
    "tf.a": (T(), T()), "tf.b": (T("n d"), I("m", below="n")), "tf.c": (Sparse("m n"), S("n")), "tf.d": (Ragged("r c"),)
}
for name, inputs in declared.items():
    for s in expand(op(name, None, *inputs), "float32"):
        for draw in s.tensors:
            for leaf in draw:
                for array in (vars(leaf).values() if hasattr(leaf, "values") else [leaf]):
                    for a in array if isinstance(array, tuple) else [array]:
                        digest.update((s.name + repr(a.tolist())).encode())
print(digest.hexdigest())
"""
    runs = {
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
            env={"PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin"},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


def test_a_case_is_swept_when_some_input_leaves_its_dtype_open():
    assert swept(op("tf.a", None, T()))
    assert not swept(op("tf.b", None, T(dtype="int64")))
    assert fixed_dtype(op("tf.c", None, T(dtype="int64"))) == "int64"
    assert fixed_dtype(op("tf.d", None, np.zeros(2, np.uint8))) == "uint8"
    assert fixed_dtype(op("tf.e", None, 3)) == "none"


@pytest.mark.parametrize("elements", [100, 10_000])
def test_a_timed_draw_has_about_as_many_elements_as_asked(elements):
    draw, size = timed_draw(op("tf.a", None, T(), T()), "float32", elements)
    assert size == elements
    assert draw[0][0].size == elements
    _, size = timed_draw(op("tf.b", None, T("m k"), T("k n")), "float32", elements)
    assert elements / 4 <= size <= elements
    _, size = timed_draw(op("tf.c", None, T(2, 3)), "float32", elements)
    assert size == 6


@pytest.mark.parametrize("dtype", ["float16", "int8"])
def test_families_are_distinguished(dtype):
    assert family(np.dtype(dtype)) == ("float" if dtype == "float16" else "integer")


# --- what is left out ----------------------------------------------------------------------------------------------


def test_a_skipped_invalid_input_is_left_out_and_no_other():
    whole = op("tf.foo", None, T("n m"), 3)
    part = replace(whole, skips={"deeper-0": "why"})
    assert set(drawn(whole)) - set(drawn(part)) == {"deeper-0"}


def test_every_skip_of_the_cases_names_a_sample_and_says_why():
    skipping = [case for case in loading.load().values() if case.skips]
    assert skipping
    for case in skipping:
        names = {sample.label for sample in expand(replace(case, skips={}), "float32")}
        assert set(case.skips) <= names | {"gradient"}, case.name
        assert all(case.skips.values())
