"""Decompression of parts of files that anybody may have written."""

from __future__ import annotations

import zlib


def inflate(packed: bytes, most: int, window: int = zlib.MAX_WBITS) -> bytes:
    """Return the content of a compressed part of at most `most` bytes.

    Args:
        packed: the part; what follows its end is ignored.
        most: bytes that it may hold.
        window: zlib's name of the header that the part begins with.

    Raises:
        ValueError: the part is cut or holds more.
    """
    stream = zlib.decompressobj(window)
    content = stream.decompress(packed, most + 1)
    if len(content) > most or not stream.eof:
        raise ValueError(f"a compressed part that is cut or holds more than {most} bytes")
    return content
