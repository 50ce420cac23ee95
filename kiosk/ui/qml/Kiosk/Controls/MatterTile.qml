pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Theme

// A matter. When it cannot be done now the tile stays readable, its edge is broken and the reason takes the place of
// the department.
Touchable {
    id: tile

    required property var matter
    property bool large: false
    readonly property bool open: matter.enabled
    readonly property bool _roomy: !large && height > Theme.mm(44)
    readonly property bool _long: matter.title.length > (Theme.latin ? 34 : 12)
    readonly property string _note: open ? matter.department : matter.reason
    // What is left for the icon once the words stand; the words always do.
    readonly property real _above: height - texts.height - Theme.mm(9)

    objectName: "tile:" + matter.matter
    enabled: open
    name: matter.title + (_note.length > 0 ? "，" + _note : "")
    implicitHeight: Math.max(Theme.mm(Theme.pick(30, 38)), texts.height + Theme.mm(large ? 8 : 3))

    Rectangle {
        anchors.fill: parent
        radius: Theme.radius
        color: !tile.open ? Theme.muted : tile.pressed ? Theme.pale : Theme.surface
        border.width: tile.open ? Math.max(1, Theme.line / 2) : Theme.line
        border.color: tile.open && !Theme.elder ? Theme.hairline : Theme.edge
    }

    Rectangle {
        id: badge
        x: tile.large ? (parent.width - width) / 2 : Theme.mm(tile._roomy ? 6.5 : 5)
        visible: height > Theme.mm(14)
        y: tile.large ? Math.max(Theme.mm(2), Math.min(parent.height * 0.48 - height, tile._above - height))
            : (parent.height - height) / 2
        width: tile.large ? Math.max(0, Math.min(Theme.mm(28), tile._above - Theme.mm(2)))
            : Theme.mm(tile._roomy ? 25 : Theme.pick(18, 21))
        height: width
        radius: width * 0.28
        color: tile.open ? Theme.pale : Theme.surface

        Icon {
            anchors.centerIn: parent
            name: tile.matter.icon
            color: tile.open ? Theme.strong : Theme.softInk
            size: parent.width * 0.72
        }
    }

    Column {
        id: texts
        x: tile.large ? Theme.mm(4) : badge.x + badge.width + Theme.mm(5)
        y: tile.large && badge.visible ? badge.y + badge.height + Theme.mm(4) : (parent.height - height) / 2
        width: parent.width - x - Theme.mm(4)
        spacing: Theme.mm(1)

        Label {
            width: parent.width
            text: tile.matter.title
            bold: true
            balanced: true
            color: tile.open ? Theme.ink : Theme.softInk
            horizontalAlignment: tile.large ? Text.AlignHCenter : Text.AlignLeft
            font.pixelSize: !tile._long && (tile.large || tile._roomy && !Theme.latin) ? Theme.textHeading : Theme.textLabel
            Accessible.ignored: true
        }

        Label {
            width: parent.width
            visible: text.length > 0 && !(tile.large && tile.open)
            text: tile._note
            balanced: true
            color: Theme.softInk
            horizontalAlignment: tile.large ? Text.AlignHCenter : Text.AlignLeft
            font.pixelSize: Theme.textNote
            Accessible.ignored: true
        }
    }
}
