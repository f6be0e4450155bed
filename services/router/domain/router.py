"""The router's one verb."""

from typing import Protocol

from services.router.domain.classifier import Thresholds, classify
from services.router.domain.model import Classification, Question
from services.router.domain.ports import Lexicons


class Classifies(Protocol):
    """Understands one utterance about a plant of a tenant."""

    async def classify(self, tenant: str, plant: str, question: Question) -> Classification:
        """Return its meaning. Raises NotFound (UNKNOWN_PLANT) and Invalid."""
        ...


class Router:
    """Classifies with the words of the plant.

    There is no cache of answers: a classification takes less time than looking one up would.
    """

    def __init__(self, lexicons: Lexicons, thresholds: Thresholds) -> None:
        self._lexicons = lexicons
        self._thresholds = thresholds

    async def classify(self, tenant: str, plant: str, question: Question) -> Classification:
        """Return its meaning. Raises NotFound (UNKNOWN_PLANT) and Invalid."""
        lexicon = await self._lexicons.of(tenant, plant)
        return classify(question, lexicon, self._thresholds)
