"""Two outcomes -> a verdict. Pure NumPy; knows neither ops nor modes.

Bit identity comes first. What is not identical is `close` when it lies within

    |got - ref| <= K * (u * max(|ref|, tiny) + S)

where `u` is the dtype's unit roundoff, `tiny` its smallest normal number and `S` how far the reference moves when its
inputs move by one `u` (`reference.sensitivity`). The interval's ends are rounded to the dtype, so a result that may
overflow may also be infinite. Integers, booleans, strings and structure are exact. NaNs are one value: IEEE 754
leaves their sign and payload open, and no TensorFlow page speaks of them. So are zeros in parts of complex numbers,
unless a case is exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tfparity.suite.judging.outcome import Failure, Lost, Outcome, Value, same_bytes
from tfparity.suite.language.dtypes import family, limits, name_of, roundoff

K = 16.0
"""8 ulp: Eigen's and XLA's vectorised float32 functions stay within 4 ulp of a float64 reference where well
conditioned; twice that leaves room for fused sums without hiding a wrong digit."""

HALF_LOST = 2.0**-3
"""A reference whose allowed error exceeds an eighth of its magnitude cannot be judged: `ill-conditioned`."""

RANK = (
    "timeout",
    "crash",
    "error-differs",
    "accepted",
    "differs",
    "unsupported",
    "ill-conditioned",
    "close",
    "identical",
)


@dataclass(frozen=True)
class Judgement:
    """A verdict on one draw or on all of them. `worst` is (draw, array, index) of the element it speaks of."""

    verdict: str
    kind: str = ""
    max_ulp: float = float("nan")
    scaled_error: float = float("nan")
    detail: str = ""
    worst: tuple[int, int, tuple[int, ...]] | None = None


IDENTICAL = Judgement("identical", max_ulp=0.0, scaled_error=0.0)


@dataclass(frozen=True)
class Expected:
    """What one draw should give: a Value whose arrays may be of higher precision than the outcome's.

    spread  per array, S of the formula above; None where exact
    flushed per array, the reference on inputs whose subnormals were flushed: as right as the first
    exact   whether dtypes must match too (another outcome, as against a reference in higher precision)
    factor  multiplies the allowed error; 0 allows none
    kept    per array, the reference on the inputs as they are, where `outcome` is another mode's: with `flushed` it
            tells a difference that is a matter of flushing (kind `subnormal`) from others
    measure gives this with `spread` and `flushed`; None where they are here. They take some six evaluations of the
            reference, and of 51,124 samples 43,581 agree in every mode without them
    """

    outcome: Outcome
    spread: tuple[np.ndarray | None, ...] = ()
    flushed: tuple[np.ndarray, ...] | None = None
    exact: bool = True
    factor: float = 1.0
    kept: tuple[np.ndarray, ...] | None = None
    measure: Callable[[], Expected] | None = None

    def measured(self) -> Expected:
        return self.measure() if self.measure else self

    def of_form(self, got: Outcome) -> Expected:
        """This, or what it should be on flushed inputs where only that has the shapes of `got`."""
        if not (isinstance(got, Value) and isinstance(self.outcome, Value) and self.flushed) or self.kept:
            return self
        shapes = [a.shape for a in got.arrays]
        if shapes == [a.shape for a in self.outcome.arrays]:
            return self if [a.shape for a in self.flushed] == shapes else replace(self, flushed=None)
        if shapes == [a.shape for a in self.flushed]:
            return replace(
                self, outcome=replace(self.outcome, arrays=self.flushed), spread=(None,) * len(shapes), flushed=None
            )
        return replace(self, flushed=None)


def judge(got: list[Outcome], expected: list[Expected]) -> Judgement:
    """The worst judgement over the draws of a sample.

    Draws whose results have one form are judged together, as one stacked array: judging is harness time.
    """
    expected = [e.of_form(g) for g, e in zip(got, expected, strict=True)]
    judgements: list[Judgement] = []
    stacks: dict[Any, list[int]] = {}
    for number, (g, e) in enumerate(zip(got, expected, strict=True)):
        simple = _without_values(g, e)
        if simple is not None:
            judgements.append(_at(simple, number))
        else:
            assert isinstance(g, Value) and isinstance(e.outcome, Value)
            form = (
                tuple((a.shape, a.dtype) for a in g.arrays),
                tuple((a.shape, a.dtype) for a in e.outcome.arrays),
                e.flushed is None,
                e.kept is None,
                tuple(s is None for s in e.spread),
                e.factor,
            )
            stacks.setdefault(form, []).append(number)
    for numbers in stacks.values():
        judgements.append(_stacked(got, expected, numbers))
    return worst(judgements)


def agrees(got: Outcome, expected: Expected) -> bool:
    """Whether a value is the expected one, rounded, to the bit: then nothing more need be known."""
    want = expected.outcome
    if not (isinstance(got, Value) and isinstance(want, Value)) or _without_values(got, expected):
        return False
    with np.errstate(all="ignore"):
        return all(
            agree(g, w if g.dtype == w.dtype else w.astype(g.dtype))
            for g, w in zip(got.arrays, want.arrays, strict=True)
        )


def agree(got: np.ndarray, want: np.ndarray) -> bool:
    """Whether two arrays of one shape and dtype are equal to the bit, NaNs being one value."""
    return same_bytes(got, want) or (family(got.dtype) in ("float", "complex") and bool(_same_bits(got, want).all()))


def worst(judgements: list[Judgement]) -> Judgement:
    """The judgement that a row shows: the gravest verdict, then the largest error; figures are the largest of all."""
    if not judgements:
        return Judgement("unsupported", detail="nothing to judge")
    gravest = min(judgements, key=lambda j: (RANK.index(j.verdict), -np.nan_to_num(j.scaled_error)))
    if gravest.verdict == "unsupported" and any(j.verdict in ("identical", "close") for j in judgements):
        gravest = min((j for j in judgements if j.verdict != "unsupported"), key=lambda j: RANK.index(j.verdict))

    def largest(name: str) -> float:
        figures = [getattr(j, name) for j in judgements if not np.isnan(getattr(j, name))]
        return max(figures, default=float("nan"))

    if gravest.verdict in ("error-differs", "accepted", "crash", "timeout"):
        return gravest  # no figure of another draw beside an error

    return Judgement(
        gravest.verdict, gravest.kind, largest("max_ulp"), largest("scaled_error"), gravest.detail, gravest.worst
    )


def _at(j: Judgement, draw: int) -> Judgement:
    return replace(j, worst=j.worst or (draw, -1, ()))


def _without_values(got: Outcome, expected: Expected) -> Judgement | None:
    """The judgement where at least one side is no value, or their forms differ; None where arrays must be compared."""
    want = expected.outcome
    if isinstance(got, Lost):
        return Judgement(got.verdict, detail=got.detail)
    if isinstance(got, Failure) and got.unsupported:
        return Judgement("unsupported", detail=got.words)
    if isinstance(want, Lost):
        return Judgement(
            "error-differs", "error-class", detail=f"got {describe(got)}\nbut the other side ended in a {want.verdict}"
        )
    if (
        isinstance(want, Failure)
        and want.unsupported
        and expected.exact
        and not (want.by_definition and isinstance(got, Value))
    ):
        return Judgement("unsupported", detail=f"nothing to compare with: {want.words}")
    if isinstance(got, Failure) or isinstance(want, Failure):
        if isinstance(got, Failure) and isinstance(want, Failure):
            if got.cls == want.cls or not expected.exact:
                return Judgement("identical")
            what = "error-phase" if got.phase != want.phase else "error-class"
            return Judgement(
                "error-differs",
                what,
                detail=f"got      {got.words} (at {got.phase})\nexpected {want.words} (at {want.phase})",
            )
        return Judgement("error-differs", "error-class", detail=f"got      {describe(got)}\nexpected {describe(want)}")
    if got.structure != want.structure and (expected.exact or _loose(got.structure) != _loose(want.structure)):
        broken = "promised" in got.structure
        return Judgement(
            "differs",
            "shape" if broken else "structure",
            detail=f"got structure {got.structure}, expected {want.structure}",
        )
    if len(got.arrays) != len(want.arrays):
        return Judgement("differs", "structure", detail=f"got {len(got.arrays)} arrays, expected {len(want.arrays)}")
    for number, (g, w) in enumerate(zip(got.arrays, want.arrays, strict=True)):
        if g.shape != w.shape:
            return Judgement("differs", "shape", detail=f"result {number}: got shape {g.shape}, expected {w.shape}")
        if g.dtype != w.dtype and (expected.exact or family(g.dtype) != family(w.dtype)):
            return Judgement(
                "differs", "dtype", detail=f"result {number}: got {name_of(g.dtype)}, expected {name_of(w.dtype)}"
            )
    return None


def _loose(structure: str) -> str:
    """A reference need not nest as TensorFlow does: only what the leaves are counts."""
    return " ".join(structure.replace("(", " ").replace(")", " ").split())


def describe(outcome: Outcome) -> str:
    if isinstance(outcome, Failure):
        return f"{outcome.words} (at {outcome.phase})"
    if isinstance(outcome, Lost):
        return f"{outcome.verdict}: {outcome.detail}"
    return "a value: " + "; ".join(short(a) for a in outcome.arrays[:4])


def short(array: np.ndarray, limit: int = 8) -> str:
    """An array in a few words: dtype, shape, first values."""
    flat = array.reshape(-1)[:limit].tolist()
    more = ", …" if array.size > limit else ""
    return f"{name_of(array.dtype)}{list(array.shape)} [{', '.join(map(repr, flat))}{more}]"


def _stacked(got: list[Outcome], expected: list[Expected], numbers: list[int]) -> Judgement:
    found = []
    gots: Any = [got[n] for n in numbers]
    first = expected[numbers[0]]
    for k in range(len(gots[0].arrays)):
        g = np.stack([o.arrays[k] for o in gots])
        w = np.stack([expected[n].outcome.arrays[k] for n in numbers])  # type: ignore[union-attr]
        spread = (
            None
            if not first.spread or first.spread[k] is None
            else np.stack([np.asarray(expected[n].spread[k]) for n in numbers])
        )
        flushed = None if first.flushed is None else np.stack([expected[n].flushed[k] for n in numbers])  # type: ignore[index]
        kept = None if first.kept is None else np.stack([expected[n].kept[k] for n in numbers])  # type: ignore[index]
        j, at = arrays(g, w, spread, flushed, first.exact, first.factor, kept)
        found.append(replace(j, worst=None if at is None else (numbers[at[0]], k, tuple(at[1:]))))
    return worst(found) if found else Judgement("identical")


def arrays(
    got: np.ndarray,
    want: np.ndarray,
    spread: np.ndarray | None,
    flushed: np.ndarray | None = None,
    exact: bool = True,
    factor: float = 1.0,
    kept: np.ndarray | None = None,
) -> tuple[Judgement, tuple[int, ...] | None]:
    """Judge one array against another of the same shape; also the index of the element to show."""
    kind = family(got.dtype)
    if kind in ("integer", "bool", "string"):
        with np.errstate(all="ignore"):
            want = want if want.dtype == got.dtype else want.astype(got.dtype)
        wrong = np.asarray(got != want)
        what = "value"
        if flushed is not None and wrong.any():
            f = flushed.astype(got.dtype)
            if kept is None:
                wrong &= got != f
            else:
                k = kept.astype(got.dtype)
                by_flushing = wrong & (k != f) & ((got == f) | (got == k)) & ((want == f) | (want == k))
                wrong, what = (wrong & ~by_flushing, what) if (wrong & ~by_flushing).any() else (wrong, "subnormal")
        if not wrong.any():
            return IDENTICAL, None
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        return Judgement("differs", what, detail=_shown(got, want, at, int(wrong.sum()))), at
    if kind == "complex":
        parts = []
        for part in ("real", "imag"):
            s = None if spread is None else np.maximum(spread, 0)
            parts.append(
                arrays(
                    _part(got, part) if not factor else _with_zeros_of(_part(got, part), _part(want, part)),
                    _part(want, part),
                    s,
                    None if flushed is None else _part(flushed, part),
                    exact,
                    factor,
                    None if kept is None else _part(kept, part),
                )
            )
        joined = worst([j for j, _ in parts])
        if joined.verdict == "identical" and not _same_bits(got, want.astype(got.dtype)).all():
            joined = replace(joined, verdict="close")
        where = next((at for j, at in parts if (j.kind, j.detail) == (joined.kind, joined.detail)), None)
        detail = (
            joined.detail and f"{joined.detail}\nwhole complex number: got {got[where]!r}, expected {want[where]!r}"
        )
        return Judgement(joined.verdict, joined.kind, joined.max_ulp, joined.scaled_error, detail), where
    return _floats(got, want, spread, flushed, exact, factor, kept)


def _with_zeros_of(got: np.ndarray, want: np.ndarray) -> np.ndarray:
    """The array with the zero signs of the other. Of a complex product or quotient they depend on the formula: C99's
    annex G leaves them open, and NumPy's own loops differ in them."""
    with np.errstate(all="ignore"):
        target = want.astype(got.dtype)
    return np.where((got == 0) & (target == 0), target, got)


def _part(array: np.ndarray, part: str) -> np.ndarray:
    return (
        getattr(array, part)
        if family(array.dtype) == "complex"
        else (array if part == "real" else np.zeros_like(array))
    )


def _floats(
    got: np.ndarray,
    want: np.ndarray,
    spread: np.ndarray | None,
    flushed: np.ndarray | None,
    exact: bool,
    factor: float,
    kept: np.ndarray | None,
) -> tuple[Judgement, tuple[int, ...] | None]:
    dtype = got.dtype
    with np.errstate(all="ignore"):
        target = want.astype(dtype)
        same = _same_bits(got, target)
        if same.all():
            return IDENTICAL, None
        wide = np.result_type(np.float64, want.dtype if want.dtype.kind == "f" else np.float64)
        g, w = got.astype(wide), want.astype(wide)
        info = limits(dtype)
        tiny, unit = float(info.smallest_normal), roundoff(dtype)
        zeros = np.zeros(w.shape, wide)
        s = zeros if spread is None else np.where(np.isfinite(spread), spread, 0).astype(wide)
        allowed = K * factor * (unit * np.maximum(np.abs(w), tiny) + s)
        near = np.isfinite(w) & (np.abs(g - w) <= allowed)  # everything is within 16 u of infinity
        near |= (g >= (w - allowed).astype(dtype).astype(wide)) & (g <= (w + allowed).astype(dtype).astype(wide))
        near |= np.isnan(g) & np.isnan(w)
        near |= g == w
        signed_zero = (got == 0) & (target == 0) & (np.signbit(got) != np.signbit(target))
        near &= ~signed_zero
        if not exact:  # a kernel may flush a subnormal result to zero
            near |= (np.abs(w) < tiny) & (w != 0) & (g == 0)
        right = same | near
        flushing = np.zeros(right.shape, bool)

        def like(value: np.ndarray, model: np.ndarray) -> np.ndarray:
            m = model.astype(wide)
            by = K * factor * (unit * np.maximum(np.abs(m), tiny) + s)
            return (np.isfinite(m) & (np.abs(value - m) <= by)) | _same_bits(value.astype(dtype), model.astype(dtype))

        if flushed is not None and not right.all():
            if kept is None:
                right |= like(g, flushed)
            else:
                flushing = (
                    ~right
                    & ~_same_bits(kept.astype(dtype), flushed.astype(dtype))
                    & (like(g, flushed) | like(g, kept))
                    & (like(w, flushed) | like(w, kept))
                )
        error = np.abs(g - w) / np.where(allowed > 0, allowed, 1)
        scaled = float(np.max(np.where(np.isfinite(error) & right, error, 0), initial=0.0))
        ulps = _ulps(got, target)
        both = np.isfinite(g) & np.isfinite(target.astype(wide))
        max_ulp = float(np.max(np.where(both, ulps, 0), initial=0.0))
        if right.all():
            verdict = "close"
            return Judgement(verdict, max_ulp=max_ulp, scaled_error=scaled), None
        ill = (
            ~right & np.isfinite(g) & np.isfinite(w) & (K * factor * s > HALF_LOST * np.abs(w)) & (s > 0) & ~signed_zero
        )
        wrong = ~right & ~ill
        if not wrong.any():
            return Judgement(
                "ill-conditioned",
                max_ulp=max_ulp,
                scaled_error=scaled,
                detail=_shown(got, target, tuple(int(i) for i in np.argwhere(ill)[0]), int(ill.sum())),
            ), None
        kinds = _kinds(got, target, wrong & ~flushing, tiny)
        kinds["subnormal"] |= wrong & flushing
        what = next(k for k in ("nan", "inf", "value", "subnormal", "zero-sign") if kinds[k].any())
        candidates = kinds[what]
        order = np.where(candidates, np.where(np.isfinite(error), error, np.inf), -1)
        at = tuple(int(i) for i in np.unravel_index(int(np.argmax(order)), order.shape))
        finite = error[wrong & np.isfinite(error)]
        scaled = float(finite.max()) if finite.size else float("inf")
    return Judgement("differs", what, max_ulp, scaled, _shown(got, target, at, int(wrong.sum()), want)), at


