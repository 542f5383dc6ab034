"""The command line, one group a file."""

from flask import Flask


def init_cli(app: Flask) -> None:
    """Register every command on `app`."""
    from callytics.cli import flows, settings, users

    for module in (flows, settings, users):
        app.cli.add_command(module.group)
