pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// Behind a door: its matters. Before one is chosen: all doors, by life event or by department.
Item {
    id: page

    readonly property bool choosing: Ui.home.page === "doors"

    Row {
        id: head
        x: Theme.margin
        y: Theme.mm(5)
        spacing: Theme.space

        ActionButton {
            id: back
            objectName: "home"
            kind: "quiet"
            icon: "left"
            text: Ui.home.browsed && !page.choosing ? Ui.w.back : Ui.w.home
            onTouched: Ui.home.browsed && !page.choosing ? Ui.home.browse(Ui.home.by_department) : Ui.home.go_home()
        }

        Label {
            anchors.verticalCenter: parent.verticalCenter
            width: page.width - 2 * Theme.margin - back.width - Theme.space
            text: page.choosing ? Ui.w.all_matters : Ui.home.door_title
            bold: true
            balanced: true
            font.pixelSize: Theme.textTitle
        }
    }

    Row {
        id: sides
        visible: page.choosing
        x: Theme.margin
        y: head.y + head.height + Theme.mm(5)
        spacing: Theme.gap

        Repeater {
            model: [false, true]

            ActionButton {
                required property bool modelData

                objectName: modelData ? "doors:departments" : "doors:events"
                kind: Ui.home.by_department === modelData ? "primary" : "quiet"
                text: modelData ? Ui.w.by_department : Ui.w.by_event
                height: Theme.target
                onTouched: Ui.home.browse(modelData)
            }
        }
    }

    PagedGrid {
        id: doors
        visible: page.choosing
        x: Theme.margin
        y: sides.y + sides.height + Theme.mm(6)
        width: parent.width - 2 * Theme.margin
        height: parent.height - y - Theme.mm(6)
        model: page.choosing ? (Ui.home.by_department ? Ui.home.departments : Ui.home.events) : []
        pagerName: "doors"
        columns: Theme.pick(3, 2) + (Theme.landscape ? 1 : 0)
        cellMinimum: Theme.mm(Theme.pick(30, 40))
        cellMaximum: Theme.mm(Theme.pick(44, 60))

        delegate: DoorTile {
            required property var modelData

            door: modelData
            counted: true
            width: doors.cellWidth
            height: doors.cellHeight
            onTouched: Ui.home.enter(modelData.id)
        }
    }

    PagedGrid {
        id: tiles
        visible: !page.choosing
        x: Theme.margin
        y: head.y + head.height + Theme.mm(7)
        width: parent.width - 2 * Theme.margin
        height: parent.height - y - Theme.mm(6)
        model: Ui.home.door_rows
        pagerName: "matters"
        columns: Theme.landscape ? 2 : Theme.elder ? 1 : 2
        cellMinimum: Theme.mm(Theme.pick(Theme.latin ? 44 : 34, 44))
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
