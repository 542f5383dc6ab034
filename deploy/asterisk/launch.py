"""Run Asterisk in the foreground with the sample configuration, all its files in one folder.

    ARI_PASSWORD=... python -m deploy.asterisk.launch --home DIR --recordings DIR ...

The process becomes Asterisk: a signal sent to it is sent to Asterisk. Several may run at once, each
with its own home and ports. Asterisk is installed first when there is none.
"""

import argparse
import os
import re
import socket
import sys
from pathlib import Path

from deploy.asterisk.installation import LaunchError, find_installation
from deploy.asterisk.render import render


def port_is_free(port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> bool:
    """Return True if a server could listen on this port of 127.0.0.1."""
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """The command line, as a namespace; exits with a message when it is wrong."""
    parser = argparse.ArgumentParser(
        prog="deploy.asterisk.launch", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--home", type=Path, required=True, help="folder for all of its files")
    parser.add_argument("--recordings", type=Path, required=True, help="folder that ARI records to")
    parser.add_argument("--http-port", type=int, default=8088, help="of ARI")
    parser.add_argument("--http-address", default="127.0.0.1", help="of ARI, to listen on")
    parser.add_argument("--sip-port", type=int, default=5060, help="UDP, on 127.0.0.1")
    parser.add_argument("--trunk-port", type=int, default=5070, help="UDP, where the trunk is")
    parser.add_argument("--sounds", type=Path, help="folder with sounds of your own")
    parser.add_argument(
        "--include",
        type=Path,
        action="append",
        help="extensions_local.conf or pjsip_local.conf of your own; may be repeated",
    )
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    """Become Asterisk; LaunchError when that cannot be."""
    options = parse_arguments(arguments)
    password = os.environ.get("ARI_PASSWORD", "")
    if not re.fullmatch(r"[^\s;]+", password):
        raise LaunchError("ARI_PASSWORD must be set, without spaces and semicolons.")
    # Asterisk itself goes on without its ports, and only its log says so.
    if not port_is_free(options.http_port):
        raise LaunchError(f"Port {options.http_port} is taken: stop what listens on it.")
    if not port_is_free(options.sip_port, socket.SOCK_DGRAM):
        raise LaunchError(f"UDP port {options.sip_port} is taken: stop what listens on it.")
    # The worker reads what Asterisk records, by the group of the folder; nobody else does.
    os.umask(0o027)
    if not options.recordings.exists():
        options.recordings.mkdir(parents=True)
        options.recordings.chmod(0o2770)
    installation = find_installation()
    configuration = render(
        installation,
        options.home,
        options.recordings,
        password=password,
        username=os.environ.get("ARI_USERNAME") or "callytics",
        app=os.environ.get("ARI_APP") or "callytics",
        http_port=options.http_port,
        http_address=options.http_address,
        sip_port=options.sip_port,
        trunk_port=options.trunk_port,
        sounds=options.sounds,
        includes=options.include,
    )
    os.execv(installation.command[0], [*installation.command, "-C", str(configuration), "-f", "-n"])


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (LaunchError, OSError) as error:
        sys.exit(str(error))
