pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Theme

// This machine's front, drawn from where its devices sit (Theme.cabinet), with a light at `place`.
Item {
    id: cabinet

    property string place: "none"
    readonly property real _wide: Math.min(width, height * 0.56)
    readonly property real _high: _wide / 0.56
    readonly property var _always: ["face_camera", "screen", "card_reader", "document_camera", "receipt_slot", "document_tray"]
    readonly property var _spot: Theme.cabinet[place] ?? null

    Accessible.role: Accessible.Graphic
    Accessible.name: Ui.w["place_" + place] ?? ""

    Item {
        id: front
        anchors.centerIn: parent
        width: cabinet._wide
        height: cabinet._high

        Rectangle {
            x: parent.width * 0.09
            y: parent.height * 0.93
            width: parent.width * 0.82
            height: parent.height * 0.07
            radius: Theme.radius
            color: "#AFC0CC"
        }

        Rectangle {
            width: parent.width
            height: parent.height * 0.955
            radius: parent.width * 0.07
            color: Theme.surface
            border.width: Theme.line
            border.color: "#AFC0CC"
        }

        Rectangle {
            x: parent.width * 0.06
            y: parent.height * 0.475
            width: parent.width * 0.88
            height: parent.height * 0.4
            radius: parent.width * 0.045
            color: "#EEF3F6"
        }

        Rectangle {
            x: parent.width * 0.06
            y: parent.height * 0.9
            width: parent.width * 0.88
            height: parent.height * 0.014
            radius: height / 2
            color: Theme.strong
        }

        Repeater {
            // Devices that not every machine has are drawn where they are asked for.
            model: cabinet._always.includes(cabinet.place) || cabinet._spot === null ? cabinet._always
                : cabinet._always.concat([cabinet.place])

            Item {
                id: device

                required property string modelData
                readonly property var spot: Theme.cabinet[modelData] ?? null

                visible: spot !== null
                width: spot ? spot.width * front.width : 0
                height: spot ? spot.height * front.height : 0
                x: spot ? spot.x * front.width - width / 2 : 0
                y: spot ? spot.y * front.height - height / 2 : 0

                DevicePicture {
                    anchors.fill: parent
                    device: device.modelData
                    lit: device.modelData === cabinet.place
                }
            }
        }

        PlaceLight {
            visible: cabinet._spot !== null
            width: cabinet._spot ? cabinet._spot.width * front.width : 0
            height: cabinet._spot ? cabinet._spot.height * front.height : 0
            x: cabinet._spot ? cabinet._spot.x * front.width - width / 2 : 0
            y: cabinet._spot ? cabinet._spot.y * front.height - height / 2 : 0

            HandOver {
                anchors.fill: parent
                place: cabinet.place
            }
        }
    }
}
