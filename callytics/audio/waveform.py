"""The shape of a recording: how loud it is from beginning to end, and where nobody speaks.

Computed once, when a recording ends, and kept with its row: one byte a bar, then each silent span
as two 32-bit numbers, its beginning and its end in ms.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from callytics.audio import wav
from callytics.audio.samples import ULAW_SAMPLES

BARS = 200
# The loudest sample of a frame in which nobody speaks: noise of the line, not of a voice.
QUIET = 600
FRAME_SECONDS = 0.02
# A shorter pause is part of how people talk. Some of it stays, so that no word is cut.
SHORTEST_SILENCE_MS, KEPT_MS = 1500, 250
# A bound on what a page carries, not on what a conversation can have.
_MOST_SPANS = 500
# Samples looked at together: memory stays the same for ten minutes and for ten hours.
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Shape:
    """Bars from 0 to 255, and silent spans in ms."""

    bars: bytes
    silences: tuple[tuple[int, int], ...] = ()

    def to_bytes(self) -> bytes:
        """For the column `peaks`."""
        return self.bars + b"".join(struct.pack("<II", *span) for span in self.silences)

    @classmethod
    def from_bytes(cls, kept: bytes) -> "Shape":
        """Read it back; what a later version may have added at the end is left out."""
        spans = kept[BARS:]
        spans = spans[: len(spans) - len(spans) % 8]
        return cls(kept[:BARS].ljust(BARS, b"\0"), tuple(struct.iter_unpack("<II", spans)))


FLAT = Shape(bytes(BARS))


def shape(path: Path) -> Shape:
    """Look at every sample of a `.wav` (16 bit, mono) or `.ulaw`. Raises OSError, ValueError."""
    sound = wav.inspect(path)
    ulaw = path.suffix == ".ulaw"
    width = 1 if ulaw else 2
    count = sound.data_bytes // width
    if not count:
        return FLAT
    rate = sound.bytes_per_second // width
    frame = max(int(rate * FRAME_SECONDS), 1)
    pieces = _pieces(path, sound, "u1" if ulaw else "<i2", _CHUNK - _CHUNK % frame)
    loudest = _loudest_ulaw if ulaw else _loudest_pcm
    loudness = np.concatenate([loudest(piece, frame) for piece in pieces])
    return Shape(_bars(loudness), _silences(loudness, frame * 1000 / rate))


def _pieces(path: Path, sound: wav.Audio, kind: str, step: int) -> Iterator[np.ndarray]:
    """The samples, so many at a time. Read and not mapped: a mapped file that somebody cuts short
    takes the process with it."""
    left = sound.data_bytes // np.dtype(kind).itemsize
    with path.open("rb") as file:
        file.seek(sound.data_offset)
        while left:
            piece = np.fromfile(file, kind, min(step, left))
            if not len(piece):
                raise ValueError("the file became shorter")
            left -= len(piece)
            yield piece


def _loudest_pcm(samples: np.ndarray, frame: int) -> np.ndarray:
    starts = np.arange(0, len(samples), frame)
    highest, lowest = np.maximum.reduceat(samples, starts), np.minimum.reduceat(samples, starts)
    # Widened first: the lowest sample of 16 bits has no positive counterpart there.
    return np.maximum(highest.astype(np.int32), -lowest.astype(np.int32))


def _loudest_ulaw(octets: np.ndarray, frame: int) -> np.ndarray:
    # The magnitude is in the seven low bits, inverted, and grows with them: only the loudest of
    # each frame needs to be decoded.
    magnitudes = np.bitwise_and(np.invert(octets), 0x7F)
    loudest = np.maximum.reduceat(magnitudes, np.arange(0, len(octets), frame))
    return np.abs(ULAW_SAMPLES[~loudest].astype(np.int32))


def _bars(loudness: np.ndarray) -> bytes:
    starts = np.arange(BARS) * len(loudness) // BARS
    loudest = np.maximum.reduceat(loudness, starts)
    # By the root, so that a quiet voice is still seen beside a loud one.
    return np.round(255 * np.sqrt(loudest / 32768)).astype(np.uint8).tobytes()


def _silences(loudness: np.ndarray, frame_ms: float) -> tuple[tuple[int, int], ...]:
    quiet = np.concatenate(([False], loudness < QUIET, [False]))
    edges = np.flatnonzero(np.diff(quiet)) * frame_ms
    begins, ends = edges[::2], edges[1::2]
    long = ends - begins >= SHORTEST_SILENCE_MS
    spans = zip(begins[long] + KEPT_MS, ends[long] - KEPT_MS, strict=True)
    return tuple((int(begin), int(end)) for begin, end in spans)[:_MOST_SPANS]
