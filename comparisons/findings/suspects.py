"""Probable label errors among the test images: what a network that never saw them holds for wrong.

Confident learning: Northcutt et al. 2021, "Confident Learning: Estimating Uncertainty in Dataset
Labels", Journal of Artificial Intelligence Research 70:1373-1411, by cleanlab, where it is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np

from comparisons.findings.mistakes import Answered

SHOWN = 10  # images that probably have another's label
# Of all test images. Where more seem to have a wrong label it is rather the network that is wrong:
# in ten well-known test sets people found 3.3 % in the mean (Northcutt et al. 2021,
# arXiv:2103.14749).
MOST = 0.03


def suspects(answers: Sequence[Answered], labels: np.ndarray) -> np.ndarray:
    """Rows of the test images with `labels` [n] that probably have a wrong one, the worst first.

    By what the most accurate arm, the first, answered: it has seen none of them. Those that it
    holds for another class with the probability that images of that class have in the mean, or
    more. None at all without cleanlab, nor where these are more than MOST.
    """
    none = np.array([], np.int64)
    if not answers or len(answers[0].certainties) != len(labels) or not find_spec("cleanlab"):
        return none
    there, given = np.unique(labels, return_inverse=True)
    if len(there) < 2:
        return none
    from cleanlab.filter import find_label_issues

    # A class without images has no label that could be wrong.
    shares = answers[0].certainties[:, there]
    shares = (shares + np.finfo(float).tiny) / shares.sum(axis=1, keepdims=True)
    found = find_label_issues(
        given,
        shares,
        filter_by="confident_learning",
        return_indices_ranked_by="self_confidence",
        min_examples_per_class=0,
        n_jobs=1,
    )
    return np.asarray(found, np.int64) if len(found) <= MOST * len(labels) else none
