"""Prices as shops write them, to numbers.

A price is refused rather than guessed: one that is wrong by a factor of 1000 does more harm than one that is missing.
"""

from __future__ import annotations

import math
import re

from embedder.catalogs.rows.cell import CellError, is_blank, shown

_SIGNS = "$£¤¥֏฿₠-⃀﷼＄￡￥￦"
_LOCAL_NAMES = "kr|kč|zł|ft|rs|r|fr|lei"
# ISO 4217, the codes of circulating currencies.
_ISO_CODES = (
    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd btn bwp byn bzd cad cdf chf "
    "clp cny cop crc cup cve czk djf dkk dop dzd egp ern etb eur fjd fkp gbp gel ghs gip gmd gnf gtq gyd hkd hnl htg "
    "huf idr ils inr iqd irr isk jmd jod jpy kes kgs khr kmf kpw krw kwd kyd kzt lak lbp lkr lrd lsl lyd mad mdl mga "
    "mkd mmk mnt mop mru mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd "
    "rub rwf sar sbd scr sdg sek sgd shp sle sos srd ssp stn svc syp szl thb tjs tmt tnd top try ttd twd tzs uah ugx "
    "usd uyu uzs ves vnd vuv wst xaf xcd xof xpf yer zar zmw zwg"
).replace(" ", "|")
_MARK = rf"(?:(?:{_ISO_CODES})|(?:{_LOCAL_NAMES})\.?|[a-z]{{0,3}}[{_SIGNS}])"
_MONEY = re.compile(rf"(?:{_MARK}\s*)?(?P<number>[0-9.,' ]*[0-9])(?:\s*{_MARK})?", re.IGNORECASE)

_WHOLE = re.compile(r"[0-9]+")
_DECIMAL = re.compile(r"([0-9]*)[.,]([0-9]+)")
_EITHER_WAY = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")
_GROUPED = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?P<whole>[1-9][0-9]{0,2}(?:,[0-9]{3})+)(?:\.(?P<part>[0-9]+))?",
        r"(?P<whole>[1-9][0-9]{0,2}(?:\.[0-9]{3})+)(?:,(?P<part>[0-9]+))?",
        r"(?P<whole>[1-9][0-9]{0,2}(?:[ '][0-9]{3})+)(?:[.,](?P<part>[0-9]+))?",
        # Lakh and crore: 12,34,567.00
        r"(?P<whole>[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3})(?:\.(?P<part>[0-9]+))?",
    )
)
# No-break, narrow no-break and thin spaces, and the typographic apostrophe, all of which separate thousands somewhere.
_PLAIN_SEPARATORS = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2019": "'"})


def parse_price(value: object) -> float | None:
    """Read a price.

    Permitted: numbers; texts with a currency sign or ISO code before or behind; thousands separated by "," "." "'" or
    a space, as long as they can be read in one way only: "1,299.00", "1.299,00" and "1 299" can, "1,299" and "1.299"
    (1299, or a little over 1?) cannot.

    Returns:
        0 or more, in the catalog's currency; None where the cell is blank.

    Raises:
        CellError: PRICE_INVALID.
    """
    if is_blank(value):
        return None
    price = math.nan
    if isinstance(value, str):
        price = _from_text(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        price = _to_float(value)
    if not (math.isfinite(price) and price >= 0):
        raise CellError("PRICE_INVALID", f"price {shown(value)}; permitted: a finite number, 0 or more, such as 12.90")
    return price


def _from_text(text: str) -> float:
    money = _MONEY.fullmatch(text.translate(_PLAIN_SEPARATORS).strip())
    if money is None:
        return math.nan
    number = money["number"].strip()
    if _EITHER_WAY.fullmatch(number):
        whole, part = number[:-4], number[-3:]
        raise CellError(
            "PRICE_INVALID",
            f"price {shown(text)} may mean {whole}{part} or {whole}.{part}; write {whole}{part} or {whole}.{part}0",
        )
    if _WHOLE.fullmatch(number):
        return _to_float(number)
    if decimal := _DECIMAL.fullmatch(number):
        return _to_float(f"{decimal[1]}.{decimal[2]}")
    for pattern in _GROUPED:
        if grouped := pattern.fullmatch(number):
            return _to_float(re.sub("[^0-9]", "", grouped["whole"]) + "." + (grouped["part"] or "0"))
    return math.nan


def _to_float(number: str | float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf
