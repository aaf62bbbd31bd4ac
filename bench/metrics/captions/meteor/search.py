"""METEOR's choice among matches: a beam search over the words of a reference, for all pairs at once.

Matches that compete with none are taken as they are ("fixed"). The others are searched word by word of the reference
with the best 40 paths: more words matched, then fewer chunks, then less distance; ties keep their order. The program's
ways are kept, because each moves the score:

- stems, synonyms and paraphrases count half a word on each side, rounded down, so a single word counts nothing;
- the distance of a match is added to the path that goes on without it, after the copy with it was made: a path carries
  the distances of the matches tried before its own, and the one that takes none carries all.

Letters for shapes: `n` pairs, `m` matches, `p` paths of all pairs, pair after pair and best first, `k` candidates.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bench.metrics.captions.meteor.choices import MatchChoices, MatchWeights, choices_of, fixed_matches, worth
from bench.metrics.captions.meteor.matching import Matches, PairSides
from bench.metrics.captions.texts import spread

BEAM = 40


@dataclass
class Paths:
    """The paths of all pairs that are not done. Each array (p,).

    Attributes:
        pair: whose path.
        cost: what decides, as one number.
        end: the caption word behind the last match, -1 when no chunk is open.
        until: the reference word from which on it is free.
        trace: the last match taken, as a place among all that were; -1 for none.
        masks: (w, p) caption words that are taken.
    """

    pair: np.ndarray
    cost: np.ndarray
    end: np.ndarray
    until: np.ndarray
    trace: np.ndarray
    masks: np.ndarray


@dataclass
class TakenMatches:
    """Matches that paths took, each with the one before it."""

    match: list[np.ndarray] = field(default_factory=list)
    before: list[np.ndarray] = field(default_factory=list)
    count: int = 0

    def add(self, match: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Returns the places of further matches."""
        self.match.append(match)
        self.before.append(before)
        self.count += len(match)
        return np.arange(self.count - len(match), self.count)

    def back(self, last: np.ndarray) -> np.ndarray:
        """Returns all matches on the ways to the places `last`."""
        if not self.count:
            return np.zeros(0, dtype=np.int64)
        match, before = np.concatenate(self.match), np.concatenate(self.before)
        matches = []
        last = last[last >= 0]
        while len(last):
            matches.append(match[last])
            last = before[last]
            last = last[last >= 0]
        return np.concatenate(matches) if matches else np.zeros(0, dtype=np.int64)


def chosen(matched: Matches, captions: PairSides, references: PairSides) -> tuple[np.ndarray, np.ndarray]:
    """Returns the matches of the best path of each pair, as places among all, and its chunks (n,)."""
    fixed = fixed_matches(matched, len(captions.words), len(references.words))
    choices = choices_of(matched, fixed, captions, references)
    pair = references.owners[matched.reference]
    distances = np.bincount(pair, weights=choices.distance, minlength=len(captions.texts)).astype(np.int64)
    weights = MatchWeights.of(captions, references, distances)
    search = _Search(choices, worth(matched) * weights.matched, weights, references)
    return search.run(np.flatnonzero(fixed), matched, captions)


