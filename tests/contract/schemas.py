"""
The contract's objects as JSON Schemas, written by hand from its tables, not derived from our code.

Each lists every field with its type and nullability; all are required, and nothing else may be there
but the fields named as *added*, which existing clients ignore.
"""

from typing import Any

from jsonschema import Draft202012Validator

Schema = dict[str, Any]

EMAIL = r"^(?!\.)(?!.*\.\.)([A-Za-z0-9_'+\-\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$"
DATETIME = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$"

STRING: Schema = {"type": "string"}
BOOLEAN: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
INSTANT: Schema = {"type": "string", "pattern": DATETIME}
ADDRESS: Schema = {"type": "string", "pattern": EMAIL}
CURSOR: Schema = {"type": "string", "pattern": r"^c\d+$"}


def one_of(*values: str) -> Schema:
    return {"enum": list(values)}


def or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def list_of(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def an_object(added: Schema | None = None, **fields: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {**fields, **(added or {})},
        "required": list(fields),
        "additionalProperties": False,
    }


SESSION_USER = an_object(id=STRING, email=ADDRESS, name=STRING, role=one_of("admin", "member"))
SESSION = an_object(user=SESSION_USER, authenticatedAt=INSTANT)

PASSKEY = an_object(
    id=STRING,
    name={"type": "string", "minLength": 1, "maxLength": 64},
    credentialId=STRING,
    deviceType=one_of("singleDevice", "multiDevice"),
    backedUp=BOOLEAN,
    transports=list_of(STRING),
    createdAt=INSTANT,
    lastUsedAt=or_null(INSTANT),
    revokedAt=or_null(INSTANT),
)
_BASE64URL: Schema = {"type": "string", "pattern": r"^[A-Za-z0-9_-]+$"}
_CHALLENGE: Schema = {"type": "string", "pattern": r"^[A-Za-z0-9_-]{43}$"}  # 32 bytes
PASSKEY_REQUEST = an_object(
    rpId=STRING, challenge=_CHALLENGE, timeout={"const": 60000}, userVerification={"const": "required"}
)
PASSKEY_CREATION = an_object(
    challenge=_CHALLENGE,
    rp=an_object(name={"const": "KaisouMail"}, id=STRING),
    user=an_object(id=_BASE64URL, name=STRING, displayName=STRING),
    pubKeyCredParams={"const": [{"type": "public-key", "alg": alg} for alg in (-8, -7, -257)]},
    timeout={"const": 60000},
    attestation={"const": "none"},
    excludeCredentials=list_of(an_object(id=_BASE64URL, type={"const": "public-key"}, transports=list_of(STRING))),
    authenticatorSelection={
        "const": {"residentKey": "required", "requireResidentKey": True, "userVerification": "required"}
    },
    extensions={"const": {"credProps": True}},
    hints={"const": []},
)

_MAILBOX: Schema = {
    "id": STRING,
    "userId": STRING,
    "localPart": STRING,
    "subdomain": STRING,
    "mailDomain": STRING,
    "rootDomain": STRING,
    "address": ADDRESS,
    "source": one_of("registered", "catch_all"),
    "status": one_of("active", "expired", "destroying", "destroyed"),
    "createdAt": INSTANT,
    "lastReceivedAt": or_null(INSTANT),
    "expiresAt": or_null(INSTANT),
    "destroyedAt": or_null(INSTANT),
    "routingRuleId": or_null(STRING),
}
MAILBOX = an_object({"unreadCount": COUNT}, **_MAILBOX)
MAILBOX_NOW = an_object({"unreadCount": COUNT, "cursor": CURSOR}, **_MAILBOX)

LINK = an_object(url=STRING, host=STRING, text=STRING, kind=one_of("confirm", "sign_in", "reset", "invite"))
VERIFICATION = an_object(
    {
        "evidence": or_null({"type": "string", "maxLength": 120}),
        "word": or_null(STRING),
        "confidence": or_null({"type": "number", "minimum": 0, "maximum": 1}),
        "link": or_null(LINK),
    },
    code={"type": "string", "minLength": 4, "maxLength": 8},
    source=one_of("subject", "body"),
    method=one_of("rules", "ai"),
)

_SUMMARY: Schema = {
    "id": STRING,
    "mailboxId": STRING,
    "mailboxAddress": ADDRESS,
    "subject": STRING,
    "previewText": {"type": "string", "maxLength": 140},
    "fromName": or_null(STRING),
    "fromAddress": or_null(ADDRESS),
    "receivedAt": INSTANT,
    "sizeBytes": COUNT,
    "attachmentCount": COUNT,
    "hasHtml": BOOLEAN,
    "verification": or_null(VERIFICATION),
}
_ADDED_TO_MESSAGES: Schema = {
    "parseStatus": one_of("parsed", "failed"),
    "isRead": BOOLEAN,
    "readAt": or_null(INSTANT),
    "link": or_null(LINK),
}
MESSAGE = an_object(_ADDED_TO_MESSAGES, **_SUMMARY)

RECIPIENT = an_object(id=STRING, kind=one_of("to", "cc", "bcc", "replyTo"), name=or_null(STRING), address=ADDRESS)
ATTACHMENT = an_object(
    {"downloadPath": STRING},
    id=STRING,
    filename=or_null(STRING),
    contentType=STRING,
    sizeBytes=COUNT,
    contentId=or_null(STRING),
    disposition=one_of("attachment", "inline", "unknown"),
)
_FINDING = or_null(
    an_object(
        result=one_of("pass", "fail", "softfail", "neutral", "none", "policy", "temperror", "permerror"),
        domain=or_null(STRING),
    )
)
_ADDED_TO_DETAIL: Schema = {
    "htmlPath": or_null(STRING),
    "parseDefects": list_of(STRING),
    "authentication": or_null(an_object(spf=_FINDING, dkim=_FINDING, dmarc=_FINDING)),
}
MESSAGE_DETAIL = an_object(
    {**_ADDED_TO_MESSAGES, **_ADDED_TO_DETAIL},
    **_SUMMARY,
    envelopeFrom=or_null(STRING),
    envelopeTo=ADDRESS,
    messageId=or_null(STRING),
    dateHeader=or_null(INSTANT),
    html=or_null(STRING),
    text=or_null(STRING),
    headers=list_of(an_object(key=STRING, value=STRING)),
    recipients=an_object(
        to=list_of(RECIPIENT), cc=list_of(RECIPIENT), bcc=list_of(RECIPIENT), replyTo=list_of(RECIPIENT)
    ),
    attachments=list_of(ATTACHMENT),
    rawDownloadPath=STRING,
)

WAITED = an_object(message=MESSAGE_DETAIL, cursor=CURSOR)
_NEXT_PAGE: Schema = {"nextCursor": or_null(STRING)}

_DOMAIN: Schema = {
    "mailDomain": STRING,
    "rootDomain": STRING,
    "zoneId": or_null(STRING),
    "catchAllEnabled": BOOLEAN,
    "subdomainDnsMode": one_of("explicit", "wildcard"),
    "wildcardDnsVerifiedAt": or_null(INSTANT),
    "wildcardDnsLastError": or_null(STRING),
    "lastProvisionError": or_null(STRING),
    "lastProvisionedAt": or_null(INSTANT),
    "disabledAt": or_null(INSTANT),
}
_SOURCE = one_of("catalog", "project_bind")
_REFUSAL = {
    "lastProvisionCode": or_null(STRING),
    "lastProvisionGuide": or_null(STRING),
    "nextLookAt": or_null(INSTANT),
}
PUBLIC_DNS = an_object(
    answer=one_of("name_servers", "no_such_name", "nothing", "refused", "no_answer"),
    nameServers=list_of(STRING),
    askedAt=INSTANT,
    isDelegated={"type": "boolean"},
)
DOMAIN = an_object(
    {**_REFUSAL, "cloudflareStatus": or_null(STRING), "nameServers": list_of(STRING)},
    **_DOMAIN,
    id=STRING,
    bindingSource=_SOURCE,
    status=one_of("active", "disabled", "provisioning_error"),
    createdAt=INSTANT,
    updatedAt=INSTANT,
)
CATALOG_ITEM = an_object(
    {**_REFUSAL, "publicDns": or_null(PUBLIC_DNS)},
    **_DOMAIN,
    id=or_null(STRING),
    bindingSource=or_null(_SOURCE),
    cloudflareAvailability=one_of("available", "missing"),
    cloudflareStatus=or_null(STRING),
    nameServers=list_of(STRING),
    projectStatus=one_of("not_enabled", "active", "disabled", "provisioning_error"),
    createdAt=or_null(INSTANT),
    updatedAt=or_null(INSTANT),
)
RATE_LIMIT_CONTEXT = an_object(
    triggeredAt=INSTANT,
    projectOperation=STRING,
    projectRoute=STRING,
    cloudflareMethod=STRING,
    cloudflarePath=STRING,
    lastBlockedAt=or_null(INSTANT),
    lastBlockedBy=or_null(an_object(projectOperation=STRING, projectRoute=STRING)),
)
CLOUDFLARE_SYNC = an_object(
    {
        "problem": or_null(an_object(error=STRING, code=STRING, details={"type": "object"})),
        "zonesSeenAt": or_null(INSTANT),
        "zonesAgeSeconds": or_null(COUNT),
        "state": one_of("live", "rate_limited", "unavailable", "not_managed"),
    },
    status=one_of("live", "rate_limited"),
    retryAfter=or_null(INSTANT),
    retryAfterSeconds=or_null(COUNT),
    rateLimitContext=or_null(RATE_LIMIT_CONTEXT),
)
DOMAIN_EVENT = an_object(
    id=STRING, at=INSTANT, kind=STRING, code=or_null(STRING), message=or_null(STRING), details={"type": "object"}
)

META = an_object(
    {"cloudflareVerified": or_null(an_object(checkedAt=INSTANT, ok=BOOLEAN))},
    domains=list_of(STRING),
    cloudflareDomainBindingEnabled=BOOLEAN,
    cloudflareDomainLifecycleEnabled=BOOLEAN,
    cloudflareCatchAllManagementEnabled=BOOLEAN,
    cloudflareCatchAllEnablementEnabled=BOOLEAN,
    passkeyAuthEnabled=BOOLEAN,
    passkeyTrustedOrigins=list_of(STRING),
    supportsUnlimitedMailboxTtl={"const": True},
    defaultMailboxTtlMinutes={"type": "integer", "minimum": 60, "maximum": 525600},
    minMailboxTtlMinutes={"const": 60},
    maxMailboxTtlMinutes={"const": 525600},
    addressRules=an_object(
        format={"const": "localPart@subdomain.rootDomain"},
        localPartPattern=STRING,
        subdomainPattern=STRING,
        examples=list_of(ADDRESS),
    ),
)
VERSION = an_object(version=STRING, commitSha=STRING, branch=STRING, builtAt=INSTANT)
HEALTH = an_object(ok={"const": True})
READY = an_object(ready={"const": True}, reasons=list_of(STRING))
ERROR = {
    "type": "object",
    "properties": {"error": STRING, "details": {"type": ["object", "null"]}},
    "required": ["error", "details"],
    "additionalProperties": False,
}

PROBE = an_object(permission=STRING, zone=or_null(STRING), granted=BOOLEAN, refusal=or_null(STRING))
TOKEN_CHECK = an_object(
    ok=BOOLEAN,
    checkedAt=INSTANT,
    unconfigured=list_of(STRING),
    tokenKind=or_null(one_of("user", "account")),
    accountReachable={"type": ["boolean", "null"]},
    zonesVisible=or_null(COUNT),
    permissions=list_of(PROBE),
    missing=list_of(PROBE),
    problem=or_null(ERROR),
)

REJECTION = an_object(
    id=STRING, at=INSTANT, door=one_of("smtp", "worker"), sender=STRING, recipient=STRING, code=STRING
)

USER = an_object(
    {"disabledAt": or_null(INSTANT)},
    id=STRING,
    email=ADDRESS,
    name=STRING,
    role=one_of("admin", "member"),
    createdAt=INSTANT,
    updatedAt=INSTANT,
)
API_KEY = an_object(
    {
        "expiresAt": or_null(INSTANT),
        "mailboxId": or_null(STRING),
        "domainId": or_null(STRING),
        "createdBy": or_null(STRING),
    },
    id=STRING,
    name=STRING,
    prefix={"type": "string", "minLength": 12, "maxLength": 12},
    scopes=list_of(STRING),
    createdAt=INSTANT,
    lastUsedAt=or_null(INSTANT),
    revokedAt=or_null(INSTANT),
)
SECRET: Schema = {"type": "string", "pattern": "^cfm_[A-Za-z0-9_-]{32}$"}
MADE_KEY = an_object(apiKey=SECRET, apiKeyRecord=API_KEY)
DEVICE = an_object(
    id=STRING,
    createdAt=INSTANT,
    lastSeenAt=INSTANT,
    expiresAt=INSTANT,
    userAgent=or_null(STRING),
    address=or_null(STRING),
    keyId=or_null(STRING),
    passkeyId=or_null(STRING),
    isCurrent=BOOLEAN,
)
AUDIT_ENTRY = an_object(
    id=STRING,
    at=INSTANT,
    action=STRING,
    actor=STRING,
    actorId=or_null(STRING),
    owner=or_null(STRING),
    ownerId=or_null(STRING),
    credentialId=or_null(STRING),
    target=or_null(STRING),
    targetId=or_null(STRING),
    address=or_null(STRING),
    requestId=or_null(STRING),
    details={"type": "object"},
)

# (method, path with {} for an id) → status → body
ANSWERS: dict[tuple[str, str], dict[int, Schema]] = {
    ("GET", "/health"): {200: HEALTH},
    ("GET", "/readyz"): {200: READY},
    ("GET", "/api/version"): {200: VERSION},
    ("GET", "/api/meta"): {200: META},
    ("GET", "/api/auth/session"): {200: SESSION},
    ("POST", "/api/auth/session"): {200: SESSION},
    ("POST", "/api/auth/passkey/options"): {200: PASSKEY_REQUEST},
    ("POST", "/api/auth/passkey/verify"): {200: SESSION},
    ("GET", "/api/passkeys"): {200: an_object(passkeys=list_of(PASSKEY))},
    ("POST", "/api/passkeys/registration/options"): {200: PASSKEY_CREATION},
    ("POST", "/api/passkeys/registration/verify"): {201: PASSKEY},
    ("POST", "/api/passkeys/{}/rename"): {200: PASSKEY},
    ("GET", "/api/domains"): {200: an_object(domains=list_of(DOMAIN))},
    ("GET", "/api/domains/catalog"): {200: an_object(domains=list_of(CATALOG_ITEM), cloudflareSync=CLOUDFLARE_SYNC)},
    ("GET", "/api/domains/token-check"): {200: TOKEN_CHECK},
    ("POST", "/api/domains"): {200: DOMAIN, 201: DOMAIN},
    ("POST", "/api/domains/bind"): {200: DOMAIN, 201: DOMAIN},
    ("GET", "/api/domains/{}/events"): {200: an_object(events=list_of(DOMAIN_EVENT))},
    ("GET", "/api/domains/{}/capacity"): {
        200: an_object(
            rules=an_object(used=COUNT, limit=COUNT, foreign=COUNT),
            hosts=an_object(used=COUNT, limit=COUNT, foreign=COUNT),
            freeing=an_object(expired=COUNT),
            conflicts=list_of(an_object(kind=STRING, subject=STRING, ruleId=or_null(STRING))),
            lookedAt=or_null(INSTANT),
        )
    },
    ("POST", "/api/domains/{}/retry"): {200: DOMAIN},
    ("POST", "/api/domains/{}/disable"): {200: DOMAIN},
    ("GET", "/api/mailboxes"): {200: an_object(_NEXT_PAGE, mailboxes=list_of(MAILBOX))},
    ("POST", "/api/mailboxes"): {201: MAILBOX_NOW},
    ("POST", "/api/mailboxes/ensure"): {200: MAILBOX_NOW, 201: MAILBOX_NOW},
    ("GET", "/api/mailboxes/resolve"): {200: MAILBOX_NOW},
    ("GET", "/api/mailboxes/{}"): {200: MAILBOX_NOW},
    ("DELETE", "/api/mailboxes/{}"): {200: MAILBOX},
    ("GET", "/api/mailboxes/{}/wait"): {200: WAITED},
    ("GET", "/api/messages"): {200: an_object(_NEXT_PAGE, messages=list_of(MESSAGE))},
    ("GET", "/api/messages/wait"): {200: WAITED},
    ("POST", "/api/messages/{}/read"): {200: an_object(message=MESSAGE)},
    ("GET", "/api/messages/{}"): {200: an_object(message=MESSAGE_DETAIL)},
    ("GET", "/api/api-keys"): {200: an_object(apiKeys=list_of(API_KEY))},
    ("POST", "/api/api-keys"): {201: MADE_KEY},
    ("POST", "/api/api-keys/{}/rename"): {200: API_KEY},
    ("GET", "/api/sessions"): {200: an_object(sessions=list_of(DEVICE))},
    ("POST", "/api/sessions/end-all"): {200: an_object(ended=COUNT)},
    ("GET", "/api/users"): {200: an_object(users=list_of(USER))},
    ("POST", "/api/users"): {201: an_object(user=USER, initialKey=MADE_KEY)},
    ("POST", "/api/users/{}"): {200: USER},
    ("POST", "/api/users/{}/disable"): {200: USER},
    ("POST", "/api/users/{}/enable"): {200: USER},
    ("DELETE", "/api/users/{}"): {200: an_object(user=USER, mailboxes=COUNT, transferredTo=or_null(STRING))},
    ("GET", "/api/audit"): {200: an_object(entries=list_of(AUDIT_ENTRY), nextCursor=or_null(STRING))},
    ("GET", "/api/rejections"): {200: an_object(rejections=list_of(REJECTION), nextCursor=or_null(STRING))},
    ("POST", "/api/inbound"): {200: an_object(outcome=one_of("stored", "duplicate"), messageId=STRING)},
}


_PREFIXES = ("dom_", "mbx_", "msg_", "usr_", "key_", "ses_", "psk_")


def check(method: str, path: str, status: int, body: Any) -> None:
    """Raises AssertionError unless *body* is what the contract says *method path* answers with *status*."""
    schema = ERROR if status >= 400 else ANSWERS[method, _without_ids(path)][status]
    problems = [
        f"{'.'.join(map(str, error.absolute_path)) or 'body'}: {error.message}"
        for error in Draft202012Validator(schema).iter_errors(body)
    ]
    assert problems == [], f"{method} {path} → {status}: {problems}"


def _without_ids(path: str) -> str:
    parts = path.split("/")
    return "/".join("{}" if part[:4] in _PREFIXES else part for part in parts)
