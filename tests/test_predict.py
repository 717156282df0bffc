"""The door of kept models: what it answers, and what it says of what it cannot read."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import networks
import numpy as np
import processes
import pytest
from PIL import Image

from comparisons import predict
from comparisons.core import card as cards
from comparisons.core.errors import ComparisonError
from comparisons.core.machine import ROOT
from comparisons.data import prepare
from comparisons.predict import paths
from comparisons.predict.__main__ import main
from comparisons.running import keeping
from comparisons.training import device
from comparisons.training import run as training
from models import gradcam


@pytest.fixture(scope="module")
def results(tiny_npz, tmp_path_factory) -> Path:
    """A folder of results with a model that a run of `tiny:probe` left."""
    folder = tmp_path_factory.mktemp("results")
    run = networks.one_run("tiny:probe", tiny_npz)
    run.keep = str(folder / "model")
    runtime = device.start("cpu", 0, False)
    record, _ = training.run(run, prepare(str(tiny_npz), None), runtime)
    wish = keeping.Keeping(folder / "model", [run], False, ())
    assert keeping.keep(wish, [record], {run.id}, lambda run: record, print).why_not is None
    return folder


@pytest.fixture(scope="module")
def model(results) -> predict.Model:
    return predict.load(results)


@pytest.fixture
def photos(tiny_npz, tmp_path) -> Path:
    """Six test pictures as files, and what lies beside pictures."""
    folder = tmp_path / "pictures & more [1]"
    for number, image in enumerate(prepare(str(tiny_npz), None).x_test[:6]):
        place = folder / ("below" if number > 3 else "")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{number} ö.png")
    (folder / "Thumbs.db").write_bytes(b"nothing")
    (folder / ".hidden.png").write_bytes(b"nothing")
    return folder


def test_files_answer_as_the_test_pictures_that_they_hold(model, photos, tiny_npz):
    answers = model.answers(photos)
    images = prepare(str(tiny_npz), None).x_test[:6]
    chances = np.asarray(model.network(images, training=False))
    assert [Path(a.file).name for a in answers] == [f"{i} ö.png" for i in (0, 1, 2, 3, 4, 5)]
    for answer, row in zip(answers, chances, strict=True):
        assert list(answer.probabilities) == ["upright", "lying", "both"]
        np.testing.assert_allclose(list(answer.probabilities.values()), row, atol=1e-6)
        assert answer.probability == max(answer.probabilities.values())
        assert answer.probabilities[answer.name] == answer.probability
        assert answer.sure == (answer.probability > model.card.sure.threshold)


def test_the_class_is_the_likeliest_whether_it_is_sure_or_not(model, photos):
    for threshold, sure in ((0.0, True), (1.0, False)):
        card = cards.msgspec.structs.replace(
            model.card, sure=cards.msgspec.structs.replace(model.card.sure, threshold=threshold)
        )
        for answer in predict.Model(card, model.network).answers(photos):
            assert answer.sure is sure
            assert answer.name == max(answer.probabilities, key=answer.probabilities.get)


def test_many_pictures_answer_as_one(model, photos, monkeypatch):
    (one,) = model.answers(photos / "0 ö.png")
    monkeypatch.setattr("comparisons.predict.answers.MANY", 2)
    many = model.answers(photos)
    assert many[0].probability == pytest.approx(one.probability, abs=1e-4)


def test_for_a_few_pictures_nothing_is_compiled(results, photos):
    model = predict.load(results)
    assert len(model.answers(photos)) == 6
    assert model.network.predict_function is None


@pytest.mark.parametrize("wrong", ["MODEL", "PATH"])
def test_a_wrong_path_is_said_before_a_framework_is_loaded(results, photos, tmp_path, wrong):
    model = tmp_path / "nowhere" if wrong == "MODEL" else results
    path = photos if wrong == "MODEL" else tmp_path / "none.png"
    code = (
        "import sys; from comparisons.predict.__main__ import main; "
        "sys.exit(10 if main(sys.argv[1:]) != 2 or 'keras' in sys.modules else 0)"
    )
    command = [sys.executable, "-c", code, str(model), str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_command_says_all_of_it_and_ends_with_its_code(results, photos):
    (photos / "cut.png").write_bytes((photos / "0 ö.png").read_bytes()[:60])
    command = processes.start(results, photos, "--json", module="comparisons.predict")
    said, complained = command.communicate(timeout=120)
    assert command.returncode == 1
    assert len(json.loads(said)) == 6
    (line,) = complained.splitlines()  # and nothing of a framework that was loaded
    assert "cut.png" in line


def test_json_and_csv_say_the_same(results, photos, capsys):
    assert main([str(results), str(photos), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert set(said[0]) == {"file", "class", "probability", "sure", "probabilities"}
    assert main([str(results / "model" / "model.keras"), str(photos), "--csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [(r["file"], r["class"], r["sure"]) for r in rows] == [
        (a["file"], a["class"], str(a["sure"])) for a in said
    ]


def test_where_it_looked_is_bright_and_the_rest_dark(model, results, photos, tmp_path, capsys):
    file = photos / "0 ö.png"
    image = model.image(file)
    whole = model.network.get_layer("whole")
    (answer,) = model.answers(file)
    for name in (None, *model.card.classes):
        place = model.card.classes.index(name or answer.name)
        (heat,) = gradcam.looked(whole, image[None], np.array([place]))
        lit = np.asarray(model.looked(file, name))
        assert lit.shape == image.shape
        np.testing.assert_allclose(lit, image * (0.15 + 0.85 * heat[..., None]), atol=0.51)
    with pytest.raises(ComparisonError, match="unknown class 'cat'"):
        model.looked(file, "cat")
    with pytest.raises(ComparisonError, match=r"none\.png: "):
        model.looked(photos / "none.png")
    folder = tmp_path / "looked"
    assert main([str(results), str(photos), "--looked", str(folder)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 6
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"{i + 1}-{i} ö.png" for i in range(6)]
    written = np.asarray(Image.open(folder / "1-0 ö.png"))
    np.testing.assert_array_equal(written, np.asarray(model.looked(file)))
    (tmp_path / "file").touch()
    assert main([str(results), str(file), "--looked", str(tmp_path / "file")]) in (1, 2)
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_where_it_looked_is_written_over_no_file(results, photos, tmp_path, capsys):
    mine = tmp_path / "mine"
    mine.mkdir()
    shutil.copy(photos / "0 ö.png", mine / "x.png")
    shutil.copy(photos / "1 ö.png", mine / "1-x.png")
    shutil.copy(photos / "1 ö.png", mine / "2-x.png")
    before = {path.name: path.read_bytes() for path in mine.iterdir()}
    assert main([str(results), str(mine), "--looked", str(mine)]) == 0
    assert before.items() < {path.name: path.read_bytes() for path in mine.iterdir()}.items()
    assert main([str(results), str(mine / "x.png"), "--looked", str(mine)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "1-x.png is there" in line
    assert before.items() < {path.name: path.read_bytes() for path in mine.iterdir()}.items()


def test_files_that_are_no_pictures_are_named_and_the_others_answered(results, photos, capsys):
    good = photos / "0 ö.png"
    (photos / "cut.png").write_bytes(good.read_bytes()[:60])
    (photos / "page.jpg").write_text("<html>")
    assert main([str(results), str(photos)]) == 1
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 6
    lines = said.err.splitlines()
    assert [Path(line.split(": ")[0]).name for line in lines] == ["cut.png", "page.jpg"]
    assert lines[1].endswith("not a picture that Pillow reads")


def test_a_closed_folder_below_is_named_and_the_others_answered(results, photos):
    if processes.AS_USER and not shutil.which(processes.AS_USER[0]):
        pytest.skip("nothing here takes root's rights away")
    (photos / "below").chmod(0)
    command = [*processes.AS_USER, sys.executable, "-m", "comparisons.predict"]
    done = [
        subprocess.run([*command, results, path], cwd=ROOT, capture_output=True, text=True)
        for path in (photos, photos / "below")
    ]
    (photos / "below").chmod(0o700)
    assert [one.returncode for one in done] == [1, 2]
    assert [len(one.stdout.splitlines()) for one in done] == [4, 0]
    for one in done:
        (line,) = one.stderr.splitlines()
        assert line.endswith("below: it cannot be read: Permission denied")


@pytest.mark.parametrize(
    ("mode", "how"),
    [("L", {}), ("RGBA", {}), ("P", {}), ("CMYK", {}), ("RGB", {"exif": 6})],
)
def test_pictures_of_every_mode_are_answered_upright_and_in_rgb(model, tmp_path, mode, how):
    wave = (np.sin(np.arange(40) * np.pi / 4)[None, :, None] * 60 + 128).astype(np.uint8)
    upright = Image.fromarray(np.broadcast_to(wave, (40, 40, 3)).copy())
    (wanted,) = model.answers(_saved(upright, tmp_path / "plain.png"))
    path = tmp_path / ("other.tif" if mode == "CMYK" else "other.png")
    if how:
        exif = Image.Exif()
        exif[0x0112] = how["exif"]
        _saved(upright.transpose(Image.Transpose.ROTATE_90), path, exif=exif)
    else:
        _saved(upright.convert(mode), path)
    (found,) = model.answers(path)
    assert found.name == wanted.name
    assert found.probability == pytest.approx(wanted.probability, abs=0.02)


def _saved(image: Image.Image, path: Path, **how) -> Path:
    image.save(path, **how)
    return path


def test_grey_and_oblong_networks_get_what_they_take(tmp_path):
    from comparisons.data.pictures import as_input

    path = str(_saved(Image.new("RGB", (60, 30), (255, 0, 0)), tmp_path / "red.png"))
    assert (as_input(path, (28, 28, 1)) == 76).all()
    assert as_input(path, (12, 20, 3)).shape == (12, 20, 3)


def test_paths_are_files_folders_and_patterns_each_file_once(photos):
    names = lambda found: [Path(f).name[0] for f in found]  # noqa: E731
    assert names(paths.files([photos])) == ["0", "1", "2", "3", "4", "5"]
    escaped = str(photos).replace("[", "[[]")
    assert names(paths.files([f"{escaped}/[12]*.png", f"{escaped}/1*"])) == ["1", "2"]
    assert names(paths.files([photos / "below", photos / "below" / "4 ö.png"])) == ["4", "5"]
    for nothing in (photos / "*.gif", photos / "none.png", "", "x" * 5000, "a\0b"):
        with pytest.raises(ComparisonError):
            paths.files([nothing])


def spoilt(folder: Path, what: str) -> None:
    """Spoil a model's folder in one way."""
    file, card = folder / cards.MODEL, folder / cards.CARD
    text = json.loads(card.read_text())
    if what == "cut short":
        file.write_bytes(file.read_bytes()[:1000])
    elif what == "no file":
        file.unlink()
    elif what == "no card":
        card.unlink()
    elif what == "half a card":
        card.write_text(card.read_text()[:200])
    elif what == "another format":
        card.write_text(json.dumps(text | {"format": 99}))
    elif what == "an older format":
        text["network"]["linear"] = True
        card.write_text(json.dumps(text | {"format": 1}))
    elif what == "unknown head":
        text["network"]["head"] = "hydra"
        card.write_text(json.dumps(text))
    elif what == "another revision":
        text["network"]["revision"] = 99
        card.write_text(json.dumps(text))
    elif what == "an unknown look":
        text["network"]["looks"] = ["upside down"]
        card.write_text(json.dumps(text))
    elif what == "another network":
        text["network"]["model"] = "mlp"
        card.write_text(json.dumps(text))
    elif what == "blocks where there are none":
        text["network"] |= {"model": "mlp", "replaced": 1}
        card.write_text(json.dumps(text))
    elif what == "too cold":
        card.write_text(json.dumps(text | {"temperature": 1e-300}))
    elif what == "looks without end":
        text["network"]["looks"] = ["original"] * 10_000
        card.write_text(json.dumps(text))
    elif what == "unknown network":
        text["network"]["model"] = "skynet"
        card.write_text(json.dumps(text))
    elif what == "elsewhere":
        card.write_text(json.dumps(text | {"file": "../model.keras"}))
    elif what == "foreign":
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(file)
    elif what == "foreign with its hash":
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(file)
        card.write_text(json.dumps(text | {"sha256": cards.digest(file)}))


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("cut short", "is not the file that its card tells of"),
        ("no file", "is not there: copy the model's folder as a whole"),
        ("no card", "holds no model: run a comparison with --keep"),
        ("half a card", "is no card of a model"),
        ("another format", "has format 99, this version reads 2"),
        ("an older format", "has format 1, this version reads 2: keep the model again"),
        ("unknown head", "has a head not known here: hydra"),
        ("another revision", "of another version (99, here"),
        ("an unknown look", "looks at pictures in a way not known here: ['upside down']"),
        ("another network", "does not fit its card"),
        ("blocks where there are none", "does not fit its card"),
        ("too cold", "is no card of a model"),
        ("looks without end", "is no card of a model"),
        ("unknown network", "unknown model 'skynet'"),
        ("elsewhere", "names a file elsewhere"),
        ("foreign", "is not the file that its card tells of"),
        ("foreign with its hash", "holds the weights of another network"),
    ],
)
def test_what_is_no_model_of_ours_is_one_line(results, photos, tmp_path, capsys, what, said):
    folder = tmp_path / "model"
    shutil.copytree(results / "model", folder)
    spoilt(folder, what)
    assert main([str(folder), str(photos)]) == 2
    found = capsys.readouterr()
    assert said in found.err and len(found.err.splitlines()) == 1 and not found.out


