"""Settings that an administrator changes while Callytics runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from callytics.audit.admin_changes import log_change, newest_change
from callytics.audit.authors import Author
from callytics.audit.models import Change
from callytics.database.reading import reading
from callytics.database.transactions import lock_tables, upsert, writing
from callytics.settings.models import Setting


class SettingError(Exception):
    """Unknown key or invalid value; the message has the valid ones."""


class Overtaken(Exception):
    """Another administrator changed the same settings meanwhile; nothing was changed."""

    def __init__(self, keys: list[str]) -> None:
        super().__init__(", ".join(keys))
        self.keys = keys


@dataclass(frozen=True)
class SettingSpec:
    """Specification of a setting: its values, default and description."""

    default: str
    valid_values: str
    accepts: Callable[[str], bool]
    label: str
    meaning: str


def _is_dial_string(text: str) -> bool:
    technology, _, rest = text.replace("{number}", "", 1).partition("/")
    # Without the separators of Dial, which would begin another dial string or its options.
    tidy = rest.isprintable() and not any(c in " ,&|(){}" for c in rest)
    right = technology.isalnum() and tidy and "{number}" in text.partition("/")[2]
    return text == "" or (right and text.isascii() and len(text) <= 200)


def _is_number(text: str, most: int) -> bool:
    # Python's int() refuses texts of thousands of digits.
    return text.isascii() and text.isdigit() and len(text) < 10 and int(text) <= most


SETTINGS = {
    "record_outbound_calls": SettingSpec(
        "false",
        "true or false",
        lambda v: v in ("true", "false"),
        "Record outbound calls",
        "Direct calls from the phones in the house to numbers outside, from the next call on.",
    ),
    "outbound_endpoint": SettingSpec(
        "",
        "a dial string with {number}, such as PJSIP/{number}@trunk",
        _is_dial_string,
        "Way out for outbound calls",
        "The dial string that reaches a number outside; empty where there are no such calls.",
    ),
    "outbound_caller_id": SettingSpec(
        "",
        "a number of digits, + and spaces",
        lambda v: len(v) <= 32 and all(c in "0123456789+ " for c in v),
        "Number shown outside",
        "What the person called sees; empty for the number of the phone that calls.",
    ),
    "longest_pause_seconds": SettingSpec(
        "120",
        "a whole number of seconds from 0 (until somebody lets it go on) to 86400",
        lambda v: _is_number(v, 86400),
        "Longest pause of a recording",
        "In seconds; then it goes on by itself, so that no conversation is lost to a forgotten "
        "pause. 0 waits until somebody lets it go on.",
    ),
    "pbx_lost_minutes": SettingSpec(
        "10",
        "a whole number of minutes from 1 to 10080",
        lambda v: _is_number(v, 10080) and int(v) > 0,
        "Give a lost PBX up after",
        "In minutes without its worker; then another worker ends its calls as lost, frees the "
        "members of its queues and completes its recordings.",
    ),
    "disk_warning_mb": SettingSpec(
        "1024",
        "a whole number of MB from 0 (never warn) to 100000000",
        lambda v: _is_number(v, 100_000_000),
        "Warn when the disk has less than",
        "In MB, where the recordings are kept; 0 never warns.",
    ),
    "retention_days": SettingSpec(
        "0",
        "a whole number of days from 0 (for ever) to 36500",
        lambda v: _is_number(v, 36500),
        "Keep recordings for",
        "In days; 0 is for ever. What is older is deleted once a day, for good, unless it has the "
        "tag keep.",
    ),
    "retention_largest_share": SettingSpec(
        "25",
        "a whole number of percent from 1 to 100 (never ask)",
        lambda v: _is_number(v, 100) and int(v) > 0,
        "Ask before a day deletes more than",
        "In percent of all recordings; then nothing is deleted by age until somebody confirms it "
        "here.",
    ),
}


def all_settings() -> dict[str, str]:
    """Return the value of every setting as text. Needs an app context."""
    with reading() as connection:
        return _read(connection)


def check_setting(key: str, value: str) -> str:
    """Return the value without surrounding spaces. Raises SettingError if it is invalid."""
    if key not in SETTINGS:
        raise SettingError(f"{key}: is not a setting; there are {', '.join(SETTINGS)}")
    value = value.strip()
    if not SETTINGS[key].accepts(value):
        raise SettingError(f"{key}: must be {SETTINGS[key].valid_values}")
    return value


def set_setting(key: str, value: str, changed_by: Author) -> None:
    """Change one setting. Raises SettingError and changes nothing if the value is invalid."""
    change_settings({key: value}, changed_by)


def change_settings(
    values: Mapping[str, str], changed_by: Author, shown: Mapping[str, str] | None = None
) -> list[str]:
    """Change settings and log each change; return the keys with a new value.

    `shown` has the values that the administrator saw. Settings left as shown keep their current
    value. Raises Overtaken if a setting to change has another value now than shown, and
    SettingError; nothing is changed then.
    """
    values = {key: check_setting(key, value) for key, value in values.items()}
    with writing() as connection:
        lock_tables(connection, Setting)
        now = _read(connection)
        seen = now | dict(shown or {})
        wanted = {key: value for key, value in values.items() if value != seen[key]}
        overtaken = [key for key, value in wanted.items() if now[key] not in (seen[key], value)]
        if overtaken:
            raise Overtaken(overtaken)
        changed = {key: value for key, value in wanted.items() if value != now[key]}
        for key, value in changed.items():
            _keep(connection, key, now[key], value, changed_by)
    return list(changed)


def take_back(change_id: int, changed_by: Author) -> tuple[str, str]:
    """Undo the newest change of a setting; return its key and the restored value.

    Raises SettingError for an older change, since later ones would be undone unseen.
    """
    with writing() as connection:
        lock_tables(connection, Setting)
        thing = connection.scalar(select(Change.thing).where(Change.id == change_id)) or ""
        key, change = thing.removeprefix("setting "), newest_change(connection, thing)
        if change is None or key not in SETTINGS:
            raise SettingError("There is no such change.")
        if change.id != change_id or _read(connection)[key] != change.after:
            raise SettingError(
                f"{key}: {change.username} has changed it since; look at the newest change of it"
            )
        value = check_setting(key, change.before)
        _keep(connection, key, change.after, value, changed_by)
    return key, value


def _read(connection: Connection) -> dict[str, str]:
    rows = connection.execute(select(Setting.key, Setting.value)).all()
    changed = {key: value for key, value in rows if key in SETTINGS}
    return {key: changed.get(key, kind.default) for key, kind in SETTINGS.items()}


def _keep(connection: Connection, key: str, before: str, value: str, changed_by: Author) -> None:
    upsert(connection, Setting, "key", {"key": key, "value": value})
    log_change(connection, changed_by, f"setting {key}", before, value)
