"""The fixtures of all stories here."""

from tests.lifetimes.told import told as told
from tests.lifetimes.told import told_once as told_once
