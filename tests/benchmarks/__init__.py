"""Measurements with their targets: ``python -m tests.benchmarks`` runs all and prints one table."""
