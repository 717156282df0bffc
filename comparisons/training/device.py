"""Where a run computes: device, precision, seeds; and what a record says of the environment."""

from __future__ import annotations

import contextlib
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comparisons.core.errors import ComparisonError, first_line
from comparisons.core.machine import TUNING, before_loading, code_state, cores, cpu_name, versions
from comparisons.core.records import Environment


@dataclass(frozen=True)
class Runtime:
    """What was found: `kind` is tpu, gpu or cpu; `count` devices of it share each batch."""

    kind: str
    name: str
    count: int
    precision: str
    backend: str
    distribution: Any = None

    def scope(self) -> contextlib.AbstractContextManager[Any]:
        """The context in which a network must be built to be spread over all devices."""
        if self.backend == "tensorflow" and self.distribution is not None:
            return self.distribution.scope()
        return contextlib.nullcontext()

    @property
    def compiles(self) -> bool:
        """Whether XLA is worth it: on a CPU it makes TensorFlow's training slower."""
        return self.kind != "cpu" or self.backend == "jax"


def start(device: str, seed: int, deterministic: bool) -> Runtime:
    """Find the device, set precision, memory growth and every seed. Call before any layer.

    TPU comes before GPU, GPU before CPU; a named `device` that is not there is an error, never
    a silent CPU. Raises ComparisonError.
    """
    before_loading(device)
    import keras

    backend = keras.backend.backend()
    find = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[backend]
    try:
        kind, name, count, distribution = find(device)
    except Exception as error:  # of a driver, a library or a service, each of its own kind
        raise ComparisonError(
            f"--device {device}: the {backend} backend found none it can use ({first_line(error)})"
        ) from None
    if device not in ("auto", kind):
        raise ComparisonError(
            f"--device {device}: none was found by the {backend} backend; use --device auto"
        )
    precision = {"cpu": "float32", "gpu": "mixed_float16", "tpu": "mixed_bfloat16"}[kind]
    keras.mixed_precision.set_global_policy(precision)
    keras.utils.set_random_seed(seed)
    if deterministic:
        _make_deterministic(backend)
    return Runtime(kind, name, count, precision, backend, distribution)


def _tensorflow(device: str) -> tuple[str, str, int, Any]:
    import tensorflow as tf

    if device in ("auto", "tpu") and (os.environ.get("TPU_NAME") or Path("/dev/accel0").exists()):
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect()
        tpu = tf.distribute.TPUStrategy(resolver)
        return "tpu", "TPU", tpu.num_replicas_in_sync, tpu
    gpus = tf.config.list_physical_devices("GPU")
    if gpus and device != "cpu":
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
        name = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
        mirrored = tf.distribute.MirroredStrategy() if len(gpus) > 1 else None
        return "gpu", name, len(gpus), mirrored
    cpus = tf.config.list_logical_devices("CPU")
    mirrored = tf.distribute.MirroredStrategy([cpu.name for cpu in cpus]) if len(cpus) > 1 else None
    return "cpu", cpu_name(), len(cpus), mirrored


def _jax(device: str) -> tuple[str, str, int, Any]:
    import jax
    import keras

    devices = jax.devices()
    kind = {"gpu": "gpu", "cuda": "gpu", "rocm": "gpu", "tpu": "tpu"}.get(
        devices[0].platform, "cpu"
    )
    distribution = None
    if len(devices) > 1:
        distribution = keras.distribution.DataParallel(devices=keras.distribution.list_devices())
        keras.distribution.set_distribution(distribution)
    name = cpu_name() if kind == "cpu" else devices[0].device_kind
    return kind, name, len(devices), distribution


def _torch(device: str) -> tuple[str, str, int, Any]:
    import torch

    if torch.cuda.is_available() and device != "cpu":
        return "gpu", torch.cuda.get_device_name(), 1, None
    return "cpu", cpu_name(), 1, None


def _make_deterministic(backend: str) -> None:
    if backend == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    elif backend == "torch":
        import torch

        torch.use_deterministic_algorithms(True)


def environment(runtime: Runtime, command: str = "") -> Environment:
    """Versions, device and code of a run, as they go into its record."""
    return Environment(
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        versions=versions(),
        backend=runtime.backend,
        device=runtime.name,
        device_kind=runtime.kind,
        device_count=runtime.count,
        cores=cores(),
        precision=runtime.precision,
        variables={name: os.environ[name] for name in TUNING if name in os.environ},
        command=command,
        **code_state(),
    )
