"""Facts: what is in force — taxonomy, profiles, model."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request

from serving.service import Service


def routes(service: Service) -> APIRouter:
    """`GET /v1/taxonomy`, `/v1/profiles`, `/v1/models/current`."""

    async def admitted(request: Request) -> None:
        await service.access.admit(request, None)

    router, office = APIRouter(dependencies=[Depends(admitted)]), service.office

    @router.get("/v1/taxonomy")
    async def taxonomy() -> dict[str, Any]:
        """当前的分类体系：类别树、层级、时限、诉求类型。"""
        model = office.decider.model
        return {**model.taxonomy.as_dict(), "hash": model.taxonomy.hash}

    @router.get("/v1/profiles")
    async def profiles() -> dict[str, Any]:
        """可用的治理体系、派单目录，和没有被接受的规则改动。"""
        routing = office.decider.router
        rules = routing.rules
        return {
            "default": service.settings.profile,
            "profiles": [profile.told for profile in routing.profiles],
            "catalogue": {"rows": len(rules.catalogue.rows), "version": rules.catalogue.version},
            "refused": office.refused,
        }

    @router.get("/v1/models/current")
    async def current() -> dict[str, Any]:
        """正在使用的模型：名称、训练数据、成绩；登记处指定而没有被接受的模型，以及原因。"""
        model = office.decider.model
        return {
            "name": model.name, "card": model.card, "scores": model.scores, "tasks": model.tasks,
            "thresholds": {"confidence": model.thresholds.confidence, "margin": model.thresholds.margin},
            "refused": office.refused_model,
        }  # fmt: skip

    return router
