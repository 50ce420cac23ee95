pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// What was typed and what it may mean, first guess first; as many as fit with a comfortable size, the rest by page.
Item {
    id: row

    property int first: 0
    readonly property var candidates: Ui.keyboard.candidates
    readonly property int _minimum: Theme.mm(Theme.pick(17, 22))
    readonly property real _room: width - (overflow ? 2 * (Theme.target + Theme.gap) : 0)
    readonly property var widths: candidates.map(text => Math.max(_minimum,
        Math.ceil(text.length * Theme.textHeading * 1.02) + Theme.mm(7)))
    readonly property bool overflow: _sum(0, widths.length) > width
    readonly property int _count: _fitting(first)

    function _sum(from: int, to: int): real {
        let sum = -Theme.gap;
        for (let i = from; i < to; i++)
            sum += widths[i] + Theme.gap;
        return sum;
    }

    function _fitting(from: int): int {
        let count = 0;
        while (from + count < widths.length && _sum(from, from + count + 1) <= _room)
            count++;
        return Math.max(1, count);
    }

    function _before(): int {
        let start = first;
        while (start > 0 && _sum(start - 1, first) <= _room)
            start--;
        return start;
    }

    implicitHeight: Theme.mm(Theme.pick(18, 22))
    onCandidatesChanged: first = 0

    Row {
        spacing: Theme.gap

        Repeater {
            model: row.candidates.slice(row.first, row.first + row._count)

            Touchable {
                id: candidate

                required property int index
                required property string modelData

                objectName: "candidate:" + (row.first + index)
                name: modelData
                width: row.widths[row.first + index] ?? row._minimum
                height: row.height
                onTouched: Ui.keyboard.choose(row.first + index)

                Rectangle {
                    anchors.fill: parent
                    radius: Theme.radius * 0.75
                    color: candidate.pressed || candidate.index + row.first === 0 ? Theme.pale : Theme.surface
                    border.width: Math.max(1, Theme.line / 2)
                    border.color: Theme.hairline
                }

                Label {
                    anchors.centerIn: parent
                    text: candidate.modelData
                    bold: candidate.index + row.first === 0
                    color: Theme.ink
                    wrapMode: Text.NoWrap
                    font.pixelSize: Theme.textHeading
                    Accessible.ignored: true
                }
            }
        }
    }

    Row {
        visible: row.overflow
        anchors.right: parent.right
        spacing: Theme.gap

        Key {
            code: "candidates:previous"
            text: Ui.w.previous_page
            icon: "left"
            firm: true
            width: Theme.target
            height: row.height
            enabled: row.first > 0
            opacity: enabled ? 1 : 0.45
            onTouched: row.first = row._before()
        }

        Key {
            code: "candidates:next"
            text: Ui.w.next_page
            icon: "right"
            firm: true
            width: Theme.target
            height: row.height
            enabled: row.first + row._count < row.candidates.length
            opacity: enabled ? 1 : 0.45
            onTouched: row.first += row._count
        }
    }
}
