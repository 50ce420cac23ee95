pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Keyboard
import Kiosk.Theme

// Ask by characters, pinyin, initials or in one's own words; answers appear while typing.
Item {
    id: page

    readonly property bool _asked: Ui.home.query.length > 0 || Ui.keyboard.composing.length > 0

    ActionButton {
        id: back
        objectName: "home"
        kind: "quiet"
        icon: "left"
        text: Ui.w.home
        x: Theme.margin
        y: Theme.mm(4)
        height: field.height
        onTouched: Ui.home.go_home()
    }

    SearchField {
        id: field
        objectName: "search:field"
        writing: true
        text: Ui.home.query
        composing: Ui.keyboard.composing
        anchors.left: back.right
        anchors.leftMargin: Theme.gap
        y: back.y
        width: page.width - x - Theme.margin

        Touchable {
            visible: field.text.length > 0
            objectName: "search:clear"
            name: Ui.w.clear
            anchors.right: parent.right
            anchors.rightMargin: Theme.mm(3)
            width: Theme.target + Theme.mm(2)
            height: parent.height
            onTouched: Ui.home.clear()

            Icon {
                anchors.centerIn: parent
                name: "clear"
                color: Theme.softInk
            }
        }
    }

    PagedGrid {
        id: results
        x: Theme.margin
        y: back.y + back.height + Theme.mm(6)
        width: page.width - 2 * Theme.margin
        height: keyboard.y - Theme.mm(5) - y
        model: Ui.home.results
        pagerName: "results"
        pagerAside: Theme.landscape
        columns: Theme.landscape ? 2 : 1
        cellMinimum: Theme.mm(Theme.pick(27, 32))
        cellMaximum: Theme.mm(Theme.pick(34, 40))

        delegate: MatterTile {
            required property var modelData

            matter: modelData
            width: results.cellWidth
            height: results.cellHeight
            onTouched: Ui.home.start(modelData.matter)
        }
    }

    Column {
        visible: Ui.home.results.length === 0
        x: Theme.margin
        y: results.y + Math.max(0, (results.height - height) / 3)
        width: results.width
        spacing: Theme.mm(4)

        Icon {
            visible: results.height > Theme.mm(90)
            anchors.horizontalCenter: parent.horizontalCenter
            name: page._asked ? "attention" : "search"
            size: Theme.mm(26)
        }

        Label {
            width: parent.width
            horizontalAlignment: Text.AlignHCenter
            balanced: true
            bold: true
            text: page._asked ? Ui.w.nothing_found : Ui.w.ask_freely
            font.pixelSize: Theme.textHeading
        }

        Label {
            width: parent.width
            horizontalAlignment: Text.AlignHCenter
            balanced: true
            color: Theme.softInk
            text: page._asked ? Ui.w.nothing_found_note : Ui.w.ask_examples
        }
    }

    Keyboard {
        id: keyboard
        x: Theme.margin - Theme.mm(4)
        y: page.height - height - Theme.mm(5)
        width: page.width - 2 * x
        canFold: false
    }
}
