"""
Bytes too large for the database: raw messages over the in-row limit.

Open first: `blob_store.py`, what every store promises. `files.py` is the only one: files on one machine.
"""

from kaisoumail.storage.blobs.blob_store import BlobStore as BlobStore
from kaisoumail.storage.blobs.blob_store import StoredBlob as StoredBlob
from kaisoumail.storage.blobs.files import FileBlobs as FileBlobs
