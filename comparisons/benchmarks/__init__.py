"""Measurements that anyone can repeat: `python -m comparisons.benchmarks NAME`; no tests."""
