"""Benchmarks: run by `make bench`, never by the tests; ratios count, absolute times do not."""
