pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// One thing to know: what of the papers, what of the money, what to do.
Item {
    id: line

    property string icon
    property string heading
    property string text

    visible: text.length > 0
    implicitHeight: Math.max(badge.height, words.height) + Theme.mm(7)

    Rectangle {
        id: badge
        anchors.verticalCenter: parent.verticalCenter
        width: Theme.mm(Theme.pick(16, 19))
        height: width
        radius: width * 0.28
        color: Theme.pale

        Icon {
            anchors.centerIn: parent
            name: line.icon
            size: parent.width * 0.62
        }
    }

    Column {
        id: words
        anchors.verticalCenter: parent.verticalCenter
        x: badge.width + Theme.mm(6)
        width: parent.width - x
        spacing: Theme.mm(0.6)

        Label {
            text: line.heading
            color: Theme.softInk
            font.pixelSize: Theme.textNote
        }

        Label {
            width: parent.width
            text: line.text
            bold: true
            balanced: true
            font.pixelSize: Theme.textLabel
        }
    }
}
