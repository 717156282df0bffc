"""Where arms overtake each other as images grow in number, and what a base is worth in images."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations

import msgspec

from comparisons.core.records import Record
from comparisons.findings import race, sizes, text
from comparisons.findings.names import arm_name
from comparisons.findings.sizes import Images, Outcome
from comparisons.findings.view import View, from_scratch

NEXT = 2  # sizes to run next, between two


class Crossing(msgspec.Struct, frozen=True):
    """Where the first of two arms overtakes the second as images grow in number.

    Both were measured from the first to the last of the numbers of images in `measured`.
    `next_sizes` lie between the two sizes that enclose it: to run them shows it closer.
    """

    arms: tuple[str, str]
    outcome: Outcome
    images: Images
    measured: tuple[int, int]
    next_sizes: list[int] = []


@dataclass(frozen=True)
class Worth:
    """How many images from scratch reach what a pretrained base reaches with `size` of them.

    `measured` are the fewest and the most images that training from scratch was measured with.
    """

    arm: str
    scratch: str
    size: int
    measured: tuple[int, int]
    outcome: Outcome
    images: Images

    @property
    def times(self) -> float | None:
        """The images from scratch for each one with the base; a bound where that is open.

        The effective data multiplier of Hernandez et al. 2021 (arXiv:2102.01293), of accuracy in
        place of loss, and by lines between what was measured in place of a power law.
        """
        least = self.images.low or self.measured[1]
        bound = {"between": self.images.estimate, "above": least}.get(self.outcome)
        return bound / self.size if bound else None

    @property
    def clear(self) -> bool:
        """Whether the base is worth more than the images themselves, by the whole interval."""
        return (self.images.low or 0) > self.size


def crossings(seen: View) -> list[Crossing]:
    """Every pair of arms that two sizes or more have in common."""
    found = (_crossing(a, b, seen) for a, b in combinations(_several(seen), 2))
    return [one for one in found if one]


def worths(seen: View, arms: Collection[str] | None = None) -> list[Worth]:
    """Every pretrained arm, or of `arms` alone, beside every one from scratch, at each size."""
    several = [label for label in _several(seen) if arms is None or label in arms]
    scratch = [label for label in several if _scratch(seen, label)]
    found = []
    for own in scratch:
        curve_of = _runs(seen, own)
        for label in several:
            if label in scratch:
                continue
            for size, ended in _runs(seen, label).items():
                curve = sizes.difference(curve_of, dict.fromkeys(curve_of, ended))
                if curve:
                    found.append(Worth(label, own, size, curve.ends, *sizes.crossing(curve)))
    return found


def leading(seen: View) -> Crossing | None:
    """The crossing of the headline's two arms, or of the best two that have several sizes."""
    several = _several(seen)
    pair = race.rivals([g for g in seen.best_first(seen.size) if g.label in several])
    if pair is None:
        return None
    a, b = sorted(g.label for g in pair)
    return _crossing(a, b, seen)


def sentences(found: Crossing | None, seen: View) -> list[str]:
    """Where the headline's arms cross, and what the base is worth: none of a single size."""
    return [say(found), *_worth(seen, found.arms)] if found else []


def title(found: Crossing | None, seen: View) -> str:
    """The finding of a figure over sizes: the crossing, in fewer words."""
    if found is None:
        return "What each arm reaches with how many images"
    a, b = (seen.said(label) for label in found.arms)
    if found.outcome == "between":
        return f"{a} overtakes {b} at about {text.about(found.images.estimate)} images"
    if found.outcome == "above":
        return f"{b} leads up to {text.count(found.measured[1])} images"
    if found.outcome == "below":
        return f"{a} leads from {text.count(found.measured[0])} images on"
    return f"Where {a} and {b} cross is not clear"


