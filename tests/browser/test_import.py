"""Bring a file in, step by step."""

import re

import pytest
from playwright.sync_api import expect

from customers.models import Customer
from tests.browser.conftest import ONLY_ENGLISH
from tests.browser.doing import press

pytestmark = pytest.mark.browser
FILES = {
    "en": """Full name;E-mail;City;Birthday
Tessa Quill;tessa@quill.example;Dover;1980-04-01
Omar Bligh;omar@bligh.example;Dover;1975-12-24
Nobody at all;not an address;Dover;1990-01-01
""",
    "zh-hans": """姓名;邮箱;城市;生日
秦书怡;shuyi@qin.example;苏州;1980-04-01
卜岳;yue@bu.example;苏州;1975-12-24
无名氏;不是邮箱;苏州;1990-01-01
""",
}


def test_a_file_is_uploaded_assigned_checked_and_imported(visit, say):
    name = f"contacts-{say.language}.csv"
    content = FILES[say.language].encode("utf-8-sig")
    city = "Dover" if say.language == "en" else "苏州"
    before = Customer.objects.filter(city=city).count()
    page = visit("manager")
    page.goto("/customers/")
    page.get_by_role("link", name=say("Import"), exact=True).click()
    step = page.locator(".steps [aria-current=step]")
    expect(step).to_have_text(say("File"))
    expect(page.locator("[name=importer]")).to_have_value("customers.customer")
    page.locator("[name=file]").set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": content}
    )
    press(page, say("Look at the file"))

    expect(step).to_have_text(say("Columns"))
    chosen = [
        page.locator(f"[name=column_{place}]").input_value() for place in range(4)
    ]
    assert chosen == ["name", "email", "city", "birth_date"]
    press(page, say("Check the file"))

    expect(step).to_have_text(say("Check"))
    rejected = page.locator("section[aria-labelledby=rejected-rows]")
    expect(rejected.locator("tbody tr")).to_have_count(1)
    expect(rejected.locator("tbody tr td").first).to_contain_text("4")
    expect(rejected).to_contain_text(
        "not an address" if city == "Dover" else "不是邮箱"
    )
    assert Customer.objects.filter(city=city).count() == before
    press(page, say("Import now"))

    expect(step).to_have_text(say("Result"))
    figures = page.locator(".stat-row .stat-value")
    expect(figures.first).to_be_visible()
    assert figures.all_inner_texts() == ["3", "2", "0", "0", "1"]
    with page.expect_download() as download:
        page.get_by_role("link", name=say("Download them with the reasons")).click()
    lines = download.value.path().read_text("utf-8-sig").strip().splitlines()
    assert len(lines) == 2
    assert lines[1].startswith(("Nobody at all", "无名氏"))
    assert Customer.objects.filter(city=city).count() == before + 2

    page.locator("section[aria-labelledby=filled] a").first.click()
    expect(page).to_have_url(re.compile(r"/customers/"))


@ONLY_ENGLISH
def test_the_steps_are_walked_with_the_keyboard_alone(visit, say):
    page = visit("manager")
    page.goto("/imports/new/")
    page.locator("[name=importer]").select_option("customers.customer")
    page.locator("[name=importer]").focus()
    page.keyboard.press("Tab")
    expect(page.locator("[name=file]")).to_be_focused()
    page.locator("[name=file]").set_input_files(
        {
            "name": "k.csv",
            "mimeType": "text/csv",
            "buffer": f"name,city\nKey Board {say.language},Lisbon\n".encode(),
        }
    )
    for button in ("Look at the file", "Check the file", "Import now"):
        target = page.get_by_role("button", name=say(button), exact=True)
        expect(target).to_be_visible()
        tab_to(page, target)
        page.keyboard.press("Enter")
    expect(page.locator(".steps [aria-current=step]")).to_have_text(say("Result"))
    expect(page.locator(".stat-row .stat-value").first).to_have_text("1")
    assert Customer.objects.filter(name=f"Key Board {say.language}").exists()


def tab_to(page, target) -> None:
    """Press Tab until the control has the focus."""
    for _press in range(120):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail("The keyboard does not lead there.")
