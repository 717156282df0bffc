"""Benchmarks: sides take turns, ratios come from neighbours, results can be read back."""

from __future__ import annotations

import msgspec
import pytest
from rich.console import Console

from benchmarks import measure


def test_sides_take_turns_and_each_round_begins_with_another():
    order: list[str] = []

    def side(name: str) -> None:
        order.append(name)

    names = ("a", "b", "c")
    taken = measure.alternate({n: lambda n=n: side(n) for n in names}, 4)
    assert order == [*"abc", *"bca", *"cab", *"abc"]
    assert all(len(seconds) == 4 and min(seconds) >= 0 for seconds in taken.values())


def test_a_side_may_say_its_own_seconds():
    own = iter([3.0, 4.0])
    assert measure.alternate({"a": lambda: next(own)}, 2) == {"a": [3.0, 4.0]}


def test_ratios_compare_the_same_work_round_by_round():
    slow = measure.Side("slow", [10.0, 40.0, 30.0], amount=10)
    fast = measure.Side("fast", [1.0, 2.0, 6.0], amount=5)
    found = measure.ratio(slow, fast)
    assert (found.slow, found.fast) == ("slow", "fast")
    # 1 / 0.2, 4 / 0.4, 3 / 1.2
    assert (found.lowest, found.median, found.highest) == pytest.approx((2.5, 5.0, 10.0))


def test_a_result_is_kept_with_its_machine_and_command(tmp_path):
    sides = [measure.Side("one", [1.0, 2.0], 100, "image", {"accuracy": 0.5})]
    found = measure.result("thing", "How fast?", sides, [])
    path = measure.save(found, tmp_path)
    assert msgspec.json.decode(path.read_bytes(), type=measure.Result) == found
    assert found.command == "python -m benchmarks thing"
    assert found.environment["cores"] >= 1
    console = Console(width=100, record=True)
    measure.show(found, console)
    assert "67 images" in console.export_text()
