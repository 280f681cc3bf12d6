"""The sampler on a fake machine, whose clock moves only as its calls say, with faults planted in both.

The fake is noisy as real machines are: a level that drifts from reading to reading and is shared by neighbours, a
jitter of each reading, now and then an interruption. No test asserts a time of the machine it runs on.
"""

import gc
import json
import os
from collections import Counter
from itertools import pairwise
from math import isnan
from pathlib import Path

import numpy as np
import pytest

from tfparity.suite.timing import sampler, schedule
from tfparity.suite.timing.pytest_benchmark import Groups, record
from tfparity.suite.timing.sampler import Effort, Timer, cold, empty, measure, no_collection
from tfparity.suite.timing.schedule import TWIN, batches, follows_another, loop_counts, order, twin, twin_of
from tfparity.suite.timing.statistics import false_rate, verdict

pytest_plugins = "pytester"


class Machine:
    """A clock that only calls move. Each synchronisation draws a new level and jitter."""

    def __init__(self, seed=0, jitter=0.0, drift=0.0, sync=0.0):
        self.random, self.now, self.level, self.factor = np.random.default_rng(seed), 0.0, 0.0, 1.0
        self.jitter, self.drift, self.sync, self.pending = jitter, drift, sync, 0.0
        self.ran = []

    def clock(self):
        return int(self.now)

    def synchronise(self):
        self.now += self.pending + 1e9 * self.sync
        self.pending = 0.0
        if self.jitter or self.drift:
            self.level += self.random.normal(0, self.drift)
            spike = 0.5 if self.random.random() < 0.03 else 0.0
            self.factor = np.exp(self.level + self.random.normal(0, self.jitter) + spike)

    def call(self, seconds, name="", later=0.0):
        """A call that takes `seconds`, and leaves `later` seconds of work to the device."""

        def run():
            self.now += 1e9 * seconds * self.factor
            self.pending += 1e9 * later * self.factor
            if not self.ran or self.ran[-1] != name:
                self.ran.append(name)

        return run

    @property
    def timer(self):
        return Timer(self.synchronise, self.clock, self.clock)

    def measure(self, calls, seed=0, traces=empty, **effort):
        return measure(calls, timer=self.timer, effort=Effort(**effort), seed=seed, traces=traces)


# Order


@pytest.mark.parametrize("names", range(1, 8))
def test_every_callable_is_once_at_each_place_of_a_square(names):
    rows = order(4 * names, names, np.random.default_rng(names))
    for start in range(0, 4 * names, names):
        square = rows[start : start + names]
        for line in (*square, *square.T):
            assert sorted(line) == list(range(names))


@pytest.mark.parametrize("names", range(2, 8))
def test_every_callable_follows_every_other_equally_often(names):
    rows = order(2 * names, names, np.random.default_rng(names))
    followers = Counter(pair for row in rows for pair in pairwise(row.tolist()))
    assert set(followers.values()) == {2}
    assert len(followers) == names * (names - 1)


def test_the_order_is_drawn_anew_for_each_block_and_seed_and_is_the_same_for_the_same_seed():
    first, again, other = (order(40, 5, np.random.default_rng(seed)).tolist() for seed in (1, 1, 2))
    assert first == again != other
    assert first[:10] != first[10:20]
    assert order(0, 3, np.random.default_rng(0)).shape == (0, 3)
    assert order(11, 5, np.random.default_rng(0)).shape == (11, 5)


def test_a_round_runs_all_names_next_to_each_other_in_the_recorded_order():
    fake = Machine()
    names = ["eager", "graph", "xla"]
    done = fake.measure({name: fake.call(1e-4, name) for name in names}, rounds=4)
    rounds = [names[at] for row in done.order for at in row]
    text, expected = ",".join(fake.ran), ",".join(name for name, after in pairwise([*rounds, ""]) if name != after)
    assert expected in text


# Loops


