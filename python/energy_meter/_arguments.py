# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
"""Judges arguments: what is wrong raises and names the argument, its value and what is allowed."""

from __future__ import annotations

from . import _native
from ._errors import InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ._sync import Choice

_KEYWORDS = (
    "sample_interval, cpu_tdp_w, gpu_tdp_w, carbon_intensity_g_per_kwh, "
    "device, gpus, require, enabled, dram_model, sync, overhead_limit, trace, channels, "
    "location, pue, price_per_kwh, embodied_kg, lifetime_years, windows_file, files, replay"
)
_DEVICES = '"auto", "cpu", "gpu", "cuda", "cuda:N" or a torch.device of these'
_GPUS = (
    '"visible", "all", "local_rank", an index, a list of indices or UUIDs, '
    'or a text such as "0,2" or "GPU-8932f937"'
)
SETTLE_NS = 2_000_000_000
_LAST_INDEX = 99_999
_INDICES = f"an index is from 0 to {_LAST_INDEX}"
_MOST_ITEMS = 10**15
_FORMATS = {
    "text": _native.FORMAT_TEXT,
    "json": _native.FORMAT_JSON,
    "csv": _native.FORMAT_CSV,
    "model-card": _native.FORMAT_MODEL_CARD,
    "boamps": _native.FORMAT_BOAMPS,
}
_IS_LAZY = 0x20 | 0x80 | 0x200  # of code: a generator, a coroutine, an asynchronous generator
_DOMAINS = {
    "cpu": _native.DOMAIN_CPU,
    "gpu": _native.DOMAIN_GPU,
    "dram": _native.DOMAIN_DRAM,
}


def shown(value: object) -> str:
    try:
        text = repr(value)
    except Exception:
        text = f"a {type(value).__name__} without a repr"
    return text if len(text) <= 80 else text[:77] + "..."


def unknown(keywords: Mapping[str, object]) -> TypeError:
    given = ", ".join(f"{name}={shown(value)}" for name, value in keywords.items())
    return TypeError(f"unknown argument {given}; allowed are {_KEYWORDS}")


def _is_bool(value: object) -> bool:
    # numpy and torch have truths of their own, which float() takes.
    return isinstance(value, bool) or str(getattr(value, "dtype", "")) in ("bool", "torch.bool")


def _is_number(value: object) -> bool:
    is_text = isinstance(value, (str, bytes))
    return not is_text and not _is_bool(value) and hasattr(type(value), "__float__")


def _number(name: str, value: Any, allowed: str) -> float:
    if not _is_number(value):
        raise TypeError(f"{name} must be {allowed}, not {shown(value)}")
    try:
        return float(value)
    except (OverflowError, ValueError) as error:
        raise InvalidArgument(f"{name} must be {allowed}, not {shown(value)}") from error
    except Exception as error:
        raise TypeError(f"{name} must be {allowed}, not {shown(value)}") from error


def interval_ns(value: object) -> int:
    allowed = "a number of seconds from 0.001 to 60"
    seconds = _number("sample_interval", value, allowed)
    if not 0.001 <= seconds <= 60:
        raise InvalidArgument(f"sample_interval must be {allowed}, not {shown(value)}")
    return round(seconds * 1e9)


def tdp_w(name: str, value: object) -> float:
    if value is None:
        return float("nan")
    allowed = "a number of watts above 0 and up to 100000, as on the data sheet, or None"
    watts = _number(name, value, allowed)
    if not 0 < watts <= 100_000:
        raise InvalidArgument(f"{name} must be {allowed}, not {shown(value)}")
    return watts


def intensity(value: object) -> float:
    if value is None:
        return float("nan")
    name = "carbon_intensity_g_per_kwh"
    allowed = "a number of g CO2e/kWh from 0 to 100000, or None for the location's"
    grams = _number(name, value, allowed)
    if not 0 <= grams <= 100_000:
        raise InvalidArgument(f"{name} must be {allowed}, not {shown(value)}")
    return grams


def location(value: object) -> str | None:
    if value is None:
        return None
    allowed = 'a text such as "FR", "US-CA" or "aws:eu-west-1", or None'
    if not isinstance(value, str):
        raise TypeError(f"location must be {allowed}, not {shown(value)}")
    if not value.isascii() or not value.isprintable():
        raise InvalidArgument(f"location must be {allowed}, not {shown(value)}")
    return value