def _kinds(got: np.ndarray, want: np.ndarray, wrong: np.ndarray, tiny: float) -> dict[str, np.ndarray]:
    """Which of the wrong elements differ in what."""
    g, w = got.astype(np.float64), want.astype(np.float64)
    nan = wrong & (np.isnan(g) != np.isnan(w))
    infinite = wrong & ~nan & (np.isinf(g) | np.isinf(w))
    zero = wrong & (g == 0) & (w == 0)
    small = wrong & ~nan & ~infinite & ~zero & (np.abs(g) < tiny) & (np.abs(w) < tiny)
    rest = wrong & ~nan & ~infinite & ~zero & ~small
    return {"nan": nan, "inf": infinite, "zero-sign": zero, "subnormal": small, "value": rest}


def _same_bits(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if family(a.dtype) == "complex":
        return _same_bits(a.real, b.real) & _same_bits(a.imag, b.imag)
    return ((a == b) & (np.signbit(a) == np.signbit(b))) | ((a != a) & (b != b))


_WORD = {2: np.int16, 4: np.int32, 8: np.int64}


def _ulps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Distance in representable numbers of their dtype, as float64."""
    word: Any = _WORD.get(a.dtype.itemsize)
    if word is None:
        return np.full(a.shape, np.nan)

    def ordered(x: np.ndarray) -> np.ndarray:  # integers: float64 cannot tell neighbours of 64 bits apart
        bits = np.ascontiguousarray(x).view(word).astype(np.int64)
        return np.where(bits < 0, np.iinfo(word).min - bits, bits)

    m, n = ordered(a), ordered(b)
    return (np.maximum(m, n).view(np.uint64) - np.minimum(m, n).view(np.uint64)).astype(np.float64)


def bits(scalar: Any) -> str:
    """A number with its bits, `-0.0 [0x80000000]`; others by repr."""
    array = np.asarray(scalar)
    if family(array.dtype) in ("float", "complex") and array.dtype.itemsize <= 16:
        part = [array] if family(array.dtype) == "float" else [array.real, array.imag]
        text = " ".join(
            "0x"
            + np.ascontiguousarray(p)
            .reshape(1)
            .view(f"u{p.dtype.itemsize}")[0]
            .item()
            .__format__(f"0{2 * p.dtype.itemsize}x")
            for p in part
            if p.dtype.itemsize in (2, 4, 8)
        )
        return f"{array.item()!r} [{text}]"
    return repr(array.item() if array.ndim == 0 else array)


def _shown(got: np.ndarray, want: np.ndarray, at: tuple[int, ...], count: int, full: np.ndarray | None = None) -> str:
    more = "" if count == 1 else f"  ({count} of {got.size} elements differ)"
    exactly = ""
    if full is not None and full.dtype != got.dtype:
        exactly = f"  (reference {np.format_float_scientific(full[at], precision=17)})"
    return f"got      {bits(got[at])}{more}\nexpected {bits(want[at])}{exactly}"
