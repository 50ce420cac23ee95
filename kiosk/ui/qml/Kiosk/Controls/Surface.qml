pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Theme

Rectangle {
    color: Theme.surface
    radius: Theme.radius
    border.color: Theme.hairline
    border.width: Math.max(1, Theme.line / 2)
}
