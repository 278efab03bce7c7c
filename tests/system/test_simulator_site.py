"""The simulator's live page at /_sim/, in a real browser."""

import re
import time

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from simulator import ACCOUNT, FROM, Simulator
from webhook_site import WebhookSite

PERSON = "+14155550142"
WINDOW = (1100, 750)
WAIT_S = 30
ATTACK = "<img src=x onerror=\"document.title='broken in'\"><script>document.title='broken in'" \
         "</script>&amp;"


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    simulator = Simulator(tmp_path_factory.mktemp("simulator"), sent_delay="0s",
                          delivered_delay="0s", queued_delay="0s")
    yield simulator
    assert simulator.stop() == 0


@pytest.fixture
def sim(shared):
    shared.reset()
    return shared


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Chromium as Debian packages it; its profile is new, and it may run as root."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                 "--no-first-run", "--disable-background-networking", "--no-proxy-server",
                 f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.chrome.service.Service("/usr/bin/chromedriver")
    driver = webdriver.Chrome(service=service, options=options)
    yield driver
    driver.quit()


class Page:
    def __init__(self, browser, sim):
        self.browser = browser
        browser.set_window_size(*WINDOW)
        browser.get(sim.url + "/_sim/")

    def until(self, condition):
        return WebDriverWait(self.browser, WAIT_S, 0.05).until(lambda _: condition())

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def texts(self, selector):
        """In one call: elements may be replaced while they are read."""
        return self.browser.execute_script(
            "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)",
            selector)

    def bubbles(self):
        return self.texts("#bubbles p")

    def phones(self):
        return self.texts("#phones button span:first-child")

    def choose(self, address):
        self.until(lambda: address in self.phones())
        next(b for b in self.all("#phones button") if b.text.startswith(address)).click()

    def write(self, text, **fields):
        for name, value in {**fields, "text": text}.items():
            field, = self.all(f"#{name}")
            field.clear()
            field.send_keys(value)
        self.all("#text")[0].send_keys("\n")


@pytest.fixture
def page(browser, sim):
    page = Page(browser, sim)
    yield page
    complaints = [line["message"] for line in browser.get_log("browser")]
    assert complaints == []  # no script failed, nothing was blocked


def test_what_is_sent_appears_and_what_is_answered_comes_back(sim, page):
    site = WebhookSite()
    try:
        site.twiml("/in", "<Message>Thank you, Ada.</Message>")
        number = sim.ask("POST", f"/2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers.json",
                         {"PhoneNumber": "+14155550161", "SmsUrl": site.url + "/in"}).json
        sim.create(To=PERSON, From=number["phone_number"], Body="Will you come?")
        page.until(lambda: page.bubbles() == ["Will you come?"])
        page.until(lambda: "delivered ✓✓" in page.texts("#bubbles small")[0])
        assert page.texts("#title") == [PERSON] and page.phones() == [PERSON]
        page.write("Yes, with & without + 1")
        page.until(lambda: page.bubbles() == ["Will you come?", "Yes, with & without + 1",
                                              "Thank you, Ada."])
        hit, = site.hits
        assert (hit.params["From"], hit.params["To"]) == (PERSON, "+14155550161")
        assert hit.params["Body"] == "Yes, with & without + 1"
        assert [b.get_attribute("class") for b in page.all("#bubbles > div")] == [
            "delivered", "inbound", "delivered"]
    finally:
        site.close()
        sim.ask("DELETE", f"/2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers/"
                f"{number['sid']}.json")


def test_a_person_writes_first(sim, page):
    page.until(lambda: page.all("#empty")[0].is_displayed())
    page.write("Hello there", person=PERSON, sender=FROM)
    page.until(lambda: page.bubbles() == ["Hello there"])
    assert not page.all("#empty")[0].is_displayed()
    rows = sim.ask("GET", "/_sim/messages", user=None).json["messages"]
    assert [(r["direction"], r["from"], r["to"]) for r in rows] == [("inbound", PERSON, FROM)]


def test_the_sender_that_a_service_picked_is_offered(sim, page):
    sim.switch(queued_delay="1h", sent_delay="2h", delivered_delay="2h")
    try:
        sim.create(To=PERSON, MessagingServiceSid="MG" + "3" * 32)
        page.until(lambda: "from a service · accepted" in "".join(page.texts("#bubbles small")))
        assert page.all("#sender")[0].get_attribute("value") == ""
        sim.switch(queued_delay="0s")
        page.until(lambda: page.all("#sender")[0].get_attribute("value") == FROM)
        page.until(lambda: page.all("#bubbles > .queued"))
    finally:
        sim.switch(queued_delay="0s", sent_delay="0s", delivered_delay="0s")


