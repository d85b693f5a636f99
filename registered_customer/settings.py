"""Settings of registered_customer: the shared ones, for this service, which keeps the accounts and sends mail."""

from shopkit.settings import settings_for

_staff = "registered_customer.admin_login.OwnStaffBackend"
globals().update(settings_for("registered_customer", apps=("shopkit.outbox",), mails=True, staff_backend=_staff))
