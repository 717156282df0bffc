# %% [markdown]
# # What is training?
#
# **Question.** What happens in `fit`? We train one small network by hand, step by step, then the
# very same one by Keras, and see whether anything is left to be magic.
#
# **Goals.** You can say what a loss, a gradient and a step are; check a gradient without trusting
# anybody; say what a learning rate that is too high or too low looks like; tell learning from
# learning by heart.
#
# **You need** derivatives, the product of two matrices, some NumPy, and this project installed, by
# `pip install -e ".[notebooks]"` in its folder.
#
# **Minutes.** 45, of which the computer needs one.
#
# ## Predict
#
# The network is the smallest that there is: every pixel times a weight, summed, for each class; the
# largest sum is the answer. We begin with all weights zero.

# %%
prediction = {
    "All weights are zero, there are ten classes: which accuracy, roughly?": "",
    "After 60 steps: which is higher, accuracy on training or on validation images?": "",
    "Ten times the learning rate: does the loss fall faster, or not at all?": "",
}

# %% [markdown]
# ## Run: data
#
# Where CIFAR-10 is neither on disk nor to be had, drawn images take its place, and a notice says
# so.

# %% tags=["parameters"]
DATA = "auto"  # "shapes" needs neither network nor data
SIZE = 500
STEPS = 60
LIMITS = {"train_size": 2000, "epochs": 6, "validate_on": 500, "test_on": 1000}

# %%
import numpy as np

from comparisons import knobs, report
from comparisons.data import split
from comparisons.findings import verdict
from comparisons.findings.text import percent
from comparisons.report.lesson import answered, check, curves, quietly, say, table
from comparisons.running import supplies

with quietly():
    import keras

name, data, notices = supplies.dataset(DATA, None, print)
rows = split(data.y_train, seed=0, train_size=SIZE, validate_on=SIZE)
classes = len(data.classes)


def numbers(which):
    """Pixels from -1 to 1 in a row, a one at the end of each: [n, features]; and labels [n]."""
    pixels = data.x_train[which].reshape(len(which), -1).astype("float32") / 127.5 - 1
    return np.hstack([pixels, np.ones((len(which), 1), "float32")]), data.y_train[which]


x, y = numbers(rows.train)
x_val, y_val = numbers(rows.validation)
for notice in notices:
    say(notice)
say(
    f"{len(x)} images of **{name}** to train on, {len(x_val)} to validate; "
    f"{x.shape[1]} numbers each."
)

# %% [markdown]
# ## Investigate: the loss
#
# Sums become chances by the softmax: e to the power of each, over the sum of all. The **loss** of
# an image is minus the logarithm of the chance that its true class was given: 0 for certainty,
# large for a confident mistake. The logarithm is the natural one, ln, which NumPy calls `np.log`.
#
# **Write** the mean loss, given the chances `[n, classes]` and the labels `[n]`.


# %%
def chances(weights, images):
    """Softmax of the sums: [n, classes], each row adds up to 1."""
    sums = images @ weights
    powers = np.exp(sums - sums.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


# %% tags=["solution"]
def loss(given, labels):
    """Mean of minus the logarithm of the chance of the true class."""
    return -np.log(given[np.arange(len(labels)), labels]).mean()


# %%
def check_loss(given):
    some = np.array([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]])
    check(
        [given(some, np.array([0, 2])), given(some, np.array([1, 0]))],
        lambda it: np.allclose(it, [-np.log([0.5, 0.8]).mean(), -np.log([0.25, 0.1]).mean()]),
        "Pick `given[i, labels[i]]` for every i, then the mean of minus its logarithm.",
    )


check_loss(loss)

# %% [markdown]
# **Predict**: with all weights zero every class has the same chance. What is the loss of ten
# classes? (It is one that you will meet again: a network whose loss stays there has learnt
# nothing.)

# %%
weights = np.zeros((x.shape[1], classes), "float32")
at_start = keras.losses.SparseCategoricalCrossentropy()(y, chances(weights, x))
say(f"Loss at the start: {float(at_start):.4f}. ln {classes} = {np.log(classes):.4f}.")

