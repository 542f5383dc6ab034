"""Banner of the workers: with several PBXs it names those that are worst off."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from callytics.web.http.worker_banner import worker_notice
from tests.support.shelf import STARTED_AT


def pbx(name: str, seconds_ago: float = 1, connected: bool = True, problem: str = "") -> Any:
    seen_at = STARTED_AT - timedelta(seconds=seconds_ago)
    at = seen_at if connected else None
    return SimpleNamespace(name=name, seen_at=seen_at, connected_at=at, problem=problem)


def title(*pbxs: Any) -> str:
    notice = worker_notice(pbxs, STARTED_AT)
    return notice.title if notice else ""


def test_one_pbx_needs_no_name() -> None:
    assert title() == title(pbx("one", 60)) == "The worker is not running."
    assert title(pbx("one", connected=False)) == "The worker has no connection to Asterisk."
    assert title(pbx("one", problem="x")) == "The worker reports a problem."
    assert title(pbx("one")) == ""


def test_of_several_those_are_named_that_are_worst_off() -> None:
    gone, other, deaf = pbx("one", 60), pbx("two", 90), pbx("three", connected=False)
    troubled, well = pbx("four", problem="x"), pbx("five")
    assert title(gone, deaf, well) == "The worker of PBX one is not running."
    assert title(gone, other, well) == "The workers of PBX one and two are not running."
    assert title(deaf, troubled, well) == "The worker of PBX three has no connection to Asterisk."
    assert title(troubled, well) == "The worker of PBX four reports a problem."
    notice = worker_notice([gone, well], STARTED_AT)
    assert notice
    assert notice.meaning.startswith("This PBX takes no calls")
    assert notice.seen_at == gone.seen_at