def test_costs_within_a_factor_of_ten_share_their_loop_count():
    assert batches({"graph": 236.0, "numpy": 1.0, "xla": 86.0, "eager": 39.0}) == [["numpy"], ["eager", "xla", "graph"]]
    assert batches({"a": 1.0, "b": 10.0}) == [["a", "b"]]
    assert batches({"a": 1.0, "b": 4.0, "c": 30.0, "d": 35.0}) == [["a", "b"], ["c", "d"]]
    assert batches({"free": 0.0, "a": 1.0}) == [["free"], ["a"]]
    assert batches({}) == []


def test_a_reading_lasts_a_millisecond_or_one_call():
    counts = loop_counts({"eager": 40e-6, "graph": 200e-6, "slow": 2.0}, 1e-3)
    assert counts["eager"] == counts["graph"] == 30
    assert counts["slow"] == 1
    assert loop_counts({"long": 1e-3}, 1e-3) == {"long": 1}
    assert loop_counts({"nothing": 0.0}, 1e-3)["nothing"] == schedule.MOST_LOOPS


def test_readings_are_long_enough_and_modes_of_similar_cost_share_a_loop_count():
    fake = Machine(jitter=0.02)
    done = fake.measure({"eager": fake.call(40e-6), "graph": fake.call(150e-6)})
    assert (done.wall > 1e-3).all()
    assert len(np.unique(done.loops)) == 1
    assert not done.subtracted


def test_a_slow_synchronisation_makes_readings_longer():
    """50 µs to synchronise is 5% of a millisecond: added to both sides, it would pull every ratio towards 1."""
    fake = Machine(sync=50e-6)
    done = fake.measure({"a": fake.call(10e-6), "b": fake.call(20e-6)})
    assert done.sync == pytest.approx(50e-6)
    assert done.ratio("b").mid == pytest.approx(2.0, rel=0.02)
    assert (done.wall >= 50e-6 / sampler.SYNC_SHARE).all()


def test_the_empty_loop_is_subtracted_where_loop_counts_differ(monkeypatch):
    """With a loop that costs 1 µs a call, 2 µs against 100 looks like 3 against 101."""
    fake = Machine()

    def blank():
        fake.now += 1e3

    monkeypatch.setattr(sampler, "empty", blank)
    done = fake.measure({"numpy": fake.call(3e-6), "eager": fake.call(101e-6)})
    assert done.subtracted
    assert done.floor == pytest.approx(1e-6)
    assert done.ratio("eager").mid == pytest.approx(50.0)
    assert done.seconds("numpy").mid == pytest.approx(2e-6)
    near = fake.measure({"numpy": fake.call(1.5e-6), "eager": fake.call(101e-6)})
    assert not near.subtracted
    assert any("costs too little" in flag for flag in near.flags)


# Readings


def test_every_reading_is_kept_with_its_times_and_the_load_of_the_machine():
    fake = Machine(jitter=0.02)
    done = fake.measure({"a": fake.call(1e-4), "b": fake.call(2e-4), "c": fake.call(3e-4)}, rounds=7, extra=0)
    for field in ("dispatch", "wall", "cpu", "switches", "pressure", "steal", "loops", "order"):
        assert getattr(done, field).shape == (7, 3), field
    assert done.block.shape == (sampler.BLOCK, 3)
    assert (done.dispatch <= done.wall).all()


def test_the_device_is_synchronised_around_each_reading_and_both_times_are_reported():
    fake = Machine()
    waits = []

    def synchronise():
        waits.append(fake.now)
        fake.synchronise()

    calls = {"gpu": fake.call(4e-6, later=40e-6), "cpu": fake.call(30e-6)}
    timer, effort = Timer(synchronise, fake.clock, fake.clock), Effort(extra=0)
    done = measure(calls, timer=timer, effort=effort)
    assert done.seconds("gpu", dispatch=True).mid == pytest.approx(4e-6)
    assert done.seconds("gpu").mid == pytest.approx(44e-6)
    assert done.seconds("cpu", dispatch=True).mid == done.seconds("cpu").mid
    assert 2 * done.loops.size < len(waits) < done.loops.sum() / 4, "two a reading: before it and after it"


