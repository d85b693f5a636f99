"""Settings of gateway: the shared ones, and the files of the interactive API page, so that it works offline."""

from shopkit.settings import settings_for

globals().update(settings_for("gateway", apps=("drf_spectacular_sidecar",)))
