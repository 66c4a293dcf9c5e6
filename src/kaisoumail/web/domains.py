"""`/domains`, for admins: bind an apex and watch it happen, see what Cloudflare says of each, try again, switch off."""

from typing import Any, Final

from litestar import Request, Response, get, post

from kaisoumail.errors import CODES, Problem
from kaisoumail.model.domain import Domain
from kaisoumail.model.user import Viewer
from kaisoumail.operations import domains
from kaisoumail.operations.bind_progress import read_bind_progress
from kaisoumail.operations.context import Context
from kaisoumail.operations.domain_catalog import read_catalog
from kaisoumail.operations.domains import NameCheck
from kaisoumail.operations.meta import read_meta
from kaisoumail.operations.token_check import check_token
from kaisoumail.web.domain_rows import DomainRow, fingerprint_of, row_called, rows_of
from kaisoumail.web.languages import knows
from kaisoumail.web.problems import ProblemView, problem_view
from kaisoumail.web.render import page, url
from kaisoumail.web.session import form_of, go_to

NOTICES: Final = ("bound", "retried", "disabled")
_EVENTS_SHOWN: Final = 8
_MOST_TYPED: Final = 400


@get("/domains")
async def show_domains(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> Response[Any]:
    return await _domains(request, viewer, context)


@get("/domains/token")
async def show_token(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> Response[Any]:
    """What the token may do, tried now by harmless calls."""
    check = await check_token(context, viewer)
    problem = problem_view(check.problem) if check.problem else None
    return page(request, "domains/token.html", check=check, problem=problem)


@get("/domains/check")
async def check(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> Response[Any]:
    """What would come of the name being typed, by the rules alone."""
    typed = request.query_params.get("domain", "").strip()
    checked = await domains.check_name(context, viewer, typed) if "." in typed else None
    return _piece(request, "_check", typed=typed, checked=checked, problem=_explained(checked))


@get("/domains/rows")
async def show_rows(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> Response[Any]:
    """The table anew, Cloudflare left alone; 204 when nothing changed since `seen`."""
    catalog = await read_catalog(context, viewer, ask=False)
    rows = rows_of(catalog)
    if fingerprint_of(rows) == request.query_params.get("seen"):
        return _unchanged()
    return _piece(
        request, "_catalog", rows=rows, catalog=catalog, seen=fingerprint_of(rows), meta=await read_meta(context)
    )


@get("/domains/{key:str}/live")
async def show_live(request: "Request[Any, Any, Any]", key: str, viewer: Viewer, context: Context) -> Response[Any]:
    """What changes in the details while one waits; 204 when nothing did since `seen`."""
    row = row_called(rows_of(await read_catalog(context, viewer, ask=False)), key)
    if row is None or row.seen == request.query_params.get("seen"):
        return _unchanged()
    return _piece(request, "_live", details=row)


@get("/domains/binding")
async def show_binding(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> Response[Any]:
    """How far a bind is. Once it has come to a row, the page around it is sent there."""
    name = request.query_params.get("name", "")[:_MOST_TYPED]
    progress = await read_bind_progress(context, viewer, name)
    if progress is None:
        raise Problem("domain_not_found", "Mailbox domain not found")
    there = _bound(progress.domain, binding=name) if progress.domain and not progress.is_open else None
    headers = {"hx-redirect": there} if there else {}
    problem = problem_view(progress.problem, at=context.clock()) if progress.problem else None
    return _piece(request, "_binding", headers=headers, progress=progress, refused=problem)


@post("/domains", status_code=303)
async def bind(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> Response[Any]:
    """With JavaScript the steps are shown as they happen; without it the answer waits for the last one."""
    viewer.must_be_admin()
    typed = (await form_of(request)).get("domain", "")
    try:
        if request.headers.get("hx-request") == "true":
            begun = await domains.start_bind(context, viewer, typed)
            return go_to(url("/domains", binding=begun.root_domain))
        bound = await domains.bind(context, viewer, typed)
    except Problem as problem:
        return await _domains(request, viewer, context, typed, problem)
    return go_to(_bound(bound.domain))


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


def _bound(domain: Domain, binding: str | None = None) -> str:
    """Where a bind leads: to its row, with the details open while something is left to do."""
    details = None if domain.is_active else domain.id
    return url("/domains", notice="bound", domain=domain.id, details=details, binding=binding)


def _refused(domain_id: str, problem: Problem) -> Response[None]:
    """Back to the catalogue, which says why. Only the code travels in the URL: the history has the rest."""
    if problem.code in ("admin_required", "authentication_required"):
        raise problem
    return go_to(url("/domains", notice="refused", domain=domain_id, code=problem.code))


async def _domains(
    request: "Request[Any, Any, Any]", viewer: Viewer, context: Context, typed: str = "", problem: Problem | None = None
) -> Response[Any]:
    asked = request.query_params
    binding = asked.get("binding", "")[:_MOST_TYPED]
    progress = await read_bind_progress(context, viewer, binding) if binding else None
    if progress and progress.domain and not progress.is_open and "notice" not in asked:
        return go_to(_bound(progress.domain, binding=binding))  # it was done before the page could ask how far it is
    # A bind that goes on has the next places at Cloudflare: the table can wait.
    catalog = await read_catalog(context, viewer, ask=not (progress and progress.is_open))
    rows, now = rows_of(catalog), context.clock()
    shown = row_called(rows, asked.get("details"))
    known = shown.entry.domain if shown else None
    noticed = row_called(rows, asked.get("domain"))
    return page(
        request,
        "domains/page.html",
        status=problem.kind.status if problem else 200,
        rows=rows,
        catalog=catalog,
        seen=fingerprint_of(rows),
        meta=await read_meta(context),
        routing_enabled=context.cloudflare.enabled,
        typed=typed or (binding if progress and not progress.domain else ""),
        checked=None,
        problem=problem_view(problem, at=now) if problem else None,
        progress=progress,
        refused=problem_view(progress.problem, at=now) if progress and progress.problem else None,
        trouble=problem_view(catalog.problem, at=now) if catalog.problem else None,
        notice=_notice(asked.get("notice", ""), noticed),
        noticed=noticed,
        refusal=await _refusal(context, viewer, noticed, asked.get("code", "")),
        details=shown,
        history=(await domains.history(context, viewer, known.id))[:_EVENTS_SHOWN] if known else (),
        deleted=asked.get("name", "")[:253] if asked.get("notice") == "deleted" else None,
    )


def _explained(checked: NameCheck | None) -> ProblemView | None:
    return problem_view(checked.problem) if checked and checked.problem else None


def _notice(done: str, row: DomainRow | None) -> str | None:
    """The words for what was done and what came of it; None for an address bar somebody played with."""
    key = f"notice.{done}_{row.state}" if row and done in NOTICES else ""
    return key if knows(key) else None


async def _refusal(context: Context, viewer: Viewer, row: DomainRow | None, code: str) -> ProblemView | None:
    """The refusal that the URL names, with Cloudflare's answer where the domain's history has it."""
    if code not in CODES:
        return None
    domain = row.entry.domain if row else None
    history = await domains.history(context, viewer, domain.id) if domain else []
    event = next((event for event in history if event.code == code), None)
    if event is None:
        return problem_view(Problem(code, ""))
    return problem_view(Problem(code, event.message or "", **event.details), at=event.at)


def _piece(request: "Request[Any, Any, Any]", name: str, **values: Any) -> Response[Any]:
    return page(request, "domains/fragment.html", piece=f"domains/{name}.html", **values)


def _unchanged() -> Response[Any]:
    return Response(None, status_code=204, headers={"cache-control": "no-store"})
