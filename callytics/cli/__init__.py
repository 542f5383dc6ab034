"""Command line: one module for each group of commands."""

from flask import Flask


def init_cli(app: Flask) -> None:
    """Register every command on `app`."""
    from callytics.cli import (
        about,
        calls,
        doctor,
        flows,
        queues,
        recordings,
        retention,
        settings,
        users,
    )

    for module in (calls, flows, queues, recordings, retention, settings, users):
        app.cli.add_command(module.group)
    app.cli.add_command(about.about)
    app.cli.add_command(doctor.doctor)
