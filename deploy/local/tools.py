"""The external programs of the stack: where they are, and how to install a missing one."""

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

from deploy.local.trouble import Trouble

LEAST_JAVA = 17
LEAST_MONGOD = 6


def java() -> str:
    """The path of java, 17 or later; Trouble with the command that installs it."""
    path = shutil.which("java")
    wanted = f"Kafka needs Java {LEAST_JAVA} or later: run `apt-get install openjdk-17-jre-headless`."
    if path is None:
        raise Trouble(f"java is not there. {wanted}")
    said = subprocess.run([path, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < LEAST_JAVA:
        raise Trouble(f"{path} is too old. {wanted}")
    return path


def mvn() -> str:
    """The path of Maven, which fetches Kafka's jars once; Trouble with the command that installs it."""
    path = shutil.which("mvn")
    if path is None:
        raise Trouble("mvn, which fetches Kafka, is not there: run `apt-get install maven`.")
    return path


def mongod() -> str:
    """The mongod on the PATH, else the one that a Python package brings; Trouble if it does not run or is too old."""
    path = shutil.which("mongod") or _in_package("fiftyone", "db/bin/mongod")
    wanted = f"install MongoDB {LEAST_MONGOD} or later so that `mongod` is on the PATH"
    if path is None:
        raise Trouble(f"mongod is not there: {wanted}.")
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    version = re.search(r"db version v(\d+)", done.stdout)
    if version is None:
        # The mongod of the package needs a system library.
        advice = f"install what its last lines name (`apt-get install libcurl4` for libcurl.so.4), or {wanted}"
        raise Trouble(f"{path} does not run: {advice}.", lines=tuple(done.stderr.splitlines()[-5:]))
    if int(version[1]) < LEAST_MONGOD:
        raise Trouble(f"{path} is too old: {wanted}.")
    return path


def envoy() -> str:
    """The Envoy that a Python package brings, else the one on the PATH."""
    path = _in_package("envoy", "_bin/envoy") or shutil.which("envoy")
    if path is None:
        raise Trouble("envoy is not there: install Envoy 1.40 so that `envoy` is on the PATH.")
    return path


def _in_package(package: str, file: str) -> str | None:
    """A file of an installed package, found without running its code."""
    spec = importlib.util.find_spec(package)
    folders = (spec.submodule_search_locations if spec else None) or ()
    return next((str(path) for folder in folders if (path := Path(folder) / file).is_file()), None)
