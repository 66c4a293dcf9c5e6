"""`/domains`, for admins: bind an apex and follow its progress, see Cloudflare's answers, retry, disable."""

from typing import Any, Final

from litestar import Request, Response, get, post

from kaisoumail.errors import CODES, Problem
from kaisoumail.model.domain import Domain
from kaisoumail.model.user import Viewer
from kaisoumail.operations import domains
from kaisoumail.operations.bind_progress import read_bind_progress
from kaisoumail.operations.capacity import read_capacity
from kaisoumail.operations.context import Context
from kaisoumail.operations.domain_catalog import read_catalog
from kaisoumail.operations.domains import NameCheck
from kaisoumail.operations.meta import read_meta
from kaisoumail.operations.token_check import check_token
from kaisoumail.web.domain_rows import DomainRow, find_row, fingerprint_of, rows_of
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
    """The permissions of the token, checked now with harmless calls."""
    check = await check_token(context, viewer)
    problem = problem_view(check.problem) if check.problem else None
    return page(request, "domains/token.html", check=check, problem=problem)


@get("/domains/check")
async def check(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> Response[Any]:
    """Whether the name being typed could be bound, without a request to Cloudflare."""
    typed = request.query_params.get("domain", "").strip()
    checked = await domains.check_name(context, viewer, typed) if "." in typed else None
    return _fragment(request, "_check", typed=typed, checked=checked, problem=_problem_of(checked))


@get("/domains/rows")
async def show_rows(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> Response[Any]:
    """The table now, without a request to Cloudflare; 204 when nothing changed since `seen`."""
    catalog = await read_catalog(context, viewer, ask=False)
    rows = rows_of(catalog)
    if fingerprint_of(rows) == request.query_params.get("seen"):
        return _unchanged()
    return _fragment(
        request, "_catalog", rows=rows, catalog=catalog, seen=fingerprint_of(rows), meta=await read_meta(context)
    )


@get("/domains/{key:str}/live")
async def show_live(request: "Request[Any, Any, Any]", key: str, viewer: Viewer, context: Context) -> Response[Any]:
    """The part of the details that changes by itself; 204 when nothing changed since `seen`."""
    row = find_row(rows_of(await read_catalog(context, viewer, ask=False)), key)
    if row is None or row.seen == request.query_params.get("seen"):
        return _unchanged()
    return _fragment(request, "_live", details=row)


@get("/domains/binding")
async def show_binding(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> Response[Any]:
    """The progress of a bind. Once the bind has ended with a row, the whole page is redirected to that row."""
    name = request.query_params.get("name", "")[:_MOST_TYPED]
    progress = await read_bind_progress(context, viewer, name)
    if progress is None:
        raise Problem("domain_not_found", "Mailbox domain not found")
    row_url = _bound_url(progress.domain, binding=name) if progress.domain and not progress.is_open else None
    headers = {"hx-redirect": row_url} if row_url else {}
    problem = problem_view(progress.problem, at=context.clock()) if progress.problem else None
    return _fragment(request, "_binding", headers=headers, progress=progress, refused=problem)


@post("/domains", status_code=303)
async def bind(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> Response[Any]:
    """With JavaScript the page shows each step as it happens; without it the answer comes after the last one."""
    viewer.must_be_admin()
    typed = (await form_of(request)).get("domain", "")
    try:
        if request.headers.get("hx-request") == "true":
            started = await domains.start_bind(context, viewer, typed)
            return go_to(url("/domains", binding=started.root_domain))
        bound = await domains.bind(context, viewer, typed)
    except Problem as problem:
        return await _domains(request, viewer, context, typed, problem)
    return go_to(_bound_url(bound.domain))


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
    """Requires the name to be typed: deleting a zone deletes every record in it."""
    typed = (await form_of(request)).get("name", "")
    try:
        await domains.delete(context, viewer, domain_id, typed_name=typed)
    except Problem as problem:
        return _refusal_redirect(domain_id, problem)
    return go_to(url("/domains", notice="deleted", name=typed))


@post("/domains/{domain_id:str}/retry", status_code=303)
async def retry(domain_id: str, viewer: Viewer, context: Context) -> Response[None]:
    try:
        await domains.retry(context, viewer, domain_id)
    except Problem as problem:
        return _refusal_redirect(domain_id, problem)
    return go_to(url("/domains", notice="retried", domain=domain_id))


@post("/domains/{domain_id:str}/disable", status_code=303)
async def disable(domain_id: str, viewer: Viewer, context: Context) -> Response[None]:
    try:
        await domains.disable(context, viewer, domain_id)
    except Problem as problem:
        return _refusal_redirect(domain_id, problem)
    return go_to(url("/domains", notice="disabled", domain=domain_id))


def _bound_url(domain: Domain, binding: str | None = None) -> str:
    """The URL after a bind: its row, with the details open while something is left to do."""
    details = None if domain.is_active else domain.id
    return url("/domains", notice="bound", domain=domain.id, details=details, binding=binding)


def _refusal_redirect(domain_id: str, problem: Problem) -> Response[None]:
    """303 to the catalogue, which shows why. Only the code is in the URL: the history has the rest."""
    if problem.code in ("admin_required", "authentication_required"):
        raise problem
    return go_to(url("/domains", notice="refused", domain=domain_id, code=problem.code))


async def _domains(
    request: "Request[Any, Any, Any]", viewer: Viewer, context: Context, typed: str = "", problem: Problem | None = None
) -> Response[Any]:
    query = request.query_params
    binding = query.get("binding", "")[:_MOST_TYPED]
    progress = await read_bind_progress(context, viewer, binding) if binding else None
    if progress and progress.domain and not progress.is_open and "notice" not in query:
        return go_to(_bound_url(progress.domain, binding=binding))  # it ended before the page could poll its progress
    # While a bind runs, the next requests to Cloudflare are for it: the table does not add its own.
    catalog = await read_catalog(context, viewer, ask=not (progress and progress.is_open))
    rows, now = rows_of(catalog), context.clock()
    details = find_row(rows, query.get("details"))
    known = details.entry.domain if details else None
    noticed = find_row(rows, query.get("domain"))
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
        trouble=problem_view(catalog.problem, at=now) if catalog.problem and context.cloudflare.can_manage else None,
        notice=_notice(query.get("notice", ""), noticed),
        noticed=noticed,
        refusal=await _refusal(context, viewer, noticed, query.get("code", "")),
        details=details,
        history=(await domains.history(context, viewer, known.id))[:_EVENTS_SHOWN] if known else (),
        routing=await read_capacity(context, viewer, known.id) if known and known.is_active else None,
        deleted=query.get("name", "")[:253] if query.get("notice") == "deleted" else None,
    )


def _problem_of(checked: NameCheck | None) -> ProblemView | None:
    return problem_view(checked.problem) if checked and checked.problem else None


def _notice(done: str, row: DomainRow | None) -> str | None:
    """The locale key for what was *done* and its outcome; None for a URL that was edited by hand."""
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


def _fragment(request: "Request[Any, Any, Any]", name: str, **values: Any) -> Response[Any]:
    return page(request, "domains/fragment.html", piece=f"domains/{name}.html", **values)


def _unchanged() -> Response[Any]:
    return Response(None, status_code=204, headers={"cache-control": "no-store"})
