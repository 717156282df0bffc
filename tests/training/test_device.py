"""Devices, precision, memory and the environment that a record names."""

import importlib.util
import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from comparisons.core import machine
from comparisons.core.errors import ComparisonError
from comparisons.core.machine import ROOT
from comparisons.plan import request
from comparisons.training import device
from models import engines


def process(code, **variables):
    """Run code in a process of its own; what it wrote to standard output, and to standard error."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | variables,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout, done.stderr


def python(code, **variables):
    """The last line of output of code in a process of its own, read as JSON."""
    return json.loads(process(code, **variables)[0].strip().splitlines()[-1])


def test_the_flags_offer_every_engine_and_device():
    assert tuple(engines.ENGINES) == request.ENGINES[1:]


def test_a_device_that_is_not_there_is_an_error_never_a_silent_cpu():
    with pytest.raises(ComparisonError, match="--device tpu"):
        device.start("tpu", seed=0, deterministic=False)


def test_the_environment_says_where_a_run_took_place():
    found = device.environment(device.start("cpu", seed=0, deterministic=False))
    assert found.device_kind == "cpu" and found.precision == "float32"
    assert found.device and found.cores >= 1
    assert found.versions["keras"] == metadata.version("keras")
    text = str(found)
    assert str(ROOT) not in text and str(Path.home()) not in text


def test_a_processor_is_named_with_its_widest_instructions(tmp_path):
    def listed(text):
        listing = tmp_path / "cpuinfo"
        listing.write_text(text)
        return machine.cpu_name(listing)

    first = "processor : 0\nmodel name : Some: CPU\nflags : fpu avx avx2{more} sse\n"
    other = "\nprocessor : 1\nmodel name : Other\nflags : fpu\n"
    assert listed(first.format(more="") + other) == "Some: CPU (AVX2)"
    assert listed(first.format(more=" avx512f") + other) == "Some: CPU (AVX-512)"
    assert listed(first.format(more=" amx_tile avx512f")) == "Some: CPU (AMX)"
    assert listed("model name : Plain\nflags : fpu") == "Plain"
    assert machine.cpu_name(tmp_path / "nowhere")  # Some other name.


@pytest.mark.parametrize(("asked", "on"), [({}, True), ({"TF_ENABLE_ONEDNN_OPTS": "0"}, False)])
def test_tensorflow_uses_onednn_unless_told_not_to(monkeypatch, asked, on):
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    code = "from comparisons.training import device; device.start('cpu', 0, False)"
    _, said = process(code, TF_CPP_MIN_LOG_LEVEL="0", **asked)
    assert ("oneDNN custom operations are on" in said) is on


def test_peak_memory_is_that_of_the_process_alone():
    code = "from comparisons.core import machine; print(machine.peak_memory())"
    ballast = bytearray(400_000_000)
    ballast[::4096] = b"x" * len(ballast[::4096])
    assert python(code) < 300_000_000


TESTS = str(Path(__file__).parents[1])
SPREAD = """
import json, sys
import numpy as np
{before}
sys.path.insert(0, {tests!r})
from msgspec.structs import replace
from comparisons.training import device
from comparisons.data import prepare
found = device.start("cpu", 0, False)
from comparisons.training import run as training
data = prepare({data!r}, None)
import factory
planned = factory.planned("cnn:scratch", 270, data={data!r}, fingerprint=data.fingerprint,
                          epochs=2)
planned.phases[0] = replace(planned.phases[0], windowed=0.5, optimizer="muon")
record, logits = training.run(planned, data, found)
print(json.dumps([found.count, record.status, record.test.accuracy, record.environment.backend,
                  sys.modules.get("tensorflow") is not None]))
"""

# Every import of it fails, as where it is not installed.
WITHOUT_TENSORFLOW = """
class Missing:
    def find_spec(self, name, *_):
        if name.partition(".")[0] == "tensorflow":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
"""

TWO_CPUS = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
"""


@pytest.mark.ci
def test_several_devices_share_each_batch(tiny_npz):
    count, status, accuracy, backend, _ = python(
        SPREAD.format(before=TWO_CPUS, data=str(tiny_npz), tests=TESTS)
    )
    assert (count, status, backend) == (2, "ok", "tensorflow")
    assert accuracy > 0.5


@pytest.mark.ci
@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="jax is not installed")
@pytest.mark.parametrize("devices", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_jax_trains_without_tensorflow(tiny_npz, devices):
    count, status, accuracy, backend, tensorflow = python(
        SPREAD.format(before=WITHOUT_TENSORFLOW, data=str(tiny_npz), tests=TESTS),
        KERAS_BACKEND="jax",
        XLA_FLAGS=f"--xla_force_host_platform_device_count={devices}",
    )
    assert (count, status, backend, tensorflow) == (devices, "ok", "jax", False)
    assert accuracy > 0.5
