"""
Who is measured beside us, in the same run: Postfix into a Maildir, and an aiosmtpd that stores nothing.

Postfix is Debian's package, as it comes but for a configuration of its own in a folder of its own; it
needs root, as it does everywhere. Without it its lines are left out, and the table says so.
"""

import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.polling import poll
from tests.ports import is_listening, reserved_port

_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
error unix - - n - - error
retry unix - - n - - error
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.bench.example
mydestination =
inet_interfaces = 127.0.0.1
mynetworks = 127.0.0.1/32
virtual_mailbox_domains = mail.customer.com
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = static:ada/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_mailbox_limit = 0
message_size_limit = 30000000
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
smtpd_peername_lookup = no
"""


class Postfix:
    """A running Postfix; *port* takes mail, *delivered* counts what is in the Maildir, *pid* is that of its master."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port = port
        self.pid = int((folder / "spool" / "pid" / "master.pid").read_text())
        self._new = folder / "mail" / "ada" / "new"

    def delivered(self) -> int:
        return sum(1 for _ in os.scandir(self._new)) if self._new.exists() else 0

    def wait_for(self, count: int) -> None:
        """Returns when *count* mails are in the Maildir: what a reader of it would call visible."""
        while self.delivered() < count:
            time.sleep(0.01)


def has_postfix() -> bool:
    return os.geteuid() == 0 and shutil.which("postfix") is not None


@contextmanager
def postfix(folder: Path) -> Iterator[Postfix]:
    """A Postfix of its own under *folder*, which must be readable for its users."""
    port = reserved_port()
    owner = pwd.getpwnam("postfix")
    for name in ("etc", "spool", "data", "mail"):
        (folder / name).mkdir(parents=True)
    for name in ("data", "mail"):
        os.chown(folder / name, owner.pw_uid, owner.pw_gid)
    for parent in (folder, *folder.parents):
        if not os.access(parent, os.X_OK) or not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
        if parent == Path("/tmp"):
            break
    (folder / "etc" / "main.cf").write_text(_MAIN.format(folder=folder, uid=owner.pw_uid, gid=owner.pw_gid))
    (folder / "etc" / "master.cf").write_text(_MASTER.format(port=port))
    postfix = ["postfix", "-c", str(folder / "etc")]
    subprocess.run([*postfix, "start"], check=True, capture_output=True)
    try:
        yield Postfix(port, folder)
    finally:
        subprocess.run([*postfix, "stop"], check=False, capture_output=True)


@dataclass(frozen=True)
class Sink:
    port: int
    pid: int


@contextmanager
def aiosmtpd_sink() -> Iterator[Sink]:
    """A bare aiosmtpd in a process of its own; it parses nothing and stores nothing."""
    port = reserved_port()
    words = [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}", "-c", "aiosmtpd.handlers.Sink"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            poll(lambda: is_listening(port))
            yield Sink(port, process.pid)
        finally:
            process.terminate()
