"""What `OPTIONS` answers."""

from typing import Any

from rest_framework.metadata import BaseMetadata


class SchemaMetadata(BaseMetadata):
    """Beside `Allow`, where the rest is described; nothing is asked of the view or its store."""

    def determine_metadata(self, request: Any, view: Any) -> dict[str, str]:
        return {"schema": "/api/schema/"}
