"""Data sets: where each comes from, decoded once and kept, checked by fingerprint."""

from comparisons.data.catalog import DATASETS, REAL, available, describe, prepare
from comparisons.data.dataset import Dataset, Subset, split

__all__ = ["DATASETS", "REAL", "Dataset", "Subset", "available", "describe", "prepare", "split"]
