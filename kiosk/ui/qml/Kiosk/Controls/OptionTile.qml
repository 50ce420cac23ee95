pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Theme

// One option of a choice. `upright` stands the icon over the text. `picked` shows a tick as well as colour.
Touchable {
    id: tile

    required property var option
    property bool upright: false
    property bool ticks: false
    property bool picked: false
    readonly property bool _badged: option.icon.length > 0
    readonly property real _above: height - texts.height - Theme.mm(10) // what is left for the icon once the words stand

    enabled: option.enabled
    name: option.label + (option.detail.length > 0 ? "，" + option.detail : "")
    implicitHeight: Math.max(Theme.mm(Theme.pick(24, 30)), (upright ? Theme.mm(22) : 0) + texts.height + Theme.mm(9))

    Accessible.checkable: ticks
    Accessible.checked: picked

    Rectangle {
        anchors.fill: parent
        radius: Theme.radius
        color: !tile.enabled ? Theme.muted : tile.pressed || tile.picked ? Theme.pale : Theme.surface
        border.width: Theme.line
        border.color: !tile.enabled ? Theme.edge : Theme.strong
    }

    Rectangle {
        id: badge
        visible: tile._badged && height > Theme.mm(14)
        x: tile.upright ? (parent.width - width) / 2 : Theme.mm(5)
        y: tile.upright ? Math.max(Theme.mm(2), Math.min(parent.height * 0.48 - height, tile._above - height))
            : (parent.height - height) / 2
        width: !tile._badged ? 0
            : tile.upright ? Math.max(0, Math.min(Theme.mm(30), tile._above - Theme.mm(2))) : Theme.mm(Theme.pick(17, 20))
        height: width
        radius: width * 0.28
        color: tile.enabled ? Theme.pale : Theme.surface

        Icon {
            anchors.centerIn: parent
            name: tile.option.icon
            color: tile.enabled ? Theme.strong : Theme.softInk
            size: parent.width * 0.74
        }
    }

    Column {
        id: texts
        x: tile.upright ? Theme.mm(5) : Theme.mm(tile._badged ? 10 : 6) + badge.width
        y: tile.upright && badge.visible ? badge.y + badge.height + Theme.mm(5) : (parent.height - height) / 2
        width: parent.width - x - Theme.mm(5) - (tick.visible ? tick.width + Theme.mm(3) : 0)
        spacing: Theme.mm(1.4)

        Label {
            width: parent.width
            text: tile.option.label
            bold: true
            balanced: true
            color: tile.enabled ? Theme.ink : Theme.softInk
            horizontalAlignment: tile.upright ? Text.AlignHCenter : Text.AlignLeft
            font.pixelSize: tile.upright ? Theme.textHeading : Theme.textLabel
            Accessible.ignored: true
        }

        Label {
            width: parent.width
            visible: text.length > 0
            text: tile.option.detail
            balanced: true
            color: Theme.softInk
            horizontalAlignment: tile.upright ? Text.AlignHCenter : Text.AlignLeft
            font.pixelSize: Theme.textNote
            Accessible.ignored: true
        }
    }

    Icon {
        id: tick
        visible: tile.ticks || tile.picked
        anchors.right: parent.right
        anchors.rightMargin: Theme.mm(5)
        anchors.verticalCenter: parent.verticalCenter
        name: tile.picked ? "ticked" : "unticked"
        color: Theme.strong
    }
}
