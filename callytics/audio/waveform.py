"""Waveform of a recording: its peaks as 200 bars, and its silent spans.

Computed once, after a recording has ended, and saved with its row: one byte a bar, then each silent
span as two 32-bit numbers, its beginning and its end in ms.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from callytics.audio import wav
from callytics.audio.samples import ULAW_SAMPLES, Samples
from callytics.regular_files import open_regular

BARS = 200
# Highest sample of a silent frame: noise of the line, not a voice.
QUIET = 600
FRAME_SECONDS = 0.02
# Shorter pauses are part of speech. KEPT_MS stay at both ends, so that no word is cut.
SHORTEST_SILENCE_MS, KEPT_MS = 1500, 250
# Bound of the page size.
_MOST_SPANS = 500
# Samples read at a time, so that memory does not grow with the length of a recording.
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Waveform:
    """Bars with a height of 0 to 255, and silent spans in ms."""

    bars: bytes
    silences: tuple[tuple[int, int], ...] = ()

    def to_bytes(self) -> bytes:
        """Return the value of the column `peaks`."""
        return self.bars + b"".join(struct.pack("<II", *span) for span in self.silences)

    @classmethod
    def from_bytes(cls, saved: bytes) -> Self:
        """Parse a value of the column `peaks`, without what a later version may have appended."""
        spans = saved[BARS:]
        spans = spans[: len(spans) - len(spans) % 8]
        return cls(saved[:BARS].ljust(BARS, b"\0"), tuple(struct.iter_unpack("<II", spans)))


FLAT = Waveform(bytes(BARS))


def measure(path: Path) -> Waveform:
    """Compute the waveform of a `.wav` (16 bit, mono) or `.ulaw`. Raises OSError, ValueError."""
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
    return Waveform(_bars(loudness), _silences(loudness, frame * 1000 / rate))


def _pieces(path: Path, sound: wav.Audio, kind: str, step: int) -> Iterator[Samples]:
    """Yield the samples, `step` at a time.

    Read and not mapped into memory: truncating a mapped file would kill the process with SIGBUS.
    """
    left = sound.data_bytes // np.dtype(kind).itemsize
    with open_regular(path) as file:
        file.seek(sound.data_offset)
        while left:
            piece = np.fromfile(file, kind, min(step, left))
            if not len(piece):
                raise ValueError("the file became shorter")
            left -= len(piece)
            yield piece


def _loudest_pcm(samples: Samples, frame: int) -> Samples:
    starts = np.arange(0, len(samples), frame)
    highest, lowest = np.maximum.reduceat(samples, starts), np.minimum.reduceat(samples, starts)
    # As 32 bits: the lowest 16-bit sample has no positive counterpart.
    return np.maximum(highest.astype(np.int32), -lowest.astype(np.int32))


def _loudest_ulaw(octets: Samples, frame: int) -> Samples:
    # The inverted low seven bits grow with the magnitude, so only the loudest octet of each frame
    # has to be decoded.
    magnitudes = np.bitwise_and(np.invert(octets), 0x7F)
    loudest = np.maximum.reduceat(magnitudes, np.arange(0, len(octets), frame))
    return np.abs(ULAW_SAMPLES[~loudest].astype(np.int32))


def _bars(loudness: Samples) -> bytes:
    starts = np.arange(BARS) * len(loudness) // BARS
    loudest = np.maximum.reduceat(loudness, starts)
    # Square root, so that a quiet voice is still visible beside a loud one.
    return np.round(255 * np.sqrt(loudest / 32768)).astype(np.uint8).tobytes()


def _silences(loudness: Samples, frame_ms: float) -> tuple[tuple[int, int], ...]:
    quiet = np.concatenate(([False], loudness < QUIET, [False]))
    edges = np.flatnonzero(np.diff(quiet)) * frame_ms
    begins, ends = edges[::2], edges[1::2]
    long = ends - begins >= SHORTEST_SILENCE_MS
    spans = zip(begins[long] + KEPT_MS, ends[long] - KEPT_MS, strict=True)
    return tuple((int(begin), int(end)) for begin, end in spans)[:_MOST_SPANS]
