pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Theme

// More than fits: dragging works, and two large arrows do the same for those who cannot drag.
Item {
    id: scrollable

    default property alias content: column.data
    property int spacing: Theme.gap
    readonly property bool overflows: column.height > height + 1
    readonly property alias flickable: flick
    readonly property real contentWidth: flick.width

    function showAt(y: real, height: real): void {
        if (y < flick.contentY)
            flick.contentY = Math.max(0, y);
        else if (y + height > flick.contentY + flick.height)
            flick.contentY = Math.min(flick.contentHeight - flick.height, y + height - flick.height);
    }

    implicitHeight: column.height
    clip: true

    Flickable {
        id: flick
        width: parent.width - (scrollable.overflows ? Theme.target + Theme.gap : 0)
        height: parent.height
        contentWidth: width
        contentHeight: column.height
        boundsBehavior: Flickable.StopAtBounds
        interactive: scrollable.overflows

        Behavior on contentY {
            enabled: Theme.animated && !flick.moving
            NumberAnimation { duration: Theme.quick }
        }

        Column {
            id: column
            width: flick.width
            spacing: scrollable.spacing
        }
    }

    Repeater {
        model: scrollable.overflows ? ["up", "down"] : []

        Touchable {
            id: arrow

            required property string modelData
            readonly property bool up: modelData === "up"

            objectName: "scroll:" + modelData
            name: up ? Ui.w.scroll_up : Ui.w.scroll_down
            enabled: up ? flick.contentY > 1 : flick.contentY < flick.contentHeight - flick.height - 1
            width: Theme.target
            height: Math.max(Theme.target, Math.min(Theme.target * 1.6, (scrollable.height - Theme.gap) / 2))
            x: scrollable.width - width
            y: up ? 0 : scrollable.height - height
            onTouched: flick.contentY = Math.max(0, Math.min(flick.contentHeight - flick.height,
                flick.contentY + (up ? -0.8 : 0.8) * flick.height))

            Rectangle {
                anchors.fill: parent
                radius: Theme.radius
                color: arrow.pressed ? Theme.pale : arrow.enabled ? Theme.surface : Theme.muted
                border.width: Theme.line
                border.color: arrow.enabled ? Theme.strong : Theme.edge
            }

            Icon {
                anchors.centerIn: parent
                name: arrow.modelData
                color: arrow.enabled ? Theme.strong : Theme.softInk
            }
        }
    }
}
