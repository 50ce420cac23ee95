pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Theme

// What moves at the device: the card comes to the reader, the paper comes out.
Item {
    id: hand

    required property string place
    readonly property bool _comes: place === "card_reader" || place === "document_camera"
    readonly property bool _leaves: place === "receipt_slot" || place === "document_tray"
    property real part: 1

    SequentialAnimation on part {
        running: Theme.animated && hand.visible && (hand._comes || hand._leaves)
        loops: Animation.Infinite

        NumberAnimation { from: 0; to: 1; duration: 1500; easing.type: Easing.OutCubic }
        PauseAnimation { duration: 900 }
    }

    Rectangle {
        id: card
        visible: hand.place === "card_reader"
        width: hand.width * 0.86
        height: width * 0.62
        radius: width * 0.07
        x: (hand.width - width) / 2 + (1 - hand.part) * hand.width * 0.5
        y: (hand.height - height) / 2 + (1 - hand.part) * hand.width * 0.9
        color: Theme.surface
        border.width: Theme.line
        border.color: Theme.strong

        Rectangle {
            x: parent.width * 0.62
            y: parent.height * 0.2
            width: parent.width * 0.26
            height: parent.height * 0.46
            radius: width * 0.2
            color: Theme.pale
        }

        Repeater {
            model: [0.24, 0.42, 0.72]

            Rectangle {
                required property real modelData
                required property int index

                x: card.width * 0.1
                y: card.height * modelData
                width: card.width * (index === 2 ? 0.78 : 0.42)
                height: Math.max(2, card.height * 0.08)
                radius: height / 2
                color: Theme.edge
            }
        }
    }

    Rectangle {
        visible: hand.place !== "card_reader" && (hand._comes || hand._leaves)
        clip: true
        width: hand.width * (hand.place === "receipt_slot" ? 0.7 : 0.82)
        height: (hand._leaves ? hand.part : 1) * width * (hand.place === "receipt_slot" ? 1.1 : 0.42)
        x: (hand.width - width) / 2
        y: hand._leaves ? hand.height * 0.5
            : (hand.height - height) / 2 + (1 - hand.part) * hand.width * 0.7
        color: Theme.surface
        border.width: Theme.line
        border.color: Theme.strong

        Column {
            x: parent.width * 0.12
            y: parent.width * 0.12
            spacing: parent.width * 0.09

            Repeater {
                model: 4

                Rectangle {
                    required property int index

                    width: hand.width * (index % 2 ? 0.34 : 0.5)
                    height: Math.max(2, hand.width * 0.035)
                    radius: height / 2
                    color: Theme.edge
                }
            }
        }
    }
}
