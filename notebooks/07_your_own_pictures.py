# %% [markdown]
# # What about my own pictures?
#
# **Question.** Data sets of lessons are clean. Yours is not: copies, wrong labels, files that are
# no pictures. What must be looked at before training, and what may be believed of a result on few
# pictures?
#
# **Goals.** You can say what a leak is and why it flatters; find what is wrong with a folder before
# a network does; mend it without touching the originals; say how far a test on a few dozen pictures
# can be trusted.
#
# **You need** lesson 3 (scratch or frozen), files and folders in Python, and this project
# installed, by `pip install -e ".[notebooks]"` in its folder.
#
# **Minutes.** 40, of which the computer needs two.
#
# ## Predict
#
# `FOLDER` names your pictures: one sub-folder for each class. Left empty, a folder is made of
# pictures from a data set, two classes of 60 each, and some of the usual accidents are planted in
# it.

# %%
prediction = {
    "How many things will be wrong with the folder?": "",
    "Which arm is ahead on so few pictures?": "",
    "How far may the test accuracy be off by luck, in points?": "",
}

# %% [markdown]
# ## Run: the pictures

# %% tags=["parameters"]
DATA = "auto"  # where pictures come from if there is no folder; "shapes" needs no network
FOLDER = ""  # your own: FOLDER/ants/…, FOLDER/bees/…
EACH = 60
LIMITS = {"seeds": [0, 1, 2], "image_size": 32}  # for photographs 96 or more

# %%
import shutil
from pathlib import Path
from tempfile import mkdtemp

from PIL import Image

from comparisons import images, report
from comparisons.data import catalog
from comparisons.findings import intervals, pictures, verdict
from comparisons.findings.text import count, percent, points
from comparisons.findings.view import view
from comparisons.report.lesson import answered, check, say, table
from comparisons.running import supplies


def planted():
    """A folder with two classes of a data set, and with accidents."""
    _, data, _ = supplies.dataset(DATA, None, print)
    folder = Path(mkdtemp()) / "pictures"
    for label, name in list(enumerate(data.classes))[3:6:2]:
        (folder / name).mkdir(parents=True)
        for i, row in enumerate((data.y_train == label).nonzero()[0][:EACH]):
            Image.fromarray(data.x_train[row]).save(folder / name / f"{i:03}.png")
    one, other = sorted(path for path in folder.iterdir())
    shutil.copy(one / "000.png", other / "holiday.png")  # in the wrong class
    shutil.copy(one / "001.png", one / "001 (copy).png")
    Image.new("RGB", (32, 32), (120, 120, 120)).save(one / "lens cap.png")
    (other / "notes.png").write_text("These are no pixels.")
    return folder


folder = Path(FOLDER) if FOLDER else planted()
base = supplies.base("mobilenet@0.25x64")
ARMS = [f"{base}:frozen", "cnn:scratch"]
SETTINGS = {"preset": "standard", **LIMITS}
records = images.compare(folder, ARMS, **SETTINGS)

# %% [markdown]
# ## Investigate: look before you train
#
# Before anything trained, the project looked at every picture. It says what it saw, and changes
# nothing: they are your pictures.

# %%
audit = catalog.audit(str(folder.absolute()), SETTINGS["image_size"])
table(
    "what was seen | which files | what it means",
    *(
        f"{pictures.KINDS[found.kind].name} | {', '.join(p.file for p in found.pictures)} | "
        f"{pictures.KINDS[found.kind].meaning}"
        for found in audit.found
    ),
    *(f"left out | {left.file} | {left.why}" for left in audit.left_out),
)

# %% [markdown]
# **Write** the set of the names of all files that stand in two classes at once:
# `audit.of("mislabelled")` is a list of findings, each with `pictures`, and a picture has its
# `file`.

# %% tags=["solution"]
in_two = {picture.file for found in audit.of("mislabelled") for picture in found.pictures}


# %%
def check_in_two(given):
    wrong = [found for found in audit.found if found.kind == "mislabelled"]
    names = sorted(picture.file for found in wrong for picture in found.pictures)
    check(given, lambda it: sorted(it) == names, "Two loops: over findings, then their pictures.")


check_in_two(in_two)

# %% [markdown]
# Copies are more than a blemish. If one of them is trained on and the other tested, the test asks
# what was learnt by heart: a **leak**. That is why the project keeps what looks the same on one
# side of every split.
#
# ## Investigate: what came out
#
# **Predict**: sketch three points for each arm. Will the heaps overlap?

# %%
report.draw(records, "final-accuracy")

