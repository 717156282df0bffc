"""A run: one arm, one seed, one training-set size, settled to the last number before training."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import msgspec

from comparisons.core import records
from comparisons.core.errors import one_line
from comparisons.core.phases import SOURCE, Phase
from comparisons.core.records import Settings
from comparisons.plan import bases

# Raise where the training loop, its augmentations or its optimizers give other results than
# before; never for speed. A model's own revision is in its row of models.catalog.
TRAINING_REVISION = 0
_LOGIN = re.compile(r"(?<=://)[^/]*@")  # of an address: who asks, and their password


class Run(msgspec.Struct, kw_only=True):
    """One run, as handed to the process that does it.

    `arm` is its name, as the record has it; `written` the same with the place of its base;
    `classes` those of the data that are used, where that is not all; `tested` the rows of it that
    are tested on, where each seed has a test set of its own. `keep` is the folder that the trained
    network goes to, with its card. What a cache has from before `since` (date and time, UTC) is
    made and measured again.
    """

    id: str
    arm: str
    written: str
    seed: int
    train_size: int
    phases: list[Phase]
    settings: Settings
    data: str
    data_dir: str | None = None
    classes: list[str] = []
    tested: list[int] = []
    notices: list[str] = []
    command: str = ""
    save_base: str | None = None
    keep: str | None = None
    since: str = ""

    @property
    def name(self) -> str:
        """The arm with the variant of a knob that it stands for."""
        return records.full_name(self.arm, self.settings.variant)

    @property
    def source_phase(self) -> Phase | None:
        """The phase that trains the base on its source data set, where there is one."""
        return next((phase for phase in self.phases if phase.name == SOURCE), None)

    @property
    def target_phases(self) -> list[Phase]:
        """The phases on the target's images."""
        return [phase for phase in self.phases if phase.name != SOURCE]


def run_id(
    name: str,
    train_size: int,
    seed: int,
    settings: Settings,
    phases: Sequence[Phase],
    fingerprint: str,
) -> str:
    """A readable name that changes with everything that decides a run."""
    slug = re.sub(r"[^a-z0-9.]+", "-", name.lower()).rstrip("-")
    decides = records.decides(settings, phases)
    digest = records.digest([records.SCHEMA, name, train_size, seed, decides, fingerprint])
    return f"{slug}-n{train_size}-s{seed}-{digest}"


def command_line(module: str, arguments: list[str]) -> str:
    """The command as typed, without absolute paths and passwords, as it goes into the record."""
    return one_line(shlex.join(["python", "-m", module, *map(_shown, arguments)]))


def _shown(part: str) -> str:
    flag, equals, value = part.partition("=") if part.startswith("--") else ("", "", part)
    if Path(value).is_absolute():
        return f"{flag}{equals}{Path(value).name}"
    return f"{flag}{equals}{_LOGIN.sub('', bases.shown(value))}"
