"""The report as one page that opens offline: no script, nothing loaded from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any
from urllib.parse import quote

import jinja2
import msgspec
from markupsafe import Markup

from comparisons.core.records import Record
from comparisons.findings import intervals, text, verdict
from comparisons.findings import knobs as said_of_knobs
from comparisons.findings.groups import Group, data_key, group_runs
from comparisons.findings.headline import headline
from comparisons.findings.view import View, cold, view
from comparisons.findings.view import accuracy as accuracy_of
from comparisons.plan.knobs import KNOBS
from comparisons.report.figures.arm_styles import styles
from comparisons.report.figures.catalog import Plot
from comparisons.report.table import Row, describe, summarise, upstream
from comparisons.report.words import ARM_READING, GLOSSARY, KNOB_READING, READING

# What a URL in an attribute may have as it is; a space would end it in `srcset`.
URL_SAFE = "!$()*+,-./:;=?@[]^_`{|}~"


@dataclass(frozen=True)
class Picture:
    """A figure as SVG, for wide windows and for narrow ones."""

    plot: Plot
    wide: bytes
    narrow: bytes


def render(
    records: Sequence[Record],
    rows: Sequence[Row],
    pictures: Sequence[Picture],
    left_out: Sequence[str] = (),
) -> str:
    """The whole page as HTML text. Every string of a record is escaped."""
    seen = view(records)
    knob = said_of_knobs.knob_of(seen.records)
    environment = _environment()
    return environment.get_template("page.html.j2").render(
        **_summary(records, rows),
        title=f"{seen.records[0].data.name}: {_question(knob)}",
        totals=describe(records),
        warnings=warnings(records),
        left_out=left_out,
        pictures=[_picture(p, records) for p in pictures],
        differences=differences(seen),
        runs=[(g.label, r) for g in group_runs(records) for r in g.records],
        total=intervals.total,
        reading=(KNOB_READING if knob else ARM_READING) + READING,
        glossary=GLOSSARY,
        arms=[_arm(g) for g in _one_per_label(records)],
        surroundings=surroundings(records),
    )


def _question(knob: str | None) -> str:
    if knob is None:
        return "train from scratch, or fine-tune?"
    return KNOBS[knob].question if knob in KNOBS else knob


def fragment(records: Sequence[Record]) -> str:
    """Headline, warnings and results table as HTML, for a notebook's output."""
    template = _environment().get_template("fragment.html.j2")
    content = _summary(records, summarise(records))
    return template.render(**content, totals=describe(records), warnings=warnings(records))


def warnings(records: Sequence[Record]) -> list[str]:
    """What a reader must know before believing a number; each said once."""
    lines = _notices(records)
    for d in (r.data for r in records):
        if d.synthetic:
            lines.append(
                f"Synthetic data: the images of {d.name} were drawn by a program. These numbers "
                "show how the arms compare on them, not on photographs."
            )
        if not d.complete:
            lines.append(f"Not the whole data set: only a part of {d.name} was at hand.")
        lines.append(d.note)
    sets = {data_key(r) for r in records}
    if len(sets) > 1:
        names = text.listing(text.unique(r.data.name for r in records))
        lines.append(
            f"{len(sets)} data sets are in this folder ({names}): the headline, the figures and "
            f"the differences are about {view(records).records[0].data.name}, the tables show all."
        )
    for g in group_runs(records):
        if len({r.environment.device for r in g.ok}) > 1:
            lines.append(f"The times of {g.label} are means over different devices.")
    return text.unique(lines)


def _notices(records: Sequence[Record]) -> list[str]:
    """The runs' own notices, with the arms they concern where that is not all of them."""
    concerned: dict[str, set[str]] = {}
    for r in records:
        for notice in r.notices:
            concerned.setdefault(notice, set()).add(r.arm)
    everyone = {r.arm for r in records}
    return [
        notice if arms == everyone else f"{', '.join(sorted(arms))}: {notice}"
        for notice, arms in concerned.items()
    ]


def differences(seen: View) -> list[dict[str, Any]]:
    """Every pair of arms at every size: what their seeds say, and in a word what follows."""
    return [
        _difference(verdict.verdict(a, b), size)
        for size in seen.sizes
        for a, b in combinations(seen.best_first(size), 2)
    ]


