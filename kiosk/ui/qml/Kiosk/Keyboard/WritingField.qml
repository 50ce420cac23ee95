pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// Write with a finger; each stroke is recognised as it ends.
Item {
    id: field

    property var _stroke: []

    Accessible.role: Accessible.Canvas
    Accessible.name: Ui.w.write_here

    Rectangle {
        anchors.fill: parent
        radius: Theme.radius
        color: Theme.surface
        border.width: Theme.line
        border.color: Theme.edge
    }

    Label {
        visible: Ui.keyboard.strokes.length === 0 && field._stroke.length === 0
        anchors.centerIn: parent
        width: parent.width - Theme.margin
        horizontalAlignment: Text.AlignHCenter
        text: Ui.w.write_here
        color: Theme.softInk
    }

    Canvas {
        id: canvas
        anchors.fill: parent
        onPaint: {
            const pen = getContext("2d");
            pen.reset();
            pen.lineWidth = Theme.mm(2.2);
            pen.lineCap = "round";
            pen.lineJoin = "round";
            pen.strokeStyle = Theme.strong;
            for (const stroke of Ui.keyboard.strokes.concat([field._stroke])) {
                pen.beginPath();
                for (let i = 0; i < stroke.length; i++)
                    pen[i ? "lineTo" : "moveTo"](stroke[i][0] * width, stroke[i][1] * height);
                pen.stroke();
            }
        }

        Connections {
            target: Ui.keyboard
            function onStrokes_changed(): void {
                canvas.requestPaint();
            }
        }
    }

    MouseArea {
        anchors.fill: parent
        preventStealing: true
        onPressed: mouse => field._stroke = [[mouse.x / width, mouse.y / height]]
        onPositionChanged: mouse => {
            field._stroke.push([mouse.x / width, mouse.y / height]);
            canvas.requestPaint();
        }
        onReleased: {
            const stroke = field._stroke;
            field._stroke = [];
            Ui.keyboard.add_stroke(stroke);
        }
    }
}
