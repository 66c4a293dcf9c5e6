"""
Bytes too large for the database: raw mails over the in-row limit.

A `Blobs` keeps bytes under a name and has them on disk before `put` returns. `files.py` is the
store of one machine; S3 comes with the issue that needs many.
"""

from kaisoumail.storage.blobs.files import FileBlobs as FileBlobs
from kaisoumail.storage.blobs.files import StoredFile as StoredFile
