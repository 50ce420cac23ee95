pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Theme

Image {
    id: icon

    property string name
    property color color: Theme.strong
    property int size: Theme.mm(Theme.pick(10, 12))

    width: size
    height: size
    source: visible && name.length > 0 ? "image://icon/" + name + "/" + String(color).slice(1, 7) : ""
    sourceSize: Qt.size(size, size)

    Accessible.ignored: true
}
