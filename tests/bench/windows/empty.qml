import QtQuick

Window {
    color: "white"
}
