pragma Singleton
import QtQuick

// Every size is millimetres on the glass; `pick` gives the standard or the elder value.
// The ink of a Chinese character is 0.88 of its em: 6.9 mm em = 6 mm ink, 9.2 mm em = 8 mm ink.
QtObject {
    property real windowWidth: 1080
    property real windowHeight: 1920

    readonly property real widthMm: Ui.look.width_mm
    readonly property real heightMm: Ui.look.height_mm
    readonly property real loweredHeightMm: Ui.look.lowered_height_mm
    readonly property bool elder: Ui.look.elder
    readonly property bool animated: Ui.look.animated
    readonly property string language: Ui.look.language
    readonly property var cabinet: Ui.look.cabinet

    readonly property bool landscape: windowWidth > windowHeight
    readonly property bool latin: language === "en"
    readonly property real pxPerMm: Math.min(windowWidth / widthMm, windowHeight / heightMm)
    readonly property string family: language === "zh-TW" ? "Noto Sans CJK TC" : "Noto Sans CJK SC"

    readonly property int textNote: Math.ceil(pick(6.9, 9.2) * pxPerMm)
    readonly property int textBody: Math.ceil(pick(7.4, 9.6) * pxPerMm)
    readonly property int textLabel: Math.ceil(pick(8, 10) * pxPerMm)
    readonly property int textHeading: Math.ceil(pick(9.4, 11.4) * pxPerMm)
    readonly property int textTitle: Math.ceil(pick(latin ? 11.5 : 12.6, latin ? 13 : 14.6) * pxPerMm)
    readonly property int textDisplay: Math.ceil(pick(latin ? 15 : 17, latin ? 16 : 19) * pxPerMm)

    readonly property int target: mm(pick(16, 21))
    readonly property int action: mm(pick(22, 26))
    readonly property int gap: mm(pick(3.2, 4))
    readonly property int space: mm(pick(5.5, 6))
    readonly property int margin: mm(12)
    readonly property int radius: mm(3.2)
    readonly property int line: Math.max(2, mm(0.55))

    readonly property color ground: "#F1F6F9"
    readonly property color surface: "#FFFFFF"
    readonly property color pale: "#E0EDF4"
    readonly property color strong: "#004A70"
    readonly property color strongPressed: "#003350"
    readonly property color paper: "#FFFFFF"
    readonly property color ink: "#0F2130"
    readonly property color softInk: "#33475A"
    readonly property color edge: "#6C7F8C"
    readonly property color hairline: "#D2DEE6"
    readonly property color muted: "#E8EDF1"
    readonly property color veil: "#B30F2130"
    readonly property color success: "#08502C"
    readonly property color successPale: "#E1F2E8"
    readonly property color attention: "#633600"
    readonly property color attentionPale: "#FDF1DD"
    readonly property color failure: "#861212"
    readonly property color failurePale: "#FCEBE9"
    readonly property color light: "#FFB429"

    readonly property int quick: animated ? 140 : 0

    function mm(millimetres: real): int {
        return Math.round(millimetres * pxPerMm);
    }

    function pick(standard: real, elderly: real): real {
        return elder ? elderly : standard;
    }

    function tone(name: string): color {
        return name === "success" ? success : name === "failure" ? failure : attention;
    }

    function tonePale(name: string): color {
        return name === "success" ? successPale : name === "failure" ? failurePale : attentionPale;
    }
}
