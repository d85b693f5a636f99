"""When a write last passed the gateway, as all its processes on this machine see it: eight bytes of shared memory."""

import fcntl
import mmap
import struct
import time
from pathlib import Path

_NANOSECONDS = struct.Struct("=Q")


class LastWrite:
    """Kept in a file, of which only the mapping into memory is read. Times are of the machine's monotonic clock."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b")
        self._file.truncate(_NANOSECONDS.size)
        self._memory = mmap.mmap(self._file.fileno(), _NANOSECONDS.size)
        self.note()  # also since after a restart of the machine its clock begins anew

    def note(self) -> None:
        """There was a write, until now."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            _NANOSECONDS.pack_into(self._memory, 0, time.monotonic_ns())
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    @property
    def at(self) -> int:
        """Nanoseconds."""
        return int(_NANOSECONDS.unpack_from(self._memory, 0)[0])
