pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Pages
import Kiosk.Theme

Item {
    id: frame

    readonly property string stage: Ui.stage.stage
    property bool _waits: false
    property list<QtObject> _prepared
    readonly property bool _bars: stage === "home" || stage === "session" || stage === "out_of_service"

    // The first picture waits for its own page alone; the others are read beside it, so that no touch waits either.
    function _prepare() {
        const pages = ["Attract", "Home", "ElderHome", "Door", "Search", "Session", "OutOfService"];
        const sheets = ["TimeOut", "Help", "Remote", "Leave", "Language"];
        _prepared = pages.map(name => `Pages/${name}Page.qml`).concat(sheets.map(name => `Sheets/${name}Sheet.qml`))
            .map(file => Qt.createComponent(file, Component.Asynchronous, frame));
    }

    Connections {
        target: Ui.look
        function onRested() {
            frame._prepare();
        }
    }

    Timer { // a flow that is quick is not announced
        interval: 200
        running: frame.stage === ""
        onTriggered: frame._waits = true
    }

    Binding {
        target: Theme
        property: "windowWidth"
        value: frame.width
    }

    Binding {
        target: Theme
        property: "windowHeight"
        value: frame.height
    }

    Rectangle {
        id: crown
        visible: Ui.stage.lowered
        width: parent.width
        height: visible ? parent.height - Theme.mm(Theme.loweredHeightMm) : 0
        color: Theme.strong

        Column {
            anchors.centerIn: parent
            spacing: Theme.mm(3)

            Icon {
                anchors.horizontalCenter: parent.horizontalCenter
                name: "brand"
                color: Theme.paper
                size: Theme.mm(24)
            }

            Label {
                anchors.horizontalCenter: parent.horizontalCenter
                text: Ui.w.brand
                bold: true
                color: Theme.paper
                font.pixelSize: Theme.textHeading
            }
        }
    }

    Item {
        id: page
        y: crown.height
        width: parent.width
        height: parent.height - y

        TopBar {
            id: top
            visible: frame._bars
            width: parent.width
            height: visible ? implicitHeight : 0
            heading: frame.stage === "session" && Ui.session.matter_title.length > 0 ? Ui.session.matter_title : Ui.w.brand
            note: Ui.stage.site
            citizen: frame.stage === "session" ? Ui.session.citizen : ""
        }

        Loader {
            id: helper
            y: top.height
            width: parent.width
            height: active ? implicitHeight : 0
            active: Ui.stage.helper.length > 0 && foot.visible
            source: "Sheets/HelperBar.qml"
        }

        Loader {
            id: body
            y: helper.y + helper.height + (helper.active ? Theme.mm(2) : 0)
            width: parent.width
            height: foot.y - y
            source: frame.stage === "attract" ? "Pages/AttractPage.qml"
                : frame.stage === "session" ? "Pages/SessionPage.qml"
                : frame.stage === "out_of_service" ? "Pages/OutOfServicePage.qml"
                : frame.stage === "" ? (frame._waits ? "Pages/StartingPage.qml" : "")
                : Ui.home.page === "search" ? "Pages/SearchPage.qml" : Ui.home.page.startsWith("door") ? "Pages/DoorPage.qml"
                : Theme.elder ? "Pages/ElderHomePage.qml" : "Pages/HomePage.qml"
        }

        FootBar {
            id: foot
            visible: frame.stage === "home" || frame.stage === "session"
            y: parent.height - height
            width: parent.width
            height: visible ? implicitHeight : 0
            inSession: frame.stage === "session"
        }

        Loader {
            anchors.fill: parent
            active: Ui.stage.seconds_left >= 0 || Ui.stage.sheet.length > 0
            source: Ui.stage.seconds_left >= 0 ? "Sheets/TimeOutSheet.qml"
                : Ui.stage.sheet === "help" ? "Sheets/HelpSheet.qml"
                : Ui.stage.sheet === "remote" ? "Sheets/RemoteSheet.qml"
                : Ui.stage.sheet === "leave" ? "Sheets/LeaveSheet.qml" : "Sheets/LanguageSheet.qml"
        }
    }
}
