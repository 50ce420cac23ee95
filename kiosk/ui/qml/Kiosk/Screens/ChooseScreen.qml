pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// Pick one (cards, list, grades) or tick several and confirm.
Item {
    id: screen

    readonly property var content: Ui.session.content
    readonly property bool _several: content.several.length > 0
    readonly property bool _cards: content.layout === "cards" && !_several
    readonly property bool _grades: content.layout === "grades" && !_several
    readonly property var _rows: _several ? content.several : content.options
    readonly property bool _beside: _cards && !(Theme.elder && !Theme.landscape && _rows.length > 4)

    PagedGrid {
        id: grid
        anchors.fill: parent
        anchors.topMargin: Theme.mm(3)
        anchors.bottomMargin: Theme.mm(3)
        model: screen._rows
        columns: screen._beside ? (screen._rows.length === 1 ? 1 : Theme.landscape && screen._rows.length > 4 ? 3 : 2)
            : Theme.landscape && !screen._grades && screen._rows.length > 3 ? 2 : 1
        pagerName: "options"
        cellMinimum: screen._beside ? Theme.mm(Theme.pick(58, 70)) : Theme.mm(Theme.pick(25, 31))
        cellMaximum: screen._beside ? Theme.mm(Theme.landscape ? 150 : 150) : Theme.mm(Theme.pick(44, 50))

        delegate: OptionTile {
            required property var modelData

            objectName: "option:" + modelData.id
            option: modelData
            upright: screen._beside
            ticks: screen._several
            picked: screen._several ? Ui.session.picked.includes(modelData.id) : modelData.picked
            width: grid.cellWidth
            height: grid.cellHeight
            onTouched: screen._several ? Ui.session.toggle(modelData.id) : Ui.session.choose(modelData.id)
        }
    }
}
