"""tf.random.*: what is drawn is not promised, so no row has a reference; its distribution, range and shape are.

A distribution is judged by the largest distance between its own and the empirical distribution function: for n draws
it exceeds 2.5 / sqrt(n) once in 130,000 times (Dvoretzky, Kiefer and Wolfowitz), and never here by chance, because
seeds are fixed. A stateless op must in addition give the same in every mode, which the engine checks; so must a
stateful op with both seeds set, but for XLA, whose page promises nothing.
"""

from functools import partial

import numpy as np

from tfparity import DTYPE, FLOATS, I, T, each, error, kind, program, sample, tf

from ..references.distributions import N, follows, is_normal, is_truncated, is_uniform, shaped, stats, uniform

random = kind("random", random=True)
random_program = partial(program, kind="random", random=True)

SEED = I("2")


def is_categorical(x, logits, num_samples, seed=None, **options):
    p = np.exp(logits.astype(np.float64))
    p = np.cumsum(p / p.sum(-1, keepdims=True), -1)
    rows = [follows(row, lambda k, q=q: q[k.astype(int)]) for row, q in zip(x, p, strict=True)]
    return shaped(x, (len(logits), num_samples)) and all(rows)


def is_permutation(x, value, *seed):
    """The same rows, in any order."""
    return sorted(map(repr, x.tolist())) == sorted(map(repr, value.tolist()))


def moves(x, value, *seed):
    """A permutation of distinct rows that does not leave many where they are."""
    return is_permutation(x, value) and bool((x == value).sum() < len(value) / 2)


SCALE = T("", values=[0.5])
SHAPE_PARAMETER = T("", values=[3.0])


# --- stateless -----------------------------------------------------------------------------------------------------

ALGORITHMS = each("philox", "threefry", "auto_select")
NOTHING_BETWEEN = [error("nothing-between", minval=5, maxval=5, dtype=np.int32),
                   error("reversed", minval=9, maxval=2, dtype=np.int32)]
REFUSED_SEED = [error("three-seeds", [N], np.array([1, 2, 3], np.int32))]


@random("tf.random.stateless_uniform", invariant=is_uniform, errors=[
    *REFUSED_SEED, *NOTHING_BETWEEN, error("unknown-alg", alg="none")])
def stateless_uniform_samples():
    yield sample([N], SEED, minval=2, maxval=9, dtype=DTYPE)
    yield sample([20, 0], SEED, minval=2, maxval=9, dtype=DTYPE, name="empty")
    yield sample([50, 80], SEED, minval=1, maxval=100, dtype=DTYPE, alg="philox", name="philox")
    yield sample([50, 80], SEED, minval=1, maxval=100, dtype=DTYPE, alg="threefry", name="threefry")
    yield sample([N], I("2", dtype="int64"), minval=0, maxval=3, dtype=DTYPE, name="int64-seed")


random("tf.random.stateless_normal", None, [50, 80], SEED, dtype=DTYPE, dtypes=FLOATS, invariant=is_normal,
       mean=each(0.0, 3.0), stddev=0.5, alg=ALGORITHMS, errors=REFUSED_SEED)
random("tf.random.stateless_truncated_normal", None, [50, 80], SEED, dtype=DTYPE, dtypes=FLOATS, invariant=is_truncated,
       mean=each(0.0, 3.0), stddev=0.5, alg=ALGORITHMS, errors=REFUSED_SEED)
random("tf.random.stateless_parameterized_truncated_normal", None, [N], SEED, dtypes=FLOATS,
       means=T("", values=[1.0]), stddevs=T("", values=[2.0]), minvals=T("", values=[-1.0]),
       maxvals=T("", values=[4.0]), invariant=lambda x, shape, *seed, **o: shaped(x, shape)
       and bool((x >= -1).all() and (x <= 4).all()) and follows(x, stats.truncnorm(-1, 1.5, 1, 2).cdf))
random("tf.random.stateless_binomial", None, [N], SEED, T("", values=[20]), T("", values=[0.25]), dtypes=FLOATS,
       output_dtype=each(np.int32, np.int64, np.float32), errors=REFUSED_SEED,
       invariant=lambda x, shape, seed, counts, probs, **o: shaped(x, shape) and follows(x, stats.binom(20, 0.25).cdf))
random("tf.random.stateless_categorical", None, T("3 5", domain=(-2, 2)), N, SEED, dtype=each(np.int64, np.int32),
       dtypes=FLOATS, invariant=is_categorical)
