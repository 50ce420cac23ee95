pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Theme

// Three rows of letters, or of digits and full-width signs. Every row is as wide as ten keys.
Column {
    id: pad

    required property string page
    readonly property real keyWidth: (width - 9 * spacing) / 10
    readonly property var _rows: page === "symbols"
        ? [["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"],
           ["，", "。", "、", "？", "！", "：", "；", "（", "）", "·"],
           ["-", "/", "@", ".", "#", "号", "室", "backspace"]]
        : [["q", "w", "e", "r", "t", "y", "u", "i", "o", "p"],
           ["a", "s", "d", "f", "g", "h", "j", "k", "l"],
           [page === "pinyin" ? "'" : "shift", "z", "x", "c", "v", "b", "n", "m", "backspace"]]

    spacing: Theme.mm(Theme.pick(2.4, 3))

    Repeater {
        model: pad._rows

        Row {
            id: row

            required property var modelData
            readonly property int _keys: modelData.length
            readonly property bool _ends: modelData[_keys - 1] === "backspace"
            readonly property real _wide: _ends
                ? pad.width - (_keys - 1) * (pad.keyWidth + spacing) : pad.keyWidth

            anchors.horizontalCenter: parent.horizontalCenter
            spacing: pad.spacing

            Repeater {
                model: row.modelData

                Key {
                    required property string modelData

                    code: modelData
                    text: code === "backspace" ? Ui.w.backspace : code === "shift" ? Ui.w.shift
                        : code === "'" ? "分" : Ui.keyboard.upper ? code.toUpperCase() : code
                    icon: code === "backspace" ? "backspace" : code === "shift" ? "shift" : ""
                    firm: code === "backspace" || code === "shift" || code === "'"
                    width: code === "backspace" ? row._wide : pad.keyWidth
                    onTouched: Ui.keyboard.press(code)
                }
            }
        }
    }
}
