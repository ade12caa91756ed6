"""Several devices and several processes train the same model as one."""

import json
import os
import socket
import subprocess
import sys

import jax
import numpy as np
import pytest

from latax._errors import ConfigError
from latax.train.layout import Layout
from tests.conftest import PROJECT, QUICK_COMPILATION

COMMON = """
import json, sys
import jax, numpy as np, optax
from latax.train import MemoryTracker, SilentMeter, fit
from latax.train.trainer import Trainer
from tests.train.problem import (
    Line, arrays, data, phase, sampler, source, squared_error, starting_at_the_mean, stream
)

def train(devices=None, replicates=1, batch_size=16, make=source, folder=None, meter=None, resume=False):
    tracker = MemoryTracker()
    prepare = lambda model, batch: {name: 1 * value for name, value in batch.items()}
    recipe = [phase("a", 10, metric=squared_error, batch_size=batch_size),
              phase("b", 10, trainable=lambda m: m.bias, prepare=prepare, begin=starting_at_the_mean,
                    batch_size=batch_size)]
    fitted = fit(Line, recipe, make(), validation=data(40, seed=1), replicates=replicates, devices=devices,
                 reports=3, tracker=tracker, folder=folder, meter=meter, resume=resume)
    losses = [value for record in tracker.records for value in record["terms"]["error"]]
    return arrays(fitted.model).tolist() + losses
"""

SPREAD = """
programs, of_run = [], Trainer._make_programs
Trainer._make_programs = lambda self: programs.append(of_run(self)) or programs[-1]

class Noting(SilentMeter):
    notes = []
    def note(self, text):
        self.notes.append(text)

options = {"batch": {}, "replicates": {"replicates": 8}, "three": {"replicates": 3},
           "not divisible": {"batch_size": 12, "meter": Noting()}}
for make in (stream, sampler):
    options |= {make.__name__: {"make": make}, f"{make.__name__}, replicates": {"make": make, "replicates": 8}}
found = {}
for name, option in options.items():
    one = train(devices=jax.devices()[:1], **option)
    many = train(**option)
    compiled = max(program.run._cache_size() for program in programs[-1].values())
    found[name] = [one, many, compiled, len(programs[-1]["a"].layout.mesh.devices.flat)]
found["notes"] = Noting.notes
print(json.dumps(found))
"""


def test_eight_devices_agree_with_one(run_python):
    found = json.loads(run_python(COMMON + SPREAD, devices=8, timeout=300).splitlines()[-1])
    assert found.pop("notes") == [
        "2 of 8 devices stay idle: neither the replicates nor every batch size is a multiple of 8."
    ]
    for name, (one, many, compiled, used) in found.items():
        np.testing.assert_allclose(many, one, rtol=2e-5, atol=1e-6, err_msg=name)
        assert compiled == 1, name
        assert used == (6 if name == "not divisible" else 8)
    # The control: another number of replicates is another run.
    assert len(found["three"][0]) != len(found["batch"][0])
    for other in ("not divisible", "stream", "sampler"):
        assert not np.allclose(found["batch"][0][:4], found[other][0][:4], rtol=1e-3)


PROCESS = """
jax.distributed.initialize(sys.argv[1], num_processes=2, process_id=int(sys.argv[2]))
from pathlib import Path
folder = Path(sys.argv[3])
found = {"batch": train(folder=folder / "batch"), "replicates": train(replicates=2, folder=folder / "replicates")}
found |= {make.__name__: train(make=make, folder=folder / make.__name__) for make in (stream, sampler)}
found["resumed"] = train(folder=folder / "batch", resume=True)
found["devices"] = [jax.process_count(), len(jax.devices())]
print("FOUND", json.dumps(found), flush=True)
"""


def test_two_processes_agree_with_one(tmp_path, run_python):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    environment = os.environ | {
        "JAX_PLATFORMS": "cpu",
        "JAX_CPU_COLLECTIVES_IMPLEMENTATION": "gloo",
        "XLA_FLAGS": f"{QUICK_COMPILATION} --xla_force_host_platform_device_count=1",
        "PYTHONPATH": os.pathsep.join(["src", os.environ.get("PYTHONPATH", "")]),
    }
    start = [sys.executable, "-c", COMMON + PROCESS, address]
    processes = [
        subprocess.Popen(
            [*start, str(number), str(tmp_path)],
            cwd=PROJECT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    try:
        outputs = [process.communicate(timeout=150) for process in processes]
    finally:
        for process in processes:
            process.kill()
    for process, (_, errors) in zip(processes, outputs, strict=True):
        assert process.returncode == 0, errors
    found = [json.loads(line[6:]) for out, _ in outputs for line in out.splitlines() if line.startswith("FOUND")]
    assert [one["devices"] for one in found] == [[2, 2], [2, 2]]
    runs = "print(json.dumps([train(), train(replicates=2), train(make=stream), train(make=sampler)]))"
    alone = json.loads(run_python(COMMON + runs, devices=1))
    for one in found:
        np.testing.assert_allclose(one["batch"][:4], alone[0][:4], rtol=2e-5)
        np.testing.assert_allclose(one["replicates"][:8], alone[1][:8], rtol=2e-5)
        np.testing.assert_allclose(one["stream"][:4], alone[2][:4], rtol=2e-5)
        np.testing.assert_allclose(one["sampler"][:4], alone[3][:4], rtol=2e-5)
        assert one["resumed"][:4] == one["batch"][:4]
    assert not np.allclose(alone[0][:4], alone[1][4:8])


def test_several_hosts_must_use_all_devices(monkeypatch):
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    with pytest.raises(ConfigError, match=r"Batches of \[10, 12\] samples cannot be spread over 8 devices of 2 hosts"):
        Layout(3, [12, 10], jax.devices()[:1] * 8)
