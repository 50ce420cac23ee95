pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Theme

// Telephone order, large. The X of identity numbers, or the point of amounts, stands only where it is needed.
Grid {
    id: pad

    property string extra

    signal typed(string text)
    signal erased

    columns: 3
    spacing: Theme.mm(Theme.pick(3, 3.6))

    Repeater {
        model: ["1", "2", "3", "4", "5", "6", "7", "8", "9", pad.extra, "0", "backspace"]

        Item {
            id: cell

            required property string modelData

            width: (pad.width - 2 * pad.spacing) / 3
            height: Theme.mm(Theme.landscape ? Theme.pick(20, 22) : Theme.pick(24, 25))

            Key {
                visible: code.length > 0
                anchors.fill: parent
                code: cell.modelData
                text: code === "backspace" ? Ui.w.backspace : code
                icon: code === "backspace" ? "backspace" : ""
                firm: code === "backspace"
                onTouched: code === "backspace" ? pad.erased() : pad.typed(code)
            }
        }
    }
}
