"""Hearing and downloading recordings: what comes back, byte for byte, and who is let in."""

import os
import wave
from io import BytesIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings, strategies as st

from callytics.audio.samples import ULAW_SAMPLES
from callytics.audio.wav import ULAW_HEADER_BYTES, ulaw_header
from callytics.recordings.facts import Facts
from tests.support.processes import Install
from tests.support.shelf import Shelf, wav_bytes

SOUND = bytes(range(256)) * 40
WAV = wav_bytes(SOUND)


@pytest.fixture(scope="module")
def shelf(install: Install, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    environment = install(tmp_path_factory.mktemp("shelf"))
    shelf = Shelf.of(environment)
    shelf.add_person("rita")
    return shelf


@pytest.fixture(scope="module")
def client(shelf: Shelf) -> FlaskClient:
    return shelf.client("rita")


@pytest.fixture(scope="module")
def kept(shelf: Shelf) -> Facts:
    return shelf.add(WAV, caller_name="Ann", caller_number="5551234", callee="desk")


@pytest.fixture(scope="module")
def message(shelf: Shelf) -> Facts:
    return shelf.add(SOUND, format="ulaw", kind="voicemail")


def audio(facts: Facts) -> str:
    return f"/recordings/{facts.uid}/audio"


def saved(facts: Facts) -> str:
    return f"/recordings/{facts.uid}/download"


def test_the_whole_recording_is_played(client: FlaskClient, kept: Facts) -> None:
    answer = client.get(audio(kept))
    assert (answer.status_code, answer.data) == (200, WAV)
    assert answer.content_type == "audio/wav"
    assert answer.content_length == len(WAV)
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert "Content-Range" not in answer.headers
    assert "Content-Disposition" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_part_is_played(client: FlaskClient, kept: Facts) -> None:
    answer = client.get(audio(kept), headers={"Range": "bytes=100-199"})
    assert (answer.status_code, answer.data) == (206, WAV[100:200])
    assert answer.headers["Content-Range"] == f"bytes 100-199/{len(WAV)}"
    assert answer.content_length == 100


def test_a_part_beyond_the_end_says_how_long_it_is(client: FlaskClient, kept: Facts) -> None:
    answer = client.get(audio(kept), headers={"Range": f"bytes={len(WAV)}-"})
    assert (answer.status_code, answer.data) == (416, b"")
    assert answer.headers["Content-Range"] == f"bytes */{len(WAV)}"


def test_several_parts_are_answered_with_everything(client: FlaskClient, kept: Facts) -> None:
    answer = client.get(audio(kept), headers={"Range": "bytes=0-1,10-11"})
    assert (answer.status_code, answer.data) == (200, WAV)


@pytest.mark.parametrize("path", [audio, saved])
def test_head_tells_what_get_would_without_the_sound(client, kept: Facts, path) -> None:
    head, get = client.head(path(kept)), client.get(path(kept))
    assert (head.status_code, head.data) == (200, b"")
    different = {"Date"}
    assert {k: v for k, v in head.headers if k not in different} == {
        k: v for k, v in get.headers if k not in different
    }


def test_head_knows_no_parts(client: FlaskClient, kept: Facts) -> None:
    answer = client.head(audio(kept), headers={"Range": "bytes=0-1"})
    assert (answer.status_code, answer.content_length) == (200, len(WAV))


def test_what_the_client_has_already_is_not_sent_again(client: FlaskClient, kept: Facts) -> None:
    etag = client.get(audio(kept)).headers["ETag"]
    answer = client.get(audio(kept), headers={"If-None-Match": etag, "Range": "bytes=0-1"})
    assert (answer.status_code, answer.data) == (304, b"")
    assert answer.headers["ETag"] == etag
    assert "Content-Length" not in answer.headers or answer.content_length == 0


def test_a_part_of_another_version_is_answered_with_everything(client, shelf: Shelf) -> None:
    facts = shelf.add(WAV)
    etag = client.get(audio(facts)).headers["ETag"]
    given_headers = {"Range": "bytes=0-9", "If-Range": etag}
    assert client.get(audio(facts), headers=given_headers).status_code == 206
    shelf.storage.write(facts.path, WAV[:-2] + b"xx")
    answer = client.get(audio(facts), headers=given_headers)
    assert (answer.status_code, answer.data) == (200, WAV[:-2] + b"xx")


def test_parts_are_continued_by_the_time_of_the_file_too(client, kept: Facts) -> None:
    time = client.get(audio(kept)).headers["Last-Modified"]
    given_headers = {"Range": "bytes=0-9", "If-Range": time}
    assert client.get(audio(kept), headers=given_headers).status_code == 206
    given_headers["If-Range"] = "Sun, 22 Nov 1998 09:00:00 GMT"
    assert client.get(audio(kept), headers=given_headers).status_code == 200


def test_a_condition_that_fails_sends_no_sound(client: FlaskClient, kept: Facts) -> None:
    answer = client.get(audio(kept), headers={"If-Match": '"another"'})
    assert (answer.status_code, answer.data) == (412, b"")


def test_the_etag_outlives_a_copy_to_another_disk(client: FlaskClient, shelf: Shelf) -> None:
    facts = shelf.add(WAV)
    before = client.head(audio(facts)).headers["ETag"]
    found = shelf.path(facts).stat()
    shelf.path(facts).unlink()
    shelf.storage.write(facts.path, WAV)
    os.utime(shelf.path(facts), ns=(found.st_atime_ns, found.st_mtime_ns))
    assert client.head(audio(facts)).headers["ETag"] == before


def test_a_voicemail_is_played_as_a_wav_in_mu_law(client: FlaskClient, message: Facts) -> None:
    answer = client.get(audio(message))
    assert answer.content_type == "audio/wav"
    assert answer.data == ulaw_header(len(SOUND)) + SOUND


def test_a_voicemail_is_downloaded_as_it_is_stored(client: FlaskClient, message: Facts) -> None:
    answer = client.get(saved(message))
    assert (answer.data, answer.content_type) == (SOUND, "audio/basic")
    assert answer.headers["Content-Disposition"].endswith("_voicemail.ulaw")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(first=st.integers(0, len(SOUND) + 80), length=st.integers(1, 300))
def test_any_part_of_a_voicemail_fits_to_the_whole(client, message: Facts, first, length) -> None:
    whole = ulaw_header(len(SOUND)) + SOUND
    header = {"Range": f"bytes={first}-{first + length - 1}"}
    answer = client.get(audio(message), headers=header)
    if first >= len(whole):
        assert answer.status_code == 416
    else:
        assert (answer.status_code, answer.data) == (206, whole[first : first + length])


@pytest.mark.parametrize("edge", [0, ULAW_HEADER_BYTES - 1, ULAW_HEADER_BYTES])
def test_a_part_may_begin_and_end_within_the_header_that_we_add(client, message, edge) -> None:
    whole = ulaw_header(len(SOUND)) + SOUND
    answer = client.get(audio(message), headers={"Range": f"bytes=0-{edge}"})
    assert answer.data == whole[: edge + 1]
    answer = client.get(audio(message), headers={"Range": f"bytes={edge}-"})
    assert answer.data == whole[edge:]


def test_a_recording_longer_than_a_chunk_is_whole(client: FlaskClient, shelf: Shelf) -> None:
    content = wav_bytes(os.urandom(700_000))
    facts = shelf.add(content)
    assert client.get(audio(facts)).data == content
    assert client.get(saved(facts)).data == content
    answer = client.get(audio(facts), headers={"Range": "bytes=-400000"})
    assert answer.data == content[-400000:]


def test_an_empty_file_is_answered_as_empty(client: FlaskClient, shelf: Shelf) -> None:
    facts = shelf.add(b"")
    assert (client.get(audio(facts)).status_code, client.get(audio(facts)).data) == (200, b"")
    assert client.get(audio(facts), headers={"Range": "bytes=0-"}).status_code == 416


def test_a_download_is_named_by_date_caller_callee_and_kind(client, kept: Facts) -> None:
    answer = client.get(saved(kept))
    assert answer.data == WAV
    assert answer.headers["Content-Disposition"].startswith(
        'attachment; filename="2026-11-22_093000Z_Ann-5551234_desk_transfer.wav"'
    )


def test_a_download_can_be_taken_up_where_it_broke_off(client, kept: Facts) -> None:
    answer = client.get(saved(kept), headers={"Range": "bytes=5000-"})
    assert (answer.status_code, answer.data) == (206, WAV[5000:])


def test_a_caller_cannot_put_a_header_into_the_answer(client, shelf: Shelf) -> None:
    facts = shelf.add(WAV, caller_name='x"\r\nSet-Cookie: a=b', callee="\r\nX-Evil: 1")
    answer = client.get(saved(facts))
    assert answer.status_code == 200
    assert "X-Evil" not in answer.headers
    assert "a=b" not in str(answer.headers.get("Set-Cookie"))


def test_what_is_downloaded_plays(client: FlaskClient, kept: Facts) -> None:
    with wave.open(BytesIO(client.get(saved(kept)).data), "rb") as file:
        assert file.readframes(file.getnframes()) == SOUND


@pytest.mark.parametrize("state", ["requested", "recording"])
@pytest.mark.parametrize("path", [audio, saved])
def test_a_recording_in_progress_is_not_offered_yet(client, shelf, state, path) -> None:
    answer = client.get(path(shelf.add(WAV[:500], state=state)))
    assert answer.status_code == 409
    assert "still being recorded" in answer.text
    assert WAV[44:60] not in answer.data


def test_a_recording_that_failed_says_why_there_is_no_sound(client, shelf: Shelf) -> None:
    facts = shelf.add(None, state="failed", state_reason="the disk is full")
    answer = client.get(audio(facts))
    assert answer.status_code == 404
    assert "the disk is full" in answer.text


@pytest.mark.parametrize("path", [audio, saved])
def test_a_file_that_is_gone_is_told_to_the_reader_and_to_the_ledger(client, shelf, path) -> None:
    facts = shelf.add(None)
    answer = client.get(path(facts))
    assert answer.status_code == 404
    assert "gone" in answer.text
    row = shelf.row(facts)
    assert row.state == "missing"
    assert row.state_reason


def test_a_file_that_came_back_is_played(client: FlaskClient, shelf: Shelf) -> None:
    facts = shelf.add(WAV, state="missing", state_reason="the file is gone from the folder")
    assert client.get(audio(facts)).data == WAV


def test_without_the_folder_no_recording_is_called_missing(client, shelf: Shelf) -> None:
    facts = shelf.add(WAV)
    away = shelf.storage.root.with_name("unmounted")
    shelf.storage.root.rename(away)
    try:
        assert client.get(audio(facts)).status_code == 404
    finally:
        away.rename(shelf.storage.root)
    assert shelf.row(facts).state == "available"
    assert client.get(audio(facts)).data == WAV


def test_an_unknown_recording_is_not_found(client: FlaskClient) -> None:
    for uid in ("nobody", "..", "%2e%2e", "a%00b", "x" * 300):
        assert client.get(f"/recordings/{uid}/audio").status_code == 404


@pytest.mark.parametrize("trick", ["link", "fifo", "folder"])
def test_what_is_no_plain_file_is_never_served(client, shelf: Shelf, trick: str) -> None:
    facts = shelf.add(None)
    secret = shelf.storage.root.parent / "instance" / "secret"
    secret.write_bytes(WAV)
    make = {"link": lambda p: p.symlink_to(secret), "fifo": os.mkfifo, "folder": os.mkdir}
    make[trick](shelf.path(facts))
    answer = client.get(audio(facts))
    assert answer.status_code == 500
    assert str(shelf.storage.root) not in answer.text
    assert shelf.row(facts).state == "available"


@pytest.mark.parametrize("path", [audio, saved])
def test_who_is_not_signed_in_hears_nothing(shelf: Shelf, kept: Facts, path) -> None:
    answer = shelf.app.test_client().get(path(kept))
    assert answer.status_code == 302
    assert "/login" in answer.headers["Location"]
    assert SOUND[:16] not in answer.data


@pytest.mark.parametrize("path", [audio, saved])
def test_sound_is_only_ever_read(client: FlaskClient, kept: Facts, path) -> None:
    for method in (client.post, client.put, client.delete):
        assert method(path(kept)).status_code in (400, 405)


def test_the_file_is_closed_whatever_the_answer(client, shelf: Shelf, kept: Facts) -> None:
    etag = client.head(audio(kept)).headers["ETag"]
    for headers in ({}, {"Range": "bytes=1-2"}, {"Range": "bytes=999999-"}):
        client.get(audio(kept), headers=headers)
    client.head(audio(kept))
    client.get(audio(kept), headers={"If-None-Match": etag})
    client.get(audio(kept), headers={"If-Match": '"x"'})
    broken_off = client.get(audio(kept), buffered=False)
    assert open_files(shelf.path(kept))
    broken_off.close()
    assert not open_files(shelf.path(kept))


def open_files(path: Path) -> list[Path]:
    """Our descriptors of this file; the listing's own is gone by the time it is looked at."""
    descriptors = (d for d in Path("/proc/self/fd").iterdir() if d.is_symlink())
    return [d for d in descriptors if d.readlink() == path]


# μ-law, decoded for a browser that does not play it


def decoded(facts: Facts) -> str:
    return f"{audio(facts)}?as=pcm"


def test_mu_law_can_be_had_as_samples_that_every_browser_plays(client, message):
    answer = client.get(decoded(message))
    with wave.open(BytesIO(answer.data)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        heard = file.readframes(file.getnframes())
    assert len(heard) == 2 * len(SOUND)
    assert heard == ULAW_SAMPLES[list(SOUND)].astype("<i2").tobytes()


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(first=st.integers(0, 2 * len(SOUND) + 43), length=st.integers(1, 300))
def test_any_part_of_the_decoded_sound_is_that_part_of_the_whole(client, message, first, length):
    whole = client.get(decoded(message)).data
    header = {"Range": f"bytes={first}-{first + length - 1}"}
    answer = client.get(decoded(message), headers=header)
    assert (answer.status_code, answer.data) == (206, whole[first : first + length])


def test_a_part_of_the_one_is_never_taken_for_a_part_of_the_other(client, message):
    etags = {client.head(url).headers["ETag"] for url in (audio(message), decoded(message))}
    assert len(etags) == 2


def test_a_wav_is_the_same_whatever_is_asked_for(client, kept):
    assert client.get(decoded(kept)).data == WAV
