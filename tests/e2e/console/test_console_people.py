"""People and access, as an administrator keeps them in a browser."""


def test_somebody_is_invited_changed_and_removed(open_page, service):
    """With a link that is shown once, a role, a ban and an end."""
    page = open_page("/people")
    page.get_by_label("Name", exact=True).fill("Grace Hopper")
    page.get_by_label("Signs in as").fill("grace@example.org")
    page.get_by_label("Role").select_option("auditor")
    page.get_by_role("button", name="Add").click()
    page.get_by_role("heading", name="Grace Hopper is a member now").wait_for()
    assert "/sign-in/pl_" in page.locator(".secret code").inner_text()
    page.get_by_role("link", name="Grace Hopper").click()
    page.get_by_label("Role", exact=True).select_option("member")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Disable").click()
    page.get_by_role("button", name="Enable").wait_for()
    found = service.manage("GET", "/members/grace@example.org")
    assert (found["role"], found["state"]) == ("member", "disabled")
    page.get_by_role("button", name="Enable").click()
    page.get_by_role("button", name="Make a sign-in link").click()
    page.get_by_role("heading", name="One-time link").wait_for()
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    page.wait_for_url("**/people")
    assert page.get_by_role("link", name="Grace Hopper").count() == 0


def test_roles_and_signing_in_are_set(open_page, service):
    """What is wrong is said, and nothing is changed then."""
    page = open_page("/access")
    page.get_by_label("Name", exact=True).fill("help-desk")
    page.get_by_label("members:read", exact=True).check()
    page.get_by_role("button", name="Keep role").click()
    page.get_by_role("button", name="Remove the role help-desk").wait_for()
    page.get_by_label("Roles of groups").fill("desk = nobody")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("alert").get_by_text("nobody").wait_for()
    page.get_by_label("Roles of groups").fill("desk = help-desk")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("desk = help-desk").wait_for()
    assert service.manage("GET", "/sign-in")["groups"][0]["role"] == "help-desk"
    service.manage("PUT", "/sign-in", {})
    page.get_by_role("button", name="Remove the role help-desk").click()
    page.get_by_role("button", name="Remove the role help-desk").wait_for(state="detached")


def test_a_key_is_scoped_and_rotated(open_page, service):
    """Routes and networks are shown; the new text is, once."""
    page = open_page("/keys")
    page.get_by_label("Name", exact=True).fill("scoped")
    page.get_by_label("embeddings", exact=True).check()
    page.get_by_label("From addresses").fill("10.0.0.0/8")
    page.get_by_role("button", name="Make key").click()
    first = page.locator("#made-key").inner_text()
    found = service.manage("GET", "/keys/scoped")
    assert (found["routes"], found["networks"]) == (["embeddings"], ["10.0.0.0/8"])
    page.get_by_role("button", name="Rotate scoped").click()
    page.get_by_role("dialog").get_by_role("button", name="Rotate").click()
    page.locator("#made-key").filter(has_not_text=first).wait_for()
    assert service.manage("GET", "/keys/scoped")["old_until_ms"] is not None
    service.manage("DELETE", "/keys/scoped")
