"""The fixture `told` for all stories here."""

from tests.lifetimes.told import told as told
