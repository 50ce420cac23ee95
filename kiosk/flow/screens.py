"""What the citizen sees, and what the citizen answers: two closed unions, both frozen.

A Screen says everything the page needs; a page adds only its look. The Python class and the QML file carry the same
name. Texts are in all three languages, so that the language can change while a screen stands. These are plain
dataclasses: they never leave the process, and the first screen is painted before the contracts are loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol

from kiosk.contracts.text import FieldKind, Language, LocalizedText

if TYPE_CHECKING:  # the screen is painted before these rooms are loaded
    from drivers.messages import Preview
    from kiosk.contracts.errors import FaultCode
    from kiosk.flow.course.helper import Helper


class Mode(StrEnum):
    STANDARD = "standard"
    ELDER = "elder"


class Place(StrEnum):
    """Where on the cabinet the citizen acts now; the page shows a light, a picture and the sentence."""

    NONE = "none"
    SCREEN = "screen"
    CARD_READER = "card_reader"
    FACE_CAMERA = "face_camera"
    DOCUMENT_CAMERA = "document_camera"
    DOCUMENT_TRAY = "document_tray"
    RECEIPT_SLOT = "receipt_slot"
    SIGNATURE_PAD = "signature_pad"
    CARD_SLOT = "card_slot"
    PAYMENT_TERMINAL = "payment_terminal"
    CODE_SCANNER = "code_scanner"


@dataclass(frozen=True, kw_only=True, repr=False)
class Mark:
    """One place in the journey, for the strip at the top."""

    title: LocalizedText
    state: Literal["done", "now", "next"]


@dataclass(frozen=True, kw_only=True, repr=False)
class Option:
    """Something to touch. `id` comes back in the answer."""

    id: str
    label: LocalizedText
    detail: LocalizedText | None = None
    icon: str = ""
    enabled: bool = True
    picked: bool = False
    """Chosen before, when the citizen went back."""


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class ScreenOfStep:
    """What all screens share.

    `screen_id` differs for every screen shown, so that a late answer to an earlier one is told apart. `primary` is the
    one main action, always at the same place; `alternatives` stand beside it. `seconds_left`/`warn_at` belong to the
    time-out, which the stage draws over any screen.
    """

    screen_id: int
    step_id: str = ""
    title: LocalizedText
    say: LocalizedText
    journey: tuple[Mark, ...] = ()
    place: Place = Place.SCREEN
    primary: Option | None = None
    alternatives: tuple[Option, ...] = ()
    can_go_back: bool = False
    can_leave: bool = True


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class InstructScreen(ScreenOfStep):
    """Do something at a device: lay the card, look at the camera, lay a paper. `progress` 0…100, None unknown.

    `qr` is for the citizen's own phone to scan; `seconds_left` of `seconds_total` runs down before it ends.
    """

    kind: Literal["instruct"] = "instruct"
    hint: LocalizedText | None = None
    direction: Literal["", "left", "right", "straight"] = ""
    shows_camera: bool = False
    progress: int | None = None
    qr: str = ""
    seconds_left: int = 0
    seconds_total: int = 0


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class ChooseScreen(ScreenOfStep):
    """Pick one (ways to sign in, grades of the rating) or several, then confirm when `primary` is given."""

    kind: Literal["choose"] = "choose"
    options: tuple[Option, ...]
    layout: Literal["cards", "list", "grades"] = "cards"
    several: tuple[Option, ...] = ()


@dataclass(frozen=True, kw_only=True, repr=False)
class FormItem:
    """One field as it is asked now."""

    id: str
    label: LocalizedText
    kind: FieldKind | Literal["code", "pin"]
    value: str = ""
    hint: LocalizedText | None = None
    choices: tuple[Option, ...] = ()
    required: bool = True
    error: LocalizedText | None = None
    max_length: int = 60


@dataclass(frozen=True, kw_only=True, repr=False)
class KnownItem:
    """Something a trusted source already knows: shown, not asked. `value` is already masked when `masked`."""

    label: LocalizedText
    value: LocalizedText
    masked: bool = False
    clear_value: LocalizedText | None = None
    origin: LocalizedText | None = None


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class FormScreen(ScreenOfStep):
    """Ask only for what nobody knows; what is known stands above."""

    kind: Literal["form"] = "form"
    items: tuple[FormItem, ...]
    known: tuple[KnownItem, ...] = ()


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class PreviewScreen(ScreenOfStep):
    """Look at a page before it is printed or handed in. `page_png` lives in memory only."""

    kind: Literal["preview"] = "preview"
    page_png: bytes = b""
    caption: LocalizedText | None = None


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class ReviewScreen(ScreenOfStep):
    """Check what will be sent, or read what is agreed to: label and value, or a longer text."""

    kind: Literal["review"] = "review"
    items: tuple[KnownItem, ...] = ()
    text: LocalizedText | None = None


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class WorkingScreen(ScreenOfStep):
    """Something runs; the citizen waits. `progress` 0…100, None unknown."""

    kind: Literal["working"] = "working"
    detail: LocalizedText | None = None
    progress: int | None = None


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class NoticeScreen(ScreenOfStep):
    """Say how it stands: done, take your papers, a failure. For a failure: what of the money and papers, and a code."""

    kind: Literal["notice"] = "notice"
    tone: Literal["success", "attention", "failure"] = "success"
    papers: LocalizedText | None = None
    money: LocalizedText | None = None
    what_to_do: LocalizedText | None = None
    fault: FaultCode | None = None
    transaction_number: str = ""


InkLine = tuple[tuple[float, float, float], ...]
"""From pen down to pen up: millimetres from the field's upper left, and pressure 0…1."""


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class SignScreen(ScreenOfStep):
    """Read the statement, write a name. `writes_here`: on this glass; otherwise on a pad, whose `ink` is shown."""

    kind: Literal["sign"] = "sign"
    text: LocalizedText
    items: tuple[KnownItem, ...] = ()
    field_mm: tuple[float, float]
    writes_here: bool = True
    ink: tuple[InkLine, ...] = ()
    hint: LocalizedText | None = None


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class PayScreen(ScreenOfStep):
    """Money to be paid now. `qr` is what the citizen scans; without one the citizen acts at `place`.

    `seconds_left` of `seconds_total` runs down before the order is closed. `hint` says what goes wrong at the moment.
    """

    kind: Literal["pay"] = "pay"
    amount: str  # yuan, "20.00"
    payee: LocalizedText
    subject: LocalizedText
    lines: tuple[KnownItem, ...] = ()
    channel: LocalizedText
    icon: str = ""
    qr: str = ""
    seconds_left: int
    seconds_total: int
    hint: LocalizedText | None = None


