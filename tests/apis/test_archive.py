"""A client's archive: bounded, whatever it says of itself."""

import io
import struct
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.apis.archive import unpacked
from runner.errors import BadRequest, Refusal, TooLarge
from runner.sandbox.job import File


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return target.getvalue()


GOOD = packed({"a.txt": b"one", "folder/": b"", "folder/b.bin": bytes(range(256))})


def test_files_and_not_folders() -> None:
    """By their paths; no archive is no file."""
    assert unpacked(GOOD, 2, 259) == (File("a.txt", b"one"), File("folder/b.bin", bytes(range(256))))
    assert unpacked(b"", 0, 0) == ()


def lying(data: bytes, size: int) -> bytes:
    """An archive of one file whose list says that it has another size."""
    at = data.index(b"PK\x01\x02") + 24
    return data[:at] + struct.pack("<I", size) + data[at + 4 :]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (packed({"bomb": bytes(10_000_000)}), TooLarge),
        (packed({str(n): b"x" * 11 for n in range(100)}), TooLarge),
        (packed({str(n): b"" for n in range(201)}), TooLarge),
        (lying(packed({"bomb": bytes(10_000_000)}), 1), BadRequest),
        (packed({"a": b"x"}, zipfile.ZIP_BZIP2), BadRequest),
        (packed({"a": b"x"}, zipfile.ZIP_LZMA), BadRequest),
        (packed({"a": b"one"}, zipfile.ZIP_STORED).replace(b"one", b"two"), BadRequest),
        (GOOD[:-1], BadRequest),
        (b"PK", BadRequest),
    ],
    ids=range(9),
)
def test_what_is_refused(data: bytes, kind: type[Refusal]) -> None:
    """Too many, too large, of another size than it says, packed in another way, or broken."""
    with pytest.raises(kind):
        unpacked(data, 100, 1000)


@given(st.binary(max_size=200), st.data())
def test_any_bytes_are_files_or_refused(noise: bytes, data: st.DataObject) -> None:
    """Never another exception, and never more than was allowed."""
    broken = bytearray(GOOD)
    for byte in noise[:6]:
        broken[data.draw(st.integers(0, len(broken) - 1))] = byte
    for archive in (noise, bytes(broken)):
        with suppress(Refusal):
            assert sum(len(file.data) for file in unpacked(archive, 3, 300)) <= 300
