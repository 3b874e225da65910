"""Names and places of the demo data: believable, invented, at addresses of nobody.

Phone numbers lie in ranges that are set aside for fiction where a country has such;
mail addresses end in ``.example``.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


def words(text: str, separator: str | None = None) -> list[str]:
    """Part a text into words."""
    return text.split(separator)


FEMALE = words(
    "Olivia Amelia Isla Ava Ivy Freya Lily Florence Willow Grace Emily "
    "Sophie Ella Charlotte Alice Ruby Daisy Evie Phoebe Harriet Matilda "
    "Clara Rose Eleanor Martha Beatrice Nora Edith Maeve Orla Claire Fiona "
    "Hannah Rachel Laura Naomi Esther Miriam Judith Audrey Helen Diana "
    "Margaret Joyce Pauline Teresa Yvonne Gemma"
)
MALE = words(
    "Noah Oliver George Arthur Leo Harry Oscar Archie Jack Henry Freddie "
    "Theodore Thomas William James Alfie Edward Lucas Samuel Benjamin Hugo "
    "Felix Rory Callum Finn Declan Patrick Martin Simon Adrian Graham Stuart "
    "Nigel Keith Derek Howard Malcolm Trevor Duncan Ewan Angus Gareth Rhys "
    "Owen Dylan Reuben Elliot Marcus"
)
SURNAMES = words(
    "Ashworth Barlow Bennett Blackwood Brennan Brooks Byrne Calloway Carver "
    "Chadwick Clayton Coleman Connolly Cooper Crawford Dalton Davies Donovan "
    "Doyle Ellison Fairbanks Farrell Fletcher Foster Gallagher Garrett "
    "Gibson Goodwin Hadley Hargreaves Harper Hartley Hawkins Hayward "
    "Holloway Hudson Hughes Ingram Jarvis Kavanagh Keating Kendall Lambert "
    "Langley Lawson Lockwood Maddox Marsden Mercer Middleton Nolan Norris "
    "Oakley Osborne Palmer Parrish Pemberton Prescott Quigley Radcliffe "
    "Ramsey Redmond Rowland Sadler Sheridan Sinclair Stanton Sutton Thornton "
    "Tierney Underwood Vaughan Wakefield Walsh Warwick Weaver Whitfield "
    "Winslow Woodward Yates"
)
# Further first names and surnames that occur in some countries only.
LOCAL = {
    "Germany": (
        words("Anke Birgit Franziska Greta Heike Jana Katrin Lena Mareike Svenja Ute"),
        words("Bernd Dieter Florian Hannes Jens Klaus Lukas Matthias Rainer Stefan"),
        words(
            "Albrecht Bauer Brandt Dietrich Engel Fuchs Hartmann Keller Krause "
            "Lehmann Neumann Pohl Richter Seidel Vogt Winkler Ziegler"
        ),
    ),
    "France": (
        words("Amandine Camille Chloé Élise Inès Juliette Manon Océane Sandrine"),
        words("Antoine Bastien Cédric Étienne Guillaume Julien Mathieu Thibault"),
        words(
            "Aubert Bonnet Chevalier Dubois Fontaine Girard Lambert Marchand Perrin "
            "Rousseau Vidal"
        ),
    ),
    "Netherlands": (
        words("Anouk Femke Fleur Ilse Lotte Marijke Sanne Tessa"),
        words("Bram Daan Gijs Jeroen Joost Maarten Pieter Sander"),
        words(
            "Bakker Brouwer Dekker Hendriks Jansen Kuipers Mulder Postma Smit "
            "Vermeulen Visser"
        ),
    ),
}
SURNAMES_ZH = words(
    "王wang 李li 张zhang 刘liu 陈chen 杨yang 黄huang 赵zhao 吴wu 周zhou 徐xu "
    "孙sun 马ma 朱zhu 胡hu 郭guo 何he 林lin 高gao 罗luo 郑zheng 梁liang "
    "谢xie 宋song 唐tang 许xu 韩han 冯feng 邓deng 曹cao 彭peng 曾zeng 肖xiao "
    "田tian 董dong 袁yuan 潘pan 蔡cai 蒋jiang 余yu 杜du 叶ye 程cheng 魏wei "
    "苏su 吕lv 丁ding 沈shen 姚yao 卢lu"
)
FEMALE_ZH = words(
    "芳fang 娜na 敏min 静jing 秀英xiuying 丽li 艳yan 娟juan 婷婷tingting "
    "雪梅xuemei 欣怡xinyi 梦琪mengqi 雨桐yutong 佳怡jiayi 思雨siyu "
    "晓燕xiaoyan 美玲meiling 慧敏huimin 诗涵shihan 若曦ruoxi 子涵zihan "
    "紫萱zixuan 玉兰yulan 春梅chunmei"
)
MALE_ZH = words(
    "伟wei 强qiang 磊lei 军jun 洋yang 勇yong 杰jie 涛tao 明ming 超chao "
    "志强zhiqiang 建国jianguo 俊杰junjie 浩然haoran 子轩zixuan 宇航yuhang "
    "文博wenbo 海涛haitao 国栋guodong 晨曦chenxi 立新lixin 振华zhenhua "
    "天宇tianyu 家豪jiahao"
)

COMPANY_FIRST = words(
    "Alder Anchor Ardent Beacon Birch Bluebell Bramble Bridgewater Bright "
    "Caldera Cedar Clearwater Cobalt Copper Crestview Eastgate Elm Ember "
    "Fairfield Fernhill Foxglove Granite Greenfield Harbourside Hazel "
    "Heather Highland Ironbridge Juniper Kestrel Kingfisher Lakeside "
    "Larkspur Linden Lowland Maple Meadow Millbrook Northgate Oakfield "
    "Orchard Pebble Quayside Riverbend Rowan Saffron Sandpiper Silverdale "
    "Southbank Stonebridge Summit Thistle Tidewater Westbrook Wildwood "
    "Willowbank"
)
COMPANY_TRADE = words(
    "Trading|Supplies|Interiors|Garden Centre|Catering|Hotels|Foods|Design|"
    "Logistics|Kitchens|Outdoor|Events|Gifts|Coffee Roasters|Bakery|Stores|"
    "Furnishings|Studio",
    "|",
)
COMPANY_FORM = {
    "United Kingdom": ("Ltd", "& Sons Ltd", "plc"),
    "Ireland": ("Ltd", "DAC"),
    "United States": ("Inc.", "LLC", "Co."),
    "Germany": ("GmbH", "KG"),
    "France": ("SARL", "SAS"),
    "Netherlands": ("B.V.",),
}
COMPANY_ZH = words(
    "华联hualian 恒信hengxin 瑞丰ruifeng 嘉禾jiahe 博雅boya 盛达shengda "
    "鼎新dingxin 泰和taihe 金桥jinqiao 东方dongfang 远航yuanhang 绿源lvyuan "
    "明远mingyuan 天成tiancheng 宏图hongtu 润泽runze 凯旋kaixuan "
    "新世纪xinshiji 蓝海lanhai 聚贤juxian 百川baichuan 安泰antai 春晖chunhui "
    "长风changfeng 锦绣jinxiu 云帆yunfan 佳美jiamei 瀚海hanhai"
)
TRADE_ZH = words(
    "贸易 商贸 家居 餐饮管理 酒店 食品 园艺 礼品 文化传播 电子商务 物流 咖啡"
)

STREETS = words(
    "Abbey Road|Albion Street|Bridge Street|Castle Lane|Chapel Hill|"
    "Church Street|Clarence Place|Dock Road|Elm Grove|Field Lane|Garden Row|"
    "George Street|High Street|King Street|Market Square|Mill Lane|"
    "North Parade|Orchard Way|Park Avenue|Queen Street|River Walk|"
    "School Lane|Station Road|Victoria Terrace|West Gate",
    "|",
)
STREETS_LOCAL = {
    "Germany": "Ahornweg|Bahnhofstraße|Gartenstraße|Hauptstraße|Lindenallee",
    "France": "rue de la Paix|rue des Lilas|avenue de la Gare|place du Marché",
    "Netherlands": "Dorpsstraat|Kerkstraat|Molenweg|Stationsplein|Beatrixlaan",
    "China": "人民路|中山路|解放路|建设路|和平路|长江路|文化路|新华路|光明路|滨江大道",
}


@dataclass(frozen=True)
class Place:
    """A city with what belongs to it; ``affluence`` scales incomes and spending."""

    city: str
    region: str
    country: str
    postal_code: str
    phone: str
    weight: int
    affluence: float


def places() -> list[Place]:
    """Return the cities; # stands for a digit, @ for a letter."""
    rows = """
London|England|United Kingdom|E# #@@|+44 20 7946 0###|16|1.35
Manchester|England|United Kingdom|M## #@@|+44 161 496 0###|8|1.0
Birmingham|England|United Kingdom|B## #@@|+44 121 496 0###|7|0.95
Leeds|England|United Kingdom|LS# #@@|+44 113 496 0###|6|0.95
Bristol|England|United Kingdom|BS# #@@|+44 117 496 0###|5|1.1
Newcastle|England|United Kingdom|NE# #@@|+44 191 498 0###|3|0.85
Edinburgh|Scotland|United Kingdom|EH# #@@|+44 131 496 0###|5|1.1
Glasgow|Scotland|United Kingdom|G## #@@|+44 141 496 0###|4|0.9
Cardiff|Wales|United Kingdom|CF## #@@|+44 29 2018 0###|4|0.85
Belfast|Northern Ireland|United Kingdom|BT# #@@|+44 28 9649 6###|2|0.85
Dublin|Leinster|Ireland|D## @@##|+353 20 91# ####|5|1.2
Cork|Munster|Ireland|T## @@##|+353 20 91# ####|2|1.0
New York|New York|United States|100##|+1 212 555 01##|5|1.4
Boston|Massachusetts|United States|021##|+1 617 555 01##|3|1.3
Berlin|Berlin|Germany|10###|+49 30 23125 ###|4|1.05
Hamburg|Hamburg|Germany|20###|+49 40 66969 ###|3|1.15
Munich|Bavaria|Germany|80###|+49 89 99998 ###|3|1.3
Paris|Île-de-France|France|750##|+33 1 99 00 ## ##|3|1.25
Lyon|Auvergne-Rhône-Alpes|France|690##|+33 4 65 71 ## ##|2|1.05
Amsterdam|North Holland|Netherlands|10## @@|+31 20 555 ####|3|1.2
上海|上海市|China|2000##|+86 199 0021 ####|16|1.3
北京|北京市|China|1000##|+86 199 0010 ####|14|1.3
深圳|广东省|China|5180##|+86 199 0755 ####|10|1.25
广州|广东省|China|5100##|+86 199 0020 ####|9|1.1
杭州|浙江省|China|3100##|+86 199 0571 ####|8|1.15
宁波|浙江省|China|3150##|+86 199 0574 ####|4|1.05
南京|江苏省|China|2100##|+86 199 0025 ####|6|1.05
苏州|江苏省|China|2150##|+86 199 0512 ####|5|1.1
成都|四川省|China|6100##|+86 199 0028 ####|7|0.9
武汉|湖北省|China|4300##|+86 199 0027 ####|6|0.85
西安|陕西省|China|7100##|+86 199 0029 ####|5|0.8
青岛|山东省|China|2660##|+86 199 0532 ####|4|0.9
"""
    return [
        Place(*parts[:5], int(parts[5]), float(parts[6]))
        for parts in (line.split("|") for line in rows.strip().splitlines())
    ]


