"""Detection of the parties in a recording, each of which speaks its own tone."""

import wave
from collections.abc import Iterable
from pathlib import Path

import numpy as np

RATE = 8000
FRAME_SECONDS = 0.1
HEARD_DB = -35.0  # a party in a bridge arrives at about -14 dB, codec noise stays below -50


def write_tone(path: Path, hertz: float, seconds: float, db: float = -12.0) -> None:
    """Write a .wav of 8 kHz, 16 bit, mono with one sine; `db` is relative to full scale."""
    times = np.arange(int(RATE * seconds)) / RATE
    samples = 32767 * 10 ** (db / 20) * np.sin(2 * np.pi * hertz * times)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())


def read_samples(path: Path) -> np.ndarray:
    """Return the samples of a .wav (8 kHz, 16 bit, mono) or .ulaw file as floats of -1 to 1."""
    if path.suffix == ".ulaw":
        return _from_ulaw(np.fromfile(path, dtype=np.uint8))
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2") / 32768


def _from_ulaw(octets: np.ndarray) -> np.ndarray:
    """Decode ITU-T G.711: inverted bits, one of sign, three of exponent, four of mantissa."""
    bits = ~octets
    exponent, mantissa = (bits >> 4) & 7, (bits & 15).astype(int)
    magnitude = ((mantissa << 3) + 132 << exponent) - 132
    return np.where(bits & 128, -magnitude, magnitude) / 32768


# Sample, from -1 to 1, of each octet of μ-law.
ULAW = _from_ulaw(np.arange(256, dtype=np.uint8))


def level_db(samples: np.ndarray, hertz: float) -> float:
    """Return the level of one frequency (Goertzel), in dB of a full-scale sine; -120 if empty."""
    if len(samples) == 0:
        return -120.0
    turn = np.exp(-2j * np.pi * hertz / RATE * np.arange(len(samples)))
    # Without a Hann window, a loud neighboring frequency leaks in at the edges of a frame.
    window = np.hanning(len(samples))
    amplitude = 2 * abs(np.dot(samples * window, turn)) / max(window.sum(), 1e-9)
    return max(-120.0, 20 * float(np.log10(max(amplitude, 1e-9))))


def levels(samples: np.ndarray, hertz: float) -> np.ndarray:
    """Return the level in dB of one frequency in each tenth of a second."""
    size = int(RATE * FRAME_SECONDS)
    frames = [samples[at : at + size] for at in range(0, len(samples) - size + 1, size)]
    return np.array([level_db(frame, hertz) for frame in frames])


def seconds_heard(path: Path, hertz: float) -> float:
    """Return the seconds of the recording in which this frequency is heard."""
    return float((levels(read_samples(path), hertz) > HEARD_DB).sum() * FRAME_SECONDS)


def spans_heard(path: Path, hertz: float) -> list[tuple[float, float]]:
    """Return the spans, in seconds of the recording, in which this frequency is heard."""
    heard = levels(read_samples(path), hertz) > HEARD_DB
    edges = np.flatnonzero(np.diff(np.concatenate(([False], heard, [False])).astype(int)))
    return [
        (float(start * FRAME_SECONDS), float(end * FRAME_SECONDS))
        for start, end in zip(edges[::2], edges[1::2], strict=True)
    ]


def loudest_db(path: Path, frequencies: Iterable[float]) -> dict[float, float]:
    """Return the highest level in dB of each frequency in the recording."""
    samples = read_samples(path)
    return {hertz: float(max(levels(samples, hertz), default=-120.0)) for hertz in frequencies}