random("tf.random.stateless_gamma", None, [N], SEED, SHAPE_PARAMETER, SCALE, dtype=DTYPE, dtypes=FLOATS,
       invariant=lambda x, shape, seed, *o, **d: shaped(x, shape) and follows(x, stats.gamma(3, scale=2).cdf))
random("tf.random.stateless_poisson", None, [N], SEED, T("", values=[3.5]), dtypes=FLOATS,
       dtype=each(np.int32, np.int64, np.float32),
       invariant=lambda x, shape, seed, lam, dtype: shaped(x, shape) and follows(x, stats.poisson(3.5).cdf))
random("tf.random.experimental.stateless_shuffle", None, T("n 2"), SEED, alg=ALGORITHMS,
       invariant=lambda x, given, seed, alg: is_permutation(x, given, seed))
random("tf.random.experimental.index_shuffle", None, np.arange(100, dtype=np.int32), SEED, 99,
       invariant=lambda x, index, seed, top: moves(x, index))


def are_seeds(x, seed, num=2, alg=None):
    """As many seeds as asked for, of the same dtype, all different from each other and from the given one."""
    return shaped(x, (num, 2)) and x.dtype == seed.dtype and len({tuple(s) for s in (*x, seed)}) == num + 1


random("tf.random.split", None, I("2", dtype="int32"), num=each(2, 1, 5),
       alg=each("philox", "threefry"), invariant=are_seeds)
random("tf.random.fold_in", None, SEED, I("", dtype="int32"), alg=ALGORITHMS,
       invariant=lambda x, seed, data, alg: shaped(x, (2,)) and x.dtype == data.dtype and bool((x != seed).any()))


def rng_state(seed, alg):
    """A vector as it is; an integer followed by the zeros of a counter: two numbers for Philox, one for ThreeFry."""
    return np.asarray([seed, *[0] * {"philox": 2, "threefry": 1}[alg]] if isinstance(seed, int) else seed, np.int64)


@random("tf.random.create_rng_state", rng_state)
def create_rng_state_samples():
    yield sample(1234, "philox", name="philox")
    yield sample(1234, "threefry", name="threefry")
    yield sample([12, 34], "threefry", name="vector")


# --- stateful, seeded ----------------------------------------------------------------------------------------------

random("tf.random.uniform", None, each([50, 80], [7, 0]), minval=2, maxval=9, dtype=DTYPE, seed=7, invariant=is_uniform,
       errors=NOTHING_BETWEEN)
random("tf.random.normal", None, [50, 80], mean=each(0.0, 3.0), stddev=each(1.0, 0.5), dtype=DTYPE, seed=7,
       dtypes=FLOATS, invariant=is_normal)
random("tf.random.truncated_normal", None, [50, 80], mean=each(0.0, 3.0), stddev=each(1.0, 0.5), dtype=DTYPE, seed=7,
       dtypes=FLOATS, invariant=is_truncated)
random("tf.random.categorical", None, T("3 5", domain=(-2, 2)), N, dtype=each(np.int64, np.int32), seed=7,
       dtypes=FLOATS, invariant=is_categorical)
random("tf.random.gamma", None, [N], SHAPE_PARAMETER, SCALE, dtype=DTYPE, seed=7, dtypes=FLOATS,
       invariant=lambda x, shape, *o, **d: shaped(x, shape) and follows(x, stats.gamma(3, scale=2).cdf))
random("tf.random.poisson", None, [N], T("", values=[3.5]), dtype=DTYPE, seed=7, dtypes=FLOATS,
       invariant=lambda x, shape, lam, dtype, seed: shaped(x, shape) and follows(x, stats.poisson(3.5).cdf))
random("tf.random.shuffle", None, T("20 2"), seed=7, invariant=lambda x, value, seed: is_permutation(x, value))


# --- candidate samplers --------------------------------------------------------------------------------------------


def candidates(cdf, expected):
    """An invariant: classes in range, as `cdf` says or without repeats, and how often each is expected among them."""

    def holds(result, true_classes, num_true, num_sampled, unique, range_max, seed, **weights):
        sampled, true_count, sampled_count = result
        inside = bool((sampled >= 0).all() and (sampled < range_max).all()) and shaped(sampled, (num_sampled,))
        shapes = shaped(true_count, true_classes.shape) and shaped(sampled_count, sampled.shape)
        if unique:
            return inside and shapes and len(set(sampled)) == num_sampled
        counts = [(true_count, num_sampled * expected(true_classes, range_max).astype(np.float32)),
                  (sampled_count, num_sampled * expected(sampled, range_max).astype(np.float32))]
        return [(inside and shapes, True), (follows(sampled, lambda k: cdf(k, range_max)), True), *counts]

    return holds


