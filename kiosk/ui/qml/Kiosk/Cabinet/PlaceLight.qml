pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Theme

// The light at the device to touch now: a warm frame and a ring that grows and fades, once in two seconds.
Item {
    id: light

    Rectangle {
        anchors.centerIn: parent
        width: parent.width + 2 * ring.reach
        height: parent.height + 2 * ring.reach
        radius: Theme.radius + ring.reach
        color: "transparent"
        border.width: Theme.mm(1.4)
        border.color: Theme.light
        opacity: Theme.animated ? 1 - ring.reach / Theme.mm(9) : 0.6
    }

    QtObject {
        id: ring
        property real reach: Theme.mm(4)
    }

    NumberAnimation {
        target: ring
        property: "reach"
        from: 0
        to: Theme.mm(9)
        duration: 1900
        loops: Animation.Infinite
        running: Theme.animated && light.visible
        easing.type: Easing.OutCubic
    }

    Rectangle {
        anchors.fill: parent
        anchors.margins: -Theme.mm(1.2)
        radius: Theme.radius
        color: "transparent"
        border.width: Theme.mm(1.6)
        border.color: Theme.light
    }
}
