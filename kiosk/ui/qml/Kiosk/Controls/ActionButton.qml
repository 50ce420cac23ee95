pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Theme

// `kind`: "primary" (the one main action), "secondary" (beside it), "quiet" (outlined small).
Touchable {
    id: button

    property string text
    property string icon
    property string kind: "secondary"
    readonly property bool isPrimary: kind === "primary"
    readonly property color _ink: !enabled ? Theme.softInk : isPrimary ? Theme.paper : Theme.strong

    name: text
    implicitHeight: Math.max(kind === "quiet" ? Theme.target : Theme.action, label.implicitHeight + Theme.mm(5))
    implicitWidth: row.naturalWidth + Theme.mm(14)

    Rectangle {
        anchors.fill: parent
        radius: Theme.radius
        color: !button.enabled ? Theme.muted
            : button.isPrimary ? (button.pressed ? Theme.strongPressed : Theme.strong)
            : (button.pressed ? Theme.pale : Theme.surface)
        border.width: button.isPrimary && button.enabled ? 0 : Theme.line
        border.color: button.enabled ? Theme.strong : Theme.edge
    }

    Row {
        id: row

        readonly property real naturalWidth: (glyph.visible ? glyph.width + spacing : 0) + metrics.advanceWidth + 2

        anchors.centerIn: parent
        spacing: Theme.mm(3)

        Icon {
            id: glyph
            anchors.verticalCenter: parent.verticalCenter
            visible: button.icon.length > 0
            name: button.icon
            color: button._ink
            size: Theme.mm(Theme.pick(9, 11))
        }

        Label {
            id: label
            anchors.verticalCenter: parent.verticalCenter
            width: Math.min(Math.ceil(metrics.advanceWidth) + 2,
                            button.width - Theme.mm(7) - (glyph.visible ? glyph.width + row.spacing : 0))
            text: button.text
            bold: true
            balanced: true
            color: button._ink
            horizontalAlignment: Text.AlignHCenter
            font.pixelSize: button.isPrimary ? Theme.textHeading : Theme.textLabel
            Accessible.ignored: true
        }
    }

    TextMetrics {
        id: metrics
        font: label.font
        text: button.text
    }
}
