"""
The name, summary, forms and refusals of each route, by tag: the table behind the OpenAPI document (`openapi.py`).

A test fails for a route that is missing here, and for a form that its handler does not read.
"""

from typing import Final

from kaisoumail.api import (
    api_keys,
    audit,
    auth,
    domains,
    events,
    mailboxes,
    message_parts,
    messages,
    meta,
    passkeys,
    rejections,
    sessions,
    users,
    wait,
)
from kaisoumail.api.openapi import Described, Operation
from kaisoumail.errors import CODES

# The refusals of every route that changes or reads something at Cloudflare.
_CLOUDFLARE: Final = (
    "management_disabled",
    "token_missing",
    "account_id_missing",
    "worker_name_missing",
    "cloudflare_rate_limited",
    *(code for code, kind in CODES.items() if kind.status in (502, 504)),
)
_NEW_MAILBOX: Final = (
    "forbidden",
    "no_domains",
    "domain_not_enabled",
    "domain_gone",
    "invalid_mailbox_address",
    "mailbox_exists",
    "mailbox_taken",
    "quota_reached",
    "domain_full",
    "cloudflare_foreign_rule",
    "zone_id_missing",
    *_CLOUDFLARE,
)
_PASSKEYS: Final = ("passkey_not_configured", "passkey_origin_not_allowed")
_NAME_OF_DOMAIN: Final = ("not_an_apex", "subdomain_direct_bind_not_supported", "domain_exists", "domain_not_found")

