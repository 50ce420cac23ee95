pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Cabinet
import Kiosk.Controls
import Kiosk.Drawing
import Kiosk.Theme

// How much, to whom, what for; the code to scan, or the place to pay at; and how long there is.
Item {
    id: screen

    readonly property var content: Ui.session.content
    readonly property bool _code: content.qr.length > 0
    readonly property real _share: content.seconds_total > 0 ? content.seconds_left / content.seconds_total : 0
    readonly property string _clock: Math.floor(content.seconds_left / 60) + ":" + String(content.seconds_left % 60).padStart(2, "0")
    readonly property real _side: Theme.landscape ? Math.min(width * 0.52, height - below.height - Theme.space) : width

    Surface {
        id: bill
        y: Theme.mm(2)
        width: Theme.landscape ? parent.width - screen._side - Theme.space : parent.width
        height: Theme.landscape ? Math.min(parent.height - Theme.mm(4), facts.implicitHeight + Theme.mm(12))
            : Math.min(facts.implicitHeight + Theme.mm(10), parent.height * 0.46)

        Scrollable {
            id: facts
            x: Theme.mm(7)
            y: Theme.mm(5)
            width: parent.width - 2 * x
            height: parent.height - 2 * y
            spacing: Theme.mm(1)

            Label {
                width: facts.contentWidth
                text: "¥\u00a0" + screen.content.amount
                bold: true
                wrapMode: Text.NoWrap
                fontSizeMode: Text.HorizontalFit
                minimumPixelSize: Theme.textHeading
                color: Theme.strong
                font.pixelSize: Theme.textDisplay
                Accessible.name: Ui.w.pay_amount.arg(screen.content.amount)
            }

            Label {
                width: facts.contentWidth
                text: screen.content.payee
                balanced: true
                bold: true
                font.pixelSize: Theme.textLabel
            }

            Label {
                width: facts.contentWidth
                text: screen.content.subject
                balanced: true
                color: Theme.softInk
                font.pixelSize: Theme.textBody
            }

            Repeater {
                model: Ui.session.known.length > 1 ? Ui.session.known.length : 0

                Item {
                    id: line

                    required property int index
                    readonly property var known: Ui.session.known[index] ?? ({ label: "", value: "" })

                    width: facts.contentWidth
                    height: Math.max(what.height, much.height) + Theme.mm(3)

                    Label {
                        id: what
                        anchors.verticalCenter: parent.verticalCenter
                        width: parent.width - much.width - Theme.gap
                        text: line.known.label
                        font.pixelSize: Theme.textNote
                    }

                    Label {
                        id: much
                        anchors.right: parent.right
                        anchors.verticalCenter: parent.verticalCenter
                        width: Math.min(implicitWidth, line.width * 0.6)
                        text: line.known.value
                        bold: true
                        font.pixelSize: Theme.textNote
                    }
                }
            }
        }
    }

    Item {
        id: act
        x: Theme.landscape ? parent.width - screen._side : 0
        y: Theme.landscape ? Theme.mm(2) : bill.y + bill.height + Theme.space
        width: screen._side
        height: below.y - y - Theme.space

        Rectangle {
            visible: screen._code
            anchors.centerIn: parent
            width: Math.min(parent.width, parent.height, Theme.mm(170))
            height: width
            radius: Theme.radius
            color: Theme.paper
            border.width: Theme.line
            border.color: Theme.strong

            CodePicture {
                anchors.fill: parent
                anchors.margins: Theme.mm(3)
                text: screen.content.qr
                Accessible.role: Accessible.Graphic
                Accessible.name: Ui.w.pay_code
            }
        }

        CabinetPicture {
            visible: !screen._code
            anchors.centerIn: parent
            width: Math.min(parent.width, Theme.mm(170))
            height: parent.height
            place: Ui.session.place
        }
    }

    Column {
        id: below
        x: act.x
        width: act.width
        y: parent.height - height - Theme.mm(2)
        spacing: Theme.gap

        Label {
            visible: text.length > 0
            width: parent.width
            text: screen.content.hint
            balanced: true
            bold: true
            horizontalAlignment: Text.AlignHCenter
            color: Theme.attention
            font.pixelSize: Theme.textBody
        }

        Row {
            visible: screen.content.seconds_total > 0
            anchors.horizontalCenter: parent.horizontalCenter
            spacing: Theme.mm(3)

            Icon {
                anchors.verticalCenter: parent.verticalCenter
                name: "clock"
                color: Theme.strong
                size: Theme.mm(Theme.pick(9, 11))
            }

            Label {
                anchors.verticalCenter: parent.verticalCenter
                text: Ui.w.pay_left.arg(screen._clock)
                bold: true
                font.pixelSize: Theme.textLabel
            }
        }

        Rectangle {
            visible: screen.content.seconds_total > 0
            width: parent.width
            height: Theme.mm(3)
            radius: height / 2
            color: Theme.muted

            Rectangle {
                width: parent.width * Math.max(0, Math.min(1, screen._share))
                height: parent.height
                radius: height / 2
                color: Theme.strong
            }
        }
    }
}
