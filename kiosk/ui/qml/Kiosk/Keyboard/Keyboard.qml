pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// Pinyin, letters, signs, handwriting. `done` folds it away where there is room behind it.
Rectangle {
    id: board

    property bool canFold: true

    signal done

    readonly property string page: Ui.keyboard.page
    readonly property real _spacing: Theme.mm(Theme.pick(2.4, 3))

    implicitHeight: column.height + 2 * Theme.mm(4)
    radius: Theme.radius * 1.4
    color: Theme.muted

    Column {
        id: column
        x: Theme.mm(4)
        y: Theme.mm(4)
        width: parent.width - 2 * x
        spacing: board._spacing

        Item {
            width: parent.width
            height: candidates.height

            Label {
                id: composing
                anchors.verticalCenter: parent.verticalCenter
                x: Theme.mm(2)
                text: Ui.keyboard.composing
                bold: true
                color: Theme.strong
                wrapMode: Text.NoWrap
                font.pixelSize: Theme.textHeading
            }

            Label {
                visible: composing.text.length === 0 && candidates.candidates.length === 0
                anchors.verticalCenter: parent.verticalCenter
                x: Theme.mm(2)
                width: parent.width - 2 * x
                text: board.page === "pinyin" ? Ui.w.type_pinyin : board.page === "handwriting" ? Ui.w.pick_character
                    : Ui.w.type_letters
                color: Theme.softInk
            }

            CandidateRow {
                id: candidates
                x: composing.text.length > 0 ? composing.width + Theme.mm(6) : 0
                width: parent.width - x
            }
        }

        LetterPad {
            visible: board.page !== "handwriting"
            width: parent.width
            spacing: board._spacing
            page: board.page
        }

        Row {
            id: writing
            visible: board.page === "handwriting"
            spacing: board._spacing

            WritingField {
                width: column.width - backspace.width - writing.spacing
                height: 3 * backspace.implicitHeight + 2 * board._spacing
            }

            Key {
                id: backspace
                code: "backspace"
                text: Ui.w.backspace
                icon: "backspace"
                firm: true
                width: Theme.mm(Theme.pick(26, 30))
                height: 3 * implicitHeight + 2 * board._spacing
                onTouched: Ui.keyboard.press("backspace")
            }
        }

        Row {
            id: foot
            readonly property real _side: (column.width - space.width - (_keys - 1) * spacing) / (_keys - 1)
            readonly property int _keys: 4 + (Ui.keyboard.can_write_by_hand ? 1 : 0) + (board.canFold ? 1 : 0)
            spacing: board._spacing

            Key {
                code: "page:pinyin"
                text: Ui.w.pinyin
                firm: board.page === "pinyin"
                width: foot._side
                onTouched: Ui.keyboard.press(code)
            }

            Key {
                visible: Ui.keyboard.can_write_by_hand
                code: "page:handwriting"
                text: Ui.w.handwriting
                firm: board.page === "handwriting"
                width: foot._side
                onTouched: Ui.keyboard.press(code)
            }

            Key {
                code: "page:letters"
                text: "ABC"
                firm: board.page === "letters"
                width: foot._side
                onTouched: Ui.keyboard.press(code)
            }

            Key {
                code: "page:symbols"
                text: "123"
                firm: board.page === "symbols"
                width: foot._side
                onTouched: Ui.keyboard.press(code)
            }

            Key {
                id: space
                code: "space"
                text: Ui.w.space
                width: column.width * 0.24
                onTouched: Ui.keyboard.press(code)
            }

            Key {
                visible: board.canFold
                code: "done"
                text: Ui.w.fold
                icon: "fold"
                firm: true
                width: foot._side
                onTouched: board.done()
            }
        }
    }
}
