"""Ctrl-C, SIGTERM and kill -9 during a fit, and going on: real processes, since a signal is sent to one."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import PROJECT

OPTIONS = [
    *("--latent-size", "1", "--layers", "1", "--latent-layers", "1", "--width-size", "4", "--blocks", "1"),
    *("--bins", "2", "--batch-size", "16", "--steps", "10000", "--context", "theta", "--no-report"),
]


def start(*args: object) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": "src", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", "import sys; from latax.cli import main; sys.exit(main())", *map(str, args)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=pipe, stderr=pipe, text=True)


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    out, err = process.communicate(timeout=240)
    return process.returncode, out + err


def wait_for(path: Path, process: subprocess.Popen[str], lines: int) -> None:
    """Until the metrics have so many lines: the training is well under way."""
    while process.poll() is None and (not path.exists() or path.read_text().count("\n") < lines):
        time.sleep(0.02)
    if process.poll() is not None:
        pytest.fail(f"The fit was over before it could be stopped:\n{finish(process)[1]}")


def test_a_stopped_run_is_resumed_to_the_same_bits(surface, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    status, printed = finish(start("fit", "mflow", surface, "--out", whole, *OPTIONS))
    assert status == 0, printed

    process = start("fit", "mflow", surface, "--out", parts, *OPTIONS)
    for number, expected, lines in ((signal.SIGINT, 130, 2), (signal.SIGTERM, 143, 20), (signal.SIGKILL, -9, 60)):
        wait_for(parts / "metrics.jsonl", process, lines)
        process.send_signal(number)
        status, printed = finish(process)
        assert status == expected, printed
        if expected > 0:
            assert f"go on with `latax resume {parts}`" in printed
            assert "Traceback" not in printed
        assert not (parts / "model").exists()
        process = start("resume", parts, "--no-report")
    status, printed = finish(process)
    assert status == 0, printed
    for name in ("metrics.jsonl", "model/model.safetensors"):
        assert (parts / name).read_bytes() == (whole / name).read_bytes(), name


def test_a_run_that_is_under_way_is_not_resumed(surface, tmp_path):
    run = tmp_path / "run"
    process = start("fit", "mflow", surface, "--out", run, *OPTIONS)
    try:
        wait_for(run / "metrics.jsonl", process, 2)
        process.send_signal(signal.SIGSTOP)
        before = (run / "metrics.jsonl").read_bytes()
        status, printed = finish(start("resume", run, "--no-report"))
        assert status == 2, printed
        assert f"Another process is working on the run {run}; nothing in it was touched." in " ".join(printed.split())
        assert "Traceback" not in printed
        assert (run / "metrics.jsonl").read_bytes() == before
    finally:
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGKILL)
        finish(process)
