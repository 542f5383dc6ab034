"""Real nginx with the sample configuration, in front of a web server."""

import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import requests

from tests.support.ports import free_port
from tests.support.process import PROJECT, Process

# Started as root, its workers must run as root too, since no other user can read test folders.
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


class Nginx(Process):
    """nginx in front of `web_url`; a context manager."""

    name = "nginx"

    def __init__(self, web_url: str, recordings: Path, certificate: Path | None = None) -> None:
        """With `certificate`, a file with its key, `url` is https, as the sample says."""
        self.port, self.plain_port = free_port(), free_port()
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.port}"
        self._certificate = certificate
        self.folder = Path(tempfile.mkdtemp(prefix="callytics-nginx-"))
        sample = (PROJECT / "deploy/nginx.conf").read_text()
        for pattern, ours in (
            (r"listen 80;", f"listen 127.0.0.1:{self.plain_port};"),
            (r"listen 443 ssl;", f"listen 127.0.0.1:{self.port}{' ssl' if certificate else ''};"),
            (r"ssl_certificate [^;]*;", f"ssl_certificate {certificate};" if certificate else ""),
            (
                r"ssl_certificate_key [^;]*;",
                f"ssl_certificate_key {certificate};" if certificate else "",
            ),
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
        self._conf, self.log = conf, self.folder / "error.log"
        self.logs = (self.log,)

    def command_line(self) -> Sequence[str]:
        """Return nginx with the sample configuration."""
        return ("/usr/sbin/nginx", "-c", str(self._conf), "-e", str(self.log))

    def stop(self) -> None:
        """Stop it and remove its folder."""
        super().stop()
        shutil.rmtree(self.folder)

    def is_ready(self) -> bool:
        """Return True if it answers."""
        try:
            trusted = str(self._certificate) if self._certificate else True
            return requests.get(f"{self.url}/healthz", timeout=10, verify=trusted).ok
        except requests.ConnectionError:
            return False
