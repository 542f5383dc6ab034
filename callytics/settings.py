"""Settings that an administrator changes while Callytics runs."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select

from callytics.db import db, upsert, writing
from callytics.models import Setting


class SettingError(Exception):
    """A key that is not known or a value that cannot be used; the message says what can."""


@dataclass(frozen=True)
class _Kind:
    """What one setting may be."""

    default: str
    what: str
    accepts: Callable[[str], bool]


def _is_dial_string(text: str) -> bool:
    technology, _, rest = text.replace("{number}", "", 1).partition("/")
    # What separates dial strings and their options in Asterisk would begin a second one.
    tidy = rest.isprintable() and not any(c in " ,&|(){}" for c in rest)
    right = technology.isalnum() and tidy and "{number}" in text.partition("/")[2]
    return text == "" or (right and text.isascii() and len(text) <= 200)


def _is_number(text: str, most: int) -> bool:
    # Python refuses to read some thousands of digits.
    return text.isascii() and text.isdigit() and len(text) < 10 and int(text) <= most


SETTINGS = {
    "record_outbound_calls": _Kind("false", "true or false", lambda v: v in ("true", "false")),
    "outbound_endpoint": _Kind(
        "", "a dial string with {number}, such as PJSIP/{number}@trunk", _is_dial_string
    ),
    "outbound_caller_id": _Kind(
        "",
        "a number of digits, + and spaces",
        lambda v: len(v) <= 32 and all(c in "0123456789+ " for c in v),
    ),
    "longest_pause_seconds": _Kind(
        "120",
        "a whole number of seconds from 0 (until somebody lets it go on) to 86400",
        lambda v: _is_number(v, 86400),
    ),
    "disk_warning_mb": _Kind(
        "1024",
        "a whole number of MB from 0 (never warn) to 100000000",
        lambda v: _is_number(v, 100_000_000),
    ),
    "retention_days": _Kind(
        "0",
        "a whole number of days from 0 (for ever) to 36500",
        lambda v: _is_number(v, 36500),
    ),
}


def all_settings() -> dict[str, str]:
    """Every setting with its value as text. Needs an app context."""
    with db.engine.connect() as connection:
        rows = connection.execute(select(Setting.key, Setting.value)).all()
    changed = {key: value for key, value in rows if key in SETTINGS}
    return {key: changed.get(key, kind.default) for key, kind in SETTINGS.items()}


def set_setting(key: str, value: str) -> None:
    """Keep a setting. Raises SettingError and changes nothing when it cannot be used."""
    if key not in SETTINGS:
        raise SettingError(f"{key}: is not a setting; there are {', '.join(SETTINGS)}")
    value = value.strip()
    if not SETTINGS[key].accepts(value):
        raise SettingError(f"{key}: must be {SETTINGS[key].what}")
    with writing() as connection:
        upsert(connection, Setting, "key", {"key": key, "value": value})
