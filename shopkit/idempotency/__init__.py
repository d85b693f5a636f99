"""`Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a request repeated with its key takes effect once.

A service takes part by `settings_for(name, apps=("shopkit.idempotency",))` and `@idempotent` on its views' handlers.
"""
