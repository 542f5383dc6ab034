"""`flask users …`: user accounts."""

import sys

import click

from callytics.cli.commands import Commands, operator, reporting
from callytics.people import users
from callytics.people.passwords import PASSWORD_RULE

PASSWORD_HELP = f"Read the password's line. {PASSWORD_RULE}"

group = Commands("users", help="Who may sign in.")


@group.command("add")
@reporting(users.UserError)
@click.argument("name")
@click.option("--role", type=click.Choice(users.ROLES), required=True)
@click.option("--endpoint", default="", help="Their own phone, such as PJSIP/alice.")
@click.option("--password-stdin", is_flag=True, required=True, help=PASSWORD_HELP)
def add(name: str, role: str, endpoint: str, password_stdin: bool) -> None:
    """Add the user NAME."""
    users.add_user(name, role, _password(), changed_by=operator(), endpoint=endpoint)
    click.echo(f"{name} can sign in as {role}.")


@group.command("set-password")
@reporting(users.UserError)
@click.argument("name")
@click.option("--password-stdin", is_flag=True, required=True, help=PASSWORD_HELP)
def set_password(name: str, password_stdin: bool) -> None:
    """Set the password of NAME, which ends all sessions of this user."""
    person = users.user_named(name)
    users.change_password(person.id, _password(), operator())
    click.echo(f"{name} signs in with the new password from now on.")


@group.command("set-endpoint")
@reporting(users.UserError)
@click.argument("name")
@click.argument("endpoint")
def set_endpoint(name: str, endpoint: str) -> None:
    """Set the phone of NAME to ENDPOINT, such as PJSIP/alice; '' for none."""
    person = users.user_named(name)
    users.change_endpoint(person.id, endpoint, operator())
    click.echo(f"The phone of {name} is {endpoint}." if endpoint else f"{name} has no phone.")


@group.command("list")
def list_users() -> None:
    """List users with their roles and phones."""
    for user in users.all_users():
        click.echo("\t".join(filter(None, (user.username, user.role, user.endpoint))))


def _password() -> str:
    return sys.stdin.readline().rstrip("\r\n")
