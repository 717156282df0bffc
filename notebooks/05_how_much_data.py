# %% [markdown]
# # How much data is a base worth?
#
# **Question.** A network from scratch catches up as images grow in number. Where do the two sides
# cross, and how many labels does a pretrained base save?
#
# **Goals.** You can read a learning curve over images; find a crossing by hand and say how sure it
# is; express a base in images and in hours of labelling; say what a curve does not tell.
#
# **You need** lesson 3 (scratch or frozen), logarithms, and this project installed, by
# `pip install -e ".[notebooks]"` in its folder.
#
# **Minutes.** 40, of which the computer needs two or three.
#
# ## Predict
#
# Labels are the dear part: somebody looks at each image and says what it is. Two arms, each with
# 100, 300 and 1,000 images: `cnn:scratch`, a small network with random weights, and a *frozen*
# base, pretrained by others, with a new head. The smaller sets lie within the larger ones.
#
# Write your predictions between the quotation marks, before you run anything.

# %%
prediction = {
    "Which arm is ahead with the fewest images?": "",
    "Which arm is ahead with the most?": "",
    "At how many images are they even, if at all?": "",
    "Twice the images: how many points more does scratch gain?": "",
}

# %% [markdown]
# ## Run
#
# `SIZES` and `SEEDS` are yours to change later. Where CIFAR-10 or the weights are neither on disk
# nor to be had, built-in substitutes take their place, and a notice says so.

# %% tags=["parameters"]
DATA = "auto"  # "shapes" needs neither network nor data
SIZES = [100, 300, 1000]
SEEDS = [0]
LIMITS = {"validate_on": 500}

# %%
import math

import numpy as np

from comparisons import cifar, report
from comparisons.findings import crossings, intervals, labels
from comparisons.findings.names import arm_name
from comparisons.findings.text import about, count, listing, percent, points
from comparisons.findings.view import view
from comparisons.report.lesson import answered, check, say, table
from comparisons.running import supplies

ARMS = ["cnn:scratch", f"{supplies.base('mobilenet@0.25x64')}:frozen"]
records = cifar.compare(ARMS, DATA, SIZES, SEEDS, **LIMITS)

assert all(r.status == "ok" for r in records), [(r.arm, r.status, r.error) for r in records]
data = records[0].data
kind = "drawn by a program, so they say nothing of photographs" if data.synthetic else "real"
say(f"These runs used **{data.name}**; its images are {kind}. Test images: {data.sizes.test:,}.")

# %% [markdown]
# ## Investigate: two curves
#
# **Predict**: sketch both curves on the handout first, with a cross where they meet. The horizontal
# axis is logarithmic: each step to the right is a multiple of the images, not so many more of them.

# %%
report.draw(records, "accuracy-images")

# %%
seen = view(records)
scratch, frozen = (
    seen.by_arm[arm] for arm in sorted(seen.by_arm, key=lambda a: "scratch" not in a)
)


def reached(by_size):
    """Mean test accuracy at each size, as a fraction."""
    return {size: intervals.accuracies(group.ok).mean for size, group in by_size.items()}


gaps = {n: reached(scratch)[n] - reached(frozen)[n] for n in seen.sizes}
table(
    "images | scratch | frozen | scratch is ahead by, points",
    *(
        f"{count(n)} | {percent(reached(scratch)[n])} | {percent(reached(frozen)[n])} | "
        f"{points(gap)}"
        for n, gap in gaps.items()
    ),
)

# %% [markdown]
# ## Investigate: the crossing, by hand
#
# Between two sizes take the gap as a straight line *over the logarithm of the number of images*.
# With 100 images the gap is −4 points, with 10,000 it is +4: the middle of log 100 and log 10,000
# is log 1,000, so the arms are even at 1,000, not at 5,050.
#
# **Write** a function that does this for any two sizes. The check tries it on gaps that you have
# not seen.


# %% tags=["solution"]
def even(low, gap_low, high, gap_high):
    """The number of images from `low` to `high` at which the gap is zero."""
    share = -gap_low / (gap_high - gap_low)
    return low * (high / low) ** share


# %%
def check_even(given):
    cases = {(100, -4, 10_000, 4): 1000, (100, -1, 10_000, 3): 100 * 10**0.5, (50, -3, 800, 1): 400}
    check(
        [given(*case) for case in cases],
        lambda it: np.allclose(it, list(cases.values()), rtol=1e-3),
        "Which share of the way from the lower gap to the higher is zero? Go that share of the way "
        "in logarithms.",
    )


check_even(even)

# %% [markdown]
# The project does the same, looks at all sizes, and asks how sure that is. **Predict**: does one
# seed allow an interval?

# %%
found = crossings.leading(seen)
say(crossings.say(found))
say(
    "The number of seeds is "
    f"{len(SEEDS)}: {'an interval needs three.' if len(SEEDS) < 3 else 'enough for an interval.'}"
)

# %% [markdown]
# ## Investigate: a base, in images
#
# Read the figure sideways: at the height that the frozen base reaches with *n* images, how many
# does scratch need? That number over *n* is what the base is worth. It is a bound where scratch
# does not get there with all images that we gave it, and below one where scratch was there before.

