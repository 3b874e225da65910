"""Two hundred people in a tree of teams; one of each role signs in for the bench."""

from __future__ import annotations

from crm.bench.fill import Fill, Step
from crm.models import Role, Team, User

REGIONS, TEAMS_PER_REGION = 4, 4
# role → (people, name of the teams they sit in)
STAFF = {
    "executive": (2, "company"),
    "administrator": (1, "company"),
    "analyst": (4, "company"),
    "marketer": (6, "company"),
    "sales_manager": (21, "region"),
    "representative": (132, "team"),
    "service_manager": (4, "service"),
    "agent": (30, "service"),
}
FIRST = "Ana Ben Chloe David Elena Frank Grace Hugo Irene Jonas Kira Liam Mona".split()
LAST = "Adler Brooks Costa Dahl Evans Ferrer Grant Holm Ito Jensen Kaya Lang".split()
FIRST_ZH = "敏 静 磊 洋 芳 涛 娜 强 欣 杰 婷 超 悦".split()
LAST_ZH = "王 李 张 刘 陈 杨 黄 赵 吴 周 徐 孙".split()


def add_staff(fill: Fill) -> int:
    """Add teams and people; every fourth has a Chinese name."""
    teams = add_teams()
    roles = {role.code: role for role in Role.objects.all()}
    made = 0
    for code, (count, place) in STAFF.items():
        for number in range(count):
            person = User(
                username=f"bench-{code}-{number + 1}",
                email=f"bench-{code}-{number + 1}@staff.example",
                team=teams[place][number % len(teams[place])],
                is_active=True,
            )
            chinese = made % 4 == 3
            first, last = (FIRST_ZH, LAST_ZH) if chinese else (FIRST, LAST)
            person.first_name = first[made % len(first)]
            person.last_name = last[(made // len(first) + made) % len(last)]
            person.set_unusable_password()
            person.save()
            person.roles.add(roles[code])
            made += 1
    return made


def add_teams() -> dict[str, list[Team]]:
    """Add company, regions with their teams, and service."""
    company = Team.objects.create(name="Bench company")
    regions = [
        Team.objects.create(name=f"Region {number + 1}", parent=company)
        for number in range(REGIONS)
    ]
    teams = [
        Team.objects.create(name=f"{region.name} team {number + 1}", parent=region)
        for number in range(TEAMS_PER_REGION)
        for region in regions
    ]
    service = [
        Team.objects.create(name=f"Service {number + 1}", parent=company)
        for number in range(3)
    ]
    return {
        "company": [company],
        "region": [*regions, company],
        "team": teams,
        "service": service,
    }


def ids_of(role: str) -> list[int]:
    """Return the ids of the people of a role, for the owners of rows."""
    people = User.objects.filter(roles__code=role, username__startswith="bench-")
    return list(people.order_by("pk").values_list("pk", flat=True))


STEPS = (Step("staff", add_staff),)
