"""What a session leaves for the page, beside its records."""

from __future__ import annotations

import factory
import numpy as np
from msgspec.structs import replace
from rich.console import Console

from comparisons.core import predictions, records, samples
from comparisons.data import prepare
from comparisons.findings.disputes import SHOWN, surest
from comparisons.plan.request import Request
from comparisons.running.session import planned_without_supplies, run_session

ARMS = ("cnn:scratch", "tiny:frozen")


def test_images_that_two_arms_dispute_or_confuse_are_kept(tmp_path, tiny_npz):
    out = tmp_path / "out"
    request = Request(arms=ARMS, data=str(tiny_npz), train_sizes=(100,), out=out)
    prepare(str(tiny_npz), None)  # so that its fingerprint, a part of every ID, is known
    generator = np.random.default_rng(0)
    answers = []
    # Runs that have ended are not done again.
    for run in planned_without_supplies(request)[1]:
        record = factory.record(run.arm, train_size=100, accuracy=0.5)
        record = replace(record, id=run.id, settings=run.settings, phases=run.phases)
        record.data.classes = ["upright", "lying", "both"]
        record.data.sizes.test = 90
        record.test.confusion = [[15, 9, 6], [7, 15, 8], [5, 10, 15]]
        records.save(record, out)
        answers.append(generator.normal(size=(90, 3)).astype(np.float16))
        path = predictions.file(out, run.id)
        path.parent.mkdir(exist_ok=True)
        np.save(path, answers[-1])
    found = run_session(request, Console(quiet=True))
    assert [record.test.accuracy for record in found.records] == [0.5, 0.5]

    (path,) = (out / "images").glob("*-chosen.npz")
    kept = samples.read(out, path.stem.removesuffix("-chosen"), chosen=True)
    odds = [np.exp(logits.astype(float)) for logits in answers]
    rows = surest(*(one / one.sum(axis=1, keepdims=True) for one in odds))
    assert set(rows[:SHOWN].tolist()) <= set(kept.rows.tolist())
    with np.load(tiny_npz) as arrays:
        labels = arrays["y_test"]
        # Of the classes that are confused most often, as the records have it, some of each.
        confused = (odds[0].argmax(1) != labels) | (odds[1].argmax(1) != labels)
        others = set(kept.rows.tolist()) - set(rows[:SHOWN].tolist())
        assert others and confused[list(others)].all()
        assert (kept.images == arrays["x_test"][kept.rows]).all()
        assert (kept.labels == arrays["y_test"][kept.rows]).all()

    for record in found.records:  # who agrees, and is right, leaves nothing to show
        np.save(predictions.file(out, record.id), 9 * np.eye(3, dtype=np.float16)[labels])
    run_session(request, Console(quiet=True))
    assert not path.exists()
    assert samples.read(out, path.stem.removesuffix("-chosen")) is not None
