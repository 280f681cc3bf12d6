"""The ledger of known divergences: each of its rules, with a fault planted against it."""

from datetime import date

import pytest

from tfparity.suite.records.identity import parse
from tfparity.suite.records.results import FAILING, Check
from tfparity.suite.records.waivers import Ledger, Setting, Waiver, WaiverError, When, read, setting

TODAY = date(2026, 3, 1)
HERE = Setting(onednn=True, features=frozenset({"avx", "avx2", "fma", "avx512f"}))
OLDER = Setting(onednn=False, features=frozenset({"avx", "avx2", "fma"}))
UNKNOWN = Setting(onednn=None, features=None)


def check(
    op="tf.math.pow", verdict="differs", kind="nan", device="CPU:0", sample="constant", mode="graph", against="eager"
):
    text = f"{op}/float32/{sample}/{mode}@{device}#value:{against}"
    return Check(text, op, "float32", sample, mode, device, "value", against, verdict, kind)


def waiver(match="tf.math.pow/*/constant/graph", expect=("differs nan",), reason="because", **more):
    return Waiver(parse(match), expect, reason, **more)


def ledger(*waivers, version="2.21.0", today=TODAY, here=HERE):
    return Ledger.of(waivers, version, today, here)


def test_a_failing_check_that_fails_as_its_waiver_says_is_waived_with_the_reason():
    book = ledger(waiver(reason="grappler rewrites it", issue="#123"))
    waived = book.apply(check())
    assert waived.waiver == "grappler rewrites it (#123)"
    assert not waived.failing
    assert book.problems(whole=True) == []


@pytest.mark.parametrize(
    "other",
    [
        {"op": "tf.math.exp"},
        {"sample": "n17"},
        {"mode": "xla"},
        {"kind": "inf"},
        {"verdict": "crash", "kind": ""},
        {"kind": "value"},
    ],
)
def test_a_check_that_is_another_or_fails_otherwise_is_not_waived(other):
    unwaived = ledger(waiver()).apply(check(**other))
    assert unwaived.waiver == ""
    assert unwaived.failing


def test_a_verdict_without_a_kind_covers_every_kind():
    for kind in ("nan", "inf", "value"):
        assert ledger(waiver(expect=("differs",))).apply(check(kind=kind)).waiver


def test_one_of_several_expected_verdicts_suffices():
    book = ledger(waiver(expect=("differs inf", "crash")))
    assert book.apply(check(verdict="crash", kind="")).waiver
    assert book.apply(check(kind="inf")).waiver
    assert not book.apply(check(kind="nan")).waiver


def test_a_waiver_whose_check_passes_fails_the_gate():
    book = ledger(waiver())
    assert not book.apply(check(verdict="identical", kind="")).waiver
    assert any("covers no failing check any more" in p for p in book.problems(whole=False))


def test_a_waiver_whose_check_fails_otherwise_fails_the_gate():
    book = ledger(waiver())
    assert book.apply(check(kind="value")).failing
    assert any("covers no failing check any more" in p for p in book.problems(whole=False))


def test_a_waiver_that_matches_nothing_fails_the_gate_of_a_whole_run_only():
    book = ledger(waiver("tf.math.nothing"))
    book.apply(check())
    assert any("matches no check" in p and "tf.math.nothing" in p for p in book.problems(whole=True))
    assert book.problems(whole=False) == []


def test_one_failing_check_is_enough_for_a_family_of_checks():
    book = ledger(waiver("tf.math.*"))
    book.apply(check())
    book.apply(check(verdict="identical", kind="", op="tf.math.exp"))
    assert book.problems(whole=True) == []


@pytest.mark.parametrize(
    ("expires", "waived"),
    [(date(2026, 3, 2), True), (date(2026, 3, 1), False), (date(2025, 1, 1), False), (None, True)],
)
def test_an_expired_waiver_waives_nothing_and_fails_the_gate(expires, waived):
    book = ledger(waiver(expires=expires))
    assert bool(book.apply(check()).waiver) is waived
    assert any("expired" in p for p in book.problems(whole=False)) is not waived


