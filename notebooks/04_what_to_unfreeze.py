# %% [markdown]
# # What should be unfrozen?
#
# **Question.** A base can stay as it is, move in part, move as a whole, or keep its weights and get
# small adapters beside them. What does each way gain, what does it cost, and what is forgotten?
#
# **Goals.** You can name what trains under each strategy and check it; count an adapter's
# parameters; read what was gained against what was forgotten; choose a strategy for a purpose, not
# for a decimal.
#
# **You need** lesson 3 (scratch or frozen), the product of two matrices, and this project
# installed, by `pip install -e ".[notebooks]"` in its folder.
#
# **Minutes.** 45, of which the computer needs up to four.
#
# ## Predict
#
# All arms stand on the same base, `tiny`. It belongs to this project and was trained on drawn
# shapes of twenty kinds: a modest base, but the only one whose *old* task is at hand, so what it
# forgets can be measured and not just talked about.
#
# | strategy | what trains | what figures call it |
# |---|---|---|
# | `frozen` | a new head, nothing else | frozen |
# | `partial` | the head, then the last two blocks too | last 2 blocks |
# | `full` | the head, then everything, slowly | fully fine-tuned |
# | `full-hot` | the same at the rate of training from scratch | fine-tuned, high rate |
# | `discriminative` | everything, slower towards the input | a rate per block |
# | `lora` | small adapters beside frozen weights | LoRA, rank 8 |
# | `qlora` | the same, the frozen weights held in 8 bits | 8-bit LoRA, rank 8 |

# %%
prediction = {
    "Which strategy is the most accurate on the new task?": "",
    "Which of those that move the base forgets most of the old one?": "",
    "Of the parameters that full trains, LoRA trains a tenth, a third or half?": "",
}

# %% [markdown]
# ## Run
#
# Curves grow as epochs end: the share right of images that were not trained on. **Predict**: which
# arm is far behind when its head is all that has trained, and which curve jumps when the base
# begins to move?

# %% tags=["parameters"]
DATA = "auto"  # "shapes" needs neither network nor data
SIZE = 500
STRATEGIES = ["frozen", "partial", "full", "full-hot", "discriminative", "lora", "qlora"]
LIMITS = {"validate_on": 500, "test_on": 2000}

# %%
from tempfile import mkdtemp

from comparisons import cifar, report
from comparisons.findings import intervals, verdict, ways
from comparisons.findings.names import strategy_name
from comparisons.findings.text import count, listing, percent, points, scaled, seconds
from comparisons.plan import strategies
from comparisons.report.lesson import answered, check, curves, say, table

arms = [f"tiny:{name}" for name in STRATEGIES]
folder = mkdtemp()  # one network is kept there, to look into
records = cifar.compare(
    arms, DATA, SIZE, seeds=0, out=folder, keep="tiny:full", watch=curves, **LIMITS
)

assert all(r.status != "failed" for r in records), [(r.arm, r.status, r.error) for r in records]
by = {r.strategy.partition("@")[0]: r for r in records}
frozen, lora = by["frozen"], by["lora"]
data = frozen.data
kind = "drawn by a program, so they say nothing of photographs" if data.synthetic else "real"
say(
    f"These runs used {count(SIZE)} images of **{data.name}**; they are {kind}. The base was "
    f"trained on *{frozen.weights.upstream.get('dataset')}*."
)
for r in records:
    if r.status != "ok":
        say(f"**{r.arm}** did not end well ({r.status}: {r.error}). That is a result, too.")

# %% [markdown]
# ## Investigate: what trains
#
# "Fine-tuning" is a word; the list of what trained is a fact. `moved` says how far each block of
# the base went, relative to where it was; white is not at all. `frozen` moves nothing and has no
# row. **Predict**: which arms leave their first blocks white, and which row is the darkest?

# %%
report.draw(records, "moved")

# %% [markdown]
# `base_digest` is a fingerprint of the base's weights after training. Two arms with the same one
# have the same base, to the last bit. Adapters count here as part of the base: the weights under
# them stay as they were, but what the network computes with is their sum, and that has moved.
#
# **Write**: the set of the strategies whose base is *not* that of `frozen` any more.

# %% tags=["solution"]
changed = {name for name, r in by.items() if r.base_digest != frozen.base_digest}


# %%
def check_changed(given):
    table_says = {n for n, r in by.items() if strategies.STRATEGIES[n].moves_base}
    check(given, lambda it: set(it) == table_says, "Compare `r.base_digest` for every `r` in `by`.")


check_changed(changed)

# %% [markdown]
# ## Investigate: what moving is for
#
# A head can only part what lies apart in the features that it reads. Here are validation images,
# which no arm trained on, by the base as it was and by the base that `full` left. It gives each
# image 256 numbers, too many for paper, so they are seen from one side (principal component
# analysis): the side from which all these points, before and after, spread most.
#
# **Predict**: take an image at random and the *other* one whose numbers are most like its own. How
# often are both of one class, before and after? With ten classes chance alone makes it one in ten.

# %%
report.draw_plane(folder)

# %% [markdown]
# ## Investigate: how small an adapter is
#
# LoRA (Hu et al. 2021, arXiv:2106.09685) leaves a weight matrix *W* of *a* × *b* numbers alone and
# adds the product of two narrow ones, *a* × *r* and *r* × *b*. Only these train.
#
# **Write** how many numbers an adapter of rank `r` has.


# %% tags=["solution"]
def adapter(a, b, r):
    """The parameters of an adapter of rank r beside a matrix of a x b."""
    return r * (a + b)


# %%
def check_adapter(given):
    check(
        [given(128, 256, 8), given(10, 1000, 1)],
        lambda it: it == [3072, 1010],
        "Two matrices: one has a × r numbers, the other r × b.",
    )


