"""`/domains`, for admins: bind an apex, see what Cloudflare says of each, try again, switch off."""

from dataclasses import dataclass
from typing import Any, Final

from litestar import Request, Response, get, post

from kaisoumail.errors import CODES, Problem
from kaisoumail.model.domain import CatalogEntry, DomainStatus
from kaisoumail.model.user import Viewer
from kaisoumail.operations import domains
from kaisoumail.operations.context import Context
from kaisoumail.operations.domain_catalog import Catalog, read_catalog
from kaisoumail.operations.meta import read_meta
from kaisoumail.operations.token_check import check_token
from kaisoumail.web.languages import knows
from kaisoumail.web.problems import Explained, explained
from kaisoumail.web.render import page, url
from kaisoumail.web.session import form_of, go_to

NOTICES: Final = ("bound", "retried", "disabled")
_EVENTS_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Row:
    """
    One line of the catalogue.

    *state* is a word of ours, see `state_of`; *raw* what the product and Cloudflare call it; *reason*
    why it is not ready.
    """

    entry: CatalogEntry
    state: str
    raw: str
    zone_status: str | None
    zone_id: str | None
    name_servers: tuple[str, ...]
    reason: Explained | None

    @property
    def key(self) -> str:
        """What the URL calls this line: the domain's id, or its name while it has none."""
        return self.entry.domain.id if self.entry.domain else self.entry.root_domain


@get("/domains")
async def show_domains(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> Response[Any]:
    return await _domains(request, viewer, context)


@get("/domains/token")
async def show_token(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> Response[Any]:
    """What the token may do, tried now by harmless calls."""
    check = await check_token(context, viewer)
    problem = explained(check.problem) if check.problem else None
    return page(request, "domains/token.html", check=check, problem=problem)


@post("/domains", status_code=303)
async def bind(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> Response[Any]:
    viewer.must_be_admin()
    typed = (await form_of(request)).get("domain", "")
    try:
        bound = await domains.bind(context, viewer, typed)
    except Problem as problem:
        return await _domains(request, viewer, context, typed, problem)
    details = None if bound.domain.is_active else bound.domain.id
    return go_to(url("/domains", notice="bound", domain=bound.domain.id, details=details))


@post("/domains/enable", status_code=303)
async def enable(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> Response[Any]:
    viewer.must_be_admin()
    form = await form_of(request)
    try:
        bound = await domains.enable(context, viewer, form.get("domain", ""), form.get("zone_id", ""))
    except Problem as problem:
        return await _domains(request, viewer, context, problem=problem)
    return go_to(url("/domains", notice="bound", domain=bound.domain.id))


@post("/domains/{domain_id:str}/delete", status_code=303)
async def delete(request: "Request[Any, Any, Any]", domain_id: str, viewer: Viewer, context: Context) -> Response[None]:
    """The name has to be typed: a zone goes with every record in it."""
    typed = (await form_of(request)).get("name", "")
    try:
        await domains.delete(context, viewer, domain_id, typed_name=typed)
    except Problem as problem:
        return _refused(domain_id, problem)
    return go_to(url("/domains", notice="deleted", name=typed))


@post("/domains/{domain_id:str}/retry", status_code=303)
async def retry(domain_id: str, viewer: Viewer, context: Context) -> Response[None]:
    try:
        await domains.retry(context, viewer, domain_id)
    except Problem as problem:
        return _refused(domain_id, problem)
    return go_to(url("/domains", notice="retried", domain=domain_id))


@post("/domains/{domain_id:str}/disable", status_code=303)
async def disable(domain_id: str, viewer: Viewer, context: Context) -> Response[None]:
    try:
        await domains.disable(context, viewer, domain_id)
    except Problem as problem:
        return _refused(domain_id, problem)
    return go_to(url("/domains", notice="disabled", domain=domain_id))


def _refused(domain_id: str, problem: Problem) -> Response[None]:
    """Back to the catalogue, which says why. Only the code and the wait travel in the URL, never a text."""
    if problem.code in ("admin_required", "authentication_required"):
        raise problem
    seconds = problem.details.get("retryAfterSeconds")
    wait = str(seconds) if isinstance(seconds, int) else None
    return go_to(url("/domains", notice="refused", domain=domain_id, code=problem.code, seconds=wait))


async def _domains(
    request: "Request[Any, Any, Any]", viewer: Viewer, context: Context, typed: str = "", problem: Problem | None = None
) -> Response[Any]:
    catalog = await read_catalog(context, viewer)
    rows = rows_of(catalog)
    asked = request.query_params
    shown = _row_called(rows, asked.get("details"))
    known = shown.entry.domain if shown else None
    noticed = _row_called(rows, asked.get("domain"))
    return page(
        request,
        "domains/page.html",
        status=problem.kind.status if problem else 200,
        rows=rows,
        meta=await read_meta(context),
        routing_enabled=context.routing.enabled,
        typed=typed,
        problem=explained(problem) if problem else None,
        trouble=explained(catalog.problem) if catalog.problem else None,
        notice=_notice(asked.get("notice", ""), noticed),
        noticed=noticed,
        refusal=_refusal_in(asked.get("code", ""), asked.get("seconds", "")),
        details=shown,
        history=(await domains.history(context, viewer, known.id))[:_EVENTS_SHOWN] if known else (),
        deleted=asked.get("name", "")[:253] if asked.get("notice") == "deleted" else None,
    )


def rows_of(catalog: Catalog) -> tuple[Row, ...]:
    return tuple(_row(entry) for entry in catalog.entries)


def state_of(entry: CatalogEntry) -> str:
    """
    `not_enabled`, `ready`, `off`, `waiting` (for name servers), `delegated` (they are set, Email Routing is
    still off: Retry finishes it) or `attention`.
    """
    domain = entry.domain
    if domain is None:
        return "not_enabled"
    if domain.status is DomainStatus.ACTIVE:
        return "ready"
    if domain.status is DomainStatus.DISABLED:
        return "off"
    zone_status = entry.zone.status if entry.zone else domain.zone_status
    if zone_status == "pending":
        return "waiting"
    is_delegated = zone_status == "active" and domain.last_provision_code == "cloudflare_zone_not_active"
    return "delegated" if is_delegated else "attention"


def _row(entry: CatalogEntry) -> Row:
    domain, zone = entry.domain, entry.zone
    zone_status = zone.status if zone else domain.zone_status if domain else None
    return Row(
        entry=entry,
        state=state_of(entry),
        raw=" · ".join(filter(None, [domain.status.value if domain else "not_enabled", zone_status])),
        zone_status=zone_status,
        zone_id=zone.id if zone else domain.zone_id if domain else None,
        name_servers=zone.name_servers if zone else domain.name_servers if domain else (),
        reason=_reason(entry),
    )


def _reason(entry: CatalogEntry) -> Explained | None:
    domain = entry.domain
    if domain is None or domain.status is not DomainStatus.PROVISIONING_ERROR:
        return None
    code, told = domain.last_provision_code or "internal", domain.last_provision_details
    return explained(Problem(code, domain.last_provision_error or "", **told))


def _row_called(rows: tuple[Row, ...], key: str | None) -> Row | None:
    return next((row for row in rows if row.key == key), None)


def _notice(done: str, row: Row | None) -> str | None:
    """The words for what was done and what came of it; None for an address bar somebody played with."""
    key = f"notice.{done}_{row.state}" if row and done in NOTICES else ""
    return key if knows(key) else None


def _refusal_in(code: str, seconds: str) -> Explained | None:
    wait = int(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) < 6 else 0
    return explained(Problem(code, "", retryAfterSeconds=wait)) if code in CODES else None
