"""A kept model asked about pictures: found again from its files, and what it answers.

On the command line `python -m comparisons.predict MODEL PATH…`, in Python

    from comparisons import predict
    answers = predict.load("results/cifar10/model").answers(["cat.jpg", "photos"])
"""

from comparisons.predict.answers import Answer, Model, load

__all__ = ["Answer", "Model", "load"]
