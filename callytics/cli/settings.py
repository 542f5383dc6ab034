"""`flask settings …`: list and change of settings."""

import click

from callytics.cli.commands import Commands, operator, reporting
from callytics.settings.settings import SettingError, all_settings, set_setting

group = Commands("settings", help="What may be changed while Callytics runs.")


@group.command("list")
def list_settings() -> None:
    """List settings and their values."""
    for key, value in all_settings().items():
        click.echo(f"{key}\t{value}")


@group.command("set")
@reporting(SettingError)
@click.argument("key")
@click.argument("value")
def set_one(key: str, value: str) -> None:
    """Set KEY to VALUE. An invalid value changes nothing."""
    set_setting(key, value, operator())
    click.echo(f"{key} is {value}.")
