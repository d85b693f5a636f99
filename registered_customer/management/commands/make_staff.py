"""`manage.py registered_customer make_staff EMAIL`: an account of staff; one that is there is promoted."""

import os
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import connection

from registered_customer import staff
from registered_customer.models import Account
from shopkit.errors import ShopError


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--password-env", metavar="VAR", help="the environment variable that holds the password")

    def handle(self, *args: Any, email: str, password_env: str | None = None, **options: Any) -> None:
        password = os.environ.get(password_env, "") if password_env else None
        if password == "":
            raise CommandError(f"{password_env} is not set.")
        if Account._meta.db_table not in connection.introspection.table_names():
            raise CommandError("There is nowhere to keep an account yet: start the fleet once first, with `make run`.")
        try:
            validate_email(email)
            made_up = staff.make(email=email, password=password)
        except ValidationError:
            raise CommandError(f"{email!r} is not an email address.") from None
        except ShopError as error:
            raise CommandError(error.message) from None
        self.stdout.write(f"{email.lower()} is staff now.")
        if made_up:
            self.stdout.write(f"Password, shown this once: {made_up}")
