pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Drawing
import Kiosk.Theme

// The page, whole or as wide as its text; the arrows move over it without dragging.
Item {
    id: screen

    property bool zoomed: false
    readonly property real _ratio: Ui.pictures.page_ratio
    readonly property real _pageWidth: zoomed ? flick.width * 1.16 : Math.min(flick.width, flick.height / _ratio)
    readonly property real _pageHeight: _pageWidth * _ratio

    Rectangle {
        id: frame
        y: Theme.mm(2)
        width: parent.width - (Theme.landscape ? Theme.mm(Theme.pick(70, 76)) + Theme.space : 0)
        height: parent.height - y - (Theme.landscape ? 0 : tools.height + Theme.space)
            - (caption.visible ? caption.height + Theme.mm(3) : 0)
        radius: Theme.radius
        color: "#DCE5EB"
        clip: true

        Flickable {
            id: flick
            anchors.fill: parent
            anchors.margins: Theme.mm(3)
            contentWidth: Math.max(width, screen._pageWidth)
            contentHeight: Math.max(height, screen._pageHeight)
            boundsBehavior: Flickable.StopAtBounds
            clip: true

            PagePicture {
                id: page
                pictures: Ui.pictures
                width: screen._pageWidth
                height: screen._pageHeight
                x: Math.max(0, (flick.width - width) / 2)
                y: Math.max(0, (flick.height - height) / 2)

                Accessible.role: Accessible.Graphic
                Accessible.name: caption.text.length > 0 ? caption.text : Ui.session.title
            }
        }
    }

    Label {
        id: caption
        visible: text.length > 0
        y: frame.y + frame.height + Theme.mm(3)
        width: frame.width
        horizontalAlignment: Text.AlignHCenter
        text: Ui.session.content.caption
        color: Theme.softInk
        font.pixelSize: Theme.textNote
    }

    Grid {
        id: tools
        columns: Theme.landscape ? 1 : 3
        spacing: Theme.gap
        x: Theme.landscape ? parent.width - width : (parent.width - width) / 2
        y: Theme.landscape ? Theme.mm(2) : parent.height - height

        ActionButton {
            objectName: "zoom"
            kind: "quiet"
            icon: screen.zoomed ? "shrink" : "enlarge"
            text: screen.zoomed ? Ui.w.shrink : Ui.w.enlarge
            width: Theme.mm(Theme.pick(70, 76))
            onTouched: {
                screen.zoomed = !screen.zoomed;
                flick.contentX = Math.max(0, (flick.contentWidth - flick.width) / 2);
                flick.contentY = 0;
            }
        }

        ActionButton {
            objectName: "page:up"
            kind: "quiet"
            icon: "up"
            text: Ui.w.scroll_up
            visible: screen.zoomed
            width: Theme.mm(Theme.pick(70, 76))
            enabled: flick.contentY > 1
            onTouched: flick.contentY = Math.max(0, flick.contentY - flick.height * 0.7)
        }

        ActionButton {
            objectName: "page:down"
            kind: "quiet"
            icon: "down"
            text: Ui.w.scroll_down
            visible: screen.zoomed
            width: Theme.mm(Theme.pick(70, 76))
            enabled: flick.contentY < flick.contentHeight - flick.height - 1
            onTouched: flick.contentY = Math.min(flick.contentHeight - flick.height,
                flick.contentY + flick.height * 0.7)
        }
    }
}
