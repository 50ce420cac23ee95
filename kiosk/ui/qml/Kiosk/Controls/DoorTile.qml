pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Theme

// A life event or a department: a door to its matters. `counted` says how many there are.
Touchable {
    id: door

    required property var door
    property bool counted: false

    objectName: "door:" + door.door.id
    name: door.door.title

    Rectangle {
        anchors.fill: parent
        radius: Theme.radius
        color: door.pressed ? Theme.surface : Theme.pale
    }

    Column {
        anchors.centerIn: parent
        width: parent.width - Theme.mm(3)
        spacing: Theme.mm(0.8)

        Icon {
            anchors.horizontalCenter: parent.horizontalCenter
            name: door.door.icon
            size: Theme.mm(10)
            visible: door.height > title.height + Theme.mm(13)
        }

        Label {
            id: title
            width: parent.width
            text: door.door.title
            bold: door.counted
            horizontalAlignment: Text.AlignHCenter
            balanced: true
            font.pixelSize: door.counted ? Theme.textLabel : Theme.textNote
            Accessible.ignored: true
        }

        Label {
            visible: door.counted && door.height > title.height + Theme.mm(26)
            width: parent.width
            text: Ui.w.matters_behind.arg(door.door.count)
            color: Theme.softInk
            horizontalAlignment: Text.AlignHCenter
            font.pixelSize: Theme.textNote
            Accessible.ignored: true
        }
    }
}
