pragma ComponentBehavior: Bound
import QtQuick

// Anything to touch. `objectName` is its stable name for the remote hand and the tests, `name` what is read aloud.
Item {
    id: touchable

    property string name
    readonly property bool isTouchable: true
    readonly property alias pressed: area.pressed

    signal touched

    Accessible.role: Accessible.Button
    Accessible.name: name
    Accessible.onPressAction: touchable.touched()

    MouseArea {
        id: area
        anchors.fill: parent
        enabled: touchable.enabled
        onClicked: touchable.touched()
    }
}