@pytest.mark.parametrize(
    ("versions", "holds"), [("", True), (">=2.18,<2.22", True), ("<2.21", False), ("==2.21.*", True), (">=2.22", False)]
)
def test_a_waiver_holds_for_its_versions_only_and_others_do_not_miss_it(versions, holds):
    book = ledger(waiver(tensorflow=versions))
    assert bool(book.apply(check()).waiver) is holds
    assert book.problems(whole=True) == []


def test_a_nightly_is_a_version_too():
    assert ledger(waiver(tensorflow=">=2.18"), version="2.22.0-dev20260101").apply(check()).waiver


@pytest.mark.parametrize(
    ("devices", "waived"), [((), True), (("CPU:*",), True), (("GPU:*",), False), (("GPU:*", "CPU:0"), True)]
)
def test_a_waiver_holds_on_its_devices_only(devices, waived):
    assert bool(ledger(waiver(devices=devices)).apply(check()).waiver) is waived


def test_of_two_waivers_for_one_check_the_first_gives_the_reason_and_neither_is_needed():
    book = ledger(waiver(reason="first"), waiver("tf.math.pow", reason="second"))
    assert book.apply(check()).waiver == "first"
    assert [p for p in book.problems(whole=True) if "nothing that others do not cover" not in p] == []
    assert len(book.problems(whole=True)) == 2, "the gate is as green without either"


def test_a_waiver_is_needed_when_one_check_is_covered_by_no_other():
    book = ledger(waiver(), waiver("tf.math.pow"))
    book.apply(check())
    book.apply(check(sample="edge"))
    assert [p.split()[1] for p in book.problems(whole=True)] == [repr(waiver().match.text)]


def test_a_passing_check_is_never_called_waived():
    for verdict in ("identical", "close", "ill-conditioned", "unsupported"):
        assert not ledger(waiver(expect=FAILING)).apply(check(verdict=verdict, kind="")).waiver


# --- the machine that an entry needs -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "here", "older"),
    [
        (When(), True, True),
        (When(onednn=True), True, False),
        (When(onednn=False), False, True),
        (When(isa=("avx512f",)), True, False),
        (When(isa=("!avx512f",)), False, True),
        (When(isa=("avx2", "!avx512f")), False, True),
        (When(isa=("avx2", "avx512f")), True, False),
        (When(isa=("avx512f", "amx_tile")), False, False),
        (When(onednn=True, isa=("!avx512f",)), False, False),
        (When(onednn=False, others=(When(isa=("!avx512f",)),)), False, True),
        (When(onednn=False, others=(When(isa=("avx512f",)),)), True, True),
        (When(isa=("amx_tile",), others=(When(onednn=True),)), True, False),
    ],
)
def test_a_waiver_holds_on_the_machine_it_needs_and_is_never_a_problem_on_another(when, here, older):
    for machine, holds in ((HERE, here), (OLDER, older)):
        book = ledger(waiver(when=when), here=machine)
        assert bool(book.apply(check()).waiver) is holds
        assert book.problems(whole=True) == []


@pytest.mark.parametrize("verdict", ["identical", "crash"])
def test_a_waiver_for_another_machine_is_neither_idle_nor_expired_here(verdict):
    book = ledger(waiver(when=When(onednn=True)), waiver(when=When(onednn=True), expires=TODAY), here=OLDER)
    book.apply(check(verdict=verdict, kind=""))
    assert book.problems(whole=True) == []


def test_a_waiver_for_this_machine_must_be_needed_like_any_other():
    needs_this = waiver(when=When(onednn=True, isa=("avx512f",)))
    idle = ledger(needs_this)
    idle.apply(check(verdict="identical", kind=""))
    assert any("covers no failing check any more" in p for p in idle.problems(whole=True))
    assert any("matches no check" in p for p in ledger(needs_this).problems(whole=True))


