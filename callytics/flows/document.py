"""The flow document: its shape, what is wrong with one, and which is in force."""

import json
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Connection, insert, select

from callytics.clock import utc_now
from callytics.database.reading import reading
from callytics.database.transactions import lock_tables, writing
from callytics.flows import diff as flow_changes
from callytics.flows.errors import DocumentError, Wrong, from_pydantic
from callytics.flows.models import FlowDocument

# A dial string goes to Asterisk as it is: technology, a slash, and no separators of its own.
DIAL_STRING = r"^[A-Za-z][A-Za-z0-9]*/[^\s,&|()\x00-\x1f\x7f]+$"
MEDIA = r"^(sound|recording|tone|digits|number):[^\s,\x00-\x1f\x7f]+$"
Destination = Annotated[str, Field(pattern=DIAL_STRING, max_length=200)]
Media = Annotated[str, Field(pattern=MEDIA)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Number = Annotated[str, Field(pattern=r"^[0-9+*#]{1,32}$")]
RingSeconds = Annotated[int, Field(ge=1, le=300)]


def is_destination(text: str) -> bool:
    """Whether `text` can be dialed as it is."""
    return re.fullmatch(DIAL_STRING, text) is not None and len(text) <= 200


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PlayAudio(_Part):
    """Plays a prompt; never recorded."""

    type: Literal["play_audio"]
    media: Media
    next: Name | None = None


class Transfer(_Part):
    """Rings one destination."""

    type: Literal["transfer"]
    destination: Destination
    ring_seconds: RingSeconds = 20
    record_call: bool = False
    next: Name | None = None


class HuntGroup(_Part):
    """Rings several destinations until one answers."""

    type: Literal["hunt_group"]
    destinations: Annotated[list[Destination], Field(min_length=1, max_length=50)]
    strategy: Literal["simultaneous", "ordered", "random"] = "simultaneous"
    ring_seconds: RingSeconds = 20
    record_call: bool = False
    next: Name | None = None


class QueueNode(_Part):
    """Lets the caller wait for a member of a queue."""

    type: Literal["queue"]
    queue: Name
    max_wait_seconds: Annotated[int, Field(ge=1, le=86400)] = 300
    record_call: bool = False
    next: Name | None = None


class Voicemail(_Part):
    """Takes a message; always recorded, the greeting never."""

    type: Literal["voicemail"]
    greeting: Media = "sound:vm-intro"
    max_seconds: Annotated[int, Field(ge=1, le=3600)] = 120
    max_silence_seconds: Annotated[int, Field(ge=1, le=60)] = 10
    next: Name | None = None


Node = Annotated[
    PlayAudio | Transfer | HuntGroup | QueueNode | Voicemail, Field(discriminator="type")
]


class Queue(_Part):
    """People who take calls in turn."""

    members: Annotated[list[Destination], Field(max_length=200)]
    strategy: Literal["ring_all", "longest_idle", "random"] = "longest_idle"
    ring_seconds: RingSeconds = 15
    wrap_up_seconds: Annotated[int, Field(ge=0, le=3600)] = 0
    music: Name = "default"


class Flow(_Part):
    """What happens to a call to one of `numbers`, step by step."""

    numbers: list[Number]
    start: Name
    nodes: Annotated[dict[Name, Node], Field(min_length=1, max_length=200)]


class Document(_Part):
    """All flows and queues."""

    queues: dict[Name, Queue] = {}
    flows: dict[Name, Flow] = {}

    def flow_for(self, number: str) -> tuple[str, Flow] | None:
        """The name and the flow that has this number."""
        return next(((n, f) for n, f in self.flows.items() if number in f.numbers), None)

    def only(self, name: str) -> "Document":
        """This document with one flow and the queues it uses. Raises KeyError."""
        flow = self.flows[name]
        used = {node.queue for node in flow.nodes.values() if isinstance(node, QueueNode)}
        queues = {key: queue for key, queue in self.queues.items() if key in used}
        return Document(queues=queues, flows={name: flow})


def parse(text: str | bytes) -> Document:
    """Check a JSON document. Raises DocumentError, a line for each place that is wrong."""
    try:
        values = json.loads(text, object_pairs_hook=_no_key_twice)
    except (ValueError, RecursionError) as error:
        raise DocumentError([Wrong((), f"must be JSON ({error})")]) from error
    return check(values)


def check(values: Any) -> Document:
    """Check a document that was read already. Raises DocumentError."""
    try:
        document = Document.model_validate(values)
    except ValidationError as error:
        raise DocumentError([from_pydantic(e) for e in error.errors()]) from error
    errors = list(_broken_links(document)) + list(_numbers_twice(document))
    if errors:
        raise DocumentError(errors)
    return document


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON would silently keep the last of two flows of one name."""
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [k for k, _ in pairs]
        raise ValueError(f"the name {next(k for k in keys if keys.count(k) > 1)!r} stands twice")
    return values


def _broken_links(document: Document) -> list[Wrong]:
    wrong = []
    for flow_name, flow in document.flows.items():
        place = ("flows", flow_name)
        if flow.start not in flow.nodes:
            wrong.append(Wrong((*place, "start"), f"there is no node {flow.start!r}"))
        for node_name, node in flow.nodes.items():
            at = (*place, "nodes", node_name)
            if node.next is not None and node.next not in flow.nodes:
                wrong.append(Wrong((*at, "next"), f"there is no node {node.next!r}"))
            if isinstance(node, QueueNode) and node.queue not in document.queues:
                wrong.append(Wrong((*at, "queue"), f"there is no queue {node.queue!r}"))
    return wrong


def _numbers_twice(document: Document) -> list[Wrong]:
    wrong, owners = [], {}
    for name, flow in document.flows.items():
        for at, number in enumerate(flow.numbers):
            owner = owners.setdefault(number, name)
            if (owner, flow.numbers.index(number)) != (name, at):
                place = ("flows", name, "numbers", str(at))
                wrong.append(Wrong(place, f"{number} belongs to flow {owner!r}"))
    return wrong


class Overtaken(Exception):
    """Another version came in force meanwhile."""

    def __init__(self, version: int) -> None:
        super().__init__(f"version {version} came in force meanwhile")
        self.version = version


def current() -> Document:
    """The document in force; an empty one before the first import. Needs an app context."""
    newest = select(FlowDocument.document).order_by(FlowDocument.id.desc()).limit(1)
    with reading() as connection:
        values = connection.execute(newest).scalar()
    return check(values or {})


def save(document: Document, saved_by: str, seen: int | None = None, said: str = "") -> int:
    """Put a checked document in force for the next call, in a transaction of its own."""
    with writing() as connection:
        return add_version(connection, document, saved_by, seen, said)


def add_version(
    connection: Connection,
    document: Document,
    saved_by: str,
    seen: int | None = None,
    said: str = "",
) -> int:
    """Put a checked document in force; return its version.

    `seen` is the version that it was made from, 0 before the first. Raises Overtaken, and changes
    nothing, where another has come in force since. `said` is what changed, where the difference
    does not say enough.
    """
    lock_tables(connection, FlowDocument)
    newest = select(FlowDocument.id, FlowDocument.document).order_by(FlowDocument.id.desc())
    version, before = connection.execute(newest.limit(1)).first() or (0, {})
    if seen is not None and seen != version:
        raise Overtaken(version)
    values = document.model_dump()
    row = insert(FlowDocument).values(
        saved_at=utc_now(),
        saved_by=saved_by,
        said=said or flow_changes.said(before, values),
        document=values,
    )
    return int(connection.execute(row).inserted_primary_key[0])
