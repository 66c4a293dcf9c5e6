"""
Refusals of a name as a zone. Numbers and texts are from Cloudflare's page "Cannot add domain"; that all of
them have HTTP status 400 is inferred, except for 1061 and 1116.

1061, 1116 and the shape of names are checked in `zones.py`.
"""

from typing import Final

from cloudflare_sandbox.answers import UNKNOWN_CODE, Refusal
from cloudflare_sandbox.switches import Switches

ROOT_ONLY: Final = "Please ensure you are providing the root domain and not"
NOT_SUBDOMAIN: Final = f"{ROOT_ONLY} any subdomains (e.g., example.com, not subdomain.example.com)"
_NOT_NOW: Final = "cannot be added to Cloudflare at this time, please contact Cloudflare Support."
_TEXTS: Final = {
    "1049": "{name} is not a registered domain",
    "1093": f"This zone {_NOT_NOW}",
    "1097": (
        "This web property cannot be added to Cloudflare at this time. If you are an Enterprise customer, please "
        "contact your Customer Success Manager. Otherwise, please email abusereply@cloudflare.com with the name "
        "of the web property."
    ),
    "1099": f"We were unable to identify {{name}} as a registered domain. {NOT_SUBDOMAIN}",
    "1104": "Partial zone signup not allowed",
    "1105": f"This zone is temporarily restricted and {_NOT_NOW}",
    "1110": (
        "Failed to lookup registrar and hosting information of {name} at this time. "
        "Please contact Cloudflare Support or try again later."
    ),
    # Number and text of 1118 are in a few reports only; the number of a zone hold is in none.
    "1118": "You have exceeded the limit for adding zones",
    "hold": (
        "The zone name provided is subject to a hold which disallows the creation of this zone. "
        "Please contact the owner to have this hold removed."
    ),
}


def refusal_of(name: str, why: str) -> Refusal:
    """The refusal of *name* for the reason *why*, a key of the table."""
    return Refusal(400, UNKNOWN_CODE if why == "hold" else int(why), _TEXTS[why].format(name=name))


def refuse_if_listed(name: str, switches: Switches) -> None:
    """Refuse *name* if the switch `zone_refusals` lists it."""
    if name in switches.zone_refusals:
        raise refusal_of(name, switches.zone_refusals[name])


def refuse_if_too_many(name: str, pending: int, switches: Switches) -> None:
    """Refuse one more zone when as many are *pending* as the switch allows."""
    if switches.max_pending_zones is not None and pending >= switches.max_pending_zones:
        raise refusal_of(name, "1118")
