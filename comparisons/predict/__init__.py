"""What a kept model says of pictures: `python -m comparisons.predict MODEL PATH…`, or in Python

from comparisons import predict
answers = predict.load("results/cifar10/model").answers(["cat.jpg", "photos"])
"""

from comparisons.predict.answers import Answer, Model, load

__all__ = ["Answer", "Model", "load"]
