"""Open311 GeoReport v2 (wiki.open311.org/GeoReport_v2): categories are its services, a request becomes a decision."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from nlp.decision import Decision
from nlp.taxonomy import Label, Taxonomy
from serving.access.scope import Scope
from serving.access.who import Who
from serving.adapters.form import form_body, form_of
from serving.adapters.markup import MEDIA, Shape, answers, query
from serving.adapters.report import Report
from serving.adapters.tickets import Search, Tickets
from serving.adapters.tongue import OF_THE_BODY, problem_of
from serving.door.described import Direct, Handler
from serving.schema import Fault
from serving.service import Service

PREFIX = "/open311/v2"
STATUSES = (200, 400, 403, 404, 413, 415, 429, 503)
FIELDS = ("api_key", "jurisdiction_id", "lat", "long", "address_string", "address_id", "phone", "media_url")
Endpoint = Callable[[Request], Awaitable[Response]]
RETOLD = {401: 403, 422: 400}
SERVICES = Shape("services", "service")
DEFINITION = Shape("service_definition")
REQUESTS = Shape("service_requests", "request")
ERRORS = Shape("errors", "error")


class GeoReport(Direct):
    """A route whose errors are a list of code and description; a faulty form is 400 there, and a bad key 403."""

    def get_route_handler(self) -> Handler:
        """The endpoint, its errors retold."""

        async def handle(request: Request) -> Response:
            try:
                reply: Response = await self.endpoint(request)
            except Exception as error:
                reply = retold(request, await problem_of(request, error))
            return reply

        return handle


def retold(request: Request, problem: Response) -> Response:
    """Problem details as GeoReport has errors: every fault, each with the HTTP status as its code."""
    content = orjson.loads(problem.body)
    faults = [Fault(**fault) for fault in content["errors"]]
    lines = [f"{fault.path}：{fault.message}" for fault in faults] or [content["detail"]]
    status = RETOLD.get(problem.status_code, problem.status_code)
    reply = ERRORS.answer(request, [{"code": status, "description": line} for line in lines], status)
    reply.headers.update({name: value for name, value in problem.headers.items() if name not in OF_THE_BODY})
    return reply


@dataclass(frozen=True)
class Door:
    """The calls of GeoReport v2."""

    service: Service

    async def services(self, request: Request) -> Response:
        """服务清单：分类体系里的每一个类别。"""
        await self._admit(request)
        taxonomy = self._taxonomy
        return SERVICES.answer(request, [described(label, taxonomy) for label in taxonomy.categories])

    async def definition(self, request: Request) -> Response:
        """一个服务的定义：没有附加字段。"""
        await self._admit(request)
        label = self._label(request.path_params["code"])
        return DEFINITION.answer(request, {"service_code": label.code, "attributes": []})

    async def report(self, request: Request) -> Response:
        """一件诉求：作出决定，答复它的编号。"""
        who = await self._admit(request) if _shows_key(request) else None  # before anything of the body is read
        fields = await form_of(request, self.service.settings.max_body)
        who = who or await self._admit(request, dict(fields).get("api_key", ""))
        report = Report.of(fields)
        chosen, petition = self._label(report.service_code), report.petition
        decisions = await self.service.decided([petition])
        if chosen.code != decisions[0].category.code:
            decisions[0].reasons.append(f"来方选的服务是“{chosen.name}”（{chosen.code}）")
        await self.service.written(decisions, [petition], who)
        answer = {"service_request_id": decisions[0].decision_id, "service_notice": notice(decisions[0])}
        return REQUESTS.answer(request, [{**answer, "account_id": None}])

    async def requests(self, request: Request) -> Response:
        """查诉求：按编号、服务、状态、时间，最新的在前。"""
        who = await self._admit(request)
        settings = self.service.settings
        search = Search.model_validate(dict(request.query_params), context=settings.zone)
        return REQUESTS.answer(request, await self._found(who, search))

    async def request(self, request: Request) -> Response:
        """一件诉求现在怎样。"""
        return REQUESTS.answer(request, await self._one(request))

    async def token(self, request: Request) -> Response:
        """一张凭条对应的编号：这里总是立即给出编号，凭条就是编号。"""
        found = [ticket["service_request_id"] for ticket in await self._one(request)]
        return REQUESTS.answer(request, [{"service_request_id": number, "token": number} for number in found])

    async def _one(self, request: Request) -> list[dict[str, Any]]:
        who = await self._admit(request)
        found = await self._found(
            who, Search.model_validate({"service_request_id": request.path_params["id"].partition(",")[0]})
        )
        if not found:
            raise HTTPException(404, "没有这个编号的诉求")
        return found

    async def _found(self, who: Who, search: Search) -> list[dict[str, Any]]:
        names = {label.code: label.name for label in self._taxonomy.categories}
        settings, journal = self.service.settings, self.service.journal
        tickets, span = Tickets(who, names, settings.zone), search.span(settings.now())
        return await run_in_threadpool(journal.read, lambda connection: tickets.found(connection, search, span))

    async def _admit(self, request: Request, key: str = "") -> Who:
        """Who asks, by the usual headers or by `api_key` of the form or the query."""
        key = key or request.query_params.get("api_key", "")
        return await self.service.access.admit(_with_key(request, key), Scope.operator)

    @property
    def _taxonomy(self) -> Taxonomy:
        return self.service.office.decider.model.taxonomy

    def _label(self, code: str) -> Label:
        label = next((label for label in self._taxonomy.categories if label.code == code), None)
        if label is None:
            raise HTTPException(404, "没有这个 service_code，见 services")
        return label


def described(label: Label, taxonomy: Taxonomy) -> dict[str, Any]:
    """A category as a service."""
    path = taxonomy.paths[label.code]
    return {
        "service_code": label.code, "service_name": label.name, "description": " / ".join(path), "metadata": False,
        "type": "realtime", "keywords": ",".join(reversed(path)), "group": path[-2] if len(path) > 1 else "",
    }  # fmt: skip


def notice(decision: Decision) -> str:
    """What was decided, in one line for whoever sent the request."""
    route = decision.route
    line = f"{decision.category.name}，由{route.unit}办理，{decision.clock.name}"
    return line + "，待人工确认" if decision.needs_human else line


def _shows_key(request: Request) -> bool:
    return _has_header(request) or "api_key" in request.query_params


def _has_header(request: Request) -> bool:
    return "x-api-key" in request.headers or "authorization" in request.headers


def _with_key(request: Request, key: str) -> Request:
    """The request with a key in its headers, where it has none there."""
    if not key or _has_header(request):
        return request
    return Request({**request.scope, "headers": [*request.scope["headers"], (b"x-api-key", key.encode())]})


def routes(service: Service) -> APIRouter:
    """The calls of GeoReport v2, each as JSON and as XML."""
    door = Door(service)
    calls: list[tuple[str, str, Endpoint, dict[str, Any]]] = [
        ("GET", "/services", door.services, query("api_key")),
        ("GET", "/services/{code}", door.definition, query("api_key", path="code")),
        ("POST", "/requests", door.report, form_body("service_code", "description", *FIELDS)),
        ("GET", "/requests", door.requests, query("api_key", *Search.model_fields)),
        ("GET", "/requests/{id}", door.request, query("api_key", path="id")),
        ("GET", "/tokens/{id}", door.token, query("api_key", path="id")),
    ]
    router = APIRouter(prefix=PREFIX, route_class=GeoReport, tags=["Open311"])
    for method, path, endpoint, extra in calls:
        for kind, media in MEDIA.items():
            replies = answers(media, *STATUSES)
            router.add_api_route(
                f"{path}.{kind}", endpoint, methods=[method], response_class=Response, responses=replies,
                openapi_extra=extra,
            )  # fmt: skip
    return router