def test_garbage_collection_is_off_within_readings_and_restored():
    seen = set()
    fake = Machine()
    slow = fake.call(1e-3)

    def call():
        seen.add(gc.isenabled())
        slow()

    assert gc.isenabled()
    fake.measure({"a": call}, rounds=2, extra=0)
    assert seen == {False}
    assert gc.isenabled()
    gc.disable()
    try:
        with no_collection():
            pass
        assert not gc.isenabled(), "it was off before, so it stays off"
    finally:
        gc.enable()


def test_garbage_collection_is_restored_when_a_call_raises():
    with pytest.raises(ZeroDivisionError):
        measure({"a": lambda: 1 // 0})
    assert gc.isenabled()


def test_outliers_are_flagged_and_kept():
    fake = Machine()
    count = iter(range(10**9))
    quick = fake.call(2e-3)

    def sometimes():
        if next(count) == 7:
            fake.now += 1e9
        quick()

    done = fake.measure({"a": sometimes, "b": quick}, rounds=11)
    assert done.outliers().sum() == 1
    assert done.wall.max() > 1
    assert done.seconds("a").high == pytest.approx(2e-3)
    assert "1 of 22 readings are outliers; they were kept" in done.flags


# Verdicts on a noisy machine


def test_planted_a_ten_percent_slowdown_is_reported():
    verdicts = []
    for seed in range(20):
        fake = Machine(seed, jitter=0.02, drift=0.05)
        done = fake.measure({"eager": fake.call(1e-4), "graph": fake.call(1.1e-4)}, seed=seed)
        verdicts.append(done.verdict("graph"))
    assert verdicts.count("slower") >= 18
    assert "faster" not in verdicts
    assert "equivalent" not in verdicts


def test_planted_a_ten_percent_speedup_is_reported():
    fake = Machine(5, jitter=0.02, drift=0.05)
    assert fake.measure({"eager": fake.call(1e-4), "graph": fake.call(0.9e-4)}).verdict("graph") == "faster"


def test_false_positives_are_no_more_frequent_than_the_two_stages_promise():
    """Both stages together: some trials stop after 11 rounds, others take fresh ones. Bound: 3.4%."""
    verdicts, stages = [], Counter()
    for seed in range(400):
        fake = Machine(seed, jitter=0.015, drift=0.01)
        call = fake.call(2e-3)
        done = fake.measure({"graph": call, "graph" + TWIN: call}, seed=seed)
        verdicts.append(verdict(done.ratio("graph" + TWIN), margin=0))
        stages[done.decisive] += 1
    assert min(stages[0], stages[11]) > 40, "the sweep must exercise both stages"
    assert false_rate(verdicts).mid <= 0.034 + 0.01


def test_contiguous_blocks_report_differences_where_there_are_none():
    """Why the sampler interleaves: the same drifting machine, the same calls, measured one block after the other."""
    wrong = 0
    for seed in range(100):
        fake = Machine(seed, jitter=0.02, drift=0.05)
        call = fake.call(2e-3)
        halves = [fake.measure({"a": call}, rounds=11, extra=0, seed=seed).seconds("a") for _ in range(2)]
        wrong += halves[0].high < halves[1].low or halves[1].high < halves[0].low
    assert wrong > 30


def test_a_quiet_machine_says_equivalent():
    fake = Machine(1, jitter=0.003)
    assert fake.measure({"a": fake.call(1e-4), "b": fake.call(1e-4)}).verdict("b") == "equivalent"


# Rounds


def test_a_quiet_machine_stops_after_the_planned_rounds():
    fake = Machine(jitter=0.002)
    done = fake.measure({"a": fake.call(1e-4), "b": fake.call(1.2e-4)})
    assert (done.rounds, done.decisive, len(done.wall)) == (11, 0, 11)


def test_where_rounds_were_added_the_estimates_use_only_the_fresh_ones():
    fake = Machine(3, jitter=0.1)
    done = fake.measure({"a": fake.call(1e-4), "b": fake.call(1e-4)})
    assert (done.rounds, done.decisive, len(done.wall)) == (24, 11, 35)
    assert len(done.per_call("a")) == 24


def test_planted_a_biased_pilot_does_not_change_the_verdict():
    """The first eleven rounds are made to favour b by a fifth, the fresh rounds are not."""
    fake = Machine(3, jitter=0.1)
    honest = fake.call(2e-3)
    calls = Counter()

    def biased():
        calls["b"] += 1
        honest()
        if calls["b"] <= 2 + 11:              # two to warm up and calibrate
            fake.now -= 1e9 * 4e-4 * fake.factor

    done = fake.measure({"a": honest, "b": biased}, seed=3)
    assert done.decisive == 11
    pilot = np.log(done.wall[:11, 1] / done.wall[:11, 0])
    assert np.median(pilot) < -0.1
    assert done.verdict("b") in ("unresolved", "equivalent")


def test_a_large_effect_needs_no_narrow_interval():
    fake = Machine(3, jitter=0.1)
    done = fake.measure({"a": fake.call(1e-4), "b": fake.call(8e-4)})
    assert done.decisive == 0
    assert done.verdict("b") == "slower"


def test_a_budget_is_divided_before_the_first_round():
    fake = Machine(jitter=0.001)
    call = fake.call(1.0)
    done = fake.measure({"a": call, "b": fake.call(1.0)}, budget=30.0)
    assert 6 <= done.rounds < 11
    assert fake.now / 1e9 < 33
    assert any("fitted into the budget" in flag for flag in done.flags) or done.rounds == 11


def test_a_budget_too_small_for_one_round_gives_one_round_without_an_interval():
    fake = Machine()
    done = fake.measure({"a": fake.call(5.0), "b": fake.call(9.0)}, budget=1.0)
    assert done.rounds == 1
    assert done.seconds("b").mid == pytest.approx(9.0)
    assert done.verdict("b") == "unresolved"
    assert any("too few for an interval" in flag for flag in done.flags)


# Where interleaving disturbs


def test_planted_a_call_that_its_neighbours_slow_down_is_flagged():
    """Cold caches: the first call after another one takes twice as long."""
    fake = Machine(jitter=0.001)
    plain, last = fake.call(2e-3), [""]

    def named(name):
        def run():
            plain()
            if last[0] != name:
                fake.now += 2e6
            last[0] = name

        return run

    done = fake.measure({"a": named("a"), "b": named("b")})
    assert done.disturbed("a") == pytest.approx(0.5, rel=0.05)
    assert any(flag.startswith("a: a contiguous block takes 0.50 times") for flag in done.flags)


def test_only_readings_right_after_another_callable_count_as_interleaved():
    places = np.array([[0, 1], [1, 0], [0, 1]])          # runs a, b, b, a, a, b
    assert follows_another(places).tolist() == [[True, True], [True, False], [False, True]]


def test_calls_that_their_neighbours_do_not_slow_down_are_not_flagged():
    fake = Machine(jitter=0.03)
    done = fake.measure({"a": fake.call(1e-3), "b": fake.call(2e-3)})
    assert done.disturbed("a") is done.disturbed("b") is None


def test_planted_a_retrace_during_warm_timing_is_flagged():
    fake, traces = Machine(), [0]
    plain = fake.call(1e-3)

    def retracing():
        traces[0] += 1
        plain()

    done = fake.measure({"a": retracing}, traces=lambda: traces[0])
    assert any("traced or compiled again" in flag for flag in done.flags)
    assert not fake.measure({"a": plain}, traces=lambda: traces[0]).flags


# Twins


def test_about_a_twentieth_of_the_cases_carry_a_twin_of_any_of_their_modes():
    calls = dict.fromkeys(("eager", "graph", "xla"), empty)
    added = [set(twin(calls, f"tf.math.op{n}/float32")) - set(calls) for n in range(4000)]
    share = np.mean([bool(each) for each in added])
    assert 0.04 < share < 0.06
    assert {name for each in added for name in each} == {"eager-twin", "graph-twin", "xla-twin"}


def test_the_twin_is_the_same_callable_and_the_identity_alone_chooses_it():
    calls = {"eager": lambda: 1, "graph": lambda: 2}
    repeated = next(got for n in range(1000) if len(got := twin(calls, f"case {n}")) == 3)
    name = (set(repeated) - set(calls)).pop()
    assert repeated[name] is calls[twin_of(name)]
    assert twin(calls, "x", share=1.0) == twin(calls, "x", share=1.0)
    assert twin(calls, "x", share=0.0) == calls
    assert twin({}, "x", share=1.0) == {}
    assert twin_of("graph") is None


def test_a_twin_is_compared_with_the_name_that_it_repeats():
    fake = Machine()
    graph = fake.call(2e-4)
    done = fake.measure({"eager": fake.call(1e-4), "graph": graph, "graph-twin": graph})
    assert done.against("graph-twin") == "graph"
    assert done.ratio("graph-twin").mid == pytest.approx(1.0)
    assert done.ratio("graph").mid == pytest.approx(2.0)


# Refusals


@pytest.mark.parametrize("calls", [{}, {"a": empty}])
def test_there_must_be_something_to_compare_with(calls):
    with pytest.raises(ValueError, match="nothing to compare with"):
        measure(calls, base="eager" if calls else None)


@pytest.mark.parametrize("impossible", [{"rounds": 0}, {"extra": -1}, {"shortest": 0}, {"target": 0}])
def test_an_impossible_effort_is_refused(impossible):
    with pytest.raises(ValueError, match="at least one round"):
        Effort(**impossible)


def test_an_unknown_name_is_a_key_error_that_lists_the_known():
    fake = Machine()
    done = fake.measure({"a": fake.call(1e-3)})
    with pytest.raises(KeyError, match="only a"):
        done.seconds("b")


# Cold starts


def test_the_first_call_of_a_fresh_function_is_timed_each_time():
    fake, built = Machine(), []

    def start():
        built.append(1)
        fake.now += 1e6 + 50e6

    done = cold(start, timer=fake.timer)
    assert len(built) == 5
    assert done.starts == pytest.approx([0.051] * 5)
    assert done.seconds().low == done.seconds().high == pytest.approx(0.051)
    with pytest.raises(ValueError, match="at least one"):
        cold(start, repeats=0)


def test_planted_a_function_that_is_not_fresh_shows():
    fake, first = Machine(), [True]

    def run():
        fake.now += 50e6 if first[0] else 1e3
        first[0] = False

    done = cold(run, timer=fake.timer)
    assert done.starts.max() > 1000 * done.starts.min()


# The real clock, without saying how fast


def test_on_the_real_clock_more_work_takes_longer():
    data = list(range(400))
    calls = {"one": lambda: sum(data), "nine": lambda: [sum(data) for _ in range(9)]}
    done = measure(calls, effort=Effort(rounds=24, extra=0))
    assert done.verdict("nine") == "slower", "the interval of 24 rounds bears six outliers at each end"
    assert done.cpu.sum() > 0


def test_the_figures_are_the_columns_of_a_row():
    fake = Machine(1, jitter=0.01)
    done = fake.measure({"eager": fake.call(2e-4), "graph": fake.call(1e-4)})
    row = done.figures("graph")
    assert set(row) == set("seconds low high rounds loops ratio ratio_low ratio_high verdict".split())  # noqa: SIM905
    assert row["low"] <= row["seconds"] <= row["high"]
    assert row["ratio_low"] <= row["ratio"] <= row["ratio_high"] < 1
    assert row["verdict"] == "faster"
    assert json.dumps(row)


def test_a_call_below_the_resolution_of_the_clock_has_no_ratio():
    fake = Machine()
    done = fake.measure({"a": lambda: None, "b": fake.call(1e-3)}, rounds=6)
    assert isnan(done.ratio("b").mid)
    assert done.verdict("b") == "unresolved"


# pytest-benchmark

SUITE = """
    import json
    import pytest
    from tfparity.suite.timing.pytest_benchmark import Groups, record
    from tfparity.suite.timing.sampler import Effort, measure

    GROUPS, MEASURED = Groups(), []

    def once():
        MEASURED.append(1)
        data = list(range(300))
        return measure({"eager": lambda: sum(data), "graph": lambda: max(data)}, effort=Effort(rounds=6, extra=0))

    @pytest.mark.parametrize("mode", ["eager", "graph"])
    def test_time(benchmark, mode):
        done = GROUPS.of("tf.sum", once)
        record(benchmark, done, mode, group="tf.sum")
        with open(f"{mode}.json", "w") as out:
            json.dump([float(x) for x in done.per_call(mode)], out)

    def test_measured_once():
        assert len(MEASURED) == 1
"""


@pytest.fixture
def run_benchmarks(pytester, monkeypatch):
    """pytest in a process and folder of its own, with pytest-benchmark and without the suite's own plugin."""
    root = str(Path(sampler.__file__).parents[3])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]))
    pytester.makepyfile(SUITE)
    return lambda *options: pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:tfparity", *options)


