"""A kept model asked about pictures: found again from its files, and what it answers.

On the command line `python -m comparisons.predict MODEL PATH…`, in Python

    from comparisons import predict
    model = predict.load("results/cifar10/model")
    answers = model.answers(["cat.jpg", "photos"])
    predict.inside({"mine": model}, "photos")  # a figure: filters, what they find, the plane
"""

from comparisons.predict.answers import Answer, Model, load
from comparisons.predict.inside import show as inside

__all__ = ["Answer", "Model", "inside", "load"]
