pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// Looks like a field; opens the search page, or shows what is being asked there.
Touchable {
    id: field

    property string text
    property string composing
    property bool writing: false

    name: Ui.w.search
    implicitHeight: Theme.mm(Theme.pick(22, 26))

    Rectangle {
        anchors.fill: parent
        radius: height / 2
        color: field.pressed && !field.writing ? Theme.pale : Theme.surface
        border.width: field.writing ? Theme.mm(0.9) : Theme.line
        border.color: Theme.strong
    }

    Icon {
        id: glass
        anchors.verticalCenter: parent.verticalCenter
        x: Theme.mm(8)
        name: "search"
    }

    Row {
        id: asked
        visible: field.text.length > 0 || field.composing.length > 0
        anchors.verticalCenter: parent.verticalCenter
        x: glass.x + glass.width + Theme.mm(5)
        spacing: Theme.mm(1)

        Label {
            text: field.text
            bold: true
            wrapMode: Text.NoWrap
            elide: Text.ElideLeft
            width: Math.min(implicitWidth, field.width - asked.x - Theme.mm(30) - letters.width)
            font.pixelSize: Theme.textHeading
        }

        Label {
            id: letters
            text: field.composing
            color: Theme.strong
            wrapMode: Text.NoWrap
            font.pixelSize: Theme.textHeading
        }
    }

    Rectangle {
        visible: field.writing
        anchors.verticalCenter: parent.verticalCenter
        x: asked.visible ? asked.x + asked.width + Theme.mm(1) : asked.x
        width: Math.max(2, Theme.mm(0.8))
        height: Theme.textHeading * 1.2
        color: Theme.strong
    }

    Label {
        visible: !asked.visible
        anchors.verticalCenter: parent.verticalCenter
        x: asked.x + (field.writing ? Theme.mm(3) : 0)
        width: field.width - x - Theme.mm(8)
        text: Theme.elder ? Ui.w.search_hint_short : Ui.w.search_hint
        color: Theme.softInk
        wrapMode: Text.NoWrap
        elide: Text.ElideRight
        font.pixelSize: Theme.textBody
    }
}
