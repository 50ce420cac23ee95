"""Sample matters and doors."""
# ruff: noqa: E501 - three languages side by side; a Chinese character counts as two columns

from __future__ import annotations

from typing import Any

from kiosk.contracts.text import LocalizedText
from kiosk.flow.screens import Door, Option, Tile


def text(zh_cn: str, zh_tw: str, en: str) -> LocalizedText:
    return LocalizedText(zh_cn=zh_cn, zh_tw=zh_tw, en=en)


def option(id: str, zh_cn: str, zh_tw: str, en: str, **more: Any) -> Option:
    return Option(id=id, label=text(zh_cn, zh_tw, en), **more)


PUBLIC_SECURITY = text("公安局", "公安局", "Public Security")
SOCIAL = text("人社局", "人社局", "Social Security")
FUND = text("公积金中心", "公積金中心", "Housing Fund")
LAND = text("资源规划局", "資源規劃局", "Natural Resources")
MEDICAL = text("医保局", "醫保局", "Medical Insurance")
TAX = text("税务局", "稅務局", "Taxation")
JUSTICE = text("司法局", "司法局", "Justice")


def tile(matter: str, icon: str, department: LocalizedText, titles: tuple[str, str, str], search: str = "") -> Tile:
    return Tile(
        matter=matter, version=1, title=text(*titles), department=department, icon=icon, search_text=search
    )  # fmt: skip


TILES = (
    tile("no_house", "house_search", LAND, ("无房证明", "無房證明", "Proof of no property"),
         "不动产 房产 怎么开无房证明 孩子上学要房产证明 查询名下房子"),
    tile("residence_permit", "permit", PUBLIC_SECURITY, ("居住证签注", "居住證簽注", "Residence permit endorsement"),
         "居住证到期了怎么办 续签 年审"),
    tile("social_proof", "shield", SOCIAL, ("社保缴费证明", "社保繳費證明", "Social insurance payment record"),
         "五险 参保 打社保"),
    tile("fund_proof", "fund", FUND, ("公积金缴存证明", "公積金繳存證明", "Housing fund deposit certificate"),
         "住房公积金 买房贷款证明"),
    tile("temporary_id", "card", PUBLIC_SECURITY, ("临时身份证明", "臨時身分證明", "Temporary proof of identity"),
         "身份证丢了怎么坐火车 身份证掉了"),
    tile("medical_elsewhere", "medical", MEDICAL, ("异地就医备案", "異地就醫備案", "Treatment outside the city"),
         "去外地看病 报销"),
    tile("pension_check", "retire", SOCIAL, ("养老金资格认证", "養老金資格認證", "Pension eligibility check"),
         "退休 刷脸认证 领养老金"),
    tile("no_crime", "police", PUBLIC_SECURITY, ("无犯罪记录证明", "無犯罪記錄證明", "Certificate of no criminal record"),
         "政审 入职"),
    tile("tax_proof", "tax", TAX, ("个人所得税完税证明", "個人所得稅完稅證明", "Income tax payment certificate"), "交税 纳税"),
    tile("driving_fine", "car", PUBLIC_SECURITY, ("交通违法处理", "交通違法處理", "Traffic violations"), "违章 罚款 扣分"),
    tile("fund_rent", "fund", FUND, ("租房提取公积金", "租房提取公積金", "Withdraw housing fund for rent"), "提公积金 取公积金"),
    tile("school_proof", "school", SOCIAL, ("就业登记证明", "就業登記證明", "Employment registration certificate"), "失业"),
)  # fmt: skip

DOORS = (
    Door(id="life_housing", title=text("安居置业", "安居置業", "Housing"), icon="house",
         matters=("no_house", "fund_proof", "fund_rent")),
    Door(id="life_move", title=text("来厦落户", "來廈落戶", "Moving here"), icon="permit",
         matters=("residence_permit", "temporary_id")),
    Door(id="life_work", title=text("就业创业", "就業創業", "Work"), icon="work", matters=("social_proof", "school_proof")),
    Door(id="life_retire", title=text("退休养老", "退休養老", "Retirement"), icon="retire", matters=("pension_check",)),
    Door(id="life_health", title=text("看病就医", "看病就醫", "Health"), icon="medical", matters=("medical_elsewhere",)),
    Door(id="life_school", title=text("入学教育", "入學教育", "School"), icon="school", matters=("no_house",)),
    Door(id="life_drive", title=text("开车出行", "開車出行", "Driving"), icon="car", matters=("driving_fine",)),
    Door(id="life_abroad", title=text("出国出境", "出國出境", "Going abroad"), icon="travel", matters=("no_crime",)),
    Door(id="department_public_security", title=PUBLIC_SECURITY, icon="department",
         matters=("residence_permit", "temporary_id", "no_crime", "driving_fine")),
    Door(id="department_social", title=SOCIAL, icon="department", matters=("social_proof", "pension_check")),
    Door(id="department_taxation", title=TAX, icon="department", matters=("tax_proof",)),
)  # fmt: skip
