# %% [markdown]
# # Does it matter where training begins?
#
# **Question.** Training goes downhill from where it starts. Random weights of one size, of another
# (Xavier, He), or those that somebody else has trained: does the start decide the end?
#
# **Goals.** You can say why signals fade or explode in a deep network; derive He's rule and check
# it; read a figure of signals and gradients before training; say in which sense pretraining is
# "only" a starting point.
#
# **You need** lesson 1 (what training is), variances of sums, and this project installed, by
# `pip install -e ".[notebooks]"` in its folder.
#
# **Minutes.** 40, of which the computer needs two.
#
# ## Predict
#
# The first network is `plain-cnn`: 18 narrow convolutions with nothing between them that would keep
# a signal at its strength. It is trained three times, and only its first weights differ: *plain*
# (all of one size, whatever the layer), *Xavier* and *He*, which look at how many inputs a sum has.
# Then another network begins at random, or with pretrained weights.

# %%
prediction = {
    "Which of plain, Xavier and He ends highest?": "",
    "Where does the signal fade: near the input, or near the output?": "",
    "The same network, pretrained: does it begin higher, learn faster, end higher?": "",
}

# %% [markdown]
# ## Run
#
# Three runs of the same network, on the same images in the same order.

# %% tags=["parameters"]
DATA = "auto"  # "shapes" needs neither network nor data
LIMITS = {"train_size": 3000, "validate_on": 500, "test_on": 2000}
SAME_BUDGET = {"train_size": 500, "epochs": 20, "validate_on": 500, "test_on": 2000}

# %%
import numpy as np

from comparisons import cifar, knobs, report
from comparisons.findings import intervals, verdict
from comparisons.findings import knobs as said_of_knobs
from comparisons.findings.groups import ending
from comparisons.findings.text import listing, percent, points
from comparisons.findings.view import view
from comparisons.report.lesson import answered, check, curves, say, table

records = knobs.turn("init", DATA, **LIMITS)

assert all(r.status != "failed" for r in records), [(r.arm, r.status, r.error) for r in records]
data = records[0].data
kind = "drawn by a program, so they say nothing of photographs" if data.synthetic else "real"
say(f"These runs used **{data.name}**; its images are {kind}.")

# %% [markdown]
# ## Investigate: how strong a sum is
#
# A unit sums *n* inputs, each times a weight. Let the inputs have a mean square of 1, and the
# weights be random with mean 0 and variance *v*. The sum then has the variance *n v*. A ReLU sets
# half of the sums to zero, so that the mean square of what goes on is *n v* / 2.
#
# **Write** the standard deviation of weights for which the signal stays as strong as it came: a
# mean square of 1 in, 1 out. (This is He's rule, from He et al. 2015, arXiv:1502.01852.)


# %% tags=["solution"]
def he(n):
    """The standard deviation of weights for sums of n inputs that go through a ReLU."""
    return (2 / n) ** 0.5


# %%
def strength(deviations, inputs=200, layers=18, seed=0):
    """The root mean square of a random signal after each layer, its weights so far spread."""
    random = np.random.default_rng(seed)
    signal, found = random.normal(size=(100, inputs)), []
    for _ in range(layers):
        signal = np.maximum(signal @ random.normal(scale=deviations, size=(inputs, inputs)), 0)
        found.append(float(np.sqrt(np.mean(signal**2))))
    return found


def check_he(given):
    check(
        [given(200), given(50)],
        lambda it: 0.2 < strength(it[0])[-1] < 5 and 0.2 < strength(it[1], inputs=50)[-1] < 5,
        "Solve n v / 2 = 1 for v, then take the root. The check sends a signal through 18 layers.",
    )


check_he(he)

# %% [markdown]
# **Predict**: with weights half as large, how strong is the signal after 18 layers? And twice as
# large?

# %%
table(
    "weights, times He's | after 1 layer | after 6 | after 18",
    *(
        f"{times} | "
        + " | ".join(f"{strength(times * 0.1)[layer - 1]:.2g}" for layer in (1, 6, 18))
        for times in (0.5, 1, 2)
    ),
)

# %% [markdown]
# ## Investigate: the real network, before training
#
# The same was measured in the three networks that ran, before their first step: the spread of each
# layer's weights, of its output, and of its gradient. **Predict** the lines of signals on the
# handout: which is level, which falls, and by how many powers of ten?

# %%
report.draw(records, "at-start")

# %% [markdown]
# **Write**: for each variant, the spread of the last layer's signal over that of the first. A
# record has `at_start`, a list of layers with `activations`; its variant is `settings.variant`.

# %% tags=["solution"]
kept = {r.settings.variant: r.at_start[-1].activations / r.at_start[0].activations for r in records}


# %%
def check_kept(given):
    check(
        given,
        lambda it: all(
            np.isclose(
                it[r.settings.variant] * r.at_start[0].activations, r.at_start[-1].activations
            )
            for r in records
        ),
        "`r.at_start[-1].activations / r.at_start[0].activations`, by `r.settings.variant`.",
    )


