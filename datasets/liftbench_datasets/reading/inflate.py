"""Decompression of parts of untrusted files."""

from __future__ import annotations

import zlib


def inflate(packed: bytes, most: int, window: int = zlib.MAX_WBITS) -> bytes:
    """Decompress a part of a file into at most `most` bytes.

    Args:
        packed: the compressed part; bytes after its end are ignored.
        most: the largest size of the content, in bytes.
        window: zlib's `wbits`, which says how the compressed part begins.

    Raises:
        ValueError: the part is truncated or holds more.
    """
    stream = zlib.decompressobj(window)
    content = stream.decompress(packed, most + 1)
    if len(content) > most or not stream.eof:
        raise ValueError(f"a compressed part is truncated or holds more than {most} bytes")
    return content