def _rate(name: str, value: object, least: float, most: float, what: str) -> float:
    if value is None:
        return float("nan")
    allowed = f"{what}, or None"
    rate = _number(name, value, allowed)
    if not least <= rate <= most:
        raise InvalidArgument(f"{name} must be {allowed}, not {shown(value)}")
    return rate


def pue(value: object) -> float:
    return _rate("pue", value, 1, 10, "a number from 1 to 10")


def price(value: object) -> float:
    return _rate("price_per_kwh", value, 0, 1e6, "a price of a kWh from 0 to 1000000")


def making(kg: object, years: object) -> tuple[float, float]:
    mass = _rate("embodied_kg", kg, 0, 1e9, "kg of CO2e from 0 to 1e9")
    life = _rate("lifetime_years", years, 5e-324, 100, "a number of years above 0 and up to 100")
    if (kg is None) != (years is None):
        given, lacking = ("embodied_kg", "lifetime_years")[:: 1 if years is None else -1]
        value = shown(kg if years is None else years)
        raise InvalidArgument(f"{given}={value} needs {lacking} too; give both or none of the two")
    return mass, life


def overhead_limit(value: object) -> float:
    allowed = "a fraction of the time from 0 to 1, such as 0.001"
    fraction = _number("overhead_limit", value, allowed)
    if not 0 <= fraction <= 1:
        raise InvalidArgument(f"overhead_limit must be {allowed}, not {shown(value)}")
    return fraction


def timeout_ns(value: object) -> int:
    if value is None:
        return SETTLE_NS
    allowed = "a number of seconds from 0, or None"
    seconds = _number("timeout", value, allowed)
    if not seconds >= 0:
        raise InvalidArgument(f"timeout must be {allowed}, not {shown(value)}")
    return round(min(seconds, 1e9) * 1e9)


