"""Listening beside many ZIP archives of everything: no audio without an entry, bounded memory."""

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from callytics.identifiers import new_uid
from callytics.recordings.facts import Facts
from callytics.recordings.ledger import RowChange, change_recordings
from callytics.web.recordings.zip_limits import MOST, MOST_OF_PERSON
from tests.support.descriptors import children
from tests.support.processes import Web
from tests.support.rows import rows
from tests.support.shelf import STARTED_AT, TOKEN, Shelf, signed_in, wav_bytes

PEAK = re.compile(r"VmHWM:\s*(\d+) kB")
RECORDINGS, ZIPS_OF_EACH, PLAYS = 800, 12, 30
PEOPLE = ("rita", "ron", "rose")
WAV = wav_bytes(bytes(range(256)) * 128)
# Resident memory of a web process: 105 MB before any archive, 20 MB for each one of all.
MOST_MEGABYTES = 220


@pytest.fixture
def busy(web_env: dict[str, str], tmp_path: Path) -> Iterator[Web]:
    """A library of many recordings, behind one web process."""
    shelf = Shelf.of(web_env)
    for name in PEOPLE[1:]:
        shelf.add_person(name)
    given = {"kind": "transfer", "direction": "inbound", "state": "available", "format": "wav"}
    given |= {"duration_ms": 128, "caller_name": "Ann Example", "callee": "PJSIP/desk"}
    facts = [
        Facts(uid=new_uid(), started_at=STARTED_AT + timedelta(seconds=n), **given)
        for n in range(RECORDINGS)
    ]
    for each in facts:
        path = shelf.path(each)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(WAV)
    with shelf.app.app_context():
        change_recordings([RowChange(each.uid, None, each) for each in facts])
    with Web({**web_env, "WEB_CONCURRENCY": "1"}, tmp_path) as web:
        yield web


def zip_of_everything(web: Web, person: requests.Session, token: str) -> int:
    """Ask for an archive of all recordings and read it to its end."""
    form = {"csrf_token": token, "all": "yes"}
    url = f"{web.url}/recordings/many/download"
    with requests.post(url, form, cookies=person.cookies, stream=True, timeout=120) as answer:
        if answer.status_code == 200:
            size = sum(len(part) for part in answer.iter_content(65536))
            assert size == int(answer.headers["Content-Length"])
        else:
            assert "download" in answer.text
        return answer.status_code


def megabytes(web: Web) -> float:
    """Most resident memory that a web process ever had."""
    status = [Path(f"/proc/{pid}/status").read_text() for pid in children(web.process.pid)]
    return max(int(PEAK.search(text)[1]) for text in status) / 1000


def test_no_play_beside_many_archives_is_without_an_entry(busy: Web) -> None:
    people = {name: signed_in(busy.url, name) for name in PEOPLE}
    tokens = {
        name: TOKEN.search(person.get(f"{busy.url}/recordings").text)[1]
        for name, person in people.items()
    }
    uids = [row["uid"] for row in rows(busy.environment, "SELECT uid FROM recordings LIMIT 60")]

    def play(uid: str) -> tuple[str, int, bool]:
        url = f"{busy.url}/recordings/{uid}/audio"
        answer = requests.get(url, cookies=people["rita"].cookies, timeout=120)
        return uid, answer.status_code, WAV[44:] in answer.content

    before = megabytes(busy)
    with ThreadPoolExecutor(ZIPS_OF_EACH * len(PEOPLE)) as zips, ThreadPoolExecutor(4) as players:
        asked = [
            zips.submit(zip_of_everything, busy, people[name], tokens[name])
            for name in itertools.islice(itertools.cycle(PEOPLE), ZIPS_OF_EACH * len(PEOPLE))
        ]
        played = list(players.map(play, uids[:PLAYS]))
        codes = Counter(each.result() for each in asked)
    most = megabytes(busy)
    entries = {
        row["recording_uid"]
        for row in rows(busy.environment, "SELECT * FROM audit_entries WHERE action = 'play'")
    }
    print(codes, Counter(code for _uid, code, _ in played), f"{before:.0f} → {most:.0f} MB")
    assert {code for _uid, code, _heard in played} <= {200, 503}
    assert [uid for uid, _code, heard in played if heard and uid not in entries] == []
    assert not any(heard for _uid, code, heard in played if code != 200)
    assert codes.keys() <= {200, 429, 503}
    assert codes[200] >= MOST_OF_PERSON
    assert most < MOST_MEGABYTES
    check_bounds(busy, people, tokens)


def check_bounds(busy: Web, people: dict[str, requests.Session], tokens: dict[str, str]) -> None:
    """Ask for archives that nobody reads: those of one person and those of all are bounded."""
    held = []
    for name, person in people.items():
        for _ in range(MOST_OF_PERSON + 1):
            held.append(
                requests.post(
                    f"{busy.url}/recordings/many/download",
                    {"csrf_token": tokens[name], "all": "yes"},
                    cookies=person.cookies,
                    stream=True,
                    timeout=60,
                )
            )
    codes = [answer.status_code for answer in held]
    texts = {answer.status_code: answer.text for answer in held if answer.status_code != 200}
    for answer in held:
        answer.close()
    assert codes == [200, 200, 429, 200, 200, 429, 503, 503, 503]
    assert MOST == 4
    assert "of your downloads are not finished" in texts[429]
    assert "Others are downloading" in texts[503]
