"""Tables for spreadsheets: no text of a caller or a person is computed, however lines are split."""

import csv
import io
import re
import zipfile
from dataclasses import fields

import pytest
from hypothesis import example, given, strategies as st

from callytics.export import csv_table, zip_archive
from callytics.recordings.facts import Facts
from tests.support.shelf import Shelf, wav_bytes

SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
DELIMITERS = (",", ";", "\t", "|")
ATTACKS = [f"{before}{sign}cmd" for sign in SIGNS for before in ("", " ", '"', ' "')]
ATTACKS += [
    f"a{split}{attack}" for split in (*DELIMITERS, "\n", '";', '"\t"') for attack in ATTACKS
]
NUMBER = re.compile(r"[+-]?[0-9]+", re.ASCII)
TEXT = st.text(st.sampled_from([*SIGNS, *DELIMITERS, *"\n\r\"' a5\v\u2028"]), max_size=12)
# Facts that are not text of somebody else.
OWN = ("uid", "started_at", "ended_at", "duration_ms", "size_bytes", "format", "pauses", "state")
OWN += ("kind", "direction", "path", "peaks", "sha256", "pbx")


def computed(table: str) -> list[str]:
    """Return the cells that a spreadsheet would compute, for each way of splitting lines."""
    found = []
    for delimiter in DELIMITERS:
        for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
            text = io.StringIO(table, newline="")
            lines = csv.reader(text, delimiter=delimiter, quoting=quoting)
            for cell in (cell for line in lines for cell in line):
                text = cell.strip('" \u00a0')
                if text[:1] and text[0] in SIGNS and not NUMBER.fullmatch(text):
                    found.append(f"{cell!r} at {delimiter!r}")
    return found


@given(st.lists(TEXT, min_size=1, max_size=4))
@example(["a;\t=1"])
def test_no_part_of_a_line_is_computed(cells: list[str]) -> None:
    # The first column of every table is an id or a file.
    assert computed(csv_table.line(["id", *cells]).decode()) == []


@pytest.mark.parametrize("text", ["plain", "+4930901820", "-5", "a - b", "x=y"])
def test_plain_text_and_numbers_stay_as_they_are(text: str) -> None:
    assert next(csv.reader([csv_table.line([text]).decode()])) == [text]


def test_no_fact_note_or_tag_of_an_export_is_computed(shelf: Shelf) -> None:
    texts = [f.name for f in fields(Facts) if f.type in ("str", str) and f.name not in OWN]
    assert len(texts) >= 7
    client = shelf.client("rita")
    uids = []
    for attack in ATTACKS:
        uids.append(shelf.add(wav_bytes(bytes(40)), **dict.fromkeys(texts, attack)).uid)
    for attack in ATTACKS[::5]:
        client.send(f"/recordings/{uids[0]}/notes", {"text": attack})
        client.send(f"/recordings/{uids[0]}/tags", {"tag": attack})
    table = client.send("/recordings/many/export", {"uid": uids}).data.decode("utf-8-sig")
    archive = client.send("/recordings/many/download", {"uid": uids[:20]}, buffered=True).data
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        manifest = files.read(zip_archive.MANIFEST).decode("utf-8-sig")
    assert table.count("cmd") >= len(ATTACKS) * 5
    assert computed(table) == []
    assert computed(manifest) == []
