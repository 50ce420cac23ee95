pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// One question, six answers, and a way to everything else.
Item {
    id: page

    Label {
        id: greeting
        x: Theme.margin
        y: Theme.mm(Theme.landscape ? 1 : 6)
        width: parent.width - 2 * Theme.margin
        text: Ui.w.greeting_elder
        bold: true
        balanced: true
        font.pixelSize: Theme.textDisplay
    }

    PagedGrid {
        id: tiles
        x: Theme.margin
        y: greeting.y + greeting.height + Theme.mm(Theme.landscape ? 3 : 6)
        width: parent.width - 2 * Theme.margin
        height: other.y - Theme.mm(5) - y
        model: Ui.home.favourites
        pagerName: "favourites"
        columns: Theme.landscape ? Math.min(3, Math.max(2, Ui.home.favourites.length)) : Ui.home.favourites.length <= 3 ? 1 : 2
        cellMinimum: Theme.mm(62)
        cellMaximum: Theme.mm(104)

        delegate: MatterTile {
            required property var modelData

            large: true
            matter: modelData
            width: tiles.cellWidth
            height: tiles.cellHeight
            onTouched: Ui.home.start(modelData.matter)
        }
    }

    Row {
        id: other
        x: Theme.margin
        y: parent.height - height - Theme.mm(5)
        spacing: Theme.gap

        ActionButton {
            objectName: "search"
            width: (page.width - 2 * Theme.margin - Theme.gap) / 2
            icon: "search"
            text: Ui.w.other_matter
            onTouched: Ui.home.search()
        }

        ActionButton {
            objectName: "doors:all"
            width: (page.width - 2 * Theme.margin - Theme.gap) / 2
            icon: "more"
            text: Ui.w.all_matters
            onTouched: Ui.home.browse(false)
        }
    }
}
