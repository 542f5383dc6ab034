"""Audio a second: from the end of a long recording as from its beginning, and beside nginx."""

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from tests.bench.filling import ADDED_FROM, ADMIN
from tests.bench.load import Load, in_turn
from tests.bench.printing import figure
from tests.support.nginx import Nginx
from tests.support.processes import Web
from tests.support.shelf import Shelf, signed_in, wav_bytes

MEGABYTE = 1_000_000
LONG_MEGABYTES = 100
PART = 65_536
FILES = 50
# As many as a browser opens to a server, and as keep two cores busy.
CONNECTIONS = 6


def measure(shelf: Shelf, folder: Path, seconds: float) -> None:
    """Print the ratios, and beside them what they are of."""
    load = Load(folder, seconds)
    # As the Procfile starts it where nothing else is said: a process for each core, as nginx has.
    by_cores = {"WEB_CONCURRENCY": str(os.cpu_count())}
    shelf = replace(shelf, environment={**shelf.environment, **by_cores})
    with Web(shelf.environment, folder) as web:
        ada = signed_in(web.url, ADMIN)
        long = shelf.add(wav_bytes(bytes(LONG_MEGABYTES * MEGABYTE)), started_at=ADDED_FROM)
        sound = [f"/recordings/{long.uid}/audio"]
        parts = {"head": f"bytes=0-{PART - 1}", "tail": f"bytes=-{PART}"}
        rates = in_turn(
            {
                name: lambda part=part: load.of(web.url, sound, [ada], Range=part)
                for name, part in parts.items()
            }
        )
        for name, rate in rates.items():
            figure(f"range_{name}_per_second", rate, 0)
        figure("range_tail_vs_head", rates["tail"] / rates["head"])
    _beside_nginx(shelf, folder, load)


def _beside_nginx(shelf: Shelf, folder: Path, load: Load) -> None:
    content = wav_bytes(bytes(MEGABYTE))
    added = [
        shelf.add(content, started_at=ADDED_FROM + timedelta(minutes=number))
        for number in range(FILES)
    ]
    plain = [f"/plain/{facts.path}" for facts in added]
    ours = [f"/recordings/{facts.uid}/audio" for facts in added]
    handing_over = {**shelf.environment, "ACCEL_REDIRECT": "/stored-recordings/"}
    with Web(shelf.environment, folder) as web, Nginx(web.url, shelf.storage.root) as nginx:
        ada = signed_in(web.url, ADMIN)
        rates = in_turn(
            {
                "nginx": lambda: load.of(nginx.url, plain, connections=CONNECTIONS),
                "audio": lambda: load.of(web.url, ours, [ada], CONNECTIONS),
            }
        )
    _tell(rates, "audio")
    with Web(handing_over, folder) as web, Nginx(web.url, shelf.storage.root) as nginx:
        ada = signed_in(nginx.url, ADMIN)
        rates = in_turn(
            {
                "nginx": lambda: load.of(nginx.url, plain, connections=CONNECTIONS),
                "audio_accel": lambda: load.of(nginx.url, ours, [ada], CONNECTIONS),
            }
        )
    _tell(rates, "audio_accel")


def _tell(rates: dict[str, float], name: str) -> None:
    figure(f"{name}_per_second", rates[name], 0)
    figure(f"{name}_nginx_per_second", rates["nginx"], 0)
    figure(f"{name}_vs_nginx", rates[name] / rates["nginx"])