evenly = candidates(lambda k, n: (k + 1) / n, lambda k, n: np.full(k.shape, 1 / n))
zipfian = candidates(lambda k, n: np.log(k + 2) / np.log(n + 1),
                     lambda k, n: (np.log(k + 2.0) - np.log(k + 1.0)) / np.log(n + 1.0))


def all_candidates(true_classes, num_true, num_sampled, unique, seed):
    return np.arange(num_sampled), np.ones(true_classes.shape, np.float32), np.ones(num_sampled, np.float32)


CLASSES = T("b 2", dtype="int64", within=(0, 49), edges=False)

random("tf.random.uniform_candidate_sampler", None, CLASSES, 2, 40, each(False, True), 50, 7, invariant=evenly)
random("tf.random.log_uniform_candidate_sampler", None, CLASSES, 2, 40, each(False, True), 50, 7, invariant=zipfian)
random("tf.random.learned_unigram_candidate_sampler", None, CLASSES, 2, 40, each(False, True), 50, 7,
       invariant=lambda result, classes, *o: bool((result[0] >= 0).all() and (result[0] < 50).all()))
random("tf.random.fixed_unigram_candidate_sampler", None, CLASSES, 2, 40, each(False, True), 50, unigrams=[1.0] * 50,
       distortion=each(1.0, 0.5), seed=7, invariant=evenly)
random("tf.random.all_candidate_sampler", all_candidates, CLASSES, 2, 50, each(False, True), seed=7)


# --- generators ----------------------------------------------------------------------------------------------------


def generator():
    return tf.random.Generator.from_seed(17, alg="philox")


def drawn(name, invariant, *inputs, **options):
    """A program that calls one method of a generator made afresh, twice: the second draw must differ from the first."""

    def holds(result, *args, **kwargs):
        return all(invariant(draw, *args, **kwargs) for draw in result) and bool((result[0] != result[1]).any())

    @random_program(f"program.generator_{name}", *inputs, state=generator, invariant=holds, **options)
    def body(generator, *args, **kwargs):
        method = getattr(generator, name)
        return method(*args, **kwargs), method(*args, **kwargs)


drawn("uniform", is_uniform, [N], minval=2, maxval=9, dtype=DTYPE, errors=NOTHING_BETWEEN)
drawn("normal", is_normal, [N], mean=3.0, stddev=0.5, dtype=DTYPE, dtypes=FLOATS)
drawn("truncated_normal", is_truncated, [N], mean=3.0, stddev=0.5, dtype=DTYPE, dtypes=FLOATS)
drawn("binomial", lambda x, shape, counts, probs, **o: follows(x, stats.binom(20, 0.25).cdf), [N], T("", values=[20]),
      T("", values=[0.25]), dtype=each(np.int32, np.int64), dtypes=FLOATS)
drawn("uniform_full_int", lambda x, shape, dtype: follows(x, uniform(
    float(np.iinfo(dtype).min), float(np.iinfo(dtype).max) + 1, False)), [N], dtype=each(np.int32, np.int64))
drawn("make_seeds", lambda x, count: shaped(x, (2, count)) and len({tuple(seed) for seed in x.T}) == count, 6)


@random_program("program.generator_skip", state=lambda: (generator(), generator()),
                invariant=lambda pair: (pair[0], pair[1]))
def generator_skip(generators):
    """The state after skip(n) is the state after normal([n])."""
    skipped, drawn = generators
    skipped.skip(256)
    drawn.normal([256])
    return skipped.normal([8]), drawn.normal([8])


@random_program("program.generator_reset", state=generator, invariant=lambda pair: (pair[0], pair[1]))
def generator_reset(generator):
    """After a reset to the same seed the same numbers come again."""
    first = generator.normal([8])
    generator.reset_from_seed(17)
    return first, generator.normal([8])


@random_program("program.generator_split", state=lambda: generator().split(3),
                invariant=lambda draws: len({float(d[0]) for d in draws}) == 3)
def generator_split(generators):
    """Generators split off draw numbers of their own."""
    return [g.normal([8]) for g in generators]
