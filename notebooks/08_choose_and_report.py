# %% [markdown]
# # Which one should I choose, and how do I say so honestly?
#
# **Question.** Two numbers differ. When may one say that one way is *better*, and what belongs into
# a sentence that claims it?
#
# **Goals.** You can tell the luck of the test images from the luck of the seed; compare in pairs;
# call a tie a tie; allow for many comparisons; report what others need to judge it.
#
# **You need** lesson 3 (scratch or frozen), means and standard deviations, and this project
# installed, by `pip install -e ".[notebooks]"` in its folder.
#
# **Minutes.** 45, of which the computer needs two or three.
#
# ## Predict
#
# Four arms, three seeds each: a network from scratch, and three ways to put a new classifier on one
# frozen base: `probe` (one linear layer, solved for), `frozen` (a small head, trained),
# `frozen-views` (the same, with mirrored and shifted images).

# %%
prediction = {
    "How far apart, in points, are an arm's best and worst seed?": "",
    "Which pairs of arms will not be clearly apart?": "",
    "Of 20 equally good arms, how far above the truth is the best on 150 images?": "",
}

# %% [markdown]
# ## Run

# %% tags=["parameters"]
DATA = "auto"  # "shapes" needs neither network nor data
SIZE = 1000
SEEDS = [0, 1, 2]
LIMITS = {"validate_on": 300, "test_on": 2000}

# %%
from itertools import combinations

import numpy as np

from comparisons import cifar, report
from comparisons.findings import family, intervals, verdict
from comparisons.findings.names import arm_name
from comparisons.findings.text import count, percent, points
from comparisons.findings.view import from_scratch, view
from comparisons.report.lesson import answered, check, say, table
from comparisons.running import supplies

base = supplies.base("mobilenet@0.25x64")
ARMS = ["cnn:scratch", *(f"{base}:{way}" for way in ("probe", "frozen", "frozen-views"))]
records = cifar.compare(ARMS, DATA, SIZE, SEEDS, **LIMITS)

assert all(r.status == "ok" for r in records), [(r.arm, r.status, r.error) for r in records]
seen = view(records)
groups = seen.best_first(SIZE)
data = records[0].data
kind = "drawn by a program, so they say nothing of photographs" if data.synthetic else "real"
say(
    f"These runs used {count(SIZE)} images of **{data.name}**; they are {kind}. Every arm answered "
    f"the same {count(data.sizes.test)} test images, once."
)

# %% [markdown]
# ## Investigate: every seed is a point
#
# **Predict**: draw four heaps of three points on the handout. Where do heaps overlap?

# %%
report.draw(records, "final-accuracy")

# %% [markdown]
# ## Investigate: the luck of the test images
#
# Say that a network names a share *p* of *all possible* images rightly. We ask it *n* of them. Each
# answer is a coin that shows "right" with chance *p*, so the share that we see has the standard
# deviation √(p (1 − p) / n).
#
# **Write** it.


# %% tags=["solution"]
def luck(p, n):
    """The standard deviation of an accuracy p measured on n images."""
    return (p * (1 - p) / n) ** 0.5


# %%
def check_luck(given):
    cases = [(0.5, 100), (0.9, 10_000), (0.96, 153)]
    check(
        [given(p, n) for p, n in cases],
        lambda it: np.allclose(it, [intervals.luck_of_images(p, n) for p, n in cases]),
        "The square root of p (1 − p) / n.",
    )


check_luck(luck)

# %% [markdown]
# **A famous tie.** A tutorial that very many have followed tells ants from bees with a ResNet-18,
# tested on 153 photographs. Fine-tuned as a whole it reaches 94.1 %, frozen 96.1 %: 144 and 147
# right. (Both are the best of 25 epochs on those same photographs, so both are too high.) Is frozen
# better?
#
# **Write** `better`, `True` or `False`: is the difference larger than the luck of the draw? For a
# difference of two such accuracies take 1.96 × √2 × the luck of one.

# %% tags=["solution"]
better = (147 - 144) / 153 > 1.96 * 2**0.5 * (147 / 153 * 6 / 153 / 153) ** 0.5


# %%
def check_better(given):
    noise = intervals.sampling_noise(147 / 153, 153)
    check(
        given,
        lambda it: it == (noise < 3 / 153),
        "Compare 3 / 153 with 1.96 × √2 × luck(147 / 153, 153).",
    )


check_better(better)

# %% [markdown]
# That formula takes the two for tests on photographs drawn apart. Both were tested on the same
# ones, so only those count that one network alone has right (McNemar's test): even if these are the
# three of the difference, all won by frozen, luck alone does as well in one of four cases.
#
# **Predict** the table below before you run it: how many test images would it take until a
# difference of two points at 96 % is more than luck?

# %%
table(
    "test images | luck of one accuracy at 96 %, points | of a difference, 95 %",
    *(
        f"{count(n)} | {points(intervals.luck_of_images(0.96, n), sign=False)} | "
        f"{points(intervals.sampling_noise(0.96, n), sign=False)}"
        for n in (153, 500, 1000, 2000, 10_000)
    ),
)

# %% [markdown]
# ## Investigate: pairs
#
# Seed 1 may have drawn easy training images for *every* arm. As all arms share each seed's images
# and their order, take the difference within each seed; what they have in common cancels.
#
# **Write** the differences by seed of the best arm and the next, `groups[0].ok` and `groups[1].ok`,
# whose records come by seed.

# %% tags=["solution"]
differences = [
    a.test.accuracy - b.test.accuracy for a, b in zip(groups[0].ok, groups[1].ok, strict=True)
]


