pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// Before a remote helper is called: what they see, what they never see, and that it can end at any time.
Sheet {
    id: sheet

    onDismissed: Ui.stage.open_sheet("")

    Label {
        width: parent.width
        text: Ui.w.helper_title
        bold: true
        font.pixelSize: Theme.textTitle
    }

    Repeater {
        model: [["tick", Ui.w.helper_sees], ["shield", Ui.w.helper_never], ["leave", Ui.w.helper_any_time]]

        Row {
            id: line

            required property var modelData

            width: parent.width
            spacing: Theme.mm(6)

            Icon {
                id: sign
                name: line.modelData[0]
                color: Theme.strong
                size: Theme.mm(Theme.pick(13, 15))
            }

            Label {
                width: line.width - sign.width - line.spacing
                text: line.modelData[1]
                balanced: true
                font.pixelSize: Theme.textBody
            }
        }
    }

    ActionButton {
        objectName: "helper_agree"
        width: parent.width
        kind: "primary"
        text: Ui.w.helper_agree
        onTouched: Ui.stage.ask_helper(true)
    }

    ActionButton {
        objectName: "close"
        width: parent.width
        text: Ui.w.helper_decline
        onTouched: Ui.stage.open_sheet("")
    }
}
