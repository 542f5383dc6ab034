"""Property of reconciliation: one run repairs any mix of faults and removes no audio."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from callytics.audit import access_log
from callytics.audit.models import AuditEntry
from callytics.database.transactions import writing
from callytics.recordings import ledger
from callytics.recordings.facts import STATES, Facts
from callytics.recordings.models import Recording
from tests.support.disorder import NOW, SOUND, Disorder, disorder, unfinished
from tests.support.shelf import STARTED_AT, wav_bytes

# Contents by name, since Hypothesis prints the names for a failing example.
CONTENTS = {
    "whole": wav_bytes(SOUND),
    "unfinished": unfinished(),
    "with a title": wav_bytes(SOUND) + b"LIST\4\0\0\0abcd",
    "raw": SOUND,
    "nothing": b"",
    "half a header": b"RIFF",
    "no sound": wav_bytes(b""),
    "unfinished and no sound": unfinished(b""),
    "text": b"this is no audio, but it may be of use to somebody who knows",
    "zeros": b"\0" * 100,
}
ODD = (CONTENTS["text"], CONTENTS["zeros"])

measures = st.none() | st.integers(0, 1 << 70)
reasons = st.sampled_from(["", "cut short: x", "the file is gone from the folder", "a (b) c\0"])


@dataclass(frozen=True)
class Place:
    """Row, facts and audio of one recording, right or wrong."""

    uid: str
    day: int
    audio_format: str
    audio: str | None
    other_audio: str | None
    row: dict[str, object] | None
    facts: dict[str, object] | bytes | None
    audit: str | None
    live: bool
    idle: timedelta


told = st.fixed_dictionaries(
    {
        "state": st.sampled_from(STATES),
        "state_reason": reasons,
        "caller_name": st.sampled_from(["Ann", "Bob"]),
        "duration_ms": measures,
        "size_bytes": measures,
        "sha256": st.sampled_from([None, "0" * 64]),
    }
)
contents = st.none() | st.sampled_from(list(CONTENTS))
places = st.builds(
    Place,
    uid=st.sampled_from(["a", "a-b", "a_b", "aa", "b"]),
    day=st.integers(0, 2),
    audio_format=st.sampled_from(["wav", "ulaw"]),
    audio=contents,
    other_audio=st.none() | contents,
    row=st.none() | told,
    facts=st.none() | told | st.sampled_from([b"", b"{}", b"{", b"\xff"]),
    audit=st.sampled_from([None, None, "2026/11/22/a.wav", "failed: no space"]),
    live=st.booleans(),
    idle=st.sampled_from([timedelta(seconds=1), timedelta(minutes=5), timedelta(days=2)]),
)


def facts_of(place: Place, values: dict[str, object]) -> Facts:
    """Return facts with these values, right or wrong."""
    started_at = STARTED_AT - timedelta(days=place.day)
    usual = {"uid": place.uid, "kind": "queue", "direction": "inbound", "started_at": started_at}
    return Facts(**{**usual, "format": place.audio_format, **values})


def furnish(lib: Disorder, place: Place) -> None:
    """Create row, facts and audio of a recording."""
    facts = facts_of(place, {"state": "available"})
    if place.row is not None:
        limits = {"duration_ms": (1 << 31) - 1, "size_bytes": (1 << 63) - 1}
        bound = {k: v and min(v, limits[k]) for k, v in place.row.items() if k in limits}
        reason = str(place.row["state_reason"]).replace("\0", "")
        ledger.save_recording(facts_of(place, {**place.row, **bound, "state_reason": reason}))
    if isinstance(place.facts, bytes):
        lib.put(facts.facts_path, place.facts, NOW - place.idle)
    elif place.facts is not None:
        content = facts_of(place, place.facts).to_json().encode()
        lib.put(facts.facts_path, content, NOW - place.idle)
    other = "ulaw" if place.audio_format == "wav" else "wav"
    for audio_format, content in ((place.audio_format, place.audio), (other, place.other_audio)):
        if content is not None:
            lib.put(f"{facts.name}.{audio_format}", CONTENTS[content], NOW - place.idle)
    if place.audit is not None:
        access_log.log_access("ada", "delete", place.uid, place.audit)
    if place.live:
        lib.live.add(place.uid)


def empty(lib: Disorder) -> None:
    """Delete everything, since a new installation for each example would take a second."""
    lib.live.clear()
    shutil.rmtree(lib.file("2026"), ignore_errors=True)
    with writing() as connection:
        connection.execute(Recording.__table__.delete())
        connection.execute(AuditEntry.__table__.delete())


def sounds(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the audio of files that have any, without the header, which may be repaired."""
    spoken = {path: content for path, content in files.items() if b"\xe8\x03" * 1000 in content}
    return {path: content[44:] for path, content in spoken.items()}


def check(lib: Disorder, mix: list[Place], answers: bool) -> None:
    """Check the property for one mix of recordings."""
    empty(lib)
    lib.asterisk_answers = answers
    for place in mix:
        furnish(lib, place)
    before = lib.everything()
    told = lib.verify(skip_folder_check=True)
    assert lib.everything() == before
    done = lib.reconcile(skip_folder_check=True)
    assert done or not told
    assert lib.verify(skip_folder_check=True) == []
    after = lib.everything()
    assert lib.reconcile(skip_folder_check=True) == []
    assert lib.everything() == after
    assert sounds(after[0]) == sounds(before[0])
    odd = {path for path, content in before[0].items() if content in ODD}
    assert odd <= set(after[0])
    wanted_gone = {place.uid for place in mix if place.audit}
    assert set(before[1]) - set(after[1]) <= wanted_gone
    for uid, row in after[1].items():
        if row.state == "available":
            assert lib.file(row.path).stat().st_size == row.size_bytes
        if row.state in ("requested", "recording"):
            assert uid in lib.live or not answers


@pytest.fixture
def lib(any_env: dict[str, str]) -> Iterator[Disorder]:
    with disorder(any_env) as library:
        yield library


few = settings(
    max_examples=40,
    deadline=None,
    # Without shrinking, which takes too long in a run of all tests.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


mixes = st.lists(places, unique_by=lambda place: place.uid, max_size=5)


@few
@given(mix=mixes, answers=st.booleans())
def test_any_mix_is_mended_at_once_and_no_sound_is_lost(lib, mix, answers) -> None:
    check(lib, mix, answers)
