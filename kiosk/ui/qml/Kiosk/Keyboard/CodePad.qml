pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Theme

// Rows of the characters a number may hold: plates, credit codes. The last key of the last row takes what is left.
Column {
    id: pad

    property var rows: []
    readonly property int _most: rows.reduce((most, row) => Math.max(most, row.length), 1)
    readonly property real keyWidth: (width - (_most - 1) * spacing) / _most

    signal typed(string text)
    signal erased

    spacing: Theme.mm(Theme.pick(2.4, 3))

    Repeater {
        model: pad.rows

        Row {
            id: row

            required property var modelData

            anchors.horizontalCenter: parent ? parent.horizontalCenter : undefined
            spacing: pad.spacing

            Repeater {
                model: row.modelData

                Key {
                    required property string modelData

                    code: modelData
                    text: code === "backspace" ? Ui.w.backspace : code
                    icon: code === "backspace" ? "backspace" : ""
                    firm: code === "backspace"
                    width: code === "backspace" && row.modelData.length < pad._most
                        ? pad.keyWidth * 2 + pad.spacing : pad.keyWidth
                    onTouched: code === "backspace" ? pad.erased() : pad.typed(code)
                }
            }
        }
    }
}
