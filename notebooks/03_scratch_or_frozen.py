# %% [markdown]
# # Train from scratch, or fine-tune?
#
# **Question.** With 2,000 images and two minutes: begin with random weights, or stand on a base
# that somebody has already trained?
#
# **Goals.** You can say what a frozen base is and prove that it stayed frozen; read learning curves
# over epochs and over seconds; tell a cold price from a warm one; say how far one seed can be
# trusted.
#
# **You need** to know what a convolution and an epoch are, and this project installed, by
# `pip install -e ".[notebooks]"` in its folder.
#
# **Minutes.** 45, of which the computer needs one or two.
#
# You have images, labels and a computer. There are two ways to get a classifier:
#
# - **From scratch.** Begin with random weights and learn everything from your own images.
# - **Fine-tune.** Begin with a *base*: a network that somebody has already trained on other
#   images. Put a new classifier, the *head*, on top of it and train that. In this lesson the base
#   itself is **frozen**, so none of its weights change. This is the lightest kind of fine-tuning;
#   some books call it feature extraction. Heavier kinds go on to train parts of the base as well.
#
# Which is better? That question has no answer until somebody says *better at what*: accuracy,
# time, number of labels? So we do what one does in any science: a fair experiment. Both sides
# see the same images in the same order, every second is charged, and the test images are looked
# at once, at the end.
#
# Do you see results below the cells already? Then this is the solution, as it was last run
# for the project. Run the lesson yourself and the numbers will differ, the seconds most of all; the
# sentences about them are computed, and follow.
#
# ## Predict
#
# A side of the experiment is called an **arm** and is written `MODEL:STRATEGY`. One of ours is
# `cnn:scratch`, a small convolutional network with random weights. The other one is called
# `...:frozen`, a pretrained base with a new head. Both train on the same 2,000 images, each by
# a recipe of its own.
#
# Before you run anything, write your predictions between the quotation marks below. Do not skip
# this. A result that you predicted wrongly is one that you remember; a result that you only
# looked at seems obvious, and is gone tomorrow.

# %%
prediction = {
    "Which arm is ahead after 10 seconds, scratch or frozen?": "",
    "Which arm has the higher test accuracy at the end?": "",
    "What takes most of the frozen arm's learning time?": "",
}

# %% [markdown]
# ## Run
#
# One call does all of it. `preset="demo"` asks for 2,000 training images of CIFAR-10, photographs
# of 32 × 32 pixels in ten classes. Where CIFAR-10 or the pretrained weights are neither on disk
# nor to be had from the network, built-in substitutes take their place; a notice then says so.
#
# While it runs, a line for each arm says how it gets on, and curves grow as epochs end: the share
# of images it did not train on that an arm names rightly. **Predict** before you start it: which
# curve begins higher, and which one gains more from its last epochs?
#
# Everything that follows is computed from what ran on *your* computer.

# %% tags=["parameters"]
DATA = "auto"  # "shapes" needs neither network nor data
LIMITS = {"preset": "demo"}

# %%
from comparisons import cifar, report
from comparisons.findings import intervals, verdict
from comparisons.findings.names import arm_name
from comparisons.findings.text import percent, seconds
from comparisons.report.lesson import answered, check, curves, say, table

records = cifar.compare(data=DATA, watch=curves, **LIMITS)

assert all(r.status == "ok" for r in records), [(r.arm, r.status, r.error) for r in records]
scratch = next(r for r in records if r.strategy == "scratch")
frozen = next(r for r in records if r.strategy == "frozen")


# %%
data, sizes = scratch.data, scratch.data.sizes
kind = "drawn by a program, so they say nothing of photographs" if data.synthetic else "real"
say(
    f"These runs used **{data.name}** (its images are {kind}): {sizes.train:,} images to train "
    f"on, {sizes.validation:,} for validation and {sizes.test:,} for the test, in "
    f"{len(data.classes)} classes: {', '.join(data.classes)}. The arms are **{scratch.arm}**, in "
    f"words *{arm_name(scratch.arm)}*, and **{frozen.arm}**, *{arm_name(frozen.arm)}*; the "
    f"pretrained base comes from {frozen.weights.origin}."
)

