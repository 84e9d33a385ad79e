"""Runs one program apart from everything else, and takes it away with all that it started and wrote.

This is run as a script, by a Python that knows nothing but its standard library: its first line of input says what to do,
its output which process it has started, and how it went. It ends when its input does, which is when whoever started it closes it *or dies in
whatever way*; then it kills the program's process group and removes the folder.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000  # flags of Linux's unshare
_PIPES = Path("/tmp")  # where LibreOffice has its pipes, whatever TMPDIR says


def leave_the_network() -> bool:
    """Have this process, and what it starts, reach no network at all. Only Linux can, and not everywhere."""
    uid, gid = os.geteuid(), os.getegid()
    unshare = ctypes.CDLL(None).unshare
    if unshare(_NEW_NETWORK) == 0:
        return True
    if unshare(_NEW_USER | _NEW_NETWORK):
        return False
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    return (os.geteuid(), os.getegid()) == (uid, gid)


def _try_to_leave_the_network() -> None:
    """A copy of this process tries first: half of it, without the rights to its own files, would be worse than none."""
    pid = os.fork()
    if pid == 0:
        left = False
        with suppress(Exception):
            left = leave_the_network()
        os._exit(0 if left else 1)
    if os.waitpid(pid, 0)[1] == 0:
        leave_the_network()


class _Guard:
    """The program, and the folder that everything of it is in."""

    def __init__(self, folder: str, profile: str) -> None:
        self.folder = folder
        self._profile = profile
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._over = False

    def run(self, command: list[str], environment: dict[str, str], seconds: float) -> dict[str, object]:
        """Run it; how it went."""
        with open(os.path.join(self.folder, "words"), "wb") as words:
            try:
                with self._lock:
                    if self._over:
                        return {}
                    self._process = subprocess.Popen(
                        command, stdin=subprocess.DEVNULL, stdout=words, stderr=words, env=environment, cwd=self.folder,
                        start_new_session=True,
                    )  # fmt: skip
                    tell({"pid": self._process.pid})
            except OSError as error:
                return {"words": str(error.strerror or error)}
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return {"late": True}
        finally:
            self.kill()
        said = Path(self.folder, "words").read_bytes().decode("utf-8", "replace")
        return {"words": " ".join(said.split())[:200] or f"exit code {code}"}

    def kill(self) -> None:
        """Kill the program with all that it started."""
        if self._process is None:
            return
        if hasattr(os, "killpg"):
            with suppress(OSError):  # there is nobody left
                os.killpg(self._process.pid, signal.SIGKILL)
        elif self._process.poll() is None:  # Windows
            subprocess.run(["taskkill", "/T", "/F", "/PID", str(self._process.pid)], capture_output=True, check=False)
        self._process.wait()

    def end(self) -> None:
        """Kill, tidy up, and be gone."""
        with self._lock:
            self._over = True
            self.kill()
            for _ in range(100):  # who was just killed may still be writing
                shutil.rmtree(self.folder, ignore_errors=True)
                if not os.path.exists(self.folder):
                    break
                time.sleep(0.05)
            if hasattr(os, "geteuid"):
                # LibreOffice removes it where it ends by itself. Its name is made of the profile's as UTF-16.
                name = "".join(f"{byte:x}" for byte in hashlib.md5(self._profile.encode("utf-16-le")).digest())
                with suppress(OSError):
                    (_PIPES / f"OSL_PIPE_{os.geteuid()}_SingleOfficeIPC_{name}").unlink()
        os._exit(0)


def tell(what: dict[str, object]) -> None:
    """Say something to whoever started this."""
    with suppress(OSError):  # nobody listens any more
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()


def main() -> None:
    """Do what the first line of input says, and stay until the input ends."""
    orders = json.loads(sys.stdin.buffer.readline())
    if orders["apart"] and sys.platform == "linux":
        with suppress(Exception):
            _try_to_leave_the_network()
    guard = _Guard(orders["folder"], orders["profile"])

    def watch() -> None:
        sys.stdin.buffer.read()
        guard.end()

    watching = threading.Thread(target=watch)
    watching.start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=guard.end).start())
    went = guard.run(orders["command"], orders["environment"], orders["seconds"])
    tell(went | {"over": True})
    watching.join()


if __name__ == "__main__":
    main()
