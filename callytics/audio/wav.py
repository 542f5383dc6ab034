"""WAV and μ-law files: the position and length of their audio, and WAV headers."""

import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from callytics.regular_files import open_regular

ULAW_RATE = 8000
ULAW_HEADER_BYTES = 58
# Asterisk writes 8 kHz, 16 bit, mono unless the header says otherwise.
_USUAL_RATE, _USUAL_FRAME = 16000, 2
# Asterisk's header has 44 bytes; other programs put a title or a comment before the audio.
_LONGEST_HEADER = 1 << 16
_LARGEST_SIZE = 0xFFFFFFFF


@dataclass(frozen=True)
class Audio:
    """Position, length and byte rate of the audio in a file."""

    data_offset: int
    data_bytes: int
    bytes_per_second: int
    # False if the sizes in a WAV header were never written, as when Asterisk was killed.
    finished: bool = True

    @property
    def duration_ms(self) -> int:
        """Duration in ms."""
        return self.data_bytes * 1000 // self.bytes_per_second


def inspect(path: Path) -> Audio:
    """Return the audio of a file, from its bytes.

    Asterisk's own `duration` is in whole seconds, and twice too long for 16 kHz. Raises OSError,
    and ValueError for a `.wav` that is no WAV.
    """
    with open_regular(path) as file:
        return inspect_file(file, path.suffix[1:])


def inspect_file(file: BinaryIO, audio_format: str) -> Audio:
    """Return the audio of an open file. Raises OSError, ValueError."""
    if audio_format == "ulaw":
        return Audio(0, os.fstat(file.fileno()).st_size, ULAW_RATE)
    descriptor = file.fileno()
    size = os.fstat(descriptor).st_size
    return _inspect_wav(size, lambda at, count: os.pread(descriptor, count, at))


def inspect_head(head: bytes, size: int, audio_format: str) -> Audio:
    """Return the audio of a file of `size` bytes from its first bytes.

    Raises ValueError for a `.wav` whose audio begins after them, or that is no WAV.
    """
    if audio_format == "ulaw":
        return Audio(0, size, ULAW_RATE)
    return _inspect_wav(size, lambda at, count: head[at : at + count])


def _inspect_wav(size: int, read: Callable[[int, int], bytes]) -> Audio:
    head = read(0, 12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise ValueError("the file is not a WAV")
    rate, frame, at = _USUAL_RATE, _USUAL_FRAME, 12
    while at < _LONGEST_HEADER:
        chunk = read(at, 24)
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


def _data_chunk(offset: int, declared: int, size: int, rate: int, frame: int) -> Audio:
    present = size - offset
    finished = declared <= present and not (declared == 0 and present >= frame)
    # Half a sample at the end is not counted.
    return Audio(offset, declared if finished else present - present % frame, rate, finished)


def ulaw_header(data_bytes: int) -> bytes:
    """Return the WAV header (format 7) with which a browser plays raw μ-law at 8 kHz."""
    fmt = struct.pack("<HHIIHHH", 7, 1, ULAW_RATE, ULAW_RATE, 1, 8, 0)
    fact = struct.pack("<4sII", b"fact", 4, data_bytes)
    body = b"WAVE" + struct.pack("<4sI", b"fmt ", len(fmt)) + fmt + fact
    body += struct.pack("<4sI", b"data", data_bytes)
    return struct.pack("<4sI", b"RIFF", len(body) + data_bytes) + body


def pcm_header(data_bytes: int) -> bytes:
    """Return the WAV header of 16-bit PCM at 8 kHz, which every browser plays."""
    fmt = struct.pack("<HHIIHH", 1, 1, ULAW_RATE, 2 * ULAW_RATE, 2, 16)
    body = b"WAVE" + struct.pack("<4sI", b"fmt ", len(fmt)) + fmt
    body += struct.pack("<4sI", b"data", data_bytes)
    return struct.pack("<4sI", b"RIFF", len(body) + data_bytes) + body


def finish_wav_header(path: Path) -> bool:
    """Write the sizes into an unfinished WAV header; return True if that was necessary.

    Only the two size fields change, both in one write, so that a crash leaves the header either
    unfinished or finished. Raises OSError, and ValueError for a file that is no WAV.
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
