"""A network and mounts of our own, in which cables can be cut and disks be small; nobody else's are touched."""

import ctypes
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

_NEW_MOUNTS, _NEW_USER, _NEW_NETWORK = 0x00020000, 0x10000000, 0x40000000


def enter() -> str:
    """Move this process, and all it starts, into a network and mounts of its own; "" or why that cannot be.

    Before any thread is started: each thread has its own.
    """
    user, group = os.getuid(), os.getgid()
    flags = _NEW_NETWORK | _NEW_MOUNTS | (0 if user == 0 else _NEW_USER)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        return f"this machine gives no namespaces: {os.strerror(ctypes.get_errno())}"
    try:
        if user:
            _map(user, group)
        _run("mount", "--make-rprivate", "/")
        _run("ip", "link", "set", "lo", "up")
        # What decides who gets a packet comes behind the rules that cut: the first rule of all is fixed otherwise.
        _run("ip", "rule", "add", "pref", "10", "lookup", "local")
        _run("ip", "rule", "del", "pref", "0")
    except (OSError, subprocess.CalledProcessError) as error:
        # Without its loopback nothing could run in it any more.
        raise SystemExit(f"the namespaces cannot be used, run with --here: {error}") from error
    return ""


@contextmanager
def cut(**ports: int) -> Iterator[None]:
    """What is on its way to a port (``dport``), from one (``sport``), or both, is lost as long as the block lasts."""
    named = (word for direction, port in ports.items() for word in (direction, str(port)))
    rule = ("pref", "5", "ipproto", "tcp", *named, "blackhole")
    _run("ip", "rule", "add", *rule)
    try:
        yield
    finally:
        _run("ip", "rule", "del", *rule)


@contextmanager
def unheard(port: int, listeners: Sequence[int]) -> Iterator[None]:
    """What comes from a port does not reach the connections that these processes (pids) have to it now."""
    with ExitStack() as cuts:
        for pid in listeners:
            for connection in psutil.Process(pid).net_connections("tcp"):
                if connection.raddr and connection.raddr.port == port:
                    cuts.enter_context(cut(sport=port, dport=connection.laddr.port))
        yield


def no_delays() -> str:
    """Why packets cannot be delayed here; "" where they can."""
    tried = subprocess.run(
        ["tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "0ms"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return f"tc netem: {tried.stderr.strip().splitlines()[0]}" if tried.returncode else ""


@contextmanager
def delayed(milliseconds: int) -> Iterator[None]:
    """Every packet is late by so much, give or take half of it, as long as the block lasts."""
    change = ("tc", "qdisc", "change", "dev", "lo", "root", "netem", "delay")
    _run(*change, f"{milliseconds}ms", f"{milliseconds // 2}ms")
    try:
        yield
    finally:
        _run(*change, "0ms")


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[None]:
    """A disk of this size under a folder as long as the block lasts; the folder as it is where none can be mounted."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mounting = ("mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=700", "tmpfs", str(folder))
    mounted = subprocess.run(mounting, capture_output=True, check=False).returncode == 0
    try:
        yield
    finally:
        if mounted:
            _run("umount", "--lazy", str(folder))


def _map(user: int, group: int) -> None:
    """Be root in the new namespaces, where one is nobody without this."""
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
