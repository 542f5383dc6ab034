"""Settings page: validation while typing, saving, and undo of a change."""

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy import make_url
from werkzeug.wrappers import Response

from callytics.audit.admin_changes import changes_of
from callytics.clock import utc_now
from callytics.pbx import heartbeat
from callytics.retention import runs
from callytics.retention.policy import expired
from callytics.settings.settings import (
    SETTINGS,
    Overtaken,
    SettingError,
    all_settings,
    change_settings,
    check_setting,
    take_back,
)
from callytics.web.auth.access import admin_required
from callytics.web.http.worker_banner import worker_notice

blueprint = Blueprint("settings", __name__)

MOST_CHANGES = 50
RETENTION = "retention_days"


@blueprint.get("/settings")
@admin_required
def index() -> str:
    """Show the form, the configuration from the environment, and the latest changes."""
    values = all_settings()
    return _page(values, values, {})


@blueprint.post("/settings")
@admin_required
def save() -> Response | tuple[str, int]:
    """Save the changed settings, or change nothing and show the problem of each field."""
    typed = {key: _typed(key) for key in SETTINGS}
    shown = {key: request.form.get(f"was-{key}", value) for key, value in typed.items()}
    if problems := _problems(typed):
        return _page(typed, shown, problems), 400
    if loss := _loss(typed[RETENTION], request.form.get("sure")):
        return _page(typed, shown, {RETENTION: loss}, sure=typed[RETENTION]), 409
    try:
        changed = change_settings(typed, current_user.actor, shown)
    except Overtaken as error:
        now = all_settings()
        problems = {key: _meanwhile(key, now[key]) for key in error.keys}
        # The page shows the current values now, so saving it again overwrites them knowingly.
        typed = {key: typed[key] if typed[key] != shown[key] else now[key] for key in typed}
        return _page(typed, now, problems), 409
    labels = ", ".join(SETTINGS[key].label for key in changed)
    flash(f"Saved: {labels}." if changed else "Nothing was changed.")
    return redirect(url_for("settings.index"), 303)


@blueprint.get("/settings/check/<key>")
@admin_required
def check(key: str) -> str:
    """Return the problem of one field's value, empty if it is valid."""
    if key not in SETTINGS:
        abort(404, "There is no such setting.")
    return _problems({key: request.args.get(key, "")}).get(key, "")


@blueprint.post("/settings/changes/<int:change_id>/take-back")
@admin_required
def undo(change_id: int) -> Response:
    """Restore the value from before a change, which is logged as another change."""
    try:
        _refuse_loss(change_id)
        key, value = take_back(change_id, current_user.actor)
    except SettingError as error:
        flash(f"Nothing was taken back. {error}", "problem")
    else:
        flash(f"Taken back: {SETTINGS[key].label} is {value or 'empty'} again.")
    return redirect(url_for("settings.index"), 303)


@blueprint.post("/settings/retention/<int:run_id>/confirm")
@admin_required
def confirm_retention(run_id: int) -> Response:
    """Confirm a refused run of retention; the worker then deletes within minutes."""
    if runs.confirm(run_id, current_user.actor):
        flash("Confirmed: the worker deletes them within minutes, for good.")
    else:
        flash("Nothing was confirmed: there is a later run. Look at the page again.", "problem")
    return redirect(url_for("settings.index"), 303)


def _typed(key: str) -> str:
    if SETTINGS[key].default in ("true", "false"):
        return "true" if key in request.form else "false"
    # PostgreSQL allows no NUL in a text.
    return request.form.get(key, "").strip().replace("\0", "")


def _problems(typed: dict[str, str]) -> dict[str, str]:
    found = {}
    for key, value in typed.items():
        try:
            check_setting(key, value)
        except SettingError as error:
            found[key] = str(error)
    return found


def _meanwhile(key: str, value: str) -> str:
    changes = [c for c in changes_of("setting", MOST_CHANGES) if c.thing == f"setting {key}"]
    who = changes[0].username if changes else "somebody"
    return (
        f"{who} changed this to {value or 'empty'} while you had the page open. "
        "Nothing of yours is saved yet: save again to put yours in its place."
    )


def _loss(days: str, sure: str | None) -> str:
    """Return a warning if `days` would delete more recordings than now, unless it is confirmed."""
    count = 0 if days == sure else expired(int(days))
    if count <= expired(int(all_settings()[RETENTION])):
        return ""
    words = "1 recording is" if count == 1 else f"{count:,} recordings are"
    return (
        f"{words} older than {days} days and will be deleted for good within a day. "
        "Nothing is saved yet: save again if you want that."
    )


def _refuse_loss(change_id: int) -> None:
    """Raise SettingError if undoing this change would delete recordings.

    Undo has no confirmation.
    """
    thing = f"setting {RETENTION}"
    for change in changes_of("setting", MOST_CHANGES):
        if (change.id, change.thing) == (change_id, thing) and _loss(change.before, None):
            raise SettingError(f"{change.before} days would delete recordings: type it above")


def _page(
    values: dict[str, str], shown: dict[str, str], problems: dict[str, str], sure: str = ""
) -> str:
    changes = changes_of("setting", MOST_CHANGES)
    newest: dict[str, int] = {}
    for change in changes:
        newest.setdefault(change.thing, change.id)
    return render_template(
        "admin/settings/index.html",
        settings=SETTINGS,
        values=values,
        shown=shown,
        problems=problems,
        sure=sure,
        changes=changes,
        newest=set(newest.values()),
        host=_host(),
        refused=runs.newest_refusal(),
    )


def _host() -> dict[str, object]:
    """Return the configuration without secrets, and the state of the worker."""
    config = current_app.extensions["callytics"]
    url = make_url(config.database_url)
    sqlite = url.get_backend_name() == "sqlite"
    place = f"SQLite, {url.database}" if sqlite else f"PostgreSQL, {url.database} on {url.host}"
    pbxs = heartbeat.living_pbxs()
    return {
        "config": config,
        "database": place,
        "pbxs": pbxs,
        "notice": worker_notice(pbxs, utc_now()),
    }
