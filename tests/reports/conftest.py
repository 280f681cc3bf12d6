"""One report of a usual run and one of two machines, written once for all tests that only read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfparity.reports import pages
from tfparity.suite.records.results import Run

from . import synthetic


@pytest.fixture(scope="session")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run with ordinary and nasty checks, and with timings."""
    return synthetic.run(
        tmp_path_factory.mktemp("runs") / "usual", synthetic.checks() + synthetic.nasty(), synthetic.timings()
    )


@pytest.fixture(scope="session")
def gpu(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """An unfinished run on another machine, with two devices."""
    return synthetic.run(
        tmp_path_factory.mktemp("runs") / "gpu",
        synthetic.checks(1, ("CPU:0", "GPU:0"), samples=2, ops=12),
        synthetic.timings(1, slow=0.7, ops=12) + synthetic.timings(1, "GPU:0", slow=0.2, ops=12),
        synthetic.gpu_meta(finished=None),
    )


@pytest.fixture(scope="session")
def report(usual: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pages.write([usual], tmp_path_factory.mktemp("report")).parent


@pytest.fixture(scope="session")
def two(usual: Run, gpu: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pages.write([usual, gpu], tmp_path_factory.mktemp("two")).parent
