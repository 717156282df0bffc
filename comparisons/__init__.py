"""Paired experiments: train from scratch, or fine-tune a pretrained base?"""

import sys

# What `python -m` says of itself while it is on its way to a module: from the first line of ours
# on, a command that is interrupted ends with one line.
if sys.argv[:1] == ["-m"]:
    try:
        from comparisons.core import interrupts

        interrupts.one_line()
    except KeyboardInterrupt:
        sys.exit(130)
    # msgspec's C code loads these as it is loaded: interrupted there it ended the process later.
    import datetime  # noqa: F401
    import decimal  # noqa: F401
    import uuid  # noqa: F401
