"""The table of figures: what each is called, drawn by, says, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from comparisons.core.records import Record
from comparisons.findings import certainty as said_of_certainty
from comparisons.findings import crossings, intervals, robustness, titles, ways
from comparisons.findings import knobs as said_of_knobs
from comparisons.findings.headline import too_few
from comparisons.findings.view import View, view
from comparisons.report.figures import bars, by_size, curves
from comparisons.report.figures import certainty as certainty_figures
from comparisons.report.figures import knobs as knob_figures
from comparisons.report.figures import robustness as robustness_figures
from comparisons.report.figures import ways as way_figures
from comparisons.report.figures.paper import Sheet

__all__ = ["FIGURES", "Plot", "drawable"]


# Parts of a page: why arms ended where they did, how sure that is, the bill, and all else.
Place = Literal["why", "sure", "unsure", "bill", "curves"]

MANY = 3  # arms that a figure of accuracy against a price needs to say something


@dataclass(frozen=True)
class Plot:
    """A figure: `draw(records, paper=WIDE)` makes it, `finding(records)` is its title.

    `place` is the part of the page that it stands in; with `half` it takes half of a wide page
    where its arms are few. One that `tells` says which arm is ahead, or how sure one is: it is
    drawn only where the test images are enough for that.
    """

    name: str
    heading: str
    draw: Callable[..., Sheet]
    finding: Callable[[Sequence[Record]], str]
    how_to_read: str
    needs: Callable[[View], bool]
    place: Place = "curves"
    half: bool = False
    main: bool = True
    tells: bool = False


def _has_history(seen: View) -> bool:
    return any(r.history for g in seen.at(seen.size) for r in g.records)


def _ended_with_history(seen: View) -> bool:
    return any(r.history for g in seen.at(seen.size) for r in g.ok)


def _races(seen: View) -> bool:
    return said_of_knobs.turns_time(seen) and _ended_with_history(seen)


def _takes_time(seen: View) -> bool:
    return said_of_knobs.turns_time(seen) and _ended(seen)


def _ended(seen: View) -> bool:
    return any(g.ok for g in seen.groups)


def _has_confusion(seen: View) -> bool:
    return any(intervals.mean_confusion(g.ok) for g in seen.best_first(seen.size))


def _many_sized(seen: View) -> bool:
    arms = ways.priced(seen, ways.PARAMETERS)
    return len(arms) >= MANY and len({paid for _, paid in arms}) > 1


def _many_ways(seen: View) -> bool:
    arms = ways.priced(seen, ways.SECONDS)
    several = len({g.records[0].strategy for g, _ in arms}) >= MANY
    return several and said_of_knobs.turns_time(seen)


def _has_certainty(seen: View) -> bool:
    return bool(said_of_certainty.shown(seen))


def _has_risks(seen: View) -> bool:
    return bool(said_of_certainty.selective(seen))


def _has_robustness(seen: View) -> bool:
    return bool(robustness.shown(seen))


def _has_moved(seen: View) -> bool:
    return bool(ways.moves(seen))


def _has_range_test(seen: View) -> bool:
    return bool(said_of_knobs.tests_of(seen))


def _has_start(seen: View) -> bool:
    return bool(said_of_knobs.starts(seen))


def _has_forgotten(seen: View) -> bool:
    return bool(ways.trades(seen)[0])


def _crossing_title(records: Sequence[Record]) -> str:
    seen = view(records)
    return crossings.title(crossings.leading(seen), seen)


def _several(needs: Callable[[View], bool]) -> Callable[[View], bool]:
    return lambda seen: len(seen.sizes) > 1 and needs(seen)


FIGURES = {
    plot.name: plot
    for plot in (
        Plot(
            "range-test",
            "The range test: loss against learning rate",
            knob_figures.range_test,
            said_of_knobs.range_title,
            "On the left steps are too small to change anything; where the curve falls the "
            "network learns; where it shoots up the steps are too long. A rate well before the "
            "bottom learns fast and leaves room.",
            _has_range_test,
            place="why",
        ),
        Plot(
            "at-start",
            "Weights, signals and gradients before training",
            knob_figures.at_start,
            said_of_knobs.start_title,
            "A level line is good: every layer hands on a signal as strong as it got. On a log "
            "scale a falling line means that little of the signal, or of the gradient that "
            "training lives on, reaches the far end.",
            _has_start,
            place="why",
        ),
        Plot(
            "accuracy-time",
            "Accuracy against time",
            curves.time,
            titles.time,
            "Higher and further left is better: read across at one accuracy to see who was "
            "there first.",
            _races,
            place="why",
            tells=True,
        ),
        Plot(
            "accuracy-images",
            "Accuracy against training images",
            by_size.accuracy_by_images,
            _crossing_title,
            "Each step to the right is a multiple of the images. See how steeply an arm still "
            "rises, which is what more labels would bring it, and where the lines cross.",
            _several(_ended),
            place="why",
            tells=True,
        ),
        Plot(
            "accuracy",
            "Accuracy curves",
            curves.accuracy,
            titles.accuracy,
            "The gap between an arm's dashed line (images it trains on) and its solid line "
            "(images it does not) is what it learnt by heart.",
            _has_history,
            half=True,
        ),
        Plot(
            "loss",
            "Loss curves",
            curves.loss,
            titles.loss,
            "Look at the shape of one arm's solid line: falling means still learning, rising "
            "while the dashed line falls means overfitting. Levels of different arms may not be "
            "comparable, for each may train with a loss of its own.",
            _has_history,
            half=True,
        ),
        Plot(
            "final-accuracy",
            "Final accuracy",
            bars.final,
            titles.final,
            "Compare the distance between arms with the distance between the seeds of one arm: "
            "where seeds lie as far apart as arms, the order may be luck.",
            _ended,
            place="sure",
            half=True,
        ),
        Plot(
            "reliability",
            "How far certainty can be trusted",
            certainty_figures.reliability,
            said_of_certainty.title,
            "Below the grey line a network is surer than it is right: of images that it calls "
            "90 % certain, fewer than 90 of 100 are right. Scaling changes no answer, only how "
            "certain it is said to be.",
            _has_certainty,
            place="sure",
            half=True,
            tells=True,
        ),
        Plot(
            "risk-coverage",
            "What is gained by not answering",
            certainty_figures.risk,
            said_of_certainty.selective_title,
            "Lower is better: read upwards from a share of images how many of the answers to the "
            "surest of them are wrong. At the right end all are answered. The large marks are "
            "where each arm would stop so that at most a twentieth of its answers on validation "
            "images is wrong.",
            _has_risks,
            place="unsure",
            half=True,
            tells=True,
        ),
        Plot(
            "robustness",
            "How much corrupted images cost",
            robustness_figures.by_severity,
            robustness.title,
            "The same test images, made worse step by step. A line that stays level does not mind; "
            "compare how far each falls from its own 0, for that is what corruption costs.",
            _has_robustness,
            place="sure",
            tells=True,
        ),
        Plot(
            "time-split",
            "Where the time went",
            bars.split,
            titles.split,
            "The thick bar is what the trained network cost, the hatched one below what it cost to "
            "know how good it is. The longest piece is where a faster machine or a cache would "
            "help.",
            _takes_time,
            place="bill",
            half=True,
        ),
        Plot(
            "accuracy-cost",
            "Accuracy against the time of learning",
            way_figures.cost,
            ways.seconds,
            "Higher and further left is better. An arm below the grey steps is beaten: another "
            "was at least as accurate in less time.",
            _many_ways,
            place="bill",
            half=True,
            tells=True,
        ),
        Plot(
            "accuracy-parameters",
            "Accuracy against trainable parameters",
            way_figures.parameters,
            ways.parameters,
            "Higher and further left is better: what trains less needs less memory for training "
            "and a smaller file for each task. Further right is not better by itself.",
            _many_sized,
            place="bill",
            half=True,
            tells=True,
        ),
        Plot(
            "moved",
            "Which blocks moved, and how far",
            way_figures.moved,
            ways.moved,
            "Dark blocks were rewritten, white ones are as they were. The first blocks see edges "
            "and colours, which most tasks share; the last see what is special to one task.",
            _has_moved,
        ),
        Plot(
            "forgetting",
            "What was forgotten, and what it bought",
            way_figures.forgetting,
            ways.forgetting,
            "Further up learnt the new task better, further right forgot more of the old one. "
            "The upper left is best: much gained, little forgotten.",
            _has_forgotten,
        ),
        Plot(
            "confusion",
            "What is taken for what",
            bars.confusion,
            titles.confusion,
            "Dark on the diagonal is right; a number off it is the share of a row's class that "
            "was called the column's.",
            _has_confusion,
        ),
        Plot(
            "accuracy-time-sizes",
            "Accuracy against time, by training-set size",
            curves.time_by_size,
            titles.time_by_size,
            "Each panel has its own clock; see whether the order of the arms changes.",
            _several(_races),
            main=False,
            tells=True,
        ),
        Plot(
            "accuracy-sizes",
            "Accuracy curves, by training-set size",
            curves.accuracy_by_size,
            titles.accuracy_by_size,
            "Compare the gap between dashed (training) and solid (validation) from panel to panel.",
            _several(_has_history),
            main=False,
        ),
        Plot(
            "loss-sizes",
            "Loss curves, by training-set size",
            curves.loss_by_size,
            titles.loss_by_size,
            "Compare where the solid lines turn upwards, if they do, from panel to panel.",
            _several(_has_history),
            main=False,
        ),
    )
}


def drawable(records: Sequence[Record]) -> list[Plot]:
    """The figures that these records have something to show for."""
    seen = view(records)
    plots = [plot for plot in FIGURES.values() if seen.records and plot.needs(seen)]
    return [plot for plot in plots if not plot.tells] if too_few(seen) else plots
