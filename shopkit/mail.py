"""Mail from templates: `<name>.txt`, whose first line is the subject, and `<name>.html` for those who like it so."""

import contextlib
import smtplib
import uuid
from collections.abc import Mapping
from pathlib import Path

from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.filebased import EmailBackend as FileBackend
from django.template.loader import render_to_string

from shopkit.outbox.handlers import NotSent, Undeliverable

_REFUSED = (smtplib.SMTPSenderRefused, smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)


class Files(FileBackend):
    """One mail a file, which appears whole; Django's own may put those of the same second into one."""

    _fname: str | None

    def _get_filename(self) -> str:
        if self._fname is None:
            self._fname = f"{self.file_path}/{uuid.uuid4()}.part"
        return self._fname

    def close(self) -> None:
        super().close()
        if self._fname is not None and (written := Path(self._fname)).exists():
            written.rename(written.with_suffix(".eml"))


def send(*, to: str, template: str, context: Mapping[str, object]) -> None:
    """Sends one mail: for a handler of `AtMostOnce`.

    `NotSent` when the server can't be reached or asks to come back, `Undeliverable` when it refuses; anything else
    that is raised leaves it open.
    """
    subject, _, text = render_to_string(f"{template}.txt", dict(context)).partition("\n")
    connection = _opened()
    try:
        mail = EmailMultiAlternatives(subject.strip(), text.strip() + "\n", to=[to], connection=connection)
        mail.attach_alternative(render_to_string(f"{template}.html", dict(context)), "text/html")
        mail.send()
    except _REFUSED as refusal:
        raise _refused(refusal) from None  # its text quotes the address
    finally:
        with contextlib.suppress(OSError, smtplib.SMTPException):  # it has been sent, or not, by now
            connection.close()


def _opened() -> BaseEmailBackend:
    connection: BaseEmailBackend = get_connection()
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent(f"The mail server: {type(error).__name__}.") from None
    return connection


def _refused(refusal: smtplib.SMTPException) -> NotSent | Undeliverable:
    codes = _codes(refusal)
    message = f"The mail server answered {', '.join(map(str, codes))}."
    return Undeliverable(message) if all(code >= 500 for code in codes) else NotSent(message)


def _codes(refusal: smtplib.SMTPException) -> list[int]:
    if isinstance(refusal, smtplib.SMTPRecipientsRefused):
        return [code for code, _text in refusal.recipients.values()]
    assert isinstance(refusal, smtplib.SMTPResponseException)
    return [refusal.smtp_code]
