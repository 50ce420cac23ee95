pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// One thing to fill in: a text box that opens its keyboard, or choices to touch.
Item {
    id: field

    required property var row
    readonly property var noChoice: ({ id: "", label: "", enabled: false, picked: false })
    readonly property bool _chooses: row.kind === "choice"
    readonly property string _trouble: row.error.length > 0 ? row.error : row.missing ? Ui.w.please_fill : ""
    readonly property bool _wrong: _trouble.length > 0

    implicitHeight: column.height

    Rectangle { // a remote helper points at these choices
        objectName: "pointed_choices"
        visible: field._chooses && Ui.stage.pointed === "field:" + field.row.id
        x: -Theme.mm(2)
        y: choices.y - Theme.mm(2)
        width: choices.childrenRect.width + Theme.mm(4)
        height: choices.height + Theme.mm(4)
        radius: Theme.radius * 1.2
        color: Qt.alpha(Theme.light, 0.3)
        border.width: Theme.mm(1.4)
        border.color: Theme.attention
    }

    Column {
        id: column
        width: parent.width
        spacing: Theme.mm(2)

        Row {
            spacing: Theme.mm(3)

            Label {
                width: Math.min(implicitWidth, column.width - (optional.visible ? optional.width + parent.spacing : 0))
                text: field.row.label
                bold: true
                font.pixelSize: Theme.textBody
            }

            Label {
                id: optional
                visible: !field.row.required
                text: Ui.w.may_be_empty
                color: Theme.softInk
                font.pixelSize: Theme.textNote
            }
        }

        Touchable {
            id: box
            visible: !field._chooses
            objectName: "field:" + field.row.id
            name: field.row.label
            width: parent.width
            height: Math.max(Theme.mm(Theme.pick(20, 24)), value.height + Theme.mm(5))
            onTouched: Ui.form.focus(field.row.id)

            Accessible.role: Accessible.EditableText

            Rectangle {
                anchors.fill: parent
                radius: Theme.radius
                color: Theme.surface
                border.width: field.row.current || field._wrong ? Theme.mm(0.9) : Theme.line
                border.color: field._wrong ? Theme.failure : field.row.current ? Theme.strong : Theme.edge
            }

            Row {
                anchors.verticalCenter: parent.verticalCenter
                x: Theme.mm(5)
                spacing: Theme.mm(0.8)

                Label {
                    id: value
                    text: field.row.text
                    bold: true
                    width: Math.min(implicitWidth, box.width - Theme.mm(12) - (wipe.visible ? wipe.width : 0))
                    font.pixelSize: Theme.textHeading
                    font.letterSpacing: field.row.kind === "text" ? 0 : Theme.mm(0.4)
                }

                Rectangle {
                    id: caret
                    visible: field.row.current
                    y: parent.height - height - Theme.mm(0.5) // at the last line
                    width: Math.max(2, Theme.mm(0.8))
                    height: Theme.textHeading * 1.2
                    color: Theme.strong

                    SequentialAnimation on opacity {
                        running: Theme.animated && caret.visible
                        loops: Animation.Infinite
                        NumberAnimation { to: 1; duration: 0 }
                        PauseAnimation { duration: 550 }
                        NumberAnimation { to: 0; duration: 0 }
                        PauseAnimation { duration: 550 }
                    }
                }

                Label {
                    visible: value.text.length === 0 && text.length > 0
                    text: field.row.hint
                    color: Theme.softInk
                    wrapMode: Text.NoWrap
                    elide: Text.ElideRight
                    width: Math.min(implicitWidth, box.width - Theme.mm(14))
                    font.pixelSize: Theme.textBody
                }
            }

        }

        Touchable {
            id: wipe
            visible: !field._chooses && field.row.current && field.row.text.length > 0
            parent: box
            objectName: "clear:" + field.row.id
            name: Ui.w.clear
            anchors.right: parent ? parent.right : undefined
            width: Theme.target + Theme.mm(2)
            height: parent ? parent.height : 0
            onTouched: Ui.form.clear(field.row.id)

            Icon {
                anchors.centerIn: parent
                name: "clear"
                color: Theme.softInk
            }
        }

        Flow {
            id: choices
            visible: field._chooses
            width: parent.width
            spacing: Theme.gap

            Repeater {
                model: field.row.choices.length

                Touchable {
                    id: choice

                    required property int index
                    readonly property var modelData: field.row.choices[index] ?? field.noChoice

                    objectName: "choice:" + field.row.id + ":" + modelData.id
                    name: modelData.label
                    enabled: modelData.enabled
                    width: Math.min(column.width, Math.max(Theme.mm(44), inside.width + Theme.mm(14)))
                    height: Math.max(Theme.mm(Theme.pick(19, 24)), inside.height + Theme.mm(5))
                    onTouched: Ui.form.pick(field.row.id, modelData.id)

                    Accessible.checkable: true
                    Accessible.checked: modelData.picked

                    Rectangle {
                        anchors.fill: parent
                        radius: Theme.radius
                        color: choice.modelData.picked ? Theme.strong : choice.pressed ? Theme.pale : Theme.surface
                        border.width: Theme.line
                        border.color: field._wrong ? Theme.failure : Theme.strong
                    }

                    Row {
                        id: inside
                        anchors.centerIn: parent
                        spacing: Theme.mm(2)

                        Icon {
                            visible: choice.modelData.picked
                            anchors.verticalCenter: parent.verticalCenter
                            name: "tick"
                            color: Theme.paper
                            size: Theme.mm(Theme.pick(8, 10))
                        }

                        Label {
                            width: Math.min(implicitWidth, column.width - Theme.mm(28))
                            text: choice.modelData.label
                            bold: true
                            color: choice.modelData.picked ? Theme.paper : Theme.strong
                            font.pixelSize: Theme.textLabel
                            Accessible.ignored: true
                        }
                    }
                }
            }
        }

        Row {
            visible: field._wrong
            width: parent.width
            spacing: Theme.mm(2)

            Icon {
                id: sign
                name: "attention"
                color: Theme.failure
                size: Theme.textBody * 1.2
            }

            Label {
                width: parent.width - sign.width - parent.spacing
                text: field._trouble
                color: Theme.failure
                bold: true
                font.pixelSize: Theme.textNote
            }
        }
    }
}
