"""How long the runs of a plan may take, by what was measured before: a range, or unknown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from comparisons.core.machine import cpu_name
from comparisons.core.probe import Speed, probe
from comparisons.core.records import Record, full_name, load_all
from comparisons.findings import experience
from comparisons.plan.request import has_accelerator
from comparisons.plan.runs import Run
from comparisons.running.kept import finished

NEAR = 4.0  # times as many images shown, or as few, beyond which a run tells nothing
HERE, PROBED = 1.3, 2.0  # a run on this machine, or by its probe, may take so many times as long
UNITS = ((100, "s", 1), (6000, "min", 60), (math.inf, "h", 3600))
QUICK = 0.2  # seconds of each part of the probe: of a factor of two it need not be sure


@dataclass(frozen=True)
class Took:
    """What an arm took where it showed `seen` images: seconds of this machine, within a factor."""

    name: str
    seen: float
    seconds: float
    factor: float


@dataclass(frozen=True)
class Span:
    """Seconds that a run may take, with an empty cache, and the factor in it."""

    low: float
    high: float
    factor: float

    def __str__(self) -> str:
        (low, unit), (high, last) = map(_rough, (self.low, self.high))
        return f"{low}{'' if unit == last else f' {unit}'} to {high} {last}"


@dataclass(frozen=True)
class Estimate:
    """For each run of a plan a span, None where nothing near was measured; and which are done."""

    spans: list[Span | None]
    done: list[bool]

    def cell(self, places: Sequence[int]) -> str:
        """What a table says of runs that differ in their seed alone, by their places in the plan.

        They take as long as each other, but for those that are done.
        """
        left = [place for place in places if not self.done[place]]
        if not left:
            return "done"
        span = self.spans[left[0]]
        about = f"{span or 'unknown'}{' each' if span and len(left) > 1 else ''}"
        done = len(places) - len(left)
        return f"{about}, {done} done" if done else about

    def said(self) -> str:
        """All that is left together, and how rough that is."""
        left = [s for s, done in zip(self.spans, self.done, strict=True) if not done]
        known = [s for s in left if s]
        if not left:
            return "Nothing is left to run."
        if not known:
            return "How long this takes is unknown: nothing near it was measured before."
        whole = Span(sum(s.low for s in known), sum(s.high for s in known), PROBED)
        runs = f"for {len(known)} of {len(left)} runs" if len(known) < len(left) else "in all"
        rest = "; of the others nothing near was measured" if len(known) < len(left) else ""
        probed = any(s.factor == PROBED for s in known)
        by = (
            "by the packaged evidence and a short probe of this machine, to a factor of two"
            if probed
            else "by runs that were done here"
        )
        return f"About {whole} {runs}, with an empty cache ({by}){rest}."


def estimate(planned: Sequence[Run], out: Path | None, fresh: bool) -> Estimate:
    """What the runs of a plan may take, by finished ones under `out`, else by packaged evidence."""
    device = planned[0].settings.device
    done = [not fresh and out is not None and finished(run, out) is not None for run in planned]
    own = _own(load_all(out)[0] if out else [], has_accelerator(device))
    spans = [span(run, own) for run in planned]
    left = {run.name for run, s, d in zip(planned, spans, done, strict=True) if not (s or d)}
    if not has_accelerator(device) and any(p.arm in left for p in experience.packaged().points):
        packaged = _packaged(probe(QUICK))
        spans = [s or span(run, packaged) for run, s in zip(planned, spans, strict=True)]
    return Estimate(spans, done)


def span(run: Run, known: Iterable[Took]) -> Span | None:
    """From the nearest run of the same arm: nothing of what it takes grows with images, or all."""
    shown = sum(phase.epochs for phase in run.target_phases) * run.train_size
    same = [took for took in known if took.name == run.name and took.seen]
    if not same:
        return None
    near = min(same, key=lambda took: abs(math.log(shown / took.seen)))
    times = shown / near.seen
    if not 1 / NEAR <= times <= NEAR:
        return None
    low, high = near.seconds * min(1.0, times), near.seconds * max(1.0, times)
    return Span(low / near.factor, high * near.factor, near.factor)


def _rough(seconds: float) -> tuple[str, str]:
    """A number of two digits or so, and its unit."""
    unit, size = next((u, s) for most, u, s in UNITS if seconds < most)
    value = seconds / size
    return (f"{value:.1f}" if value < 3 else f"{value:.0f}"), unit


def _own(records: Sequence[Record], accelerated: bool) -> list[Took]:
    """What runs that ended well took on this machine."""
    return [
        Took(full_name(r.arm, r.settings.variant), r.images_seen, r.seconds.total_cold, HERE)
        for r in records
        if r.status == "ok"
        and (
            r.environment.device_kind in experience.ACCELERATORS
            if accelerated
            else r.environment.device == cpu_name()
        )
    ]


def _packaged(here: Speed) -> list[Took]:
    """What the packaged evidence would take on a machine of this speed."""
    known = experience.packaged()
    times = experience.ratios(known.points, known.speeds, here)
    return [
        Took(p.arm, p.seen, p.seconds + p.measuring, PROBED)
        for p in experience.scaled(known.points, times)
    ]
