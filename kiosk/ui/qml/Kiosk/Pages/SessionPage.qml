pragma ComponentBehavior: Bound
import QtQuick
import Kiosk.Controls
import Kiosk.Screens
import Kiosk.Theme

// The frame every screen of a matter stands in: where am I, what now, the content, the one main action.
Item {
    id: page

    readonly property int screenId: Ui.session.screen_id
    readonly property real _left: Theme.landscape ? Theme.mm(Theme.pick(142, 150)) : width - 2 * Theme.margin
    readonly property bool _canGoBack: Ui.session.can_go_back || Ui.form.position > 1
    readonly property bool _hasPrimary: Ui.session.primary.id.length > 0

    function componentFor(kind: string): Component {
        switch (kind) {
        case "instruct": return instruct;
        case "choose": return choose;
        case "form": return form;
        case "preview": return preview;
        case "review": return review;
        case "sign": return sign;
        case "pay": return pay;
        case "working": return working;
        case "notice": return notice;
        }
        return null;
    }

    function goOn(): void {
        if (Ui.session.kind === "form")
            Ui.form.submit();
        else
            Ui.session.choose(Ui.session.primary.id);
    }

    function goBack(): void {
        if (Ui.session.kind !== "form" || !Ui.form.step_back())
            Ui.session.go_back();
    }

    // A new screen never inherits what the one before had scrolled, zoomed or opened.
    onScreenIdChanged: {
        content.sourceComponent = null;
        content.sourceComponent = componentFor(Ui.session.kind);
    }
    Component.onCompleted: content.sourceComponent = componentFor(Ui.session.kind)

    Column {
        id: head
        x: Theme.margin
        y: Theme.mm(2)
        width: page._left
        spacing: Theme.mm(Theme.landscape ? 8 : 7)

        JourneyStrip {
            width: parent.width
            journey: Ui.session.journey
        }

        Column {
            width: parent.width
            spacing: Theme.mm(2.5)

            Label {
                objectName: "title"
                width: parent.width
                text: Ui.session.title
                bold: true
                balanced: true
                font.pixelSize: Theme.textTitle
                Accessible.role: Accessible.Heading
            }

            Label {
                objectName: "say"
                width: parent.width
                visible: text.length > 0 && text !== Ui.session.title
                text: Ui.session.say
                balanced: true
                color: Theme.softInk
                font.pixelSize: Theme.textLabel
            }
        }
    }

    Loader {
        id: content
        x: Theme.landscape ? Theme.margin + page._left + Theme.mm(9) : Theme.margin
        y: Theme.landscape ? Theme.mm(2) : head.y + head.height + Theme.mm(5)
        width: page.width - x - Theme.margin
        height: (Theme.landscape ? page.height - Theme.mm(5) : actions.y - Theme.mm(5)) - y
    }

    Column {
        id: actions
        x: Theme.margin
        y: page.height - height - Theme.mm(5)
        width: page._left
        spacing: Theme.gap

        Grid {
            id: others
            visible: Ui.session.alternatives.length > 0
            width: parent.width
            columns: Theme.landscape ? 1 : Math.min(Theme.elder && Theme.latin ? 1 : 2, Math.max(1, Ui.session.alternatives.length))
            spacing: Theme.gap

            Repeater {
                model: Ui.session.alternatives

                ActionButton {
                    required property var modelData

                    objectName: "option:" + modelData.id
                    width: (others.width - (others.columns - 1) * Theme.gap) / others.columns
                    text: modelData.label
                    icon: modelData.icon
                    enabled: modelData.enabled
                    onTouched: Ui.session.choose(modelData.id)
                }
            }
        }

        Item {
            width: parent.width
            visible: page._canGoBack || page._hasPrimary
            height: Math.max(page._canGoBack ? back.height : 0, page._hasPrimary ? primary.height : 0)

            ActionButton {
                id: back
                objectName: "back"
                visible: page._canGoBack
                icon: "left"
                text: Ui.w.back
                width: Math.min(implicitWidth, Theme.mm(Theme.landscape ? 60 : 72))
                height: page._hasPrimary ? primary.height : implicitHeight
                anchors.bottom: parent.bottom
                onTouched: page.goBack()
            }

            ActionButton {
                id: primary
                objectName: "primary"
                visible: page._hasPrimary
                kind: "primary"
                x: page._canGoBack ? back.width + Theme.gap : 0
                width: parent.width - x
                anchors.bottom: parent.bottom
                text: Ui.session.kind === "form" && Ui.form.asks_next ? Ui.w.next_field : Ui.session.primary.label
                icon: Ui.session.primary.icon
                enabled: Ui.session.primary.enabled && !Ui.session.answered
                onTouched: page.goOn()
            }
        }
    }

    Component { id: instruct; InstructScreen {} }
    Component { id: choose; ChooseScreen {} }
    Component { id: form; FormScreen {} }
    Component { id: preview; PreviewScreen {} }
    Component { id: review; ReviewScreen {} }
    Component { id: sign; SignScreen {} }
    Component { id: pay; PayScreen {} }
    Component { id: working; WorkingScreen {} }
    Component { id: notice; NoticeScreen {} }
}