@dataclass(frozen=True)
class Name:
    """A name, and the letters that stand for it in a mail address."""

    text: str
    latin: str
    gender: str = ""


def fill(pattern: str, chance: Random) -> str:
    """Put digits for # and letters for @."""
    return "".join(
        chance.choice("0123456789")
        if one == "#"
        else chance.choice("ABDEFGHJLNPQRSTUWXYZ")
        if one == "@"
        else one
        for one in pattern
    )


def split(pair: str) -> tuple[str, str]:
    """Part characters from their letters: 芳fang → (芳, fang)."""
    at = next(place for place, one in enumerate(pair) if one.isascii())
    return pair[:at], pair[at:]


def person(country: str, chance: Random) -> Name:
    """Return the name of a person of the country."""
    is_female = chance.random() < 0.54
    gender = "female" if is_female else "male"
    if country == "China":
        family, family_latin = split(chance.choice(SURNAMES_ZH))
        given, latin = split(chance.choice(FEMALE_ZH if is_female else MALE_ZH))
        return Name(family + given, f"{family_latin}.{latin}", gender)
    female, male, surnames = FEMALE, MALE, SURNAMES
    if country in LOCAL and chance.random() < 0.8:
        female, male, surnames = LOCAL[country]
    first = chance.choice(female if is_female else male)
    last = chance.choice(surnames)
    return Name(f"{first} {last}", ascii_of(f"{first}.{last}"), gender)


def company(place: Place, chance: Random) -> Name:
    """Return the name of a company of the place."""
    if place.country == "China":
        name, latin = split(chance.choice(COMPANY_ZH))
        trade = chance.choice(TRADE_ZH)
        return Name(f"{place.city}{name}{trade}有限公司", latin)
    first, trade = chance.choice(COMPANY_FIRST), chance.choice(COMPANY_TRADE)
    form = chance.choice(COMPANY_FORM[place.country])
    return Name(
        f"{first} {trade} {form}", ascii_of(f"{first}-{trade}".replace(" ", "-"))
    )


def address(place: Place, chance: Random) -> str:
    """Return a street and a number as the country writes them."""
    names = STREETS_LOCAL.get(place.country)
    street = chance.choice(names.split("|") if names else STREETS)
    number = chance.randint(1, 180)
    if place.country == "China":
        return f"{street}{number}号"
    if place.country in ("Germany", "Netherlands"):
        return f"{street} {number}"
    return f"{number} {street}"


def ascii_of(text: str) -> str:
    """Return letters that stand in a mail address."""
    table = str.maketrans("ÉÎÔéèêçôîïöüäß", "EIOeeecoiiouas")
    return text.translate(table).lower()