Screen = (
    InstructScreen
    | ChooseScreen
    | FormScreen
    | PreviewScreen
    | ReviewScreen
    | SignScreen
    | PayScreen
    | WorkingScreen
    | NoticeScreen
)


# --- answers -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, repr=False)
class Chosen:
    """An option was touched: the primary, an alternative, or one of the options. `several` for multiple choice."""

    kind: Literal["chosen"] = "chosen"
    screen_id: int
    option: str
    several: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, repr=False)
class FormFilled:
    """What was entered, by field."""

    kind: Literal["form_filled"] = "form_filled"
    screen_id: int
    values: dict[str, str]


@dataclass(frozen=True, kw_only=True, repr=False)
class Wrote:
    """One stroke on the glass: x and y in millimetres from the field's upper left, milliseconds since the first."""

    kind: Literal["wrote"] = "wrote"
    screen_id: int
    points: tuple[tuple[float, float, int], ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class WentBack:
    """To the step before."""

    kind: Literal["went_back"] = "went_back"
    screen_id: int


@dataclass(frozen=True, kw_only=True, repr=False)
class Left:
    """The citizen ends the visit, from anywhere."""

    kind: Literal["left"] = "left"


Answer = Chosen | FormFilled | Wrote | WentBack | Left


# --- what stands before and around a transaction -------------------------------------------------------------------


class StageKind(StrEnum):
    """Derived, never set: out of service > session > home > attract."""

    OUT_OF_SERVICE = "out_of_service"
    ATTRACT = "attract"
    HOME = "home"
    SESSION = "session"


@dataclass(frozen=True, kw_only=True, repr=False)
class Tile:
    """A matter on the home page. Greyed with its reason when a device or an authority it needs is down."""

    matter: str
    version: int
    title: LocalizedText
    department: LocalizedText
    icon: str
    enabled: bool = True
    reason: LocalizedText | None = None
    search_text: str = ""


@dataclass(frozen=True, kw_only=True, repr=False)
class Door:
    """A life event or department: a door to its matters."""

    id: str
    title: LocalizedText
    icon: str
    matters: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class Reason:
    """Why the machine is out of service, in words for the citizen and a code for staff."""

    text: LocalizedText
    code: str


@dataclass(frozen=True, kw_only=True, repr=False)
class TimeOutWarning:
    """The visit ends soon, unless somebody touches."""

    seconds_left: int
    seconds_total: int


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class View:
    """Everything the screen shows at one moment. The flow publishes a new one whenever anything changed."""

    stage: StageKind
    mode: Mode = Mode.STANDARD
    language: Language = Language.ZH_CN
    tiles: tuple[Tile, ...] = ()
    doors: tuple[Door, ...] = ()
    favourites: tuple[str, ...] = ()
    screen: Screen | None = None
    matter: str = ""  # the one under way
    matter_title: LocalizedText | None = None
    transaction_number: str = ""
    citizen: str = ""  # masked name, once signed in
    warning: TimeOutWarning | None = None
    reasons: tuple[Reason, ...] = ()
    site: str = ""
    terminal: str = ""
    online: bool = True
    catalogue: str = ""  # short hash of the installed bundle
    helper: Helper | None = None  # a remote helper was asked for


class Hall(Protocol):
    """What the screen may ask of the flow; `kiosk.flow.stage.Stage` answers. Called on the flow's own event loop."""

    def subscribe(self, on_view: Callable[[View], None], on_preview: Callable[[Preview], None]) -> None:
        """`on_view` gets every new View (the present one at once), `on_preview` camera pictures while one is shown."""
        ...

    def wake(self) -> None:
        """Someone touched the attract screen, or a home page that was left alone is touched again."""
        ...

    def start(self, matter: str) -> None:
        """A tile was touched."""
        ...

    def answer(self, answer: Answer) -> None:
        """An answer to the screen that stands; an answer to an earlier screen is dropped."""
        ...

    def extend(self) -> None:
        """The citizen asks for more time."""
        ...

    def set_mode(self, mode: Mode) -> None: ...

    def set_language(self, language: Language) -> None: ...

    def help(self, wanted: bool) -> None: ...

    async def close(self) -> None:
        """The screen ends: end a visit under way, wipe, and release everything behind the hall."""
        ...
