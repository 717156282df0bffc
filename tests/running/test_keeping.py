"""The model that comes out of a comparison: chosen, kept once, done again where it was not kept."""

from __future__ import annotations

import dataclasses
import io
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from comparisons import predict, report
from comparisons.core import card as cards
from comparisons.core import predictions, samples
from comparisons.core import records as kept_records
from comparisons.core.errors import ComparisonError
from comparisons.core.records import Record
from comparisons.data import prepare, strangers
from comparisons.findings import disputes, mistakes
from comparisons.findings.view import view
from comparisons.plan.request import Known, Request, check, runs
from comparisons.plan.runs import Run
from comparisons.running import keeping
from comparisons.training import device, exports
from comparisons.training import run as training
from comparisons.training.keeping import probabilities
from models import gradcam
from models.exporting import FORMATS

ARMS = ("tiny:probe", "mlp:scratch")


def request(size: int = 270, **asked) -> Request:
    return Request(arms=ARMS, seeds=(0, 1), train_sizes=(30, size), epochs=2, **asked)


def planned(data: Path, asked: Request) -> list[Run]:
    dataset = prepare(str(data), None)
    preset, wanted = check(asked)
    return runs(asked, preset, wanted, Known(str(data), dataset.fingerprint, 300, 270, 90), None)


class Comparison:
    """Runs in this process, and what was said."""

    def __init__(self, data: Path, folder: Path, keep: str = ARMS[1], size: int = 270, **more):
        self.data, self.folder, self.said, self.done = data, folder, [], 0
        asked = request(size, keep=keep, out=folder, engine="keras", **more)
        self.plan = planned(data, asked)
        self.wish = keeping.wanted(asked, self.plan, folder)
        assert self.wish is not None

    def run(self, plan: Run) -> Record:
        self.done += 1
        found = device.start("cpu", plan.seed, False)
        record, self.logits = training.run(plan, prepare(str(self.data), None), found)
        return record

    def keep(self, records: list[Record], ran: set[str]) -> keeping.Kept:
        return keeping.keep(self.wish, records, ran, self.run, self.said.append)


@pytest.fixture(scope="module")
def kept(tiny_npz, tmp_path_factory) -> tuple[Comparison, keeping.Kept]:
    """A comparison whose one candidate has run, and its model."""
    comparison = Comparison(tiny_npz, tmp_path_factory.mktemp("results"))
    (run,) = comparison.wish.candidates
    return comparison, comparison.keep([comparison.run(run)], {run.id})


def test_keeping_changes_no_id_and_takes_the_first_seed_at_the_largest_size(tiny_npz, tmp_path):
    plain = planned(tiny_npz, request())
    plan = planned(tiny_npz, request(keep="best", out=tmp_path))
    assert [run.id for run in plan] == [run.id for run in plain]
    wish = keeping.wanted(request(keep="best", out=tmp_path), plan, tmp_path)
    assert wish is not None
    assert [(run.arm, run.seed, run.train_size) for run in wish.candidates] == [
        (arm, 0, 270) for arm in ARMS
    ]
    assert [run for run in plan if run.keep] == wish.candidates
    assert keeping.wanted(request(out=tmp_path), plain, tmp_path) is None


def test_an_arm_is_kept_by_the_name_that_it_was_asked_for_by(tmp_path):
    asked = Request(
        arms=("mobilenet:scratch",), train_sizes=(60,), seeds=(0,), image_size=64,
        keep="mobilenet:scratch", out=tmp_path,
    )  # fmt: skip
    target = Known("mine", "f", 300, 270, 90, image_size=64)
    plan = runs(asked, *check(asked), target, None)
    assert [run.arm for run in plan] == ["mobilenet@0.25x64:scratch"]
    wish = keeping.wanted(asked, plan, tmp_path)
    assert wish is not None and wish.candidates == plan


def test_the_card_says_what_was_measured_and_the_model_answers_as_was_tested(kept):
    comparison, result = kept
    (record,) = result.records
    assert result.why_not is None and result.model == comparison.folder / "model"
    card = cards.read(result.model / cards.CARD)
    assert (card.record, card.arm, card.chosen) == (record.id, "mlp:scratch", "named by --keep")
    assert card.test.low < card.test.accuracy == record.test.accuracy <= card.test.high
    assert card.temperature == record.test.calibration.temperature
    assert card.sure.threshold == record.test.calibration.threshold
    assert card.as_tested.agreement == 1 and card.as_tested.images == 90
    assert sorted(p.name for p in result.model.iterdir()) == ["model.json", "model.keras"]
    images = prepare(str(comparison.data), None).x_test
    model = predict.load(result.model)
    tested = comparison.logits.astype(np.float32) / card.temperature
    got = np.asarray(model.network(images, training=False))
    np.testing.assert_allclose(got, probabilities(tested), atol=2e-3)  # kept in half precision


