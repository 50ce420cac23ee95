pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Window
import Kiosk.Controls
import Kiosk.Pages
import Kiosk.Sheets
import Kiosk.Theme

Window {
    id: window

    property bool bare: false // no frame around it
    readonly property string stage: Ui.stage.stage
    property bool _waits: false
    readonly property bool _bars: stage === "home" || stage === "session" || stage === "out_of_service"

    width: 1080
    height: 1920
    visible: false
    flags: bare ? Qt.Window | Qt.FramelessWindowHint : Qt.Window
    color: Theme.ground
    title: "Yizhan"

    Timer { // a flow that is quick is not announced
        interval: 200
        running: window.stage === ""
        onTriggered: window._waits = true
    }

    Binding {
        target: Theme
        property: "windowWidth"
        value: window.width
    }

    Binding {
        target: Theme
        property: "windowHeight"
        value: window.height
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
            visible: window._bars
            width: parent.width
            height: visible ? implicitHeight : 0
            heading: window.stage === "session" && Ui.session.matter_title.length > 0 ? Ui.session.matter_title : Ui.w.brand
            note: Ui.stage.site
            citizen: window.stage === "session" ? Ui.session.citizen : ""
        }

        Loader {
            id: body
            y: top.height
            width: parent.width
            height: foot.y - y
            sourceComponent: window.stage === "attract" ? attract : window.stage === "session" ? session
                : window.stage === "out_of_service" ? outOfService
                : window.stage === "" ? (window._waits ? starting : null)
                : Ui.home.page === "search" ? search : Ui.home.page === "door" ? door
                : Theme.elder ? elderHome : home
        }

        FootBar {
            id: foot
            visible: window.stage === "home" || window.stage === "session"
            y: parent.height - height
            width: parent.width
            height: visible ? implicitHeight : 0
            inSession: window.stage === "session"
        }

        Loader {
            anchors.fill: parent
            active: Ui.stage.seconds_left >= 0 || Ui.stage.sheet.length > 0
            sourceComponent: Ui.stage.seconds_left >= 0 ? timeOut : Ui.stage.sheet === "help" ? help : languages
        }
    }

    Component { id: starting; StartingPage {} }
    Component { id: attract; AttractPage {} }
    Component { id: home; HomePage {} }
    Component { id: elderHome; ElderHomePage {} }
    Component { id: door; DoorPage {} }
    Component { id: search; SearchPage {} }
    Component { id: session; SessionPage {} }
    Component { id: outOfService; OutOfServicePage {} }
    Component { id: timeOut; TimeOutSheet {} }
    Component { id: help; HelpSheet {} }
    Component { id: languages; LanguageSheet {} }
}
