"""Bases: all of keras.applications, SavedModels, bases from files; and what is no base."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import factory
import h5py
import keras
import msgspec
import numpy as np
import pytest
from conftest import patterns

from comparisons import cifar
from comparisons.core import records
from comparisons.core.errors import ComparisonError
from comparisons.core.events import Error
from comparisons.data import prepare
from comparisons.plan import arms, bases
from comparisons.plan.runs import Run, command_line
from comparisons.plan.strategies import STRATEGIES
from comparisons.running import process, rehearsal, supplies
from comparisons.running.pretraining import pretrain
from comparisons.training import building
from comparisons.training import run as training
from comparisons.training.device import Runtime
from models import adapt, blocks, catalog, flops, lora
from models.applications import APPLICATIONS

CPU = Runtime("cpu", "a processor", 1, "float32", "tensorflow")
SHAPE = (32, 32, 3)
# The first and the last block, the number of blocks, and the module of preprocess_input.
NAMED: dict[str, tuple[str, str, int, str]] = {
    "vgg16@32": ("block1", "block5", 5, "vgg16"),
    "vgg19@32": ("block1", "block5", 5, "vgg19"),
    "mobilenet@0.25x32": ("stem", "block13", 14, "mobilenet"),
    "mobilenetv2@32": ("stem", "top", 19, "mobilenet_v2"),
    "mobilenetv3small@32": ("stem", "top", 13, "mobilenet_v3"),
    "mobilenetv3large@32": ("stem", "top", 17, "mobilenet_v3"),
    "resnet50@32": ("stem", "conv5_block3", 17, "resnet"),
    "efficientnetb0@32": ("stem", "top", 18, "efficientnet"),
    "convnexttiny@32": ("stem", "stage3_block2", 22, "convnext"),
}
QUICK = ("mobilenetv2@32", "mobilenetv3small@32", "convnexttiny@32")


def build(name: str, weights: Path | None = None, **change: Any) -> adapt.Network:
    arm = arms.parse(f"{name}:scratch")
    keras.utils.set_random_seed(0)
    return adapt.build(arm.model, SHAPE, 3, weights, adapt.Change(**change))


def through(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """What a model computes, without the time of compiling it."""
    return np.asarray(model(images, training=False))


def alike(got: np.ndarray, wanted: np.ndarray) -> bool:
    return bool(np.abs(got - wanted).max() <= 1e-4 * np.abs(wanted).max())


@pytest.fixture(scope="module")
def networks() -> Iterator[Any]:
    """Networks of random weights, each built once."""
    built: dict[str, adapt.Network] = {}

    def get(name: str) -> adapt.Network:
        if name not in built:
            built[name] = build(name)
        return built[name]

    yield get
    built.clear()


@pytest.mark.parametrize(
    ("name", "module"),
    [*((name, row[3]) for name, row in NAMED.items()), ("densenet121@32", "densenet")],
)
def test_a_base_is_fed_as_keras_says(networks, name, module):
    network = networks(name)
    images = patterns(4, 0, 32)[0]
    prepare_as = importlib.import_module(f"keras.applications.{module}").preprocess_input
    got = through(network.preprocess, images)
    np.testing.assert_allclose(got, prepare_as(images.astype(np.float32)), atol=1e-3)
    assert through(network.whole, images).shape == (4, 3)
    assert flops.forward(network.backbone) > 1e5


@pytest.mark.parametrize("name", NAMED)
def test_a_base_is_cut_between_any_two_of_its_blocks(networks, name):
    network = networks(name)
    first, last, count, _ = NAMED[name]
    names = [block.name for block in network.blocks]
    assert (names[0], names[-1], len(names)) == (first, last, count)
    images = patterns(2, 0, 32)[0]
    arriving = through(network.preprocess, images)
    wanted = through(network.base, arriving)
    for keep in range(1, count):
        below, above = blocks.cut(network.base, keep)
        if keep == count // 2:
            assert alike(through(above, through(below, arriving)), wanted)


@pytest.mark.parametrize("name", NAMED)
def test_a_base_trains(networks, name):
    network = networks(name)
    adapt.set_trainable(network, "all")
    before = [np.array(v) for v in network.base.trainable_variables]
    images, labels = patterns(4, 0, 32)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    # Step by step: one step is sooner done than compiled.
    network.whole.compile("adam", loss, run_eagerly=True)
    assert np.isfinite(network.whole.train_on_batch(images, labels))
    after = [np.array(v) for v in network.base.trainable_variables]
    moved = [(one != other).any() for one, other in zip(before, after, strict=True)]
    assert sum(moved) > 0.8 * len(moved)
    assert all(np.isfinite(one).all() for one in after)


@pytest.mark.parametrize("name", QUICK)
def test_adapters_of_a_base_begin_at_what_it_computes(networks, name):
    base = networks(name).base
    images = through(networks(name).preprocess, patterns(2, 0, 32)[0])
    copy, adapted = lora.with_adapters(base, 2, 32)
    assert len(adapted) > 10
    assert alike(through(copy, images), through(base, images))


# Built by the tests above, or too large for a test of seconds.
OTHERS = [name for name in APPLICATIONS if not any(n.startswith(f"{name}@") for n in NAMED)]
SMALL = ("resnet50v2", "inceptionv3", "xception", "nasnetmobile", "efficientnetv2b0")


@pytest.mark.parametrize(
    "name",
    [n if n in SMALL else pytest.param(n, marks=pytest.mark.slow) for n in OTHERS],
)
def test_every_other_application_builds(name):
    smallest = catalog.MODELS[name].smallest_size
    network = build(f"{name}@{smallest}")
    assert network.whole.output_shape == (None, 3)
    assert flops.forward(network.backbone) > 1e6
    keras.backend.clear_session()


def test_the_table_has_every_application_of_keras():
    there = {name for name in dir(keras.applications) if name[0].isupper()}
    assert {row.function for row in APPLICATIONS.values()} == there
    files = [row.file for row in APPLICATIONS.values()]
    assert len(set(files)) == len(files)


def published(network: keras.Model, path: Path) -> Path:
    """A file as Keras publishes it: by the order of layers."""
    from keras.src.legacy.saving import legacy_h5_format

    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, network)
    return path


def test_efficientnet_computes_what_keras_does_with_the_weights_it_fetches(tmp_path, monkeypatch):
    keras.utils.set_random_seed(1)
    original = keras.applications.EfficientNetB0(
        include_top=False, weights=None, input_shape=SHAPE, pooling="avg"
    )
    for layer in original.layers:
        if isinstance(layer, keras.layers.Normalization):
            # As the published files have it: the deviation where a variance belongs.
            layer.adapt_mean.assign((0.485, 0.456, 0.406))
            layer.adapt_variance.assign((0.229, 0.224, 0.225))
    path = published(original, tmp_path / "efficientnetb0_notop.h5")
    module = sys.modules["keras.src.applications.efficientnet"]
    monkeypatch.setattr(module.file_utils, "get_file", lambda *a, **k: str(path))
    fetched = keras.applications.EfficientNetB0(
        include_top=False, weights="imagenet", input_shape=SHAPE, pooling="avg"
    )
    images = patterns(3, 0, 32)[0]
    wanted = through(fetched, images.astype(np.float32))
    network = build("efficientnetb0@32", path)
    assert alike(through(network.backbone, images), wanted)
    copy, _ = lora.with_adapters(network.base, 2, 32)
    assert alike(through(copy, images.astype(np.float32)), wanted)


def test_published_weights_of_another_network_are_refused(tmp_path, networks):
    path = published(networks("mobilenetv3small@32").base, tmp_path / "some_notop.h5")
    with pytest.raises(ValueError, match=r"^some_notop.h5 holds the weights of another network$"):
        build("mobilenetv2@32", path)
    images = patterns(2, 0, 32)[0]
    again = through(build("mobilenetv3small@32", path).backbone, images)
    assert alike(again, through(networks("mobilenetv3small@32").backbone, images))


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SavedModels made on the spot: `images`, `words`, `maps` and `grey`."""
    folder = tmp_path_factory.mktemp("saved")
    keras.utils.set_random_seed(0)
    images = keras.Input((24, 24, 3))
    maps = keras.layers.Conv2D(6, 5, 3, activation="relu")(images)
    grey, words = keras.Input((24, 24, 1)), keras.Input((10,))
    pool = keras.layers.GlobalAveragePooling2D
    for name, inputs, outputs in (
        ("images", images, pool()(maps)),
        ("maps", images, maps),
        ("grey", grey, pool()(grey)),
        ("words", words, keras.layers.Dense(4)(words)),
    ):
        keras.Model(inputs, outputs).export(str(folder / name), verbose=False)
    return folder


