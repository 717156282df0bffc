"""The report as one page that opens offline: no script, nothing loaded from elsewhere.

First the answer, then why, what each arm answered to a few test images, how sure all that is, and
the bill. What only some readers want is folded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import jinja2
from markupsafe import Markup

from comparisons.core.card import Card
from comparisons.core.prices import UNPRICED, Prices
from comparisons.core.records import Record
from comparisons.findings import certainty, intervals, labels, text, verdict, why
from comparisons.findings import knobs as said_of_knobs
from comparisons.findings.choices import Choice, choices
from comparisons.findings.groups import ending, group_runs
from comparisons.findings.headline import headline, too_few
from comparisons.findings.levels import levels
from comparisons.findings.names import MOST_LETTERS, arm_name, model_name, shortened
from comparisons.findings.view import View, cold, from_scratch, incomparable, method, view
from comparisons.findings.view import accuracy as accuracy_of
from comparisons.plan.knobs import KNOBS
from comparisons.report import table, tables, words
from comparisons.report.banner import warnings
from comparisons.report.classes import Classes, classes
from comparisons.report.details import ArmSettings, Fact, settings_of_arms, surroundings
from comparisons.report.differences import Difference, differences
from comparisons.report.figures.arm_styles import Style, styles
from comparisons.report.figures.catalog import Place, Plot
from comparisons.report.gallery import Gallery, Wrong
from comparisons.report.looked import Looked
from comparisons.report.strip import Strip
from comparisons.report.table import Row
from comparisons.report.tables import Grid, Told, Way, grid

# What a URL in an attribute may not have as it is; a space would end it in `srcset`.
ESCAPED = str.maketrans({letter: f"%{ord(letter):02X}" for letter in ' "#%&<>\\\n\r\t'})
MOST_PAIRS = 6  # more differences than this are folded


@dataclass(frozen=True)
class Picture:
    """A figure as SVG, for wide windows and for narrow ones; `half` takes half of a wide one."""

    plot: Plot
    wide: bytes
    narrow: bytes
    half: bool = False


@dataclass(frozen=True)
class Shown:
    """A figure as the page has it."""

    name: str
    heading: str
    how_to_read: str
    alt: str
    wide: Markup
    narrow: Markup
    half: bool


@dataclass(frozen=True)
class Answers:
    """Test images with what each arm answered: drawn ones, disputed ones, mistaken ones."""

    strip: Strip | None = None
    gallery: Gallery | None = None
    wrong: Wrong | None = None


@dataclass(frozen=True)
class Results:
    """The finding and the table of results, which the page and a notebook have in common."""

    answer: str
    more: list[str]
    totals: str
    warnings: list[str]
    results: Grid[Row]
    style: Callable[[str], Style]
    method: str
    min_seeds: int = intervals.MIN_SEEDS


@dataclass(frozen=True)
class Page:
    """All that the page shows, section by section."""

    title: str
    left_out: Sequence[str]
    reasons: list[why.Reason]
    answers: Answers
    classes: Classes | None
    looked: Looked | None
    sure: list[str]
    kept: str
    strangers: str
    model: Card | None
    moved: list[Shown]
    outlooks: list[str]
    figures: dict[Place, list[Shown]]
    differences: Grid[Difference]
    many_pairs: bool
    bill: Grid[Row]
    levels: Grid[Way]
    paid: list[str]
    upstream: list[Fact]
    choices: Grid[Choice]
    made_by: str
    mishaps: list[Told]
    also: Grid[Row]
    reading: list[words.Passage]
    glossary: list[words.Passage]
    arms: list[ArmSettings]
    runs: Grid[Told]
    surroundings: list[Fact]
    level: float | None


def render(
    seen: View,
    pictures: Sequence[Picture],
    answers: Answers = Answers(),
    looked: Looked | None = None,
    left_out: Sequence[str] = (),
    prices: Prices = UNPRICED,
    model: Card | None = None,
    moved: Shown | None = None,
) -> str:
    """The whole page as HTML text. Every string of a record is escaped.

    `model` is the card of the model that one of the runs left, `moved` the figure of its base
    before and after. Where the answer is that there are too few test images to tell, nothing
    below it tells more.
    """
    records, rows, few = seen.records, table.summarise(seen.records), too_few(seen)
    everything = [*records, *seen.also]
    lines, knob = headline(records), said_of_knobs.knob_of(records)
    pairs = differences(seen)
    speak = words.topics(seen)
    runs = [Told(g.label, g.name, r) for g in group_runs(everything) for r in g.records]
    led = {r.id for r in records}
    advised = None if few else choices(seen)
    page = Page(
        title=f"{records[0].data.name}: {_question(seen, knob)}",
        left_out=left_out,
        reasons=[] if few else why.reasons(seen),
        answers=answers,
        classes=classes(seen),
        looked=looked,
        sure=[] if knob else [*verdict.sure(seen), *verdict.care(seen)],
        kept=certainty.of_kept(model, arm_name(model.arm)) if model else "",
        strangers=certainty.of_strangers(model) if model and not few else "",
        model=model,
        moved=[moved] if moved else [],
        outlooks=[]
        if few
        else [labels.say(one, arm_name(one.label)) for one in labels.outlooks(seen)],
        figures=_placed(pictures, seen, leading=not few),
        differences=grid(tables.DIFFERENCES, pairs),
        many_pairs=len(pairs) > MOST_PAIRS,
        bill=grid(tables.bill(prices), rows),
        levels=tables.ways([] if incomparable(seen.at(seen.size)) else levels(seen, [seen.size])),
        paid=_paid(prices, everything),
        upstream=_upstream(records),
        choices=grid(tables.CHOICES, advised.rows if advised else []),
        made_by=text.listing(advised.devices) if advised else "",
        mishaps=[told for told in runs if told.run.status != "ok"],
        also=grid(tables.ALSO, table.beside(everything, led)),
        reading=[p for p in words.READING if p.needed(speak)],
        glossary=[p for p in words.GLOSSARY if p.needed(speak)],
        arms=settings_of_arms(everything),
        runs=grid(tables.RUNS, runs),
        surroundings=surroundings(everything),
        level=_level(rows),
    )
    found = _results(seen, rows, lines[:1] + ([] if knob else verdict.over_sizes(seen)))
    return _environment().get_template("page.html.j2").render(page=page, found=found)


def fragment(records: Sequence[Record]) -> str:
    """Headline, warnings and results table as HTML, for a notebook's output."""
    seen = view(records)
    found = _results(seen, table.summarise(seen.records), headline(records))
    return _environment().get_template("fragment.html.j2").render(found=found)