class _Search:
    def __init__(self, choices: MatchChoices, worth: np.ndarray, weights: MatchWeights, references: PairSides) -> None:
        self._choices, self._worth, self._weights, self._references = choices, worth, weights, references
        self._taken = TakenMatches()

    def run(self, fixed: np.ndarray, matched: Matches, captions: PairSides) -> tuple[np.ndarray, np.ndarray]:
        lengths = self._references.lengths
        n, w = len(lengths), self._weights
        best, cost = np.full(n, -1), np.zeros(n, dtype=np.int64)
        start = (captions.lengths + lengths).max(initial=0) * w.matched
        alive = np.flatnonzero(lengths)
        paths = Paths(
            pair=alive,
            cost=np.full(len(alive), start),
            end=np.full(len(alive), -1),
            until=np.zeros(len(alive), dtype=np.int64),
            trace=np.full(len(alive), -1),
            masks=np.zeros((len(self._choices.masks), len(alive)), dtype=np.uint64),
        )
        for place in range(int(lengths.max(initial=0))):
            paths = self._step(paths, place)
            done = lengths[paths.pair] == place + 1
            if done.any():
                ended = np.flatnonzero(done)
                paths.cost[ended] += w.chunk * (paths.end[ended] >= 0)  # only now: the best 40 were chosen without it
                ended = ended[np.lexsort((paths.cost[ended], paths.pair[ended]))]
                first = ended[np.append(True, np.diff(paths.pair[ended]) != 0)]
                best[paths.pair[first]] = paths.trace[first]
                cost[paths.pair[first]] = paths.cost[first]
                paths = _select(paths, np.flatnonzero(~done))
        return np.concatenate([fixed, self._taken.back(best)]), w.chunks(cost)

    def _step(self, paths: Paths, place: int) -> Paths:
        """Returns the paths after one more reference word."""
        c, w = self._choices, self._weights
        word = self._references.starts[paths.pair] + place
        free = paths.until <= place
        parent, match, cost, carried = self._candidates(paths, np.where(free, c.counts[word], 0), word)
        fixed = np.where(free, c.fixed[word], -1)
        on = np.flatnonzero(fixed >= 0)
        skipping = np.flatnonzero(free & (fixed < 0))
        end, until, old = paths.end.copy(), paths.until.copy(), paths.cost + carried
        it = fixed[on]
        old[on] += c.distance[it] - self._worth[it] + w.chunk * ((end[on] >= 0) & (end[on] != c.caption[it]))
        end[on], until[on] = c.after[it], c.until[it]
        old[skipping] += w.chunk * (end[skipping] >= 0)
        end[skipping] = -1
        kept = self._kept(paths.pair, parent, old, cost)
        return self._next(paths, kept, (end, until, old), (parent, match, cost))

    def _candidates(
        self, paths: Paths, counts: np.ndarray, word: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Returns path, match and cost (k,) of all that take a match, and what is added to paths that do not (p,)."""
        c = self._choices
        parent, within = spread(counts)
        match = c.order[c.begins[word[parent]] + within]
        open_words = np.ones(len(match), dtype=bool)
        for taken, masks in zip(paths.masks, c.masks, strict=True):
            open_words &= (taken[parent] & masks[match]) == 0
        kept = np.flatnonzero(open_words)
        parent, match = parent[kept], match[kept]
        sums = np.append(0, np.cumsum(c.distance[match]))
        bounds = np.append(0, np.cumsum(np.bincount(parent, minlength=len(counts))))
        before = sums[bounds[:-1]]
        end = paths.end[parent]
        cost = paths.cost[parent] + sums[:-1] - before[parent] - self._worth[match]
        cost += self._weights.chunk * ((end >= 0) & (end != c.caption[match]))
        return parent, match, cost, sums[bounds[1:]] - before

    def _kept(self, pair: np.ndarray, parent: np.ndarray, old: np.ndarray, cost: np.ndarray) -> np.ndarray:
        """Returns the best paths of each pair in order, as places among the old paths and, behind them, the new."""
        size = len(old) + len(cost)
        rank = np.concatenate(
            [
                np.arange(1, len(old) + 1) + np.cumsum(np.bincount(parent, minlength=len(old))) - 1,
                parent + np.arange(len(parent)),
            ]
        )  # children come before their parent
        owner, costs = np.append(pair, pair[parent]), np.append(old, cost)
        bits = int(size).bit_length()
        if self._weights.bits + bits + len(self._references.texts).bit_length() < 63:
            place = np.empty(size, dtype=np.int64)
            place[rank] = np.arange(size)
            keys = np.sort((((owner << self._weights.bits) + costs) << bits) + rank)
            order = place[keys & ((1 << bits) - 1)]
            owner = keys >> (self._weights.bits + bits)
        else:
            order = np.lexsort((rank, costs, owner))
            owner = owner[order]
        first = np.flatnonzero(np.append(True, owner[1:] != owner[:-1])) if size else np.zeros(0, np.int64)
        counts = np.diff(np.append(first, size))
        if counts.max(initial=0) <= BEAM:
            return np.asarray(order)
        return np.asarray(order[np.arange(size) - np.repeat(first, counts) < BEAM])

    def _next(self, paths: Paths, kept: np.ndarray, old: tuple[np.ndarray, ...], new: tuple[np.ndarray, ...]) -> Paths:
        (end, until, cost), (parent, match, new_cost) = old, new
        size = len(cost)
        children = np.flatnonzero(kept >= size)
        child = kept[children] - size
        source = kept.copy()
        source[children] = parent[child]
        extended = Paths(
            paths.pair[source], cost[source], end[source], until[source], paths.trace[source], paths.masks[:, source]
        )
        it = match[child]
        extended.cost[children] = new_cost[child]
        extended.end[children], extended.until[children] = self._choices.after[it], self._choices.until[it]
        extended.masks[:, children] |= self._choices.masks[:, it]
        extended.trace[children] = self._taken.add(it, extended.trace[children])
        return extended


def _select(paths: Paths, kept: np.ndarray) -> Paths:
    return Paths(
        paths.pair[kept], paths.cost[kept], paths.end[kept], paths.until[kept], paths.trace[kept], paths.masks[:, kept]
    )
