pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// Where am I, what comes next. Done marks carry a tick, the present one a ring: colour is never the only sign.
Item {
    id: strip

    required property var journey
    readonly property int _now: {
        for (let i = 0; i < journey.length; i++)
            if (journey[i].state === "now")
                return i;
        return -1;
    }
    readonly property string _here: _now >= 0 ? journey[_now].title : ""
    readonly property string _next: _now >= 0 && _now + 1 < journey.length ? journey[_now + 1].title : ""

    visible: journey.length > 0
    implicitHeight: visible ? marks.height + Theme.mm(2.5) + words.height : 0

    Accessible.role: Accessible.StaticText
    Accessible.name: here.text + "，" + next.text

    Row {
        id: marks

        readonly property real dot: Theme.mm(Theme.pick(8, 10))
        readonly property real dash: strip.journey.length > 1
            ? (strip.width - dot * strip.journey.length) / (strip.journey.length - 1) : 0

        height: dot

        Repeater {
            model: strip.journey

            Row {
                id: mark

                required property int index
                required property var modelData
                readonly property bool done: modelData.state === "done"
                readonly property bool now: modelData.state === "now"

                Rectangle {
                    visible: mark.index > 0
                    anchors.verticalCenter: parent.verticalCenter
                    width: marks.dash
                    height: Theme.mm(1.2)
                    color: mark.done || mark.now ? Theme.strong : Theme.hairline
                }

                Rectangle {
                    width: marks.dot
                    height: width
                    radius: width / 2
                    color: mark.done ? Theme.strong : Theme.surface
                    border.width: mark.now ? Theme.mm(1.6) : mark.done ? 0 : Theme.mm(0.7)
                    border.color: mark.now ? Theme.strong : Theme.edge

                    Icon {
                        visible: mark.done
                        anchors.centerIn: parent
                        name: "tick"
                        color: Theme.paper
                        size: parent.width * 0.66
                    }

                    Rectangle {
                        visible: mark.now
                        anchors.centerIn: parent
                        width: parent.width * 0.32
                        height: width
                        radius: width / 2
                        color: Theme.strong
                    }
                }
            }
        }
    }

    Item {
        id: words
        anchors.bottom: parent.bottom
        width: parent.width
        height: Math.max(here.height, next.visible ? next.height : 0)

        Label {
            id: here
            width: next.visible ? implicitWidth : parent.width
            text: Ui.w.step_of.arg(strip._now + 1).arg(strip.journey.length) + (strip._here ? " · " + strip._here : "")
            bold: true
            color: Theme.strong
            font.pixelSize: Theme.textNote
            Accessible.ignored: true
        }

        Label {
            id: next
            visible: strip._next.length > 0 && !Theme.elder
                && implicitWidth + here.implicitWidth + Theme.space < parent.width
            anchors.right: parent.right
            text: Ui.w.next_is.arg(strip._next)
            color: Theme.softInk
            wrapMode: Text.NoWrap
            font.pixelSize: Theme.textNote
            Accessible.ignored: true
        }
    }
}
