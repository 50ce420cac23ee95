pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Theme

// One of the five helpers at the foot of every page; they never move.
Touchable {
    id: button

    property string text
    property string icon
    property bool on: false

    name: text
    implicitHeight: Theme.mm(Theme.pick(20, 26))

    Rectangle {
        anchors.fill: parent
        radius: Theme.radius
        color: !button.enabled ? Theme.muted : button.pressed || button.on ? Theme.pale : Theme.surface
        border.width: button.on ? Theme.line : 0
        border.color: Theme.strong
    }

    Column {
        anchors.centerIn: parent
        width: parent.width
        spacing: Theme.mm(0.4)

        Icon {
            anchors.horizontalCenter: parent.horizontalCenter
            name: button.icon
            color: button.enabled ? Theme.strong : Theme.softInk
            size: Theme.mm(Theme.pick(9, 11))
        }

        Label {
            width: parent.width
            text: button.text
            color: button.enabled ? Theme.ink : Theme.softInk
            horizontalAlignment: Text.AlignHCenter
            wrapMode: Text.NoWrap
            font.pixelSize: Theme.textNote
            Accessible.ignored: true
        }
    }
}
