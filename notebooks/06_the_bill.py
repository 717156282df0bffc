# %% [markdown]
# # What does it cost, and who pays?
#
# **Question.** "Fine-tuning is cheaper." In seconds, arithmetic, memory, money, energy: which of
# them, for whom, and what did somebody else pay before?
#
# **Goals.** You can read a bill of seconds; tell learning from measuring and cold from warm;
# estimate FLOP, energy and money; put the cost of pretraining beside that of your own training and
# say when it is paid back.
#
# **You need** lesson 3 (scratch or frozen), powers of ten, and this project installed, by
# `pip install -e ".[notebooks]"` in its folder.
#
# **Minutes.** 40, of which the computer needs two.
#
# ## Predict
#
# Three arms on the same images: a network from scratch, a frozen base with a new head, and the same
# base with everything trained.

# %%
prediction = {
    "Which arm takes the most seconds of learning?": "",
    "Which arm does the most arithmetic for each second?": "",
    "The same comparison a second time: which arm gets cheaper?": "",
    "Pretraining took how many times the arithmetic of the frozen arm's own training?": "",
}

# %% [markdown]
# ## Run
#
# Whoever reads a bill has to say what an hour costs and what the machine draws: no program knows.
# The figures here are guesses for a laptop; put in your own.

# %% tags=["parameters"]
DATA = "auto"  # "shapes" needs neither network nor data
LIMITS = {"train_size": 1000, "validate_on": 500, "test_on": 2000}
PER_HOUR = 0.10  # money, in your currency
WATTS = 30.0

# %%
import math

from comparisons import cifar, report
from comparisons.core.bill import LEARNING, MEASURING
from comparisons.core.prices import Prices
from comparisons.findings import intervals, verdict
from comparisons.findings.names import arm_name
from comparisons.findings.text import count, percent, scaled, seconds
from comparisons.report.lesson import answered, check, say, table
from comparisons.running import supplies

base = supplies.base("mobilenet@0.25x64")
ARMS = ["cnn:scratch", f"{base}:frozen", f"{base}:full"]
records = cifar.compare(ARMS, DATA, seeds=0, **LIMITS)

assert all(r.status != "failed" for r in records), [(r.arm, r.status, r.error) for r in records]
scratch, frozen, full = (next(r for r in records if r.arm == arm) for arm in ARMS)
data = scratch.data
kind = "drawn by a program, so they say nothing of photographs" if data.synthetic else "real"
say(f"These runs used **{data.name}**; its images are {kind}.")
busiest = max(r.neighbours.share for r in records)
if busiest > 0.1:
    say(f"Other programs used {percent(busiest, 0)} of the processors: seconds are too many.")

# %% [markdown]
# ## Investigate: seconds
#
# **Predict**: what is the longest piece of each arm's bar?

# %%
report.draw(records, "time-split")

# %% [markdown]
# *Learning* is what the trained network costs. *Measuring* is what it costs to know how good it is.
# Every second belongs to exactly one part.

# %%
table(
    "part | " + " | ".join(r.arm for r in records),
    *(
        f"{kind_of}: {part} | " + " | ".join(seconds(getattr(r.seconds, part)) for r in records)
        for kind_of, parts in (("learning", LEARNING), ("measuring", MEASURING))
        for part in parts
        if any(getattr(r.seconds, part) for r in records)
    ),
)

# %% [markdown]
# **Write** the share of the frozen arm's cold learning that a kept cache would save next time: what
# is cold and not warm. `intervals.learning(record, cold=True)` gives either.

# %% tags=["solution"]
saved = 1 - intervals.learning(frozen, cold=False) / intervals.learning(frozen, cold=True)


# %%
def check_saved(given):
    s = frozen.seconds
    ready = s.engine_cold + s.source_cold + s.extract_train_cold
    check(
        given,
        lambda it: math.isclose(it * s.learning_cold, ready, abs_tol=0.01),
        "One minus warm over cold.",
    )


check_saved(saved)
if saved is not ...:
    say(f"A kept cache saves {percent(saved, 0)} of the frozen arm's cold learning.")

# %% [markdown]
# ## Investigate: arithmetic and memory
#
# FLOP are multiplications and additions. One image through a network costs
# `flops.forward_per_image`; training on it about three times that, forward and backward.
# **Predict**: which arm does most, and is it the one that takes longest?

# %%
table(
    "arm | FLOP, one image | FLOP, the run | FLOP per second of learning | peak memory",
    *(
        f"{r.arm} | {scaled(r.flops.forward_per_image)} | {scaled(r.flops.total)} | "
        f"{scaled(r.flops.total / intervals.learning(r))} | {scaled(r.peak_memory, 'B')}"
        for r in records
    ),
)

# %% [markdown]
# ## Investigate: money and energy
#
# **Write** the energy in watt-hours and the money of so many seconds.


# %% tags=["solution"]
def bill(seconds, watts, per_hour):
    """Watt-hours, and money."""
    return watts * seconds / 3600, per_hour * seconds / 3600


