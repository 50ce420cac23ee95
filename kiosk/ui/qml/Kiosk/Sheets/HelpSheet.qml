pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// Who helps: the clerk in the shop, the city's hotline with what to tell them, and a remote helper.
Sheet {
    id: sheet

    onDismissed: Ui.stage.open_sheet("")

    Label {
        width: parent.width
        text: Ui.w.help_title
        bold: true
        font.pixelSize: Theme.textTitle
    }

    Column {
        width: parent.width
        spacing: Theme.mm(Theme.landscape ? 4 : 6)

        Repeater {
            model: [["person", Ui.w.help_clerk, Ui.w.help_clerk_note],
                    ["phone", Ui.w.help_hotline, Ui.w.help_hotline_note],
                    ["document", Ui.w.help_tell, Ui.w.help_tell_note.arg(Ui.stage.terminal)
                        + (Ui.session.transaction_number.length > 0
                            ? "\n" + Ui.w.number_is.arg(Ui.session.transaction_number) : "")]]

            Row {
                id: line

                required property var modelData

                width: parent.width
                spacing: Theme.mm(6)

                Rectangle {
                    id: badge
                    width: Theme.mm(Theme.pick(19, 21))
                    height: width
                    radius: width * 0.28
                    color: Theme.pale

                    Icon {
                        anchors.centerIn: parent
                        name: line.modelData[0]
                        size: parent.width * 0.6
                    }
                }

                Column {
                    anchors.verticalCenter: parent.verticalCenter
                    width: line.width - badge.width - line.spacing
                    spacing: Theme.mm(0.8)

                    Label {
                        width: parent.width
                        text: line.modelData[1]
                        bold: true
                        font.pixelSize: Theme.textLabel
                    }

                    Label {
                        width: parent.width
                        text: line.modelData[2]
                        balanced: !text.includes("\n")
                        color: Theme.softInk
                        font.pixelSize: Theme.textNote
                    }
                }
            }
        }
    }

    ActionButton {
        objectName: "remote_helper"
        visible: Ui.stage.helper === "" || Ui.stage.helper === "ended"
        width: parent.width
        icon: "help"
        text: Ui.w.helper_call
        onTouched: Ui.stage.open_sheet("remote")
    }

    ActionButton {
        objectName: "close"
        width: parent.width
        kind: "primary"
        text: Ui.w.close
        onTouched: Ui.stage.open_sheet("")
    }
}
