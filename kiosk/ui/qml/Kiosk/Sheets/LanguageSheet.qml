pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// The three languages, each in its own words.
Sheet {
    id: sheet

    onDismissed: Ui.stage.open_sheet("")

    Label {
        width: parent.width
        text: Ui.w.language_title
        bold: true
        font.pixelSize: Theme.textTitle
    }

    Repeater {
        model: [["zh-CN", "简体中文"], ["zh-TW", "繁體中文"], ["en", "English"]]

        ActionButton {
            required property var modelData

            objectName: "language:" + modelData[0]
            width: parent ? parent.width : 0
            kind: Theme.language === modelData[0] ? "primary" : "secondary"
            icon: Theme.language === modelData[0] ? "tick" : ""
            text: modelData[1]
            onTouched: Ui.stage.speak(modelData[0])
        }
    }
}
