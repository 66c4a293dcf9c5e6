"""
Permission groups: the permissions a token may have, by the names and ids of Cloudflare's lists.

The ids agree between several public repositories (2025 and 2026). Only the groups that this package knows
are listed; Cloudflare has some three hundred more.
"""

from dataclasses import dataclass
from typing import Any, Final

from cloudflare_sandbox.answers import Answer, Refusal
from cloudflare_sandbox.sandbox import Call

_ZONE, _ACCOUNT, _USER = (f"com.cloudflare.api.{scope}" for scope in ("account.zone", "account", "user"))


@dataclass(frozen=True)
class PermissionGroup:
    name: str
    id: str
    scope: str
    category: str


GROUPS: Final = (
    PermissionGroup("Zone Read", "c8fed203ed3043cba015a93ad1616f1f", _ZONE, "dns_and_zones"),
    PermissionGroup("Zone Write", "e6d2666161e84845a636613608cee8d5", _ZONE, "dns_and_zones"),
    PermissionGroup("Zone Settings Read", "517b21aee92c4d89936c976ba6e4be55", _ZONE, "dns_and_zones"),
    PermissionGroup("Zone Settings Write", "3030687196b94b638145a3953da2b699", _ZONE, "dns_and_zones"),
    PermissionGroup("DNS Read", "82e64a83756745bbbb1c9c2701bf816b", _ZONE, "dns_and_zones"),
    PermissionGroup("DNS Write", "4755a26eedb94da69e1066d98aa820be", _ZONE, "dns_and_zones"),
    PermissionGroup("Email Routing Rules Read", "1b600d9d8062443e986a973f097e728a", _ZONE, "email_and_messaging"),
    PermissionGroup("Email Routing Rules Write", "79b3ec0d10ce4148a8f8bdc0cc5f97f2", _ZONE, "email_and_messaging"),
    PermissionGroup(
        "Email Routing Addresses Read", "5272e56105d04b5897466995b9bd4643", _ACCOUNT, "email_and_messaging"
    ),
    PermissionGroup(
        "Email Routing Addresses Write", "e4589eb09e63436686cd64252a3aebeb", _ACCOUNT, "email_and_messaging"
    ),
    PermissionGroup("Email Sending Read", "2d5b4b1f6c89487bb7184c2c1dcd3bf1", _ACCOUNT, "email_and_messaging"),
    PermissionGroup("Email Sending Write", "5df633d6b41c42bcaf5b4a62b9d14b64", _ACCOUNT, "email_and_messaging"),
    PermissionGroup("Workers Scripts Read", "1a71c399035b4950a1bd1466bbe4f420", _ACCOUNT, "developer_platform"),
    PermissionGroup("Workers Scripts Write", "e086da7e2179491d91ee5f35b3ca210a", _ACCOUNT, "developer_platform"),
    PermissionGroup("Workers AI Read", "a92d2450e05d4e7bb7d0a64968f83d11", _ACCOUNT, "developer_platform"),
    PermissionGroup("Workers AI Write", "bacc64e0f6c34fc0883a1223f938a104", _ACCOUNT, "developer_platform"),
    PermissionGroup("Account Settings Read", "c1fde68c7bcc44588cbb6ddbc16d6480", _ACCOUNT, "account_and_billing"),
    PermissionGroup("Account Settings Write", "1af1fa2adc104452b74a9a3364202f20", _ACCOUNT, "account_and_billing"),
    PermissionGroup("Account API Tokens Read", "eb56a6953c034b9d97dd838155666f06", _ACCOUNT, "account_and_billing"),
    PermissionGroup("Account API Tokens Write", "5bc3f8b21c554832afc660159ab75fa4", _ACCOUNT, "account_and_billing"),
    PermissionGroup("API Tokens Read", "0cc3a61731504c89b99ec1be78b77aa0", _USER, "account_and_billing"),
    PermissionGroup("API Tokens Write", "686d18d5ac6c441c867cbf6771e58a0a", _USER, "account_and_billing"),
)
NAMES: Final = frozenset(group.name for group in GROUPS)


def list_users_groups(call: Call) -> Answer:
    """Needs API Tokens Read (API reference); the refusal without it is inferred."""
    _refuse_unless(call, "API Tokens Read")
    return _listed(call, (_ZONE, _ACCOUNT, _USER))


def list_accounts_groups(call: Call) -> Answer:
    """The groups that an account-owned token may have: none about a user."""
    _refuse_unless(call, "Account API Tokens Read")
    return _listed(call, (_ZONE, _ACCOUNT))


def _refuse_unless(call: Call, permission: str) -> None:
    if not call.token.may(permission):
        raise Refusal(403, 9109, "Unauthorized to access requested resource", edge=True)


def _listed(call: Call, scopes: tuple[str, ...]) -> Answer:
    name, scope = call.query.get("name", "").lower(), call.query.get("scope")
    found = [group for group in GROUPS if group.scope in scopes and scope in (None, "", group.scope)]
    return Answer([_shown(group) for group in found if name in ("", group.name.lower())])


def _shown(group: PermissionGroup) -> dict[str, Any]:
    return {"id": group.id, "category": group.category, "name": group.name, "scopes": [group.scope]}