def _question(seen: View, knob: str | None) -> str:
    """What the page answers, by the arms that are there."""
    if knob is not None:
        return KNOBS[knob].question if knob in KNOBS else knob
    if len(seen.labels) == 1:
        return f"what does {arm_name(seen.labels[0])} reach?"
    kinds = {from_scratch(g) for g in seen.groups}
    if len(kinds) > 1:
        return "train from scratch, or fine-tune?"
    return "what to train from scratch?" if kinds == {True} else "which base, trained how far?"


def _results(seen: View, rows: Sequence[Row], lines: Sequence[str]) -> Results:
    everything = [*seen.records, *seen.also]
    others = {g.label for g in group_runs(everything)}
    # The styles must be those of the figures.
    chosen = styles(others - set(seen.labels)) | styles(seen.labels)
    columns = [c for c in tables.RESULTS if not (c in tables.CERTAINTY and too_few(seen))]
    return Results(
        answer=lines[0],
        more=list(lines[1:]),
        totals=table.describe(everything),
        warnings=warnings(seen),
        results=grid(columns, rows),
        style=chosen.__getitem__,
        method=method(seen),
    )


def _paid(prices: Prices, records: Sequence[Record]) -> list[str]:
    """What the prices are, and what all runs together cost by them; empty without any."""
    spent = sum(r.seconds.in_all for r in records)
    each = []
    if prices.per_hour is not None:
        each.append(
            f"Price: hours of learning, cold, times {prices.per_hour:g} an hour, as named for this "
            f"page; all runs together, with measuring, came to {prices.money(spent)}."
        )
    if prices.watts is not None:
        each.append(
            f"Energy: {prices.watts:g} watts, as named for this page, times the same seconds. It "
            f"was not measured. All runs together: {prices.energy(spent)}."
        )
    return each


def _upstream(records: Sequence[Record]) -> list[Fact]:
    """What was paid for each model that came trained, model by model; empty where none did."""
    paid: dict[str, list[str]] = {}
    for g in group_runs(records):
        model = g.records[0].model
        known = paid.setdefault(model_name(model) or model, [])
        cost = table.upstream(g.records)
        if cost not in known and not cost.startswith("none"):
            known.append(cost)
    return [Fact(model, tuple(costs)) for model, costs in paid.items() if costs]


def _level(rows: Sequence[Row]) -> float | None:
    levels = {row.level for row in rows if row.level is not None}
    return levels.pop() if len(levels) == 1 else None


def _placed(pictures: Sequence[Picture], seen: View, leading: bool) -> dict[Place, list[Shown]]:
    """The figures of each part of the page; the first one may lead, whatever it shows."""
    placed: dict[Place, list[Shown]] = {place: [] for place in get_args(Place)}
    for number, picture in enumerate(pictures):
        leads = leading and number == 0 and picture.plot.place == "curves"
        placed["why" if leads else picture.plot.place].append(_shown(picture, seen))
    return placed


def _shown(picture: Picture, seen: View) -> Shown:
    plot = picture.plot
    said = f"{plot.heading}. {plot.finding(seen.records)}. {_numbers(seen)}"
    drawn = picture.wide, picture.narrow, picture.half
    return shown(plot.name, plot.heading, plot.how_to_read, said, *drawn)


def shown(
    name: str,
    heading: str,
    how_to_read: str,
    alt: str,
    wide: bytes,
    narrow: bytes,
    half: bool = False,
) -> Shown:
    """A figure as the page has it, of its two drawings as SVG."""
    return Shown(name, heading, how_to_read, alt, _data_uri(wide), _data_uri(narrow), half)


def _numbers(seen: View) -> str:
    """Every arm's accuracy and time at the main size: what a figure tells who cannot see it."""
    ended = seen.best_first(seen.size)
    timed = not incomparable(ended)
    each = [
        f"{g.name} {text.percent(accuracy_of(g).mean)}"
        + (f" in {text.seconds(cold(g))}" if timed else "")
        for g in ended
    ]
    return f"Test accuracy with {text.count(seen.size)} training images: {'; '.join(each)}."


def _data_uri(svg: bytes) -> Markup:
    # Percent-encoded: in base64 nothing could compress it any more (a repository, a mail).
    return Markup(f"data:image/svg+xml,{svg.decode().translate(ESCAPED)}")


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("comparisons.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    filters: dict[str, Callable[..., object]] = {
        "breaking": tables.breaking,
        "arm_name": arm_name,
        "typed": lambda label: shortened(label, MOST_LETTERS),
        "ending": ending,
        "percent": text.percent,
        "seconds": text.seconds,
        "count": text.count,
        "spaced": text.spaced,
    }
    environment.filters |= filters
    return environment


def _finalize(value: Any) -> Any:
    """None as a dash, and no control character in any text; markup is ours and passes."""
    if value is None:
        return text.NONE
    return text.clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value
