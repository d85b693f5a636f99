"""How passwords are hashed."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id as OWASP's Password Storage Cheat Sheet has it; Django's own needs 100 MB for each log-in at a time."""

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1
