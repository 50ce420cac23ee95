import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// What a remote helper says, in big print over the page, and the way to end it.
Rectangle {
    id: bar

    readonly property bool _over: Ui.stage.helper === "ended"

    implicitHeight: Math.max(says.height, end.height) + Theme.mm(8)
    color: Theme.strong

    Icon {
        id: badge
        x: Theme.margin
        anchors.verticalCenter: parent.verticalCenter
        name: bar._over ? "attention" : "help"
        color: Theme.paper
        size: Theme.mm(Theme.pick(13, 15))
    }

    Label {
        id: says
        objectName: "helper_says"
        anchors.verticalCenter: parent.verticalCenter
        x: badge.x + badge.width + Theme.mm(5)
        width: end.x - x - Theme.mm(5)
        text: Ui.stage.helper_says
        balanced: true
        bold: true
        color: Theme.paper
        font.pixelSize: Theme.textLabel
        Accessible.role: Accessible.AlertMessage
    }

    ActionButton {
        id: end
        objectName: "end_helper"
        anchors.right: parent.right
        anchors.rightMargin: Theme.margin
        anchors.verticalCenter: parent.verticalCenter
        width: Math.min(implicitWidth, Theme.mm(64))
        text: bar._over ? Ui.w.close : Ui.w.helper_end
        onTouched: Ui.stage.ask_helper(false)
    }
}
