pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// Whose machine, which matter, who is signed in, and whether the centre can be reached.
Item {
    id: bar

    property string heading
    property string note
    property string citizen

    implicitHeight: Theme.mm(Theme.pick(25, 27))

    Rectangle {
        id: emblem
        anchors.verticalCenter: parent.verticalCenter
        x: Theme.margin
        width: Theme.mm(Theme.pick(14, 16))
        height: width
        radius: width * 0.28
        color: Theme.strong

        Icon {
            anchors.centerIn: parent
            name: "brand"
            color: Theme.paper
            size: parent.width * 0.7
        }
    }

    Column {
        anchors.verticalCenter: parent.verticalCenter
        anchors.left: emblem.right
        anchors.leftMargin: Theme.mm(4)
        anchors.right: right.left
        anchors.rightMargin: Theme.gap

        Label {
            id: title
            width: parent.width
            text: bar.heading
            bold: true
            balanced: true
            maximumLineCount: 2
            elide: Text.ElideRight
            font.pixelSize: bar.heading.length > 44 ? Theme.textNote : Theme.textLabel
        }

        Label {
            width: parent.width
            visible: text.length > 0 && !Theme.elder && title.lineCount === 1
            text: bar.note
            color: Theme.softInk
            wrapMode: Text.NoWrap
            elide: Text.ElideRight
            font.pixelSize: Theme.textNote
        }
    }

    Row {
        id: right
        anchors.verticalCenter: parent.verticalCenter
        anchors.right: parent.right
        anchors.rightMargin: Theme.margin
        spacing: Theme.mm(4)

        Rectangle {
            visible: !Ui.stage.online
            anchors.verticalCenter: parent.verticalCenter
            width: away.width + Theme.mm(6)
            Accessible.role: Accessible.StaticText
            Accessible.name: Ui.w.offline
            height: away.height + Theme.mm(4)
            radius: Theme.radius
            color: Theme.attentionPale

            Row {
                id: away
                anchors.centerIn: parent
                spacing: Theme.mm(2)

                Icon {
                    anchors.verticalCenter: parent.verticalCenter
                    name: "offline"
                    color: Theme.attention
                    size: Theme.textBody * 1.2
                }

                Label {
                    visible: bar.citizen.length === 0 || bar.heading.length < 44 // else the words of the matter come first
                    text: Theme.elder || Theme.latin || bar.citizen.length > 0 ? Ui.w.offline_short : Ui.w.offline
                    color: Theme.attention
                    font.pixelSize: Theme.textNote
                }
            }
        }

        Row {
            visible: bar.citizen.length > 0
            anchors.verticalCenter: parent.verticalCenter
            spacing: Theme.mm(2)

            Icon {
                anchors.verticalCenter: parent.verticalCenter
                name: "person"
                size: Theme.mm(Theme.pick(9, 11))
            }

            Label {
                anchors.verticalCenter: parent.verticalCenter
                width: Math.min(implicitWidth, bar.width * 0.3)
                wrapMode: Text.NoWrap
                elide: Text.ElideRight
                text: bar.citizen
                bold: true
                color: Theme.strong
                font.pixelSize: Theme.textLabel
            }
        }
    }
}
