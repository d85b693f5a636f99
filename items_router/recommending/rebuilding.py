"""Finds each item's neighbours anew, now and then: in a process of its own, whose memory goes with it."""

import os
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from itertools import chain

from django.conf import settings
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from items_router.recommending import kept, neighbours, signals
from shopkit import mongo
from shopkit.config import ROOT, config
from shopkit.mongo import Document

NEIGHBOURS = 50  # of an item
BEST_SELLERS = 300
AT_LATEST = timedelta(days=1)  # even if nothing seems to have happened
COMMAND = "rebuild_recommendations"
_child: subprocess.Popen[bytes] | None = None


def rebuild() -> int:
    """Reads all signals, and keeps what they come to; the number of items that have neighbours."""
    signals.ensure_indexes()
    signals.forget_old_views()
    count = signals.count()
    matrix = neighbours.Matrix(signals.every())
    build = f"{datetime.now(UTC).isoformat()} {uuid.uuid4().hex}"
    best = (kept.POPULAR, neighbours.popular(matrix, most=BEST_SELLERS))
    number = kept.put(chain([best], neighbours.nearest(matrix, most=NEIGHBOURS)), build=build)
    _state().update_one({"_id": "rebuild"}, {"$set": {"count": count, "at": datetime.now(UTC)}}, upsert=True)
    return number - 1


def look_after() -> None:
    """Starts the rebuilding when its time has come and there is news; of several processes, one does."""
    global _child
    if _child is None or _child.poll() is not None:  # what has ended is no more than a number then
        _child = start() if _claim(datetime.now(UTC)) else None


def start() -> subprocess.Popen[bytes]:
    """One thread is enough for its few vectors, and takes the least memory."""
    command = [sys.executable, str(ROOT / "manage.py"), settings.SERVICE.name, COMMAND]
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)  # what it says to people is no log


def _claim(now: datetime) -> bool:
    """Whether it is due, and nobody else has begun; then the next time is an interval away."""
    state = _state().find_one({"_id": "rebuild"}) or {}
    if state.get("due", now) > now or not _has_news(state, now):
        return False
    due = {"due": now + timedelta(seconds=config().recommendations_every)}
    same = {"_id": "rebuild", "due": state["due"]} if "due" in state else {"_id": "rebuild", "due": {"$exists": False}}
    try:
        done = _state().update_one(same, {"$set": due}, upsert=not state)
    except DuplicateKeyError:
        return False
    return bool(done.matched_count or done.upserted_id)


def _has_news(state: Document, now: datetime) -> bool:
    count = signals.count()
    if "at" not in state:
        return any(count.values())
    return bool(state["count"] != count or now - state["at"] > AT_LATEST)


def _state() -> Collection[Document]:
    return mongo.collection("recommending")
