pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Theme

// A card over the page. What is behind is veiled and takes no touch.
Item {
    id: sheet

    default property alias content: column.data
    property real wide: Theme.mm(Theme.landscape ? 250 : 232)
    property bool dismissible: true

    signal dismissed

    Rectangle {
        anchors.fill: parent
        color: Theme.veil

        MouseArea {
            anchors.fill: parent
            onClicked: if (sheet.dismissible) sheet.dismissed()
        }
    }

    Rectangle {
        anchors.centerIn: parent
        width: Math.min(sheet.wide, parent.width - 2 * Theme.margin)
        height: column.height + 2 * Theme.mm(11)
        radius: Theme.radius * 2
        color: Theme.surface

        MouseArea {
            anchors.fill: parent
        }

        Column {
            id: column
            x: Theme.mm(12)
            y: Theme.mm(11)
            width: parent.width - 2 * x
            spacing: Theme.mm(6)
        }
    }
}
