"""Where a run computes: device, precision, seeds; and what a record says of the environment."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comparisons.errors import ComparisonError

DEVICES = ("auto", "cpu", "gpu", "tpu")
# What changes speed or bits from outside; named in the record where it is set.
TUNING = (
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "TF_ENABLE_ONEDNN_OPTS",
    "OMP_NUM_THREADS",
    "XLA_FLAGS",
)
# What a framework reads as it is loaded, and its own defaults are not the best for. TensorFlow uses
# oneDNN unasked only on processors that have instructions made for networks; what it brings on
# others, `python -m benchmarks onednn` measures there.
BEFORE_LOADING = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "1"}
# The widest first: how fast a processor is depends more on these than on its name.
INSTRUCTIONS = {"amx_tile": "AMX", "avx512f": "AVX-512", "avx2": "AVX2"}
PACKAGES = ("tensorflow", "keras", "numpy", "jax", "torch", "openvino", "tensorflow-datasets")


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


def before_loading() -> None:
    """Set what a framework reads as it is loaded, where the user has not."""
    for name, value in BEFORE_LOADING.items():
        os.environ.setdefault(name, value)


def start(device: str, seed: int, deterministic: bool) -> Runtime:
    """Find the device, set precision, memory growth and every seed. Call before any layer.

    TPU comes before GPU, GPU before CPU; a named `device` that is not there is an error, never
    a silent CPU. Raises ComparisonError.
    """
    before_loading()
    if device == "cpu":
        # Must be set before the backend is loaded; a GPU that is not wanted is then not seen.
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
    import keras

    backend = keras.backend.backend()
    find = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[backend]
    kind, name, count, distribution = find(device)
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


def cpu_name(listing: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's own name, and its widest instructions where the system lists them."""
    about: dict[str, str] = {}
    with contextlib.suppress(OSError):
        # All cores are listed, one after the other: the first will do.
        first, _, _ = listing.read_text().partition("\n\n")
        pairs = (line.partition(":") for line in first.splitlines())
        about = {key.strip(): value.strip() for key, _, value in pairs}
    name = about.get("model name") or platform.processor() or platform.machine()
    has = about.get("flags", "").split()
    widest = next((written for flag, written in INSTRUCTIONS.items() if flag in has), None)
    return f"{name} ({widest})" if widest else name


def cores() -> int:
    """The processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def environment(runtime: Runtime) -> dict[str, Any]:
    """Versions, device and code of a run, as they go into its record."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": versions(),
        "backend": runtime.backend,
        "device": runtime.name,
        "device_kind": runtime.kind,
        "device_count": runtime.count,
        "cores": cores(),
        "precision": runtime.precision,
        "variables": {name: os.environ[name] for name in TUNING if name in os.environ},
        **code_state(),
    }


def code_state() -> dict[str, Any]:
    """The git commit of this code, and whether it (results/ apart) was as committed."""
    here = Path(__file__).resolve().parent.parent

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", str(here), *arguments], capture_output=True, text=True, timeout=10
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    changes = git("status", "--porcelain", "--", ".", ":(exclude)results")
    return {"commit": git("rev-parse", "HEAD"), "clean": None if changes is None else not changes}


def peak_memory() -> int | None:
    """The most memory this process has held, in bytes; None where the system does not say."""
    with contextlib.suppress(OSError):
        # Not getrusage on Linux: that figure starts at the size of the process that forked.
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else peak * 1024


def versions() -> dict[str, str]:
    """The installed versions of the packages that decide what is computed."""
    found = {}
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found
