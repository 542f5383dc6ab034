"""A minimal root that was made for a release: commands in it, and the processes of it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Root:
    """The root at `path`, with the clone at `code` in it; its commands get `variables`."""

    path: Path
    code: Path
    variables: dict[str, str]

    def command(self, *words: str) -> list[str]:
        """Return the command that runs `words` in the clone, with an environment like a login."""
        given = {"HOME": "/root", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TERM": "dumb"}
        variables = [f"{name}={value}" for name, value in (given | self.variables).items()]
        return ["chroot", str(self.path), "env", "-i", "-C", str(self.code), *variables, *words]

    def said(self, *words: str) -> str:
        """Run a command that has to succeed and return what it printed."""
        done = subprocess.run(self.command(*words), capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    def processes(self) -> list[str]:
        """Return what runs in it, as "PID COMMAND"."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if (folder / "root").readlink() == self.path:
                    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    found.append(f"{folder.name} {command.strip()}")
            except OSError:  # it has ended meanwhile, or is a zombie
                continue
        return found
