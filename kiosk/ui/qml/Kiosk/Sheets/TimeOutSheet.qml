pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// Nothing was touched for a while: how long is left, in numbers and as a ring, and one touch to stay.
Sheet {
    id: sheet

    readonly property int seconds: Math.max(0, Ui.stage.seconds_left)

    dismissible: false

    Item {
        anchors.horizontalCenter: parent.horizontalCenter
        width: Theme.mm(Theme.landscape ? 46 : 62)
        height: width

        Canvas {
            id: ring

            readonly property real part: sheet.seconds / Ui.stage.seconds_total

            anchors.fill: parent
            onPartChanged: requestPaint()
            onPaint: {
                const pen = getContext("2d");
                pen.reset();
                pen.lineWidth = Theme.mm(4);
                const radius = (width - pen.lineWidth) / 2;
                pen.strokeStyle = Theme.hairline;
                pen.beginPath();
                pen.arc(width / 2, height / 2, radius, 0, 2 * Math.PI);
                pen.stroke();
                pen.strokeStyle = Theme.strong;
                pen.lineCap = "round";
                pen.beginPath();
                pen.arc(width / 2, height / 2, radius, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * Math.min(1, part));
                pen.stroke();
            }
        }

        Label {
            objectName: "seconds"
            anchors.centerIn: parent
            text: sheet.seconds
            bold: true
            color: Theme.strong
            font.pixelSize: Theme.mm(Theme.landscape ? 17 : 22)
            Accessible.name: Ui.w.seconds_left.arg(sheet.seconds)
        }
    }

    Label {
        width: parent.width
        horizontalAlignment: Text.AlignHCenter
        text: Ui.w.still_there
        bold: true
        balanced: true
        font.pixelSize: Theme.textTitle
    }

    Label {
        width: parent.width
        horizontalAlignment: Text.AlignHCenter
        text: Ui.w.still_there_note.arg(sheet.seconds)
        balanced: true
        color: Theme.softInk
        font.pixelSize: Theme.textLabel
    }

    ActionButton {
        objectName: "extend"
        width: parent.width
        kind: "primary"
        text: Ui.w.stay
        onTouched: Ui.stage.extend()
    }

    ActionButton {
        objectName: "end"
        visible: Ui.stage.stage === "session"
        width: parent.width
        text: Ui.w.leave_now
        onTouched: Ui.session.leave()
    }
}