check_kept(kept)

# %% [markdown]
# ## Investigate: does the start decide the end?
#
# **Predict**: sketch the three losses over the epochs. A network that has learnt nothing stays at
# ln 10 = 2.3 for ten classes.

# %%
report.draw(records, "loss")

# %%
say(" ".join(said_of_knobs.sentences(view(records), "init")))

# %% [markdown]
# ## Modify: somebody else's end as your start
#
# Pretraining is a starting point as well: weights at which *another* training ended. `tiny` is a
# small base of this project, trained on drawn shapes. The same network, 500 images, the same number
# of epochs: once from random weights, once from the pretrained ones. All of it has trained in the
# end, but not in the same way: `tiny:full` first trains its new head alone, and then the whole, for
# fewer epochs and at a lower rate. The start is not the only difference.
#
# **Predict** both curves, then run `tiny:scratch` and `tiny:full` with `SAME_BUDGET`; with
# `watch=curves` they grow before your eyes.

# %% tags=["solution"]
pair = cifar.compare(["tiny:scratch", "tiny:full"], DATA, watch=curves, **SAME_BUDGET)


# %%
def check_pair(given):
    check(
        given,
        lambda runs: (
            {r.arm for r in runs} == {"tiny:scratch", "tiny:full"}
            and {len(r.history) for r in runs} == {SAME_BUDGET["epochs"]}
        ),
        'cifar.compare(["tiny:scratch", "tiny:full"], DATA, watch=curves, **SAME_BUDGET)',
    )


check_pair(pair)

# %% [markdown]
# You saw the solid curves grow. **Predict** the dashed ones, of the images that were trained on:
# which start leaves the wider gap? (While the pair is not run, nothing is drawn.)

# %%
None if pair is ... else report.draw(pair, "accuracy")

# %% [markdown]
# ## Make: a start of your own
#
# Turn something else that is decided before the first step, and predict what it does:
# `knobs.turn("init", DATA, seeds=[0, 1, 2], **LIMITS)` asks whether the order of the three is luck;
# `python -m comparisons.knobs --list` shows what else can be turned.

# %% tags=["solution"]
mine = "Three seeds will not change which start is best, for a faded signal is no matter of luck."

# %%
check(mine, lambda it: len(it.split()) > 5, "Write your prediction in a sentence, then run it.")

# %% [markdown]
# ## What these records say

# %%
ended = sorted(
    (r for r in records if r.test), key=lambda r: -r.test.accuracy if r.status == "ok" else 0.0
)
best, luck = ended[0], intervals.sampling_noise(ended[0].test.accuracy, data.sizes.test)
level = [r.settings.variant for r in ended[1:] if best.test.accuracy - r.test.accuracy < luck]


def faded_at(record):
    """The first layer whose signal is below a hundredth of the first one's; None for none."""
    signals = [layer.activations or 0.0 for layer in record.at_start]
    least = said_of_knobs.ALIVE * signals[0]
    return next((i for i, signal in enumerate(signals, start=1) if signal < least), None)


faded = [f"{r.settings.variant} at layer {i}" for r in records if (i := faded_at(r))]
if pair is ...:
    started = "not run yet"
else:
    random, grown = pair if pair[0].strategy == "scratch" else pair[::-1]
    started = (
        f"first epoch {percent(grown.history[0].val_accuracy)} against "
        f"{percent(random.history[0].val_accuracy)}; end {percent(grown.test.accuracy)} against "
        f"{percent(random.test.accuracy)} ({points(grown.test.accuracy - random.test.accuracy)} "
        "points)"
    )
answered(
    prediction,
    (
        f"{best.settings.variant}, {percent(best.test.accuracy)}"
        + (f"; not clearly apart: {listing(level)}" if level else ""),
        "falls below a hundredth of the first layer's: " + (listing(faded) or "nowhere"),
        started,
    ),
)
say(
    "**What these records say.** "
    + " ".join(f"{r.settings.variant}: {ending(r)}, {percent(r.test.accuracy)}." for r in ended)
    + ("" if pair is ... else " " + " ".join(verdict.headline(pair)))
)

# %% [markdown]
# ## Check yourself
#
# **1.** Networks of today are deeper still and begin well with many rules. Why?
#
# <details><summary>Answer</summary>
#
# Normalisation layers bring every signal back to its strength, and shortcuts hand it on as it is.
# Both took the burden from the first weights.
#
# </details>
#
# **2.** "With enough training a bad start does not matter." True?
#
# <details><summary>Answer</summary>
#
# Only if training gets anywhere. Where the gradient at the first layers is a millionth of what it
# should be, a million plain gradient steps are one. Adam, by which these networks trained, divides
# each gradient by its usual size, so that a small one counts as well; but it adds 10⁻⁷ to that size
# first, and beside this *plain*'s gradients are nothing. Where both starts do learn, the gap often
# shrinks: that is the finding of He, Girshick and Dollár (2018) for pretraining.
#
# </details>
