"""The race in the browser: `python -m comparisons.live`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from comparisons.core.errors import exit_code
from comparisons.core.parser import Parser, folder

EXAMPLES = """examples:
  python -m comparisons.live                                    choose, predict, start
  python -m comparisons.live --replay results/evidence/cifar10  a race that has been run
  python -m comparisons.live --replay DIR --save stick          the same as a folder, then stop

The first line printed is the page's address; what follows # in it lets the page ask for changes.
"""
CODES = """exit codes: 0 saved; 1 a file could not be written;
2 usage, or something named that cannot be had; 130 ended by Ctrl-C
"""
PORT = 8765


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = Parser(
        "comparisons.live",
        "A local page on which arms race: live, or replayed from records. Nothing leaves this "
        "machine.",
        EXAMPLES,
        CODES,
    )
    add = parser.add_argument
    add(
        "--port",
        type=int,
        default=PORT,
        metavar="N",
        help=f"default {PORT}, else the next free",
    )
    add("--no-browser", action="store_true", help="open no browser")
    add("--replay", type=folder, metavar="DIR", help="a folder with runs/*.json")
    add("--save", type=folder, metavar="DIR", help="write the page there, of every race that ends")
    add("--data-dir", type=folder, metavar="DIR", help="where TFDS data lies")
    options = parser.parse_args(arguments)

    def run() -> int:
        from comparisons.live import serving

        if options.replay and options.save:
            return serving.save(options.replay, options.save)
        browser = not options.no_browser
        if options.replay:
            return serving.replay(options.replay, options.port, browser)
        return serving.race(options.port, browser, options.data_dir, options.save)

    return exit_code(run)


if __name__ == "__main__":
    sys.exit(main())
