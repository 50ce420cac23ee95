pragma Singleton
import QtQuick

// The view models, set once by KioskWindow before the first page is loaded.
QtObject {
    property var words
    property var stage
    property var session
    property var form
    property var home
    property var keyboard
    property var pictures
    readonly property var w: words ? words.of : ({})
}
