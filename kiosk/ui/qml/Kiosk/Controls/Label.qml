pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Theme

// Plain text only: nothing a citizen or an authority writes is ever markup. `balanced` evens out the lines, so that no
// single character is left alone on the last one.
Text {
    id: label

    property bool balanced: false
    property bool bold: false
    readonly property bool centred: horizontalAlignment === Text.AlignHCenter
    readonly property int _lines: balanced && width > 0 ? Math.ceil((metrics.advanceWidth + 1) / width) : 1
    readonly property int _spare: _lines > 1
        ? Math.max(0, width - Math.ceil(metrics.advanceWidth / _lines + font.pixelSize * (Theme.latin ? 3.2 : 1.25))) : 0

    textFormat: Text.PlainText
    wrapMode: Text.Wrap
    color: Theme.ink
    font.family: Theme.family
    font.pixelSize: Theme.textBody
    font.bold: bold
    lineHeight: 0.9
    renderType: Text.NativeRendering
    leftPadding: centred ? _spare / 2 : 0
    rightPadding: centred ? _spare / 2 : _spare

    Accessible.role: Accessible.StaticText
    Accessible.name: text
    Accessible.ignored: text.length === 0

    TextMetrics {
        id: metrics
        font: label.font
        text: label.balanced ? label.text : ""
    }
}