def test_the_json_of_pytest_benchmark_holds_exactly_our_readings(pytester, run_benchmarks):
    result = run_benchmarks("--benchmark-json=out.json")
    result.assert_outcomes(passed=3)
    stored = json.loads((pytester.path / "out.json").read_text())["benchmarks"]
    assert len(stored) == 2
    for entry in stored:
        mode = entry["extra_info"]["mode"]
        ours = json.loads((pytester.path / f"{mode}.json").read_text())
        assert entry["stats"]["data"] == ours
        assert entry["stats"]["median"] == pytest.approx(np.median(ours))
        assert entry["stats"]["rounds"] == 6
        assert entry["stats"]["iterations"] == entry["extra_info"]["loops"]
        assert entry["group"] == "tf.sum"
        assert entry["options"]["disable_gc"] is True


def test_benchmark_histogram_draws_every_mode(pytester, run_benchmarks):
    pytest.importorskip("pygal", reason="comes with pytest-benchmark[histogram]")
    run_benchmarks("--benchmark-histogram=picture").assert_outcomes(passed=3)
    picture = next(pytester.path.glob("picture*.svg")).read_text()
    assert "test_time[eager]" in picture
    assert "test_time[graph]" in picture


def test_benchmark_compare_finds_the_earlier_run_and_fails_on_a_planted_regression(pytester, run_benchmarks):
    run_benchmarks("--benchmark-autosave", "--benchmark-save-data").assert_outcomes(passed=3)
    again = run_benchmarks("--benchmark-compare", "--benchmark-compare-fail=median:100000%")
    again.assert_outcomes(passed=3)
    again.stdout.fnmatch_lines(["*benchmark 'tf.sum': 4 tests*"])
    saved = next(pytester.path.glob(".benchmarks/*/*.json"))
    before = json.loads(saved.read_text())
    for entry in before["benchmarks"]:
        entry["stats"]["median"] /= 1000
    saved.write_text(json.dumps(before))
    worse = run_benchmarks("--benchmark-compare", "--benchmark-compare-fail=median:1000%")
    assert worse.ret != 0
    worse.stderr.fnmatch_lines(["*Performance has regressed*"])


