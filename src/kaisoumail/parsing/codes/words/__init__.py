"""
The words that speak for or against a number being a code, one table a language.

A table is a `Words`; `ALL` joins them. Adding a language is adding a file and its line here.
"""

from typing import Final

from kaisoumail.parsing.codes.words import chinese, english
from kaisoumail.parsing.codes.words.table import Words

ALL: Final = Words.joined([english.WORDS, chinese.WORDS])
