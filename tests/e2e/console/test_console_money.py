"""The money pages as a person sees them: margins, what if, papers."""

import httpx2
import pytest
from playwright.sync_api import expect


@pytest.fixture(scope="module")
def earned(service):
    """A request of a deployment that is sold, bought and shared, and a customer who pays for it."""
    service.deploy("sold", engine="echo")
    service.manage("PUT", "/prices/sold", {"currency": "EUR", "input": "1000", "output": "2000"})
    service.manage("POST", "/rates", {"provider": "echo", "deployment": "sold", "request": "0.01"})
    service.manage("POST", "/shares", {"partner": "Northern Star", "part": "20%"})
    service.manage("PUT", "/issuers/ACME", {"name": "Acme SA"})
    service.manage("POST", "/customers", {"name": "Voltaire"})
    ask = {"model": "sold", "messages": [{"role": "user", "content": "hi"}]}
    headers = {"authorization": f"Bearer {service.key}"}
    assert httpx2.post(f"{service.url}/v1/chat/completions", json=ask, headers=headers).status_code == 200


@pytest.mark.usefixtures("earned")
def test_what_is_earned_and_left_is_drawn_and_in_the_table(open_page):
    """By model, then by customer; plots for the eye, figures for everybody."""
    page = open_page("/money")
    expect(page.locator(".plot canvas").first).to_be_visible()
    expect(page.locator(".totals")).to_contain_text("EUR")
    page.get_by_label("Group by").select_option("customer")
    expect(page.get_by_role("row", name="Voltaire").first).to_contain_text("0.01")
    expect(page.locator("#money")).to_contain_text("End of the month")


@pytest.mark.usefixtures("earned")
def test_a_month_is_supposed_at_another_price_and_share(open_page):
    """A mistake is said and keeps what was typed."""
    page = open_page("/money/what-if")
    page.get_by_label("Month").fill("2026-01")
    page.get_by_label("Share of a partner, percent").fill("20")
    page.get_by_label("Prices of a million tokens: deployment=input/output").fill("echo=dear")
    page.get_by_role("button", name="Suppose").click()
    expect(page.get_by_role("alert")).to_contain_text("dear")
    page.get_by_label("Prices of a million tokens: deployment=input/output").fill("echo=1/2")
    page.get_by_label("Currency").fill("EUR")
    page.get_by_role("button", name="Suppose").click()
    expect(page.get_by_role("row", name="Voltaire")).to_be_visible()


@pytest.mark.usefixtures("earned")
def test_papers_are_listed(open_page):
    """What there is none of is said."""
    page = open_page("/money/papers")
    expect(page.locator("main")).to_contain_text("There are no invoices.")


@pytest.mark.usefixtures("earned")
def test_prices_and_shares_are_set_by_hand(open_page, service):
    """What is wrong is said at its field and keeps what was typed; what is set is in the tables and in the log."""
    page = open_page("/money/prices")
    price = page.get_by_role("region", name="Set a price")
    price.get_by_label("Price for").select_option("customer")
    price.get_by_label("Customer or provider").fill("Voltaire")
    price.get_by_label("Deployment").select_option("sold")
    price.get_by_label("Input, 1M tokens").fill("dear")
    price.get_by_label("Output, 1M tokens").fill("3")
    price.get_by_role("button", name="Set price").click()
    expect(page.get_by_role("alert")).to_contain_text("dear")
    expect(price.get_by_label("Customer or provider")).to_have_value("Voltaire")
    expect(price.get_by_label("Input, 1M tokens")).to_have_attribute("aria-invalid", "true")
    price.get_by_label("Input, 1M tokens").fill("1.25")
    price.get_by_role("button", name="Set price").click()
    expect(page.get_by_role("row", name="Voltaire").first).to_contain_text("1.25 EUR")
    share = page.get_by_role("region", name="Share with a partner")
    share.get_by_label("Partner", exact=True).fill("Southern Cross")
    for said in ("half", "1/8"):
        share.get_by_label("Part of revenue").fill(said)
        share.get_by_role("button", name="Set share").click()
    expect(page.get_by_role("row", name="Southern Cross").first).to_contain_text("1/8")
    told = {one["kind"] for one in service.manage("GET", "/audit/events?limit=100")["data"]}
    assert {"RateSet", "ShareSet"} <= told