DESCRIBED: Final[Described] = {
    "mailboxes": {
        mailboxes.list_mailboxes: Operation(
            "listMailboxes",
            "List your mailboxes, newest first; for an admin, those of all users",
            query=mailboxes.ListMailboxes,
        ),
        mailboxes.create_mailbox: Operation(
            "createMailbox",
            "Create a mailbox, active when this answers; parts of the address left out are chosen at random",
            bodies=(mailboxes.CreateMailbox,),
            problems=_NEW_MAILBOX,
        ),
        mailboxes.ensure_mailbox: Operation(
            "ensureMailbox",
            "Create the mailbox at an address, or extend the existing one to at least the given lifetime",
            bodies=(mailboxes.EnsureByAddress, mailboxes.EnsureByParts),
            statuses=(200, 201),
            problems=_NEW_MAILBOX,
        ),
        mailboxes.destroy_mailbox: Operation(
            "destroyMailbox",
            "Destroy a mailbox, its messages and its routing rule; repeating it changes nothing",
            problems=("mailbox_not_found", "forbidden", *_CLOUDFLARE),
        ),
        mailboxes.resolve_mailbox: Operation(
            "resolveMailbox",
            "Find the active or expired mailbox at an address",
            query=mailboxes.ResolveMailbox,
            problems=("mailbox_not_found",),
        ),
        mailboxes.read_mailbox: Operation(
            "getMailbox", "Get a mailbox, whatever its status", problems=("mailbox_not_found", "forbidden")
        ),
        wait.wait_in_mailbox: Operation(
            "waitInMailbox",
            "Wait for a message in one mailbox; 204, with the cursor in x-kaisoumail-cursor, if none came in time",
            query=wait.WaitInMailbox,
            statuses=(200, 204),
            problems=("mailbox_not_found",),
        ),
    },
    "messages": {
        messages.list_messages: Operation(
            "listMessages",
            "List your messages, newest first; for an admin, those of all users",
            query=messages.ListMessages,
        ),
        wait.wait_anywhere: Operation(
            "waitForMessage",
            "Wait for a message in any of the mailboxes; 204, with the cursor in x-kaisoumail-cursor, if none came",
            query=wait.WaitAnywhere,
            statuses=(200, 204),
            problems=("mailbox_not_found",),
        ),
        messages.read_message: Operation(
            "getMessage",
            "Get a message with its bodies and headers",
            problems=("message_not_found", "forbidden", "raw_message_missing"),
        ),
        messages.delete_message: Operation(
            "deleteMessage", "Delete a message permanently", problems=("message_not_found",)
        ),
        messages.mark_message: Operation(
            "markMessage",
            "Mark a message as read or unread",
            bodies=(messages.MarkMessage,),
            problems=("message_not_found",),
        ),
        messages.read_raw_message: Operation(
            "getRawMessage",
            "Get a message as received, byte for byte",
            media="message/rfc822",
            problems=("message_not_found", "forbidden", "raw_message_missing"),
        ),
        message_parts.read_html: Operation(
            "getMessageHtml",
            "Get the sanitized HTML body of a message, as a document",
            query=message_parts.HtmlQuery,
            media="text/html",
            problems=("message_not_found", "raw_message_missing", "html_body_missing"),
        ),
        message_parts.read_attachment: Operation(
            "getAttachment",
            "Get an attachment, decoded",
            media="*/*",
            problems=("message_not_found", "raw_message_missing", "attachment_not_found"),
        ),
        message_parts.read_picture: Operation(
            "getPicture",
            "Get a picture in a message's HTML, with the ticket from the picture's URL",
            query=message_parts.PictureQuery,
            media="*/*",
            problems=("raw_message_missing", "attachment_not_found", "message_not_found"),
        ),
    },
    "events": {
        events.follow: Operation(
            "followEvents",
            "Follow changes as Server-Sent Events; continues from the cursor in Last-Event-ID or since",
            query=events.Follow,
            media="text/event-stream",
        ),
    },
    "api keys": {
        api_keys.list_keys: Operation(
            "listApiKeys",
            "List your API keys; an admin may list those of another user",
            query=api_keys.ListKeys,
            problems=("admin_required",),
        ),
        api_keys.make_key: Operation(
            "createApiKey",
            "Create an API key; its secret is shown only in this answer",
            bodies=(api_keys.MakeKey,),
            problems=(
                "admin_required",
                "grant_too_wide",
                "scope_unknown",
                "user_not_found",
                "mailbox_not_found",
                "domain_not_found",
            ),
        ),
        api_keys.rename_key: Operation(
            "renameApiKey",
            "Rename an API key",
            bodies=(api_keys.RenameKey,),
            problems=("api_key_not_found",),
        ),
        api_keys.revoke_key: Operation(
            "revokeApiKey",
            "Revoke an API key and end the sessions begun with it",
            problems=("api_key_not_found", "forbidden"),
        ),
    },
    "sessions": {
        auth.create_session: Operation(
            "signIn",
            "Sign in with an API key; the session is set as a cookie",
            bodies=(auth.SignIn,),
            problems=("invalid_api_key", "authentication_required"),
        ),
        auth.read_session: Operation("getCurrentSession", "Get the user of this session or key"),
        auth.end_session: Operation("signOut", "End this session"),
        sessions.list_sessions: Operation("listSessions", "List your sessions, most recently used first"),
        sessions.end_session: Operation("endSession", "End one session", problems=("session_not_found",)),
        sessions.end_all_sessions: Operation("endAllSessions", "End all your sessions"),
    },
    "passkeys": {
        auth.start_passkey_sign_in: Operation(
            "startPasskeySignIn",
            "Get the options for `navigator.credentials.get()`; the challenge is valid once",
            problems=_PASSKEYS,
        ),
        auth.finish_passkey_sign_in: Operation(
            "signInWithPasskey",
            "Sign in with the result of `navigator.credentials.get()`; the session is set as a cookie",
            bodies=(passkeys.CredentialForm,),
            problems=("passkey_challenge_missing", "invalid_passkey", "authentication_required", *_PASSKEYS),
        ),
        passkeys.list_passkeys: Operation("listPasskeys", "List your passkeys, revoked ones too, newest first"),
        passkeys.start_registration: Operation(
            "startPasskeyRegistration",
            "Get the options for `navigator.credentials.create()`; the challenge is valid once",
            bodies=(passkeys.NamePasskey,),
            problems=_PASSKEYS,
        ),
        passkeys.finish_registration: Operation(
            "registerPasskey",
            "Register the passkey created by `navigator.credentials.create()`",
            bodies=(passkeys.CredentialForm,),
            problems=("passkey_challenge_missing", "passkey_registration_failed", "passkey_exists", *_PASSKEYS),
        ),
        passkeys.rename_passkey: Operation(
            "renamePasskey",
            "Rename a passkey",
            bodies=(passkeys.NamePasskey,),
            problems=("passkey_not_found",),
        ),
        passkeys.revoke_passkey: Operation(
            "revokePasskey",
            "Revoke a passkey and end the sessions begun with it",
            problems=("passkey_not_found", "forbidden"),
        ),
    },
    "users": {
        users.list_users: Operation("listUsers", "List all users, oldest first"),
        users.add_user: Operation(
            "createUser",
            "Add a user; the secret of their first API key is shown only in this answer",
            bodies=(users.AddUser,),
            problems=("user_exists",),
        ),
        users.change_user: Operation(
            "changeUser",
            "Change a user's name or role",
            bodies=(users.ChangeUser,),
            problems=("user_not_found", "last_admin"),
        ),
        users.disable_user: Operation(
            "disableUser",
            "Disable a user: end their sessions and reject their API keys; their mailboxes still receive",
            problems=("user_not_found", "last_admin"),
        ),
        users.enable_user: Operation("enableUser", "Enable a disabled user", problems=("user_not_found",)),
        users.remove_user: Operation(
            "deleteUser",
            "Delete a user permanently; their mailboxes are transferred to the given user",
            query=users.RemoveUser,
            problems=("user_not_found", "last_admin", "user_has_mailboxes"),
        ),
    },
    "domains": {
        domains.list_domains: Operation("listDomains", "List the domains of this installation"),
        domains.catalog: Operation(
            "getDomainCatalog", "List every domain here and every zone at Cloudflare, by name", problems=_CLOUDFLARE
        ),
        domains.token_check: Operation(
            "checkCloudflareToken",
            "Check the permissions of the Cloudflare token with harmless calls",
            problems=_CLOUDFLARE,
        ),
        domains.bind: Operation(
            "bindDomain",
            "Bind an apex as a mail domain, creating its zone at Cloudflare",
            bodies=(domains.BindDomain,),
            statuses=(200, 201),
            problems=(*_NAME_OF_DOMAIN, *_CLOUDFLARE),
        ),
        domains.enable: Operation(
            "enableDomain",
            "Enable an existing zone at Cloudflare as a mail domain",
            bodies=(domains.EnableDomain,),
            statuses=(200, 201),
            problems=("zone_not_in_cloudflare", "domain_exists", "domain_not_found", *_CLOUDFLARE),
        ),
        domains.retry: Operation(
            "retryDomain",
            "Retry the provisioning of a domain",
            problems=("domain_not_found", "domain_disabled", *_CLOUDFLARE),
        ),
        domains.disable: Operation(
            "disableDomain",
            "Disable a domain for new mailboxes; existing ones stay",
            problems=("domain_not_found",),
        ),
        domains.delete: Operation(
            "deleteDomain",
            "Delete a domain that was bound here, with its zone at Cloudflare",
            problems=(
                "domain_not_found",
                "domain_in_use",
                "domain_not_ours_to_delete",
                *_CLOUDFLARE,
            ),
        ),
        domains.events: Operation(
            "getDomainHistory",
            "List the history of a domain, newest first, with Cloudflare's exact answers",
            problems=("domain_not_found",),
        ),
        domains.capacity: Operation(
            "getDomainCapacity",
            "Get how much of its limits at Cloudflare a domain uses, and what of others is in the way",
            problems=("domain_not_found",),
        ),
    },
    "operation": {
        rejections.list_rejections: Operation(
            "listRejections", "List permanently rejected messages, newest first", query=rejections.ListRejections
        ),
        audit.list_entries: Operation("listAuditEntries", "List the audit log, newest first", query=audit.ListEntries),
        meta.health: Operation("getHealth", "Check whether this installation is alive"),
        meta.ready: Operation(
            "getReadiness", "Check whether this process can serve requests; if not, why", problems=("not_ready",)
        ),
        meta.version: Operation("getVersion", "Get the version of this release"),
        meta.meta: Operation("getMeta", "Get public information: domains, lifetimes, rules for addresses"),
        meta.openapi: Operation("getOpenApi", "Get this OpenAPI document"),
    },
}