def test_a_saved_model_is_a_frozen_base(saved):
    arm = arms.parse(f"hub:{saved}/images:frozen")
    assert arm.name == "hub:images:frozen"
    assert arms.parse(arm.written) == arm
    network = adapt.build(arm.model, SHAPE, 3, saved / "images")
    adapt.set_trainable(network, "head")
    images = patterns(3, 0, 32)[0]
    layer = network.base.layers[-1]
    small = keras.layers.Resizing(24, 24)(images.astype(np.float32)) / 255
    wanted = layer.loaded.serve(small).numpy()
    np.testing.assert_allclose(through(network.backbone, images), wanted, atol=1e-5)
    assert network.backbone.count_params() == 5 * 5 * 3 * 6 + 6
    assert flops.forward(network.backbone) == 2 * 7 * 7 * 5 * 5 * 3 * 6


def one_run(arm: str, data: Path, **more: Any) -> Run:
    dataset = prepare(str(data), None)
    given = {"data": str(data), "fingerprint": dataset.fingerprint, "command": "test"}
    return factory.planned(arm, 200, epochs=2, engine="keras", **given)


def trained(run: Run, data: Path) -> Any:
    return training.run(run, prepare(str(data), None), CPU)[0]


def test_a_run_on_a_saved_model_tells_what_it_is_but_not_where(saved, tiny_npz, cache):
    run = one_run(f"hub:{saved}/images:probe", tiny_npz)
    record = trained(run, tiny_npz)
    assert record.status in ("ok", "diverged") and record.test is not None
    assert str(saved) not in msgspec.json.encode(record).decode()
    assert record.settings.base == records.Base(digest=record.weights.hash)
    assert record.weights.upstream["source"] == "not stated by the SavedModel"
    other = one_run(f"hub:{saved}/maps:probe", tiny_npz)
    assert other.settings.base != run.settings.base


