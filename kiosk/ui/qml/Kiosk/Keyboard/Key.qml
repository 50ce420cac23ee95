pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Theme

Touchable {
    id: key

    required property string code
    property string text: code
    property string icon
    property bool firm: false

    objectName: "key:" + code
    name: text.length > 0 ? text : code
    implicitHeight: Theme.mm(Theme.pick(17, 20.6))

    Rectangle {
        anchors.fill: parent
        radius: Theme.radius * 0.75
        color: key.pressed ? Theme.strong : key.firm ? Theme.pale : Theme.surface
        border.width: Math.max(1, Theme.line / 2)
        border.color: key.firm ? Theme.pale : Theme.hairline
    }

    Icon {
        visible: key.icon.length > 0
        anchors.centerIn: parent
        name: key.icon
        color: key.pressed ? Theme.paper : Theme.strong
    }

    Label {
        visible: key.icon.length === 0
        anchors.centerIn: parent
        text: key.icon.length === 0 ? key.text : ""
        color: key.pressed ? Theme.paper : key.firm ? Theme.strong : Theme.ink
        bold: key.firm
        wrapMode: Text.NoWrap
        font.pixelSize: key.text.length > 1 && key.code.length > 1 ? Theme.textLabel : Theme.textHeading
        Accessible.ignored: true
    }
}
