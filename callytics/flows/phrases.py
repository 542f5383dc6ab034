"""Phrases for durations, prompts, counts and lists."""


def seconds(count: int) -> str:
    """Return a duration as 20 s, or 5 min where that is the same."""
    for size, unit in ((3600, "h"), (60, "min")):
        if count >= size and count % size == 0:
            return f"{count // size} {unit}"
    return f"{count} s"


def sound(media: str) -> str:
    """Return the short name of a prompt: hello-world for sound:hello-world."""
    return media.removeprefix("sound:")


def count(number: int, thing: str) -> str:
    """Return a count with its noun: 1 phone, 3 phones."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def listed(items: list[str]) -> str:
    """Return a list in prose: a, b and c."""
    return " and ".join((", ".join(items[:-1]), items[-1])) if len(items) > 1 else "".join(items)
