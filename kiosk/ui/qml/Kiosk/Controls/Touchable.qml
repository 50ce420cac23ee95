pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Theme

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

    Loader { // a remote helper points here
        anchors.fill: parent
        anchors.margins: -Theme.mm(1)
        z: 10
        active: touchable.objectName.length > 0 && Ui.stage.pointed === touchable.objectName

        sourceComponent: Rectangle {
            color: Qt.alpha(Theme.light, 0.18)
            radius: Theme.radius * 1.2
            border.width: Theme.mm(1.4)
            border.color: Theme.attention

            SequentialAnimation on opacity {
                running: Theme.animated
                loops: Animation.Infinite

                NumberAnimation { from: 1; to: 0.35; duration: 700; easing.type: Easing.InOutSine }
                NumberAnimation { to: 1; duration: 700; easing.type: Easing.InOutSine }
            }
        }
    }

    MouseArea {
        id: area
        anchors.fill: parent
        enabled: touchable.enabled
        onClicked: touchable.touched()
    }
}
