"""The machine: processor, memory, installed versions, and the state of this code; no framework."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from comparisons.core.errors import ComparisonError

# The folder that holds this project's packages.
ROOT = Path(__file__).resolve().parents[2]


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
# others, `python -m comparisons.benchmarks onednn` measures there.
BEFORE_LOADING = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "1"}


# What Keras can train by. The first is the default, whatever a file of Keras's settings says.
BACKENDS = ("tensorflow", "jax", "torch")


# The widest first: how fast a processor is depends more on these than on its name.
INSTRUCTIONS = {"amx_tile": "AMX", "avx512f": "AVX-512", "avx2": "AVX2"}


PACKAGES = ("tensorflow", "keras", "numpy", "jax", "torch", "openvino", "tensorflow-datasets")


def before_loading(device: str = "auto") -> None:
    """Set what a framework reads as it is loaded, where the user has not."""
    if device == "cpu":  # a GPU that is not wanted is then not seen
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
    for name, value in BEFORE_LOADING.items():
        os.environ.setdefault(name, value)
    os.environ["KERAS_BACKEND"] = os.environ.get("KERAS_BACKEND") or BACKENDS[0]


def backend() -> str:
    """The backend of Keras: KERAS_BACKEND, else TensorFlow; loads none.

    Raises ComparisonError for one that is unknown or not installed.
    """
    name = os.environ.get("KERAS_BACKEND") or BACKENDS[0]
    known = f"{', '.join(BACKENDS)} (the default is {BACKENDS[0]})"
    if name not in BACKENDS:
        raise ComparisonError(f"KERAS_BACKEND={name}: no backend that trains; known: {known}")
    if importlib.util.find_spec(name) is None:
        raise ComparisonError(
            f"KERAS_BACKEND={name}: {name} is not installed here; install it, or name another of "
            f"{known}"
        )
    return name


def must_have(package: str, what: str, named: str, extra: str) -> None:
    """Raise ComparisonError where a package is not installed: `what` needs it, by its name.

    `extra` is the one of this project's extras that brings it.
    """
    if importlib.util.find_spec(package) is None:
        raise ComparisonError(f"{what} need {named}: pip install 'scratch-or-finetune[{extra}]'")


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


def code_state() -> dict[str, Any]:
    """The git commit of this code, and whether it (results/ apart) was as committed."""

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "--no-optional-locks", "-C", str(ROOT), *arguments],
                capture_output=True,
                text=True,
                timeout=10,
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


def memory() -> int | None:
    """The bytes of memory that this machine, or the container around it, has; None if unknown."""
    found = []
    with contextlib.suppress(AttributeError, OSError, ValueError):
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for limit in ("memory.max", "memory/memory.limit_in_bytes"):  # of control groups, new and old
        with contextlib.suppress(OSError, ValueError):
            found.append(int((Path("/sys/fs/cgroup") / limit).read_text()))
    return min(found, default=None)
