"""How often a password may be tried, and mail asked for: by account, whether or not there is one, and by address."""

from dataclasses import dataclass

from shopkit.throttle import Limit

MINUTES, HOUR = 60, 3600


@dataclass(frozen=True)
class Limits:
    """One for the email, or the account's id, and one for the client's address."""

    account: Limit
    address: Limit

    def count(self, account: str, address: str) -> None:
        """`Throttled` when either is used up."""
        self.address.count(address)
        self.account.count(account)


LOGIN = Limits(Limit("login-account", 10, 15 * MINUTES), Limit("login-address", 100, HOUR))
CHANGE = Limits(Limit("change-account", 10, 15 * MINUTES), Limit("change-address", 100, HOUR))
REGISTER = Limits(Limit("register-account", 5, HOUR), Limit("register-address", 100, HOUR))
RESEND = Limits(Limit("resend-account", 5, HOUR), Limit("resend-address", 100, HOUR))
RESET = Limits(Limit("reset-account", 5, HOUR), Limit("reset-address", 100, HOUR))
