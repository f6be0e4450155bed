"""The compiled words of one plant: longest match over a text without its spaces, whatever Korean hangs on to them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from services.router.domain.catalogue import Catalogue
from services.router.domain.names import Names, names_of
from services.router.domain.numbers import UNCOUNTED
from services.router.domain.spelling import Speller, speller
from services.router.domain.vocabulary import Term, Vocabulary

_PARTICLES_LIST = (
    "은 는 이 가 을 를 의 에 에서 에는 에서는 에게 로 으로 로는 으로는 와 과 랑 이랑 하고 도 만 까지 "
    "부터 보다 마다 별 별로 나 이나 은요 는요 요 이요 야 이야 인데 인가 인가요 이에요 예요 입니다 "
    "이지 지 이고 고 들 들은 들이 들의 들을 만의 까지는 부터는 조차 밖에 한테 께서 쪽 쪽은 쪽이 측 임 "
    "인지 이냐 냐 이니 니 이며 라도 이라도 처럼 만큼 님 씨 꺼 것 거"
)
PARTICLES = frozenset(_PARTICLES_LIST.split())
_LONGEST_PARTICLE = max(map(len, PARTICLES))
_DROPPED = " -_"
_HANGUL_RUN = re.compile(r"[가-힣]*")
_MAX_LENGTH = 64
# Korean words hardly ever grow this long: whoever writes so leaves the spaces out, and words begin anywhere.
_GLUED = re.compile(r"(?=[^ ]*[가-힣]{4})[^ ]{6,}")
_EVERYDAY_LIST = "day night evening morning afternoon other others 오후 오전 밤 낮 아침 저녁 주간 기타 etc line machine"
_EVERYDAY = frozenset(_EVERYDAY_LIST.split())
_FREE_FROM = 3  # syllables from which a Korean word is looked for inside others, too


class Ending(Enum):
    """What may follow a term."""

    ANYTHING = 0
    PARTICLE = 1  # the word ends, or a particle ends it
    WORD = 2  # a Latin word ends; a plural s is taken along


@dataclass(frozen=True, slots=True)
class Mention:
    """A term found at `start:end` of the reading."""

    kind: str
    value: str
    start: int
    end: int

    def covers(self, other: "Mention") -> bool:
        """Say whether the other stands within it."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class _Surface:
    meanings: tuple[tuple[str, str], ...]
    anywhere: bool
    ending: Ending


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Words of the product and of one plant, ready to be looked up, and what else the grammars know of the plant."""

    catalogue: Catalogue
    names: Names
    speller: Speller
    phrases: Mapping[str, frozenset[str]]  # squeezed dialogue phrase -> what it may do: `yes`, `stop`, `greeting` ...
    surfaces: Mapping[str, _Surface]
    lengths: Mapping[str, tuple[int, ...]]  # first character of the squeezed text -> lengths of terms, longest first

    def scan(self, text: str) -> list[Mention]:
        """Return the terms of a reading from left to right, longest first, without overlap.

        A surface with several meanings gives several mentions of the same span.
        """
        squeezed, at = squeeze(text)
        glued = [run.span() for run in _GLUED.finditer(text)]
        mentions: list[Mention] = []
        heads: set[int] = set()  # positions right after a term, where the next may begin within a Korean word
        position = 0
        while position < len(squeezed):
            within = any(start <= at[position] < end for start, end in glued)
            found = self._longest(text, squeezed, at, position, head=position in heads, glued=within)
            if found is None:
                position += 1
                continue
            length, surface, end = found
            mentions += [Mention(kind, value, at[position], end) for kind, value in surface.meanings]
            position += length
            heads = {position, *_after_particles(squeezed, position)}
            while position < len(squeezed) and at[position] < end:
                position += 1
        return mentions

    def _longest(
        self,
        text: str,
        squeezed: str,
        at: list[int],
        position: int,
        *,
        head: bool,
        glued: bool,
    ) -> tuple[int, _Surface, int] | None:
        for length in self.lengths.get(squeezed[position : position + 1], ()):
            surface = self.surfaces.get(squeezed[position : position + length])
            if surface is None or position + length > len(squeezed):
                continue
            if not _begins_word(text, at[position]):
                # Within a word only what follows a known one, or is long, is taken, and only up to the word's end.
                whole = at[position + length - 1] - at[position] == length - 1
                if not (whole and (surface.anywhere or head or (glued and length > 1))):
                    continue
            ending = Ending.ANYTHING if glued and length > 1 and surface.ending is Ending.PARTICLE else surface.ending
            end = _ends(text, at[position + length - 1] + 1, ending)
            if end >= 0:
                return length, surface, end
        return None


def compile_lexicon(vocabulary: Vocabulary, catalogue: Catalogue) -> Lexicon:
    """Compile the product's words and the plant's names. Names of the plant win over the product's words."""
    own = [
        Term(form, t.kind, t.value) for t in vocabulary.terms if t.kind != "dialogue" for form in _variants(t.surface)
    ]
    phrases: dict[str, set[str]] = {}
    for term in vocabulary.terms:
        if term.kind == "dialogue":
            phrases.setdefault(squeeze(term.surface.lower())[0], set()).add(term.value)
    plant = list(_plant_terms(catalogue))
    merged: dict[str, _Surface] = {}
    for term in own:
        _add(merged, term, replace_kinds=frozenset())
    settled = {squeeze(word)[0] for word in vocabulary.settled}
    for term in plant:
        if term.kind == "metric" and squeeze(term.surface.lower())[0] in settled:
            continue
        # A product named like a cue word is asked for far more often than the cue is meant.
        _add(merged, term, replace_kinds=frozenset({"target"} if term.kind == "target" else {"metric"}))
    lengths: dict[str, set[int]] = {}
    for squeezed in merged:
        lengths.setdefault(squeezed[0], set()).add(len(squeezed))
    known = {word for t in (*vocabulary.terms, *plant) for word in re.findall(r"[a-z]+", t.surface.lower())}
    return Lexicon(
        catalogue,
        names_of(catalogue),
        speller(vocabulary.typos, known, vocabulary.words),
        {phrase: frozenset(acts) for phrase, acts in phrases.items()},
        merged,
        {first: tuple(sorted(all_, reverse=True)) for first, all_ in lengths.items()},
    )


