"""`flask queues …`: waiting callers, members and their pauses."""

import click

from callytics.cli.commands import Commands, operator, reporting
from callytics.flows import versions
from callytics.queues import membership, overview

group = Commands("queues", help="Who waits, and who takes calls.")


@group.command("list")
def list_queues() -> None:
    """List queues with their members and waiting callers."""
    for name, queue in versions.current().queues.items():
        click.echo(f"{name}\t{queue.strategy}\t{len(membership.waiting(name))} waiting")
        for member, state in overview.member_states(name, queue.members).items():
            click.echo(f"  {member}\t{state}")
        for caller in membership.waiting(name):
            number = caller.caller_number or "anonymous"
            click.echo(f"  {number}\twaits since {caller.since:%H:%M:%S} UTC")


@group.command("pause")
@reporting(membership.QueueError)
@click.argument("queue")
@click.argument("member")
def pause(queue: str, member: str) -> None:
    """Pause MEMBER in QUEUE."""
    membership.pause(queue, member, operator())
    click.echo(f"{member} takes no calls of {queue} until resumed.")


@group.command("resume")
@reporting(membership.QueueError)
@click.argument("queue")
@click.argument("member")
def resume(queue: str, member: str) -> None:
    """Resume MEMBER in QUEUE."""
    membership.resume(queue, member, operator())
    click.echo(f"{member} takes calls of {queue}.")
