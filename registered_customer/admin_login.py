"""Staff sign in to the admin of the service that keeps their accounts, which need not ask itself over HTTP."""

from registered_customer import accounts
from shopkit.admin_login import Staff, StaffBackend


class OwnStaffBackend(StaffBackend):
    def check(self, *, email: str, password: str, address: str) -> Staff:
        account = accounts.authenticate_staff(email=email, password=password, address=address)
        return Staff(id=account.pk, email=account.email)