# %%
def check_differences(given):
    pairs = intervals.paired(groups[0].ok, groups[1].ok)
    check(
        given,
        lambda it: np.allclose(it, pairs.differences),
        "One difference of `test.accuracy` for each seed, the best arm's less the other's.",
    )


check_differences(differences)

# %% [markdown]
# Student's interval asks how far the mean of these differences may be from the truth. **Predict**:
# which of the pairs below will have an interval that includes zero?

# %%
pairs = [(a, b, intervals.paired(a.ok, b.ok)) for a, b in combinations(groups, 2)]


def span(s):
    return "none" if s.low is None else f"{points(s.low)} to {points(s.high)}"


def outcome(a, b, s):
    if family.tied(s):
        return "a tie: within a point of zero"
    return "not clearly apart" if verdict.verdict(a, b).equal else f"{a.name} is ahead"


table(
    "pair | by seed, points | mean | interval | what may be said",
    *(
        f"{a.name} − {b.name} | {', '.join(points(d) for d in p.differences)} | "
        f"{points(p.summary.mean)} | {span(p.summary)} | {outcome(a, b, p.summary)}"
        for a, b, p in pairs
    ),
)

# %% [markdown]
# "Not clearly apart" and "a tie" are not the same. The first says: we do not know. The second says:
# we know, and the difference is too small to care.
#
# ## Investigate: many arms, one winner
#
# Twenty arms, all of them *exactly* equally good (94 %), tested on 150 images. Somebody reports the
# best. **Predict**: by how much is the report too high? Then run it.

# %%
chance = np.random.default_rng(0)
winners = (chance.binomial(150, 0.94, size=(2000, 20)) / 150).max(axis=1)
excess = winners.mean() - 0.94
say(
    f"The best of 20 is at {percent(winners.mean())} on average, {points(excess)} points above the "
    "truth, though nobody did anything but choose."
)

# %% [markdown]
# So one who compares much must ask more of each comparison. A **p-value** says how often luck alone
# would bring a difference at least as large, if there were none in truth. It is below 0.05 just
# where the 95 % interval leaves out zero, which befalls one in twenty comparisons of equals. (The
# six intervals above were not adjusted for being six.) Holm's rule adjusts: the smallest of *m*
# p-values times *m*, the next times *m* − 1, and so on, none below the one before.
#
# **Write** the adjusted values of 0.01, 0.02 and 0.04, in this order.

# %% tags=["solution"]
adjusted = [0.03, 0.04, 0.04]


# %%
def check_adjusted(given):
    right = family.holm({("a", "x"): 0.01, ("b", "x"): 0.02, ("c", "x"): 0.04})
    check(
        given,
        lambda it: np.allclose(it, list(right.values())),
        "3 × 0.01, then 2 × 0.02, then 1 × 0.04, but never less than the one before.",
    )


check_adjusted(adjusted)

# %% [markdown]
# The project's family of comparisons is declared before anything runs: every arm against every one
# from scratch.

# %%
table(
    "pair | p, adjusted by Holm's rule",
    *(
        f"{arm_name(a)} − {arm_name(b)} | {p:.3f}"
        for (a, b), p in family.family(seen, SIZE).items()
    ),
)

# %% [markdown]
# ## Modify: an unlucky seed
#
# **Predict**: if you may look at three seeds and report one, by how many points can you "improve"
# an arm? **Write** the gap between the best and the worst seed of the arm from scratch.

# %%
scratch = next(group for group in groups if from_scratch(group))

# %% tags=["solution"]
seeds = [r.test.accuracy for r in scratch.ok]
spread = max(seeds) - min(seeds)


# %%
def check_spread(given):
    low, *_, high = sorted(intervals.accuracy(r) for r in scratch.ok)
    check(given, lambda it: np.isclose(it, high - low), "The largest less the smallest.")


check_spread(spread)

# %% [markdown]
# ## Make: a report
#
# **Write** two or three sentences on this comparison for somebody who was not here. They have what
# was compared, on which data and how many images; the difference with its interval and its method;
# the number of seeds and test images; what it cost; and one thing that was *not* shown.

# %% tags=["solution"]
my_report = " ".join(verdict.headline(records)) + (
    f" Training images: {SIZE} of {data.name}; test images: {data.sizes.test}; "
    f"seeds: {len(SEEDS)}. "
    "Not shown: other data, other sizes, a base larger than this one."
)

# %%
NEEDED = ("points", "seed", "test images", "not")


def check_report(given):
    check(
        given,
        lambda it: all(word in it.lower() for word in NEEDED),
        f"A report has these words at least: {', '.join(NEEDED)}.",
    )


check_report(my_report)

# %% [markdown]
# ## What these records say

# %%
apart = max(max(r.test.accuracy for r in g.ok) - min(r.test.accuracy for r in g.ok) for g in groups)
unclear = [f"{a.name} and {b.name}" for a, b, _ in pairs if verdict.verdict(a, b).equal]
answered(
    prediction,
    (
        f"up to {points(apart, sign=False)}",
        "; ".join(unclear) or "none: all are clearly apart",
        f"{points(excess, sign=False)} points",
    ),
)
say("**What these records say.** " + " ".join([*verdict.headline(records), *verdict.care(seen)]))

# %% [markdown]
# ## Check yourself
#
# **1.** An interval of a difference is −0.4 to +3.1 points. A friend says: "no effect". Is that
# right?
#
# <details><summary>Answer</summary>
#
# No. The data are compatible with nothing and with three points, which would be a lot. They do not
# show a difference, and they do not show that there is none. More seeds or more test images would
# tell.
#
# </details>
#
# **2.** Would thirty seeds in place of three help the tie of ants and bees?
#
# <details><summary>Answer</summary>
#
# Hardly. The luck lies in the 153 photographs, which all seeds share. More photographs would.
#
# </details>