def _add(merged: dict[str, _Surface], term: Term, *, replace_kinds: frozenset[str]) -> None:
    raw = term.surface.lower()
    anywhere, open_end, closed_end = raw.startswith("*"), raw.endswith("*"), raw.endswith("!")
    squeezed = squeeze(raw.strip("*!"))[0]
    if not squeezed or len(squeezed) > _MAX_LENGTH:
        return
    korean = bool(re.search(r"[가-힣ㄱ-ㅣ]", squeezed))
    if korean:
        syllables = len(squeezed)
        anywhere = anywhere or (syllables >= _FREE_FROM and "가" <= squeezed[0] <= "힣" and not closed_end)
        ending = Ending.PARTICLE if closed_end or (syllables == 1 and not open_end) else Ending.ANYTHING
    else:
        ending = Ending.ANYTHING if open_end else Ending.WORD
    before = merged.get(squeezed)
    meanings = [(term.kind, term.value)]
    if before is not None:
        kept = [m for m in before.meanings if m[0] not in replace_kinds and m != meanings[0]]
        meanings = kept + meanings
        anywhere, ending = before.anywhere or anywhere, before.ending
    merged[squeezed] = _Surface(tuple(meanings), anywhere, ending)


def _plant_terms(catalogue: Catalogue) -> Iterable[Term]:
    for metric in catalogue.metrics:
        for surface in (metric.display.ko, metric.display.en, metric.id, *metric.aliases):
            yield from (Term(form, "metric", metric.id) for form in _variants(_literal(surface)))
    for entry in catalogue.targets:
        for surface in (entry.display.ko, entry.display.en, entry.id, *entry.aliases):
            if _sayable(surface):
                yield Term(_literal(surface), "target", entry.name)
    for shift in catalogue.shifts:
        for surface in (shift.display.ko, shift.display.en, *shift.aliases):
            if _sayable(surface):
                yield Term(_literal(surface), "shift", shift.id)


def _sayable(surface: str) -> bool:
    # A letter or a bare small number as an alias would be found in every other sentence, as would an everyday word.
    squeezed = squeeze(surface.lower())[0]
    if squeezed.isdigit():
        return len(squeezed) >= 4  # noqa: PLR2004
    return squeezed not in _EVERYDAY and (len(squeezed) > 1 or "가" <= squeezed <= "힣")


def _literal(surface: str) -> str:
    return surface.strip("*! ")


def _variants(surface: str) -> set[str]:
    return {surface, surface.replace("률", "율"), surface.replace("율", "률")}


def squeeze(text: str) -> tuple[str, list[int]]:
    """Return the text without spaces, hyphens and underscores, and the offset of each character that is left."""
    kept = [(i, c) for i, c in enumerate(text) if c not in _DROPPED]
    return "".join(c for _, c in kept), [i for i, _ in kept]


def _after_particles(squeezed: str, position: int) -> Iterable[int]:
    for length in range(1, _LONGEST_PARTICLE + 1):
        if squeezed[position : position + length] in PARTICLES:
            yield position + length


def _begins_word(text: str, start: int) -> bool:
    if start == 0:
        return True
    here, before = text[start], text[start - 1]
    if "가" <= here <= "힣":
        return not "가" <= before <= "힣"
    if here.isdigit():
        return not (before.isdigit() or before == "." or (before.isascii() and before.isalpha()))
    return not (before.isascii() and before.isalpha())


def _ends(text: str, end: int, ending: Ending) -> int:
    """Return where a term that ends at `end` really ends, -1 where it must not end there."""
    if text[end - 1].isdigit() and not UNCOUNTED.match(text, end):
        return -1
    if ending is Ending.ANYTHING:
        return end
    if ending is Ending.PARTICLE:
        found = _HANGUL_RUN.match(text, end)
        run = found[0] if found else ""
        return end if not run or run in PARTICLES else -1
    last = text[end - 1]
    for tail in ("", "'s", "s"):
        after = text[end + len(tail) : end + len(tail) + 1]
        if not text.startswith(tail, end):
            continue
        stops = not (after.isascii() and (after.isalpha() or (last.isdigit() and after.isdigit())))
        if stops:
            return end + len(tail)
    return -1
