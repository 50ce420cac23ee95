"""Connectors as data: one file per authority in assets/connectors, its operations with their mappings (JMESPath).

On the way out expressions read the payload; on the way back, the authority's JSON. An expression that gives nothing
leaves its member out.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from fleet_server.gateway.expressions import checked, names_in
from kiosk.contracts.errors import SettingsInvalid
from kiosk.contracts.matter import CallServiceStep, Matter, Slug, places_in
from kiosk.contracts.value import LocalizedText
from kiosk.contracts.yaml_marks import Mistake, mistakes_of, read_marked

HOME = "350200"
REGION = "region"
"""The parameter that says where an operation is wanted; it goes to the authority only when the operation takes it."""
CONNECTORS = Path(__file__).parents[2] / "assets" / "connectors"


_XML_NAME = r"^[A-Za-z_][A-Za-z0-9_.-]*$"
_OPERATION = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$"
_REGION = r"^[1-9]\d{5}$"
FORM_PARAMETERS = ("app_id", "method", "nonce", "request_no", "sign", "sign_type", "timestamp")
Expression = Annotated[str, AfterValidator(checked)]


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Signature(_Plain):
    """How calls are signed; `answers`: the authority signs its answers too, and one without is garbled.

    `application` is what the authority calls us, for styles that say it.
    """

    scheme: Literal["hmac", "rsa", "sm2"] = "hmac"
    answers: bool = False
    application: str = Field(default="yizhan", pattern=r"^[A-Za-z0-9_.-]{1,64}$")


class Soap(_Plain):
    """SOAP 1.1. `list_element` is the name under which the authority lists things."""

    namespace: str = Field(pattern=r"^(https?://|urn:)[^\s\"<>&]+$")
    list_element: str = Field(default="item", pattern=_XML_NAME)


class RefusalPlace(_Plain):
    """Where the authority writes its refusal code and its own words."""

    code: Expression
    words: Expression


class KnownRefusal(_Plain):
    """What one of its codes means to us: a stable reason and the sentence the citizen is told."""

    reason: Slug
    message: LocalizedText


class AnswerMapping(_Plain):
    """`agrees` pairs an expression on the answer with one on the payload: an answer about somebody else is garbled."""

    data: dict[Slug, Expression] = {}
    required: tuple[Slug, ...] = ()
    identifiers: tuple[Slug, ...] = Field(default=("identifier",), description="GB/T 36904")
    case_number: Expression | None = None
    accepted: Expression | None = Field(default=None, description="true: taken in, and decided later")
    agrees: dict[Expression, Expression] = {}

    @model_validator(mode="after")
    def _required_are_mapped(self) -> AnswerMapping:
        missing = set(self.required) - set(self.data)
        if missing:
            raise ValueError(f"required but not mapped: {', '.join(sorted(missing))}")
        return self


class Operation(_Plain):
    """`repeatable`: the authority honours the idempotency key, so a submit may be sent again.

    `element` is the request's element in SOAP. An answer whose `identifiers` (of `data`) fail their MOD 37,36 check
    is garbled.
    """

    effect: Literal["query", "submit"]
    method: Literal["POST", "PUT"] = "POST"
    path: str = Field(pattern=r"^(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+$")
    element: str | None = Field(default=None, pattern=_XML_NAME)
    timeout_seconds: float = Field(gt=0, le=60)
    attempts: int = Field(default=1, ge=1, le=3)
    repeatable: bool = False
    required: tuple[Slug, ...] = ()
    one_of: tuple[Slug, ...] = ()
    optional: tuple[Slug, ...] = ()
    body: dict[str, Any]
    answer: AnswerMapping

    @model_validator(mode="after")
    def _body_is_mapped(self) -> Operation:
        _check_body(self.body)
        if self.attempts > 1 and self.effect == "submit" and not self.repeatable:
            raise ValueError("a submit is tried again only when the authority honours the idempotency key (repeatable)")
        sent = frozenset().union(*map(names_in, _expressions_in(self.body)))
        read = sent.union(*map(names_in, self.answer.agrees.values()))
        if unknown := sorted(sent - self.parameters):
            raise ValueError(f"the body reads {unknown[0]!r}, and nobody gives it: add it to required, or correct it")
        if unsent := sorted(self.parameters - read):
            raise ValueError(f"{unsent[0]!r} is asked for and never sent: put it into the body, or remove it")
        return self

    @property
    def parameters(self) -> frozenset[str]:
        return frozenset((*self.required, *self.one_of, *self.optional))


class Connector(_Plain):
    """One authority. `done` is true on its good answer; anything neither done nor a refusal is garbled.

    `regions` are the areas it serves (GB/T 2260; 350000 a province, 350200 a city); none: this city alone.
    """

    authority: Slug
    name: LocalizedText
    style: Literal["rest", "form", "soap"] = "rest"
    signature: Signature = Signature()
    soap: Soap | None = None
    regions: tuple[Annotated[str, Field(pattern=_REGION)], ...] = ()
    document_path: str | None = Field(default=None, pattern=r"^/[A-Za-z0-9/_.-]*\{id\}$")
    done: Expression
    refusal: RefusalPlace
    refusal_statuses: tuple[int, ...] = ()
    refusals: dict[str, KnownRefusal] = {}
    operations: dict[Annotated[str, Field(pattern=_OPERATION)], Operation] = Field(min_length=1)

    @model_validator(mode="after")
    def _style_is_complete(self) -> Connector:
        if (self.style == "soap") != (self.soap is not None):
            raise ValueError("style soap needs soap: {namespace: …}, and no other style has it")
        for name, operation in self.operations.items():
            if (self.style == "soap") != (operation.element is not None):
                raise ValueError(f"{name}: in style soap an operation names its element, in others it has none")
            for key in _keys_in(operation.body):
                if self.style == "soap" and re.match(_XML_NAME, key) is None:
                    raise ValueError(f"{name}: body key {key!r} cannot be an XML element: rename it")
                if self.style == "form" and (key in FORM_PARAMETERS or "." in key):
                    raise ValueError(f"{name}: body key {key!r} is the form's own, or has a dot: rename it")
        return self


class ConnectorInvalid(SettingsInvalid):
    """A connector file is wrong: `faults` lists each mistake as (path, line, message with its cure)."""

    def __init__(self, file: str, faults: Sequence[Mistake]) -> None:
        lines = "\n".join(
            f"  {file}:{line}: {path}: {message}".replace(": : ", ": ", 1) for path, line, message in faults
        )
        super().__init__(f"connector {file}: {len(faults)} mistake(s)\n{lines}")
        self.faults = list(faults)


class Connectors:
    """All authorities and their operations by name, and by region where several offer the same.

    `home` is this city's area code (GB/T 2260). A connector without regions serves home; of several the nearest wins:
    the district, the city, the province.
    """

    def __init__(self, connectors: Mapping[str, Connector], home: str = HOME) -> None:
        self.authorities = dict(connectors)
        self._home = home
        self._offers: dict[str, dict[str, tuple[Connector, Operation]]] = {}
        for connector in connectors.values():
            for name, operation in connector.operations.items():
                offers = self._offers.setdefault(name, {})
                for region in connector.regions or (home,):
                    if region in offers:
                        raise SettingsInvalid(
                            f"operation {name} is given by two connectors for {region}: keep one, or name its regions"
                        )
                    offers[region] = (connector, operation)

    def find(self, operation: str, region: str = "") -> tuple[Connector, Operation] | None:
        """Who does this: in `region`, or here. None when nobody does."""
        offers = self._offers.get(operation, {})
        for area in areas_around(region or self._home):
            if area in offers:
                return offers[area]
        if region or len(offers) != 1:
            return None
        return next(iter(offers.values()))

    def offered(self, operation: str) -> bool:
        """Whether anybody does this anywhere."""
        return operation in self._offers

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._offers)


def areas_around(region: str) -> tuple[str, str, str]:
    """350203 → itself, its city 350200, its province 350000."""
    return region, region[:4] + "00", region[:2] + "0000"


def load_connector(text: str, file: str) -> Connector:
    """Parse one connector file. Raises `ConnectorInvalid` listing every mistake with its line; does no I/O."""
    marked = read_marked(text)
    mistakes = list(marked.mistakes)
    connector = None
    if marked.data is not None:
        try:
            connector = Connector.model_validate(marked.data)
        except ValidationError as error:
            mistakes += mistakes_of(error.errors(include_url=False), marked, _KNOWN_KEYS)
    if connector is None or mistakes:
        raise ConnectorInvalid(file, sorted(mistakes, key=lambda item: item[1]))
    return connector


def read_connectors(directory: Path = CONNECTORS) -> Connectors:
    """Read every file or raise `SettingsInvalid` naming the file and what is wrong."""
    found: dict[str, Connector] = {}
    for path in sorted(directory.glob("*.yaml")):
        connector = load_connector(path.read_text(encoding="utf-8"), path.name)
        if connector.authority in found:
            raise SettingsInvalid(f"connector {path.name}: authority {connector.authority} is given twice")
        found[connector.authority] = connector
    return Connectors(found)


def operation_mistakes(matter: Matter, connectors: Connectors) -> list[tuple[str, str]]:
    """What a matter asks of the gateway that no connector gives, as (path, message with its cure)."""
    mistakes: list[tuple[str, str]] = []
    gives: dict[str, frozenset[str]] = {}
    for index, step in enumerate(matter.steps):
        path = f"steps[{index}]"
        if isinstance(step, CallServiceStep):
            found = connectors.find(step.operation)
            if found is None:
                near = difflib.get_close_matches(step.operation, connectors.names, n=1)
                cure = f"did you mean {near[0]!r}?" if near else "add it to a connector, or correct it"
                mistakes.append((f"{path}.operation", f"no connector offers {step.operation!r}: {cure}"))
                continue
            mistakes += _call_mistakes(path, step, found[1])
            gives[step.id] = frozenset(found[1].answer.data) | {"case_number"}
    for path, source in _service_sources(matter):
        _, step_id, name = source.split(".", 2)
        if step_id in gives and name not in gives[step_id]:
            known = ", ".join(sorted(gives[step_id]))
            mistakes.append((path, f"{name!r} is not in that answer of {step_id!r}: use one of {known}"))
    return mistakes


def _call_mistakes(path: str, step: CallServiceStep, operation: Operation) -> list[tuple[str, str]]:
    mistakes = [
        (f"{path}.send.{name}", f"{step.operation} takes no {name!r}: remove it")
        for name in step.send
        if name not in operation.parameters and name != REGION
    ]
    mistakes += [
        (f"{path}.send", f"{step.operation} needs {name!r}: add it")
        for name in operation.required
        if name not in step.send
    ]
    if operation.one_of and not set(operation.one_of) & set(step.send):
        mistakes.append((f"{path}.send", f"{step.operation} needs one of {', '.join(operation.one_of)}: add one"))
    if step.effect != operation.effect:
        mistakes.append((f"{path}.effect", f"{step.operation} is a {operation.effect}: say so"))
    return mistakes


def _service_sources(matter: Matter) -> list[tuple[str, str]]:
    """Where a matter names what an authority answered, and what it names: (path, service.STEP.NAME)."""
    found: list[tuple[str, str]] = []

    def walk(path: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                walk(f"{path}.{key}", item)
                walk(f"{path}.{key}", key)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                walk(f"{path}[{index}]", item)
        elif isinstance(value, str):
            found.extend((path, source) for source in places_in(value) or places_in("{" + value + "}"))

    walk("steps", matter.model_dump(mode="json", by_alias=True)["steps"])
    return [(path, source) for path, source in found if source.startswith("service.") and source.count(".") >= 2]


def _keys_in(body: Any) -> list[str]:
    if not isinstance(body, dict):
        return []
    return [key for name, inner in body.items() for key in (name, *_keys_in(inner))]


def _expressions_in(body: Any) -> list[str]:
    if isinstance(body, dict):
        return [expression for inner in body.values() for expression in _expressions_in(inner)]
    return [body]


def _check_body(body: Any) -> None:
    if isinstance(body, dict):
        for value in body.values():
            _check_body(value)
    elif isinstance(body, str):
        checked(body)
    else:
        raise ValueError("a body holds groups of keys and expressions only")  # noqa: TRY004  pydantic turns ValueError into a mistake


_KNOWN_KEYS = frozenset(
    name for model in (Connector, Signature, Soap, RefusalPlace, KnownRefusal, AnswerMapping, Operation)
    for name in model.model_fields
)  # fmt: skip
