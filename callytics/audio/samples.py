"""What is heard in a recording, by arithmetic over its samples."""

from pathlib import Path

import numpy as np

from callytics.audio.wav import inspect

# Asterisk's own measure of silence (`silencethreshold` in dsp.conf): the mean of a 20 ms frame.
SILENCE_LEVEL = 256
FRAME_SECONDS = 0.02
# Less than this is a click of the line, not a word.
SHORTEST_WORD_SECONDS = 0.2


def _ulaw_table() -> np.ndarray:
    """The sample that each octet of μ-law stands for (ITU-T G.711)."""
    bits = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (bits >> 4) & 7, (bits & 15).astype(np.int32)
    size = ((mantissa << 3) + 132 << exponent) - 132
    return np.where(bits & 128, -size, size).astype(np.int16)


ULAW_SAMPLES = _ulaw_table()


def pcm(ulaw: bytes) -> bytes:
    """Octets of μ-law as 16-bit samples."""
    return ULAW_SAMPLES[np.frombuffer(ulaw, np.uint8)].astype("<i2").tobytes()


def read_samples(path: Path) -> tuple[np.ndarray, int]:
    """Samples as 16-bit integers, mono, and their rate. Raises OSError, ValueError."""
    sound = inspect(path)
    if path.suffix == ".ulaw":
        return ULAW_SAMPLES[np.fromfile(path, dtype=np.uint8)], sound.bytes_per_second
    count = sound.data_bytes // 2
    samples = np.fromfile(path, dtype="<i2", count=count, offset=sound.data_offset)
    return samples, sound.bytes_per_second // 2


def is_silent(path: Path, if_empty: bool) -> bool:
    """Whether nobody speaks in the file; `if_empty` where it holds no sound at all.

    Raises OSError, ValueError.
    """
    samples, rate = read_samples(path)
    size = int(rate * FRAME_SECONDS)
    count = len(samples) // size
    if count == 0:
        return if_empty
    frames = np.abs(samples[: count * size].astype(np.int32)).reshape(count, size)
    loud = int((frames.mean(axis=1) > SILENCE_LEVEL).sum())
    return loud * FRAME_SECONDS < SHORTEST_WORD_SECONDS
