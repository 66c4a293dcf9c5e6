"""
What each route is called, reads and refuses, by tag: the table that our OpenAPI description (`openapi.py`) is made of.

A test fails for a route that is not here, and for a form that its handler does not read.
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

# What any route may answer that has something done at Cloudflare.
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
    "mailbox_exists",
    "mailbox_taken",
    "quota_reached",
    "zone_id_missing",
    *_CLOUDFLARE,
)
_PASSKEYS: Final = ("passkey_not_configured", "passkey_origin_not_allowed")
_NAME_OF_DOMAIN: Final = ("not_an_apex", "subdomain_direct_bind_not_supported", "domain_exists", "domain_not_found")

DESCRIBED: Final[Described] = {
    "mailboxes": {
        mailboxes.list_mailboxes: Operation(
            "listMailboxes", "Your mailboxes, newest first; an admin sees everybody's", query=mailboxes.ListMailboxes
        ),
        mailboxes.create_mailbox: Operation(
            "createMailbox",
            "Make a mailbox that receives mail when this answers; what is left out is picked at random",
            bodies=(mailboxes.CreateMailbox,),
            problems=_NEW_MAILBOX,
        ),
        mailboxes.ensure_mailbox: Operation(
            "ensureMailbox",
            "Make the mailbox at one address, or keep the one there is at least as long as asked",
            bodies=(mailboxes.EnsureByAddress, mailboxes.EnsureByParts),
            statuses=(200, 201),
            problems=("invalid_mailbox_address", *_NEW_MAILBOX),
        ),
        mailboxes.destroy_mailbox: Operation(
            "destroyMailbox",
            "Destroy a mailbox with its mails and its rule at Cloudflare; again changes nothing",
            problems=("mailbox_not_found", "forbidden", *_CLOUDFLARE),
        ),
        mailboxes.resolve_mailbox: Operation(
            "resolveMailbox",
            "Find the usable mailbox at an address",
            query=mailboxes.ResolveMailbox,
            problems=("mailbox_not_found",),
        ),
        mailboxes.read_mailbox: Operation(
            "getMailbox", "One mailbox, in whatever state", problems=("mailbox_not_found", "forbidden")
        ),
        wait.wait_in_mailbox: Operation(
            "waitInMailbox",
            "Wait for a mail in one mailbox; 204, with the cursor in x-kaisoumail-cursor, if none came in time",
            query=wait.WaitInMailbox,
            statuses=(200, 204),
            problems=("mailbox_not_found",),
        ),
    },
    "messages": {
        messages.list_messages: Operation(
            "listMessages", "Your messages, newest first; an admin sees everybody's", query=messages.ListMessages
        ),
        wait.wait_anywhere: Operation(
            "waitForMessage",
            "Wait for a mail in any of some mailboxes; 204, with the cursor in x-kaisoumail-cursor, if none came",
            query=wait.WaitAnywhere,
            statuses=(200, 204),
            problems=("mailbox_not_found",),
        ),
        messages.read_message: Operation(
            "getMessage", "One message with its bodies and headers", problems=("message_not_found", "forbidden")
        ),
        messages.delete_message: Operation(
            "deleteMessage", "Delete a message for good", problems=("message_not_found",)
        ),
        messages.mark_message: Operation(
            "markMessage",
            "Mark a message read or unread",
            bodies=(messages.MarkMessage,),
            problems=("message_not_found",),
        ),
        messages.read_raw_message: Operation(
            "getRawMessage",
            "A message as it arrived, byte for byte",
            media="message/rfc822",
            problems=("message_not_found", "forbidden", "raw_message_missing"),
        ),
        message_parts.read_html: Operation(
            "getMessageHtml",
            "A message's HTML made safe, as a document of its own",
            query=message_parts.Shown,
            media="text/html",
            problems=("message_not_found", "raw_message_missing", "html_body_missing"),
        ),
        message_parts.read_attachment: Operation(
            "getAttachment",
            "One attachment, decoded",
            media="*/*",
            problems=("message_not_found", "raw_message_missing", "attachment_not_found"),
        ),
        message_parts.read_picture: Operation(
            "getPicture",
            "A picture in a message's HTML, for who has the ticket that the HTML names",
            query=message_parts.Opening,
            media="*/*",
            problems=("raw_message_missing", "attachment_not_found", "message_not_found"),
        ),
    },
    "events": {
        events.follow: Operation(
            "followEvents",
            "What happens, as Server-Sent Events; goes on from the cursor in Last-Event-ID or since",
            query=events.Follow,
            media="text/event-stream",
        ),
    },
    "api keys": {
        api_keys.list_keys: Operation(
            "listApiKeys",
            "Your API keys; an admin may ask for another user's",
            query=api_keys.ListKeys,
            problems=("admin_required",),
        ),
        api_keys.make_key: Operation(
            "createApiKey",
            "Make an API key; its secret is told this once",
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
            "Give an API key another name",
            bodies=(api_keys.RenameKey,),
            problems=("api_key_not_found",),
        ),
        api_keys.revoke_key: Operation(
            "revokeApiKey",
            "End an API key and the sessions made from it",
            problems=("api_key_not_found", "forbidden"),
        ),
    },
    "sessions": {
        auth.create_session: Operation(
            "signIn",
            "Sign in with an API key; the session comes as a cookie",
            bodies=(auth.SignIn,),
            problems=("invalid_api_key",),
        ),
        auth.read_session: Operation("getCurrentSession", "Who is signed in"),
        auth.end_session: Operation("signOut", "End this session"),
        sessions.list_sessions: Operation("listSessions", "Where you are signed in, the session used last first"),
        sessions.end_session: Operation("endSession", "Sign out on one device", problems=("session_not_found",)),
        sessions.end_all_sessions: Operation("endAllSessions", "Sign out everywhere"),
    },
    "passkeys": {
        auth.start_passkey_sign_in: Operation(
            "startPasskeySignIn",
            "What `navigator.credentials.get()` needs; the challenge is good for one answer",
            problems=_PASSKEYS,
        ),
        auth.finish_passkey_sign_in: Operation(
            "signInWithPasskey",
            "Sign in with what `navigator.credentials.get()` gave; the session comes as a cookie",
            bodies=(passkeys.CredentialForm,),
            problems=("passkey_challenge_missing", "invalid_passkey", *_PASSKEYS),
        ),
        passkeys.list_passkeys: Operation("listPasskeys", "Your passkeys, revoked ones too, the newest first"),
        passkeys.start_registration: Operation(
            "startPasskeyRegistration",
            "What `navigator.credentials.create()` needs; the challenge is good for one answer",
            bodies=(passkeys.NamePasskey,),
            problems=_PASSKEYS,
        ),
        passkeys.finish_registration: Operation(
            "registerPasskey",
            "Keep the passkey that `navigator.credentials.create()` made",
            bodies=(passkeys.CredentialForm,),
            problems=("passkey_challenge_missing", "passkey_registration_failed", "passkey_exists", *_PASSKEYS),
        ),
        passkeys.rename_passkey: Operation(
            "renamePasskey",
            "Give a passkey another name",
            bodies=(passkeys.NamePasskey,),
            problems=("passkey_not_found",),
        ),
        passkeys.revoke_passkey: Operation(
            "revokePasskey",
            "Refuse a passkey from now on, and end the sessions it began",
            problems=("passkey_not_found", "forbidden"),
        ),
    },
    "users": {
        users.list_users: Operation("listUsers", "Everybody, the first one first"),
        users.add_user: Operation(
            "createUser",
            "Add a user; the secret of their first key is told this once",
            bodies=(users.AddUser,),
            problems=("user_exists",),
        ),
        users.change_user: Operation(
            "changeUser",
            "Give a user another name or role",
            bodies=(users.ChangeUser,),
            problems=("user_not_found", "last_admin"),
        ),
        users.disable_user: Operation(
            "disableUser",
            "Sign a user out everywhere and open nothing to their keys; their mailboxes go on receiving",
            problems=("user_not_found", "last_admin"),
        ),
        users.enable_user: Operation("enableUser", "Let a user in again", problems=("user_not_found",)),
        users.remove_user: Operation(
            "deleteUser",
            "Forget a user for good; their mailboxes go to the one named",
            query=users.RemoveUser,
            problems=("user_not_found", "last_admin", "user_has_mailboxes"),
        ),
    },
    "domains": {
        domains.list_domains: Operation("listDomains", "The domains of this installation"),
        domains.catalog: Operation(
            "getDomainCatalog", "Every domain here and every zone at Cloudflare, by name", problems=_CLOUDFLARE
        ),
        domains.token_check: Operation(
            "checkCloudflareToken",
            "What the Cloudflare token may do, tried by harmless calls now",
            problems=_CLOUDFLARE,
        ),
        domains.bind: Operation(
            "bindDomain",
            "Make an apex a domain of ours, with a new zone at Cloudflare",
            bodies=(domains.BindDomain,),
            statuses=(200, 201),
            problems=(*_NAME_OF_DOMAIN, *_CLOUDFLARE),
        ),
        domains.enable: Operation(
            "enableDomain",
            "Make a zone that is at Cloudflare already a domain of ours",
            bodies=(domains.EnableDomain,),
            statuses=(200, 201),
            problems=("zone_not_in_cloudflare", "zone_id_missing", *_NAME_OF_DOMAIN, *_CLOUDFLARE),
        ),
        domains.retry: Operation(
            "retryDomain",
            "Try again to make a domain receive mail",
            problems=("domain_not_found", "domain_disabled", "domain_busy", "zone_id_missing", *_CLOUDFLARE),
        ),
        domains.disable: Operation(
            "disableDomain",
            "Offer no new mailboxes on a domain; those there are stay",
            problems=("domain_not_found", "domain_busy"),
        ),
        domains.delete: Operation(
            "deleteDomain",
            "Delete a domain that was bound here, with its zone at Cloudflare",
            problems=(
                "domain_not_found",
                "domain_in_use",
                "domain_busy",
                "domain_not_ours_to_delete",
                "zone_id_missing",
                *_CLOUDFLARE,
            ),
        ),
        domains.events: Operation(
            "getDomainHistory",
            "What happened to a domain, newest first, with Cloudflare's exact answers",
            problems=("domain_not_found",),
        ),
    },
    "operation": {
        rejections.list_rejections: Operation(
            "listRejections", "Mail that was refused for good, newest first", query=rejections.ListRejections
        ),
        audit.list_entries: Operation("listAuditEntries", "Who did what, newest first", query=audit.ListEntries),
        meta.health: Operation("getHealth", "Whether this installation is alive"),
        meta.ready: Operation(
            "getReadiness", "Whether this process can do its work now; else why not", problems=("not_ready",)
        ),
        meta.version: Operation("getVersion", "Which release this is"),
        meta.meta: Operation("getMeta", "What anybody may know: domains, lifetimes, rules for addresses"),
        meta.openapi: Operation("getOpenApi", "This description"),
    },
}
