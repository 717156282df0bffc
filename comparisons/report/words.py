"""What the page explains in plain words, to somebody who has never trained a network."""

from __future__ import annotations

READING = (
    (
        "What is compared",
        "Each arm is a network and a way to train it. Training from scratch begins with random "
        "numbers and learns everything from the training images. Fine-tuning begins with a "
        "network that somebody trained on other images before, and adapts it. All arms see the "
        "same training images in the same order when their seed is the same.",
    ),
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
        "Warm does not, as somebody pays who trains a second time on the same images. For arms "
        "without kept features the two are the same.",
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
        "What the winner is not",
        "The order of the arms holds for this data, this many training images and this much time. "
        "More images and more time favour training from scratch; few labels and little time "
        "favour a pretrained base. Where the two cross is the question to take home.",
    ),
)

GLOSSARY = (
    ("accuracy", "the share of images whose class was guessed right"),
    ("arm", "one side of the comparison, written MODEL:STRATEGY"),
    ("backbone", "a network without its classifier; it turns an image into features"),
    ("cold, warm", "time with the features computed afresh, and with them found ready"),
    ("diverged", "training broke down: the loss was no number any more, or never left chance"),
    ("epoch", "one pass over the training images"),
    (
        "extraction",
        "computing the features of all images with a frozen backbone, once, to keep them",
    ),
    ("FLOP", "one multiplication or addition; a count of work that no machine changes"),
    ("head", "the new classifier on a backbone"),
    ("images seen", "training images times the epochs they were shown in"),
    ("loss", "how wrong the guesses are and how sure they were; 0 is perfect"),
    ("macro F1", "like accuracy, but every class counts the same however rare it is"),
    ("paired", "compared seed by seed: both arms had the same split and order of images"),
    ("parameters", "the numbers a network consists of; trainable ones change in training"),
    ("peak memory", "the most memory a run held at any moment"),
    ("phase", "a stretch of training with one learning rate and one set of trainable parts"),
    ("seed", "the number that all of a run's random choices follow from"),
    ("spread", "the sample standard deviation over seeds"),
    ("strategy", "how a model is trained: a short list of phases"),
    ("test set", "images looked at once, after training"),
    ("time to N %", "seconds until validation accuracy first reached N %"),
    ("validation set", "images put aside from training to watch it by"),
)
