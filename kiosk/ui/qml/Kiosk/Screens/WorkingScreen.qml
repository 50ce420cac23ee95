pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Cabinet
import Kiosk.Controls
import Kiosk.Theme

// Something runs: a calm sign of life, how far it is, and where the result will come out.
Item {
    id: screen

    readonly property var content: Ui.session.content
    readonly property bool _atDevice: Ui.session.place !== "none" && Ui.session.place !== "screen"

    CabinetPicture {
        visible: screen._atDevice
        anchors.horizontalCenter: parent.horizontalCenter
        y: Theme.mm(4)
        width: Math.min(parent.width, Theme.mm(170))
        height: parent.height - words.height - Theme.mm(16)
        place: Ui.session.place
    }

    Item {
        id: breath
        visible: !screen._atDevice
        anchors.horizontalCenter: parent.horizontalCenter
        width: Theme.mm(Theme.landscape ? 64 : 90)
        height: width
        y: Math.max(0, (parent.height - height - words.height - Theme.mm(14)) * 0.42)

        Repeater {
            model: 3

            Rectangle {
                id: ring

                required property int index
                property real swell: 0

                anchors.centerIn: parent
                width: breath.width * (0.5 + 0.25 * index) + swell
                height: width
                radius: width / 2
                color: index === 0 ? Theme.strong : "transparent"
                border.width: index === 0 ? 0 : Theme.mm(1.4 - 0.3 * index)
                border.color: Theme.strong
                opacity: index === 0 ? 1 : 0.5 - 0.16 * index

                SequentialAnimation on swell {
                    running: Theme.animated && breath.visible && ring.index > 0
                    loops: Animation.Infinite
                    PauseAnimation { duration: 180 * ring.index }
                    NumberAnimation { to: Theme.mm(5); duration: 1100; easing.type: Easing.InOutSine }
                    NumberAnimation { to: 0; duration: 1100; easing.type: Easing.InOutSine }
                }
            }
        }

        Icon {
            anchors.centerIn: parent
            name: "working"
            color: Theme.paper
            size: breath.width * 0.27
        }
    }

    Column {
        id: words
        anchors.horizontalCenter: parent.horizontalCenter
        y: screen._atDevice ? parent.height - height - Theme.mm(4) : breath.y + breath.height + Theme.mm(12)
        width: Math.min(parent.width, Theme.mm(220))
        spacing: Theme.space

        ProgressLine {
            anchors.horizontalCenter: parent.horizontalCenter
            width: Math.min(parent.width, Theme.mm(170))
            value: screen.content.progress
        }

        Label {
            visible: text.length > 0
            width: parent.width
            horizontalAlignment: Text.AlignHCenter
            balanced: true
            text: screen.content.detail
            color: Theme.softInk
            font.pixelSize: Theme.textLabel
        }
    }
}
