"""Arithmetic on 16-bit numbers that stays so narrow: numba alone widens it to 64 bits.

With these operations the compiler works on as many numbers at once as the processor's registers
hold. Nothing here looks at overflow.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core.extending import intrinsic

SHORT = ir.IntType(16)
ONE, TWO, FOUR = (types.int16(*[types.int16] * count) for count in (1, 2, 4))


def inlined(typed: Any) -> Any:
    """Make an operation that compiled functions can use; for mypy it takes and gives anything."""
    return intrinsic(typed)


@inlined
def add(typing_context: Any, first: Any, second: Any) -> Any:
    """Return the sum."""
    return TWO, lambda context, builder, signature, given: builder.add(*given)


@inlined
def subtract(typing_context: Any, first: Any, second: Any) -> Any:
    """Return the difference."""
    return TWO, lambda context, builder, signature, given: builder.sub(*given)


@inlined
def differ(typing_context: Any, first: Any, second: Any) -> Any:
    """Return the bitwise exclusive or: its sign is the product of the two signs."""
    return TWO, lambda context, builder, signature, given: builder.xor(*given)


@inlined
def shift_down(typing_context: Any, value: Any, bits: Any) -> Any:
    """Return a number that is not negative, divided by a power of two and rounded down."""
    return TWO, lambda context, builder, signature, given: builder.lshr(*given)


@inlined
def least(typing_context: Any, first: Any, second: Any) -> Any:
    """Return the smaller one."""
    return TWO, lambda context, builder, signature, given: _smaller(builder, *given)


@inlined
def greatest(typing_context: Any, first: Any, second: Any) -> Any:
    """Return the larger one."""
    return TWO, lambda context, builder, signature, given: _smaller(builder, *given, swap=True)


@inlined
def magnitude(typing_context: Any, value: Any) -> Any:
    """Return the absolute value."""
    return ONE, lambda context, builder, signature, given: _turned(builder, given[0], given[0])


@inlined
def with_sign_of(typing_context: Any, value: Any, sign: Any) -> Any:
    """Return the value, negated where the other is negative."""
    return TWO, lambda context, builder, signature, given: _turned(builder, *given)


@inlined
def choose(typing_context: Any, first: Any, second: Any, same: Any, other: Any) -> Any:
    """Return ``same`` where the first two are equal, and else ``other``."""

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.select(builder.icmp_signed("==", *given[:2]), *given[2:])

    return FOUR, generate


def _smaller(builder: Any, first: Any, second: Any, *, swap: bool = False) -> Any:
    return builder.select(builder.icmp_signed(">" if swap else "<", first, second), first, second)


def _turned(builder: Any, value: Any, sign: Any) -> Any:
    zero = ir.Constant(SHORT, 0)
    negative = builder.icmp_signed("<", sign, zero)
    return builder.select(negative, builder.sub(zero, value), value)
