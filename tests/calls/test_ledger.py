"""Ledger of calls: every write can be repeated."""

from flask import Flask

from callytics.calls.ledger import close_calls, save_call
from callytics.calls.models import Call
from tests.support.shelf import STARTED_AT
from tests.support.tables import all_rows


def test_a_call_is_one_row_however_often_it_is_saved(app: Flask) -> None:
    call = {"uid": "c1", "direction": "inbound", "started_at": STARTED_AT}
    save_call(call)
    save_call({**call, "disposition": "answered", "path": [{"node": "desk"}]})
    (row,) = all_rows(Call)
    assert (row.disposition, row.path, row.problem) == ("answered", [{"node": "desk"}], "")


def test_calls_that_ended_while_the_worker_was_away_are_closed(app: Flask) -> None:
    for uid, pbx in (("lost", "w"), ("live", "w"), ("other", "v")):
        save_call({"uid": uid, "pbx": pbx, "direction": "inbound", "started_at": STARTED_AT})
    save_call(
        {
            "uid": "busy",
            "pbx": "w",
            "direction": "inbound",
            "started_at": STARTED_AT,
            "disposition": "busy",
        }
    )
    for _ in range(2):
        close_calls("w", ["live"])
    dispositions = {row.uid: row.disposition for row in all_rows(Call) if row.ended_at}
    assert dispositions == {"lost": "abandoned", "busy": "busy"}
