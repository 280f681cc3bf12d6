"""What TensorFlow reports about itself and its devices."""

import json
import os
import subprocess
import sys

import pytest

from tfparity.suite.records import machine


@pytest.fixture(scope="module")
def facts():
    """Asked in a process of its own, as the suite does."""
    script = "import json; from tfparity.suite.running import facts; print(json.dumps(facts.tensorflow_facts()))"
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=300, env=environment, check=False
    )
    if "No module named 'tensorflow'" in done.stderr:
        pytest.skip("no TensorFlow here")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_tensorflow_lists_its_devices_by_the_names_of_the_contract(facts):
    first = facts["devices"][0]
    assert (first["name"], first["type"]) == ("CPU:0", "CPU")
    assert first["description"] == machine.processor()["name"]
    assert machine.fingerprint(facts)["devices"] == facts["devices"]


def test_every_private_question_still_has_an_answer(facts):
    assert facts["onednn"] is False, "it was switched off for this process"
    assert facts["determinism"] is False
    assert facts["tf32"] is True
