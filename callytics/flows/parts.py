"""Parts of a flow document: value types, the base of all nodes, and queues."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from callytics.json_values import JsonObject
from callytics.telephony.dial_strings import DIAL_STRING, LONGEST

MEDIA = r"^(sound|recording|tone|digits|number):[^\s,\x00-\x1f\x7f]+$"
Destination = Annotated[str, Field(pattern=DIAL_STRING, max_length=LONGEST)]
Media = Annotated[str, Field(pattern=MEDIA, max_length=500)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Number = Annotated[str, Field(pattern=r"^[0-9+*#]{1,32}$")]
RingSeconds = Annotated[int, Field(ge=1, le=300)]


class Part(BaseModel):
    """Base of every part: rejects unknown fields, converts nothing, is immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @classmethod
    def draft(cls, **values: object) -> JsonObject:
        """Return a part as a document has it, defaults filled in; `values` are not checked."""
        return cls.model_construct(None, **values).model_dump(warnings=False)


class NodePart(Part):
    """Base of the nodes of every type."""

    # Each model declares both fields itself, so that `next` comes last in an exported document.
    if TYPE_CHECKING:
        type: str
        next: str | None


class Queue(Part):
    """Queue: members who take calls in turn."""

    members: Annotated[list[Destination], Field(max_length=200)]
    strategy: Literal["ring_all", "longest_idle", "random"] = "longest_idle"
    ring_seconds: RingSeconds = 15
    wrap_up_seconds: Annotated[int, Field(ge=0, le=3600)] = 0
    music: Name = "default"
