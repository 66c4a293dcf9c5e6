"""
Bytes too large for the database: raw messages over the in-row limit.

`FileBlobs` stores bytes under a name, durable when `put` returns, on one machine.
"""

from kaisoumail.storage.blobs.files import FileBlobs as FileBlobs
from kaisoumail.storage.blobs.files import StoredFile as StoredFile