def say(found: Crossing) -> str:
    """A crossing in a sentence."""
    a, b = map(arm_name, found.arms)
    images, (first, last) = found.images, map(text.count, found.measured)
    if found.outcome == "not resolved":
        return f"Where {a} and {b} cross, these runs do not show."
    if found.outcome == "above":
        return (
            f"{b} is ahead of {a}, or level, with every number of images up to {last}: "
            "where they cross lies above what was measured."
        )
    if found.outcome == "below":
        return (
            f"{a} is ahead of {b}, or level, with every number of images from {first} on: "
            "where they cross lies below what was measured."
        )
    said = f"{a} overtakes {b} at about {text.about(images.estimate)} training images"
    low, high = text.about(images.low), text.about(images.high)
    if images.low is None and images.high is None:
        span = " (no interval)"
    elif images.low is None:
        span = f" (95 % interval up to {high}, its lower end open)"
    elif images.high is None:
        span = f" (95 % interval from {low} on, its upper end open)"
    else:
        span = f" (95 % interval {low} to {high})"
    nearer = text.listing([text.count(n) for n in found.next_sizes])
    more = f"; runs with {nearer} images would show it closer" if nearer else ""
    return f"{said}{span}{more}."


def _worth(seen: View, arms: Sequence[str]) -> list[str]:
    """What the base of one of two arms is worth: at the sizes that tell, or a bound."""
    told = [one for one in worths(seen, arms) if one.times and one.clear]
    if not told:
        return []
    exact = sorted((one for one in told if one.outcome == "between"), key=lambda w: w.size)
    one = exact[0] if exact else min(told, key=lambda w: w.size)
    n, base, scratch = text.count(one.size), arm_name(one.arm), arm_name(one.scratch)
    if not exact:
        most = text.count(one.measured[1])
        return [
            f"With {n} images {base} is where {scratch} is not with {most}: its base is worth at "
            f"least {one.times:.1f} times the images."
        ]
    said = (
        f"With {n} images {base} is where {scratch} is with about "
        f"{text.about(one.images.estimate)}: its base is worth {one.times:.1f} times the images "
        f"(95 % interval {_span(one)})"
    )
    more = [f"{w.times:.1f} ({_span(w)}) with {text.count(w.size)}" for w in exact[1:]]
    return [f"{said}, {text.listing(more)}." if more else f"{said}."]


def _span(one: Worth) -> str:
    """The interval of what a base is worth, in times the images."""
    low, high = (
        "open" if n is None else f"{n / one.size:.1f}" for n in (one.images.low, one.images.high)
    )
    return f"{low} to {high}"


def _crossing(a: str, b: str, seen: View) -> Crossing | None:
    a, b = sorted((a, b), key=lambda label: (not _scratch(seen, label), label))
    curve = sizes.difference(_runs(seen, a), _runs(seen, b))
    if curve is None:
        return None
    # More images favour training from scratch, which may lead, or be led, at all sizes here.
    turned = sizes.oriented(curve, gains=_scratch(seen, a) and not _scratch(seen, b))
    outcome, images = sizes.crossing(turned)
    arms = (a, b) if turned is curve else (b, a)
    return Crossing(arms, outcome, images, curve.ends, _next(curve.sizes, images.estimate))


def _several(seen: View) -> list[str]:
    """The arms that were measured at several sizes."""
    return [label for label, by_size in seen.by_arm.items() if len(by_size) > 1]


def _scratch(seen: View, label: str) -> bool:
    return from_scratch(next(iter(seen.by_arm[label].values())))


def _runs(seen: View, label: str) -> dict[int, Sequence[Record]]:
    """An arm's runs that ended well, by size."""
    return {size: g.ok for size, g in seen.by_arm[label].items()}


def _next(measured: Sequence[int], estimate: float | None) -> list[int]:
    """Sizes that part the stretch around a crossing evenly; none of one too short."""
    if estimate is None:
        return []
    low = max((n for n in measured if n < estimate), default=measured[0])
    high = min((n for n in measured if n >= estimate), default=measured[-1])
    steps = [low * (high / low) ** (i / (NEXT + 1)) for i in range(1, NEXT + 1)]
    found = sorted(set(map(text.two_digits, steps)) - {low, high})
    return found if len(found) == NEXT else []
