pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// One device on the cabinet's front.
Item {
    id: picture

    required property string device
    property bool lit: false
    readonly property bool _slot: ["receipt_slot", "document_tray", "card_slot"].includes(device)
    readonly property string _plate: ({ signature_pad: "touch", payment_terminal: "card", code_scanner: "scan" })[device] ?? ""

    Rectangle {
        visible: picture.device === "screen"
        anchors.fill: parent
        radius: Theme.mm(1.6)
        color: Theme.strong

        Rectangle {
            anchors.centerIn: parent
            width: parent.width - Theme.mm(3.4)
            height: parent.height - Theme.mm(3.4)
            radius: Theme.mm(0.8)
            color: "#DCEAF2"

            Column {
                anchors.centerIn: parent
                width: parent.width * 0.7
                spacing: parent.height * 0.05

                Rectangle {
                    width: parent.width * 0.6
                    height: Math.max(2, picture.height * 0.05)
                    radius: height / 2
                    color: Theme.strong
                }

                Repeater {
                    model: 3

                    Rectangle {
                        width: parent.width
                        height: picture.height * 0.15
                        radius: Theme.mm(1)
                        color: Theme.surface
                    }
                }
            }
        }
    }

    Rectangle {
        visible: picture.device === "face_camera"
        anchors.centerIn: parent
        width: parent.width
        height: parent.height
        radius: height / 2
        color: "#24384A"

        Rectangle {
            anchors.centerIn: parent
            width: parent.height * 0.62
            height: width
            radius: width / 2
            color: "#8FB7CC"
        }
    }

    Rectangle {
        visible: picture.device === "card_reader"
        anchors.fill: parent
        radius: Theme.mm(1.4)
        color: "#24384A"

        Icon {
            anchors.centerIn: parent
            name: "wireless"
            color: "#FFFFFF"
            size: Math.min(parent.height * 0.86, parent.width * 0.5)
            visible: !picture.lit
        }
    }

    Rectangle {
        visible: picture.device === "document_camera"
        anchors.fill: parent
        radius: Theme.mm(1.4)
        color: Theme.surface
        border.width: Theme.line
        border.color: "#8CA1B0"

        Icon {
            anchors.centerIn: parent
            name: "scan"
            color: Theme.softInk
            size: Math.min(parent.height * 0.86, parent.width * 0.5)
            visible: !picture.lit
        }
    }

    Rectangle {
        visible: picture._plate.length > 0
        anchors.fill: parent
        radius: Theme.mm(1.4)
        color: "#24384A"

        Icon {
            anchors.centerIn: parent
            name: picture._plate
            color: "#FFFFFF"
            size: Math.min(parent.height * 0.86, parent.width * 0.5)
            visible: !picture.lit
        }
    }

    Rectangle {
        visible: picture._slot
        anchors.fill: parent
        radius: Theme.mm(1)
        color: "#CBD8E0"

        Rectangle {
            anchors.centerIn: parent
            width: parent.width * 0.86
            height: Math.max(3, parent.height * 0.26)
            radius: height / 2
            color: "#24384A"
        }
    }
}
