pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Cabinet
import Kiosk.Controls
import Kiosk.Drawing
import Kiosk.Theme

// Do something at a device: a picture of where it is, the camera's mirror, or a code for the citizen's own phone.
Item {
    id: screen

    readonly property var content: Ui.session.content
    readonly property bool _mirror: content.shows_camera
    readonly property bool _code: content.qr.length > 0
    readonly property string _clock: Math.floor(content.seconds_left / 60) + ":" + String(content.seconds_left % 60).padStart(2, "0")
    readonly property bool _noted: content.hint.length > 0 || content.progress >= 0
    readonly property real _foot: _noted ? notes.height + Theme.space : 0

    CabinetPicture {
        visible: !screen._mirror && !screen._code
        anchors.horizontalCenter: parent.horizontalCenter
        y: Theme.mm(4)
        width: Math.min(parent.width, Theme.mm(190))
        height: parent.height - screen._foot - Theme.mm(8)
        place: Ui.session.place
    }

    Rectangle {
        visible: screen._code
        anchors.horizontalCenter: parent.horizontalCenter
        y: Math.max(Theme.mm(2), (parent.height - screen._foot - height) / 2)
        width: Math.min(parent.width, parent.height - screen._foot - Theme.mm(4), Theme.mm(170))
        height: width
        radius: Theme.radius
        color: Theme.paper
        border.width: Theme.line
        border.color: Theme.strong

        CodePicture {
            anchors.fill: parent
            anchors.margins: Theme.mm(3)
            text: screen.content.qr
            Accessible.role: Accessible.Graphic
            Accessible.name: Ui.w.phone_code
        }
    }

    Item {
        id: mirror
        visible: screen._mirror
        anchors.horizontalCenter: parent.horizontalCenter
        y: Theme.mm(3)
        height: parent.height - screen._foot - Theme.mm(6)
        width: Math.min(parent.width - 2 * Theme.mm(46), height * 0.8)

        CameraPicture {
            id: camera
            anchors.centerIn: parent
            width: Math.min(parent.width, parent.height * 0.8)
            height: Math.min(parent.height, width * 1.25)
            pictures: Ui.pictures

            Accessible.role: Accessible.Graphic
            Accessible.name: Ui.w.your_picture
        }

        Icon {
            visible: !Ui.pictures.has_camera
            anchors.centerIn: camera
            name: "face"
            color: Theme.strong
            size: camera.width * 0.5
        }

        Repeater {
            model: ["left", "right"]

            Rectangle {
                id: arrow

                required property string modelData
                readonly property real _away: (screen.width - camera.width) / 4 + camera.width / 2

                visible: screen.content.direction === modelData
                width: Theme.mm(34)
                height: width
                radius: width / 2
                color: Theme.strong
                x: mirror.width / 2 + (modelData === "left" ? -_away : _away) - width / 2
                y: mirror.height / 2 - height / 2

                Icon {
                    anchors.centerIn: parent
                    name: arrow.modelData
                    color: Theme.paper
                    size: parent.width * 0.7
                }

                SequentialAnimation on scale {
                    running: Theme.animated && arrow.visible
                    loops: Animation.Infinite

                    NumberAnimation { from: 1; to: 1.12; duration: 700; easing.type: Easing.InOutSine }
                    NumberAnimation { to: 1; duration: 700; easing.type: Easing.InOutSine }
                }
            }
        }
    }

    Column {
        id: notes
        visible: screen._noted
        anchors.bottom: parent.bottom
        anchors.bottomMargin: Theme.mm(2)
        width: parent.width
        spacing: Theme.space

        Label {
            id: hint
            visible: text.length > 0
            width: parent.width
            horizontalAlignment: Text.AlignHCenter
            balanced: true
            text: screen.content.hint
            color: Theme.softInk
            font.pixelSize: Theme.textLabel
        }

        Row {
            visible: screen.content.seconds_total > 0
            anchors.horizontalCenter: parent.horizontalCenter
            spacing: Theme.mm(3)

            Icon {
                anchors.verticalCenter: parent.verticalCenter
                name: "clock"
                color: Theme.strong
                size: Theme.mm(Theme.pick(9, 11))
            }

            Label {
                anchors.verticalCenter: parent.verticalCenter
                text: Ui.w.pay_left.arg(screen._clock)
                bold: true
                font.pixelSize: Theme.textLabel
            }
        }

        ProgressLine {
            id: line
            visible: screen.content.progress >= 0
            anchors.horizontalCenter: parent.horizontalCenter
            width: Math.min(parent.width, Theme.mm(190))
            value: screen.content.progress
        }
    }
}