# %% [markdown]
# ## Investigate: the gradient
#
# The **gradient** says for each weight how the loss changes if that weight grows a little. For this
# network it is short: the chances less what they should have been (1 for the true class, 0 for the
# others), times the pixels, averaged.
#
# **Write** it: `(chances − wanted)`, `[n, classes]`, multiplied from the left by the pixels'
# transpose, over n.


# %% tags=["solution"]
def gradient(weights, images, labels):
    """How the mean loss changes with each weight: [features, classes]."""
    wanted = np.eye(weights.shape[1], dtype="float32")[labels]
    return images.T @ (chances(weights, images) - wanted) / len(images)


# %% [markdown]
# Do not trust a formula, nor this lesson: move one weight a little and see what the loss does. The
# check does that for ten weights, in double precision.


# %%
def check_gradient(given):
    random = np.random.default_rng(0)
    at, images, labels = (
        random.normal(size=(12, 3)),
        random.normal(size=(20, 12)),
        np.arange(20) % 3,
    )
    found = given(at, images, labels)

    def slope(i, j):
        shift = np.zeros_like(at)
        shift[i, j] = 1e-6
        some = [chances(at + s, images)[np.arange(20), labels] for s in (shift, -shift)]
        return -(np.log(some[0]).mean() - np.log(some[1]).mean()) / 2e-6

    check(
        found,
        lambda it: all(np.isclose(it[i, i % 3], slope(i, i % 3), atol=1e-6) for i in range(10)),
        "Pixels, transposed, times (chances − wanted), over n; a row of `np.eye` is wanted.",
    )


check_gradient(gradient)

# %% [markdown]
# ## Investigate: the step
#
# A **step** goes a little way *against* the gradient; the **learning rate** is how far. That is all
# of training: look, gradient, step, again.
#
# **Write** one step.


# %% tags=["solution"]
def step(weights, slope, rate):
    """The weights after one step."""
    return weights - rate * slope


# %%
def check_step(given):
    check(
        [given(1.0, 2.0, 0.1), given(0.0, -1.0, 0.5)],
        lambda it: np.allclose(it, [0.8, 0.5]),
        "Against the gradient: weights less rate times slope.",
    )


check_step(step)

# %% [markdown]
# Now `STEPS` of them, all images in each. Beside it the same network in Keras: a dense layer that
# begins with zeros, the same loss, `SGD` with the same rate, all images in one batch. **Predict**:
# will the two columns agree to one digit, to three, or to all?

# %%
RATE = 0.01
SHOWN = np.linspace(1, STEPS, 7, dtype=int)  # the steps that tables have


def by_hand():
    """The loss before each step; `...` while one of the three parts is missing."""
    weights, losses = np.zeros((x.shape[1], classes), "float32"), []
    for _ in range(STEPS):
        parts = loss(chances(weights, x), y), gradient(weights, x, y), step(0.0, 0.0, 0.0)
        if any(part is ... for part in parts):
            return ...
        losses.append(parts[0])
        weights = step(weights, parts[1], RATE)
    return losses


