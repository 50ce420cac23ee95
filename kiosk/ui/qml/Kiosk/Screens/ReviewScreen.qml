pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// Check what will be sent, or read what is agreed to.
Item {
    id: screen

    readonly property var noKnown: ({ label: "", value: "", origin: "", can_show: false, is_shown: false })
    readonly property string _text: Ui.session.content.text

    Surface {
        y: Theme.mm(2)
        width: parent.width
        height: Math.min(parent.height - Theme.mm(4), list.implicitHeight + 2 * list.y)

        Scrollable {
            id: list
            x: Theme.mm(7)
            y: Theme.mm(5)
            width: parent.width - 2 * x
            height: parent.height - 2 * y
            spacing: Theme.mm(1)

            Repeater {
                model: Ui.session.known.length

                KnownRow {
                    known: Ui.session.known[index] ?? screen.noKnown
                    width: parent ? parent.width : 0
                }
            }

            Item {
                visible: screen._text.length > 0 && Ui.session.known.length > 0
                width: 1
                height: Theme.mm(2)
            }

            Label {
                visible: text.length > 0
                width: parent.width
                text: screen._text
                lineHeight: 1.05
                font.pixelSize: Theme.textBody
            }
        }
    }
}
