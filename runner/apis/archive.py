"""A zip archive of a client's -> files: bounded before it is read, and while it is."""

import io
import zipfile
import zlib
from typing import Final

from runner.errors import BadRequest, TooLarge
from runner.sandbox.job import File

_ENTRY: Final = b"PK\x01\x02"
"""With which each entry of an archive's list begins."""
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The others may ask for as much memory as they like."""


def unpacked(data: bytes, number: int, size: int) -> tuple[File, ...]:
    """At most ``number`` files, of at most ``size`` bytes together, whatever the archive says of itself."""
    if not data:
        return ()
    if data.count(_ENTRY) > 2 * number:  # with its folders; the list is read in whole before its length is known
        raise TooLarge(f"`additional_files` has more than {number} files.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return tuple(_files(archive, size))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, OverflowError):
        raise BadRequest("`additional_files` is no zip archive that can be read here.") from None


def _files(archive: zipfile.ZipFile, size: int) -> list[File]:
    found = []
    for entry in archive.infolist():
        if entry.filename.endswith("/"):
            continue
        if entry.compress_type not in _METHODS:
            raise BadRequest("`additional_files` must be stored or deflated.")
        with archive.open(entry) as file:
            content = file.read(size + 1)  # what it says of its own size is not believed
        size -= len(content)
        if size < 0:
            raise TooLarge("`additional_files` has more bytes, unpacked, than are taken here.")
        found.append(File(entry.filename, content))
    return found
