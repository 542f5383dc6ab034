"""Errors of commands: one line and exit code 1, never a traceback."""

import pytest
from click.testing import Result
from flask import Flask

from tests.support.apps import new_app
from tests.support.shelf import Shelf


def invoke(app: Flask, command: str) -> Result:
    """Run a command of `flask` in this process."""
    with app.app_context():
        return app.test_cli_runner().invoke(args=command.split())


@pytest.mark.parametrize(
    "command", ["calls list", "flows export", "queues list", "recordings list", "settings list"]
)
def test_unusable_database_is_reported_in_one_line(tmp_path, command):
    url = f"sqlite:///{tmp_path}/empty.db"
    app = new_app({"CALLYTICS_INSTANCE": str(tmp_path), "DATABASE_URL": url})
    result = invoke(app, command)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert "flask db upgrade" in result.output
    assert result.output.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("queues pause sales PJSIP/nobody", "there is no queue 'sales'"),
        ("settings set nonsense 1", "nonsense"),
        ("users set-endpoint nobody PJSIP/alice", "nobody"),
        ("calls place --from PJSIP/alice --to 12x", "a number must be 1 to 32 digits"),
    ],
)
def test_refused_command_says_why_in_one_line(shelf: Shelf, command, message):
    result = invoke(shelf.app, command)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert message in result.output
    assert result.output.count("\n") == 1
