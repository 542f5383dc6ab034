"""PCM samples: μ-law decoding and silence detection."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from callytics.audio.wav import inspect_file
from callytics.regular_files import open_regular

Samples = NDArray[np.int16]

# Silence threshold of Asterisk (`silencethreshold` in dsp.conf): mean amplitude of a 20 ms frame.
SILENCE_LEVEL = 256
FRAME_SECONDS = 0.02
# A shorter sound is a click of the line, not a word.
SHORTEST_WORD_SECONDS = 0.2


def _ulaw_table() -> Samples:
    """Return the 16-bit sample of each octet of μ-law (ITU-T G.711)."""
    bits = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (bits >> 4) & 7, (bits & 15).astype(np.int32)
    size = ((mantissa << 3) + 132 << exponent) - 132
    return np.where(bits & 128, -size, size).astype(np.int16)


ULAW_SAMPLES = _ulaw_table()


def pcm(ulaw: bytes) -> bytes:
    """Decode μ-law to 16-bit PCM, little-endian."""
    return ULAW_SAMPLES[np.frombuffer(ulaw, np.uint8)].astype("<i2").tobytes()


def read_samples(path: Path) -> tuple[Samples, int]:
    """Return the 16-bit mono samples and their rate. Raises OSError, ValueError."""
    with open_regular(path) as file:
        sound = inspect_file(file, path.suffix[1:])
        if path.suffix == ".ulaw":
            return ULAW_SAMPLES[np.fromfile(file, dtype=np.uint8)], sound.bytes_per_second
        file.seek(sound.data_offset)
        samples = np.fromfile(file, dtype="<i2", count=sound.data_bytes // 2)
    return samples, sound.bytes_per_second // 2


def is_silent(path: Path, if_empty: bool) -> bool:
    """Return True if nobody speaks in the file, `if_empty` if it has less than one frame.

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
