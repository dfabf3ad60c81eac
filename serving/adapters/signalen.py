"""Signalen: the category of a text as Amsterdam's hotline asks for it, in the place of its own classifier.

What it speaks is `/signals_mltool/predict` of github.com/Signalen/classification. Signalen itself reads the first URL
and the first probability of each list (`MlPredictCategoryView` of its backend), so the decided category comes first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict
from ulid_transform import ulid_now

from nlp.decision import CategoryAnswer
from nlp.petition import Petition
from nlp.taxonomy import Taxonomy
from serving.access.scope import Scope
from serving.adapters.tongue import Tongue, told
from serving.door.body import body_of
from serving.service import Service

CHANNEL = "signalen"
DECISION = "x-decision-id"  # a header, for the body is fixed
TONGUE = Tongue(lambda _, message: {"errors": message})
Ranked = tuple[list[str], list[float]]


class Asked(BaseModel):
    """A text to classify; further fields are allowed and ignored."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"examples": [{"text": "楼上卫生间又往下滴水"}]})

    text: str


def routes(service: Service) -> APIRouter:
    """`POST /signals_mltool/predict`."""
    router = TONGUE.router()

    async def predict(request: Request) -> Response:
        """Signalen：一段话属于哪个大类、哪个小类，各带概率，最可能的在前。"""
        who = await service.access.admit(request, Scope.operator)
        asked = Asked.model_validate_json(await body_of(request, service.settings.max_body))
        taxonomy = service.office.decider.model.taxonomy
        answered = await service.decide([Petition(ulid_now(), asked.text, channel=CHANNEL)], who)
        decision = answered.decisions[0]
        prediction = predicted(decision.category, taxonomy, service.settings.signalen_base)
        return told(prediction, headers={DECISION: decision.decision_id})

    router.add_api_route("/signals_mltool/predict", predict, methods=["POST"], tags=["adapters"], **TONGUE.reads(Asked))
    return router


def predicted(category: CategoryAnswer, taxonomy: Taxonomy, base: str) -> dict[str, Ranked]:
    """The main categories and the categories of an answer with their probabilities, the decided one first."""
    parents = {node.code: node.parent for node in taxonomy.nodes}
    others = {choice.code: choice.confidence for choice in category.alternatives}
    subs = {category.code: category.confidence, **others}
    mains: defaultdict[str, float] = defaultdict(float)
    for code, probability in subs.items():
        mains[main_of(code, parents)] += probability
    first = main_of(category.code, parents)
    order = sorted(mains, key=lambda main: (main != first, -mains[main]))
    url = f"{base.rstrip('/')}/signals/v1/public/terms/categories/"
    return {
        "hoofdrubriek": ([url + quote(main, "") for main in order], [round(mains[main], 4) for main in order]),
        "subrubriek": (
            [f"{url}{quote(main_of(code, parents), '')}/sub_categories/{quote(code, '')}" for code in subs],
            list(subs.values()),
        ),
    }


def main_of(code: str, parents: Mapping[str, str]) -> str:
    """The root above a category; Signalen knows two levels, a taxonomy may have more, or one."""
    while parents.get(code):
        code = parents[code]
    return code
