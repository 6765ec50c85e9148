# SPDX-License-Identifier: Apache-2.0
"""A folder comes in; a real HAProxy or nginx that splits traffic between two releases goes out."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from lockgate.demo.router import free_port

RELEASES = ("v36", "abc123")
# Whoever asks, and a router that is asked, may stand still for seconds on a busy machine.
PATIENCE_S = 60.0
HAPROXY = """
global
  stats socket {folder}/s mode 600 level admin
defaults
  mode http
  timeout connect 60s
  timeout client 60s
  timeout server 60s
frontend front
  bind 127.0.0.1:{front}
  default_backend web
backend web
  balance roundrobin
  server v36 127.0.0.1:{v36} weight 200
  server abc123 127.0.0.1:{abc123} weight 0
frontend v36
  bind 127.0.0.1:{v36}
  http-request return status 200 content-type text/plain string v36
frontend abc123
  bind 127.0.0.1:{abc123}
  http-request return status 200 content-type text/plain string abc123
"""
NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  include {folder}/split.conf;
  upstream v36 {{ server 127.0.0.1:{v36}; }}
  upstream abc123 {{ server 127.0.0.1:{abc123}; }}
  server {{ listen 127.0.0.1:{front}; location / {{ proxy_pass http://$release; }} }}
  server {{ listen 127.0.0.1:{v36}; return 200 v36; }}
  server {{ listen 127.0.0.1:{abc123}; return 200 abc123; }}
}}
"""


def part(name: str) -> str:
    """Return the path of a program; without it this lane proves nothing."""
    found = shutil.which(name, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    assert found is not None, f"{name} is not installed, and this lane is about it"
    return found


@contextlib.contextmanager
def under_traffic(address: str, clients: int = 3) -> Iterator[Counter[str]]:
    """Ask again and again from some threads, and yield the count of what is answered: a release, or an error's name."""
    found, is_over = Counter[str](), threading.Event()

    def ask() -> None:
        while not is_over.is_set():
            try:
                said = _ask(address)
            except urllib.error.HTTPError as error:
                said = str(error.code)
                error.close()
            except OSError as error:
                said = type(error).__name__
            with lock:
                found[said] += 1

    lock = threading.Lock()
    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for each in threads:
        each.start()
    try:
        yield found
    finally:
        is_over.set()
        for each in threads:
            each.join(PATIENCE_S)


@contextlib.contextmanager
def haproxy(folder: Path) -> Iterator[str]:
    """Run HAProxy and yield the address at which it serves."""
    ports = _ports()
    config = folder / "haproxy.cfg"
    config.write_text(HAPROXY.format(folder=folder, **ports), encoding="ascii")
    with _running([part("haproxy"), "-db", "-f", str(config)], ports["front"]) as address:
        yield address


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[str]:
    """Run nginx and yield the address at which it serves."""
    ports = _ports()
    (folder / "split.conf").write_text('split_clients "$request_id" $release { * v36; }\n', encoding="ascii")
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, **ports), encoding="ascii")
    call = [part("nginx"), "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log")]
    with _running(call, ports["front"]) as address:
        yield address


def share_of(address: str, release: str, requests: int = 400) -> float:
    """Return the percent of requests that a release answers."""
    found = Counter(_ask(address) for _ in range(requests))
    assert set(found) <= set(RELEASES)
    return 100 * found[release] / requests


def settles(address: str, release: str, low: float, high: float) -> float:
    """Return the percent that a release answers once it is within bounds; a router takes its time to read a split."""
    until = time.monotonic() + PATIENCE_S
    while not low <= (share := share_of(address, release)) <= high and time.monotonic() < until:
        time.sleep(0.1)
    return share


def _ask(address: str) -> str:
    with urllib.request.urlopen(address, timeout=PATIENCE_S) as answer:  # noqa: S310 -- of this machine
        return str(answer.read(100), "ascii")


def _ports() -> dict[str, int]:
    return {name: free_port() for name in ("front", *RELEASES)}


@contextlib.contextmanager
def _running(call: list[str], port: int) -> Iterator[str]:
    address = f"http://127.0.0.1:{port}/"
    process = subprocess.Popen(call)
    try:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            assert process.poll() is None, f"{call[0]} ended with {process.returncode}"
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                _ask(address)
                break
            time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