check_adapter(adapter)

# %% [markdown]
# **Predict**: is rank 8 always a saving? Try a matrix of 16 × 32 on paper: it has 512 numbers. Then
# see what the networks themselves count; the head trains under all of them.

# %%
table(
    "strategy | in words | trainable parameters | adapted weights held in | learning",
    *(
        f"{name} | {strategy_name(r.strategy)} | {count(r.parameters.trainable)} | "
        f"{scaled(r.adapters.bytes, 'B') if r.adapters else '–'} | {seconds(intervals.learning(r))}"
        for name, r in by.items()
    ),
)

# %% [markdown]
# ## Investigate: accuracy against its price
#
# **Predict**: which arms will lie on the grey steps, with no other both better and cheaper?

# %%
report.draw(records, "accuracy-parameters")

# %%
report.draw(records, "accuracy-cost")

# %% [markdown]
# ## Investigate: what was forgotten
#
# Before training, a linear classifier for the *old* task is fitted on the base's features. After
# training the same one reads the features of the base as it has become. What it loses is what the
# base has forgotten. The new head is not asked; it knows nothing of the old task.
#
# **Write**: how much accuracy on the old task did `full` lose? `by["full"].forgetting` has what it
# was `before` and `after`.

# %% tags=["solution"]
lost = by["full"].forgetting.before - by["full"].forgetting.after


# %%
def check_lost(given):
    kept = by["full"].forgetting
    check(
        given,
        lambda it: round(kept.before - it, 6) == round(kept.after, 6),
        "What it was before, less what it was after; negative would mean that it gained.",
    )


check_lost(lost)

# %% [markdown]
# **Predict**: mark on your handout where `full`, `full-hot`, `lora` and `frozen` will lie.

# %%
report.draw(records, "forgetting")

# %% [markdown]
# ## Modify: another rank
#
# `lora@2` is an adapter of rank 2. **Predict**: a quarter of the adapters' parameters, and how much
# less accuracy? Run it as the other arms were run.

# %% tags=["solution"]
narrow = cifar.compare(["tiny:lora@2"], DATA, SIZE, seeds=0, **LIMITS)


# %%
def check_narrow(given):
    check(
        given,
        lambda runs: [(r.strategy, r.train_size) for r in runs] == [("lora@2", SIZE)],
        'The arm is `"tiny:lora@2"`; everything else as above.',
    )


check_narrow(narrow)
if narrow is not ... and narrow[0].test:
    less = lora.test.accuracy - narrow[0].test.accuracy
    luck = intervals.sampling_noise(lora.test.accuracy, data.sizes.test)
    say(
        f"Rank 2 trains {count(narrow[0].parameters.trainable)} parameters, rank 8 "
        f"{count(lora.parameters.trainable)}; rank 8 is {points(less)} points more accurate"
        f"{', which the draw of the test images alone can do' if abs(less) < luck else ''}."
    )

# %% [markdown]
# ## Make: a choice, with its reason
#
# One base serves a hundred schools, each with 500 pictures of its own, and every one still needs
# the old task. **Write** which strategy you would choose, which number above decides, and which
# measurement would change your mind.

# %% [markdown] tags=["solution"]
# *One answer of several.* Adapters or a new head alone: the base is kept once, each school keeps
# only what `trainable parameters` counts, and with the adapter left out the old task is as it was,
# whatever the figure says of the adapted base. Frozen if its accuracy is not clearly behind. I
# would change my mind if three seeds showed `full` ahead by more than the schools can do without.

# %% [markdown]
# To try it on photographs with a base that has seen a million of them (a few minutes; its old task
# is not here, so nothing is said of forgetting), remove the `#`:

# %%
# photographs = [f"mobilenet@0.25x64:{way}" for way in ("frozen", "full", "lora")]
# report.show(cifar.compare(photographs, DATA, SIZE))

# %% [markdown]
# ## What these records say

# %%
best = max((r for r in records if r.status == "ok"), key=lambda r: r.test.accuracy)
luck = intervals.sampling_noise(best.test.accuracy, data.sizes.test)
level = [r for r in records if r.status == "ok" and best.test.accuracy - r.test.accuracy < luck]
# One that diverged has forgotten as well, and is told apart.
lossy = {r.strategy: r.forgetting.before - r.forgetting.after for r in records if r.forgetting}
most = max(lossy, key=lossy.get, default=None)
ratio = lora.parameters.trainable / by["full"].parameters.trainable
others = [r.strategy for r in level if r is not best]
answered(
    prediction,
    (
        f"{best.strategy}, {percent(best.test.accuracy)}"
        + (f"; not clearly apart: {listing(others)}" if others else ""),
        f"{most}, {points(lossy[most], sign=False)} points" if most else "not measured here",
        f"{percent(ratio)}, the head included",
    ),
)
say("**What these records say.** " + " ".join(verdict.headline(records)))
say(f"{ways.forgetting(records)}. {ways.parameters(records)}.")
say(
    f"Seeds: one, so no interval. With {data.sizes.test:,} test images a gap below about "
    f"{points(luck, sign=False)} points may be the luck of their draw."
)

# %% [markdown]
# ## Check yourself
#
# **1.** A colleague "fine-tunes" a base: she sets `trainable = True` after `compile`. What trains?
#
# <details><summary>Answer</summary>
#
# What did before. In Keras a change of `trainable` counts from the next `compile` on. Count, or
# compare fingerprints, as above.
#
# </details>
#
# **2.** Why does the head train alone before the base may move?
#
# <details><summary>Answer</summary>
#
# A new head is random, so its first gradients point nowhere in particular. Passed on into the base
# they would destroy features before anything is known about which of them are useful.
#
# </details>