def test_who_is_typing_is_not_disturbed(sim, page):
    person, = page.all("#person")
    person.send_keys("+14155550199")
    sim.create(To=PERSON)
    page.until(page.phones)
    assert person.get_attribute("value") == "+14155550199" and page.bubbles() == []
    page.choose(PERSON)
    assert person.get_attribute("value") == PERSON and page.bubbles() == ["Hello"]


def test_what_cannot_be_sent_is_said_and_not_lost(sim, page):
    page.write("STOP by nobody", person="nobody", sender=FROM)
    page.until(lambda: page.texts("#notice")[0])
    assert page.all("#text")[0].get_attribute("value") == "STOP by nobody"
    assert page.bubbles() == []
    said, = page.browser.get_log("browser")
    assert "status of 400" in said["message"]


def test_text_of_strangers_stays_text(sim, page):
    sim.create(To=PERSON, Body=ATTACK)
    page.until(lambda: page.bubbles() == [ATTACK])
    page.write(ATTACK)
    page.until(lambda: page.bubbles() == [ATTACK, ATTACK])
    assert page.browser.title == "Phones of the simulator"
    assert page.texts("#phones .last") == [ATTACK] and not page.all("main img, main script")


def test_the_phone_that_was_written_to_last_comes_first(sim, page):
    for number in ("+14155550101", "+14155550102", "+14155550103"):
        sim.create(To=number, Body="to " + number[-3:])
    page.until(lambda: [p[-1] for p in page.phones()] == ["3", "2", "1"])
    sim.create(To="+14155550101", Body="again")
    page.until(lambda: [p[-1] for p in page.phones()] == ["1", "3", "2"])
    page.choose("+14155550101")
    assert page.bubbles() == ["to 101", "again"]
    current, = page.texts("#phones [aria-current] span:first-child")
    assert current == "+14155550101"
    page.browser.switch_to.active_element.send_keys("\t")  # and on, without a mouse
    assert page.browser.switch_to.active_element.tag_name == "button"


def test_a_failure_shows_its_code(sim, page):
    sim.create(To="+15005550004", MessagingServiceSid="MG" + "3" * 32)
    page.until(lambda: re.search("failed ⚠ · 21610", "".join(page.texts("#bubbles small"))))
    assert page.all("#bubbles > .failed")


def test_a_reset_empties_the_page(sim, page):
    sim.create(To=PERSON)
    page.until(page.bubbles)
    sim.reset()
    page.until(lambda: page.phones() == [] and page.bubbles() == [])
    sim.create(To=PERSON, Body="after it")
    page.until(lambda: page.bubbles() == ["after it"])


def test_more_messages_than_the_page_keeps_stay_usable(sim, page):
    for i in range(1300):
        sim.create(To=f"+1415555{i % 300:04d}", Body=f"number {i}")
    page.until(lambda: len(page.phones()) == 300 and page.phones()[0].endswith("0099"))
    began = time.monotonic()
    page.choose("+14155550199")
    page.until(lambda: page.bubbles() == ["number 499", "number 799", "number 1099"])
    page.write("I am number 199")
    page.until(lambda: page.bubbles()[-1] == "I am number 199")
    assert time.monotonic() - began < 10
    page.browser.refresh()
    page.until(lambda: page.bubbles() == ["number 499", "number 799", "number 1099",
                                          "I am number 199"])
    assert len(page.phones()) == 300


def test_a_screen_reader_has_a_name_for_everything(sim, page):
    sim.create(To=PERSON, Body="Hello")
    page.until(page.bubbles)
    controls = page.all("#write input, #write button")
    assert [c.accessible_name for c in controls] == ["As", "to", "Message", "Send"]
    log, = page.all("#bubbles")
    assert (log.aria_role, log.accessible_name) == ("log", PERSON)
    assert page.all("#phones button")[0].accessible_name == f"{PERSON} Hello"
    assert {e.aria_role for e in page.all("nav, main, #notice")} == {"navigation", "main",
                                                                     "status"}


def test_it_fits_on_a_phone(sim, page):
    page.browser.set_window_size(390, 750)
    sim.create(To=PERSON, Body="a" * 200)
    page.until(page.bubbles)
    width, content, text = page.browser.execute_script(
        "return [innerWidth, document.documentElement.scrollWidth,"
        " document.querySelector('#text').getBoundingClientRect().bottom <= innerHeight]")
    assert content <= width and text


def test_the_page_loads_nothing_from_elsewhere(sim):
    answer = sim.ask("GET", "/_sim/", user=None)
    assert answer.status == 200 and b"://" not in answer.body
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for name, kind in (("page.css", "text/css"), ("page.js", "text/javascript")):
        file = sim.ask("GET", "/_sim/" + name, user=None)
        assert file.headers["Content-Type"].startswith(kind) and b"innerHTML" not in file.body
    assert sim.ask("GET", "/_sim", user=None).body == answer.body  # it leads there
