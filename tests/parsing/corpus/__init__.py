"""
Mails as senders really write them, and what a reader must see of each, written down by hand.

`ALL` is the table. A case names only what it is about: a field left at `ANYTHING` is not compared.
"""

from tests.parsing.corpus import attachments, charsets, headers, hostile, structures
from tests.parsing.corpus.case import ANYTHING, Case, File

ALL: tuple[Case, ...] = (*charsets.CASES, *headers.CASES, *structures.CASES, *attachments.CASES, *hostile.CASES)

__all__ = ["ALL", "ANYTHING", "Case", "File"]
