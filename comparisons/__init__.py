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
