"""The pages for readers, and what of them is made: `python -m comparisons.readme`."""
