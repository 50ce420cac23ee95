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
    property bool pagerAside: false // where there is little height, the pages are turned at the right
    property int page: 0
    property real _tallest: 0 // of the tiles seen so far: long words get taller cells, and fewer to a page
    readonly property real _least: Math.max(cellMinimum, Math.min(_tallest, height - (pagerAside ? 0 : Theme.target + Theme.gap)))

    readonly property int _lines: Math.ceil(model.length / columns)
    readonly property bool paged: _lines * (_least + Theme.gap) - Theme.gap > height
    readonly property real _room: height - (paged && !pagerAside ? Theme.target + Theme.gap : 0)
    readonly property real _across: width - (pagerAside && _lines > 1 ? Theme.mm(Theme.pick(48, 56)) + Theme.gap : 0)
    readonly property int _perPage: Math.max(1, Math.floor((_room + Theme.gap) / (_least + Theme.gap)))
    readonly property int _shown: Math.min(_lines, paged ? _perPage : _lines)
    readonly property int pages: Math.max(1, Math.ceil(_lines / Math.max(1, _shown)))
    readonly property real cellWidth: Math.floor((_across - (columns - 1) * Theme.gap) / columns)
    readonly property real cellHeight: _shown > 0
        ? Math.floor(Math.min(Math.max(cellMaximum, _least), (_room - (_shown - 1) * Theme.gap) / _shown)) : cellMinimum
    readonly property int _first: Math.min(page, pages - 1) * _shown * columns

    readonly property real usedHeight: paged ? height : _shown * (cellHeight + Theme.gap) - Theme.gap

    implicitHeight: _lines * (cellMaximum + Theme.gap) - Theme.gap

    onModelChanged: {
        page = Math.min(page, pages - 1);
        _tallest = 0;
        measuring.restart();
    }
    onCellWidthChanged: {
        _tallest = 0;
        measuring.restart();
    }

    function measure(): void {
        for (let i = 0; i < tiles.count; i++)
            _tallest = Math.max(_tallest, tiles.itemAt(i)?.implicitHeight ?? 0);
    }

    // A tile knows its height once its words are laid out; a timer ends with its page.
    Timer {
        id: measuring
        interval: 0
        onTriggered: grid.measure()
    }

    Grid {
        columns: grid.columns
        rowSpacing: Theme.gap
        columnSpacing: Theme.gap

        Repeater {
            id: tiles
            model: grid.model.slice(grid._first, grid._first + grid._shown * grid.columns)

            delegate: grid.delegate
            onItemAdded: (index, item) => item.implicitHeightChanged.connect(measuring.restart)
        }
    }

    Loader {
        active: grid.paged
        x: grid.pagerAside ? parent.width - width : (parent.width - width) / 2
        y: grid.pagerAside ? 0 : parent.height - height

        sourceComponent: Grid {
            columns: grid.pagerAside ? 2 : 3
            spacing: Theme.gap
            horizontalItemAlignment: Grid.AlignHCenter
            verticalItemAlignment: Grid.AlignVCenter

            ActionButton {
                width: grid.pagerAside ? Theme.mm(Theme.pick(22, 26)) : implicitWidth
                objectName: grid.pagerName + ":previous"
                kind: "quiet"
                icon: "left"
                name: Ui.w.previous_page
                text: grid.pagerAside ? "" : name
                enabled: grid.page > 0
                onTouched: grid.page -= 1
            }

            Label {
                visible: !grid.pagerAside
                text: (grid.page + 1) + " / " + grid.pages
                font.pixelSize: Theme.textLabel
            }

            ActionButton {
                width: grid.pagerAside ? Theme.mm(Theme.pick(22, 26)) : implicitWidth
                objectName: grid.pagerName + ":next"
                kind: "quiet"
                icon: "right"
                name: Ui.w.next_page
                text: grid.pagerAside ? "" : name
                enabled: grid.page + 1 < grid.pages
                onTouched: grid.page += 1
            }
        }
    }
}
