"""Programs of which the later ones wait for a file, so that a test can end a run in its middle; for the tests alone."""

import os
import time
from pathlib import Path

from tfparity import T, program

OPEN = 3


def declare(number):
    @program(
        f"program.own_gated{number}",
        T(2, dtype="float32", domain=(1, 2), edges=False),
        autograph=False,
        reference=lambda x: x + (number == 1),
    )
    def gated(x):
        gate = os.environ.get("TFPARITY_TEST_GATE")
        while gate and number >= OPEN and not Path(gate).exists():
            time.sleep(0.05)
        return x * 1.0


for number in range(6):
    declare(number)
