"""Settings of order_service: the shared ones, for this service."""

from shopkit.settings import settings_for

_shared = settings_for("order_service", apps=("shopkit.idempotency", "shopkit.outbox"), mails=True)
_shared["SPECTACULAR_SETTINGS"]["ENUM_NAME_OVERRIDES"] = {
    "StatusEnum": "order_service.models.Status",
    "CustomStatusEnum": "order_service.custom_models.CustomStatus",
}
globals().update(_shared)

CUSTOM_ORDER_DAYS = 14  # how long a quote holds, and how long an approved one may be paid

# Tax on goods and shipping by the country they go to, in basis points (2000 is 20 %), on top of the price; else none.
# The standard rates; where it depends on the region or on the goods, as in the US, it is not ours to say yet.
TAX_RATES = {
    "AT": 2000,
    "AU": 1000,
    "BE": 2100,
    "CA": 500,
    "CH": 810,
    "DE": 1900,
    "DK": 2500,
    "ES": 2100,
    "FR": 2000,
    "GB": 2000,
    "IE": 2300,
    "IN": 1800,
    "IT": 2200,
    "JP": 1000,
    "NL": 2100,
    "NZ": 1500,
    "PL": 2300,
    "PT": 2300,
    "SE": 2500,
}
