"""What the router needs from others."""

from typing import Protocol

from services.router.domain.lexicon import Lexicon


class Lexicons(Protocol):
    """The compiled words of a plant: the product's own vocabulary plus the plant's names."""

    async def of(self, tenant: str, plant: str) -> Lexicon:
        """Return the newest lexicon at hand, at once where there is one.

        Where nothing was ever fetched this waits for the data service within the caller's deadline; where that does
        not answer, the lexicon holds the product's own words only. Raises NotFound(UNKNOWN_PLANT).
        """
        ...
