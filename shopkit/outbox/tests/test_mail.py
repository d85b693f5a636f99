"""Mail by SMTP: what is certainly not sent, what will never be, and what nobody can know."""

import smtplib
import socketserver
import threading
from collections.abc import Callable, Iterator
from typing import ClassVar

import pytest

from conftest import free_port
from shopkit import mail
from shopkit.outbox.handlers import NotSent, Undeliverable

TO = "ada@example.com"
TEXTS = {"hello.txt": "Hello\n\nAs text.\n", "hello.html": "<p>As HTML.</p>"}
OK, GO_ON = b"250 ok", b"354 go on"


class Script(socketserver.StreamRequestHandler):
    """A mail server that answers each command by the script; after an answer that is empty it hangs up."""

    answers: ClassVar[dict[bytes, bytes]] = {}
    got: ClassVar[list[bytes]] = []

    def handle(self) -> None:
        answer = b"220 ready"
        while answer:
            self.wfile.write(answer + b"\r\n")
            line = self.rfile.readline()
            answer = self.answers.get(line[:4].upper().strip(), OK) if line else b""
            if answer == GO_ON:
                self.wfile.write(GO_ON + b"\r\n")
                self.got.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                answer = self.answers.get(b".", OK)


@pytest.fixture
def answering(settings: object) -> Iterator[Callable[..., type[Script]]]:
    """Starts the server with its answers, and has mail sent to it."""
    servers: list[socketserver.TCPServer] = []

    def start(**answers: bytes) -> type[Script]:
        script = type("Played", (Script,), {"answers": {b"DATA": GO_ON, **_named(answers)}, "got": []})
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), script)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        settings.EMAIL_PORT = server.server_address[1]  # type: ignore[attr-defined]
        return script

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _named(answers: dict[str, bytes]) -> dict[bytes, bytes]:
    return {(b"." if name == "end" else name.upper().encode()): answer for name, answer in answers.items()}


@pytest.fixture(autouse=True)
def _smtp(settings: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "render_to_string", lambda name, _context: TEXTS[name])
    smtp = {"EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend", "EMAIL_HOST": "127.0.0.1"}
    for name, value in {**smtp, "EMAIL_USE_TLS": False, "EMAIL_TIMEOUT": 10, "EMAIL_PORT": free_port()}.items():
        setattr(settings, name, value)


def send() -> None:
    mail.send(to=TO, template="hello", context={})


def test_a_mail_has_its_subject_from_the_first_line_and_comes_as_text_and_as_html(
    answering: Callable[..., type[Script]],
) -> None:
    script = answering()
    send()
    (sent,) = script.got
    assert all(part in sent for part in (b"Subject: Hello\r\n", b"To: ada@example.com", b"As text.", b"As HTML."))


def test_a_server_that_is_away_has_sent_nothing() -> None:
    with pytest.raises(NotSent, match="ConnectionRefusedError"):
        send()


@pytest.mark.parametrize("answers", [{"rcpt": b"451 later"}, {"mail": b"421 busy"}, {"data": b"452 full"}])
def test_a_server_that_asks_to_come_back_has_sent_nothing(
    answering: Callable[..., type[Script]], answers: dict[str, bytes]
) -> None:
    answering(**answers)
    with pytest.raises(NotSent) as refused:
        send()
    assert TO not in str(refused.value)


@pytest.mark.parametrize("answers", [{"rcpt": b"550 nobody"}, {"mail": b"553 no"}, {"end": b"554 spam"}])
def test_a_server_that_refuses_is_not_asked_again(
    answering: Callable[..., type[Script]], answers: dict[str, bytes]
) -> None:
    answering(**answers)
    with pytest.raises(Undeliverable) as refused:
        send()
    assert TO not in str(refused.value)


def test_a_server_that_hangs_up_after_the_mail_may_have_sent_it(answering: Callable[..., type[Script]]) -> None:
    answering(end=b"")
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send()


def test_a_server_that_hangs_up_instead_of_saying_goodbye_has_sent_it(answering: Callable[..., type[Script]]) -> None:
    script = answering(quit=b"")
    send()
    assert len(script.got) == 1
