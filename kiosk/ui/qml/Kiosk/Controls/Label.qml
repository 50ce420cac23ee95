pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Theme

// Plain text only: nothing a citizen or an authority writes is ever markup. `balanced` evens out the lines, so that no
// single character is left alone on the last one; a long word that goes to the next line whole has room for it.
Text {
    id: label

    property bool balanced: false
    property bool bold: false
    readonly property bool centred: horizontalAlignment === Text.AlignHCenter
    readonly property int _full: balanced && width > 0 ? Math.ceil((metrics.advanceWidth + 1) / width) : 1
    // Full lines of Chinese give a character to the next where a comma may not stand first: then one line more.
    readonly property int _lines: _full > 1 && !Theme.latin && metrics.advanceWidth / _full + font.pixelSize > width
        ? _full + 1 : _full
    readonly property int _spare: _lines > 1
        ? Math.max(0, width - Math.ceil(metrics.advanceWidth / _lines + font.pixelSize * _slack(text))) : 0

    // By hand: the script engine would keep the text that a regular expression was tried on.
    function _slack(text: string): real {
        let longest = 0, run = 0;
        for (let at = 0; at < text.length; at++) {
            const code = text.charCodeAt(at);
            run = code > 0x20 && code < 0x7f ? run + 1 : 0;
            longest = Math.max(longest, run);
        }
        return Math.max(Theme.latin ? 3.2 : 1.25, longest < 5 ? 0 : longest * 0.52);
    }

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
