"""`flask users …`: who may sign in."""

import sys

import click

from callytics import users
from callytics.cli.commands import Commands

group = Commands("users", help="Who may sign in.")


@group.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(users.ROLES), required=True)
@click.option("--password-stdin", is_flag=True, required=True, help="Read the password's line.")
def add(name: str, role: str, password_stdin: bool) -> None:
    """Add NAME, or fail and say why."""
    try:
        users.add_user(name, role, sys.stdin.readline().rstrip("\r\n"))
    except users.UserError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{name} can sign in as {role}.")


@group.command("list")
def list_users() -> None:
    """Everyone who may sign in, with their role."""
    for user in users.all_users():
        click.echo(f"{user.username}\t{user.role}")
