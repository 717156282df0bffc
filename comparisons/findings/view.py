"""What the figures, the table and the page show of a set of records, worked out once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from comparisons.core.records import Record
from comparisons.findings import intervals, names
from comparisons.findings.groups import Group, group_runs, main_data

T = TypeVar("T")


@dataclass(frozen=True)
class View:
    """The records of one data set in groups, and the size that the main figures show.

    `also` are the records that lie beside them and that no finding is about.
    """

    records: tuple[Record, ...]
    also: tuple[Record, ...] = ()

    @cached_property
    def groups(self) -> list[Group]:
        """Every arm at every size."""
        return group_runs(self.records)

    @cached_property
    def sizes(self) -> list[int]:
        """The training-set sizes, ascending."""
        return sorted({g.train_size for g in self.groups})

    @cached_property
    def size(self) -> int:
        """The largest of the sizes at which most arms ended well."""
        return max(self.sizes, key=lambda s: (len(self.best_first(s)), s), default=0)

    @cached_property
    def by_arm(self) -> dict[str, dict[int, Group]]:
        """The arms with a run that ended well: by label, then by size, both ascending."""
        found: dict[str, dict[int, Group]] = {}
        for g in sorted(self.groups, key=lambda g: (g.label, g.train_size)):
            if g.ok:
                found.setdefault(g.label, {})[g.train_size] = g
        return found

    @property
    def labels(self) -> list[str]:
        """Every arm's label, in name order."""
        return sorted({g.label for g in self.groups})

    @property
    def knobs_arm(self) -> str:
        """The arm that all of several are variants of, where one knob is turned; in words."""
        arms = {g.arm for g in self.groups}
        turned = all(g.records[0].settings.variant for g in self.groups)
        return names.arm_name(arms.pop()) if len(arms) == 1 < len(self.labels) and turned else ""

    @property
    def base(self) -> str:
        """What all of several arms share, so that it need not stand in each one's name.

        The whole arm where they are variants of a knob, else the model, or nothing; in words.
        """
        if len(self.labels) < 2 or self.knobs_arm:
            return self.knobs_arm
        models = {g.records[0].model for g in self.groups}
        if len(models) > 1:
            return ""
        model = models.pop()
        return names.model_name(model) or model

    def name(self, label: str) -> str:
        """An arm's name in a figure: without what all share, which the note tells."""
        return names.without(names.arm_name(label), self.base)

    def said(self, label: str) -> str:
        """An arm's name in a sentence: with its model, as `from scratch needs 9 s` is no English.

        Where all have the same model, which a note tells, without the size of its images.
        """
        name = names.without(names.arm_name(label), self.knobs_arm)
        return names.brief(name) if self.base else name

    def at(self, size: int) -> list[Group]:
        """The groups at one size, in the order of their names."""
        return [g for g in self.groups if g.train_size == size]

    def best_first(self, size: int) -> list[Group]:
        """The groups at one size with a run that ended well, the most accurate first."""
        ended = [g for g in self.at(size) if g.ok]
        return sorted(ended, key=lambda g: (-(accuracy(g).mean or 0.0), g.label))

    def ranked(self, size: int) -> list[Group]:
        """The groups at one size, those without a run that ended well last."""
        return [*self.best_first(size), *(g for g in self.at(size) if not g.ok)]


def view(records: Sequence[Record], lead: Iterable[str] = ()) -> View:
    """A view of the records with the IDs in `lead`, or of all where there are none.

    Of these, the ones on the data set that most of them used; the others are `also` there.
    """
    wanted = set(lead)
    led = [r for r in records if r.id in wanted] or records
    shown = tuple(main_data(led))
    inside = set(map(id, shown))
    return View(shown, tuple(r for r in records if id(r) not in inside))


def some_of(many: Sequence[T], most: int) -> list[T]:
    """All of few; of many the first, the last and some evenly between, `most` in all."""
    if len(many) <= most:
        return list(many)
    return [many[round(i * (len(many) - 1) / (most - 1))] for i in range(most)]


def accuracy(group: Group) -> intervals.Summary:
    """Test accuracy over the seeds that ended well."""
    return intervals.accuracies(group.ok)


def method(seen: View) -> str:
    """What the intervals of accuracies are called: of what they allow for, where all do."""
    said = {m for g in seen.groups if (m := accuracy(g).method)}
    return said.pop() if len(said) == 1 else intervals.METHOD


def mean(group: Group, value: Callable[[Record], float | None]) -> float | None:
    """The mean of a number over the seeds that ended well."""
    return intervals.mean_of(map(value, group.ok))


def cold(group: Group) -> float | None:
    """Mean seconds of learning, features made afresh."""
    return mean(group, intervals.learning)


def warm(group: Group) -> float | None:
    """Mean seconds of learning, features found ready."""
    return mean(group, lambda r: intervals.learning(r, cold=False))


def busy_before(record: Record) -> float:
    """The share of the processors that others used while what the run found ready was measured.

    It is charged with that when cold; what they used in the run itself is its `neighbours`.
    """
    return record.kept_costs.others if record.kept_costs else 0.0


def incomparable(groups: Iterable[Group]) -> str:
    """Why seconds of runs that ended well are not compared; empty where they may be."""
    ended = [r for g in groups for r in g.ok]
    if len({r.environment.device for r in ended}) > 1:
        return "these runs were done on machines of several kinds"
    if len({r.neighbours.runs > 0 for r in ended}) > 1:
        return "some of these runs shared a machine, others had theirs alone"
    return ""


def from_scratch(group: Group) -> bool:
    """Whether the arm begins with random weights and nothing else."""
    return group.records[0].strategy.partition("@")[0] == "scratch"