def test_a_new_model_takes_the_place_of_the_old_one_and_of_nothing_else(kept, tmp_path):
    comparison = Comparison(kept[0].data, tmp_path)
    (run,) = comparison.wish.candidates
    folder = comparison.keep([comparison.run(run)], {run.id}).model
    card = cards.read(folder / cards.CARD)
    for name in ("model.onnx", "model.pth", "model.py", "model.d/mine", "../precious"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(name)
    whole = cards.digest(folder / "model.onnx")
    card.exports = {
        "onnx": replace(card.as_tested, file="model.onnx", sha256=whole),
        "tflite": replace(card.as_tested, file="model.py", sha256=whole),
        "other": replace(
            card.as_tested, file="../precious", sha256=cards.digest(tmp_path / "precious")
        ),
    }
    cards.write(card, folder / cards.CARD)
    comparison.keep([comparison.run(run)], {run.id})
    names = ["model.d", "model.json", "model.keras", "model.pth", "model.py"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert (folder / "model.d" / "mine").exists() and (tmp_path / "precious").exists()
    assert cards.read(folder / cards.CARD).exports == {}


def test_pictures_of_no_class_are_tried_and_the_share_called_with_certainty_is_written(kept):
    comparison, result = kept
    card = cards.read(result.model / cards.CARD)
    met = card.sure.strangers
    images = strangers.strangers((20, 20, 3))
    chances = np.asarray(predict.load(result.model).network(images, training=False)).max(axis=1)
    assert (met.name, met.images) == ("shapes", len(images) == 500 and 500)
    assert met.sure == pytest.approx((chances > card.sure.threshold).mean())
    # The page says it, of the model whose run it is about and of no other.
    said = "pictures of none of its classes (drawn shapes)"
    assert said in report.build(comparison.folder, result.records).read_text()
    other = [replace(record, id="another") for record in result.records]
    assert said not in report.build(comparison.folder, other).read_text()


def test_the_page_shows_the_first_filters_of_a_network_that_has_some(tiny_npz, tmp_path):
    comparison = Comparison(tiny_npz, tmp_path, ARMS[0])
    (run,) = comparison.wish.candidates
    result = comparison.keep([comparison.run(run)], {run.id})
    path = result.model / cards.CARD
    card = cards.read(path)
    assert card.filters and all(one.startswith("data:image/png;base64,") for one in card.filters)
    page = report.build(tmp_path, result.records).read_text()
    assert "Inside the kept model" in page and page.count(card.filters[0]) >= 1
    # What is no small picture is no card, and on no page.
    cards.write(replace(card, filters=['data:image/png;base64,"><script>alert(1)</script>']), path)
    assert "Inside the kept model" not in report.build(tmp_path, result.records).read_text()


def test_a_perceptron_has_none(kept):
    comparison, result = kept
    assert cards.read(result.model / cards.CARD).filters == []
    assert "Inside the kept" not in report.build(comparison.folder, result.records).read_text()


def with_mistakes(
    comparison: Comparison, record: Record, logits: np.ndarray | None = None
) -> Record:
    """A record with its answers kept; what it learnt too well to make mistakes is said to be."""
    logits = comparison.logits if logits is None else logits
    right = np.packbits(np.arange(len(logits)) >= 4).tobytes()
    record = replace(record, test=replace(record.test, right=right))
    content = io.BytesIO()
    np.save(content, logits)
    predictions.keep(record, predictions.file(comparison.folder, record.id), content.getvalue())
    return record


def test_where_the_kept_network_looked_in_its_surest_mistakes_is_kept(tiny_npz, tmp_path):
    comparison = Comparison(tiny_npz, tmp_path, keep="tiny:probe")
    (run,) = comparison.wish.candidates
    record = with_mistakes(comparison, comparison.run(run))
    model = comparison.keep([record], {run.id}).model
    keeping.look(comparison.wish, tmp_path, [record], comparison.said.append)
    assert comparison.said == []
    found = samples.read_looked(tmp_path, run.id)
    (wrong,) = mistakes.mistakes(mistakes.answered(tmp_path, view([record])))
    assert found.rows.tolist() == wrong.rows.tolist() and sorted(found.rows) == [0, 1, 2, 3]
    assert found.labels.tolist() == comparison.logits[found.rows].argmax(axis=1).tolist()
    images = prepare(str(tiny_npz), None).x_test
    whole = predict.load(model).network.get_layer("whole")
    for row, called, lit in zip(found.rows, found.labels, found.images, strict=True):
        np.testing.assert_allclose(lit, gradcam.lit(whole, images[row], called), atol=1)
    path = tmp_path / "images" / f"{run.id}-looked.npz"
    before = path.stat().st_mtime_ns
    keeping.look(comparison.wish, tmp_path, [record], comparison.said.append)
    assert path.stat().st_mtime_ns == before, "what is there is not made again"


def test_it_is_kept_as_well_for_what_the_two_arms_of_the_headline_dispute(tiny_npz, tmp_path):
    comparison = Comparison(tiny_npz, tmp_path, keep="tiny:probe")
    (run,) = comparison.wish.candidates
    record = with_mistakes(comparison, comparison.run(run))
    other = replace(record, id="another", arm="cnn:scratch", model="cnn", strategy="scratch")
    both = [record, with_mistakes(comparison, other, -comparison.logits)]
    comparison.keep(both[:1], {run.id})
    keeping.look(comparison.wish, tmp_path, both, comparison.said.append)
    shown = disputes.disputes(tmp_path, view(both)).rows[: disputes.SHOWN]
    found = samples.read_looked(tmp_path, run.id)
    assert comparison.said == [] and len(shown) == disputes.SHOWN
    assert {*shown.tolist(), 0, 1, 2, 3} == set(found.rows.tolist())


def test_of_a_network_without_maps_nobody_is_told_where_it_looked(kept):
    comparison, result = kept
    records = [with_mistakes(comparison, result.records[0])]
    assert mistakes.mistakes(mistakes.answered(comparison.folder, view(records)))
    keeping.look(comparison.wish, comparison.folder, records, comparison.said.append)
    assert comparison.said == [] and not list(comparison.folder.glob("images/*"))


def test_a_run_that_was_done_without_its_network_is_done_again_and_said(kept, tmp_path):
    before, _ = kept
    comparison = Comparison(before.data, tmp_path)
    (run,) = comparison.wish.candidates
    plain = comparison.run(replace(run, keep=None))
    result = comparison.keep([plain], set())
    assert comparison.said == [
        "mlp:scratch was trained before, but its network was not kept: it is trained again"
    ]
    assert comparison.done == 2 and result.why_not is None
    assert [r.id for r in result.records] == [plain.id] and result.records[0] is not plain
    again = comparison.keep(result.records, set())
    assert comparison.done == 2 and again.model, "what is kept is not done again"


def test_the_best_is_the_best_on_validation_whatever_the_test_says(kept, tmp_path):
    before, result = kept
    comparison = Comparison(before.data, tmp_path, keep="best")
    (good,) = result.records
    entries = [replace(good.history[-1], val_accuracy=share) for share in (0.9, 0.1)]
    first, second = comparison.wish.candidates
    records = [
        replace(good, id=run.id, arm=run.arm, history=[entry], test=replace(good.test, accuracy=a))
        for run, entry, a in zip((first, second), entries, (0.1, 0.9), strict=True)
    ]
    comparison.keep(records, set())
    assert comparison.said[0].startswith(f"{first.arm} was trained before")
    card = cards.read(tmp_path / "model" / cards.CARD)
    images = good.data.sizes.validation
    assert card.arm == "tiny:probe" and images >= 30
    assert card.chosen == f"the best of 2 arms on {images} validation images"


def test_few_validation_images_choose_no_certainty_and_the_arm_by_luck(tiny_npz, tmp_path):
    comparison = Comparison(tiny_npz, tmp_path, keep="best", size=60)
    records = [comparison.run(run) for run in comparison.wish.candidates]
    for record in records:
        record.data.sizes.validation = 1
        assert record.test.calibration.temperature == 1.0
        assert (record.test.calibration.threshold, record.test.calibration.answered) == (1.0, 0.0)
    result = comparison.keep(records, {record.id for record in records})
    card = cards.read(result.model / cards.CARD)
    assert card.chosen == "the best of 2 arms on one validation image, too few to choose by"
    assert (card.temperature, card.sure.threshold, card.sure.chosen_on) == (1.0, 1.0, 0)
    assert any(line.startswith("Fewer than 20 validation images") for line in card.limits)
    images = prepare(str(tiny_npz), None).x_test[:4]
    answered = predict.load(result.model).network(images, training=False)
    assert np.asarray(answered).max() < 1.0
    html = report.build(tmp_path, result.records).read_text()
    assert "too few to choose by; test images choose nothing" in html
    assert "It calls no answer sure" in html and "pictures of none of its classes" not in html


def test_a_run_that_ended_badly_leaves_no_model(kept, tmp_path):
    comparison = Comparison(kept[0].data, tmp_path)
    (good,) = kept[1].records
    result = comparison.keep([replace(good, status="diverged")], set())
    assert result.model is None
    assert result.why_not == "no model is kept: none of the runs it could come from ended well"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"keep": "cnn:scratch"}, "--keep cnn:scratch is none of the arms compared (tiny:probe"),
        ({"keep": "nonsense"}, "nonsense"),
        ({"keep": ""}, "'' is not an arm"),
        ({"export": ("onxx",)}, "unknown export 'onxx': did you mean onnx?"),
    ],
)
def test_what_cannot_be_kept_is_said_before_any_training(tiny_npz, tmp_path, asked, said):
    with pytest.raises(ComparisonError) as error:
        wanted = request(out=tmp_path, **asked)
        keeping.wanted(wanted, planned(tiny_npz, wanted), tmp_path)
    assert said in str(error.value)


