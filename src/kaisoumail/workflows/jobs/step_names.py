"""
The names under which the steps of a domain's jobs are stored, shared with what shows their progress.

Stored runs refer to them: a name that changes needs another version of its job, and the page of an ended bind reads
those of its time. The steps of other jobs are stored under the names of their functions.
"""

from typing import Final

LOOK_FOR_ZONE: Final = "look for the zone"
CREATE_ZONE: Final = "create the zone"
FIND_ZONE: Final = "find the zone"
SAVE_ZONE: Final = "save the zone"
READ_ZONE: Final = "read the zone"
SWITCH_ON: Final = "switch Email Routing on"
SAVE_OUTCOME: Final = "save the outcome"
