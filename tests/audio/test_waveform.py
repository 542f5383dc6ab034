"""Waveform of a recording: bars and silent spans, for each format and length."""

from pathlib import Path

import numpy as np
import pytest

from callytics.audio import samples, waveform
from tests.support.rows import recordings
from tests.support.shelf import Shelf
from tests.support.sounds import ulaw, wav

PARTS = ((2, True), (4, False), (2, True))


def shape(tmp_path: Path, content: bytes, format_: str = "wav") -> waveform.Waveform:
    path = tmp_path / f"sound.{format_}"
    path.write_bytes(content)
    return waveform.measure(path)


@pytest.mark.parametrize(("make", "format_"), [(wav, "wav"), (ulaw, "ulaw")])
def test_bars_are_high_where_there_is_sound_and_flat_where_there_is_none(tmp_path, make, format_):
    found = shape(tmp_path, make(*PARTS), format_)
    assert len(found.bars) == waveform.BARS
    assert min(found.bars[:49]) > 100 and min(found.bars[151:]) > 100
    assert max(found.bars[51:149]) == 0


@pytest.mark.parametrize(("make", "format_"), [(wav, "wav"), (ulaw, "ulaw")])
def test_a_long_silence_is_found_and_some_of_it_is_kept(tmp_path, make, format_):
    ((begin, end),) = shape(tmp_path, make(*PARTS), format_).silences
    assert begin == pytest.approx(2000 + waveform.KEPT_MS, abs=25)
    assert end == pytest.approx(6000 - waveform.KEPT_MS, abs=25)


def test_the_shortest_silence_is_found_and_a_shorter_one_is_not(tmp_path):
    seconds = waveform.SHORTEST_SILENCE_MS / 1000
    assert len(shape(tmp_path, wav((1, True), (seconds, False), (1, True))).silences) == 1
    assert shape(tmp_path, wav((1, True), (seconds - 0.05, False), (1, True))).silences == ()


def test_a_pause_between_two_words_is_not_a_silence(tmp_path):
    assert shape(tmp_path, wav((1, True), (1, False), (1, True))).silences == ()


@pytest.mark.parametrize("value", [-32768, 32767])
def test_the_loudest_sample_there_is_fills_its_bar(tmp_path, value):
    whole = wav((1, False))
    sound = np.full(8000, value, "<i2").tobytes()
    assert shape(tmp_path, whole[:44] + sound).bars == b"\xff" * waveform.BARS


def test_mu_law_is_as_loud_as_what_it_stands_for(tmp_path):
    octets = np.repeat(np.arange(256, dtype=np.uint8), 160)
    found = waveform._loudest_ulaw(octets, 160)
    assert found.tolist() == np.abs(samples.ULAW_SAMPLES.astype(int)).tolist()


@pytest.mark.parametrize("count", [1, 2, 159, 160, 161, 8000])
def test_the_shortest_recordings_have_all_their_bars(tmp_path, count):
    assert len(shape(tmp_path, b"\x90" * count, "ulaw").bars) == waveform.BARS


def test_no_sound_is_flat_and_no_wav_is_an_error(tmp_path):
    assert shape(tmp_path, b"", "ulaw") == waveform.FLAT
    with pytest.raises(ValueError, match="not a WAV"):
        shape(tmp_path, b"nothing of the kind")


def test_a_recording_longer_than_one_piece_is_the_same_as_in_one(tmp_path, monkeypatch):
    content = wav((3, True), (5, False), (1.234, True))
    whole = shape(tmp_path, content)
    monkeypatch.setattr(waveform, "_CHUNK", 1000)
    assert shape(tmp_path, content) == whole


def test_what_is_kept_is_read_back(tmp_path):
    found = shape(tmp_path, wav(*PARTS))
    kept = found.to_bytes()
    assert waveform.Waveform.from_bytes(kept) == found
    assert waveform.Waveform.from_bytes(kept + b"new") == found
    assert waveform.Waveform.from_bytes(b"") == waveform.FLAT


def test_an_older_recording_gets_its_waveform_when_its_player_is_opened(shelf: Shelf) -> None:
    kept = shelf.add(wav(*PARTS), duration_ms=8000)
    page = shelf.client("rita").get(f"/recordings/{kept.uid}").get_data(as_text=True)
    assert 'data-silence="2250-5750"' in page
    (row,) = recordings(shelf.environment)
    assert waveform.Waveform.from_bytes(row["peaks"]).silences == ((2250, 5750),)


def test_a_recording_whose_file_is_gone_has_a_page_all_the_same(shelf: Shelf) -> None:
    kept = shelf.add(None)
    answer = shelf.client("rita").get(f"/recordings/{kept.uid}")
    assert answer.status_code == 200
    assert recordings(shelf.environment)[0]["peaks"] is None
