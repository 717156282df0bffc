"""The command line as a user meets it: real processes, real kills, one clear line on errors."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import processes
import pytest

from comparisons import cifar
from comparisons.core import records
from comparisons.core.errors import ComparisonError
from comparisons.core.machine import ROOT

NO_NETWORK = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}


def command(*arguments, env=None, module="comparisons.cifar"):
    """Run to the end; the exit code, standard output and standard error."""
    process = processes.start(*arguments, env=env, module=module)
    out, err = process.communicate(timeout=240)
    return process.returncode, out, err


def small(data, out, *more):
    return ["--data", data, "--arms", "cnn:scratch", "--epochs", "2", "--out", out, *more]


def error_line(capsys, *arguments):
    """The one line on standard error of a command that must end with exit code 2."""
    assert cifar.main([str(argument) for argument in arguments]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ") and err.count("\n") == 1, err
    return err


def test_a_file_where_results_belong_is_named_by_the_folder_that_they_would_go_to(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").touch()
    assert cifar.main(["--arms", "cnn:scratch", "--dry-run"]) == 1
    said = capsys.readouterr().err
    assert (
        said == f"error: --out results/cifar10: {tmp_path / 'results'} is a file, name a folder\n"
    )


@pytest.mark.parametrize("flags", [["--help"], ["--list"], ["--dry-run"]])
def test_help_list_and_plan_load_no_framework(flags):
    code = (
        "import sys\nfrom comparisons import cifar\n"
        f"try: cifar.main({flags!r})\nexcept SystemExit: pass\n"
        "bad = {'tensorflow', 'keras', 'jax', 'torch', 'openvino'} & set(sys.modules)\n"
        "assert not bad, bad"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_list_names_every_row(capsys):
    assert cifar.main(["--list"]) == 0
    out = capsys.readouterr().out
    for name in ("tutorial-cnn", "mobilenet@0.25x160", "frozen", "scratch", "shapes", "demo"):
        assert name in out
    assert max(map(len, out.splitlines())) <= 100


def test_dry_run_shows_every_run_and_writes_nothing(capsys, tmp_path, tiny_npz):
    arguments = ["--data", tiny_npz, "--seeds", "0", "1", "--train-size", "50", "100", "--dry-run"]
    assert cifar.main([*map(str, arguments), "--out", str(tmp_path / "out")]) == 0
    out = capsys.readouterr().out
    assert out.startswith("8 runs ")
    # A row for each size, with both seeds.
    assert out.count("cnn:scratch") == 2 and out.count("mobilenet@0.25x160:frozen") == 2
    assert out.count(" 0 1 ") == 4
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--arms", "cn:scratch"], "cnn"),
        (["--arms", "cnn:scrach"], "scratch"),
        (["--arms", "cnn"], "MODEL:STRATEGY"),
        (["--arms", "cnn:frozen"], "no pretrained weights"),
        (["--arms", "mobilenet@0.3x160:frozen"], "alpha"),
        (["--arms", "mobilenet@0.25x7:frozen"], "pixels"),
        (["--arms", "mobilenet@big:frozen"], "ALPHAxSIZE"),
        (["--arms", "cnn@3:scratch"], "no options"),
        (["--data", "cifar"], "cifar10"),
        (["--data", "nowhere.npz"], "nowhere.npz"),
        (["--preset", "dem"], "demo"),
        (["--data", "shapes", "--arms", "cnn:scratch", "--train-size", "0"], "9,000"),
        (["--data", "shapes", "--arms", "cnn:scratch", "--train-size", "9001"], "9,000"),
        (["--data", "shapes", "--arms", "cnn:scratch", "--train-size", "5"], "has 10 classes"),
        (["--data", "shapes", "--classes", "heart"], "two or more"),
        (["--data", "shapes", "--classes", "heart", "heart"], "two or more"),
        (["--data", "shapes", "--classes", "heart", "combb"], "comb"),
        (["--data", "shapes", "--classes", "heart", "comb", "--train-size", "2000"], "1,800"),
        (["--epochs", "0"], "--epochs"),
        (["--batch-size", "-3"], "--batch-size"),
        (["--seeds", "-1"], "seeds"),
    ],
)
def test_mistakes_get_one_line_and_nothing_written(capsys, tmp_path, arguments, hint):
    out = tmp_path / "out"
    assert hint in error_line(capsys, *arguments, "--out", out)
    assert not out.exists()


def test_images_too_small_for_a_network_are_refused(capsys, tmp_path):
    path, out = tmp_path / "small.npz", tmp_path / "out"
    images, labels = np.zeros((20, 12, 12, 3), np.uint8), np.arange(20) % 2
    np.savez(path, x_train=images, y_train=labels, x_test=images, y_test=labels)
    arguments = ("--data", path, "--arms", "tutorial-cnn:scratch", "--out", out)
    assert "18 pixels" in error_line(capsys, *arguments)
    assert not out.exists()


def test_python_raises_the_same_line(capsys):
    line = error_line(capsys, "--arms", "cn:scratch")
    with pytest.raises(ComparisonError) as caught:
        cifar.compare(arms=["cn:scratch"])
    assert line == f"error: {caught.value}\n"
    with pytest.raises(ComparisonError, match="gpu"):
        cifar.compare(device="quantum")


def test_a_named_data_set_that_cannot_be_had_is_said_at_once(tmp_path):
    out = tmp_path / "out"
    code, _, err = command(
        *("--data", "cifar10", "--data-dir", tmp_path / "empty", "--out", out), env=NO_NETWORK
    )
    assert code == 2 and err.count("\n") == 1
    assert "cifar10" in err and "TFDS_DATA_DIR" in err and str(tmp_path / "empty") in err
    assert not out.exists()


def test_a_named_arm_without_weights_is_said_at_once(tmp_path):
    out = tmp_path / "out"
    code, _, err = command(
        *("--data", "shapes", "--arms", "mobilenet:frozen", "--out", out),
        env=NO_NETWORK | {"KERAS_HOME": str(tmp_path)},
    )
    assert code == 2 and err.count("\n") == 1
    assert "mobilenet_2_5_224_tf_no_top.h5" in err and "KERAS_HOME" in err
    assert "fetch https://storage.googleapis.com/tensorflow/keras-applications/mobilenet/" in err
    assert not out.exists()


@pytest.mark.ci
def test_without_data_weights_and_network_the_main_job_still_finishes(tmp_path):
    out = tmp_path / "out"
    code, said, err = command(
        *("--preset", "demo", "--train-size", "300", "--epochs", "3", "--out", out),
        "--robustness",
        env=NO_NETWORK | {"KERAS_HOME": str(tmp_path), "TFDS_DATA_DIR": str(tmp_path)},
    )
    assert code == 0, err
    kept, _ = records.load_all(out)
    assert sorted(record.arm for record in kept) == ["cnn:scratch", "tiny:frozen"]
    page = (out / "report.html").read_text()
    for record in kept:
        assert record.data.name == "shapes" and record.data.synthetic
        assert any("shapes" in notice for notice in record.notices)
        assert any("tiny:frozen" in notice for notice in record.notices)
        assert record.test.robustness.images == 1_000 and record.seconds.robustness > 0
    assert "drawn" in said and "says" not in err
    assert "drawn images" in page
    assert '<figure id="robustness"' in page
    assert max(map(len, said.splitlines())) <= 100 or "report.html" in max(
        said.splitlines(), key=len
    )


def test_what_is_written_and_kept(tmp_path, tiny_npz):
    out = tmp_path / "out"
    code, said, err = command(*small(tiny_npz, out))
    assert code == 0, err
    assert "Traceback" not in err + said
    (path,) = (out / "runs").glob("*.json")
    record = records.load(path)
    assert path.stem == record.id and record.arm == "cnn:scratch"
    logits = np.load(out / "predictions" / f"{record.id}.npy", allow_pickle=False)
    assert logits.dtype == np.float16 and logits.shape == (90, 3)
    assert (logits.argmax(1).shape[0]) == np.sum(record.test.confusion)
    (row,) = json.loads((out / "summary.json").read_text())["rows"]
    assert row["accuracy_mean"] == record.test.accuracy and row["runs"] == row["ok"] == 1
    assert (out / "summary.csv").read_text().count("\n") == 2
    page = (out / "report.html").read_text()
    assert (out / "images" / f"{record.data.fingerprint}.npz").is_file()
    assert page.count('alt="test image ') == 10
    answer = json.loads((out / "summary.json").read_text())["headline"][0]
    assert answer.replace("\u00a0", " ") in " ".join(said.split()).replace("\u00a0", " ")
    assert list((out / "figures").glob("*.png")) and list((out / "figures").glob("*.svg"))
    assert "/" not in record.environment.command.replace("tests/", "")
    before = path.read_bytes()
    assert "watts" not in page
    # Prices are the page's alone: the run is the same one.
    code, said, _ = command(*small(tiny_npz, out, "--watts", "40", "--price-per-hour", "2"))
    assert code == 0 and "kept" in said
    page = (out / "report.html").read_text()
    assert "40 watts" in page and "2 an hour" in page
    assert path.read_bytes() == before
    assert len(list((out / "runs").iterdir())) == 1


@pytest.mark.ci
def test_some_classes_are_a_task_of_their_own(tmp_path, tiny_npz):
    out = tmp_path / "out"
    for classes in ([], ["--classes", "both", "upright"]):
        code, _, err = command(*small(tiny_npz, out), *classes)
        assert code == 0, err
    whole, part = sorted(
        (records.load(path) for path in (out / "runs").glob("*.json")),
        key=lambda record: -len(record.data.classes),
    )
    assert whole.data.name == whole.settings.data == "stripes.npz"
    assert part.data.name == part.settings.data == "stripes.npz (upright, both)"
    assert part.data.classes == ["upright", "both"]
    assert part.data.fingerprint != whole.data.fingerprint
    assert len(part.test.confusion) == 2 and sum(map(sum, part.test.confusion)) < 90
    assert part.train_size == 180 and whole.train_size == 270


@pytest.mark.ci
def test_a_damaged_record_is_done_again(tmp_path, tiny_npz):
    out = tmp_path / "out"
    assert command(*small(tiny_npz, out))[0] == 0
    (path,) = (out / "runs").glob("*.json")
    path.write_text(path.read_text()[:200])
    code, _, err = command(str(out), module="comparisons.report")
    assert code == 2 and path.name in err and "Traceback" not in err
    assert command(*small(tiny_npz, out))[0] == 0
    assert records.load(path).status == "ok"


@pytest.mark.ci
def test_a_kill_keeps_finished_runs_and_the_same_command_continues(tmp_path, tiny_npz):
    out = tmp_path / "out"
    arguments = small(tiny_npz, out, "--seeds", "0", "1")
    process = processes.start(*arguments)
    first = wait_for(out / "runs", "*-s0-*.json")
    process.kill()
    process.communicate()
    before = first.read_bytes()
    code, said, err = command(*arguments)
    assert code == 0, err
    assert first.read_bytes() == before and "kept" in said
    kept, damaged = records.load_all(out)
    assert [record.seed for record in kept] == [0, 1] and not damaged
    assert not list(out.rglob("*.part"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_ends_with_one_line(tmp_path, tiny_npz, number):
    out = tmp_path / "out"
    process = processes.start(*small(tiny_npz, out, "--seeds", "0", "1", "2"))
    wait_for(out / "runs", "*.json")
    working = processes.wait_for_worker(process)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "same command continues" in err and err.count("\n") == 1
    assert 1 <= len(list((out / "runs").glob("*.json"))) < 3
    assert processes.left_after([working], 2.0) == []


@pytest.mark.ci
def test_a_run_that_is_killed_fails_alone(tmp_path, tiny_npz):
    out = tmp_path / "out"
    process = processes.start(*small(tiny_npz, out, "--seeds", "0", "1"))
    os.kill(processes.wait_for_worker(process), signal.SIGKILL)
    said, err = process.communicate(timeout=120)
    assert process.returncode == 1 and "Traceback" not in err
    by_seed = {record.seed: record for record in records.load_all(out)[0]}
    assert by_seed[0].status == "failed" and "SIGKILL" in by_seed[0].error
    assert by_seed[1].status == "ok"
    assert "failed" in said and "SIGKILL" in (out / "report.html").read_text()
    assert command(*small(tiny_npz, out, "--seeds", "0", "1"))[0] == 0
    assert {record.status for record in records.load_all(out)[0]} == {"ok"}


def test_a_run_that_learns_nothing_is_shown_as_diverged(tmp_path):
    generator = np.random.default_rng(0)
    path = tmp_path / "noise.npz"
    np.savez(
        path,
        x_train=generator.integers(0, 256, (400, 20, 20, 3), dtype=np.uint8),
        y_train=generator.integers(0, 10, 400),
        x_test=generator.integers(0, 256, (50, 20, 20, 3), dtype=np.uint8),
        y_test=generator.integers(0, 10, 50),
    )
    out = tmp_path / "out"
    code, said, err = command(
        *("--data", path, "--arms", "tutorial-cnn:scratch", "--epochs", "1", "--out", out)
    )
    assert code == 0, err
    (record,) = records.load_all(out)[0]
    assert record.status == "diverged" and "chance" in record.error
    for shown in (said, (out / "report.html").read_text()):
        assert "no better than chance yet" in shown
        assert f"{100 * record.test.accuracy:.1f}" in shown


def test_an_unwritable_folder_is_said_before_training(capsys, tmp_path, tiny_npz):
    blocker = tmp_path / "file"
    blocker.write_text("not a folder")
    assert cifar.main([str(part) for part in small(tiny_npz, blocker / "out")]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "--out" in err


def test_a_full_disk_is_one_line(tmp_path, tiny_npz):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small disk to fill cannot be mounted here")
    try:
        code, _, err = command(*small(tiny_npz, disk / "out"))
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert code == 1 and "Traceback" not in err
    assert "No space left" in err.splitlines()[-1]


def test_out_none_writes_nothing_and_sizes_may_be_several(tmp_path, tiny_npz, monkeypatch):
    monkeypatch.chdir(tmp_path)
    got = cifar.compare(["cnn:scratch"], tiny_npz, [60, 120], 3, epochs=1)
    assert [(record.train_size, record.seed) for record in got] == [(60, 3), (120, 3)]
    assert [path for path in tmp_path.iterdir() if path != tiny_npz] == []


def wait_for(folder, pattern):
    """The first file that matches, once it is there."""
    for _ in range(600):
        found = sorted(folder.glob(pattern))
        if found:
            return found[0]
        time.sleep(0.1)
    raise AssertionError(f"no {pattern} in {folder} after a minute")


@pytest.mark.ci
def test_what_users_name_is_printed_as_they_wrote_it(tmp_path, tiny_npz):
    data = tmp_path / "[bold].npz"
    data.write_bytes(tiny_npz.read_bytes())
    out = tmp_path / "[" / "b]x"
    code, said, err = command(*small(data, out))
    assert (code, err) == (0, "")
    assert f"{out}/report.html" in said
    code, said, err = command(*small(tmp_path / "[" / "x].npz", out, "--dry-run"))
    assert code == 2 and err.count("\n") == 1 and "[/x].npz" in err
    code, said, err = command(*small(data, out, "--dry-run"))
    assert code == 0 and "[bold].npz" in said
