"""What the bytes of a recording say: its length, whether it is whole, a header that plays."""

import os
import struct
from dataclasses import dataclass
from pathlib import Path

ULAW_RATE = 8000
ULAW_HEADER_BYTES = 58


@dataclass(frozen=True)
class Audio:
    """The sound in a file: where its bytes begin, how many, and how fast they play."""

    data_offset: int
    data_bytes: int
    bytes_per_second: int
    # False where a WAV's header was never finished, as when Asterisk was killed.
    finished: bool = True

    @property
    def duration_ms(self) -> int:
        """Length in ms."""
        return self.data_bytes * 1000 // self.bytes_per_second


def inspect(path: Path) -> Audio:
    """Read the sound's extent from the file itself.

    Asterisk's own `duration` is in whole seconds and doubles for 16 kHz. Raises OSError, and
    ValueError for a `.wav` that is none.
    """
    size = path.stat().st_size
    if path.suffix == ".ulaw":
        return Audio(0, size, ULAW_RATE)
    with path.open("rb") as file:
        return _inspect_wav(file.read(4096), size)


def _inspect_wav(head: bytes, size: int) -> Audio:
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        raise ValueError("the file is not a WAV")
    rate, at = 16000, 12
    while at + 8 <= len(head):
        name, length = struct.unpack_from("<4sI", head, at)
        if name == b"fmt ":
            rate = struct.unpack_from("<I", head, at + 16)[0]
        if name == b"data":
            return _data_chunk(at + 8, length, size, rate)
        at += 8 + length + length % 2
    raise ValueError("the WAV has no sound")


def _data_chunk(offset: int, said: int, size: int, rate: int) -> Audio:
    there = size - offset
    finished = said <= there and not (said == 0 and there > 0)
    data_bytes = said if finished else there - there % 2
    return Audio(offset, data_bytes, rate or 16000, finished)


def ulaw_header(data_bytes: int) -> bytes:
    """The WAV header (format 7) that makes raw μ-law at 8 kHz play in a browser."""
    fmt = struct.pack("<HHIIHHH", 7, 1, ULAW_RATE, ULAW_RATE, 1, 8, 0)
    fact = struct.pack("<4sII", b"fact", 4, data_bytes)
    body = b"WAVE" + struct.pack("<4sI", b"fmt ", len(fmt)) + fmt + fact
    body += struct.pack("<4sI", b"data", data_bytes)
    return struct.pack("<4sI", b"RIFF", len(body) + data_bytes) + body


def finish_wav_header(path: Path) -> bool:
    """Write the sizes that Asterisk did not live to write; True when it was needed.

    Only the two size fields change, after the sound's bytes are known, so a crash in between
    leaves a file that can be mended again. Raises OSError, ValueError.
    """
    audio = inspect(path)
    if audio.finished:
        return False
    with path.open("r+b") as file:
        os.pwrite(file.fileno(), struct.pack("<I", audio.data_bytes), audio.data_offset - 4)
        riff = audio.data_offset + audio.data_bytes - 8
        os.pwrite(file.fileno(), struct.pack("<I", riff), 4)
        os.fsync(file.fileno())
    return True
