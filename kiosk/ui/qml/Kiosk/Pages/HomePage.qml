pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// Greeting, search, the eight most used, and doors by life event or department.
Item {
    id: page

    property bool byDepartment: false
    readonly property bool _few: Ui.home.favourites.length <= 3
    readonly property var _doors: byDepartment ? Ui.home.departments : Ui.home.events
    readonly property var _shown: _doors.length <= 8 ? _doors
        : _doors.slice(0, 7).concat([{ id: "all", title: Ui.w.all_doors, icon: "more", count: 0 }])
    readonly property real _left: Theme.landscape ? Math.floor((width - 2 * Theme.margin - Theme.mm(9)) * 0.44) : width - 2 * Theme.margin
    readonly property real _doorsHigh: segment.height + Theme.gap + 2 * Theme.mm(Theme.landscape ? 34 : 31) + Theme.gap

    Column {
        id: head
        x: Theme.margin
        y: Theme.mm(Theme.landscape ? 3 : 8)
        width: page._left
        spacing: Theme.mm(Theme.landscape ? 5 : 8)

        Column {
            width: parent.width
            spacing: Theme.mm(1.5)

            Label {
                width: parent.width
                text: Ui.w.greeting
                bold: true
                balanced: true
                font.pixelSize: Theme.landscape ? Theme.textTitle : Theme.textDisplay
            }

            Label {
                width: parent.width
                text: Ui.w.greeting_note.arg(Ui.home.matters)
                balanced: true
                color: Theme.softInk
                font.pixelSize: Theme.textBody
            }
        }

        SearchField {
            objectName: "search"
            width: parent.width
            onTouched: Ui.home.search()
        }
    }

    Label {
        id: heading
        x: tiles.x
        y: Theme.landscape ? Theme.mm(4) : head.y + head.height + Theme.mm(9)
        text: Ui.w.favourites
        bold: true
        font.pixelSize: Theme.textHeading
    }

    PagedGrid {
        id: tiles
        x: Theme.landscape ? Theme.margin + page._left + Theme.mm(9) : Theme.margin
        y: heading.y + heading.height + Theme.mm(2.5)
        width: Theme.landscape ? page.width - x - Theme.margin : page._left
        height: page.height - (Theme.landscape ? Theme.mm(4) : page._doorsHigh + Theme.mm(14)) - y
        model: Ui.home.favourites
        pagerName: "favourites"
        columns: page._few && !Theme.landscape ? 1 : 2
        cellMinimum: Theme.mm(30)
        cellMaximum: Theme.mm(58)

        delegate: MatterTile {
            required property var modelData

            matter: modelData
            width: tiles.cellWidth
            height: tiles.cellHeight
            onTouched: Ui.home.start(modelData.matter)
        }
    }

    Item {
        id: doors
        visible: Ui.home.events.length + Ui.home.departments.length > 0
        x: Theme.margin
        y: Math.min(page.height - height - Theme.mm(Theme.landscape ? 4 : 7), Theme.landscape
            ? head.y + head.height + Theme.mm(14) : tiles.y + tiles.usedHeight + Theme.mm(12))
        width: page._left
        height: page._doorsHigh

        Row {
            id: segment
            spacing: Theme.gap

            Repeater {
                model: [false, true]

                Touchable {
                    id: side

                    required property bool modelData
                    readonly property bool on: page.byDepartment === modelData

                    objectName: modelData ? "doors:departments" : "doors:events"
                    name: label.text
                    width: label.implicitWidth + Theme.mm(12)
                    height: Theme.target
                    onTouched: page.byDepartment = modelData

                    Accessible.checkable: true
                    Accessible.checked: on

                    Label {
                        id: label
                        anchors.centerIn: parent
                        text: side.modelData ? Ui.w.by_department : Ui.w.by_event
                        bold: side.on
                        wrapMode: Text.NoWrap
                        color: side.on ? Theme.strong : Theme.softInk
                        font.pixelSize: Theme.textLabel
                        Accessible.ignored: true
                    }

                    Rectangle {
                        visible: side.on
                        anchors.bottom: parent.bottom
                        width: parent.width
                        height: Theme.mm(1.2)
                        radius: height / 2
                        color: Theme.strong
                    }
                }
            }
        }

        PagedGrid {
            id: grid
            y: segment.height + Theme.gap
            width: parent.width
            height: parent.height - y
            model: page._shown
            pagerName: "doors"
            columns: 4
            cellMinimum: Theme.mm(22)
            cellMaximum: Theme.mm(34)

            delegate: DoorTile {
                required property var modelData

                door: modelData
                width: grid.cellWidth
                height: grid.cellHeight
                onTouched: modelData.id === "all" ? Ui.home.browse(page.byDepartment) : Ui.home.enter(modelData.id)
            }
        }
    }
}
