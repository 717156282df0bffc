"""What the page explains in plain words, to somebody who has never trained a network."""

from __future__ import annotations

ARM_READING = (
    (
        "What is compared",
        "Each arm is a network and a way to train it. Training from scratch begins with random "
        "numbers and learns everything from the training images. Fine-tuning begins with a "
        "network that somebody trained on other images before, and adapts it. All arms see the "
        "same training images in the same order when their seed is the same.",
    ),
)

KNOB_READING = (
    (
        "What is compared",
        "One network is trained several times, and a single knob of its training is turned in "
        "between. Everything else stays: the same training images in the same order, the same "
        "first weights where the knob does not set them, the same number of epochs. So what "
        "differs between two arms comes from the knob, or from luck.",
    ),
    (
        "What a learning rate is",
        "After each look at a few images, training changes the weights a little in the direction "
        "that makes the loss smaller. The learning rate says how much. Too low, and training "
        "takes forever; too high, and it jumps over what it looks for, or breaks out. A range "
        "test raises the rate step by step, watches the loss, and takes back what it trained.",
    ),
    (
        "What a good beginning is",
        "Each layer multiplies the signal by its weights. Where they are too small the signal is "
        "weaker after every layer, and in a deep network nothing of it arrives; the gradients, "
        "which go the other way, fade as well, and nothing is learnt. Xavier's and He's rules "
        "choose the size of the first weights so that the signal keeps its strength.",
    ),
    (
        "What regularisation is",
        "A network that has seen a few images many times learns them by heart. Regularisation "
        "makes that harder: it hides some features (dropout), charges for large weights (L1, "
        "L2), shows every image a little differently (augmentation), lays two images over each "
        "other (mixup), asks for less certainty (label smoothing), or stops before it is too "
        "late (early stopping, which tests the weights of the epoch with the lowest validation "
        "loss).",
    ),
)

READING = (
    (
        "What a loss curve is",
        "The loss says how wrong the network's guesses are and how sure it was of them; training "
        "makes it smaller step by step. The curve shows it after every pass over the training "
        "images, which is called an epoch. A curve that still falls would profit from more "
        "epochs. One that rises again is learning the training images by heart.",
    ),
    (
        "Why there is a validation set",
        "A network can remember the images it trains on, so those cannot say how good it is. "
        "Validation images are put aside from the training set and only looked at, never learnt "
        "from: the curves show them. The test images are looked at once, after training, and give "
        "the accuracy in the table.",
    ),
    (
        "What cold and warm mean",
        "A frozen base computes the same features for an image every time, so they are computed "
        "once and kept. Cold counts that first computation, as somebody pays who starts today. "
        "Warm does not, as somebody pays who trains a second time on the same images. Training a "
        "base on a source data set first is kept and counted in the same way. For arms without "
        "kept features or a source phase the two are the same.",
    ),
    (
        "What the interval means",
        "Another seed (other random numbers, another split) gives another accuracy. From three "
        "seeds on the page gives a 95 % Student t interval for the mean: if the whole experiment "
        "were done many times, about 95 of 100 such intervals would contain the true mean. With "
        "one or two seeds there is none, because it would say next to nothing. An interval of "
        "differences that includes zero means that these seeds do not show which arm is better. "
        "With many pairs of arms, expect about one interval in twenty to miss by luck.",
    ),
    (
        "What the upstream cost is",
        "Somebody paid for the training of a pretrained base before this experiment began. It is "
        "not part of the seconds here, because nobody who uses the base pays it again; but it was "
        "paid, so the page shows what is known of it.",
    ),
    (
        "What forgetting is",
        "A base that learns new images changes, and may no longer be good at those it came from. "
        "To see that, the simplest classifier is trained on what the base makes of the old "
        "images, once before and once after, and both are tested on old images put aside. The "
        "accuracy lost in between, in percentage points, is what the base forgot. A frozen base "
        "does not change, so it forgets nothing.",
    ),
    (
        "What the blocks tell",
        "A base is a chain of blocks. The first ones find edges and colours, the last ones whole "
        "parts of things. How far a block moved is how large the change of its numbers is beside "
        "the numbers themselves: 0 % is untouched, 100 % is a change as large as they were. "
        "Careful training moves the last blocks most; a learning rate that is too high moves all "
        "of them and destroys what they knew.",
    ),
    (
        "What adapters are",
        "Instead of changing a large table of numbers, one may leave it as it is and learn a "
        "correction to it that is the product of two narrow tables: a low-rank adapter. That "
        "trains far fewer numbers. The rank says how narrow the tables are. As the large table "
        "no longer changes, it may also be kept quantized, with 8 or 4 bits for each number "
        "instead of 32, which saves memory and costs a little precision.",
    ),
    (
        "What the winner is not",
        "The order of the arms holds for this data, this many training images and this much time. "
        "More images and more time favour training from scratch; few labels and little time "
        "favour a pretrained base. Where the two cross is the question to take home.",
    ),
)

GLOSSARY = (
    ("accuracy", "the share of images whose class was guessed right"),
    ("adapter", "a small trainable correction to weights that stay as they are"),
    ("arm", "one side of the comparison, written MODEL:STRATEGY"),
    ("backbone", "a network without its classifier; it turns an image into features"),
    ("block", "a stretch of a backbone's layers; blocks are counted from the input"),
    (
        "cold, warm",
        "time with source phase and features made afresh, and with them found ready",
    ),
    ("diverged", "training broke down: the loss was no number any more, or never left chance"),
    ("epoch", "one pass over the training images"),
    (
        "extraction",
        "computing the features of all images with a frozen backbone, once, to keep them",
    ),
    ("FLOP", "one multiplication or addition; a count of work that no machine changes"),
    ("forgotten", "accuracy that a backbone lost on its source task by learning another"),
    ("head", "the new classifier on a backbone"),
    ("images seen", "training images times the epochs they were shown in"),
    ("knob", "one setting of training that is turned while all others stay"),
    ("loss", "how wrong the guesses are and how sure they were; 0 is perfect"),
    ("macro F1", "like accuracy, but every class counts the same however rare it is"),
    ("moved", "how large the change of a block's weights is beside the weights as they were"),
    ("paired", "compared seed by seed: both arms had the same split and order of images"),
    ("parameters", "the numbers a network consists of; trainable ones change in training"),
    ("peak memory", "the most memory a run held at any moment"),
    ("phase", "a stretch of training with one learning rate and one set of trainable parts"),
    ("probe", "a linear classifier on a backbone's features, trained to see what they are worth"),
    ("quantized", "kept with fewer bits for each number, 8 or 4 instead of 32"),
    ("range test", "one pass at rising learning rates, to see which one to take"),
    ("rank", "how narrow an adapter is; a lower rank trains fewer numbers"),
    ("seed", "the number that all of a run's random choices follow from"),
    ("source phase", "training a backbone from random weights on another data set first"),
    ("source task", "what a backbone was trained for before it met these images"),
    ("spread", "the sample standard deviation over seeds"),
    ("strategy", "how a model is trained: a short list of phases"),
    ("test set", "images looked at once, after training"),
    ("time to N %", "seconds until validation accuracy first reached N %"),
    ("validation set", "images put aside from training to watch it by"),
    ("variant", "what a knob was turned to; an arm's name has it in brackets"),
)
