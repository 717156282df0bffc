"""What the page explains in plain words, to somebody who has never trained a network.

Of all this a page has what its records speak of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from comparisons.core.records import Record
from comparisons.findings.headline import too_few
from comparisons.findings.intervals import MIN_SEEDS
from comparisons.findings.knobs import knob_of
from comparisons.findings.view import View


@dataclass(frozen=True)
class Topics:
    """What the records of a page speak of."""

    knob: str | None
    arms: int
    sizes: int
    strategies: frozenset[str]
    history: bool
    interval: bool
    kept: bool
    source: bool
    pretrained: bool
    forgetting: bool
    moved: bool
    adapters: bool
    quantized: bool
    at_start: bool
    range_test: bool
    mishaps: bool
    certainty: bool
    robustness: bool


def topics(seen: View) -> Topics:
    """What the records of a view speak of."""
    runs = seen.records

    def any_run(says: Callable[[Record], object]) -> bool:
        return any(map(says, runs))

    return Topics(
        knob=knob_of(runs),
        arms=len(seen.labels),
        sizes=len(seen.sizes),
        strategies=frozenset(r.strategy.partition("@")[0] for r in runs),
        history=any_run(lambda r: r.history),
        interval=any(len(g.ok) >= MIN_SEEDS for g in seen.groups),
        kept=any_run(lambda r: r.seconds.extract_train_cold),
        source=any_run(lambda r: r.source),
        pretrained=any_run(lambda r: r.weights and r.weights.origin != "random"),
        forgetting=any_run(lambda r: r.forgetting),
        moved=any_run(lambda r: r.moved),
        adapters=any_run(lambda r: r.adapters),
        quantized=any_run(lambda r: r.adapters and r.adapters.bits < 32),
        at_start=any_run(lambda r: r.at_start),
        range_test=any_run(lambda r: r.range_test),
        mishaps=any_run(lambda r: r.status != "ok"),
        certainty=any_run(lambda r: r.test and r.test.calibration) and not too_few(seen),
        robustness=any_run(lambda r: r.test and r.test.robustness),
    )


@dataclass(frozen=True)
class Passage:
    """A heading with a paragraph, or a word with its meaning, where the topics need it."""

    heading: str
    words: str
    needed: Callable[[Topics], object] = lambda t: True


READING = (
    Passage(
        "What is compared",
        "Each arm is a network and a way to train it. Training from scratch begins with random "
        "numbers and learns everything from the training images. Fine-tuning begins with a "
        "network that somebody trained on other images before, and adapts it. All arms see the "
        "same training images in the same order when their seed is the same.",
        lambda t: not t.knob,
    ),
    Passage(
        "What is compared",
        "One network is trained several times, and a single knob of its training is turned in "
        "between. Everything else stays: the same training images in the same order, the same "
        "first weights where the knob does not set them, the same number of epochs. So what "
        "differs between two arms comes from the knob, or from luck.",
        lambda t: t.knob,
    ),
    Passage(
        "What a learning rate is",
        "After each look at a few images, training changes the weights a little in the direction "
        "that makes the loss smaller. The learning rate says how much. Too low, and training "
        "takes forever; too high, and it jumps over what it looks for, or breaks out. A range "
        "test raises the rate step by step, watches the loss, and takes back what it trained.",
        lambda t: t.range_test,
    ),
    Passage(
        "What a good beginning is",
        "Each layer multiplies the signal by its weights. Where they are too small the signal is "
        "weaker after every layer, and in a deep network nothing of it arrives; the gradients, "
        "which go the other way, fade as well, and nothing is learnt. Xavier's and He's rules "
        "choose the size of the first weights so that the signal keeps its strength.",
        lambda t: t.at_start,
    ),
    Passage(
        "What regularisation is",
        "A network that has seen a few images many times learns them by heart. Regularisation "
        "makes that harder: it hides some features (dropout), charges for large weights (L1, "
        "L2), shows every image a little differently (augmentation), lays two images over each "
        "other (mixup), asks for less certainty (label smoothing), or stops before it is too "
        "late (early stopping, which tests the weights of the epoch with the lowest validation "
        "loss).",
        lambda t: t.knob == "regularisation",
    ),
    Passage(
        "What a loss curve is",
        "The loss says how wrong the network's guesses are and how sure it was of them; training "
        "makes it smaller step by step. The curve shows it after every pass over the training "
        "images, which is called an epoch. A curve that still falls would profit from more "
        "epochs. One that rises again is learning the training images by heart.",
        lambda t: t.history,
    ),
    Passage(
        "Why there is a validation set",
        "A network can remember the images it trains on, so those cannot say how good it is. "
        "Validation images are put aside from the training set and only looked at, never learnt "
        "from: the curves show them. The test images are looked at once, after training, and give "
        "the accuracy in the table.",
        lambda t: t.history,
    ),
    Passage(
        "How long each arm trains",
        "By a recipe of its own, within one budget for all: no arm is shown more images than 18 "
        "times the square root of 45,000 times the number of its training images. Fewer images "
        "are shown more often, though fewer times in all. An arm that tuning saw gain a point or "
        "more by twice its epochs is marked as stopped early by its epochs.",
        lambda t: t.history and not t.knob,
    ),
    Passage(
        "Where each second goes",
        "A clock like that of chess runs with each arm, and every second is charged to one of "
        "three things. Learning is what the trained network costs: reading the data, building and "
        "compiling, passing the training images through what is frozen, training. Measuring is "
        "what it costs to know how good it is: validation and test images go through the same. "
        "Watching looks at what one wants to know besides, such as how far a base moved. "
        "Who is faster is a matter of learning alone, by the same rule for all arms.",
    ),
    Passage(
        "What cold and warm mean",
        "A frozen base computes the same features for an image every time, so they are computed "
        "once and kept. Cold counts that first computation, as somebody pays who starts today. "
        "Warm does not, as somebody pays who trains a second time on the same images. For arms "
        "without kept features the two are the same.",
        lambda t: t.kept or t.source,
    ),
    Passage(
        "What a source phase is",
        "One may also train a base oneself, on a source data set, before it meets the images that "
        "matter. That is kept like features and counted in the same way: cold with it, warm "
        "without.",
        lambda t: t.source,
    ),
    Passage(
        "What the interval means",
        "Another seed (other random numbers, another split) gives another accuracy. From three "
        "seeds on the page gives a 95 % Student t interval for the mean: if the whole experiment "
        "were done many times, about 95 of 100 such intervals would contain the true mean. With "
        "one or two seeds there is none, because it would say next to nothing. An interval of "
        "differences that includes zero means that these seeds do not show which arm is better. "
        "With many pairs of arms, expect about one interval in twenty to miss by luck. Where it "
        "says so, the interval allows for the draw of the test images as well as for the seeds; "
        "else it speaks of this test set only.",
        lambda t: t.interval,
    ),
    Passage(
        "What certainty is",
        "With each answer a network says how certain it is. That can be trusted where of all "
        "images that it calls 90 % certain 90 of 100 are right, and so for every other number. The "
        "calibration error is the mean distance from that. It can often be mended by dividing what "
        "the network says before it is turned into certainties by one number, the temperature: no "
        "answer changes, only how certain it is said to be.",
        lambda t: t.certainty,
    ),
    Passage(
        "What corrupted images tell",
        "A camera shakes, a photograph is dark, a file is packed too small. A network that has "
        "only met good pictures may fail on such ones long before people do. So the same test "
        "images are made worse in five ways, step by step, the same for every arm: noise, blur, "
        "brightness, contrast, JPEG. What an arm loses by that is as much a part of it as its "
        "accuracy.",
        lambda t: t.robustness,
    ),
    Passage(
        "What p, Holm means",
        "How often luck alone would show a difference as large as this one between an arm and "
        "training from scratch. Whoever makes many comparisons meets such luck more often, so each "
        "number is raised, by Holm's rule, until the chance of being fooled even once among all "
        "arms of one size stays below one in twenty. Below 0.05 the difference stands.",
        lambda t: t.interval and t.arms > 2,
    ),
    Passage(
        "Where two arms cross",
        "Each arm is measured with several numbers of training images, and the difference between "
        "two of them is drawn as a straight line from one number to the next, each step a multiple "
        "of images. Where it passes zero they are even. The interval holds all numbers of images "
        "at which the difference cannot be told from zero; an open end lies beyond what was "
        "measured. What a base is worth in images is read off the same lines.",
        lambda t: t.sizes > 1,
    ),
    Passage(
        "What more labels would bring",
        "The error of a network often falls in a straight line with one over the square root of "
        "the number of its images. Such a line is put through the sizes that were measured, and "
        "followed to twice the largest, not further. How well it would have foretold the largest "
        "of them says how far to trust it.",
        lambda t: t.sizes > 2,
    ),
    Passage(
        "What the upstream cost is",
        "Somebody paid for the training of a pretrained base before this experiment began. It is "
        "not part of the seconds here, because nobody who uses the base pays it again; but it was "
        "paid, so the page shows what is known of it.",
        lambda t: t.pretrained,
    ),
    Passage(
        "What forgetting is",
        "A base that learns new images changes, and may no longer be good at those it came from. "
        "To see that, the simplest classifier is trained on what the base makes of the old "
        "images, once before and once after, and both are tested on old images put aside. The "
        "accuracy lost in between, in percentage points, is what the base forgot. A frozen base "
        "does not change, so it forgets nothing.",
        lambda t: t.forgetting,
    ),
    Passage(
        "What the blocks tell",
        "A base is a chain of blocks. The first ones find edges and colours, the last ones whole "
        "parts of things. How far a block moved is how large the change of its numbers is beside "
        "the numbers themselves: 0 % is untouched, 100 % is a change as large as they were. "
        "Small steps keep what a block knows, large ones overwrite it. Which blocks moved most "
        "here, and whether that did good, the figure of moved blocks and the table show.",
        lambda t: t.moved,
    ),
    Passage(
        "What adapters are",
        "Instead of changing a large table of numbers, one may leave it as it is and learn a "
        "correction to it that is the product of two narrow tables: a low-rank adapter. That "
        "trains far fewer numbers. The rank says how narrow the tables are. As the large table "
        "no longer changes, it may also be kept quantized, with 8 or 4 bits for each number "
        "instead of 32, which saves memory and costs a little precision.",
        lambda t: t.adapters,
    ),
    Passage(
        "What the winner is not",
        "The order of the arms holds for this data, this many training images and this much time. "
        "With other data, more images or more time another arm may lead. Where two of them cross "
        "is the question to take home.",
        lambda t: not t.knob and t.arms > 1,
    ),
)

GLOSSARY = (
    Passage("accuracy", "the share of images whose class was guessed right"),
    Passage(
        "adapter",
        "a small trainable correction to weights that stay as they are",
        lambda t: t.adapters,
    ),
    Passage("arm", "one side of the comparison, written MODEL:STRATEGY"),
    Passage(
        "backbone",
        "a network without its classifier; it turns an image into features",
        lambda t: t.pretrained,
    ),
    Passage(
        "block",
        "a stretch of a backbone's layers; blocks are counted from the input",
        lambda t: t.moved or t.strategies & {"partial", "hybrid"},
    ),
    Passage("by heart", "how much better a network is on what it trained on; see the loss curves"),
    Passage(
        "calibration error, scaled",
        "how far certainty is from accuracy, as a network says it and by a temperature",
        lambda t: t.certainty,
    ),
    Passage(
        "cold, warm",
        "time with everything made afresh, and with what is kept found ready",
        lambda t: t.kept or t.source,
    ),
    Passage(
        "corrupted",
        "accuracy on copies of test images, the mean over five corruptions at three severities",
        lambda t: t.robustness,
    ),
    Passage(
        "diverged",
        "training broke down: the loss was no number any more, or guessing is as good",
        lambda t: t.mishaps,
    ),
    Passage("epoch", "one pass over the training images"),
    Passage(
        "extraction",
        "computing the features of all images with a frozen backbone, once, to keep them",
        lambda t: t.kept,
    ),
    Passage("FLOP", "one multiplication or addition; a count of work that no machine changes"),
    Passage(
        "forgotten",
        "accuracy that a backbone lost on its source task by learning another",
        lambda t: t.forgetting,
    ),
    Passage("head", "the new classifier on a backbone", lambda t: t.pretrained),
    Passage("images seen", "training images times the epochs they were shown in"),
    Passage(
        "knob", "one setting of training that is turned while all others stay", lambda t: t.knob
    ),
    Passage(
        "learning, measuring, watching",
        "what the trained network cost; what it cost to know how good it is; neither",
    ),
    Passage(
        "loss",
        "how wrong the guesses are and how sure they were, 0 is perfect: the mean of −log of the "
        "probability of the true class, also called negative log likelihood",
    ),
    Passage("macro F1", "like accuracy, but every class counts the same however rare it is"),
    Passage(
        "moved",
        "how large the change of a block's weights is beside the weights as they were",
        lambda t: t.moved,
    ),
    Passage(
        "paired",
        "compared seed by seed: both arms had the same split and order of images",
        lambda t: t.arms > 1,
    ),
    Passage("parameters", "the numbers a network consists of; trainable ones change in training"),
    Passage("peak memory", "the most memory a run held at any moment"),
    Passage("phase", "a stretch of training with one learning rate and one set of trainable parts"),
    Passage(
        "probe",
        "a linear classifier on a backbone's features, trained to see what they are worth",
        lambda t: t.forgetting or "probe" in t.strategies,
    ),
    Passage(
        "quantized",
        "kept with fewer bits for each number, 8 or 4 instead of 32",
        lambda t: t.quantized,
    ),
    Passage(
        "range test",
        "one pass at rising learning rates, to see which one to take",
        lambda t: t.range_test,
    ),
    Passage(
        "rank", "how narrow an adapter is; a lower rank trains fewer numbers", lambda t: t.adapters
    ),
    Passage("seed", "the number that all of a run's random choices follow from"),
    Passage(
        "source phase",
        "training a backbone from random weights on another data set first",
        lambda t: t.source,
    ),
    Passage(
        "source task",
        "what a backbone was trained for before it met these images",
        lambda t: t.forgetting,
    ),
    Passage("spread", "the sample standard deviation over seeds", lambda t: t.interval),
    Passage("strategy", "how a model is trained: a short list of phases", lambda t: not t.knob),
    Passage("test set", "images looked at once, after training"),
    Passage(
        "the tutorial's head",
        "a layer of 256 on each value of a backbone's last maps, and one output for two classes",
        lambda t: "classic" in t.strategies,
    ),
    Passage(
        "time to N %",
        "seconds of learning until N % of the validation images were right",
        lambda t: t.history,
    ),
    Passage("validation set", "images put aside from training to watch it by"),
    Passage(
        "variant", "what a knob was turned to; an arm's name has it in brackets", lambda t: t.knob
    ),
)
