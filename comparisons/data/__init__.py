"""Data sets: where each comes from, decoded once and kept, checked by fingerprint."""

from comparisons.data.dataset import Dataset, Subset, split
from comparisons.data.sources import REAL, SOURCES, available, describe, prepare

__all__ = ["REAL", "SOURCES", "Dataset", "Subset", "available", "describe", "prepare", "split"]
