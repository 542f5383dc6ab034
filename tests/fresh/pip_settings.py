"""pip's settings of this machine, as a pip.conf for another root and the paths that it names."""

import ast
import subprocess
import sys
from pathlib import Path

# They hold in any root; a name of a file or folder holds where it is brought along.
IGNORED = ("user", "target", "prefix", "root", "cache-dir", "disable-pip-version-check")


def settings() -> dict[str, str]:
    """Return each setting by its name, from the files and from the environment."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    pairs = (line.partition("=") for line in lines)
    found = {name.rpartition(".")[2]: ast.literal_eval(value) for name, _, value in pairs}
    return {name: value for name, value in found.items() if name not in IGNORED}


def paths() -> list[Path]:
    """Return the files and folders of this machine that the settings name."""
    words = [word for value in settings().values() for word in value.split()]
    plain = [Path(word) for word in words if word.startswith("/")]
    # The pages of an index on this disk name files that lie beside it.
    indexes = [
        Path(word.removeprefix("file://")).parent for word in words if word[:8] == "file:///"
    ]
    return [path for path in plain + indexes if path.exists() and path != Path("/")]


def main(what: str) -> None:
    """Print the pip.conf, or one path a line."""
    if what == "files":
        print(*(path for path in paths() if path.is_file()), sep="\n")
    elif what == "folders":
        print(*(path for path in paths() if path.is_dir()), sep="\n")
    else:
        print(
            "[global]", *(f"{k} = {' '.join(v.split())}" for k, v in settings().items()), sep="\n"
        )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