def _difference(found: verdict.Verdict, size: int) -> dict[str, Any]:
    s = found.paired.summary
    if s.low is not None:
        says = (
            "not told apart: the interval includes zero"
            if s.includes_zero
            else f"{found.first.label} is more accurate on these seeds"
        )
    elif s.n == 0:
        says = "no seed in common: a difference of means"
    else:
        says = f"{text.plural(s.n, 'seed')}: no interval"
        if abs(found.gap) < found.noise:
            says += "; no larger than the luck of drawing the test images"
    return {
        "size": size,
        "first": found.first.label,
        "second": found.second.label,
        "gap": found.gap,
        "each": [*zip(found.paired.seeds, found.paired.differences, strict=True)],
        "low": s.low,
        "high": s.high,
        "says": says,
    }


def surroundings(records: Sequence[Record]) -> list[tuple[str, list[str]]]:
    """Each fact of the environment with all its values, in the order of first sight."""
    facts: dict[str, list[str]] = {}
    for r in records:
        for name, value in msgspec.to_builtins(r.environment).items():
            known = facts.setdefault(name.replace("_", " "), [])
            if (phrase := text.flat(value)) not in known:
                known.append(phrase)
    return list(facts.items())


def _summary(records: Sequence[Record], rows: Sequence[Row]) -> dict[str, Any]:
    """What the results table and the page have in common."""
    drawn = view(records).labels  # their styles must be those of the figures
    chosen = styles(row.label for row in rows if row.label not in drawn) | styles(drawn)
    levels = {row.level for row in rows if row.level is not None}
    return {
        "headline": headline(records),
        "rows": rows,
        "style": chosen.__getitem__,
        "level": levels.pop() if len(levels) == 1 else None,
        "method": intervals.METHOD,
        "min_seeds": intervals.MIN_SEEDS,
    }


def _picture(picture: Picture, records: Sequence[Record]) -> dict[str, Any]:
    plot = picture.plot
    return {
        "name": plot.name,
        "heading": plot.heading,
        "how_to_read": plot.how_to_read,
        "alt": f"{plot.heading}. {plot.finding(records)}. {_numbers(view(records))}",
        "wide": _data_uri(picture.wide),
        "narrow": _data_uri(picture.narrow),
    }


def _numbers(seen: View) -> str:
    """Every arm's accuracy and time at the main size: what a figure tells who cannot see it."""
    each = [
        f"{g.label} {text.percent(accuracy_of(g).mean)} in {text.seconds(cold(g))}"
        for g in seen.best_first(seen.size)
    ]
    return f"Test accuracy with {text.count(seen.size)} training images: {'; '.join(each)}."


def _data_uri(svg: bytes) -> Markup:
    # Percent-encoded: in base64 nothing could compress it any more (a repository, a mail).
    return Markup(f"data:image/svg+xml,{quote(svg, safe=URL_SAFE)}")


def _one_per_label(records: Sequence[Record]) -> list[Group]:
    """The group of each arm and settings at its largest size."""
    return list({g.label: g for g in group_runs(records)}.values())


def _arm(g: Group) -> dict[str, Any]:
    first = g.records[0]
    phases = [msgspec.to_builtins(phase) for phase in first.phases]
    columns = text.unique(["name", "trainable", *(key for phase in phases for key in phase)])
    return {
        "label": g.label,
        "settings": {
            k.replace("_", " "): text.flat(v)
            for k, v in msgspec.to_builtins(first.settings).items()
        },
        "columns": [c.replace("_", " ") for c in columns],
        "phases": [[text.flat(phase.get(c)) for c in columns] for phase in phases],
        "weights": next((r.weights for r in g.records if r.weights), None),
        "upstream": upstream(g.records),
    }


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("comparisons.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters |= {"breakable": breakable} | {
        name: getattr(text, name)
        for name in ("percent", "points", "seconds", "count", "scaled", "decimal", "flat")
    }
    return environment


def breakable(label: str) -> Markup:
    """An arm's name, escaped, that a narrow column breaks before `@`, `:` or a bracket."""
    return Markup("<wbr/>").join(re.split(r"(?=[@:(])", text.clean(label)))


def _finalize(value: Any) -> Any:
    """None as a dash, and no control character in any text; markup is ours and passes."""
    if value is None:
        return text.NONE
    return text.clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value
