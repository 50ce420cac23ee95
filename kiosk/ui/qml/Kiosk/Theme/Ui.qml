pragma Singleton
import QtQuick

// The view models, set once by Main before the first page is made.
QtObject {
    property var look
    property var words
    property var stage
    property var session
    property var form
    property var home
    property var keyboard
    property var pictures
    readonly property var w: words ? words.of : ({})
}
