"""New node type: one description and one executor are enough for every part of the program."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.checkout import copy_program
from tests.support.flow_pages import fields_of_html
from tests.support.pages import text_of_html
from tests.support.processes import Web, Worker
from tests.support.rows import ended_calls
from tests.support.shelf import TOKEN, signed_in
from tests.support.stand_in import StandIn
from tests.support.waiting import wait_until

pytest_plugins = "tests.support.web_fixtures"

DESCRIPTION = '''
"""Pager: tells somebody of the call, and waits until it is seen."""

from typing import Annotated, Literal

from pydantic import Field as Checked

from callytics.flows.fields import Field
from callytics.flows.node_types.base import NodeType
from callytics.flows.parts import Name, NodePart


class Pager(NodePart):
    type: Literal["pager"]
    seen_file: str
    urgency: Annotated[int, Checked(ge=1, le=3)] = 2
    next: Name | None = None


NODE_TYPE = NodeType(
    model=Pager,
    order=60,
    label="Pager",
    about="Pages somebody about the call.",
    default_name="page",
    fields=(
        Field("seen_file", "Seen when there is", phrase="the file"),
        Field("urgency", "Urgency", "number", default=2, phrase="the urgency"),
    ),
    next_label="When it was seen, go on with",
    edge_label="was seen",
    icon='<path d="M1 2h3"/>',
    live_icon="rings",
    live_words="Pages {node}",
    summary=lambda node: f"pages with urgency {node['urgency']}",
    results={"seen": "The page was seen"},
)
'''
EXECUTOR = '''
"""The Pager node."""

from pathlib import Path

from callytics.flows.node_types.pager import Pager
from worker.calls.session import Session


def run(session: Session, node: Pager) -> str:
    while not Path(node.seen_file).exists():
        list(session.events(0.05))
    return "seen"
'''
Env = dict[str, str]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Return a copy of the program with the description and the executor of a new type."""
    folder = copy_program(tmp_path / "program")
    (folder / "callytics/flows/node_types/pager.py").write_text(DESCRIPTION)
    (folder / "worker/nodes/pager.py").write_text(EXECUTOR)
    return folder


def import_flow(program: Path, environment: Env, pager: dict[str, Any]) -> tuple[int, str]:
    """Import a flow that pages, then rings a desk; return the exit code and the errors."""
    desk = {"type": "transfer", "destination": "Local/tone1000@party/n"}
    nodes = {"ops": {"type": "pager", "next": "desk", **pager}, "desk": desk}
    document = {"flows": {"main": {"numbers": ["1000"], "start": "ops", "nodes": nodes}}}
    done = subprocess.run(
        [sys.executable, "-m", "flask", "flows", "import", "-"],
        cwd=program,
        env=environment,
        input=json.dumps(document),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def filled(page: str) -> dict[str, str]:
    """Return the fields that a browser sends for the form of a page."""
    token = TOKEN.search(page)
    assert token
    return {**fields_of_html(page), "csrf_token": token[1]}


def in_copy(program: Path, process: Web | Worker) -> Web | Worker:
    """Run a process in the copy of the program."""
    process.options = lambda: {"env": process.environment, "cwd": program}  # type: ignore[method-assign]
    return process


@pytest.mark.slow
def test_pages_check_edit_draw_and_describe_it(
    program: Path, web_env: Env, shelf: Any, tmp_path: Path
) -> None:
    code, errors = import_flow(program, web_env, {"seen_file": "x", "urgency": 9})
    assert (code, "flows.main.nodes.ops.urgency: must be 1 to 3" in errors) == (1, True)
    code, errors = import_flow(program, web_env, {"seen_file": "x"})
    assert code == 0, errors
    with in_copy(program, Web(web_env, tmp_path)) as web:
        person = signed_in(web.url, "ada")

        def page(path: str, **options: Any) -> str:
            return person.get(f"{web.url}{path}", timeout=60, **options).text

        assert "Pages somebody about the call." in page("/flows/main/add")
        drawn = page("/flows/main/")
        assert "pages with urgency 2" in drawn
        assert "was seen" in drawn
        assert '<symbol id="i-pager"' in drawn
        form = page("/flows/main/add?type=pager&after=ops")
        typed = {**filled(form), "seen_file": "y", "urgency": "9"}
        url = f"{web.url}/flows/main/add?type=pager&after=ops"
        refused = person.post(url, data=typed, timeout=60)
        assert (refused.status_code, "must be 1 to 3" in refused.text) == (422, True)
        assert person.post(url, data={**typed, "urgency": "3"}, timeout=60).ok
        told = text_of_html(page("/flows/draft"))
        assert "node page is new: pager, then desk." in told
        form = page("/flows/main/nodes/ops")
        typed = {**filled(form), "urgency": "1"}
        assert person.post(f"{web.url}/flows/main/nodes/ops", data=typed, timeout=60).ok
        assert "the urgency: 1 (before: 2)." in text_of_html(page("/flows/draft"))


@pytest.mark.slow
def test_a_call_goes_through_it_and_live_and_its_time_line_say_so(
    program: Path, web_env: Env, shelf: Any, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    with StandIn(Path(web_env["RECORDINGS_DIR"])) as ari:
        environment = {**web_env, "ARI_URL": ari.url}
        code, errors = import_flow(program, environment, {"seen_file": str(seen)})
        assert code == 0, errors
        with (
            in_copy(program, Web(environment, tmp_path)) as web,
            in_copy(program, Worker(environment, tmp_path)),
        ):
            person = signed_in(web.url, "ada")
            call = ari.place_call("15550001")
            live = f"{web.url}/live"
            wait_until(lambda: "Pages ops" in person.get(live, timeout=60).text, "Live says so")
            assert "ops, pager" in text_of_html(person.get(live, timeout=60).text)
            seen.touch()
            wait_until(lambda: "leg" in call.ids, "the desk rings")
            call.happens("caller hangs up")
            uid = ended_calls(environment)[0]["uid"]
            shown = text_of_html(person.get(f"{web.url}/calls/{uid}", timeout=60).text)
            assert "ops Pager" in shown
            assert "The page was seen" in shown
