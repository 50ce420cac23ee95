pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// Why this machine cannot serve now, what to do instead, and a code for staff.
Item {
    id: page

    Column {
        anchors.horizontalCenter: parent.horizontalCenter
        y: Math.max(Theme.mm(6), (page.height - height) * 0.4)
        width: Math.min(page.width - 2 * Theme.margin, Theme.mm(300))
        spacing: Theme.mm(Theme.landscape ? 6 : 10)

        Rectangle {
            visible: !Theme.landscape || Ui.stage.reasons.length < 3
            anchors.horizontalCenter: parent.horizontalCenter
            width: Theme.mm(Theme.landscape ? 44 : 76)
            height: width
            radius: width / 2
            color: Theme.attentionPale

            Icon {
                anchors.centerIn: parent
                name: "pause"
                color: Theme.attention
                size: parent.width * 0.58
            }
        }

        Column {
            width: parent.width
            spacing: Theme.mm(3)

            Label {
                width: parent.width
                horizontalAlignment: Text.AlignHCenter
                text: Ui.w.out_of_service
                bold: true
                balanced: true
                font.pixelSize: Theme.textDisplay
                Accessible.role: Accessible.Heading
            }

            Label {
                width: parent.width
                horizontalAlignment: Text.AlignHCenter
                text: Ui.w.out_of_service_note
                balanced: true
                color: Theme.softInk
                font.pixelSize: Theme.textLabel
            }
        }

        Surface {
            visible: Ui.stage.reasons.length > 0
            width: parent.width
            height: reasons.height + Theme.mm(8)

            Column {
                id: reasons
                x: Theme.mm(8)
                y: Theme.mm(4)
                width: parent.width - 2 * x

                Repeater {
                    model: Ui.stage.reasons

                    Item {
                        id: reason

                        required property var modelData

                        width: reasons.width
                        height: words.height + Theme.mm(7)

                        Label {
                            id: words
                            anchors.verticalCenter: parent.verticalCenter
                            width: parent.width - code.width - Theme.space
                            text: reason.modelData.text
                            font.pixelSize: Theme.textLabel
                        }

                        Label {
                            id: code
                            anchors.verticalCenter: parent.verticalCenter
                            anchors.right: parent.right
                            text: reason.modelData.code
                            bold: true
                            color: Theme.attention
                            font.pixelSize: Theme.textLabel
                        }
                    }
                }
            }
        }

        Label {
            width: parent.width
            horizontalAlignment: Text.AlignHCenter
            text: Ui.w.out_of_service_call.arg(Ui.stage.terminal)
            balanced: true
            color: Theme.softInk
        }

        Label { // nobody can change the language here
            width: parent.width
            horizontalAlignment: Text.AlignHCenter
            text: Ui.w.out_of_service_elsewhere
            balanced: true
            color: Theme.softInk
        }
    }
}
