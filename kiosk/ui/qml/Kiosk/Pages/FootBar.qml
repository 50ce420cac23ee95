pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// Leave, mode, language, lower the page, help: the same five places on every page.
Rectangle {
    id: bar

    property bool inSession: false
    readonly property bool _canLower: Theme.loweredHeightMm < Theme.heightMm - 1
    readonly property int _cells: _canLower ? 5 : 4
    readonly property real _cell: (width - 2 * Theme.margin - (_cells - 1) * Theme.gap) / _cells

    implicitHeight: Theme.mm(Theme.pick(24, 31))
    color: Theme.surface

    Rectangle {
        width: parent.width
        height: Math.max(1, Theme.line / 2)
        color: Theme.hairline
    }

    Row {
        anchors.centerIn: parent
        spacing: Theme.gap

        Item {
            width: bar._cell
            height: mode.height

            UtilityButton {
                objectName: "leave"
                visible: bar.inSession
                anchors.fill: parent
                enabled: Ui.session.can_leave
                icon: "leave"
                text: Ui.w.leave
                on: Ui.stage.sheet === "leave"
                onTouched: {
                    if (Ui.session.citizen.length > 0 && Ui.session.kind !== "notice")
                        Ui.stage.open_sheet("leave");
                    else
                        Ui.session.leave();
                }
            }
        }

        UtilityButton {
            id: mode
            objectName: "mode"
            width: bar._cell
            icon: Theme.elder ? "standard" : "elder"
            text: Theme.elder ? Ui.w.standard_mode : Ui.w.elder_mode
            onTouched: Ui.look.switch_mode()
        }

        UtilityButton {
            objectName: "language"
            width: bar._cell
            icon: "language"
            text: Ui.w.language
            on: Ui.stage.sheet === "language"
            onTouched: Ui.stage.open_sheet("language")
        }

        UtilityButton {
            objectName: "lower"
            visible: bar._canLower
            width: bar._cell
            icon: Ui.stage.lowered ? "raise" : "lower"
            text: Ui.stage.lowered ? Ui.w.raise_page : Ui.w.lower_page
            on: Ui.stage.lowered
            onTouched: Ui.stage.lower()
        }

        UtilityButton {
            objectName: "help"
            width: bar._cell
            icon: "help"
            text: Ui.w.help
            on: Ui.stage.sheet === "help"
            onTouched: Ui.stage.open_sheet("help")
        }
    }
}
