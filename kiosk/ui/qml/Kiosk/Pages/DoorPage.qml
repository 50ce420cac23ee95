pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// Behind a door: its matters.
Item {
    id: page

    Row {
        id: head
        x: Theme.margin
        y: Theme.mm(5)
        spacing: Theme.space

        ActionButton {
            objectName: "home"
            kind: "quiet"
            icon: "left"
            text: Ui.w.home
            onTouched: Ui.home.go_home()
        }

        Label {
            anchors.verticalCenter: parent.verticalCenter
            text: Ui.home.door_title
            bold: true
            font.pixelSize: Theme.textTitle
        }
    }

    PagedGrid {
        id: tiles
        x: Theme.margin
        y: head.y + head.height + Theme.mm(7)
        width: parent.width - 2 * Theme.margin
        height: parent.height - y - Theme.mm(6)
        model: Ui.home.door_rows
        pagerName: "matters"
        columns: Theme.landscape ? 2 : Theme.elder ? 1 : 2
        cellMinimum: Theme.mm(Theme.pick(34, 44))
        cellMaximum: Theme.mm(Theme.pick(46, 56))

        delegate: MatterTile {
            required property var modelData

            matter: modelData
            width: tiles.cellWidth
            height: tiles.cellHeight
            onTouched: Ui.home.start(modelData.matter)
        }
    }
}
