"""Where uploaded files are kept: a folder of the service's own, or a bucket that any S3-compatible store has."""

from importlib.util import find_spec
from typing import Any

from shopkit.config import Config, ConfigurationError

_STATIC = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}


def media_settings(name: str, env: Config) -> dict[str, Any]:
    """Django's settings for the files of the service of that name."""
    return {
        "STORAGES": {"default": _bucket(name, env) if env.media_bucket else _FOLDER, "staticfiles": _STATIC},
        "MEDIA_ROOT": env.data.resolve() / "media" / name,
        "FILE_UPLOAD_PERMISSIONS": 0o600,
    }


_FOLDER = {"BACKEND": "django.core.files.storage.FileSystemStorage"}


def _bucket(name: str, env: Config) -> dict[str, Any]:
    """Who may write to it, boto3 reads from the environment itself: `AWS_ACCESS_KEY_ID` and so on."""
    if not all(map(find_spec, ("storages", "boto3"))):
        raise ConfigurationError(
            "SHOP_MEDIA_S3_BUCKET needs a package that is not installed: pip install 'django-storages[s3]'."
        )
    options = {
        "bucket_name": env.media_bucket,
        "location": name,
        "endpoint_url": env.media_endpoint,
        "default_acl": None,  # as the bucket has it: the service itself hands files out
        "file_overwrite": False,
    }
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
