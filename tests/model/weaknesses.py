"""The guards that can be taken away from the models, one at a time."""

from enum import Enum


class Weak(Enum):
    """What a protocol does that has lost one guard."""

    MARK_FIRST = "marking before the acknowledgement"
    UNGUARDED_MARK = "unsetting `pending` without the version guard"
    GO_ON = "going on with a producer that has failed (n+1 sent after n failed)"
    TRIM_UNPUBLISHED = "trimming unpublished history"
    PULL_FIRST = "archive pull before copy"
    NO_CAUSE = "no cause (blind retry)"
    NO_ARCHIVE_LOOKUP = "archive not consulted for causes"
    READ_LOCAL = "publishing what only one node has"
    COMMIT_FIRST = "committing before the effect"
    SEEN_FIRST = "`seen` before the effect"
    NO_ID_FROM_CAUSE = "no id from the cause at create"
    NO_FOLLOWERS = "followers not parked"
    UNPARK_FIRST = "unparking by the flag instead of after the effect"
    UNGUARDED_COPY = "copy without version guard"
    PARK_BEFORE_DONE = "parking before what is done of the batch is written"
    NO_PAUSE = "backfill that does not pause the consumer for the last stretch"
    NO_WAIT = "backfill that does not wait for the batches in hand"
    WAIT_FOR_OWNER = "backfill that waits for the partition's owner alone"
    FORGET_THE_FROZEN = "backfill that does not wait for a member that has been silent for long"
    KEEP_POSITION = "reading on after the switch from where one was, instead of from what is confirmed"
    SWITCHES_FIRST = "reading the switches before the pause is looked at"
    STARTS_ON = "a new reaction that starts on"
    OFF_FIRST = "turning a reaction off before the group is asked what it has confirmed"
    CONFIRM_FAILED = "confirming the batch on which a reaction failed before it is off"
    KEEP_SWITCHES = "going on with the switches of before when partitions are given out anew"
    POSITION_READ = "noting how far the member has read in place of what is confirmed"
