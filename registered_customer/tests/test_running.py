"""The service as it runs: gunicorn, its courier, and mail in a folder."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from conftest import free_port
from shopkit.config import ROOT
from shopkit.topology import service
from tests.waiting import wait_for

PATIENCE = 20.0
STAFF = {"SHOP_STAFF_EMAIL": "boss@example.com", "SHOP_STAFF_PASSWORD": "the password of the boss"}
ADA = {"email": "ada@example.com", "password": "correct horse battery"}


@dataclass
class Running:
    process: subprocess.Popen[bytes]
    url: str
    data: Path

    def post(self, path: str, body: object) -> requests.Response:
        return requests.post(self.url + path, json=body, timeout=PATIENCE)

    def mails(self) -> list[str]:
        return [path.read_text() for path in (self.data / "mail").glob("*.eml")]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    yield from start(tmp_path)


def start(data: Path, **more: str) -> Iterator[Running]:
    port = free_port()
    offset = port - service("registered_customer").port
    removed = ("DATABASE_URL", "REGISTERED_CUSTOMER_DATABASE_URL", "REDIS_URL", "EMAIL_HOST")
    environment = {name: value for name, value in os.environ.items() if name not in removed}
    environment |= {"SHOP_DATA": str(data), "SHOP_PORT_OFFSET": str(offset), "SHOP_LOG_LEVEL": "INFO", **STAFF, **more}
    command = [sys.executable, "-m", "shopkit.server", "registered_customer", "--migrate"]
    with (data / "log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
    made = Running(process, f"http://127.0.0.1:{port}", data)
    try:
        wait_for(lambda: _is_ready(made), seconds=PATIENCE)
        yield made
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0, (data / "log").read_text()


def _is_ready(made: Running) -> bool:
    assert made.process.poll() is None, (made.data / "log").read_text()
    try:
        return requests.get(f"{made.url}/health/ready", timeout=PATIENCE).ok
    except requests.ConnectionError:
        return False


def test_who_registers_gets_a_mail_and_the_log_says_nothing_of_it(running: Running) -> None:
    assert running.post("/api/auth/register/", ADA).status_code == 201
    wait_for(running.mails, seconds=PATIENCE)
    (mail,) = running.mails()
    token = re.search(r"verify-email\?token=([\w-]+)", mail)
    assert token
    assert "To: ada@example.com" in mail
    log = (running.data / "log").read_text()
    assert "Traceback" not in log
    for secret in (token[1], ADA["email"], ADA["password"]):
        assert secret not in log
    assert "shop_outbox_pending 0.0" in requests.get(f"{running.url}/metrics", timeout=PATIENCE).text


def test_what_another_process_left_is_delivered(running: Running) -> None:
    running.post("/api/auth/register/", ADA)
    wait_for(running.mails, seconds=PATIENCE)
    with sqlite3.connect(running.data / "registered_customer.sqlite3", timeout=PATIENCE) as database:
        database.execute(
            "INSERT INTO outbox_message (kind, payload, state, lease_until, fence, attempts, last_error, created_at)"
            """ VALUES ('registration_again', '{"email": "ada@example.com"}', 'pending', '2026-01-01 00:00:00', 0, 0,"""
            " '', '2026-01-01 00:00:00')"
        )
    database.close()
    wait_for(lambda: len(running.mails()) == 2, seconds=PATIENCE)


def test_the_first_member_of_staff_can_log_in(running: Running) -> None:
    answer = running.post("/api/auth/login/", {"email": "boss@example.com", "password": STAFF["SHOP_STAFF_PASSWORD"]})
    assert answer.status_code == 200


def test_several_workers_send_one_mail_and_all_of_them_end(tmp_path: Path) -> None:
    for running in start(tmp_path, WEB_CONCURRENCY="3"):
        for number in range(4):
            running.post("/api/auth/register/", {**ADA, "email": f"ada{number}@example.com"})
        wait_for(lambda running=running: len(running.mails()) >= 4, seconds=PATIENCE)
        with sqlite3.connect(running.data / "registered_customer.sqlite3", timeout=PATIENCE) as database:
            wait_for(lambda: _done(database) == 4, seconds=PATIENCE)
        database.close()
        assert len(running.mails()) == 4


def _done(database: sqlite3.Connection) -> int:
    (count,) = database.execute("SELECT count(*) FROM outbox_message WHERE state = 'done'").fetchone()
    return int(count)
