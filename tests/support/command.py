"""Commands of `flask`, run in the test process, which saves the start of another.

One test of each command runs it as a process, with `run_flask`.
"""

import subprocess

from tests.support.apps import app_of


def flask(
    environment: dict[str, str], *arguments: str, text: str = "", check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run `flask <arguments>` with `text` as its input; fail with its output if it fails."""
    with app_of(environment) as app:
        done = app.test_cli_runner().invoke(args=arguments, input=text)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    if check:
        assert done.exit_code == 0, f"flask {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
    return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)
