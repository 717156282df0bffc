"""How long until the command line answers, and until the package is imported."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.measure import Result, Side, alternate, ratio, result

ROUNDS = 7
COMMANDS = {
    "python alone": ["-c", "pass"],
    "import comparisons": ["-c", "import comparisons"],
    "import comparisons.report": ["-c", "import comparisons.report"],
    "cifar --help": ["-m", "comparisons.cifar", "--help"],
    "cifar --list": ["-m", "comparisons.cifar", "--list"],
}


def run(rounds: int) -> Result:
    """Whole processes, from start to end."""

    def process(arguments: list[str]) -> None:
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)

    for arguments in COMMANDS.values():
        process(arguments)  # a first time, so that files are in the system's cache
    taken = alternate({n: lambda a=a: process(a) for n, a in COMMANDS.items()}, rounds)  # type: ignore[misc]
    sides = {name: Side(name, seconds) for name, seconds in taken.items()}
    alone = sides["python alone"]
    ratios = [ratio(side, alone) for side in sides.values() if side is not alone]
    return result("startup", "How long until the command line answers?", [*sides.values()], ratios)
