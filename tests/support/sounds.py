"""Audio for tests of pages: tones with silence between them, as .wav and .ulaw."""

import numpy as np

from tests.support.shelf import wav_bytes
from tests.support.tones import RATE


def wav(*parts: tuple[float, bool]) -> bytes:
    """Return a .wav of parts, each with its seconds and True for a tone."""
    return wav_bytes(b"".join(_tone(*part).astype("<i2").tobytes() for part in parts))


def ulaw(*parts: tuple[float, bool]) -> bytes:
    """Return the same as .ulaw, with a square wave of 500 Hz as the tone."""
    cycle = np.repeat(np.array([0x90, 0x10], np.uint8), 8)
    pieces = (np.resize(cycle, int(s * RATE)) if loud else _quiet(s) for s, loud in parts)
    return b"".join(piece.tobytes() for piece in pieces)


def _tone(seconds: float, loud: bool) -> np.ndarray:
    times = np.arange(int(seconds * RATE)) / RATE
    return (8000 if loud else 0) * np.sin(2 * np.pi * 440 * times)


def _quiet(seconds: float) -> np.ndarray:
    return np.full(int(seconds * RATE), 0xFF, np.uint8)
