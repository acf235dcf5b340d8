"""Which copies the reactions of a service read, compared with what they declare."""

from collections import defaultdict
from collections.abc import Mapping

import pytest

from services.chassis.domain.entity import COPIES
from services.chassis.runtime.service import Service
from services.chassis.storage import copy_reads
from services.chassis.usecase import Container

Reads = Mapping[str, set[str]]
"""Collections of copies, by the name of the reaction."""


def noted(monkeypatch: pytest.MonkeyPatch) -> Reads:
    """What the reactions read from now on, also what they may not."""
    reads, expect = defaultdict[str, set[str]](set), copy_reads.expect_declared

    def note(collection: str) -> None:
        reaction = copy_reads.running()
        if reaction is not None and collection.startswith(COPIES):
            reads[reaction].add(collection)
        expect(collection)

    monkeypatch.setattr(copy_reads, "expect_declared", note)
    return reads


async def all_had_effects(service: Service, container: Container) -> bool:
    """Whether every reaction of the service has had an effect by now."""
    seen = await container.mongo.find("seen", {}, show={"_id": 1}, limit=10_000)
    return {one["_id"].partition("|")[0] for one in seen} == {one.name for one in service.reactions}


def declared(service: Service) -> Reads:
    """What each of its reactions declares."""
    return {one.name: {kind.collection() for kind in one.reads} for one in service.reactions}


def of(service: Service, reads: Reads) -> Reads:
    """What each of its reactions has read; copies read what they keep."""
    return {one.name: reads.get(one.name, set()) for one in service.reactions}
