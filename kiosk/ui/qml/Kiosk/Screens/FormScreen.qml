pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Keyboard
import Kiosk.Theme

// Only what nobody knows is asked; what is known stands above. The keyboard the current field needs stands below.
Item {
    id: screen

    readonly property string pad: Ui.form.pad
    readonly property var noRow: ({
        id: "", label: "", kind: "text", text: "", hint: "", error: "", missing: false, required: true, current: false,
        choices: []
    })
    readonly property var noKnown: ({ label: "", value: "", origin: "", can_show: false, is_shown: false })
    readonly property bool _numbers: pad === "number" || pad === "identity" || pad === "money"
    readonly property bool _keys: pad === "keys"
    readonly property bool _beside: Theme.landscape && _numbers
    readonly property bool _showsKnown: Ui.session.known.length > 0 && (!Theme.elder || pad === "" && Ui.form.position < 2)
        && !(Theme.landscape && (pad === "text" || _keys))

    readonly property var _rows: Ui.form.rows
    on_RowsChanged: reaching.restart()

    function reach(): void {
        for (let i = 0; i < fields.count; i++) {
            const item = fields.itemAt(i) as FormField;
            if (item && item.row.current)
                list.showAt(item.y + all.y, item.height);
        }
    }

    // A timer ends with its page; a call for later does not.
    Timer {
        id: reaching
        interval: 1
        onTriggered: screen.reach()
    }

    Scrollable {
        id: list
        y: Theme.mm(2)
        width: screen._beside ? parent.width - numbers.width - Theme.space : parent.width
        height: parent.height - y - (screen.pad === "text" ? board.height + Theme.space
            : screen._keys ? codes.height + Theme.space
            : screen._numbers && !screen._beside ? numbers.height + Theme.space : 0)
        spacing: Theme.space
        onHeightChanged: reaching.restart()

        Surface {
            visible: screen._showsKnown
            width: parent.width
            height: known.height + Theme.mm(8)

            Column {
                id: known
                x: Theme.mm(6)
                y: Theme.mm(5)
                width: parent.width - 2 * x

                Row {
                    spacing: Theme.mm(2.5)
                    bottomPadding: Theme.mm(1)

                    Icon {
                        anchors.verticalCenter: parent.verticalCenter
                        name: "ticked"
                        color: Theme.success
                        size: Theme.mm(Theme.pick(9, 11))
                    }

                    Label {
                        anchors.verticalCenter: parent.verticalCenter
                        text: Ui.w.filled_for_you
                        bold: true
                        color: Theme.success
                        font.pixelSize: Theme.textBody
                    }
                }

                Grid {
                    id: pairs
                    columns: Theme.elder || screen._beside || Theme.latin && screen.pad === "" ? 1 : 2
                    columnSpacing: Theme.space
                    width: parent.width

                    Repeater {
                        model: Ui.session.known.length

                        KnownRow {
                            known: Ui.session.known[index] ?? screen.noKnown
                            narrow: screen.pad !== ""
                            width: (pairs.width - (pairs.columns - 1) * pairs.columnSpacing) / pairs.columns
                        }
                    }
                }
            }
        }

        Label {
            visible: Ui.form.position > 0 && Ui.form.total > 1
            text: Ui.w.field_of.arg(Ui.form.position).arg(Ui.form.total)
            color: Theme.softInk
            font.pixelSize: Theme.textNote
        }

        Column {
            id: all
            width: parent.width
            onHeightChanged: reaching.restart()
            spacing: Theme.space

            Repeater {
                id: fields
                // A number, so that typing changes the fields and does not make them anew.
                model: Ui.form.rows.length

                FormField {
                    required property int index

                    row: Ui.form.rows[index] ?? screen.noRow
                    width: all.width
                }
            }
        }
    }

    Keyboard {
        id: board
        visible: screen.pad === "text"
        anchors.bottom: parent.bottom
        width: parent.width
        onDone: Ui.form.rest()
    }

    Rectangle {
        id: codes
        visible: screen._keys
        anchors.bottom: parent.bottom
        width: parent.width
        height: letters.height + Theme.mm(8)
        radius: Theme.radius * 1.4
        color: Theme.muted

        CodePad {
            id: letters
            anchors.centerIn: parent
            width: parent.width - Theme.mm(8)
            rows: Ui.form.keys
            onTyped: text => Ui.form.write(text)
            onErased: Ui.form.erase()
        }
    }

    Rectangle {
        id: numbers
        visible: screen._numbers
        x: screen._beside ? parent.width - width : (parent.width - width) / 2
        y: parent.height - height
        width: Theme.mm(Theme.landscape ? 112 : 196)
        height: keys.height + Theme.mm(8)
        radius: Theme.radius * 1.4
        color: Theme.muted

        NumberPad {
            id: keys
            anchors.centerIn: parent
            width: parent.width - Theme.mm(8)
            extra: screen.pad === "identity" ? "X" : screen.pad === "money" ? "." : ""
            onTyped: text => Ui.form.write(text)
            onErased: Ui.form.erase()
        }
    }
}
