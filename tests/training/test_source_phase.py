"""The first half of `complete`, held up: its base is not charged for the waiting."""

from __future__ import annotations

import threading

import factory
import pytest

from comparisons.core import control, events
from comparisons.core.clock import PAUSED, Clock
from comparisons.data import prepare
from comparisons.plan import arms
from comparisons.plan.request import Known
from comparisons.training import device, source_phase
from comparisons.training.checkpoint import Checkpoint


def test_a_source_phase_is_not_charged_for_a_pause(tiny_npz, cache):
    fingerprint = prepare(str(tiny_npz), None).fingerprint
    source = Known(str(tiny_npz), fingerprint, 300, 270, 90)
    run = factory.planned("cnn:complete", 60, source=source, epochs=4, device="cpu")
    held = control.Control()

    def tell(event: events.Event) -> None:
        if isinstance(event, events.Epoch) and event.entry.epoch == 1:
            held.hear(control.Pause())
            threading.Timer(1.0, held.hear, [control.Play()]).start()

    runtime, clock = device.start("cpu", 0, False), Clock()
    source_phase.base(run, arms.parse(run.written), runtime, tell, held, clock, Checkpoint())
    waited = clock.spent(PAUSED).wall
    assert waited > 0.9
    made, _ = clock.bill()
    assert made.source == pytest.approx(made.source_cold, rel=0.2)
    assert made.watch > 0  # how good the base became on its source
    again = Clock()
    source_phase.base(run, arms.parse(run.written), runtime, tell, held, again, Checkpoint())
    found, _ = again.bill()
    assert found.source < 0.2 < made.source
    assert found.source_cold == pytest.approx(made.source_cold)
    assert found.learning_cold == pytest.approx(found.learning - found.source + made.source_cold)