def test_a_waiver_for_another_machine_does_not_make_one_for_this_machine_needless():
    book = ledger(waiver(when=When(isa=("!avx512f",))), waiver(when=When(isa=("avx512f",))))
    assert book.apply(check()).waiver
    assert book.problems(whole=True) == []


@pytest.mark.parametrize("when", [When(onednn=True), When(onednn=False), When(isa=("avx512f",)), When(isa=("!avx2",))])
def test_on_an_unknown_machine_a_waiver_holds_and_is_not_called_idle(when):
    assert ledger(waiver(when=when), here=UNKNOWN).apply(check()).waiver
    for row in (check(verdict="identical", kind=""), check(op="tf.math.exp")):
        book = ledger(waiver(when=when), here=UNKNOWN)
        book.apply(row)
        assert book.problems(whole=True) == []


def test_what_is_known_of_a_machine_rules_a_waiver_out_though_the_rest_is_unknown():
    book = ledger(waiver(when=When(onednn=True, isa=("avx512f",))), here=Setting(onednn=False, features=None))
    assert not book.apply(check()).waiver


def test_a_waiver_that_may_hold_here_does_not_make_one_that_holds_needless():
    book = ledger(waiver(reason="sure"), waiver(when=When(onednn=True)), here=UNKNOWN)
    assert book.apply(check()).waiver == "sure"
    assert book.problems(whole=True) == []


def test_a_waiver_without_a_machine_is_idle_on_every_machine():
    for here in (HERE, OLDER, UNKNOWN):
        book = ledger(waiver(), here=here)
        book.apply(check(verdict="identical", kind=""))
        assert len(book.problems(whole=True)) == 1


@pytest.mark.parametrize(
    ("recorded", "found"),
    [
        ({"onednn": True, "cpu_features": ["avx2", "avx512f"], "xla_flags": ""}, Setting(True, {"avx2", "avx512f"})),
        ({"onednn": False, "cpu_features": ["avx2"], "xla_flags": "--xla_cpu_max_isa=AVX2"}, Setting(False, {"avx2"})),
        (
            {"onednn": True, "cpu_features": ["avx2", "avx512f"], "xla_flags": "--xla_cpu_max_isa=AVX2"},
            Setting(True, {"avx2"}),
        ),
        ({"onednn": None, "cpu_features": [], "xla_flags": ""}, UNKNOWN),
        ({}, UNKNOWN),
    ],
)
def test_the_setting_of_a_run_is_read_from_what_it_records_of_its_machine(recorded, found):
    assert setting(recorded) == found


# --- the file ------------------------------------------------------------------------------------------------------


def file(tmp_path, text):
    path = tmp_path / "waivers.toml"
    path.write_text(text)
    return path


def test_a_ledger_is_read_with_all_its_fields(tmp_path):
    found = read(
        file(
            tmp_path,
            """
        [[waiver]]
        match = "tf.math.pow/float*/constant/graph*"
        expect = ["differs nan", "crash"]
        reason = "why"
        issue = "tensorflow#1"
        tensorflow = ">=2.18,<2.22"
        devices = ["CPU:*"]
        when = { onednn = true, isa = ["avx2", "!avx512f"] }
        expires = 2027-06-30
        """,
        )
    )
    assert [(w.match.text, w.expect, w.reason, w.issue, w.tensorflow, w.devices, w.when, w.expires) for w in found] == [
        (
            "tf.math.pow/float*/constant/graph*",
            ("differs nan", "crash"),
            "why",
            "tensorflow#1",
            ">=2.18,<2.22",
            ("CPU:*",),
            When(onednn=True, isa=("avx2", "!avx512f")),
            date(2027, 6, 30),
        )
    ]


