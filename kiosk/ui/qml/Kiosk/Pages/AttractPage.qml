pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Theme

// Nobody is here yet: say what this machine is for; a touch anywhere begins.
Touchable {
    id: page

    objectName: "attract"
    name: Ui.w.touch_to_begin
    onTouched: Ui.stage.wake()

    Rectangle {
        id: hero
        width: Theme.landscape ? parent.width * 0.6 : parent.width
        height: Theme.landscape ? parent.height : parent.height * 0.62
        color: Theme.strong
        clip: true

        Repeater {
            model: 5

            Rectangle {
                required property int index

                width: Theme.mm(150 + 92 * index)
                height: width
                radius: width / 2
                x: hero.width * 0.98 - width / 2
                y: hero.height * 1.02 - height / 2
                color: "transparent"
                border.width: Theme.mm(13)
                border.color: "#FFFFFF"
                opacity: 0.075 - 0.011 * index
            }
        }

        Row {
            id: brand
            x: Theme.margin
            y: Theme.mm(Theme.landscape ? 16 : 20)
            spacing: Theme.mm(6)

            Rectangle {
                width: Theme.mm(24)
                height: width
                radius: width * 0.28
                color: Theme.paper

                Icon {
                    anchors.centerIn: parent
                    name: "brand"
                    size: parent.width * 0.7
                }
            }

            Column {
                anchors.verticalCenter: parent.verticalCenter

                Label {
                    text: Ui.w.brand
                    bold: true
                    color: Theme.paper
                    font.pixelSize: Theme.textHeading
                }

                Label {
                    text: Ui.stage.site
                    color: Theme.paper
                    font.pixelSize: Theme.textNote
                }
            }
        }

        Column {
            x: Theme.margin
            anchors.verticalCenter: parent.verticalCenter
            anchors.verticalCenterOffset: Theme.mm(Theme.landscape ? 16 : 14)
            width: parent.width - 2 * Theme.margin
            spacing: Theme.mm(7)

            Label {
                width: parent.width
                text: Ui.w.attract_title
                bold: true
                color: Theme.paper
                lineHeight: 0.92
                font.pixelSize: Theme.mm(Theme.latin ? (Theme.landscape ? 22 : 25) : (Theme.landscape ? 29 : 32))
            }

            Label {
                width: parent.width
                text: Ui.w.attract_note
                balanced: true
                color: Theme.paper
                font.pixelSize: Theme.textHeading
            }
        }
    }

    Item {
        id: rest
        x: Theme.landscape ? hero.width : 0
        y: Theme.landscape ? 0 : hero.height
        width: parent.width - x
        height: parent.height - y

        Column {
            anchors.centerIn: parent
            width: parent.width - 2 * Theme.margin
            spacing: Theme.mm(Theme.landscape ? 9 : 11)

            Grid {
                width: parent.width
                columns: Theme.landscape ? 1 : 3
                rowSpacing: Theme.mm(6)

                Repeater {
                    model: [["card", Ui.w.point_card], ["clock", Ui.w.point_hours], ["print", Ui.w.point_result]]

                    Item {
                        id: point

                        required property var modelData

                        width: Theme.landscape ? parent.width : parent.width / 3
                        height: Theme.landscape ? badge.height : badge.height + Theme.mm(4) + said.height

                        Rectangle {
                            id: badge
                            x: Theme.landscape ? 0 : (parent.width - width) / 2
                            width: Theme.mm(22)
                            height: width
                            radius: width * 0.28
                            color: Theme.pale

                            Icon {
                                anchors.centerIn: parent
                                name: point.modelData[0]
                                size: parent.width * 0.6
                            }
                        }

                        Label {
                            id: said
                            x: Theme.landscape ? badge.width + Theme.mm(6) : Theme.mm(2)
                            y: Theme.landscape ? (badge.height - height) / 2 : badge.height + Theme.mm(4)
                            width: parent.width - x - Theme.mm(2)
                            horizontalAlignment: Theme.landscape ? Text.AlignLeft : Text.AlignHCenter
                            text: point.modelData[1]
                            balanced: true
                            font.pixelSize: Theme.textBody
                        }
                    }
                }
            }

            Rectangle {
                id: begin
                width: parent.width
                height: Theme.mm(30)
                radius: height / 2
                color: page.pressed ? Theme.strongPressed : Theme.strong

                Row {
                    anchors.centerIn: parent
                    spacing: Theme.mm(5)

                    Icon {
                        anchors.verticalCenter: parent.verticalCenter
                        name: "touch"
                        color: Theme.paper
                        size: Theme.mm(15)
                    }

                    Label {
                        anchors.verticalCenter: parent.verticalCenter
                        text: Ui.w.touch_to_begin
                        bold: true
                        wrapMode: Text.NoWrap
                        color: Theme.paper
                        font.pixelSize: Theme.latin && Theme.landscape ? Theme.textLabel : Theme.textTitle
                    }
                }
            }

            Row {
                anchors.horizontalCenter: parent.horizontalCenter
                spacing: Theme.gap

                Repeater {
                    model: [["zh-CN", "简体中文"], ["zh-TW", "繁體中文"], ["en", "English"]]

                    ActionButton {
                        required property var modelData

                        objectName: "language:" + modelData[0]
                        kind: "quiet"
                        width: Math.floor((begin.width - 2 * Theme.gap) / 3)
                        text: modelData[1]
                        icon: Theme.language === modelData[0] && !Theme.landscape ? "tick" : ""
                        onTouched: {
                            Ui.stage.speak(modelData[0]);
                            Ui.stage.wake();
                        }
                    }
                }
            }
        }
    }
}