# %% [markdown]
# ## Investigate: a record is data
#
# `compare` returns one **record** for each run: what the run was, what it did and what it cost.
# There is nothing magic in a record, and no picture in this lesson shows anything that you could
# not work out from it. Its `history` is a plain list with one entry for each epoch: the curves that
# you saw grow were drawn from it. Below is the history of the arm from scratch, as far as
# validation images were looked at. **Predict**: which of its columns will go on falling for as long
# as it trains, which may turn?

# %%
print(scratch.history[0])

table(
    "epoch | training loss | validation loss | training accuracy | validation accuracy | seconds",
    *(
        f"{e.epoch} | {e.train_loss:.3f} | {e.val_loss:.3f} | {percent(e.train_accuracy)} | "
        f"{percent(e.val_accuracy)} | {e.seconds:.2f}"
        for e in scratch.history
        if e.val_loss is not None
    ),
)

# %% [markdown]
# ## What "frozen" means, checked
#
# A parameter is a number inside the network; a *trainable* one is changed by training. In a frozen
# base nothing is trainable, only the new head is. That is easily said and easily got wrong: there
# is well-known published code with a section called "fine-tuning" that trains the head alone. So do
# not trust the word, count.
#
# Not even the network from scratch trains every parameter. Its first layer is computed from the
# images rather than learnt, and its normalisation layers keep running averages. **Predict**: is one
# of the two networks much larger than the other?
#
# **Write**: which share of the frozen arm's parameters is trained? `frozen.parameters` has both
# counts.

# %% tags=["solution"]
share = frozen.parameters.trainable / frozen.parameters.total


# %%
def check_share(share):
    counts = frozen.parameters
    check(
        share,
        lambda it: round(it * counts.total) == counts.trainable,
        "Divide the trainable parameters by all of them.",
    )


check_share(share)

# %% [markdown]
# Now all counts. The assertions below fail loudly if anything is trained that should not be.

# %%
table(
    "arm | parameters | of these trainable | share",
    *(
        f"{r.arm} | {r.parameters.total:,} | {r.parameters.trainable:,} | "
        f"{percent(r.parameters.trainable / r.parameters.total)}"
        for r in records
    ),
)

assert 0 < frozen.parameters.trainable < frozen.parameters.total
assert scratch.parameters.trainable > 0.9 * scratch.parameters.total
assert [phase.trainable for phase in frozen.phases] == ["head"]
assert scratch.weights.origin == "random" != frozen.weights.origin

# %% [markdown]
# ## Learning curves, and why validation is not test
#
# A network can learn its training images by heart, so we also watch images that it never trains
# on. They come in two sets, for two purposes:
#
# - **Validation** images are for decisions: how long to train, which setting to keep, when to stop.
#   We look at them after every epoch.
# - **Test** images are for the result. We look at them once, when all decisions are made.
#
# Why not use one set for both? Because deciding is a way of learning. If you look after every epoch
# and report the best, you report partly how good the network is and partly how lucky its luckiest
# epoch was.
#
# **Predict** before you run the next cell. Is the gap between training (dashed) and validation
# (solid) wider for the arm from scratch or for the frozen one? Will either validation loss turn
# upwards? A warning: the levels of two arms' *losses* need not be comparable, because arms may
# train with different loss functions (ours do: one softens its labels). Compare shapes.

# %%
report.draw(records, "loss")

# %% [markdown]
# Now the same as accuracy. You have seen the solid curves grow. **Predict** where the dashed one of
# each arm ends: at which share of its own training images?

# %%
report.draw(records, "accuracy")

# %%
table(
    "arm | validation, best epoch | validation, last epoch | test",
    *(
        f"{r.arm} | {percent(intervals.best_validation(r))} | "
        f"{percent(r.history[-1].val_accuracy)} | {percent(r.test.accuracy)}"
        for r in records
    ),
)

