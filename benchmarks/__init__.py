"""Measurements that anyone can repeat: `python -m benchmarks NAME`. Not part of the tests."""