def test_a_list_of_matches_is_as_many_waivers_and_each_must_be_needed(tmp_path):
    file = tmp_path / "waivers.toml"
    file.write_text('[[waiver]]\nmatch = ["tf.math.pow", "tf.math.exp"]\nexpect = "differs"\nreason = "one cause"\n')
    book = ledger(*read(file))
    assert book.apply(check()).waiver == "one cause"
    assert book.problems(whole=True) == ["waiver 'tf.math.exp' matches no check: delete it or correct its query"]


def test_one_cpu_feature_needs_no_list(tmp_path):
    (found,) = read(file(tmp_path, f'[[waiver]]\n{GOOD}when.isa = "!avx512f"\n'))
    assert found.when == When(isa=("!avx512f",))
    (found,) = read(file(tmp_path, f'[[waiver]]\n{GOOD}when = [{{ onednn = false }}, {{ isa = "!avx512f" }}]\n'))
    assert found.when == When(onednn=False, others=(When(isa=("!avx512f",)),))


def test_no_ledger_is_an_empty_one(tmp_path):
    assert read(tmp_path / "waivers.toml") == ()
    assert read(file(tmp_path, "")) == ()


GOOD = 'match = "a"\nexpect = "differs"\nreason = "r"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[waiver]]\nexpect = "differs"\nreason = "r"', "lacks match"),
        ('[[waiver]]\nmatch = "a"\nreason = "r"', "lacks expect"),
        ('[[waiver]]\nmatch = "a"\nexpect = "differs"', "lacks reason"),
        (f"[[waiver]]\n{GOOD}because = 1", "unknown field because"),
        (f"[[waiver]]\n{GOOD.replace('differs', 'fails')}", "'fails' is not a failing verdict"),
        (f"[[waiver]]\n{GOOD.replace('differs', 'identical')}", "'identical' is not a failing verdict"),
        (f"[[waiver]]\n{GOOD.replace('differs', 'differs nonsense')}", "'differs nonsense'"),
        (f"[[waiver]]\n{GOOD.replace(chr(34) + 'a', chr(34) + 'a b//')}", "malformed query"),
        (f'[[waiver]]\n{GOOD}tensorflow = "about 2"', "about 2"),
        (f'[[waiver]]\n{GOOD}expires = "2027-06-30"', "must be a date"),
        (f"[[waiver]]\n{GOOD}when = true", "when = True must be a table with one or both of isa, onednn"),
        (f"[[waiver]]\n{GOOD}when = {{}}", "must be a table"),
        (f"[[waiver]]\n{GOOD}when = []", "must be a table"),
        (f"[[waiver]]\n{GOOD}when = [{{ onednn = true }}, 2]", "must be a table"),
        (f"[[waiver]]\n{GOOD}when.threads = 2", "must be a table with one or both of isa, onednn"),
        (f'[[waiver]]\n{GOOD}when.onednn = "on"', "onednn = 'on' must be true or false"),
        (f"[[waiver]]\n{GOOD}when.onednn = 1", "must be true or false"),
        (f"[[waiver]]\n{GOOD}when.isa = 2", "isa = 2 must be a CPU feature"),
        (f"[[waiver]]\n{GOOD}when.isa = []", "isa = [] must be a CPU feature"),
        (f'[[waiver]]\n{GOOD}when.isa = ["avx2", 2]', "must be a CPU feature"),
        (f'[[waiver]]\n{GOOD}when.isa = "AVX512F"', "must be a CPU feature"),
        (f'[[waiver]]\n{GOOD}when.isa = "!!avx2"', "must be a CPU feature"),
        (f'[[waiver]]\n{GOOD}when.isa = "!smep"', "does not record this feature"),
        ("[[waiver]\n", "waivers.toml"),
    ],
)
def test_a_ledger_that_cannot_be_meant_is_refused_in_one_line_that_names_it(tmp_path, text, said):
    with pytest.raises(WaiverError) as refused:
        read(file(tmp_path, text))
    assert said in str(refused.value)
    assert "waivers.toml" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_ledger_that_comes_with_tfparity_can_be_read():
    from tfparity.suite.language.loading import folder

    for known in read(folder() / "waivers.toml"):
        assert known.reason