# %% [markdown]
# **Write** the standard deviation of an accuracy by the draw of the test pictures alone: √(p (1 −
# p) / n), for the first of the records. Its `test.confusion` holds how many pictures of each class
# were called what: all of it adds up to n.

# %%
first = next(r for r in records if r.test)

# %% tags=["solution"]
n = sum(map(sum, first.test.confusion))
off = (first.test.accuracy * (1 - first.test.accuracy) / n) ** 0.5


# %%
def check_off(given):
    tested = intervals.images_tested([first])
    right = intervals.luck_of_images(first.test.accuracy, tested)
    check(given, lambda it: abs(it - right) < 1e-9, "n is the sum of all cells of the confusion.")


check_off(off)
if off is not ...:
    say(
        f"An accuracy of {percent(first.test.accuracy)} on {intervals.images_tested([first])} "
        f"pictures: another draw moves it by {points(off, sign=False)} points (one standard "
        "deviation)."
    )

# %% [markdown]
# **Predict** the table: how many test pictures does it take until the standard deviation is two
# points? (To be within two points in 19 of 20 cases takes four times as many.)

# %%
table(
    "test pictures | standard deviation of 90 %, points",
    *(
        f"{count(size)} | {points(intervals.luck_of_images(0.9, size), sign=False)}"
        for size in (25, 50, 150, 225, 1000)
    ),
)

# %% [markdown]
# ## Modify: mend a copy
#
# **Write** `bad`: what you would leave out, by name. (Everything in two classes, for at least one
# label is wrong; what shows nothing; and what else you see.) Originals stay: the next cell copies
# the folder without them, and runs again.
#
# **Predict**: does the accuracy rise, fall, or move by less than luck?

# %% tags=["solution"]
bad = {p.file for kind in ("mislabelled", "blank") for f in audit.of(kind) for p in f.pictures}


# %%
def check_bad(given):
    at_least = {p.file for f in audit.of("mislabelled") for p in f.pictures}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    check(
        given,
        lambda it: at_least <= set(it) <= there,
        "At least all that stands in two classes; every name as the table above has it.",
    )


check_bad(bad)
if bad is not ...:
    mended = Path(mkdtemp()) / "mended"
    shutil.copytree(folder, mended)
    for path in [*mended.rglob("*")]:
        if path.is_file() and path.relative_to(mended).as_posix() in bad:
            path.unlink()
    again = images.compare(mended, ARMS, **SETTINGS)
    for r_before, r_after in zip(records, again, strict=True):
        change = r_after.test.accuracy - r_before.test.accuracy
        say(f"{r_before.arm}, seed {r_before.seed}: {points(change)} points (other test pictures)")

# %% [markdown]
# ## Make: your own two classes
#
# Take 40 photographs each of two things in this room, in two folders, and name the folder above it
# in `FOLDER`. **Write** first what a network could learn *instead* of the thing: the background,
# the light, the hand that holds it.

# %% tags=["solution"]
instead = "All cups stood on the same table: the network may learn the table, and fail elsewhere."

# %%
check(instead, lambda it: len(it.split()) > 5, "One sentence: what else tells the two apart?")

# %% [markdown]
# ## What these records say

# %%
ended = [r for r in records if r.test]
luck = max(intervals.luck_of_images(r.test.accuracy, intervals.images_tested([r])) for r in ended)
answered(
    prediction,
    (
        f"findings: {len(audit.found)}; files that are no pictures: {len(audit.left_out)}",
        verdict.headline(records)[0],
        f"{points(luck, sign=False)} points (one standard deviation, one seed)",
    ),
)
seen = view(records)
say("**What these records say.** " + " ".join([*verdict.headline(records), *verdict.care(seen)]))
say(
    f"Best run: {percent(max(r.test.accuracy for r in ended))}. It is not the result: see lesson 8."
)

# %% [markdown]
# ## Check yourself
#
# **1.** Somebody shows a network for birds at 99 %, tested on frames of the same films that it was
# trained on. What is wrong?
#
# <details><summary>Answer</summary>
#
# Neighbouring frames are nearly copies: a leak. Split by film, not by frame.
#
# </details>
#
# **2.** You have 80 pictures. Would you rather test on 8 or on 40?
#
# <details><summary>Answer</summary>
#
# On 8, one picture is 12 points: nothing can be said. On 40 you train on half. Several seeds with a
# fifth each, as here, lie between: each trains on most of the pictures, and three together test on
# about half of them. Seeds share pictures, though, which intervals have to allow for.
#
# </details>
