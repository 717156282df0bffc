"""The first half of `complete`, held up: its base is not charged for the waiting."""

from __future__ import annotations

import threading
import time

import factory

from comparisons.core import control, events
from comparisons.data import prepare
from comparisons.plan import arms
from comparisons.plan.request import Known
from comparisons.training import device, source_phase


def test_a_source_phase_is_not_charged_for_a_pause(tiny_npz, cache):
    fingerprint = prepare(str(tiny_npz), None).fingerprint
    source = Known(str(tiny_npz), fingerprint, 300, 270)
    run = factory.planned("cnn:complete", 60, source=source, epochs=4, device="cpu")
    held = control.Control()

    def tell(event: events.Event) -> None:
        if isinstance(event, events.Epoch) and event.entry.epoch == 1:
            held.hear(control.Pause())
            threading.Timer(1.0, held.hear, [control.Play()]).start()

    started = time.perf_counter()
    base = source_phase.base(
        run, arms.parse(run.written), device.start("cpu", 0, False), tell, held
    )
    whole = time.perf_counter() - started
    assert held.paused > 0.1
    assert base.seconds == base.cold_seconds < whole - held.paused
