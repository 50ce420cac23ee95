"""Sample screens of the ways in beside the face: with the words the flow itself says."""

from __future__ import annotations

from typing import Any

from kiosk.contracts.text import FieldKind
from kiosk.flow.screens import (
    ChooseScreen,
    FormItem,
    FormScreen,
    InstructScreen,
    Place,
    ReviewScreen,
    Screen,
    WorkingScreen,
)
from kiosk.flow.transaction import option
from kiosk.flow.words import device_sentence, word
from kiosk.ui.gallery.screens import journey

_NAME, _CARD, _PHONE = "林*试", "****0010", "130****0001"


def _frame(number: int, title: str, say: str, **more: Any) -> dict[str, Any]:
    filled = word(say).format(name=_NAME, card=_CARD, phone=_PHONE)
    members = {"screen_id": number, "step_id": "sign_in", "journey": journey(0), "title": word(title), "say": filled}
    return members | {"can_go_back": True} | more


def _way(way: str, icon: str, reason: str = "") -> Any:
    return option(way, f"way_{way}", icon=icon, enabled=not reason, detail=reason or f"way_{way}_detail")


def _vouching(number: str, pin: str, error: str) -> tuple[FormItem, ...]:
    return (
        FormItem(id="clerk", label=word("clerk_number"), kind=FieldKind.NUMBER, max_length=8, value=number),
        FormItem(
            id="pin", label=word("clerk_pin"), kind="pin", max_length=6, value=pin,
            error=word(error) if error else None,
        ),
    )  # fmt: skip


_CONFIRM = option("confirm", "confirm")

SIGN_IN_SCREENS: dict[str, Screen] = {
    "ways_to_confirm": ChooseScreen(
        **_frame(61, "choose_way_title", "choose_way"),
        options=(_way("face", "face"), _way("code", "phone"), _way("bank_card", "money"), _way("clerk", "person")),
    ),
    "ways_offline": ChooseScreen(
        **_frame(62, "choose_way_title", "choose_way"),
        options=(
            _way("face", "face", "face_no_photo"), _way("code", "phone"),
            _way("bank_card", "money", "way_device_down"), _way("clerk", "person", "clerk_needs_centre"),
        ),
    ),
    "clerk": FormScreen(
        **_frame(63, "clerk_first_title", "clerk_first_say", primary=_CONFIRM), items=_vouching("", "", ""),
    ),
    "clerk_wrong": FormScreen(
        **_frame(64, "clerk_second_title", "clerk_second_say", primary=_CONFIRM),
        items=_vouching("1001", "", "one_person"),
    ),
    "clerk_wait": WorkingScreen(
        **_frame(65, "clerk_wait_title", "clerk_wait_say",
                 alternatives=(option("second_clerk", "clerk_second_here", icon="person"),)),
        detail=word("clerk_wait_left").format(minutes=2, seconds="05"), progress=31,
    ),
    "clerk_refused": ReviewScreen(
        **_frame(66, "face_not_done_title", "clerk_not_confirmed", primary=option("other_way", "choose_again"),
                 can_go_back=False),
        text=word("confirmation_person_differs"),
    ),
    "bank_consent": ReviewScreen(
        **_frame(67, "bank_consent_title", "bank_consent_say", primary=option("agree", "agree"),
                 alternatives=(option("decline", "bank_decline"),)),
        text=word("bank_consent_text"),
    ),
    "bank_card": InstructScreen(
        **_frame(68, "way_bank_card", "insert_bank_card", place=Place.CARD_SLOT),
        hint=device_sentence("smart_card_reader", "no_bank_application"),  # type: ignore[arg-type]
    ),
    "bank_number": FormScreen(
        **_frame(69, "way_bank_card", "bank_number_say", primary=_CONFIRM),
        items=(
            FormItem(id="id_number", label=word("bank_number_label"), kind=FieldKind.IDENTITY_NUMBER,
                     value="35020319010203001", max_length=18, error=word("bank_number_wrong")),
        ),
    ),
    "bank_code": FormScreen(
        **_frame(70, "code_title", "bank_code_say", primary=_CONFIRM, alternatives=(option("resend", "send_again"),)),
        items=(FormItem(id="code", label=word("code_label"), kind="code", max_length=6),),
    ),
    "ways_without_card": ChooseScreen(
        **_frame(71, "without_card_title", "without_card_say"),
        options=(
            _way("app_code", "phone"), _way("social_card", "card"), _way("travel_document", "travel"),
            _way("bank_card", "money"),
        ),
    ),
    "document_consent": ReviewScreen(
        **_frame(72, "document_consent_title", "document_consent_say", primary=option("agree", "agree"),
                 alternatives=(option("decline", "document_decline"),)),
        text=word("document_consent_text"),
    ),
    "travel_document": InstructScreen(
        **_frame(73, "way_travel_document", "lay_document", place=Place.DOCUMENT_CAMERA,
                 primary=option("read", "read_document")),
        hint=device_sentence("document_scanner", "zone_unreadable"),  # type: ignore[arg-type]
    ),
}  # fmt: skip
