"""What the store answers when it cannot, or will not, do as told: MongoDB's error codes, in its shape."""

from collections.abc import Mapping
from typing import Any

BAD_VALUE, FAILED_TO_PARSE, TYPE_MISMATCH = 2, 9, 14
NAMESPACE_NOT_FOUND, INDEX_NOT_FOUND, PATH_NOT_VIABLE, CONFLICTING_UPDATE_OPERATORS = 26, 27, 28, 40
CURSOR_NOT_FOUND, NAMESPACE_EXISTS, DOLLAR_PREFIXED_FIELD_NAME, INVALID_ID_FIELD = 43, 48, 52, 53
EMPTY_FIELD_NAME, COMMAND_NOT_FOUND, IMMUTABLE_FIELD, CANNOT_CREATE_INDEX = 56, 59, 66, 67
INVALID_OPTIONS, INVALID_NAMESPACE, INDEX_OPTIONS_CONFLICT, INDEX_KEY_SPECS_CONFLICT = 72, 73, 85, 86
COMMAND_NOT_SUPPORTED, OBJECT_TOO_LARGE, DUPLICATE_KEY, INTERNAL_ERROR = 115, 10334, 11000, 1

_NAMES = {
    INTERNAL_ERROR: "InternalError",
    BAD_VALUE: "BadValue",
    FAILED_TO_PARSE: "FailedToParse",
    TYPE_MISMATCH: "TypeMismatch",
    NAMESPACE_NOT_FOUND: "NamespaceNotFound",
    INDEX_NOT_FOUND: "IndexNotFound",
    PATH_NOT_VIABLE: "PathNotViable",
    CONFLICTING_UPDATE_OPERATORS: "ConflictingUpdateOperators",
    CURSOR_NOT_FOUND: "CursorNotFound",
    NAMESPACE_EXISTS: "NamespaceExists",
    DOLLAR_PREFIXED_FIELD_NAME: "DollarPrefixedFieldName",
    INVALID_ID_FIELD: "InvalidIdField",
    EMPTY_FIELD_NAME: "EmptyFieldName",
    COMMAND_NOT_FOUND: "CommandNotFound",
    IMMUTABLE_FIELD: "ImmutableField",
    CANNOT_CREATE_INDEX: "CannotCreateIndex",
    INVALID_OPTIONS: "InvalidOptions",
    INVALID_NAMESPACE: "InvalidNamespace",
    INDEX_OPTIONS_CONFLICT: "IndexOptionsConflict",
    INDEX_KEY_SPECS_CONFLICT: "IndexKeySpecsConflict",
    COMMAND_NOT_SUPPORTED: "CommandNotSupported",
    OBJECT_TOO_LARGE: "BSONObjectTooLarge",
    DUPLICATE_KEY: "DuplicateKey",
}


class StoreError(Exception):
    """An error for the client: `code` (MongoDB's, see its `error_codes.yml`), a sentence, and further fields."""

    def __init__(self, code: int, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details: Mapping[str, Any] = details

    def as_reply(self) -> dict[str, Any]:
        """A failed command's whole reply."""
        name = _NAMES.get(self.code, f"Location{self.code}")
        return {"ok": 0.0, "errmsg": self.message, "code": self.code, "codeName": name, **self.details}

    def as_write_error(self, index: int) -> dict[str, Any]:
        """One entry of `writeErrors`; `index` is the statement's place in the batch."""
        return {"index": index, "code": self.code, "errmsg": self.message, **self.details}


class Unsupported(StoreError):
    """MongoDB can do this, or might; this store does not know how."""

    def __init__(self, what: str, code: int = COMMAND_NOT_SUPPORTED) -> None:
        super().__init__(
            code, f"the embedded development store does not support {what}; set MONGO_URL to a real MongoDB"
        )
