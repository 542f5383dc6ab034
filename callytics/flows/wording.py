"""How flows, their nodes and queues are told in words.

They are read as the plain values of a document, which may be that of an unfinished draft.
"""

from collections.abc import Mapping
from typing import Any

from callytics.telephony.numbers import phone

Values = Mapping[str, Any]

# What each type is called, and what it does to a call, for somebody who sees it for the first time.
TYPES = {
    "play_audio": ("Play audio", "Plays a prompt to the caller, then goes on. Never recorded."),
    "transfer": ("Transfer", "Rings one phone."),
    "hunt_group": ("Hunt group", "Rings several phones until one of them answers."),
    "queue": ("Queue", "The caller hears music until somebody of a queue is free and answers."),
    "voicemail": ("Voicemail", "Plays a greeting and takes a message. Always recorded."),
}
HUNT_STRATEGIES = {
    "simultaneous": "All at once",
    "ordered": "One after the other, from the top",
    "random": "One after the other, in random order",
}
QUEUE_STRATEGIES = {
    "ring_all": "All who are free, at once",
    "longest_idle": "Whoever has been free the longest",
    "random": "One of those who are free, at random",
}
FIELDS = {
    "type": "what it does",
    "media": "the prompt",
    "destination": "the phone",
    "destinations": "the phones",
    "strategy": "who is rung",
    "ring_seconds": "how long it rings",
    "queue": "the queue",
    "max_wait_seconds": "the longest wait",
    "greeting": "the greeting",
    "max_seconds": "the longest message",
    "max_silence_seconds": "the silence that ends a message",
    "members": "the members",
    "wrap_up_seconds": "the time to write things up",
    "music": "the music",
}


def rings(node: Values) -> bool:
    """Whether a conversation can take place in this node."""
    return node["type"] in ("transfer", "hunt_group", "queue")


def is_recorded(node: Values) -> bool:
    """Whether anything of a call in this node is recorded."""
    return node["type"] == "voicemail" or bool(node.get("record_call"))


def facts(node: Values) -> str:
    """What a node does, as short as can be: rings 3 phones, 20 s, recorded."""
    kind = node["type"]
    if kind == "play_audio":
        return f"plays {sound(node['media'])}"
    if kind == "voicemail":
        return f"up to {seconds(node['max_seconds'])}, recorded"
    recorded = "recorded" if node["record_call"] else "not recorded"
    if kind == "queue":
        return f"{node['queue']}, up to {seconds(node['max_wait_seconds'])}, {recorded}"
    return f"rings {_who(node)}, {seconds(node['ring_seconds'])}, {recorded}"


def _who(node: Values) -> str:
    phones = node.get("destinations") or [node.get("destination", "")]
    return phone(phones[0]) if len(phones) == 1 else f"{len(phones)} phones"


def seconds(count: int) -> str:
    """20 s, or 5 min where that is the same."""
    for size, unit in ((3600, "h"), (60, "min")):
        if count >= size and count % size == 0:
            return f"{count // size} {unit}"
    return f"{count} s"


def sound(media: str) -> str:
    """A prompt as people call it: hello-world for sound:hello-world."""
    return media.removeprefix("sound:")


def count(number: int, thing: str) -> str:
    """1 phone, 3 phones."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def listed(items: list[str]) -> str:
    """a, b and c."""
    return " and ".join((", ".join(items[:-1]), items[-1])) if len(items) > 1 else "".join(items)


def value(field: str, content: Any) -> str:
    """The value of a field of a node or queue in words."""
    if field == "type":
        return TYPES[content][0]
    if field.endswith("_seconds"):
        return seconds(content)
    if field == "strategy":
        known = {**HUNT_STRATEGIES, **QUEUE_STRATEGIES}
        return str(known.get(content, content)).lower()
    return ", ".join(content) if isinstance(content, list) else str(content)
