"""WAV headers: duration from the bytes of a file, and repair of unfinished headers."""

import os
import struct
import wave
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from callytics.audio import wav as audio


def wav(sound: bytes, *, rate: int = 8000, extra: bytes = b"", sizes: bool = True) -> bytes:
    """Return a WAV as Asterisk writes it (16 bit, mono); without sizes, as after kill -9."""
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16)
    head = b"WAVE" + fmt + extra + struct.pack("<4sI", b"data", len(sound) if sizes else 0)
    return struct.pack("<4sI", b"RIFF", len(head) + len(sound) if sizes else 0) + head + sound


def frames(path: Path) -> bytes:
    with wave.open(str(path), "rb") as file:
        return file.readframes(file.getnframes())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.wav"


def test_a_second_at_8_khz_is_a_second(path: Path) -> None:
    path.write_bytes(wav(b"\x01\x02" * 8000))
    assert audio.inspect(path) == audio.Audio(44, 16000, 16000)
    assert audio.inspect(path).duration_ms == 1000


def test_a_second_at_16_khz_is_a_second(path: Path) -> None:
    path.write_bytes(wav(b"\x01\x02" * 16000, rate=16000))
    assert audio.inspect(path).duration_ms == 1000


def test_chunks_before_the_sound_are_passed_over_with_their_padding(path: Path) -> None:
    extra = struct.pack("<4sI", b"LIST", 5003) + bytes(5003) + b"\0"
    path.write_bytes(wav(b"\x01\x02" * 80, extra=extra))
    assert audio.inspect(path) == audio.Audio(44 + 8 + 5004, 160, 16000)


def test_chunks_after_the_sound_are_not_sound(path: Path) -> None:
    path.write_bytes(wav(b"\x01\x02" * 80) + struct.pack("<4sI", b"LIST", 4) + b"abcd")
    assert audio.inspect(path) == audio.Audio(44, 160, 16000)
    assert not audio.finish_wav_header(path)


def test_a_byte_of_padding_after_the_sound_is_not_sound(path: Path) -> None:
    path.write_bytes(wav(b"\x01\x02\x03") + b"\0")
    assert audio.inspect(path) == audio.Audio(44, 3, 16000)


def test_ulaw_is_8000_bytes_a_second_and_never_unfinished(tmp_path: Path) -> None:
    path = tmp_path / "a.ulaw"
    path.write_bytes(b"\xff" * 12000)
    assert audio.inspect(path) == audio.Audio(0, 12000, 8000)
    assert audio.inspect(path).duration_ms == 1500


@pytest.mark.parametrize("length", range(44))
def test_a_header_that_was_cut_is_refused_in_words(path: Path, length: int) -> None:
    path.write_bytes(wav(b"\x01\x02" * 80)[:length])
    with pytest.raises(ValueError, match="WAV"):
        audio.inspect(path)
    with pytest.raises(ValueError, match="WAV"):
        audio.finish_wav_header(path)
    assert path.stat().st_size == length


@pytest.mark.parametrize(("place", "other"), [(0, b"RIFX"), (8, b"AIFF")])
def test_a_file_that_is_whole_but_no_wav_is_refused_in_words(
    path: Path, place: int, other: bytes
) -> None:
    whole = wav(b"\x01\x02" * 80)
    path.write_bytes(whole[:place] + other + whole[place + 4 :])
    with pytest.raises(ValueError, match="not a WAV"):
        audio.inspect(path)


def test_a_header_alone_is_a_wav_without_sound(path: Path) -> None:
    path.write_bytes(wav(b"", sizes=False))
    assert audio.inspect(path).data_bytes == 0
    assert audio.finish_wav_header(path)
    assert path.read_bytes() == wav(b"")


def test_a_header_that_never_ends_is_refused_without_reading_all(path: Path) -> None:
    path.write_bytes(b"RIFF\0\0\0\0WAVE" + bytes(200_000) + wav(b"\x01\x02" * 80)[36:])
    with pytest.raises(ValueError, match="no sound"):
        audio.inspect(path)


def test_a_rate_of_nothing_does_not_divide_by_it(path: Path) -> None:
    path.write_bytes(wav(b"\x01\x02" * 8000, rate=0))
    assert audio.inspect(path).duration_ms == 1000


