import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// The machine comes up: what stands before the flow has said anything.
Rectangle {
    color: Theme.strong

    Column {
        anchors.centerIn: parent
        width: parent.width - 2 * Theme.margin
        spacing: Theme.mm(8)

        Icon {
            anchors.horizontalCenter: parent.horizontalCenter
            name: "brand"
            color: Theme.paper
            size: Theme.mm(36)
        }

        Label {
            width: parent.width
            horizontalAlignment: Text.AlignHCenter
            text: Ui.w.brand
            bold: true
            color: Theme.paper
            font.pixelSize: Theme.textDisplay
            Accessible.role: Accessible.Heading
        }

        Label {
            width: parent.width
            horizontalAlignment: Text.AlignHCenter
            text: Ui.w.starting
            balanced: true
            color: Theme.paper
            font.pixelSize: Theme.textLabel
        }
    }
}