# %% [markdown]
# ## The race against the clock
#
# So far the horizontal axis counted epochs. Nobody waits in epochs, people wait in seconds, and
# an epoch of one arm may cost many times an epoch of the other. In the next figure each arm's
# clock starts when its run starts. Preparation is charged before the first epoch: building the
# network, compiling it, and passing every training image through the frozen base. What is done with
# validation images is not charged here, for it is ours and not the arm's; the section after this
# one shows it too.
#
# **Predict.** Which arm finishes its *first* epoch first? Does the lead change hands? If so, when?
# In the table a dash says that an arm's first epoch has not ended yet.


# %%
def accuracy_after(record, moment):
    """Validation accuracy at the last look before then; None before the first."""
    looks = zip(record.history, intervals.clock(record), strict=True)
    seen = [e.val_accuracy for e, t in looks if t <= moment and e.val_accuracy is not None]
    return seen[-1] if seen else None


def leader_after(moment):
    a, b = (accuracy_after(r, moment) or 0.0 for r in (scratch, frozen))
    return "neither" if a == b else scratch.arm if a > b else frozen.arm


report.draw(records, "accuracy-time")

# %%
finish = max(intervals.clock(r)[-1] for r in records)
table(
    f"after | {scratch.arm} | {frozen.arm} | ahead",
    *(
        f"{seconds(t)} | {percent(accuracy_after(scratch, t))} | "
        f"{percent(accuracy_after(frozen, t))} | {leader_after(t)}"
        for t in (5 * 2**n for n in range(12))
        if t == 5 or t < 2 * finish
    ),
)

# %% [markdown]
# ## Where the time goes: cold and warm
#
# A frozen base gives the same features for the same image every time. So each image passes through
# it once, the features are kept on disk, and the head trains on them: an epoch handles short lists
# of numbers instead of images. It also means that two different prices are both true:
#
# - **cold**: what computes the features (the *engine*) is prepared, and they are computed first.
#   This is what somebody pays who starts today.
# - **warm**: the features are found ready. This is what the second experiment costs.
#
# Whoever quotes the warm price only has hidden a cost. Our records keep the cold price with the
# features, so both can be told even if your disk had them already.
#
# **Predict.** What is the longest piece of each bar of learning? Would a faster computer, a better
# cache or fewer epochs help that arm most?

# %%
report.draw(records, "time-split")

# %% [markdown]
# **Write** the cold price of the frozen arm's learning from the parts in `frozen.seconds`: reading,
# setting up, extracting features of training images, compiling, training. Those that a cache can
# save have a twin that ends in `_cold`.

# %%
paid = frozen.seconds

# %% tags=["solution"]
price = paid.read + paid.setup_cold + paid.extract_train_cold + paid.compile + paid.train


# %%
def check_price(price):
    check(
        price,
        lambda it: abs(it - intervals.learning(frozen)) < 0.01,
        "Five parts, of which setting up and extracting have a `_cold` twin.",
    )


check_price(price)

# %%
cold, warm = (intervals.learning(frozen, cold=c) for c in (True, False))
images = sizes.train + sizes.validation + sizes.test
found = "were found on disk" if frozen.kept_costs else "had to be computed in this run"
say(
    f"**{frozen.arm}** learns in {seconds(cold)} cold and {seconds(warm)} warm, and of that "
    f"{seconds(frozen.seconds.train / len(frozen.history))} for training in an epoch. "
    f"**{scratch.arm}** keeps no features; it learns in {seconds(intervals.learning(scratch))}, "
    f"and of that {seconds(scratch.seconds.train / len(scratch.history))} for training in an epoch."
)
say(
    f"The features {found}. Of the {images:,} images that pass through the frozen base, "
    f"{sizes.train:,} are training images. The other {percent(1 - sizes.train / images, 0)} "
    "are there for measuring, not for learning: the clock charges them apart."
)

# %% [markdown]
# ## What somebody else has paid
#
# The frozen arm stands on training that took place before our clock started. You do not pay for
# it again, and neither does the next user, so it is not part of the seconds. But it was paid. Be
# careful with the sentence "fine-tuning needs less data": it needs less of *your* data.