def test_a_recording_of_a_killed_asterisk_is_mended_and_plays(path: Path) -> None:
    sound = b"\x01\x02" * 8000
    path.write_bytes(wav(sound, sizes=False))
    assert not audio.inspect(path).finished
    assert audio.finish_wav_header(path)
    assert path.read_bytes() == wav(sound)


def test_a_mended_recording_is_not_mended_again(path: Path) -> None:
    path.write_bytes(wav(b"\x01\x02" * 80, sizes=False))
    audio.finish_wav_header(path)
    before = path.stat().st_mtime_ns
    assert not audio.finish_wav_header(path)
    assert path.stat().st_mtime_ns == before


def test_half_a_sample_at_the_end_is_left_out_of_the_sound_but_kept(path: Path) -> None:
    path.write_bytes(wav(b"\x01\x02\x03", sizes=False))
    audio.finish_wav_header(path)
    assert frames(path) == b"\x01\x02"
    assert path.read_bytes()[44:] == b"\x01\x02\x03"


def test_a_whole_recording_is_not_touched(path: Path) -> None:
    path.write_bytes(wav(b"\x01\x02" * 80))
    path.chmod(0o444)
    assert not audio.finish_wav_header(path)


def test_mending_is_a_single_write(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(wav(b"\x01\x02" * 80, sizes=False))
    writes = []
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda *a: writes.append(a) or pwrite(*a))
    audio.finish_wav_header(path)
    assert len(writes) == 1


def test_a_recording_too_long_for_a_wav_is_refused_in_words(path: Path) -> None:
    path.write_bytes(wav(b"", sizes=False))
    os.truncate(path, (4 << 30) + 100)
    with pytest.raises(ValueError, match="longer than its header"):
        audio.finish_wav_header(path)


@settings(deadline=None)
@given(
    sound=st.binary(max_size=400),
    rate=st.sampled_from([8000, 16000, 48000]),
    extra=st.binary(max_size=40),
    kept=st.floats(0, 1),
    sizes=st.booleans(),
)
def test_any_beginning_of_a_wav_is_mended_to_a_valid_one_with_every_byte_of_sound(
    tmp_path_factory: pytest.TempPathFactory,
    sound: bytes,
    rate: int,
    extra: bytes,
    kept: float,
    sizes: bool,
) -> None:
    path = tmp_path_factory.getbasetemp() / "prefix.wav"
    note = struct.pack("<4sI", b"note", len(extra)) + extra + b"\0" * (len(extra) % 2)
    header = len(wav(b"", extra=note))
    sound = sound[: int(len(sound) * kept)]
    whole = wav(sound + b"\x07\x07\x07\x07", rate=rate, extra=note, sizes=sizes)
    path.write_bytes(whole[: header + len(sound)])

    audio.finish_wav_header(path)

    even = len(sound) - len(sound) % 2
    assert frames(path) == sound[:even]
    assert path.read_bytes()[header:] == sound
    assert audio.inspect(path).finished
    if even:
        (riff,) = struct.unpack_from("<I", path.read_bytes(), 4)
        assert riff + 8 == header + even


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_at_all_make_reading_fail_otherwise_than_in_words(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.wav"
    for start in (b"", b"RIFF\0\0\0\0WAVE", wav(b"")[:36]):
        path.write_bytes(start + content)
        try:
            found = audio.inspect(path)
        except ValueError:
            continue
        assert 0 <= found.data_bytes <= path.stat().st_size - found.data_offset
        assert found.duration_ms >= 0


@settings(deadline=None)
@given(st.integers(0, 1 << 31))
def test_the_header_that_makes_ulaw_play_is_58_bytes_and_says_the_length(length: int) -> None:
    header = audio.ulaw_header(length)
    assert len(header) == audio.ULAW_HEADER_BYTES
    riff, wave_, fmt, size, code, channels, rate = struct.unpack_from("<4xI4s4sIHHI", header)
    assert (wave_, fmt, code, channels, rate) == (b"WAVE", b"fmt ", 7, 1, 8000)
    assert riff == len(header) + length - 8
    assert header[20 + size :] == struct.pack("<4sII4sI", b"fact", 4, length, b"data", length)
