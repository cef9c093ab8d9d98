"""Sign-in, keys, deployments, usage and log, as a person uses them."""

import csv
import io
import re
import subprocess
import sys

import httpx2
import pytest
from playwright.sync_api import expect
from tests.e2e.console.conftest import PHONE


def test_looking_at_a_link_does_not_use_it_up_and_pressing_the_button_does(browser, service):
    """A mail program that opens links does no harm; the second press is refused in words."""
    link = service.url + service.manage("POST", "/sign-in-links", {})["path"]
    assert [httpx2.get(link).status_code for _ in range(3)] == [200, 200, 200]
    for words in ("What would you like to know?", "unknown, was used before or is too old"):
        page = browser.new_context(locale="en").new_page()
        page.goto(link)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("main")).to_contain_text(words)
        page.context.close()


def test_without_a_session_every_page_leads_to_the_door(service):
    """Nothing is shown to a stranger, and the answer is no cache's to keep."""
    places = (
        "/chat",
        "/models",
        "/deployments",
        "/guards",
        "/keys",
        "/usage",
        "/usage.csv",
        "/money",
        "/money/what-if",
        "/money/papers",
        "/money/prices",
        "/ledger",
        "/log",
        "/log/req_x",
        "/audit",
    )
    for path in (
        *places,
        "/money",
        "/money/what-if",
        "/money/papers",
        "/capacity",
        "/simulations",
        "/audit/documents/roles",
    ):
        answer = httpx2.get(service.url + path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in"), path
        assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in httpx2.get(service.url + "/sign-in").headers["content-security-policy"]


def test_signing_out_ends_the_session_for_good(browser, service):
    """The cookie that was is worth nothing afterwards."""
    context = browser.new_context(locale="en")
    page = context.new_page()
    page.goto(service.url + service.manage("POST", "/sign-in-links", {})["path"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/chat")
    (cookie,) = [one for one in context.cookies() if one["name"] == "primeur_session"]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    again = httpx2.get(f"{service.url}/keys", headers={"cookie": f"primeur_session={cookie['value']}"})
    assert (again.status_code, again.headers["location"]) == (303, "/sign-in?ended=1")
    context.close()


def test_a_session_is_over_before_signing_out_is_answered(service):
    """Whoever asks with the old cookie the moment after meets the door, however often it is tried."""
    for _ in range(5):
        with httpx2.Client(base_url=service.url) as person:
            opened = person.post(service.manage("POST", "/sign-in-links", {})["path"])
            cookie = {"cookie": f"primeur_session={opened.cookies['primeur_session']}"}
            token = re.search('name="csrf" value="([0-9a-f]+)"', person.get("/keys").text)
            assert token
            assert person.post("/sign-out", data={"csrf": token[1]}).headers["location"] == "/sign-in"
            assert httpx2.get(f"{service.url}/keys", headers=cookie).status_code == 303


@pytest.mark.parametrize("path", ["/keys", "/keys/key_x/revoke", "/sign-out"])
def test_a_form_without_the_sessions_token_is_refused(session, service, path):
    """A form of another site has no token, whatever cookies come along."""
    cookie = "; ".join(f"{one['name']}={one['value']}" for one in session["cookies"])
    for headers in ({}, {"origin": "http://evil.example"}):
        answer = httpx2.post(service.url + path, data={"name": "x"}, headers={"cookie": cookie, **headers})
        assert answer.status_code == 403


def test_a_key_is_made_shown_once_used_and_revoked(open_page, service):
    """Its text works until it is revoked, and is on no later page."""
    page = open_page("/keys")
    page.get_by_label("Name").fill("from-the-page")
    page.get_by_label("Requests a minute").fill("60")
    page.get_by_label("echo").check()
    page.get_by_role("button", name="Make key").click()
    key = page.locator("#made-key").inner_text()
    ask = {"model": "echo", "messages": [{"role": "user", "content": "hi"}]}
    headers = {"authorization": f"Bearer {key}"}
    assert httpx2.post(f"{service.url}/v1/chat/completions", json=ask, headers=headers).status_code == 200
    page.goto("/keys")
    assert key not in page.content()
    expect(page.get_by_role("row", name="from-the-page")).to_contain_text("60 requests/min")
    page.get_by_role("button", name="Revoke from-the-page").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("row", name="from-the-page")).to_contain_text("Revoked")
    assert httpx2.post(f"{service.url}/v1/chat/completions", json=ask, headers=headers).status_code == 401


def test_budgets_are_shown_with_what_is_spent(open_page, service):
    """Whose, for how long, how much, and whether there is any left."""
    service.manage("PUT", "/budgets/project/default/month", {"limit": "12.50", "allows_unpriced": True})
    try:
        page = open_page("/keys")
        row = page.get_by_role("region", name="Budgets").get_by_role("row").filter(has_text="default")
        expect(row).to_contain_text("this month")
        expect(row).to_contain_text("12.50")
        expect(row).to_contain_text("within")
    finally:
        service.manage("DELETE", "/budgets/project/default/month")


def test_budgets_and_limits_are_set_by_hand(open_page, service):
    """Seen in the table, and in force; a limit of 0 is none; what is refused is said."""
    page = open_page("/bounds")
    budget = page.get_by_role("region", name="Set a budget")
    budget.get_by_label("Of").select_option("project")
    budget.get_by_label("Name or id").fill("default")
    budget.get_by_label("Limit").fill("many")
    budget.get_by_role("button", name="Set the budget").click()
    expect(page.get_by_role("alert")).to_contain_text("many")
    budget.get_by_label("Of").select_option("project")
    budget.get_by_label("Name or id").fill("default")
    budget.get_by_label("Limit").fill("31.50")
    budget.get_by_role("button", name="Set the budget").click()
    expect(page.get_by_role("row").filter(has_text="31.50")).to_contain_text("this month")
    page.get_by_role("button", name="Take away the budget of default").click()
    expect(page.get_by_text("There are no budgets yet.")).to_be_visible()
    limits = page.get_by_role("region", name="Set limits")
    for said in ("77", "0"):
        limits.get_by_label("Of").select_option("deployment")
        limits.get_by_label("Name or id").fill("echo")
        limits.get_by_label("Requests a day").fill(said)
        limits.get_by_role("button", name="Set the limits").click()
        service.wait_until(
            lambda said=said: rpd_of_echo(service) == (int(said) or None), f"limited to {said}", seconds=20
        )


def test_a_guard_s_rules_are_added_and_taken_away_by_hand(open_page, service):
    """What the API refuses is said and what was typed is kept; what was found is counted, never repeated."""
    page = open_page("/guards")
    form = page.get_by_role("region", name="Add a rule")
    form.get_by_label("Deployment").select_option("minilm")
    form.get_by_label("Name").fill("zebras")
    form.get_by_label("What becomes of it").select_option("allow")
    form.get_by_label("Words and phrases").fill("zebra\nquagga")
    form.get_by_label("An expression").fill("zebra{2}")
    form.get_by_role("button", name="Add the rule").click()
    expect(page.get_by_role("alert")).to_contain_text("zebras")
    expect(form.get_by_label("Words and phrases")).to_have_value("zebra\nquagga")
    form.get_by_label("An expression").fill("")
    form.get_by_role("button", name="Add the rule").click()
    row = page.get_by_role("row").filter(has_text="zebra, quagga")
    expect(row).to_contain_text("let pass and told of")
    rules = service.manage("GET", "/deployments/minilm/guard")["rules"]
    assert [(one["name"], one["action"], one["words"]) for one in rules] == [("zebras", "allow", ["zebra", "quagga"])]
    asked = {"model": "minilm", "input": "a zebra"}
    headers = {"authorization": f"Bearer {service.key}"}
    assert httpx2.post(f"{service.url}/v1/embeddings", json=asked, headers=headers, timeout=60).status_code == 200
    service.wait_until(lambda: decided(service), "the decision is in the event log")
    page.reload()
    expect(page.get_by_role("row").filter(has_text=re.compile(r"zebras \W 1"))).to_contain_text("prompts")
    page.get_by_role("button", name="Take away the rule zebras of minilm").click()
    expect(page.get_by_text("zebra, quagga")).to_have_count(0)


def decided(service):
    return service.manage("GET", "/audit/events?kind=GuardDecided")["data"]


def rpd_of_echo(service):
    """The limit in force; None is none."""
    return {one["name"]: one["limits"]["rpd"] for one in service.manage("GET", "/limits")["data"]}.get("echo")


def test_a_key_that_cannot_be_made_says_why_and_keeps_what_was_typed(open_page):
    """Two keys of one name in one project are refused."""
    page = open_page("/keys")
    page.get_by_label("Name").fill("default")
    page.get_by_label("Tokens a minute").fill("500")
    page.get_by_role("button", name="Make key").click()
    expect(page.get_by_role("alert")).to_contain_text("default")
    expect(page.get_by_label("Tokens a minute")).to_have_value("500")


def test_models_show_their_cards_and_the_starter_its_limits(open_page, starter):
    """The warning is made from the model's own figures, the card is its own."""
    page = open_page("/models")
    card = page.locator(f"#{starter}")
    expect(card.locator(".notice.warn")).to_contain_text("This model is tiny")
    card.get_by_text("The whole card").click()
    expect(card.locator(".prose h3").first).to_be_visible()
    page.goto("/chat")
    page.wait_for_selector("body[data-ready]")
    page.locator(".lane-head select").select_option(starter)
    expect(page.locator(".lane-note")).to_contain_text("This model is tiny")


def test_deployments_show_state_context_memory_and_traffic(open_page):
    """The page asks for itself again, and what it shows stays the same."""
    page = open_page("/deployments")
    card = page.locator("article", has=page.get_by_role("heading", name="echo", exact=True))
    expect(card).to_contain_text("Ready")
    expect(card).to_contain_text("32,768 tokens")
    expect(card).to_contain_text("100 %")


def test_a_request_is_found_in_the_log_and_in_the_usage(open_page, chat):
    """Search, open, read who served it; prompt and answer are not kept."""
    chat.ask("for the log")
    page = open_page("/log?deployment=echo&outcome=completed")
    page.locator("#rows tbody a").first.click()
    detail = page.locator("#detail")
    expect(detail).to_contain_text("Served by")
    expect(detail).to_contain_text("not stored")
    request_id = detail.locator("code").first.inner_text()
    detail.get_by_role("button", name="Close").click()
    page.get_by_label("Search").fill(request_id)
    expect(page.locator("#rows tbody tr")).to_have_count(1)
    page.get_by_label("Search").fill("no such thing")
    expect(page.locator("#rows")).to_contain_text("No request found")
    page.goto("/usage")
    expect(page.get_by_role("row", name="echo").first).to_be_visible()
    expect(page.locator(".plot canvas").first).to_be_visible()


def test_usage_is_downloaded_as_csv(session, service):
    """The same figures as the table, exact."""
    cookie = "; ".join(f"{one['name']}={one['value']}" for one in session["cookies"])
    answer = httpx2.get(f"{service.url}/usage.csv?by=deployment&days=30", headers={"cookie": cookie})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert "echo" in {row["deployment"] for row in rows}


def test_the_capacity_page_counts_an_open_offer_down_and_tells_a_rights_history(open_page, faults_of, service):
    """What the holder is asked, until when, and all that was said under its right."""
    scope = {"workload_classes": ["console-only"]}
    service.manage("POST", "/rights", {"name": "page-right", "holder": "partner", "scope": scope})
    ceiling = {"units": 7, "unit_price_nanos": 600_000_000, "start_ms": 0, "term_ms": 1000}
    request = service.manage("POST", "/capacity/requests", {"ceiling": ceiling | {"workload_class": "console-only"}})
    service.manage("POST", f"/capacity/requests/{request['id']}/offers", {})
    page = open_page("/capacity")
    expect(page.locator("#capacity-live")).to_contain_text("7 units")
    expect(page.get_by_role("timer")).to_contain_text("left to answer")
    expect(page.locator("#capacity-live").get_by_role("status")).to_contain_text("Open offers now: 1")
    body = {"model": "echo", "messages": [{"role": "user", "content": "who serves"}]}
    headers = {"authorization": f"Bearer {service.key}"}
    answer = httpx2.post(f"{service.url}/v1/chat/completions", json=body, headers=headers, timeout=30)
    service.logged(answer.headers["x-request-id"])
    shares = page.locator("#shares")
    expect(shares.locator("[data-plot=shares] canvas")).to_be_visible()
    expect(shares.locator(".scroll table")).to_contain_text("echo")
    expect(page.locator(".timeline").first).to_contain_text("Version 1")
    expect(page.locator(".timeline").nth(1)).to_contain_text("Holder asked")
    free = service.manage(
        "POST", "/capacity/requests", {"ceiling": ceiling | {"workload_class": "console-free", "term_ms": 1 << 42}}
    )
    third = {"request": free["id"], "provider": "third", "terms": free["paper"]["ceiling"]}
    service.manage("POST", "/capacity/commitments", third)
    phone = open_page("/capacity", viewport=PHONE, locale="fr", scheme="dark")
    expect(phone.locator("main")).to_contain_text("0 jetons")
    for words in ("Titulaire sollicité", "Actif", "Engagée", "Ouverte", "En cours"):
        expect(phone.locator("main")).to_contain_text(words)
    phone.wait_for_selector("[data-plot=shares] canvas")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert faults_of(phone) == []
    page.reload()
    assert faults_of(page) == []
    page.get_by_label("Reason").select_option("OUTAGE")
    page.get_by_role("search").get_by_role("button", name="Show").click()
    expect(page.locator("main")).to_contain_text("Refusals")
    service.manage("POST", "/rights/page-right/moves", {"move": "terminate"})


def test_a_deployments_page_shows_its_traffic_and_its_replicas(service, open_page):
    """Plots of what its revisions answered, how many replicas there may be, and why there are so many."""
    service.deploy("scaled", engine="echo", scaling={"max": 2})
    headers = {"authorization": f"Bearer {service.key}"}
    body = {"model": "scaled", "messages": [{"role": "user", "content": "one two"}]}
    answer = httpx2.post(f"{service.url}/v1/chat/completions", json=body, headers=headers, timeout=30)
    service.logged(answer.headers["x-request-id"])
    page = open_page("/deployments")
    page.get_by_role("link", name="scaled", exact=True).click()
    page.wait_for_selector("[data-plot=requests] canvas")
    assert page.get_by_text("between 1 and 2 may run").is_visible()
    assert page.get_by_text("it begins with 1").is_visible()
    figures = page.locator("table.stacked tbody tr").locator("td").all_inner_texts()
    assert figures[:3] == ["100 %", "1", "0"]
    assert re.fullmatch(r"\d+\s(ms|µs) / \d+\s(ms|µs)", figures[3])
    assert page.get_by_role("heading", name="Revision 1, replica 1").is_visible()
    french = open_page("/deployments/scaled", viewport=PHONE, locale="fr", scheme="dark")
    assert french.get_by_role("heading", name="Journaux des moteurs").is_visible()
    assert french.get_by_role("heading", name="Répliques").is_visible()
    assert french.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # On a phone the table is as wide as the page, each figure under its column's name.
    table = french.locator("table.stacked")
    assert table.evaluate("table => table.scrollWidth <= table.parentElement.clientWidth")
    assert "Délai du premier jeton" in table.locator("td").nth(3).evaluate(
        "cell => getComputedStyle(cell, '::before').content"
    )
    service.manage("DELETE", "/deployments/scaled")


def test_kept_simulations_are_listed_and_drawn(open_page, faults_of, service, tmp_path):
    """By the command that replays a trace, on this machine, with the service running."""
    trace = tmp_path / "week.csv"
    lines = [f"{at_s},{400 if 8 <= at_s // 3600 % 24 < 20 else 100},10" for at_s in range(0, 5 * 86_400, 300)]
    trace.write_text("\n".join(["timestamp_s,input_tokens,output_tokens", *lines]))
    for words in (["requests", str(trace), "--load", "1.1"], ["procurement", str(trace)]):
        line = [sys.executable, "-m", "primeur", "simulate", *words, "--keep", "--data-dir", str(service.folder)]
        done = subprocess.run([*line, "--json"], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
    page = open_page("/capacity")
    page.get_by_role("link", name="Simulations").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    assert faults_of(page) == []
    page.locator("tbody a").last.click()
    page.wait_for_selector("[data-name=spill] canvas")
    expect(page.locator("main")).to_contain_text("NO_HEADROOM")
    assert faults_of(page) == []
    phone = open_page("/simulations", viewport=PHONE, locale="fr", scheme="dark")
    phone.locator("tbody a").first.click()
    phone.wait_for_selector("[data-name=units] canvas")
    expect(phone.locator("main")).to_contain_text("Prix de l\u2019exclusivité")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert faults_of(phone) == []
