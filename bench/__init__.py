"""Benchmarks: figures of the product beside a peer or a limit measured in the same run."""
