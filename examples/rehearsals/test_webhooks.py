"""For pytest: each schedule of `florin rehearse` is a test of the consumer at $CONSUMER."""

import os
import subprocess

import pytest

CONSUMER = os.environ.get("CONSUMER", "http://127.0.0.1:9000")
LIST = subprocess.check_output(["florin", "rehearse", "--list"], text=True)


@pytest.mark.parametrize("schedule", [line.split()[0] for line in LIST.splitlines()])
def test_webhooks(schedule):
    command = ["florin", "rehearse", f"{CONSUMER}/webhooks", "--schedule", schedule, "--seed", "7"]
    command += ["--effects-url", CONSUMER + "/credited/{order}"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
