"""nginx as a plain reverse proxy, one process a hop, and as a static upstream: what the way through is held against."""

import contextlib
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.stores import free_port, listens
from tests.waiting import wait_for

_CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    keepalive_requests 1000000;
    {upstream}
    server {{ listen 127.0.0.1:{port}; {server} }}
}}
"""


@contextlib.contextmanager
def hop(folder: Path, *, to: int) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """A hop in front of a port of this machine, over kept-alive connections; its port and process."""
    upstream = f"upstream next {{ server 127.0.0.1:{to}; keepalive 64; keepalive_requests 1000000; }}"
    forward = (
        "location / { proxy_pass http://next; proxy_http_version 1.1; "
        'proxy_set_header Connection ""; proxy_set_header Host $host; }'
    )
    with _nginx(folder, upstream=upstream, server=forward) as started:
        yield started


@contextlib.contextmanager
def static(folder: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Answers everything with 83 bytes of JSON."""
    answer = '{"id":"book_1","name":"A book","price":"29.99","currency":"USD","stock":3,"v":10000}'
    serve = f"access_log off; location / {{ default_type application/json; return 200 '{answer}'; }}"
    with _nginx(folder, upstream="", server=serve) as started:
        yield started


@contextlib.contextmanager
def _nginx(folder: Path, *, upstream: str, server: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    folder.mkdir(parents=True)
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(_CONFIG.format(folder=folder, port=port, upstream=upstream, server=server))
    process = subprocess.Popen([str(shutil.which("nginx")), "-c", str(config), "-p", str(folder)])
    try:
        wait_for(lambda: listens(port), seconds=10)
        yield port, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)
