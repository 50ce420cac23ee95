pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// Something a trusted source gave: label, value, whence; masked until the eye is touched.
Item {
    id: row

    required property var known
    required property int index
    property bool narrow: false

    implicitHeight: Math.max(eye.visible ? eye.height : 0, texts.height) + Theme.mm(5)

    Rectangle {
        anchors.bottom: parent.bottom
        width: parent.width
        height: Math.max(1, Theme.line / 2)
        color: Theme.hairline
    }

    Column {
        id: texts
        anchors.verticalCenter: parent.verticalCenter
        width: parent.width - (eye.visible ? eye.width + Theme.gap : 0)
        spacing: Theme.mm(0.6)

        Flow {
            width: parent.width
            spacing: Theme.mm(3)

            Label {
                id: label
                width: Math.min(implicitWidth, parent.width)
                text: row.known.label
                color: Theme.softInk
                font.pixelSize: Theme.textNote
            }

            Label {
                visible: text.length > 0 && !row.narrow
                width: Math.min(implicitWidth, parent.width)
                text: row.known.origin.length > 0 ? "· " + row.known.origin : ""
                color: Theme.success
                font.pixelSize: Theme.textNote
            }
        }

        Label {
            width: parent.width
            text: row.known.value
            bold: true
            font.pixelSize: Theme.textLabel
            Accessible.name: row.known.label + "，" + text
        }
    }

    Touchable {
        id: eye
        visible: row.known.can_show
        objectName: "reveal:" + row.index
        name: (row.known.is_shown ? Ui.w.mask : Ui.w.reveal) + "，" + row.known.label
        anchors.right: parent.right
        anchors.verticalCenter: parent.verticalCenter
        width: Theme.target + Theme.mm(2)
        height: Theme.target
        onTouched: Ui.session.reveal(row.index)

        Rectangle {
            anchors.fill: parent
            radius: Theme.radius
            color: eye.pressed ? Theme.pale : Theme.surface
            border.width: Theme.line
            border.color: Theme.strong
        }

        Icon {
            anchors.centerIn: parent
            name: row.known.is_shown ? "eye_off" : "eye"
            size: Theme.mm(Theme.pick(10, 12))
        }
    }
}
