pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Drawing
import Kiosk.Theme

// What is signed above, the field to sign in below. Why it must be written again stands in the field until it is.
Item {
    id: screen

    readonly property var content: Ui.session.content
    readonly property var noKnown: ({ label: "", value: "", origin: "", can_show: false, is_shown: false })
    readonly property real _ratio: content.field_width > 0 ? content.field_height / content.field_width : 0.4

    Surface {
        id: statement
        y: Theme.mm(2)
        width: parent.width
        height: Math.min(list.implicitHeight + 2 * list.y, field.y - y - Theme.space)

        Scrollable {
            id: list
            x: Theme.mm(7)
            y: Theme.mm(5)
            width: parent.width - 2 * x
            height: parent.height - 2 * y
            spacing: Theme.mm(1)

            Label {
                width: list.contentWidth
                text: screen.content.text
                lineHeight: 1.05
                font.pixelSize: Theme.textLabel
            }

            Repeater {
                model: Ui.session.known.length

                KnownRow {
                    known: Ui.session.known[index] ?? screen.noKnown
                    width: parent ? parent.width : 0
                }
            }
        }
    }

    Item {
        id: field
        objectName: "ink"

        readonly property bool isTouchable: screen.content.writes_here
        readonly property string name: screen.content.writes_here ? Ui.w.sign_here : Ui.w.sign_on_pad

        width: Math.min(parent.width, parent.height * 0.5 / screen._ratio)
        height: width * screen._ratio
        x: (parent.width - width) / 2
        y: parent.height - height - Theme.mm(2)

        Accessible.role: Accessible.Graphic
        Accessible.name: name

        Rectangle {
            anchors.fill: parent
            radius: Theme.radius
            color: Theme.surface
            border.width: Theme.line * 1.5
            border.color: Theme.strong
        }

        Rectangle {
            x: Theme.mm(8)
            y: parent.height * 0.78
            width: parent.width - 2 * x
            height: Theme.line
            color: Theme.hairline
        }

        Label {
            visible: ink ? ink.is_empty : false
            anchors.centerIn: parent
            width: parent.width - Theme.mm(16)
            horizontalAlignment: Text.AlignHCenter
            text: screen.content.hint.length > 0 ? screen.content.hint : field.name
            balanced: true
            bold: screen.content.hint.length > 0
            color: bold ? Theme.attention : Theme.softInk
            font.pixelSize: Theme.textHeading
        }

        InkField {
            id: ink
            anchors.fill: parent
            session: Ui.session
            field_width: screen.content.field_width
            writes_here: screen.content.writes_here
            ink: screen.content.ink
        }
    }
}