def test_disabled_benchmarks_record_nothing_and_pass(pytester, run_benchmarks):
    result = run_benchmarks("--benchmark-disable", "--benchmark-json=out.json")
    result.assert_outcomes(passed=3)
    assert not (pytester.path / "out.json").exists() or not (pytester.path / "out.json").read_text()


def test_a_group_that_cannot_be_measured_fails_each_of_its_tests_after_one_attempt():
    groups, attempts = Groups(), []

    def broken():
        attempts.append(1)
        raise RuntimeError("no kernel")

    for _ in range(3):
        with pytest.raises(RuntimeError, match="no kernel"):
            groups.of("tf.foo", broken)
    assert len(attempts) == 1


def test_the_bridge_needs_the_fixture_only_by_its_public_names():
    """`record` must touch nothing of the fixture that begins with an underscore."""

    class Fixture:
        def __init__(self):
            self.extra_info, self.stats, self.group = {}, None, None

        def pedantic(self, target, rounds, iterations):
            assert (target, rounds) == (empty, 1)

    fake, fixture = Machine(), Fixture()
    done = fake.measure({"a": fake.call(1e-3), "b": fake.call(2e-3)})
    record(fixture, done, "b", group="x")
    assert fixture.group == "x"
    assert fixture.extra_info["verdict"] == "slower"
    assert fixture.extra_info["against"] == "a"
