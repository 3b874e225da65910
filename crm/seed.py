"""Demo staff: 25 people in a tree of teams, one login per role."""

from django.contrib.auth.hashers import make_password

from crm.models import Role, Team, User
from crm.models.users import ADMINISTRATOR
from crm.seeding import Demo, Login

MAIL_DOMAIN = "demo.example"
COMPANY = "Harbour & Pine"
# name → parent
TEAMS = {
    COMPANY: "",
    "Sales": COMPANY,
    "Sales Europe": "Sales",
    "Sales China": "Sales",
    "Marketing": COMPANY,
    "Service": COMPANY,
    "Service Europe": "Service",
    "Service China": "Service",
}
TIME_ZONES = {"en": "Europe/London", "zh-hans": "Asia/Shanghai"}
# role → username of the one who can sign in
LOGINS = {
    "representative": "rep",
    "sales_manager": "manager",
    "marketer": "marketer",
    "agent": "agent",
    "service_manager": "servicemanager",
    "analyst": "analyst",
    "executive": "executive",
    "administrator": "admin",
}
# (username, first name, last name, title, role, team)
STAFF = (
    ("executive", "Margaret", "Olsen", "Managing director", "executive", COMPANY),
    ("admin", "Tom", "Becker", "IT administrator", "administrator", COMPANY),
    ("analyst", "Priya", "Nair", "Business analyst", "analyst", COMPANY),
    ("manager", "Daniel", "Whitmore", "Head of sales", "sales_manager", "Sales"),
    (
        "helen.fischer",
        "Helen",
        "Fischer",
        "Sales manager Europe",
        "sales_manager",
        "Sales Europe",
    ),
    ("chen.jing", "静", "陈", "中国区销售经理", "sales_manager", "Sales China"),
    ("rep", "Sofia", "Marino", "Account executive", "representative", "Sales Europe"),
    (
        "jack.doyle",
        "Jack",
        "Doyle",
        "Account executive",
        "representative",
        "Sales Europe",
    ),
    (
        "emma.larsen",
        "Emma",
        "Larsen",
        "Account executive",
        "representative",
        "Sales Europe",
    ),
    (
        "luc.moreau",
        "Luc",
        "Moreau",
        "Account executive",
        "representative",
        "Sales Europe",
    ),
    (
        "anna.kowalska",
        "Anna",
        "Kowalska",
        "Account executive",
        "representative",
        "Sales Europe",
    ),
    (
        "oliver.grant",
        "Oliver",
        "Grant",
        "Account executive",
        "representative",
        "Sales Europe",
    ),
    ("wang.lei", "磊", "王", "客户经理", "representative", "Sales China"),
    ("li.na", "娜", "李", "客户经理", "representative", "Sales China"),
    ("zhang.min", "敏", "张", "客户经理", "representative", "Sales China"),
    ("liu.yang", "洋", "刘", "客户经理", "representative", "Sales China"),
    ("zhao.xin", "欣", "赵", "客户经理", "representative", "Sales China"),
    ("marketer", "Nina", "Vogel", "Head of marketing", "marketer", "Marketing"),
    ("he.jia", "佳", "何", "市场专员", "marketer", "Marketing"),
    (
        "servicemanager",
        "Robert",
        "Hayes",
        "Head of service",
        "service_manager",
        "Service",
    ),
    ("agent", "Grace", "Bennett", "Service specialist", "agent", "Service Europe"),
    ("marco.ruiz", "Marco", "Ruiz", "Service specialist", "agent", "Service Europe"),
    ("ida.holm", "Ida", "Holm", "Service specialist", "agent", "Service Europe"),
    ("sun.yue", "悦", "孙", "客服专员", "agent", "Service China"),
    ("zhou.tao", "涛", "周", "客服专员", "agent", "Service China"),
)


def password_of(username: str) -> str:
    """Return the password of a demo login; docs/demo-data.md tells everyone."""
    return f"demo-{username}"


def seed(demo: Demo) -> None:
    """Add the teams and the staff."""
    teams = seed_teams(demo)
    people = [person(demo, teams, *row) for row in STAFF]
    demo.add(people)
    roles = {role.code: role for role in Role.objects.all()}
    demo.add(User.roles.through(user=one, role=roles[one.demo_role]) for one in people)


def seed_teams(demo: Demo) -> dict[str, Team]:
    """Add the tree of teams; each carries the ids from the root down."""
    teams: dict[str, Team] = {}
    for name, parent in TEAMS.items():
        team = Team(
            name=demo.free(Team, "name", name), parent=teams.get(parent), is_demo=True
        )
        team.save()
        demo.made(Team).append(team)
        teams[name] = team
    return teams


def person(
    demo: Demo,
    teams: dict[str, Team],
    username: str,
    first: str,
    last: str,
    title: str,
    role: str,
    team: str,
) -> User:
    """Return one member of the staff; only one per role can sign in."""
    name = demo.free(User, "username", username).replace(" ", "")
    language = "en" if first.isascii() else "zh-hans"
    can_sign_in = LOGINS[role] == username
    user = User(
        username=name,
        first_name=first,
        last_name=last,
        title=title,
        team=teams[team],
        email=demo.free(User, "email", f"{name}@{MAIL_DOMAIN}"),
        # Who signs in may be anyone: their browser says which language they read.
        language="" if can_sign_in else language,
        time_zone="" if can_sign_in else TIME_ZONES[language],
        is_staff=role == ADMINISTRATOR,
        is_superuser=role == ADMINISTRATOR,
        date_joined=demo.now,
        is_demo=True,
    )
    user.demo_role, user.demo_language = role, language
    # As it is listed above; the username may have a number behind it.
    user.demo_name = username
    if can_sign_in:
        password = password_of(username)
        user.password = make_password(password)
        demo.logins.append(Login(role, name, password))
    else:
        user.password = make_password(None)
    return user
