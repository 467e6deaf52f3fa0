"""Learning rules of Lava's engine as data: sums of products such as ``2^-2*x1*y0 - 2^-5*x0*w``.

A product is mantissa * 2^exponent * dependency * factors. The dependency says when it counts: at a spike of the
presynaptic neuron (x0), of the postsynaptic one (y0), or at every 2^k-th epoch (uk). Factors are traces (x1, x2, y1,
y2, y3), the synapse's own variables (weight w, tags d and t), further spikes, each with a whole number added where
wanted, and signs: sgn(w).

Source: lava-nc 0.10.0, magma/core/learning/symbolic_equation.py and product_series.py. What that parser takes and reads
otherwise than it stands is refused here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dlm_snn.errors import DlmError
from dlm_snn.files.reading import one_line

PRE_TRACES, POST_TRACES = ("x1", "x2"), ("y1", "y2", "y3")
TARGETS = {"dw": "w", "dd": "d", "dt": "t"}
"""Rule -> the variable of a synapse that it changes: weight, delay tag (Lava's tag_2), tag (tag_1)."""
LENGTH_LIMIT = 10_000
"""Characters of a rule; Lava's own longest have about 100."""
NUMBER_BITS = 31
"""Of any whole number in a product, and the largest exponent of 2; what the engine itself holds is in rule_limits."""
_TOKEN = re.compile(r"x[012]|y[0123]|u[0-9]|[wdt]")
_LITERAL = re.compile(r"\(?(?P<sign>[+-]?)(?:(?P<whole>\d+)(?:\*2\^(?P<scale>[+-]?\d+))?|2\^(?P<power>[+-]?\d+))\)?")
_SUM = re.compile(r"(?P<a>[+-]?)(?P<first>\w+(?:\^\d+)?)(?:(?P<b>[+-])(?P<second>\w+(?:\^\d+)?))?")


@dataclass(frozen=True)
class Factor:
    """(name + constant), or its sign."""

    name: str
    constant: int = 0
    sign: bool = False

    def __str__(self) -> str:
        inner = f"{self.name}{self.constant:+d}" if self.constant else self.name
        return f"sgn({inner})" if self.sign else f"({inner})" if self.constant else inner


@dataclass(frozen=True)
class Product:
    """mantissa * 2^exponent * dependency * factors; a mantissa beyond 7 is halved while it is even, as Lava does."""

    mantissa: int
    exponent: int
    dependency: str
    factors: tuple[Factor, ...] = ()

    def __post_init__(self) -> None:
        while abs(self.mantissa) > 7 and self.mantissa % 2 == 0 and self.exponent < 8:
            object.__setattr__(self, "mantissa", self.mantissa // 2)
            object.__setattr__(self, "exponent", self.exponent + 1)

    @property
    def scale(self) -> float:
        """mantissa * 2^exponent."""
        return self.mantissa * 2.0**self.exponent

    def __str__(self) -> str:
        size, power = abs(self.mantissa), f"2^{self.exponent}" if self.exponent else ""
        number = [str(size)] if size != 1 else []
        words = [*number, *([power] if power else []), self.dependency, *map(str, self.factors)]
        return ("-" if self.mantissa < 0 else "") + "*".join(words)


@dataclass(frozen=True)
class Trace:
    """What a spike adds to a trace, and the steps in which it decays to 1/e."""

    impulse: float
    tau: float


@dataclass(frozen=True)
class LearningRule:
    """A rule for Lava's LearningDense, for ``PlasticDense`` and for ``PlasticMatrix``.

    Attributes:
        dw, dd, dt: the sums of products for w, d and t; at least one.
        traces: name -> Trace of each trace that spikes drive: those that the rule uses, and others to be read.
        t_epoch: steps of a learning epoch; the rule is applied at the end of each.
        third_factor: y1, y2, y3 come through ports, in every step, and are not traces of spikes.
        wide_products: products of more than 15 bits are meant as they are: in integers they count 2^(bits - 15) times
            less than in floats, see ``limits``.
        rng_seed: of the traces' stochastic rounding, integers only.
        products: variable -> products, parsed.

    Raises:
        DlmError: something that is no sum of products.
    """

    dw: str | None = None
    dd: str | None = None
    dt: str | None = None
    traces: Mapping[str, Trace] = field(default_factory=dict)
    t_epoch: int = 1
    third_factor: bool = False
    wide_products: bool = False
    rng_seed: int = 0
    products: Mapping[str, tuple[Product, ...]] = field(init=False)

    def __post_init__(self) -> None:
        given = {name: text for name in TARGETS if (text := getattr(self, name)) is not None}
        if not given:
            raise DlmError("a learning rule without dw, dd and dt changes nothing; give one of them")
        object.__setattr__(self, "products", {TARGETS[name]: parse(text) for name, text in given.items()})

    @property
    def used(self) -> tuple[str, ...]:
        """Names of the traces in its products, in order."""
        names = {factor.name for p in self.all_products for factor in p.factors}
        return tuple(name for name in (*PRE_TRACES, *POST_TRACES) if name in names)

    @property
    def kept(self) -> tuple[str, ...]:
        """Names of the traces that are computed, in order: those in its products, and others that it declares."""
        return tuple(name for name in (*PRE_TRACES, *POST_TRACES) if name in self.used or name in self.traces)

    @property
    def all_products(self) -> tuple[Product, ...]:
        """The products of all its sums."""
        return tuple(product for products in self.products.values() for product in products)


def parse(text: str) -> tuple[Product, ...]:
    """The products of a sum.

    Args:
        text: in Lava's grammar, such as ``2^-2*x1*y0 - 3*2^-5*x0*(w-4)``.

    Raises:
        DlmError: what is no sum of products, or what Lava would misread, by the term.
    """
    _check_text(text)
    terms = re.findall(r"[+-]?(?:\([^()]*\)|\^[+-]|[^+\-()])+", text.replace(" ", ""))
    if not terms or "".join(terms) != text.replace(" ", ""):
        raise DlmError(
            f"learning rule '{one_line(text, 80)}' is no sum of products; write it like 2^-2*x1*y0 - 2^-5*x0*w"
        )
    return tuple(_product(term, text) for term in terms)


def _check_text(text: object) -> None:
    """Refuse what no rule is, before any of it is looked at: the digits of other scripts are digits to Python."""
    if not isinstance(text, str):
        raise DlmError(f"learning rule {text!r} is no text; write it like '2^-2*x1*y0 - 2^-5*x0*w'")
    if len(text) > LENGTH_LIMIT:
        raise DlmError(f"a learning rule of {len(text)} characters, '{text[:40]}...'; at most {LENGTH_LIMIT} are read")
    odd = next((character for character in text if not " " <= character <= "~"), None)
    if odd is not None:
        raise DlmError(
            f"learning rule {one_line(repr(text), 80)} holds {odd!r}; write it in one line of plain characters"
        )


def text_of(products: tuple[Product, ...]) -> str:
    """A sum in Lava's grammar; ``parse`` gives the products back."""
    first, *rest = map(str, products)
    return " ".join([first, *(f"- {text[1:]}" if text.startswith("-") else f"+ {text}" for text in rest)])


def _product(term: str, rule: str) -> Product:
    mantissa, exponent = -1 if term.startswith("-") else 1, 0
    dependency, factors = None, []
    for word in _words(term.lstrip("+-")):
        if literal := _LITERAL.fullmatch(word):
            times, power = _literal(literal, term, rule)
            mantissa, exponent = mantissa * times, exponent + power
            _check_bits(mantissa, exponent, term, word, rule)
        elif not _TOKEN.fullmatch(word):
            sign, factor = _bracket(word, term, rule)
            mantissa *= sign
            factors.append(factor)
        elif word[-1] != "0" and word[0] != "u":
            factors.append(Factor(word))
        elif dependency is None:
            dependency = word
        elif word[0] == "u":
            raise _refusal(rule, term, word, "a second dependency has to be a spike, x0 or y0")
        else:
            factors.append(Factor(word))
    if dependency is None:
        raise _refusal(rule, term, term.lstrip("+-"), "has no dependency; say when it counts: times x0, y0 or uk")
    return Product(mantissa, exponent, dependency, tuple(factors))


def _words(term: str) -> list[str]:
    return re.findall(r"(?:\([^()]*\)|[^*()])+|(?<=\*)(?=\*)|^(?=\*)|(?<=\*)$", term)


def _literal(found: re.Match[str], term: str, rule: str) -> tuple[int, int]:
    whole = _whole(found["whole"] or "1", term, rule)
    return -whole if found["sign"] == "-" else whole, _whole(found["scale"] or found["power"] or "0", term, rule)


def _whole(digits: str, term: str, rule: str) -> int:
    """A whole number whose length was looked at first: computing with long ones takes ever longer."""
    if len(digits.lstrip("+-0")) > len(str(2**NUMBER_BITS)):
        raise _refusal(rule, term, digits, f"lies beyond {NUMBER_BITS} bits")
    return int(digits)


def _check_bits(mantissa: int, exponent: int, term: str, word: str, rule: str) -> None:
    if abs(mantissa) >= 2**NUMBER_BITS or abs(exponent) > NUMBER_BITS:
        raise _refusal(rule, term, word, f"makes a product beyond {NUMBER_BITS} bits, {mantissa}*2^{exponent}")


def _bracket(word: str, term: str, rule: str) -> tuple[int, Factor]:
    """(variable + number), (number - variable), sgn(...): the sign that leaves the bracket, and the factor."""
    sign, inner = word.startswith("sgn("), word.removeprefix("sgn")
    found = _SUM.fullmatch(inner[1:-1]) if inner[:1] == "(" and inner[-1:] == ")" else None
    if found is None:
        raise _refusal(rule, term, word, _remedy(word))
    parts = [(found["a"], found["first"]), *([(found["b"], found["second"])] if found["second"] else [])]
    names = [part for part in parts if part[1] in (*PRE_TRACES, *POST_TRACES, *TARGETS.values())]
    numbers = [_number(*part, term, rule) for part in parts if part not in names]
    if len(names) != 1 or None in numbers:
        raise _refusal(rule, term, word, "is not of the form (variable + whole number)")
    turned, name = names[0][0] == "-", names[0][1]
    if turned and not numbers:
        raise _refusal(rule, term, word, f"Lava loses this sign; write -...*{name}")
    if sign and (turned or name not in TARGETS.values()):
        raise _refusal(rule, term, word, "sgn takes w, d or t, with a plus")
    constant = sum(number or 0 for number in numbers)
    return -1 if turned else 1, Factor(name, -constant if turned else constant, sign)


def _number(sign: str, text: str, term: str, rule: str) -> int | None:
    base, _, power = text.partition("^")
    if not base.isdigit() or (power and base != "2"):
        return None
    value, exponent = (1, _whole(power, term, rule)) if power else (_whole(base, term, rule), 0)
    _check_bits(value, exponent, term, text, rule)
    size = value * 2**exponent
    return -size if sign == "-" else size


def _remedy(word: str) -> str:
    if not word:
        return "stands where a factor is missing"
    try:
        value = float(word)
    except ValueError:
        return "is none of x0..x2, y0..y3, uk, w, d, t, sgn(..), (variable + number), a whole number or 2^k"
    if not math.isfinite(value):
        return "is no whole number"
    exponent = min(max(math.frexp(value)[1] - 3, -7), 8)
    nearest = round(value * 2.0**-exponent)
    return f"is no whole number; the nearest that the engine has is {nearest}*2^{exponent}"


def _refusal(rule: str, term: str, value: str, remedy: str) -> DlmError:
    rule, term, value = (one_line(text, 80) if text else "" for text in (rule, term, value))
    return DlmError(f"learning rule '{rule}', product '{term}': '{value}' {remedy}")
