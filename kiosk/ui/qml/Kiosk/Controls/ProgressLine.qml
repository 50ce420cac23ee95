pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Theme

// `value` 0…100; below 0 nobody knows, and a piece wanders.
Item {
    id: line

    property int value: -1

    implicitHeight: Theme.mm(4)

    Accessible.role: Accessible.ProgressBar
    Accessible.name: value >= 0 ? value + "%" : Ui.w.working

    Rectangle {
        anchors.fill: parent
        radius: height / 2
        color: Theme.hairline
    }

    Rectangle {
        id: piece
        height: parent.height
        radius: height / 2
        color: Theme.strong
        width: line.value >= 0 ? Math.max(height, parent.width * line.value / 100) : parent.width * 0.28

        SequentialAnimation on x {
            running: line.value < 0 && Theme.animated && line.visible
            loops: Animation.Infinite

            NumberAnimation { from: 0; to: line.width * 0.72; duration: 1500; easing.type: Easing.InOutSine }
            NumberAnimation { from: line.width * 0.72; to: 0; duration: 1500; easing.type: Easing.InOutSine }
        }
    }
}