def by_fit(rate):
    """The same by Keras: its history, and the network."""
    network = keras.Sequential(
        [
            keras.Input((x.shape[1],)),
            keras.layers.Dense(
                classes, use_bias=False, kernel_initializer="zeros", activation="softmax"
            ),
        ]
    )
    network.compile(
        keras.optimizers.SGD(rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    done = network.fit(
        x, y, len(x), STEPS, shuffle=False, verbose=0, validation_data=(x_val, y_val)
    )
    return done.history, network


own, (kept, network) = by_hand(), by_fit(RATE)
hint = "Write loss, gradient and step first."
check(own, lambda it: np.allclose(it, kept["loss"], rtol=1e-3), hint)
if own is not ...:
    table(
        "step | loss by hand | loss by `fit`",
        *(f"{n} | {own[n - 1]:.6f} | {kept['loss'][n - 1]:.6f}" for n in SHOWN),
    )

# %% [markdown]
# ## Investigate: learning, or learning by heart?
#
# **Predict**: sketch both accuracies over 60 steps, for images that it trains on and for others.
# Keras counts the training images as they are *before* a step and the validation images *after* it:
# in the table the one column lags a step behind the other, which shows most in the first row.

# %%
table(
    "step | training images | validation images",
    *(
        f"{n} | {percent(kept['accuracy'][n - 1])} | {percent(kept['val_accuracy'][n - 1])}"
        for n in SHOWN
    ),
)

# %% [markdown]
# ## Modify: the learning rate
#
# **Predict** first: ten times the rate, and a tenth of it. Which falls lowest? **Write** the loss
# after the last step for each of the three rates, by `by_fit`, in this order: a tenth, the same,
# ten times.

# %% tags=["solution"]
ends = [by_fit(rate)[0]["loss"][-1] for rate in (RATE / 10, RATE, RATE * 10)]


# %%
def check_ends(given):
    def right(it):
        low, high = (by_fit(RATE * times)[0]["loss"] for times in (0.1, 10))
        return np.allclose(it, [low[-1], kept["loss"][-1], high[-1]], rtol=1e-3)

    check(given, right, '`by_fit(rate)[0]["loss"][-1]` for each of the three, the lowest first.')


check_ends(ends)
if ends is not ...:
    table(
        f"rate | loss after {STEPS} steps",
        *(f"{RATE * times:g} | {end:.3g}" for times, end in zip((0.1, 1, 10), ends, strict=False)),
    )

# %% [markdown]
# The project asks the same of a real network, with several layers, random starts and small batches.
# It first finds a rate by a *range test*, then trains with a hundredth of it, with it, and with a
# hundred times as much. **Predict** all three curves on the handout. Validation accuracy grows
# while they run: after which epoch would you stop one of them?

# %%
records = knobs.turn("learning-rate", DATA, watch=curves, **LIMITS)

# %%
report.draw(records, "loss")

# %% [markdown]
# **Predict**: where in the range test does the chosen rate lie, at the lowest point or before it?

# %%
report.draw(records, "range-test")

# %% [markdown]
# ## Make: a claim and its test
#
# **Write** a claim about training that could turn out wrong ("twice the steps bring validation
# accuracy above …"), and run it with `by_fit` by changing `STEPS`, `SIZE` or `RATE` above.

# %% tags=["solution"]
claim = "With twice the steps training accuracy rises further, and validation accuracy does not."

# %%
check(claim, lambda it: len(it.split()) > 5, "One sentence that could be wrong, then run it.")

# %% [markdown]
# ## What came out

# %%
first, last, others = kept["accuracy"][0], kept["accuracy"][-1], kept["val_accuracy"][-1]
faster = by_fit(RATE * 10)[0]["loss"][-1]
answered(
    prediction,
    (
        f"{percent(np.mean(y == 0))} of the training images: all sums are equal, so "
        "the first class is named",
        f"training {percent(last)}, validation {percent(others)}",
        f"after {STEPS} steps the loss is {faster:.3g} in place of {kept['loss'][-1]:.3g}",
    ),
)
gap = last - others
say(
    f"By `fit` the loss went from {kept['loss'][0]:.3f} to {kept['loss'][-1]:.3f}. It names "
    f"{percent(last)} of the images that it trained on and {percent(others)} of others: "
    + (
        "most of what it learnt, it learnt by heart."
        if gap > others - 1 / classes
        else "most of what it learnt holds for others, too."
    )
)
say("**What the records of the real network say.** " + " ".join(verdict.headline(records)))

# %% [markdown]
# ## Check yourself
#
# **1.** Why are all weights zero a fine start here, and a bad one for a network with a hidden
# layer?
#
# <details><summary>Answer</summary>
#
# Here every class has its own wanted value, so weights part at the first step. In a hidden layer
# all units would get the same gradient and stay equal for ever: lesson 2 is about better starts.
#
# </details>
#
# **2.** Validation loss rises while training loss falls. Is training broken?
#
# <details><summary>Answer</summary>
#
# No, it does what it was told: lower the loss on training images. What it learns from here on holds
# for these images only.
#
# </details>
