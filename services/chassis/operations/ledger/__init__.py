"""The ledger: what one service promised, counted again from its database and the topics (L1 to L9 of the promises).

It runs while others write, and still raises no false alarm, because each thing is read in the order in which it came
about, backwards: what follows from something is read after it, so that it must be there by then.

1.  *The driver's log is read first* (``commands``). What it calls answered was durable before it was written down.
2.  *The ends of the topics we listen to* are the cut for reactions. What comes later is not judged.
3.  *The entities are read*, each document in one piece (``histories``): its version, its history, its state and how
    far it is published belong to one instant, so versions, chain and fold are judged at once, whatever is written
    next. What was published then is in the topic already, since it is marked only after the acknowledgement.
4.  *Now the ends of our own topic* (``published``): all that was published in step 3 lies before them. Records that
    step 3 did not know, because they were written since, are looked up again in their history: the relay sends only
    what a majority holds, so an event that is in the topic and now in no history is a phantom. A relay that is just
    about to publish shows as *waiting*: it is not missed, it must be published within the stated time (L9). But an
    event that is neither published nor marked as pending will never be sent, and version and mark are written
    together: that is L5.
5.  *The consumers get the stated time to reach the cut* (``lag``). A group confirms an offset after all effects, so
    that below the lower of cut and confirmed offset every event has had its effect, is parked or was dropped, for good.
6.  *Which reactions are on is read after what is confirmed.* One that is off by then, or waits for a copy, has had its
    effects before the offsets that its switch names: it is judged up to these, *waiting since* them (L7), and what lies
    between them and the cut is counted (L9). One that was turned on meanwhile has caught up with what was confirmed.
7.  *Parked events are read before memories and copies* (``reactions``, ``copies``). A replay writes the effect first
    and unparks then: what is not parked any more has been remembered by then. Dropped events are read after the
    parked, since they go from these to those. From the first parked event of an
    entity on, its copy itself tells how much has been replayed; what it does not have must be parked.
    A copy may be newer than the cut: it is folded on with the events behind the cut, up to the copy's own version;
    these are in the topic since the copy has them. A copy that first appears behind the cut is found there too.
8.  *Gauges* (``lag``) are set by loops a moment ago: they are held against what was true before and after that moment,
    and asked again until the stated time is over.

Histories that were trimmed are read with what their archive holds, one entity at a time: the document before the
archive, into which the relay copies before it takes out of the document, so that no event is missed on its way.

Memory: about 350 bytes for each entity of the service, plus 8 for each of its events, and the whole history of one;
200 for each line of a driver's log; for copies a twelfth of them at a time, as large as they are, plus 70 bytes each.
Everything else streams.
"""
