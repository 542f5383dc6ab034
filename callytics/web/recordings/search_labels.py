"""Labels of the search form and of its filters."""

from flask import Flask

from callytics.telephony.numbers import phone
from callytics.web.http import formatting

LABELS = {
    "q": "Search",
    "kind": "Kind",
    "direction": "Direction",
    "state": "State",
    "flow": "Flow",
    "callee": "Answered by",
    "tag": "Tag",
    "when": "When",
    "from": "First day",
    "to": "Last day",
    "min_seconds": "Shortest",
    "max_seconds": "Longest",
    "sort": "Order",
    "tz": "Time zone",
}
PRESET_WORDS = {
    "today": "Today",
    "yesterday": "Yesterday",
    "last7": "Last 7 days",
    "last30": "Last 30 days",
}
SORT_WORDS = {
    "newest": "Newest first",
    "oldest": "Oldest first",
    "longest": "Longest first",
    "shortest": "Shortest first",
}


def init_search_labels(app: Flask) -> None:
    """Register the labels of the form for the templates of `app`."""
    app.jinja_env.globals.update(
        PRESET_WORDS=PRESET_WORDS,
        SORT_WORDS=SORT_WORDS,
        LABELS=LABELS,
        in_words=in_words,
    )


def in_words(name: str, value: str) -> str:
    """Return the text of a filter on its chip."""
    said = {
        "q": f"“{value}”",
        "kind": formatting.KINDS.get(value, value),
        "direction": value.capitalize(),
        "state": formatting.STATES.get(value, value),
        "flow": f"Flow {value}",
        "callee": f"Answered by {phone(value)}",
        "tag": f"Tag {value}",
        "when": PRESET_WORDS.get(value, value),
        "from": f"From {value}",
        "to": f"To {value}",
        "min_seconds": f"At least {value} s",
        "max_seconds": f"At most {value} s",
    }
    return said[name]