def test_the_content_of_a_saved_model_decides_the_run(saved, tiny_npz, tmp_path):
    shutil.copytree(saved / "images", tmp_path / "images")
    first = one_run(f"hub:{saved}/images:frozen", tiny_npz)
    assert one_run(f"hub:{tmp_path}/images:frozen", tiny_npz).id == first.id
    (tmp_path / "images" / "more.txt").write_text("more")
    assert one_run(f"hub:{tmp_path}/images:frozen", tiny_npz).id != first.id


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bases of random weights with cards as `comparisons.pretrain` writes them."""
    folder = tmp_path_factory.mktemp("made")
    for name in ("tiny", "cnn", "mobilenet@0.25x32"):
        adapt.save_base(build(name), folder / f"{name}.weights.h5")
        card = json.loads((catalog.BUNDLED / "tiny.json").read_text()) | {"model": name}
        (folder / f"{name}.json").write_text(json.dumps(card))
    return folder


@pytest.mark.parametrize("name", ["tiny", "cnn", "mobilenet@0.25x32"])
def test_a_base_from_a_file_is_what_its_card_says(made, name):
    arm, again = (arms.parse(f"file:{made}/{name}{end}:full") for end in (".weights.h5", ".json"))
    assert arm == again
    assert arm.name == f"file:{name}:full"
    assert (arm.model.source, arm.model.upstream.images) == ("shapes-source", 36_000)
    own = arms.parse(f"{name}:scratch")
    assert (arm.model.builder, arm.model.options) == (own.model.builder, own.model.options)
    path = catalog.weights_file(arm.model)
    network = adapt.build(arm.model, SHAPE, 3, path)
    images = patterns(2, 0, 32)[0]
    wanted = through(build(name, path).backbone, images)
    assert (through(network.backbone, images) == wanted).all()


def test_pretrain_and_use_what_it_made(tmp_path, tiny_npz):
    other = tmp_path / "other.npz"
    x, y = patterns(200, 7)
    np.savez(other, x_train=x, y_train=y, x_test=x[:30], y_test=y[:30])
    pretrain(str(other), "cnn", tmp_path / "bases", epochs=1)
    base = f"file:{tmp_path}/bases/cnn.json"
    (record,) = cifar.compare([f"{base}:full"], tiny_npz, 200, 0, epochs=2)
    assert (record.arm, record.model, record.error) == ("file:cnn:full", "file:cnn", None)
    assert record.weights.upstream["source"] == "its card, cnn.json"
    assert record.weights.origin == "other.npz: cnn.weights.h5"
    assert str(tmp_path) not in msgspec.json.encode(record).decode()
    with pytest.raises(ComparisonError, match="the target itself"):
        cifar.compare([f"{base}:frozen"], other, 100, 0)


REFUSED = {
    "hub:{saved}/nothing:frozen": "no SavedModel",
    "hub:{saved}/images:full": "probe, frozen, frozen-views, not full",
    "hub::frozen": "no SavedModel",
    "hub:https://[:frozen": "names no base",
    "file:{made}/tiny:full": "MODEL.weights.h5 or the MODEL.json",
    "file:{made}/none.json:full": "is not there",
    "file:{made}/tiny.json:scratch": "write the model's own name",
    "xception@64:frozen": "the size must be 71 to 512 pixels",
    "resnet50@0.5x64:frozen": "write it as resnet50@SIZE",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_base_is_refused_when_it_is_read(saved, made, text):
    with pytest.raises(ComparisonError, match=REFUSED[text]) as error:
        arms.parse(text.format(saved=saved, made=made))
    assert error.value.exit_code == 2
    assert "\n" not in str(error.value)


def test_a_card_that_is_none_is_refused(made, tmp_path):
    shutil.copy(made / "tiny.weights.h5", tmp_path)
    for text in ("{}", "[]", "not json", '{"model": "tini"}', '{"model": 3}'):
        (tmp_path / "tiny.json").write_text(text)
        with pytest.raises(ComparisonError, match=r"no card of comparisons\.pretrain"):
            arms.parse(f"file:{tmp_path}/tiny.json:full")


IMPOSSIBLE = {
    "tiny:partial@9": "cannot train the last 9 of 8 blocks (block0",
    "tiny:hybrid@40": "cannot replace the last 40 of 8 blocks (block0",
    "tiny:lora@33": "rank 33 is larger than block1_pointwise (32x64): 1 to 32 can be had",
    "file:{made}/cnn.json:lora": "no pointwise convolution",
    "file:{made}/swapped.json:full": "holds the weights of another network",
    "hub:{saved}/words:frozen": "not a base for images: it must take float32 images",
    "hub:{saved}/maps:probe": "gives float32 [None, 7, 7, 6]",
    "hub:{saved}/grey:frozen": "it takes float32 [None, 24, 24, 1]",
}


@pytest.mark.parametrize("text", IMPOSSIBLE)
def test_the_rehearsal_says_in_one_line_what_a_base_does_not_allow(saved, made, text):
    shutil.copy(made / "tiny.json", made / "swapped.json")
    shutil.copy(made / "cnn.weights.h5", made / "swapped.weights.h5")
    arm = arms.parse(text.format(saved=saved, made=made))
    with pytest.raises(ComparisonError) as error:
        building.rehearse([arm.written], (32, 32, 3), 3)
    message = str(error.value)
    assert message.startswith(f"{arm.name}: ") and IMPOSSIBLE[text] in message
    assert "\n" not in message and str(saved) not in message and str(made) not in message


def test_a_mistake_ends_before_anything_trains(saved, tiny_npz, tmp_path, capsys):
    flags = ["--data", str(tiny_npz), "--out", str(tmp_path / "out"), "--epochs", "1"]
    assert cifar.main(["--arms", "cnn:scratch", f"hub:{saved}/words:frozen", *flags]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: hub:words:frozen: hub:words is not a base for images")
    assert not (tmp_path / "out" / "runs").exists()


def test_the_usual_arms_are_not_rehearsed(tiny_npz, monkeypatch):
    def refuse(task: Any) -> Any:
        raise AssertionError(task)

    monkeypatch.setattr(process, "Worker", refuse)
    usual = ["cnn:scratch", "mobilenet:frozen", "vgg16:full", "tiny:frozen", "mobilenet:lora"]
    planned = [one_run(text, tiny_npz) for text in usual]
    rehearsal.rehearse(planned, prepare(str(tiny_npz), None), print)
    with pytest.raises(AssertionError, match="resnet50"):
        rehearsal.rehearse(
            [one_run("resnet50:frozen", tiny_npz)], prepare(str(tiny_npz), None), print
        )


WITH_OPTION = [name for name, row in STRATEGIES.items() if row.option]


@pytest.mark.parametrize("strategy", WITH_OPTION)
@pytest.mark.parametrize("base", ["tiny", "mobilenet@0.25x32"])
def test_what_is_not_rehearsed_can_be_built(base, strategy):
    arm = arms.parse(f"{base}:{strategy}")
    assert arm.model.name in rehearsal.SURE
    change = building.change_of(arm)
    network = adapt.build(arm.model, (32, 32, 3), 10, None, change)
    for phase in arm.strategy.phases:
        adapt.set_trainable(network, phase.trainable, arm.value or 0)
        adapt.halves(network, phase.trainable, arm.value or 0)


def test_an_unusual_option_is_rehearsed(tiny_npz, monkeypatch):
    refusal = nullcontext([Error("tried", 2)])
    monkeypatch.setattr(process, "Worker", lambda task: refusal)
    for text in ("tiny:lora@300", "vgg16:lora"):
        with pytest.raises(ComparisonError, match="tried"):
            rehearsal.rehearse([one_run(text, tiny_npz)], prepare(str(tiny_npz), None), print)


def test_a_handle_needs_the_network_unless_it_is_here(monkeypatch, tmp_path):
    handle = "https://tfhub.dev/google/imagenet/mobilenet_v2_100_224/feature_vector/5"
    arm = arms.parse(f"hub:{handle}:frozen")
    assert arm.name == "hub:google/imagenet/mobilenet_v2_100_224/feature_vector/5:frozen"
    assert arms.parse(arm.written) == arm
    assert bases.identity(arm.model) == records.Base(handle=handle)
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(supplies.internet, "reachable", lambda host: False)
    with pytest.raises(ComparisonError, match=r"tfhub\.dev cannot be reached: unpack it"):
        supplies.weights([arm], True, print)
    catalog.weights_file(arm.model).mkdir()
    assert supplies.weights([arm], True, print) == ([arm], [])


def test_the_bundled_base_is_not_tried_on_the_task_that_it_comes_from(cache):
    with pytest.raises(ComparisonError, match=r"tiny: .* shapes-source, the target itself"):
        cifar.compare("tiny:frozen", "shapes-source", 100, 0, epochs=1)


def test_two_bases_of_one_name_are_refused(saved, tmp_path):
    shutil.copytree(saved / "maps", tmp_path / "images")
    with pytest.raises(ComparisonError, match="both be called hub:images:frozen"):
        cifar.compare([f"hub:{saved}/images:frozen", f"hub:{tmp_path}/images:frozen"], "shapes")


def test_a_command_is_shown_without_folders():
    typed = ["--arms", "hub:/some/dir/name:frozen", "file:/a/b/tiny.json:full", "cnn:scratch"]
    shown = command_line("comparisons.cifar", typed)
    assert shown.endswith("--arms hub:name:frozen file:tiny:full cnn:scratch")