# %%
def check_bill(given):
    check(
        given(7200, 50, 0.25),
        lambda it: math.isclose(it[0], 100) and math.isclose(it[1], 0.5),
        "Both are per hour, and an hour has 3,600 seconds. Give the pair (energy, money).",
    )


check_bill(bill)

# %% [markdown]
# **Predict**: is one of the arms expensive? What on your desk draws more in an hour?

# %%
prices = Prices(PER_HOUR, WATTS)
table(
    "arm | learning, cold | energy | price",
    *(
        f"{r.arm} | {seconds(intervals.learning(r))} | {prices.energy(intervals.learning(r))} | "
        f"{prices.money(intervals.learning(r))}"
        for r in records
    ),
)

# %% [markdown]
# ## Investigate: upstream
#
# The base was trained before our clock began. What is known of that stands in the record. **Write**
# an estimate of the FLOP that it took: three times `flops.forward_per_image` of the frozen arm for
# every image of every epoch, or of one epoch where their number is not known. (A rough one: the
# base was trained at another image size. Where a record has the figure itself, that is the better
# one.)

# %%
upstream = frozen.weights.upstream
images, epochs = upstream.get("images") or 0, upstream.get("epochs") or 1
say(", ".join(f"{name}: {value}" for name, value in upstream.items() if value is not None))

# %% tags=["solution"]
paid_before = 3 * frozen.flops.forward_per_image * images * epochs


# %%
def check_paid(given):
    check(
        given,
        lambda it: math.isclose(it / frozen.flops.forward_per_image, 3 * images * epochs),
        "3 × FLOP of one image × images × epochs.",
    )


check_paid(paid_before)

# %% [markdown]
# Who pays that? If one user trains on the base, that user; if a million do, a millionth each.
# **Predict**: for how many users does a share of pretraining become less than what a frozen arm
# spends itself?

# %%
known = upstream.get("flops") or 3 * frozen.flops.forward_per_image * images * epochs
times = known / frozen.flops.total if frozen.flops.total else math.nan
roughly = "about" if upstream.get("epochs") else "at least (as for a single epoch)"
say(
    f"Pretraining took {roughly} {scaled(known)}FLOP, {count(times)} times what the frozen arm "
    f"computed here. Shared by {count(times)} users it is as much for each as their own training."
)

# %% [markdown]
# ## Modify: the second time
#
# Run the same three arms once more. **Predict**: which seconds go, and which do not? Then **write**
# the call.

# %% tags=["solution"]
second = cifar.compare(ARMS, DATA, seeds=0, **LIMITS)


# %%
def check_second(given):
    check(
        given,
        lambda runs: [r.arm for r in runs] == [r.arm for r in records],
        "The very same call as above.",
    )


check_second(second)
if second is not ...:
    table(
        "arm | spent the first time | spent the second time | cold price, both times",
        *(
            f"{a.arm} | {seconds(a.seconds.learning)} | {seconds(b.seconds.learning)} | "
            f"{seconds(a.seconds.learning_cold)}, {seconds(b.seconds.learning_cold)}"
            for a, b in zip(records, second, strict=True)
        ),
    )

# %% [markdown]
# ## Make: a bill for somebody
#
# **Write** two sentences for a school that wants to sort its own pictures each week with one
# laptop: what will they pay, in what, and what have others paid for them?

# %% tags=["solution"]
my_bill = f"Each week {seconds(intervals.learning(frozen))}, for pennies. Others paid for the base."

# %%
check(my_bill, lambda it: len(it.split()) > 10, "Two sentences, with a number that has a unit.")

# %% [markdown]
# ## What these records say

# %%
longest = max(records, key=intervals.learning)
densest = max(records, key=lambda r: r.flops.total / intervals.learning(r))
cheaper = [
    f"{r.arm} by {percent(1 - intervals.learning(r, cold=False) / intervals.learning(r), 0)}"
    for r in records
    if intervals.learning(r, cold=False) < intervals.learning(r)
]
answered(
    prediction,
    (
        f"{longest.arm}, {seconds(intervals.learning(longest))}",
        f"{densest.arm}, {scaled(densest.flops.total / intervals.learning(densest))}FLOP/s",
        ", ".join(cheaper) or "none",
        f"{roughly} {count(times)}",
    ),
)
say("**What these records say.** " + " ".join(verdict.headline(records)))
say(
    f"{arm_name(frozen.arm)} took {seconds(intervals.learning(frozen))} of learning cold and "
    f"{seconds(intervals.learning(frozen, cold=False))} warm, {arm_name(scratch.arm)} "
    f"{seconds(intervals.learning(scratch))}. One seed on one machine: seconds are this machine's."
)

# %% [markdown]
# ## Check yourself
#
# **1.** Two networks do the same FLOP, one takes three times as long. How can that be?
#
# <details><summary>Answer</summary>
#
# Arithmetic is not all: numbers have to come from memory, and small or thin layers leave much of a
# processor waiting. Depthwise convolutions are known for it.
#
# </details>
#
# **2.** A paper reports the training time of the head only. What would you ask?
#
# <details><summary>Answer</summary>
#
# Who computed the features, how long did that take, for how many images, and who trained the base.
# Warm prices are true for a second experiment, not for a first.
#
# </details>