# %%
upstream = {k: v for k, v in frozen.weights.upstream.items() if v is not None}
if upstream:
    rows = (
        f"{k} | {v:,}" if isinstance(v, int | float) else f"{k} | {v}" for k, v in upstream.items()
    )
    table(f"before {frozen.arm} | what is known", *rows)
else:
    say("The record has no figure for it. Not known is not the same as nothing.")
if "images" in upstream:
    often = f"{upstream['epochs']} epochs" if "epochs" in upstream else "Even a single epoch"
    shown = upstream["images"] * upstream.get("epochs", 1)
    say(
        f"{often} over those {upstream['images']:,} images: that is "
        f"{shown / frozen.images_seen:.1f} "
        f"times the {frozen.images_seen:,} images that the head was shown here in all its epochs. "
        f"{scratch.arm} owes nothing to anybody: it was shown {scratch.images_seen:,} images in "
        "all, and that is its whole education."
    )

# %% [markdown]
# ## What is taken for what
#
# One accuracy hides ten classes. In a confusion matrix a row is a true class and a column is what
# the network called it.
#
# **Predict.** Look at the list of classes near the top. Which two will be confused most often?
# Will both arms confuse the same two?


# %%
def worst_confusion(record):
    """The share of a true class that was called some other class, and the two names."""
    names, rows = record.data.classes, record.test.confusion
    cells = ((n / sum(row), i, j) for i, row in enumerate(rows) for j, n in enumerate(row))
    share, i, j = max(cell for cell in cells if cell[1] != cell[2])
    return share, names[i], names[j]


report.draw(records, "confusion")

# %%
for r in records:
    share, true, called = worst_confusion(r)
    say(f"**{r.arm}** takes {percent(share, 0)} of the images of *{true}* for *{called}*.")

# %% [markdown]
# ## The finding, and how far to trust it
#
# We ran **one seed**. The seed decides the random weights, which 2,000 images are trained on and
# their order. Another seed gives another result, so a single run is an anecdote: it may be a true
# story, but it does not tell you what usually happens. Two kinds of luck are at work:
#
# - **The test images.** Another draw of test images would have given another accuracy. This luck
#   can be worked out from their number, and the sentences below allow for it.
# - **The seed.** This luck can only be measured, by running several. Because both arms share each
#   seed's split and order, compare them seed by seed: take the difference *within* each seed, then
#   look at how the differences spread. Such runs are **paired**, and part of the luck cancels.

# %%
best = max(records, key=lambda r: r.test.accuracy)
luck = intervals.sampling_noise(best.test.accuracy, sizes.test)
say("**What these records say.** " + " ".join(verdict.headline(records)))
say(
    f"With {sizes.test:,} test images, a difference below about {100 * luck:.1f} points could "
    f"be the luck of their draw alone. Number of seeds: {len({r.seed for r in records})}."
)

parts = {
    "reading data": frozen.seconds.read,
    "setting up": frozen.seconds.setup_cold,
    "extracting features": frozen.seconds.extract_train_cold,
    "compiling": frozen.seconds.compile,
    "training": frozen.seconds.train,
}
answers = (leader_after(10), best.arm, max(parts, key=parts.get))
answered(prediction, answers)

# %% [markdown]
# ## When does training from scratch win?
#
# What you saw holds for 2,000 images, a small network and a minute or two. It would be a mistake
# to carry it away as "pretrained is better" or as "scratch is better". Change the number of labels
# or the time, and **the order of the two can change: they cross.** Published figures for CIFAR-10,
# whose whole training set has 50,000 images, show it:
#
# | what | accuracy | source |
# |---|---|---|
# | ResNet-50, frozen, new linear head | 93.6 % | Grill et al. 2020 (BYOL), table 3 |
# | ResNet-50 from scratch | 95.9 % | Grill et al. 2020 (BYOL), table 3 |
# | ResNet-50, the whole base fine-tuned | 97.5 % | Grill et al. 2020 (BYOL), table 3 |
# | a small network from scratch, 2.59 s on one A100 | 94 % | Keller Jordan, cifar10-airbench |
# | BiT-M R50x1, fine-tuned on 1 image of each class | 54.4 % | google-research/big_transfer |
# | BiT-M R50x1, fine-tuned on 5 images of each class | 83.3 % | google-research/big_transfer |
# | BiT-M R50x1, fine-tuned on all images | 97.2 % | google-research/big_transfer |
#
# Compare the first three rows. With all labels a network from scratch *beats* a frozen base of the
# same architecture, and it takes fine-tuning of the whole base to get ahead again. Then compare the
# last three. With a handful of labels there is little to learn from except what the base brought
# along, and that carries it a long way. He, Girshick and Dollár (2018, "Rethinking ImageNet
# Pre-training") found for detecting objects that pretraining makes learning faster, and does not
# always make the final result better.
#
# A caution about CIFAR-10 itself: about 3 % of its test images have a near-duplicate among the
# training images (Barz and Denzler 2020), so small differences near the top mean less than they
# seem to.

