# Only where the project is not installed, as on Colab or Kaggle: write between the quotation marks
# what pip can install (its address, its wheel or its folder) and run this before any other cell.
PROJECT = ""

import importlib.metadata
import importlib.util
import os
import subprocess
import sys
import time

if not importlib.util.find_spec("comparisons"):
    assert PROJECT, "The project is not installed here: write into PROJECT what pip can install."
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", PROJECT], check=True)
    importlib.invalidate_caches()
    old = [
        name
        for name in ("numpy", "keras", "tensorflow")
        if name in sys.modules and sys.modules[name].__version__ != importlib.metadata.version(name)
    ]
    if old:
        print(f"Loaded before, in another version: {', '.join(old)}. The kernel restarts, once:")
        print("run all cells again.", flush=True)
        time.sleep(2)  # so that this arrives
        os._exit(0)
