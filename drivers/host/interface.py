"""The methods of a device protocol, read from its signatures, so that a new method needs no change in the host.

A coroutine method is a request with one answer; a method that returns an async iterator is a stream. Arguments and
results are whatever pydantic can validate.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter

from drivers.messages import ActResult

LIMIT_ARGUMENT = "timeout_seconds"
LIMITS_SECONDS = {"status": 2.0, "capabilities": 5.0, "wipe": 3.0, "close": 3.0, "watch": math.inf}
DEFAULT_LIMIT_SECONDS = 10.0
BESIDE_THE_QUEUE = ("capabilities", "status", "cancel_", "watch", "feed_ink", "clear_ink", "confirm_ink")
"""Device-classes C.0: one queue per device; status and cancel bypass it, and what belongs to a command that runs."""

QUESTIONS = ("find_", "unresolved", "methods")
"""What became of something, what is possible: nothing is moved by it, so it needs no claim."""


@dataclass(frozen=True)
class Method:
    """One method of a protocol: how to carry its arguments and its results."""

    name: str
    signature: inspect.Signature
    streams: bool
    result_type: Any

    @cached_property
    def _arguments(self) -> dict[str, TypeAdapter[Any]]:
        return {name: TypeAdapter(parameter.annotation) for name, parameter in self.signature.parameters.items()}

    @cached_property
    def _result(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.result_type)

    @property
    def queues(self) -> bool:
        return not self.name.startswith(BESIDE_THE_QUEUE)

    @property
    def needs_claim(self) -> bool:
        return self.queues and not self.name.startswith(QUESTIONS)

    @property
    def acts(self) -> bool:
        """On paper, a card or money: a lost one has an uncertain end, not an error."""
        return isinstance(self.result_type, type) and issubclass(self.result_type, ActResult)

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """All arguments by name, defaults filled in. Raises `TypeError` as a call would."""
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)

    def limit_seconds(self, arguments: dict[str, Any]) -> float:
        limit = arguments.get(LIMIT_ARGUMENT)
        return float(limit) if limit is not None else LIMITS_SECONDS.get(self.name, DEFAULT_LIMIT_SECONDS)

    def dump_arguments(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {name: self._arguments[name].dump_python(value, warnings="error") for name, value in arguments.items()}

    def load_arguments(self, tree: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Positional and keyword arguments. Raises `ValidationError`."""
        args, kwargs = [], {}
        for name, parameter in self.signature.parameters.items():
            value = self._arguments[name].validate_python(tree[name])
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
                kwargs[name] = value
            else:
                args.append(value)
        return args, kwargs

    def dump_result(self, value: Any) -> Any:
        """Raises `PydanticSerializationError` when the driver answered something its protocol does not know."""
        return self._result.dump_python(value, warnings="error")

    def load_result(self, tree: Any) -> Any:
        return self._result.validate_python(tree)


@cache
def methods_of(protocol: type) -> dict[str, Method]:
    """Every public method of a protocol, with those it inherits."""
    found = {}
    for name in dir(protocol):
        function = inspect.getattr_static(protocol, name)
        if name.startswith("_") or not inspect.isfunction(function):
            continue
        found[name] = _method(name, function)
    return found


def _method(name: str, function: Any) -> Method:
    hints = get_type_hints(function, include_extras=True)
    signature = inspect.signature(function)
    parameters = [
        parameter.replace(annotation=hints[parameter.name]) for parameter in list(signature.parameters.values())[1:]
    ]
    result = hints.get("return", type(None))
    streams = get_origin(result) in (AsyncIterator, AsyncGenerator)
    if not streams and not inspect.iscoroutinefunction(function):
        raise TypeError(f"{name} is neither a coroutine nor an async iterator: it cannot cross a process border")
    return Method(
        name=name,
        signature=signature.replace(parameters=parameters),
        streams=streams,
        result_type=get_args(result)[0] if streams else result,
    )


class Deviation(Exception):
    """What a driver did that its protocol does not know, in words for its maker; nothing of what it said."""


def deviation_of(driver: object, method: Method, error: BaseException) -> Deviation | None:
    """Why a driver could not even be asked, in words for its maker; None when the error came out of its own code."""
    if not isinstance(error, AttributeError | TypeError):
        return None
    begun = error.__traceback__
    if begun is not None and begun.tb_next is not None:
        return None
    function = getattr(driver, method.name, None)
    if not callable(function):
        return _deviates(f"has no {method.name}: its protocol asks for it")
    given = ", ".join(method.signature.parameters) or "no arguments"
    keywords = [name for name, it in method.signature.parameters.items() if it.kind is inspect.Parameter.KEYWORD_ONLY]
    places = len(method.signature.parameters) - len(keywords)
    try:
        inspect.signature(function).bind(*[None] * places, **dict.fromkeys(keywords))
    except TypeError:
        return _deviates(f"has a {method.name} that does not take {given}, as its protocol says")
    kind = "async generator" if method.streams else "coroutine"
    return _deviates(f"has a {method.name} that is no {kind}: write async def")


def _deviates(deed: str) -> Deviation:
    return Deviation(f"the driver {deed}")
