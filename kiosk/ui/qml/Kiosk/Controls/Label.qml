import QtQuick
import Kiosk.Theme

// Plain text only: nothing a citizen or an authority writes is ever markup. `balanced` evens out the lines, so that no
// single character is left alone on the last one.
Text {
    id: label

    property bool balanced: false
    property bool bold: false
    readonly property int _lines: balanced && width > 0 ? Math.ceil((metrics.advanceWidth + 1) / width) : 1
    readonly property int _spare: _lines > 1
        ? Math.max(0, width - Math.ceil(metrics.advanceWidth / _lines + font.pixelSize * 1.25)) : 0

    textFormat: Text.PlainText
    wrapMode: Text.Wrap
    color: Theme.ink
    font.family: Theme.family
    font.pixelSize: Theme.textBody
    font.bold: bold
    lineHeight: 1.0
    renderType: Text.NativeRendering
    leftPadding: horizontalAlignment === Text.AlignHCenter ? _spare / 2 : 0
    rightPadding: horizontalAlignment === Text.AlignHCenter ? _spare / 2 : _spare

    Accessible.role: Accessible.StaticText
    Accessible.name: text
    Accessible.ignored: text.length === 0

    TextMetrics {
        id: metrics
        font: label.font
        text: label.balanced ? label.text : ""
    }
}
