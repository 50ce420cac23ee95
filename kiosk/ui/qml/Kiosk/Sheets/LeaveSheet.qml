pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// A finger that slipped ends nothing: whoever is signed in is asked once, and told what becomes of entries and money.
Sheet {
    id: sheet

    onDismissed: Ui.stage.open_sheet("")

    Label {
        width: parent.width
        text: Ui.w.leave_title
        bold: true
        balanced: true
        font.pixelSize: Theme.textTitle
        Accessible.role: Accessible.Heading
    }

    Label {
        width: parent.width
        text: Ui.w.leave_note
        balanced: true
        color: Theme.softInk
        font.pixelSize: Theme.textLabel
    }

    ActionButton {
        objectName: "stay"
        width: parent.width
        kind: "primary"
        text: Ui.w.stay
        onTouched: Ui.stage.open_sheet("")
    }

    ActionButton {
        objectName: "end"
        width: parent.width
        text: Ui.w.leave_now
        enabled: Ui.session.can_leave
        onTouched: {
            Ui.stage.open_sheet("");
            Ui.session.leave();
        }
    }
}
