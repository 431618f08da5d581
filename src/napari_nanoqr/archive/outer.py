"""The outer code: how many parity tiles a group needs, and where its members lie.

Tiles are told apart by their group and their member, see :mod:`napari_nanoqr.archive.header`:
data tile j of the stream is member j div G of group j mod G, and the parity follows the data.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

MOST_MEMBERS = 255
"""Of a group. The code could have 256; with 255 data and parity count up to a byte's highest."""

_ORDER = MOST_MEMBERS + 1
"""Number of the permutation of the blocks; those within the blocks have the block's."""


def loss_probability(members: int, spare: int, tile_loss: float) -> float:
    """Return the probability that more members of a group are lost than there is parity.

    Parameters
    ----------
    members : int
        Data and parity of a group.
    spare : int
        Parity.
    tile_loss : float
        Probability that a tile is lost, independently of the others.

    Returns
    -------
    float
        The binomial tail, the sum over more than `spare` of `members`.
    """
    terms = [
        math.exp(
            math.lgamma(members + 1) - math.lgamma(lost + 1) - math.lgamma(members - lost + 1)
            + lost * math.log(tile_loss) + (members - lost) * math.log1p(-tile_loss)
        )
        for lost in range(spare + 1, members + 1)
    ]  # fmt: skip
    return math.fsum(terms)


@lru_cache(1024)
def parity_needed(data: int, tile_loss: float, failure: float) -> int | None:
    """Return the fewest parity tiles with which a group of some data tiles is safe.

    Parameters
    ----------
    data : int
        Data tiles of the group.
    tile_loss : float
        Probability that a tile is lost.
    failure : float
        Accepted probability that the group is lost.

    Returns
    -------
    int or None
        At least 1; None where the group would have more than 255 members.
    """
    for spare in range(1, MOST_MEMBERS - data + 1):
        if loss_probability(data + spare, spare, tile_loss) <= failure:
            return spare
    return None


@lru_cache(64)
def most_data(tile_loss: float, failure: float) -> int:
    """Return the most data tiles that a group can have with the parity that they need.

    Raises
    ------
    ValueError
        Where a group has no room for data beside its parity.
    """
    low, high = 0, MOST_MEMBERS
    while high - low > 1:
        middle = (low + high) // 2
        if parity_needed(middle, tile_loss, failure) is None:
            high = middle
        else:
            low = middle
    if low == 0:
        raise ValueError(
            f"A loss of {tile_loss:g} of the tiles cannot be repaired with a failure probability "
            f"of {failure:g}: no group of {MOST_MEMBERS} tiles is strong enough."
        )
    return low


@dataclass(frozen=True)
class Groups:
    """The groups of an archive, and where their members lie among all tiles.

    Parameters
    ----------
    data_tiles : int
        Of the stream.
    groups : int
        How many groups they are dealt to in turn.
    parity : int
        Parity tiles of each group.
    seed : int
        Of the scattering.

    Notes
    -----
    All tiles stand in one row of positions, along the path of the stage. The row is cut into
    blocks, one for each member number, that hold every group once, in an order of their own; the
    order of the blocks is shuffled too. So the tiles of a field of view belong to different
    groups, what is lost in one piece takes the same share of each group, to within one tile, and
    a scratch that crosses many rows meets the groups at random.
    """

    data_tiles: int
    groups: int
    parity: int
    seed: int = 0

    @classmethod
    def planned(cls, data_tiles: int, tile_loss: float, failure: float, seed: int = 0) -> Groups:
        """Divide data tiles into as few groups of equal size as are strong enough.

        Raises
        ------
        ValueError
            Where no group can be.
        """
        groups = -(-data_tiles // most_data(tile_loss, failure))
        parity = parity_needed(-(-data_tiles // groups), tile_loss, failure)
        assert parity is not None  # fewer data tiles never need more
        return cls(data_tiles, groups, parity, seed)

    @property
    def blocks(self) -> int:
        """Members of the largest group."""
        return -(-self.data_tiles // self.groups) + self.parity

    @property
    def tiles(self) -> int:
        """Data and parity of all groups."""
        return self.data_tiles + self.groups * self.parity

    def data_count(self, group: int) -> int:
        """Return the data members of a group: the first groups may have one more."""
        return -(-(self.data_tiles - group) // self.groups)

    def member_at(self, position: int) -> tuple[int, int]:
        """Return group and member of the tile at a position of the row.

        Raises
        ------
        IndexError
            Where there is no such position.
        """
        if not 0 <= position < self.tiles:
            raise IndexError(f"There is no tile {position} among {self.tiles}.")
        place = int(np.searchsorted(self._starts, position, side="right")) - 1
        block = int(self._order[place])
        group = int(self._groups_of(block)[position - int(self._starts[place])])
        most = self.blocks - self.parity
        return group, block if block < most else self.data_count(group) + block - most

    def is_parity(self, positions: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return whether the tiles at positions of the row are parity, for many at once."""
        places = np.searchsorted(self._starts, positions, side="right") - 1
        parity: NDArray[np.bool_] = self._order[places] >= self.blocks - self.parity
        return parity

    def position_of(self, group: int, member: int) -> int:
        """Return where in the row a member of a group lies.

        Raises
        ------
        IndexError
            Where there is no such member.
        """
        data = self.data_count(group)
        if not 0 <= group < self.groups or not 0 <= member < data + self.parity:
            raise IndexError(f"There is no member {member} in a group {group}.")
        block = member if member < data else self.blocks - self.parity + member - data
        place = int(np.flatnonzero(self._order == block)[0])
        (within,) = np.flatnonzero(self._groups_of(block) == group)
        return int(self._starts[place] + within)

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        """Block at each place of the row."""
        return _permutation(self.seed, _ORDER, self.blocks)

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        """First position of the block at each place of the row."""
        sizes = np.full(self.blocks, self.groups, dtype=np.int64)
        sizes[self.blocks - self.parity - 1] -= -self.data_tiles % self.groups
        return np.concatenate(([0], np.cumsum(sizes[self._order])))

    def _groups_of(self, block: int) -> NDArray[np.int64]:
        """Return the groups in a block, in their order in the row."""
        short = block == self.blocks - self.parity - 1
        size = self.groups - (-self.data_tiles % self.groups if short else 0)
        return _permutation(self.seed, block, size)


@lru_cache(8)
def _permutation(seed: int, number: int, size: int) -> NDArray[np.int64]:
    """Return the numbers below a size, sorted by their SplitMix64 (Steele and others, 2014).

    It is the same on every machine and with every version of numpy, so that what a manifest tells
    stays true.
    """
    with np.errstate(over="ignore"):
        values = np.arange(1, size + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        values += np.uint64((seed * (_ORDER + 1) + number) * 0xD1B54A32D192ED03 % 2**64)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
            values = (values ^ (values >> np.uint64(shift))) * np.uint64(factor)
    return np.argsort(values, kind="stable")
