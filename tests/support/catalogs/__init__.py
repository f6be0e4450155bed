"""The catalogues of the three plants as the data service published them, held still for tests of the router."""

import functools
from pathlib import Path

from factoryai.data.v1 import plant_pb2
from google.protobuf import json_format

from services.router.adapters.vocabulary import read_vocabulary
from services.router.codec import decode_catalogue
from services.router.domain.catalogue import Catalogue
from services.router.domain.lexicon import Lexicon, compile_lexicon

PLANTS = ("sample", "bottling", "steel")


@functools.cache
def catalog(plant: str) -> plant_pb2.Catalog:
    """Return a plant's catalogue as a message."""
    path = Path(__file__).with_name(f"{plant}.json")
    return json_format.Parse(path.read_text(encoding="utf-8"), plant_pb2.Catalog())


@functools.cache
def lexicon(plant: str) -> Lexicon:
    """Return a plant's compiled words; with "" those of the product alone."""
    return compile_lexicon(read_vocabulary(), decode_catalogue(catalog(plant)) if plant else Catalogue(""))
