"""What the bytes of a recording say: its length, whether it is whole, a header that plays."""

import os
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

ULAW_RATE = 8000
ULAW_HEADER_BYTES = 58
# Asterisk writes 8 kHz, 16 bit, mono unless the format says otherwise.
_USUAL_RATE, _USUAL_FRAME = 16000, 2
# Asterisk's has 44 bytes; other programs put a title or a comment before the sound.
_LONGEST_HEADER = 1 << 16
_LARGEST_SIZE = 0xFFFFFFFF


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
    with path.open("rb") as file:
        return inspect_file(file, path.suffix[1:])


def inspect_file(file: BinaryIO, audio_format: str) -> Audio:
    """The same of an open file. Raises OSError, ValueError."""
    if audio_format == "ulaw":
        return Audio(0, os.fstat(file.fileno()).st_size, ULAW_RATE)
    return _inspect_wav(file.fileno())


def _inspect_wav(file: int) -> Audio:
    size, head = os.fstat(file).st_size, os.pread(file, 12, 0)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise ValueError("the file is not a WAV")
    rate, frame, at = _USUAL_RATE, _USUAL_FRAME, 12
    while at < _LONGEST_HEADER:
        chunk = os.pread(file, 24, at)
        if len(chunk) < 8:
            break
        name, length = struct.unpack_from("<4sI", chunk)
        if name == b"data":
            sound = _data_chunk(at + 8, length, size, rate or _USUAL_RATE, frame or _USUAL_FRAME)
            return sound if any(head[4:8]) else replace(sound, finished=False)
        if name == b"fmt " and len(chunk) == 24:
            rate, frame = struct.unpack_from("<IH", chunk, 16)
        at += 8 + length + length % 2
    raise ValueError("the WAV has no sound")


def _data_chunk(offset: int, said: int, size: int, rate: int, frame: int) -> Audio:
    there = size - offset
    finished = said <= there and not (said == 0 and there >= frame)
    # A sample that was cut in two is no sound.
    return Audio(offset, said if finished else there - there % frame, rate, finished)


def ulaw_header(data_bytes: int) -> bytes:
    """The WAV header (format 7) that makes raw μ-law at 8 kHz play in a browser."""
    fmt = struct.pack("<HHIIHHH", 7, 1, ULAW_RATE, ULAW_RATE, 1, 8, 0)
    fact = struct.pack("<4sII", b"fact", 4, data_bytes)
    body = b"WAVE" + struct.pack("<4sI", b"fmt ", len(fmt)) + fmt + fact
    body += struct.pack("<4sI", b"data", data_bytes)
    return struct.pack("<4sI", b"RIFF", len(body) + data_bytes) + body


def pcm_header(data_bytes: int) -> bytes:
    """The WAV header of 16-bit samples at 8 kHz, which every browser plays."""
    fmt = struct.pack("<HHIIHH", 1, 1, ULAW_RATE, 2 * ULAW_RATE, 2, 16)
    body = b"WAVE" + struct.pack("<4sI", b"fmt ", len(fmt)) + fmt
    body += struct.pack("<4sI", b"data", data_bytes)
    return struct.pack("<4sI", b"RIFF", len(body) + data_bytes) + body


def finish_wav_header(path: Path) -> bool:
    """Write the sizes that Asterisk did not live to write; True when it was needed.

    Nothing but the two size fields changes, and both in one write, so that a crash leaves the
    header as it was or as it should be. Raises OSError, and ValueError for what is no WAV.
    """
    audio = inspect(path)
    if audio.finished:
        return False
    whole = audio.data_offset + audio.data_bytes - 8
    if whole > _LARGEST_SIZE:
        raise ValueError("the WAV is longer than its header can say")
    with path.open("r+b") as file:
        header = bytearray(os.pread(file.fileno(), audio.data_offset, 0))
        struct.pack_into("<I", header, 4, whole)
        struct.pack_into("<I", header, audio.data_offset - 4, audio.data_bytes)
        os.pwrite(file.fileno(), header, 0)
        os.fsync(file.fileno())
    return True
