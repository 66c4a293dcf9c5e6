"""The messages of the protocol between a reader process and the server."""

from typing import Final, NamedTuple

from kaisoumail.mail_reading.extract import ExtractedFields

PROGRESS_BYTES: Final = 4  # of shared memory: the number of the message that is being read, most significant first


class Answer(NamedTuple):
    """The result for message *number*: the CPU seconds that reading took, and the extract in *facts*."""

    number: int
    seconds: float
    facts: ExtractedFields
