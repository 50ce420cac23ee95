"""Forms: a deed is done whole in one transaction, or refused with a reason the page can show."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import Depends, Form, Request
from pydantic import BaseModel, ValidationError
from sqlmodel import Session

from fleet_server.problems import ProblemError
from fleet_server.security import Role, StaffIdentity, require

Result = TypeVar("Result")
Model = TypeVar("Model", bound=BaseModel)

_PERSONAL = re.compile(r"\d{17}[\dXx]|1[3-9]\d(?:[- ]?\d{4}){2}")

Text = Annotated[str, Form()]
Anybody = Annotated[StaffIdentity, Depends(require(*Role))]


def attempt(request: Request, staff: StaffIdentity, deed: Callable[[Session], Result]) -> Result | ProblemError:
    """Do it in one transaction; a refusal undoes all of it, is audited when it is a 403, and is handed back."""
    try:
        with request.app.state.database.writing() as session:
            return deed(session)
    except ProblemError as problem:
        if problem.status == 403:
            request.app.state.audit_refusal(staff.account, problem.code, request.url.path)
        return problem


def read_form(model: type[Model], **values: object) -> Model:
    """What was typed, as the service wants it. Raises `ProblemError` 422 naming the fields that do not fit."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        fields = sorted({str(fault["loc"][0]) for fault in error.errors() if fault["loc"]})
        raise ProblemError(422, "form_invalid", ", ".join(fields), fields=fields) from error


def holds_personal_number(text: str) -> bool:
    """Whether an identity or mobile number stands in what a member of staff wrote."""
    return _PERSONAL.search(text) is not None
