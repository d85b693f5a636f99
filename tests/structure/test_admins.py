"""Every service's Django admin: what staff do in it is logged, whatever model it is about."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from shopkit import topology
from shopkit.config import ROOT

REGISTERED = """
import json
import django
from shopkit import entry
entry.use({name!r})
django.setup()
from django.contrib import admin
from shopkit.admin import StaffAdmin
print(json.dumps({{m._meta.label: isinstance(a, StaffAdmin) for m, a in admin.site._registry.items()}}))
"""
RELATIONAL = [service.name for service in topology.SERVICES.values() if service.relational]


@pytest.mark.parametrize("name", RELATIONAL)
def test_what_staff_do_is_logged_whatever_the_model(name: str, tmp_path: Path) -> None:
    code = REGISTERED.format(name=name)
    env = {**os.environ, "SHOP_DATA": str(tmp_path)}
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, stdout=subprocess.PIPE, timeout=60, check=True
    )
    logging = json.loads(told.stdout)
    assert all(logging.values()), logging
    assert all(label.startswith(f"{name}.") for label in logging)
    assert logging or not (ROOT / name / "admin.py").exists()