# %%
worths = sorted(crossings.worths(seen), key=lambda w: w.size)
table(
    "images with the base | scratch needs | the base is worth, times the images",
    *(
        f"{count(w.size)} | "
        + {
            "between": f"about {about(w.images.estimate)}",
            "above": f"more than {count(seen.sizes[-1])}",
            "below": f"fewer than {count(seen.sizes[0])}",
            "not resolved": "not clear",
        }[w.outcome]
        + f" | {'–' if w.times is None else f'{w.times:.1f}'}"
        for w in worths
    ),
)

# %% [markdown]
# **Write**: if labelling an image takes 30 seconds, how many *minutes of labelling* does the base
# save at `worth.size` images? `worth.times` is what it is worth there; take 1.0 where it is `None`.

# %%
worth = max(worths, key=lambda w: w.times or 0.0)
say(f"`worth` is the row of the table with {count(worth.size)} images: there it is worth most.")

# %% tags=["solution"]
minutes = ((worth.times or 1.0) - 1) * worth.size * 30 / 60


# %%
def check_minutes(given):
    check(
        given,
        lambda it: math.isclose(it * 2, ((worth.times or 1.0) - 1) * worth.size, abs_tol=0.5),
        "It saves (times − 1) × size labels, and each takes half a minute.",
    )


check_minutes(minutes)
if minutes is not ...:
    say(f"With {count(worth.size)} images the base saves {minutes:.0f} minutes of labelling.")

# %% [markdown]
# ## Modify: another seed
#
# The seed decides which images are in the training set, their order and the random weights.
#
# **Predict**: with another seed, does the crossing move by a few per cent, or by half? Then run the
# two larger sizes with seed 1. (Two, for time; what is compared are the same two of both seeds.)

# %% tags=["solution"]
again = cifar.compare(ARMS, DATA, SIZES[1:], seeds=[1], **LIMITS)


# %%
def check_again(given):
    check(
        given,
        lambda runs: (
            {(r.arm, r.train_size, r.seed) for r in runs}
            == {(r.arm, n, 1) for r in records for n in SIZES[1:]}
        ),
        "The same call as above, with `SIZES[1:]` and `seeds=[1]`.",
    )


check_again(again)
if again is not ...:
    first = [r for r in records if r.train_size in SIZES[1:] and r.seed == SEEDS[0]]
    for seed, runs in ((SEEDS[0], first), (1, again)):
        one = view(runs)
        say(f"Seed {seed}: {crossings.say(crossings.leading(one))}")

# %% [markdown]
# ## Modify: what more labels would bring
#
# A curve through three sizes can be carried on, with care: the project goes to twice the largest
# size and no further, and says how sure that is. (With more seeds or sizes it also hides the
# largest and predicts it from the others; one seed of three sizes is too little for that.)
# **Predict**: how many points does twice the images bring scratch, and how wide is the interval?

# %%
for outlook in labels.outlooks(seen):
    say(labels.say(outlook, arm_name(outlook.label)))

# %% [markdown]
# ## Make: your own question
#
# Choose one, write your prediction and the *result that would change your mind*, then run it. Each
# takes a few minutes.
#
# - **Fewer classes.** `cifar.compare(ARMS, DATA, SIZES, classes=["cat", "dog"])` (on `shapes`, two
#   of its classes): is a base worth more or less when only two things are to be told apart?
# - **A nearer base.** `supplies.base("mobilenet@0.25x160")` sees the same images enlarged.
# - **Sure, not quick.** `SEEDS = [0, 1, 2]` above: the crossing gets an interval.
#
# `report.show(records)` shows all figures of a comparison.

# %% tags=["solution"]
mine = "With two classes I expect a base to be worth less, for there is less to be known."

# %%
check(mine, lambda it: len(it.split()) > 5, "Write your prediction in a sentence, then run it.")

# %% [markdown]
# ## What these records say

# %%
fewest, most = min(gaps), max(gaps)
luck = intervals.sampling_noise(max(reached(scratch)[most], reached(frozen)[most]), data.sizes.test)


def ahead(gap):
    return "neither clearly" if abs(gap) < luck else "scratch" if gap > 0 else "frozen"


gains = [o for o in labels.outlooks(seen) if "scratch" in o.label]
answered(
    prediction,
    (
        f"{ahead(gaps[fewest])} ({points(gaps[fewest])} points)",
        f"{ahead(gaps[most])} ({points(gaps[most])} points)",
        crossings.say(found),
        listing([f"about {points(o.gain)} expected" for o in gains]) or "three sizes are needed",
    ),
)
say("**What these records say.** " + " ".join(crossings.sentences(found, seen)))
say(
    f"With {data.sizes.test:,} test images a gap below about {points(luck, sign=False)} points may "
    "be the luck of their draw alone."
)

# %% [markdown]
# ## Check yourself
#
# **1.** A crossing is found at 400 images, with sizes 100, 300 and 1,000. Which sizes would you run
# next, and why not 10,000?
#
# <details><summary>Answer</summary>
#
# Between 300 and 1,000, say 450 and 670: only sizes that enclose it make it more exact. 10,000
# tells who wins later, not where the lead changes.
#
# </details>
#
# **2.** "The base is worth 3 times the images." Of *whose* images, and what did it cost?
#
# <details><summary>Answer</summary>
#
# Of yours. The base itself has seen a million of other people's images, many times, and somebody
# labelled those as well.
#
# </details>
