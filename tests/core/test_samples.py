"""Which test images are kept for the page, and what is read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from comparisons.core import samples


@given(some.lists(some.integers(0, 12), min_size=1, max_size=200))
def test_samples_are_balanced_and_depend_on_labels_alone(labels):
    rows = samples.choose(np.array(labels))
    assert len(rows) == min(samples.COUNT, len(labels)) == len(set(rows.tolist()))
    counts = np.bincount(np.array(labels)[rows], minlength=13)
    whole = np.bincount(labels, minlength=13)
    # A class has fewer than another only where it has no more, or by the last turn.
    for label in np.flatnonzero(whole):
        assert counts[label] >= min(whole[label], counts.max() - 1)
    assert samples.choose(np.array(labels)).tolist() == rows.tolist()


def test_results_choose_others_that_are_kept_with_the_names_of_their_files(tmp_path):
    images = np.arange(30, dtype=np.uint8).reshape(30, 1, 1, 1).repeat(3, axis=3)
    names = [f"ants/{i} \udcff.png" for i in range(30)]
    whole = samples.tested(images, np.arange(30) % 3, names)
    samples.keep_chosen(tmp_path, "f", whole, np.array([4, 29]))
    found = samples.read(tmp_path, "f", chosen=True)
    assert found.rows.tolist() == [4, 29] and found.images[:, 0, 0, 0].tolist() == [4, 29]
    # What is no character of any text could not be written on a page.
    assert found.files == (r"ants/4 \udcff.png", r"ants/29 \udcff.png")
    samples.keep_chosen(tmp_path, "f", whole, np.array([], int))
    assert samples.read(tmp_path, "f", chosen=True) is None


def test_what_is_kept_is_read_back_and_never_kept_twice(tmp_path):
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (30, 8, 8, 3), np.uint8)
    labels = np.arange(30) % 3
    samples.keep(tmp_path, "f", samples.tested(images, labels))
    found = samples.read(tmp_path, "f")
    assert (found.images == images[found.rows]).all()
    assert (found.labels == labels[found.rows]).all()
    samples.keep(tmp_path, "f", samples.tested(images[::-1], labels))
    assert (samples.read(tmp_path, "f").images == found.images).all()
    # What is damaged is made again.
    (path,) = (tmp_path / "images").iterdir()
    path.write_bytes(path.read_bytes()[:100])
    samples.keep(tmp_path, "f", samples.tested(images, labels))
    assert (samples.read(tmp_path, "f").images == found.images).all()


@pytest.mark.parametrize(("shape", "kept"), [((300, 200, 3), (96, 64, 3)), ((28, 28, 1), None)])
def test_large_images_are_made_small_and_small_ones_stay(tmp_path, shape, kept):
    images = np.full((12, *shape), 7, np.uint8)
    samples.keep(tmp_path, "f", samples.tested(images, np.arange(12)))
    found = samples.read(tmp_path, "f").images
    assert found.shape[1:] == (kept or shape) and (found == 7).all()


class Trap:
    """What does something as soon as it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize(
    "bad", ["missing", "torn", "text", "pickle", "lengths", "names", "floats", "huge"]
)
def test_a_file_that_cannot_be_used_is_none(tmp_path, bad):
    path = tmp_path / "images" / "f.npz"
    images = np.zeros((12, 4, 4, 3), np.uint8)
    samples.keep(tmp_path, "f", samples.tested(images, np.arange(12)))
    arrays = dict(np.load(path))
    if bad == "missing":
        path.unlink()
    elif bad == "torn":
        path.write_bytes(path.read_bytes()[:200])
    elif bad == "text":
        path.write_text("no zip")
    elif bad == "pickle":
        np.savez(path, **{**arrays, "rows": np.array([Trap(tmp_path / "sprung")] * 10, object)})
    elif bad == "lengths":
        np.savez(path, **{**arrays, "labels": np.arange(3)})
    elif bad == "names":
        np.savez(path, **{**arrays, "files": np.array(["one.png"])})
    elif bad == "floats":
        np.savez(path, **{**arrays, "images": images.astype(np.float32)})
    else:  # a few bytes on disk, a hundred million once they are unpacked
        np.savez_compressed(path, **{**arrays, "images": np.zeros((10, 2000, 2000, 3), np.uint8)})
    assert samples.read(tmp_path, "f") is None
    assert not (tmp_path / "sprung").exists()
