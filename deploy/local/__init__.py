"""The whole system as plain processes on one machine, under one supervisor."""

from deploy.local.home import Home
from deploy.local.ports import Ports
from deploy.local.processes import EVERYTHING, STORES
from deploy.local.stack import Stack
from deploy.local.trouble import Trouble

__all__ = ["EVERYTHING", "STORES", "Home", "Ports", "Stack", "Trouble"]