def test_nothing_is_kept_where_nothing_is_written():
    with pytest.raises(ComparisonError, match="name a folder by out"):
        check(request(keep="best"))


def test_old_cards_of_runs_are_no_records(kept):
    assert kept_records.load_all(kept[0].folder)[0] == []


def test_an_export_that_answers_otherwise_is_refused_and_the_pictures_named(kept, tmp_path):
    pytest.importorskip("onnxruntime")
    comparison, result = kept
    images = prepare(str(comparison.data), None).x_test[:6]
    network = predict.load(result.model).network
    answers = np.array(network(images, training=False))
    answers[[1, 4]] = np.roll(answers[[1, 4]], 1, axis=1)  # those of a network that thinks so
    found = exports.gate(network, answers, images, FORMATS["onnx"], tmp_path)
    assert (found.differing, found.file) == ([1, 4], None)
    assert not list(tmp_path.iterdir())


def test_a_refused_export_names_the_files_of_the_pictures(kept, tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")
    comparison, result = kept
    folder = tmp_path / "model"
    shutil.copytree(result.model, folder)
    images = prepare(str(comparison.data), None).x_test[:6]

    def otherwise(path: Path, images: np.ndarray, cores: int) -> np.ndarray:
        answers = FORMATS["onnx"].answers(path, images, cores)
        answers[[1, 4]] = np.roll(answers[[1, 4]], 1, axis=1)
        return answers

    monkeypatch.setattr(
        exports, "FORMATS", {"onnx": dataclasses.replace(FORMATS["onnx"], answers=otherwise)}
    )
    for files, named in (
        ([f"ants/{n}.png" for n in range(6)], "ants/1.png, ants/4.png"),
        ((), "1, 4"),
    ):
        with pytest.raises(ComparisonError) as error:
            exports.export(folder, images, files, ["onnx"], print)
        assert str(error.value) == f"not exported: onnx answers 2 test pictures otherwise: {named}"
    assert cards.read(folder / cards.CARD).exports["onnx"].differing == [1, 4]
    assert not (folder / "model.onnx").exists()


def test_the_model_is_exported_once_and_noted_on_its_card(tiny_npz, tmp_path):
    there = [name for name, needed in keeping.PACKAGES.items() if all(map(find_spec, needed))]
    comparison = Comparison(tiny_npz, tmp_path, export=tuple(there))
    (run,) = comparison.wish.candidates
    result = comparison.keep([comparison.run(run)], {run.id})
    assert result.why_not is None and there
    assert comparison.said == [
        "the model answers 90 test pictures",
        *(f"exporting to {name}, which answers the same" for name in there),
    ]
    card = cards.read(result.model / cards.CARD)
    assert list(card.exports) == there
    images = prepare(str(tiny_npz), None).x_test[:8]
    wanted = np.asarray(predict.load(result.model).network(images, training=False))
    for name, noted in card.exports.items():
        path = result.model / noted.file
        assert (noted.images, noted.agreement, noted.differing) == (90, 1.0, [])
        assert noted.sha256 == cards.digest(path)
        np.testing.assert_allclose(FORMATS[name].answers(path, images, 1), wanted, atol=1e-5)
    before = {path: path.stat().st_mtime_ns for path in result.model.glob("model.[!jk]*")}
    assert len(before) == len(there)
    again = comparison.keep(result.records, set())
    assert again.why_not is None and len(comparison.said) == 1 + len(there)
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_an_export_whose_packages_are_missing_is_one_line(tiny_npz, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)  # as where it is not installed
    with pytest.raises(
        ComparisonError, match=r"--export onnx needs tf2onnx: pip install '.*\[export\]'"
    ):
        Comparison(tiny_npz, tmp_path, export=("onnx",))