def test_a_model_from_elsewhere_is_not_opened(photos, tmp_path, capsys):
    for name in ("other.keras", "weights.h5", "model.pkl"):
        (tmp_path / name).write_bytes(b"cos\nsystem\n(S'false'\ntR.")
        assert main([str(tmp_path / name), str(photos)]) == 2
        assert "is no model that this project kept" in capsys.readouterr().err
    assert main([str(tmp_path / "nowhere"), str(photos)]) == 2
    assert "there is no model" in capsys.readouterr().err


def test_networks_are_looked_into_side_by_side(model, photos):
    figure = predict.inside({"one": model, "the same": model}, photos)
    assert [axes.get_ylabel() for axes in figure.axes[::3]] == ["one", "the same"]
    for axes in figure.axes[2::3]:
        # Pictures of two folders, four and two of them, each a point.
        points = [len(heap.get_offsets()) for heap in axes.collections]
        assert sorted(points) == [2, 4]
        assert {text.get_text() for text in axes.get_legend().get_texts()} == {photos.name, "below"}
    for axes in (*figure.axes[::3], *figure.axes[1::3]):
        (shown,) = axes.images
        assert np.ptp(np.asarray(shown.get_array())) > 0.1
    with pytest.raises(ComparisonError, match="no file"):
        predict.inside({"one": model}, photos / "none")
