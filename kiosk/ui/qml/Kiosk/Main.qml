import QtQuick
import Kiosk.Theme

// Takes the view models from Python; only then is the first page made, which is bound to them.
Item {
    id: main

    required property var look
    required property var words
    required property var stage
    required property var session
    required property var form
    required property var home
    required property var keyboard
    required property var pictures

    Component.onCompleted: {
        Ui.look = look;
        Ui.words = words;
        Ui.stage = stage;
        Ui.session = session;
        Ui.form = form;
        Ui.home = home;
        Ui.keyboard = keyboard;
        Ui.pictures = pictures;
        frame.source = "Frame.qml";
    }

    Binding {
        target: main.Window.window
        property: "color"
        value: Theme.ground
    }

    Binding {
        target: main.Window.window
        property: "flags"
        value: Qt.Window | Qt.FramelessWindowHint
        when: main.look.bare
    }

    Loader {
        id: frame
        anchors.fill: parent
        onLoaded: main.look.stand()
    }
}
