pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Theme

// Rows and columns of equal cells that fill the space; what does not fit is on the next page, never under a scroll bar.
Item {
    id: grid

    required property var model
    required property Component delegate
    property int columns: 2
    property int cellMinimum: Theme.mm(Theme.pick(30, 38))
    property int cellMaximum: Theme.mm(Theme.pick(44, 96))
    property string pagerName: "page"
    property int page: 0

    readonly property int _lines: Math.ceil(model.length / columns)
    readonly property bool paged: _lines * (cellMinimum + Theme.gap) - Theme.gap > height
    readonly property real _room: height - (paged ? Theme.target + Theme.gap : 0)
    readonly property int _perPage: Math.max(1, Math.floor((_room + Theme.gap) / (cellMinimum + Theme.gap)))
    readonly property int _shown: Math.min(_lines, paged ? _perPage : _lines)
    readonly property int pages: Math.max(1, Math.ceil(_lines / Math.max(1, _shown)))
    readonly property real cellWidth: Math.floor((width - (columns - 1) * Theme.gap) / columns)
    readonly property real cellHeight: _shown > 0
        ? Math.floor(Math.min(cellMaximum, (_room - (_shown - 1) * Theme.gap) / _shown)) : cellMinimum
    readonly property int _first: Math.min(page, pages - 1) * _shown * columns

    readonly property real usedHeight: paged ? height : _shown * (cellHeight + Theme.gap) - Theme.gap

    implicitHeight: _lines * (cellMaximum + Theme.gap) - Theme.gap

    onModelChanged: page = Math.min(page, pages - 1)

    Grid {
        columns: grid.columns
        rowSpacing: Theme.gap
        columnSpacing: Theme.gap

        Repeater {
            model: grid.model.slice(grid._first, grid._first + grid._shown * grid.columns)

            delegate: grid.delegate
        }
    }

    Row {
        visible: grid.paged
        anchors.bottom: parent.bottom
        anchors.horizontalCenter: parent.horizontalCenter
        spacing: Theme.gap

        ActionButton {
            objectName: grid.pagerName + ":previous"
            kind: "quiet"
            icon: "left"
            text: Ui.w.previous_page
            enabled: grid.page > 0
            onTouched: grid.page -= 1
        }

        Label {
            anchors.verticalCenter: parent.verticalCenter
            text: (grid.page + 1) + " / " + grid.pages
            font.pixelSize: Theme.textLabel
        }

        ActionButton {
            objectName: grid.pagerName + ":next"
            kind: "quiet"
            icon: "right"
            text: Ui.w.next_page
            enabled: grid.page + 1 < grid.pages
            onTouched: grid.page += 1
        }
    }
}
