"""Search form of the library: the filters in a URL, and what is wrong with each."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, tzinfo as Zone
from zoneinfo import ZoneInfo

from flask import url_for

from callytics.recordings.facts import DIRECTIONS, KINDS, STATES
from callytics.recordings.notes import tag_name
from callytics.search.filters import Filters, Sort

# Column and ascending order of each choice.
SORTS: dict[str, tuple[Sort, bool]] = {
    "newest": ("time", False),
    "oldest": ("time", True),
    "longest": ("duration", False),
    "shortest": ("duration", True),
}
# First and last day of each preset, in days before today.
PRESETS = {"today": (0, 0), "yesterday": (1, 1), "last7": (6, 0), "last30": (29, 0)}
CHOICES: dict[str, tuple[str, ...]] = {
    "kind": KINDS,
    "direction": DIRECTIONS,
    "state": STATES,
    "when": tuple(PRESETS),
    "sort": tuple(SORTS),
}
TEXTS = ("q", "flow", "callee", "tag")
DAYS = ("from", "to")
SECONDS = ("min_seconds", "max_seconds")
# Fields in the order of the form, which is the order in a URL.
NAMES = (
    "q",
    "kind",
    "direction",
    "state",
    "flow",
    "callee",
    "tag",
    "when",
    *DAYS,
    *SECONDS,
    "sort",
    "tz",
)
# Fields under "More filters".
FURTHER = ("direction", "flow", "callee", "tag", *DAYS, *SECONDS)
# Fields that are no filters.
DISPLAY_OPTIONS = ("sort", "tz")
LONGEST_TEXT = 200
LONGEST_SECONDS = 1_000_000
FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(9999, 1, 1)


@dataclass(frozen=True)
class SearchForm:
    """Fields of the form as typed, and the filters that they mean."""

    typed: Mapping[str, str]
    filters: Filters
    # Message by field, which says what is valid.
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def query(self) -> dict[str, str]:
        """Query of the URL: the fields that are set, the time zone only beside days."""
        dated = any(self.typed.get(name) for name in ("when", *DAYS))
        given = {name: self.typed.get(name, "") for name in NAMES}
        return {k: v for k, v in given.items() if v and (k != "tz" or dated)}

    @property
    def active(self) -> dict[str, str]:
        """Fields of the query that are filters."""
        return {k: v for k, v in self.query.items() if k not in DISPLAY_OPTIONS}

    @property
    def has_further(self) -> bool:
        """True if a field under "More filters" is set."""
        return any(self.typed.get(name) for name in FURTHER)

    def without(self, *names: str) -> dict[str, str]:
        """Return the query without some of its fields."""
        return {k: v for k, v in self.query.items() if k not in names}


def library_url(query: Mapping[str, str]) -> str:
    """Return the URL of the library with this query."""
    return url_for("recordings.index", _external=False, **query)


def parse_search(typed: Mapping[str, str], now: datetime) -> SearchForm:
    """Return the form for fields as somebody typed them into it or into a URL. `now` is aware."""
    kept = {name: _cleaned(typed.get(name, "")) for name in NAMES}
    problems: dict[str, str] = {}
    for name, choices in CHOICES.items():
        if kept[name] and kept[name] not in choices:
            problems[name] = f"must be one of {', '.join(choices)}"
    for name in TEXTS:
        if len(kept[name]) > LONGEST_TEXT:
            problems[name] = f"must be at most {LONGEST_TEXT} characters"
    zone = _zone(kept["tz"], problems)
    days = {name: _day(kept[name], name, problems) for name in DAYS}
    seconds = {name: _seconds(kept[name], name, problems) for name in SECONDS}
    _check_order(days, seconds, problems)
    if problems:
        return SearchForm(kept, Filters(), problems)
    sort, ascending = SORTS[kept["sort"] or "newest"]
    filters = Filters(
        search=kept["q"],
        kind=kept["kind"],
        direction=kept["direction"],
        state=kept["state"],
        flow=kept["flow"],
        callee=kept["callee"],
        tag=tag_name(kept["tag"]),
        min_ms=_min_ms(seconds["min_seconds"]),
        max_ms=_max_ms(seconds["max_seconds"]),
        sort=sort,
        ascending=ascending,
    )
    return SearchForm(kept, _in_days(filters, days, kept["when"], now.astimezone(zone)))


def _cleaned(text: str) -> str:
    """Return text without control characters: no page may hold one, and PostgreSQL no NUL."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _zone(name: str, problems: dict[str, str]) -> Zone:
    try:
        return ZoneInfo(name) if name else UTC
    except (ValueError, OSError, KeyError):
        problems["tz"] = "must be the name of a time zone, such as Europe/Berlin"
        return UTC


def _day(text: str, name: str, problems: dict[str, str]) -> date | None:
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        day = date.min
    if day and not FIRST_DAY <= day < LAST_DAY:
        problems[name] = f"must be a day such as 2026-11-22, not {text}"
        return None
    return day


def _seconds(text: str, name: str, problems: dict[str, str]) -> int | None:
    if not text:
        return None
    usable = text.isascii() and text.isdigit() and len(text) < 8
    if not usable or int(text) > LONGEST_SECONDS:
        problems[name] = f"must be whole seconds, at most {LONGEST_SECONDS}"
        return None
    return int(text)


def _check_order(
    days: Mapping[str, date | None],
    seconds: Mapping[str, int | None],
    problems: dict[str, str],
) -> None:
    first, last = days["from"], days["to"]
    if first and last and first > last:
        problems["from"] = "must not be after the last day"
    least, most = seconds["min_seconds"], seconds["max_seconds"]
    if least is not None and most is not None and least > most:
        problems["min_seconds"] = "must not be more than the longest"


# Pages show rounded seconds, so a bound includes all durations that round to it.


def _min_ms(seconds: int | None) -> int | None:
    return None if seconds is None else max(seconds * 1000 - 500, 0)


def _max_ms(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * 1000 + 499


def _in_days(
    filters: Filters, days: Mapping[str, date | None], preset: str, now: datetime
) -> Filters:
    """Return `filters` with whole days in the zone of `now`; preset and days are combined."""
    firsts, lasts = [days["from"]], [days["to"]]
    if preset:
        first, last = PRESETS[preset]
        firsts.append(now.date() - timedelta(days=first))
        lasts.append(now.date() - timedelta(days=last))
    begins = [_midnight(day, now) for day in firsts if day]
    ends = [_midnight(day + timedelta(days=1), now) for day in lasts if day]
    return replace(
        filters, since=max(begins) if begins else None, until=min(ends) if ends else None
    )


def _midnight(day: date, now: datetime) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=now.tzinfo).astimezone(UTC)
