"""Compressed parts are returned whole, or refused if they are truncated or too large."""

from __future__ import annotations

import gzip
import zlib

import pytest

from liftbench_datasets.reading.inflate import inflate

CONTENT = b"0123456789" * 100


def test_the_content_comes_back_up_to_the_limit() -> None:
    assert inflate(zlib.compress(CONTENT), 1000) == CONTENT
    assert inflate(gzip.compress(CONTENT), 1000, 16 + zlib.MAX_WBITS) == CONTENT
    assert inflate(zlib.compress(CONTENT) + b"padding", 1000) == CONTENT


def test_more_than_the_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="truncated or holds more than 999 bytes"):
        inflate(zlib.compress(CONTENT), 999)


def test_a_cut_part_is_refused() -> None:
    with pytest.raises(ValueError, match="a compressed part is truncated"):
        inflate(zlib.compress(CONTENT)[:-1], 1000)
