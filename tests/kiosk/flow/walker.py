"""A citizen who reads each screen and answers as a scenario says; knows nothing of the steps behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, assert_never

from kiosk.contracts.matter import (
    AskStep,
    CollectMaterialStep,
    ConsentStep,
    IdentifyStep,
    Matter,
    PayStep,
    ReviewStep,
)
from kiosk.contracts.scenario import PhoneSends, Scenario
from kiosk.contracts.value import Language
from kiosk.flow.screens import (
    Answer,
    ChooseScreen,
    Chosen,
    FormFilled,
    FormScreen,
    InstructScreen,
    Left,
    NoticeScreen,
    PayScreen,
    Place,
    PreviewScreen,
    ReviewScreen,
    Screen,
    SignScreen,
    WorkingScreen,
    Wrote,
)

SIGN_IN_WAYS = frozenset({"face", "code", "bank_card", "clerk"})
CLERKS = {"1001": "402917", "1002": "630148"}
"""Two clerks of the shop, and their PINs."""
A_NAME = tuple((20.0 + 3 * at, 20.0 + 15 * (at % 2), 40 * at) for at in range(30))
"""One long stroke on the glass: millimetres and milliseconds."""


class ScenarioWrong(AssertionError):
    """The scenario does not say what the citizen does here."""


class Beside(Protocol):
    """What the citizen does beside the screen."""

    def pay(self, qr: str, behave: str) -> None: ...

    def take_card(self) -> None: ...

    def send_from_phone(self, address: str, sent: PhoneSends) -> None: ...


class Walker:
    """`answer_to` each screen in turn; `code` reads the text message on the citizen's phone."""

    def __init__(
        self, matter: Matter, scenario: Scenario, code: Callable[[], str], hands: Beside | None = None
    ) -> None:
        self._matter, self._scenario, self._code, self._hands = matter, scenario, code, hands
        self._paid: set[str] = set()
        self._scanned: set[str] = set()
        self._steps = {step.id: step for step in matter.steps}
        self._filled: set[str] = set()
        self._clerks = iter(CLERKS.items())
        self._objected = False
        self.left_at: str | None = None
        """The step where the citizen left because a paper was not at hand."""

    def answer_to(self, screen: Screen) -> Answer | None:
        """None while the machine works or waits for a device."""
        match screen:
            case WorkingScreen():
                offered = {option.id for option in screen.alternatives}
                answer = _touch(screen, "second_clerk") if "second_clerk" in offered else None
            case InstructScreen():
                answer = self._at_device(screen)
            case ChooseScreen():
                answer = self._choice(screen)
            case FormScreen():
                answer = self._form(screen)
            case ReviewScreen() if self._objects(screen):
                answer = _touch(screen, "object")
            case ReviewScreen():
                declined = isinstance(self._steps.get(screen.step_id), ConsentStep) and not self._scenario.consents
                answer = _touch(screen, "decline" if declined else "")
            case PreviewScreen():
                answer = _touch(screen)
            case SignScreen():
                answer = self._signature(screen)
            case PayScreen():
                answer = self._payment(screen)
            case NoticeScreen():
                answer = _touch(screen, _onward(screen))
            case _:
                assert_never(screen)
        return answer

    def _signature(self, screen: SignScreen) -> Answer:
        if self._scenario.signature == "empty":
            self.left_at = screen.step_id
            return Left()
        written = screen.primary is not None and screen.primary.enabled
        return _touch(screen) if written else Wrote(screen_id=screen.screen_id, points=A_NAME)

    def _payment(self, screen: PayScreen) -> Answer | None:
        if not screen.qr or screen.qr in self._paid or self._hands is None:
            return None
        self._paid.add(screen.qr)
        behave = self._scenario.payment
        if behave != "never":
            self._hands.pay(screen.qr, behave)
        if behave not in ("never", "refused", "late"):
            return None
        self.left_at = screen.step_id
        return Left()

    def _objects(self, screen: ReviewScreen) -> bool:
        """Once, at the first value somebody else gave."""
        if self._objected or not self._scenario.objection:
            return False
        self._objected = any(option.id == "object" for option in screen.alternatives)
        return self._objected

    def _at_device(self, screen: InstructScreen) -> Answer | None:
        if screen.place is Place.CARD_SLOT and not screen.can_leave and self._hands is not None:
            self._hands.take_card()
        if screen.qr and self._hands is not None and screen.qr not in self._scanned:
            self._scanned.add(screen.qr)
            self._hands.send_from_phone(screen.qr, self._scenario.sends[screen.step_id])
        if isinstance(self._steps.get(screen.step_id), IdentifyStep) and self._scenario.sign_in == "travel_document":
            return _touch(screen, "without_card" if screen.place is Place.CARD_READER else "")
        if screen.place is Place.DOCUMENT_CAMERA and isinstance(self._steps.get(screen.step_id), CollectMaterialStep):
            if screen.step_id not in self._scenario.captures:
                self.left_at = screen.step_id
                return Left()
            return _touch(screen)
        return None

    def _way_of_material(self, screen: ChooseScreen) -> Answer:
        if screen.step_id == self._scenario.leaves_at:
            self.left_at = screen.step_id
            return Left()
        by_phone, by_camera = (screen.step_id in here for here in (self._scenario.sends, self._scenario.captures))
        return _touch(screen, "phone" if by_phone else "camera" if by_camera else "without")

    def _choice(self, screen: ChooseScreen) -> Answer:
        if isinstance(self._steps.get(screen.step_id), CollectMaterialStep):
            return self._way_of_material(screen)
        offered = {option.id for option in screen.options if option.enabled}
        if screen.layout == "grades":
            wanted = str(self._scenario.rating) if self._scenario.rating else "skip"
        elif isinstance(self._steps.get(screen.step_id), PayStep):
            first = next(option.id for option in screen.options if option.enabled)
            wanted = "bank_card" if self._scenario.bank_card else first
        elif "travel_document" in offered and self._scenario.sign_in == "travel_document":
            wanted = "travel_document"
        elif SIGN_IN_WAYS & {option.id for option in screen.options}:
            wanted = "code" if self._scenario.sign_in == "travel_document" else self._scenario.sign_in
        elif screen.several:
            wanted = ""
        elif isinstance(self._steps.get(screen.step_id), ReviewStep):
            wanted = screen.options[0].id
        elif isinstance(step := self._steps.get(screen.step_id), AskStep):
            question = next(each.id for each in step.questions if each.text == screen.say)
            wanted = self._answer(question)
            offered_labels = ", ".join(sorted(offered))
            if wanted not in offered:
                raise ScenarioWrong(f"answers.{question}: {wanted!r} is not offered: use one of {offered_labels}")
        else:
            raise ScenarioWrong(f"step {screen.step_id}: nobody told the citizen what to choose of {sorted(offered)}")
        return _touch(screen, wanted)

    def _form(self, screen: FormScreen) -> Answer:
        for item in screen.items:
            if item.error is not None:
                raise ScenarioWrong(f"{item.id}: {item.error.in_language(Language.EN)}")
        if screen.items[0].id == "clerk":
            number, pin = next(self._clerks)
            return FormFilled(screen_id=screen.screen_id, values={"clerk": number, "pin": pin})
        values = {}
        for item in screen.items:
            if item.id == "objection_wanted":
                values[item.id] = self._scenario.objection
            elif item.kind == "code":
                values[item.id] = self._code()
            elif item.id in self._scenario.answers or item.required:
                values[item.id] = self._answer(item.id)
        return FormFilled(screen_id=screen.screen_id, values=values)

    def _answer(self, name: str) -> str:
        if name not in self._scenario.answers:
            raise ScenarioWrong(f"the scenario answers nothing for {name}, and no source knows it: add it to answers")
        return self._scenario.answers[name]


