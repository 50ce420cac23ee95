pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Cabinet
import Kiosk.Controls
import Kiosk.Theme

// How it stands. A failure says what became of papers and money, what to do, and a code for staff.
Item {
    id: screen

    readonly property var content: Ui.session.content
    readonly property string _icon: content.tone === "success" ? "success" : content.tone === "failure" ? "failure" : "attention"
    readonly property bool _lines: content.papers.length + content.money.length + content.what_to_do.length > 0
    // Much to say: the words come before the sign.
    readonly property bool _wordy: content.papers.length + content.money.length + content.what_to_do.length
        > Theme.pick(90, 60) * (Theme.latin ? 2.4 : 1)
    readonly property bool _device: ["card_reader", "receipt_slot", "document_tray", "document_camera"].includes(Ui.session.place)
        && (!Theme.landscape || !_lines)
    readonly property real _belowSign: sign.y + sign.height + Theme.space

    Rectangle {
        id: sign
        anchors.horizontalCenter: parent.horizontalCenter
        y: Theme.mm(Theme.landscape ? 2 : screen._device || screen._lines ? 5 : 34)
        width: Theme.mm(screen._wordy ? 26 : Theme.landscape ? 38 : screen._device ? 44 : 68)
        height: width
        radius: width / 2
        color: Theme.tonePale(screen.content.tone)

        Icon {
            anchors.centerIn: parent
            name: screen._icon
            color: Theme.tone(screen.content.tone)
            size: parent.width * 0.62
        }
    }

    Scrollable {
        id: middle
        y: screen._belowSign
        width: parent.width
        height: Math.min(implicitHeight, parent.height - y - foot.height - Theme.space)
        visible: screen._lines

        Surface {
            width: parent.width
            height: lines.height + Theme.mm(6)

            Column {
                id: lines
                x: Theme.mm(7)
                y: Theme.mm(3)
                width: parent.width - 2 * x

                NoticeLine {
                    width: parent.width
                    icon: "document"
                    heading: Ui.w.your_papers
                    text: screen.content.papers
                }

                NoticeLine {
                    width: parent.width
                    icon: "money"
                    heading: Ui.w.your_money
                    text: screen.content.money
                }

                NoticeLine {
                    width: parent.width
                    icon: "next"
                    heading: Ui.w.what_to_do
                    text: screen.content.what_to_do
                }
            }
        }
    }

    CabinetPicture {
        visible: screen._device && height > Theme.mm(60)
        anchors.horizontalCenter: parent.horizontalCenter
        y: screen._lines ? middle.y + middle.height + Theme.space : screen._belowSign
        width: Math.min(parent.width, Theme.mm(160))
        height: parent.height - y - foot.height - Theme.space
        place: Ui.session.place
    }

    Row {
        id: foot
        anchors.bottom: parent.bottom
        anchors.bottomMargin: Theme.mm(2)
        anchors.horizontalCenter: parent.horizontalCenter
        height: visible ? Math.max(code.height, number.height) : 0
        visible: screen.content.code.length > 0 || screen.content.number.length > 0
        spacing: Theme.space

        Label {
            id: code
            visible: screen.content.code.length > 0
            text: Ui.w.fault_code.arg(screen.content.code)
            bold: true
            color: Theme.tone(screen.content.tone)
        }

        Label {
            id: number
            visible: screen.content.number.length > 0
            text: Ui.w.number_is.arg(screen.content.number)
            color: Theme.softInk
        }
    }
}
