"""Imported only by the process that forks others: what it has imported is never garbage, so no child looks at it."""

import gc

import tests.forked  # noqa: F401

gc.collect()
gc.freeze()
