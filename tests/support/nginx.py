"""A real nginx with the sample configuration, in front of a web server."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import requests

from tests.support.asterisk import PROJECT, free_port
from tests.support.waiting import wait_until

# As root the workers must be root too: the folders of tests are nobody else's to read.
MAIN = """
daemon off; user root; worker_processes auto; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off; include /etc/nginx/mime.types; sendfile on; tcp_nopush on;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    {server}
}}
"""


class Nginx:
    """`with Nginx(web_url, recordings_dir) as nginx: requests.get(nginx.url)`."""

    def __init__(self, web_url: str, recordings: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = Path(tempfile.mkdtemp(prefix="callytics-nginx-"))
        sample = (PROJECT / "deploy/nginx.conf").read_text()
        for pattern, ours in (
            (r"listen 80;", f"listen 127.0.0.1:{self.port};"),
            (r"server 127\.0\.0\.1:8000", f"server {urlsplit(web_url).netloc}"),
            (r"/var/lib/asterisk/recording/", f"{recordings}/"),
            (r"/var/lib/nginx/callytics", f"{self.folder}/callytics"),
            # For comparison: the same files without Callytics.
            (r"\}\s*$", f"location /plain/ {{ alias {recordings}/; }}\n}}\n"),
        ):
            sample, count = re.subn(pattern, ours, sample)
            assert count == 1, f"the sample has {pattern} once"
        conf = self.folder / "nginx.conf"
        conf.write_text(MAIN.format(folder=self.folder, server=sample))
        self._command = ["/usr/sbin/nginx", "-c", str(conf), "-e", str(self.folder / "error.log")]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, start_new_session=True)
        wait_until(self._answers, "nginx answers")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process
        self._process.terminate()
        self._process.wait(timeout=60)
        shutil.rmtree(self.folder)

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/healthz", timeout=10).ok
        except requests.ConnectionError:
            return False