def _truth(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    if type(value).__module__ == "numpy" and type(value).__name__ in ("bool", "bool_"):
        return bool(value)
    return None


def flag(name: str, value: object) -> bool:
    truth = _truth(value)
    if truth is None:
        raise TypeError(f"{name} must be True or False, not {shown(value)}")
    return truth


def sync(value: Any) -> Choice:
    truth = _truth(value)
    if truth is not None:
        return truth
    wrong = f'sync must be "auto", True, False or a function without arguments, not {shown(value)}'
    if isinstance(value, str):
        if value == "auto":
            return "auto"
        raise InvalidArgument(wrong)
    if not callable(value):
        raise TypeError(wrong)
    function = value
    while type(function).__module__ == "functools":
        function = getattr(function, "func", None)
    for code in (function, vars(type(function)).get("__call__")):
        if getattr(getattr(code, "__code__", None), "co_flags", 0) & _IS_LAZY:
            raise TypeError(f"{wrong}, which would do nothing when called; give one that waits")
    own: Choice = value
    return own


def path(name: str, value: object) -> str | bytes:
    from os import fspath

    try:
        return fspath(value)  # type: ignore[call-overload, no-any-return]
    except TypeError as error:
        raise TypeError(f"{name} must be a path, not {shown(value)}") from error


def device(value: object) -> str:
    """One of "auto", "cpu", "gpu", "cuda", "cuda:N"."""
    text = str(value) if type(value).__module__ == "torch" else value
    if not isinstance(text, str):
        raise TypeError(f"device must be {_DEVICES}, not {shown(value)}")
    if text in ("auto", "cpu", "gpu", "cuda"):
        return text
    wrong = f"device must be {_DEVICES}, not {shown(value)}"
    index = text.removeprefix("cuda:")
    if index == text or not _is_index(index):
        raise InvalidArgument(wrong)
    if _is_too_large(index):
        raise InvalidArgument(f"{wrong}; {_INDICES}")
    return text


def _is_index(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _is_too_large(text: str) -> bool:
    digits = text.lstrip("0")
    return len(digits) > len(str(_LAST_INDEX)) or int(digits or "0") > _LAST_INDEX


def _is_uuid(text: str) -> bool:
    return text.startswith(("GPU-", "MIG-")) and text.isascii() and text.isprintable()


def _gpu(item: Any, whole: object) -> str:
    wrong = f"gpus must be {_GPUS}, not {shown(whole)}"
    if isinstance(item, str):
        text = item.strip()
        if "," in text:
            raise InvalidArgument(f"{wrong}; in a list each GPU is an item of its own")
        if not _is_index(text) and not _is_uuid(text):
            raise InvalidArgument(wrong)
        if _is_index(text) and _is_too_large(text):
            raise InvalidArgument(f"{wrong}; {_INDICES}")
        return text
    if _is_bool(item):
        raise TypeError(wrong)
    from operator import index as index_of

    try:
        index = index_of(item)
    except Exception as error:
        raise TypeError(wrong) from error
    if not 0 <= index <= _LAST_INDEX:
        raise InvalidArgument(f"{wrong}; {_INDICES}")
    return str(index)


def gpus(value: object) -> str:
    if isinstance(value, str):
        if value in ("visible", "all", "local_rank"):
            return value
        return ",".join(_gpu(item, value) for item in value.split(","))
    if isinstance(value, (list, tuple, range)):
        if not value:
            raise InvalidArgument(
                f'gpus must name a GPU, not {shown(value)}; device="cpu" counts none'
            )
        return ",".join(_gpu(item, value) for item in value)
    return _gpu(value, value)


def require(value: Any) -> int:
    allowed = 'a collection of "cpu", "gpu" and "dram"'
    if isinstance(value, (str, bytes)):
        raise TypeError(f"require must be {allowed}, such as ({shown(value)},), not {shown(value)}")
    try:
        items = list(value)
    except TypeError as error:
        raise TypeError(f"require must be {allowed}, not {shown(value)}") from error
    mask = 0
    for item in items:
        if not isinstance(item, str):
            raise TypeError(f"require must be {allowed}, not {shown(value)}")
        if item not in _DOMAINS:
            raise InvalidArgument(f"require must be {allowed}, not {shown(value)}")
        mask |= _DOMAINS[item]
    return mask


def channels(value: object) -> str:
    if value is None:
        return ""
    allowed = 'patterns of channel names such as "+platform/psys" and "-gpu-1/*"'
    if isinstance(value, str):
        items = value.split(",") if value else []
    elif isinstance(value, (list, tuple)):
        items = list(value)
    else:
        raise TypeError(f"channels must be {allowed}, not {shown(value)}")
    for item in items:
        if not isinstance(item, str):
            raise TypeError(f"channels must be {allowed}, not {shown(value)}")
        if item[:1] not in ("+", "-") or len(item) < 2 or "," in item or not item.isprintable():
            raise InvalidArgument(f"channels must be {allowed}, not {shown(value)}")
    return ",".join(items)


def items(value: Any, name: str = "items") -> int:
    if type(value) is int and 0 <= value <= _MOST_ITEMS:
        return value
    wrong = f"{name} must be a whole number from 0 to {_MOST_ITEMS}, not {shown(value)}"
    if _is_bool(value):
        raise TypeError(wrong)
    from operator import index

    try:
        count = index(value)
    except Exception as error:
        raise TypeError(wrong) from error
    if not 0 <= count <= _MOST_ITEMS:
        raise InvalidArgument(wrong)
    return count


def items_of(value: Any) -> Callable[[Any], int] | None:
    """What counts the items of each turn of a loop."""
    if value is None or callable(value):
        own: Callable[[Any], int] | None = value
        return own
    try:
        count = items(value, "items_of")
    except TypeError as error:
        raise TypeError(f"{error}; or give a function that counts, such as len") from error
    return lambda _: count


def report_format(value: object) -> int:
    allowed = ", ".join(f'"{word}"' for word in _FORMATS)
    if not isinstance(value, str):
        raise TypeError(f"format must be one of {allowed}, not {shown(value)}")
    if value not in _FORMATS:
        raise InvalidArgument(f"format must be one of {allowed}, not {shown(value)}")
    return _FORMATS[value]


def window_name(name: object, call: str) -> str:
    allowed = "a text of 1 to 255 bytes in UTF-8"
    if not isinstance(name, str):
        remedy = f"; to decorate a function write @meter.{call}()" if callable(name) else ""
        raise TypeError(f"name must be {allowed}, not {shown(name)}{remedy}")
    try:
        length = len(name.encode())
    except UnicodeEncodeError as error:
        raise InvalidArgument(f"name must be {allowed}, not {shown(name)}") from error
    if not 1 <= length <= 255 or "\0" in name:
        raise InvalidArgument(f"name must be {allowed} and without NUL, not {shown(name)}")
    return name
