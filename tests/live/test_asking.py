"""Networks that were kept, asked in a process of their own: what they say, and what is inside."""

from __future__ import annotations

import io
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import networks
import numpy as np
import pytest
from PIL import Image

from comparisons.core.errors import ComparisonError
from comparisons.data import prepare
from comparisons.live.asking import Networks, kept
from comparisons.live.pictures import IN_PLANE, held_out
from comparisons.running.process import spawn
from comparisons.training import device
from comparisons.training import run as training

ARMS = ("cnn:scratch", "mlp:scratch")


def kept_run(arm: str, data: Path, folder: Path):
    """A run whose network is kept in a folder, and its data set."""
    run, dataset = networks.one_run(arm, data), prepare(str(data), None)
    run.keep = str(folder)
    training.run(run, dataset, device.start("cpu", 0, False))
    return run, dataset


@pytest.fixture(scope="module")
def asked(tiny_npz, tmp_path_factory):
    """The networks of a race of a CNN and a perceptron."""
    folder = tmp_path_factory.mktemp("networks")
    ran = {arm: kept_run(arm, tiny_npz, folder) for arm in ARMS}
    found = kept(folder, {run.name: run.id for run, _ in ran.values()} | {"another": "never-ran"})
    assert list(found) == list(ARMS)
    several = Networks(found, held_out(*ran[ARMS[0]], IN_PLANE), spawn)
    yield several
    several.close()


def picture(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(file, "PNG")
    return file.getvalue()


def test_held_out_pictures_are_of_no_training_image_and_begin_with_those_on_show(tiny_npz):
    data, run = prepare(str(tiny_npz), None), networks.one_run(ARMS[0], tiny_npz)
    some, more = held_out(run, data), held_out(run, data, 20)
    assert (len(some.images), len(more.images), len(more.pictures)) == (12, 20, 20)
    assert (more.images[:12] == some.images).all() and more.pictures[:12] == some.pictures
    trained = data.x_train[data.subset(run.seed, run.train_size, None).train]
    assert not (more.images[:, None] == trained[None]).all(axis=(2, 3, 4)).any()


def test_what_filters_find_comes_with_every_answer_where_there_are_filters(asked):
    red, blue = asked.say(picture("red")), asked.say(picture("blue"))
    assert [one.label for one in red] == list(ARMS)
    assert [len(one.found) for one in red] == [16, 0]
    assert red[0].found != blue[0].found


def test_a_network_without_a_convolution_is_in_the_plane_all_the_same(asked):
    inside = asked.inside()
    cnn, mlp = inside.arms
    assert cnn.filters and all(one.startswith("data:image/png") for one in cnn.filters)
    assert (len(cnn.found), mlp.filters, mlp.found) == (16, [], [])
    for arm in (cnn, mlp):
        assert len(arm.plane) == len(inside.pictures) == 30
        spread = np.ptp(arm.plane, axis=0)
        assert (spread > 0).all() and 0 <= arm.alike <= 1
    assert asked.inside() is inside  # it does not change: nothing is computed again


@contextmanager
def full_disk():
    """No file grows beyond a few bytes."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_is_full_is_said_in_one_line_and_nothing_is_left(asked):
    with full_disk(), pytest.raises(ComparisonError, match=r"cannot write to .* TMPDIR"):
        asked.say(picture("red"))
    assert len(asked.say(picture("red"))) == 2


def test_a_picture_of_200_megapixels_is_refused_in_one_line(asked):
    file = io.BytesIO()
    Image.new("1", (20_000, 10_000)).save(file, "PNG")
    with pytest.raises(ComparisonError, match="pixels") as refused:
        asked.say(file.getvalue())
    assert "\n" not in str(refused.value)
    assert len(asked.say(picture("red"))) == 2


def test_networks_whose_process_was_killed_say_so_and_that_they_cannot_be_asked_any_more(tiny_npz):
    started = []

    def start(*files):
        started.append(spawn(*files))
        return started[-1]

    run, data = networks.one_run(ARMS[0], tiny_npz), prepare(str(tiny_npz), None)
    # What is in their cards is never read.
    some = Networks({"a": Path("a.json"), "b": Path("b.json")}, held_out(run, data, 2), start)
    try:
        started[0].kill()
        with pytest.raises(ComparisonError, match="ended by SIGKILL"):
            some.say(picture("red"))
        for ask in (lambda: some.say(picture("red")), some.inside):
            with pytest.raises(ComparisonError, match="cannot be asked any more"):
                ask()
    finally:
        some.close()


def test_what_is_no_picture_leaves_the_networks_to_be_asked_again(asked):
    with pytest.raises(ComparisonError, match="no picture"):
        asked.say(b"nothing")
    assert len(asked.say(picture("red"))) == 2


def test_too_few_pictures_make_no_plane(tiny_npz, tmp_path: Path):
    run, data = kept_run("cnn:scratch", tiny_npz, tmp_path)
    one = Networks(kept(tmp_path, {run.name: run.id}), held_out(run, data, 2), spawn)
    try:
        (arm,) = one.inside().arms
        assert arm.filters and arm.plane == []
    finally:
        one.close()


def test_a_base_that_was_fine_tuned_is_drawn_before_and_after(tiny_npz, tmp_path: Path):
    ran = [kept_run(arm, tiny_npz, tmp_path) for arm in ("tiny:frozen", "tiny:full")]
    two = Networks(
        kept(tmp_path, {run.name: run.id for run, _ in ran}), held_out(*ran[0], IN_PLANE), spawn
    )
    try:
        frozen, full = two.inside().arms
    finally:
        two.close()
    assert frozen.moved is None and full.moved is not None
    assert "before fine-tuning" in full.moved.said and full.moved.how_to_read
    with urllib.request.urlopen(full.moved.figure) as uri:
        assert uri.headers.get_content_type() == "image/svg+xml"
        assert ElementTree.fromstring(uri.read()).tag.endswith("svg")