# %% [markdown]
# ## Modify, then make
#
# Predict before each one, in writing. Remove the `#` in front of the lines of code that you
# want to run; each exercise takes a few minutes on two cores. `report.show` shows the finding, a
# table and all figures.
#
# The first three modify what you ran, the last two make a comparison of your own.
#
# 1. **Find the crossing.** Compare three training-set sizes. Does the gap shrink as the labels
#    grow? At which size would you expect the two to meet? Try a larger one.
# 2. **From anecdote to evidence.** Run three seeds. Are the paired differences all of one sign?
#    Is the interval clear of zero? Then compare `base_digest`, the fingerprint of the base's
#    weights after training. In which records is it the same, in which not? What does that prove?
# 3. **Warm.** Run the same comparison again. Which seconds went, and which did not?
# 4. **A weak opponent.** Replace `cnn:scratch` by `tutorial-cnn:scratch`, the network of a
#    well-known tutorial. Does pretraining look better or worse against it? Which opponent is fair?
# 5. **More patience.** Give both arms 60 epochs. Which one still improves? Which one overfits?

# %%
same = {"arms": [scratch.arm, frozen.arm], "data": data.name}

# Exercise 1
# report.show(cifar.compare(**same, train_size=[500, 2000, 8000]))

# Exercise 2
# more = cifar.compare(**same, preset="demo", seeds=[0, 1, 2])
# report.show(more)
# print(intervals.paired(*([r for r in more if r.arm == arm] for arm in same["arms"])))
# print(*((r.arm, r.seed, r.base_digest) for r in more), sep="\n")

# Exercise 3
# report.show(cifar.compare(**same, preset="demo"))

# Exercise 4
# weak = {"arms": ["tutorial-cnn:scratch", frozen.arm], "data": data.name}
# report.show(cifar.compare(**weak, preset="demo"))

# Exercise 5
# report.show(cifar.compare(**same, preset="demo", epochs=60))

# %% [markdown]
# ## Check yourself
#
# **1.** A friend trains for 40 epochs, looks at the *test* accuracy after each one and reports the
# highest. What is wrong, and in which direction is her figure off?
#
# <details><summary>Answer</summary>
#
# She used the test images to decide which epoch to keep, so they became validation images. Her
# figure is too high on average, for it includes the luck of the luckiest of 40 epochs. She should
# choose the epoch by validation images and look at the test images once.
#
# </details>
#
# **2.** A frozen base has many parameters, and every image has to pass through all of them. Why
# can an epoch of the frozen arm still be cheaper than an epoch of a small network from scratch?
#
# <details><summary>Answer</summary>
#
# The base does not change, so its features of an image do not change either: they are computed once
# and kept. An epoch trains the head alone, on short lists of numbers instead of images. The price
# is paid before the first epoch (cold), or was paid by an earlier experiment (warm).
#
# </details>
#
# **3.** On 10,000 test images and one seed, arm A reaches 71.0 % and arm B 70.4 %. What may you
# conclude?
#
# <details><summary>Answer</summary>
#
# Very little. At this accuracy the draw of 10,000 test images alone can make a difference of a
# point or so, and nothing is known about how much the seeds differ. Run at least three seeds, take
# the difference within each, and see whether the interval is clear of zero. Or conclude what the
# figures do support: the two are about equally accurate, so choose by cost.
#
# </details>