def _onward(screen: NoticeScreen) -> str:
    """From a failure home, or in a package on to the other parts."""
    if screen.tone != "failure":
        return ""
    offered = {option.id for option in (screen.primary, *screen.alternatives) if option is not None}
    return "go_on" if "go_on" in offered else "home"


def _touch(screen: Screen, option: str = "") -> Answer:
    """The option, or the main action where none is named."""
    wanted = option or (screen.primary.id if screen.primary is not None else "")
    if not wanted:
        raise ScenarioWrong(f"step {screen.step_id}: a {screen.kind} screen without a main action")
    return Chosen(screen_id=screen.screen_id, option=wanted)


def ended(events: list[tuple[str, dict[str, Any]]], walker: Walker) -> dict[str, Any]:
    """What the journal says became of the matter, in the words of a scenario's `expect`."""
    last = dict(events)
    end = last["transaction_ended"]
    told = [data for name, data in events if name == "citizen_told" and data["fault"] == end["fault"]]
    printed = [data for name, data in events if name == "print_ended" and data["disposition"] == "succeeded"]
    material = last.get("material_collected", {})
    return {
        "disposition": end["disposition"],
        "fault": end["fault"] or None,
        "ended_at": told[-1]["step"] if told else walker.left_at,
        "documents": sum(data["device"] == "document_printer" for data in printed),
        "receipt": any(data["device"] == "receipt_printer" for data in printed),
        "case_number": bool(end["case_number"]),
        "material": material.get("origin"),
        "objection": any(name == "objection_made" for name, _ in events),
        "parts": {
            data["part"]: data["outcome"]
            for name, data in events
            if name == "part_ended" and data["outcome"] != "skipped"
        },
    }
