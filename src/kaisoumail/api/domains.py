"""`/api/domains`: for admins."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post

from kaisoumail.api.domain_shapes import (
    CapacityShape,
    CloudflareSyncShape,
    DomainCatalogShape,
    DomainHistoryShape,
    DomainListShape,
    DomainShape,
    TokenCheckShape,
    capacity_shape,
    catalog_shape,
    domain_event_shape,
    domain_shape,
    token_check_shape,
)
from kaisoumail.api.fields import invalid, read_body
from kaisoumail.errors import Problem
from kaisoumail.http.problems import problem_shape
from kaisoumail.model.clock import iso_or_none
from kaisoumail.model.user import Viewer
from kaisoumail.operations import domains
from kaisoumail.operations.capacity import read_capacity
from kaisoumail.operations.context import Context
from kaisoumail.operations.domain_catalog import Catalog, read_catalog
from kaisoumail.operations.token_check import check_token


class BindDomain(msgspec.Struct, rename="camel"):
    mail_domain: str | msgspec.UnsetType = msgspec.UNSET
    root_domain: str | msgspec.UnsetType = msgspec.UNSET


class EnableDomain(msgspec.Struct, rename="camel"):
    zone_id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    mail_domain: str | msgspec.UnsetType = msgspec.UNSET
    root_domain: str | msgspec.UnsetType = msgspec.UNSET


@get("/api/domains")
async def list_domains(viewer: Viewer, context: Context) -> DomainListShape:
    return DomainListShape(domains=[domain_shape(domain) for domain in await domains.list_domains(context, viewer)])


@get("/api/domains/catalog")
async def catalog(viewer: Viewer, context: Context) -> DomainCatalogShape:
    found = await read_catalog(context, viewer)
    rows = [catalog_shape(entry, found.delegations.get(entry.root_domain)) for entry in found.entries]
    return DomainCatalogShape(domains=rows, cloudflare_sync=_sync(found, context.clock()))


@post("/api/domains/bind")
async def bind(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> Response[DomainShape]:
    """The domain, with 201 if its name had no row before, else 200."""
    viewer.must_be_admin()
    form = await read_body(request, BindDomain)
    bound = await domains.bind(context, viewer, _required_domain(form))
    return Response(domain_shape(bound.domain), status_code=201 if bound.is_new else 200)


@post("/api/domains")
async def enable(request: "Request[Any, Any, Any]", viewer: Viewer, context: Context) -> Response[DomainShape]:
    """The domain, with 201 if its name had no row before, else 200."""
    viewer.must_be_admin()
    form = await read_body(request, EnableDomain)
    name, zone_id = _required_domain(form), form.zone_id.strip()
    if not zone_id:
        raise Problem("invalid_request", "zoneId is required")
    bound = await domains.enable(context, viewer, name, zone_id)
    return Response(domain_shape(bound.domain), status_code=201 if bound.is_new else 200)


@get("/api/domains/token-check")
async def token_check(viewer: Viewer, context: Context) -> TokenCheckShape:
    return token_check_shape(await check_token(context, viewer))


@post("/api/domains/{domain_id:str}/delete", status_code=204)
async def delete(domain_id: str, viewer: Viewer, context: Context) -> None:
    await domains.delete(context, viewer, domain_id)


@get("/api/domains/{domain_id:str}/events")
async def events(domain_id: str, viewer: Viewer, context: Context) -> DomainHistoryShape:
    history = await domains.history(context, viewer, domain_id)
    return DomainHistoryShape(events=[domain_event_shape(event) for event in history])


@get("/api/domains/{domain_id:str}/capacity")
async def capacity(domain_id: str, viewer: Viewer, context: Context) -> CapacityShape:
    return capacity_shape(await read_capacity(context, viewer, domain_id))


@post("/api/domains/{domain_id:str}/retry", status_code=200)
async def retry(domain_id: str, viewer: Viewer, context: Context) -> DomainShape:
    return domain_shape(await domains.retried(context, viewer, domain_id))


@post("/api/domains/{domain_id:str}/disable", status_code=200)
async def disable(domain_id: str, viewer: Viewer, context: Context) -> DomainShape:
    return domain_shape(await domains.disable(context, viewer, domain_id))


def one_domain(mail_domain: str | msgspec.UnsetType, root_domain: str | msgspec.UnsetType) -> str | None:
    """
    The domain in either of two names for one field, trimmed and lower-case; None without both.

    Raises Problem `invalid_request` when they differ.
    """
    names = {name.strip().lower() for name in (mail_domain, root_domain) if isinstance(name, str)}
    if len(names) > 1:
        raise invalid(field_errors={"mailDomain": ["mailDomain and rootDomain must match when both are provided"]})
    return next(iter(names), None)


def _required_domain(form: BindDomain | EnableDomain) -> str:
    name = one_domain(form.mail_domain, form.root_domain)
    if name is None:
        raise invalid(field_errors={"mailDomain": ["Either mailDomain or rootDomain is required"]})
    return name


def _sync(found: Catalog, now: datetime) -> CloudflareSyncShape:
    problem = found.problem
    limited = problem is not None and problem.code == "cloudflare_rate_limited"
    context = dict(problem.details.get("rateLimitContext") or {}) if problem and limited else {}
    age = now - found.zones_seen_at if found.zones_seen_at else None
    return CloudflareSyncShape(
        status="live" if problem is None else "rate_limited",
        state=_sync_state(found),
        retry_after=context.pop("retryAfter", None),
        retry_after_seconds=context.pop("retryAfterSeconds", None),
        rate_limit_context=context or None,
        problem={**problem_shape(problem), "code": problem.code} if problem else None,
        zones_seen_at=iso_or_none(found.zones_seen_at),
        zones_age_seconds=max(0, int(age.total_seconds())) if age else None,
    )


def _sync_state(found: Catalog) -> str:
    if found.problem is not None:
        return "rate_limited" if found.problem.code == "cloudflare_rate_limited" else "unavailable"
    return "live" if found.zones_seen_at is not None else "not_managed"
