"""Every operation of the simulator's API, through Twilio's own library for Python."""

import asyncio
import datetime
import itertools
import json
import os
import time

import twilio
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client as OriginalClient

FROM, TO, SERVICE = "+15005550006", "+14155550100", "MG" + "3" * 32
IS_OLD = int(twilio.__version__.split(".")[0]) < 9
UTC = datetime.timezone.utc


def Client(*args):
    """The library's own; with the HTTP client of the manual's example where a test asks so."""
    if "LOCAL_TWILIO" not in os.environ:
        return OriginalClient(*args)
    from local_twilio import LocalTwilio
    return OriginalClient(*args, http_client=LocalTwilio())


client = Client()


def refused(expected_status, code, call, /, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except TwilioRestException as error:
        assert (error.status, error.code) == (expected_status, code), error
        assert error.msg and error.uri.startswith("/"), error
    else:
        raise AssertionError(f"{code} was expected")


def page_refused(status, code, call, **kwargs):
    """The library tells no code when a page of a list is refused, but the whole answer."""
    try:
        call(**kwargs)
    except TwilioException as error:
        answer = error.args[1]
        assert (answer.status_code, json.loads(answer.text)["code"]) == (status, code), error
    else:
        raise AssertionError(f"{code} was expected")


def wait_status(sid, status):
    deadline = time.monotonic() + 30
    while (message := client.messages(sid).fetch()).status != status:
        assert time.monotonic() < deadline, message.status
        time.sleep(0.02)
    return message


def create_with_everything():
    new = {} if IS_OLD else {"traffic_type": "free", "shorten_urls": True,
                             "risk_check": "enable", "message_intent": "notifications"}
    sent = client.messages.create(
        to=TO, from_=FROM, body="Grüße 👋 & more=1+1", media_url=["https://example.com/a.jpg",
                                                                "https://example.com/b.png"],
        status_callback="http://127.0.0.1:9/", validity_period=600, max_price=0.5,
        provide_feedback=True, attempt=1, force_delivery=False, content_retention="retain",
        address_retention="retain", smart_encoded=True, send_as_mms=False,
        persistent_action=["mailto:a@example.com"], application_sid="AP" + "1" * 32, **new)
    assert (sent.status, sent.direction, sent.num_media) == ("queued", "outbound-api", "2")
    assert sent.body == "Grüße 👋 & more=1+1" and sent.from_ == FROM and sent.to == TO
    assert sent.account_sid == client.username and sent.error_code is None
    assert isinstance(sent.date_created, datetime.datetime) and sent.date_sent is None
    done = wait_status(sent.sid, "delivered")
    assert done.date_sent >= sent.date_created and done.uri == sent.uri
    assert float(done.price) < 0 and done.price_unit == "USD"
    return sent.sid


def create_with_a_template():
    if IS_OLD:
        return
    sent = client.messages.create(to=TO, messaging_service_sid=SERVICE, fallback_from=FROM,
                                  content_sid="HX" + "1" * 32, content_variables='{"1": "Ada"}')
    assert sent.messaging_service_sid == SERVICE and sent.from_ is None


def create_from_other_kinds_of_senders():
    named = client.messages.create(to=TO, from_="SHOP", body="Hello")
    assert (named.from_, wait_status(named.sid, "delivered").from_) == ("SHOP", "SHOP")
    chat = client.messages.create(to="whatsapp:" + TO, from_="whatsapp:" + FROM, body="Hello")
    assert wait_status(chat.sid, "failed").error_code == 63016


def media_feedback_redaction(sid):
    message = client.messages(sid)
    media = message.media.list()
    assert [m.content_type for m in media] == ["image/jpeg", "image/png"]
    one = message.media(media[0].sid).fetch()
    assert (one.parent_sid, one.sid) == (sid, media[0].sid)
    today = datetime.datetime.now(UTC)
    assert len(message.media.list(date_created_after=today - datetime.timedelta(1))) == 2
    assert message.media.list(date_created_before=today - datetime.timedelta(1)) == []
    assert message.media(one.sid).delete() is True
    assert len(message.media.list(page_size=1)) == 1
    refused(404, 20404, message.media(one.sid).fetch)
    assert message.feedback.create(outcome="confirmed").outcome == "confirmed"
    assert message.update(body="").body == ""
    assert message.delete() is True
    refused(404, 20404, message.fetch)


def schedule_and_cancel():
    soon = datetime.datetime.now(UTC) + datetime.timedelta(hours=1)
    form = {"to": TO, "messaging_service_sid": SERVICE, "body": "later",
            "schedule_type": "fixed"}
    sent = client.messages.create(send_at=soon, **form)
    assert (sent.status, sent.from_) == ("scheduled", None)
    assert client.messages(sent.sid).update(status="canceled").status == "canceled"
    refused(409, 30409, client.messages(sent.sid).update, status="canceled")
    refused(400, 35111, client.messages.create, **form)
    refused(400, 35114, client.messages.create, **form,
            send_at=soon + datetime.timedelta(days=40))


def list_pages_and_filters():
    to = "+14155550188"
    sids = [wait_status(client.messages.create(to=to, from_=FROM, body=str(i)).sid,
                        "delivered").sid for i in range(7)][::-1]
    assert [m.sid for m in client.messages.list(to=to)] == sids
    assert [m.sid for m in client.messages.list(to=to, limit=5, page_size=2)] == sids[:5]
    assert [m.sid for m in itertools.islice(client.messages.stream(to=to, page_size=3), 4)
            ] == sids[:4]
    page = client.messages.page(to=to, page_size=3)
    assert [m.sid for m in page] == sids[:3]
    second = page.next_page()
    assert [m.sid for m in second] == sids[3:6]
    assert [m.sid for m in second.next_page()] == sids[6:]
    assert second.next_page().next_page() is None
    assert [m.sid for m in second.previous_page()] == sids[:3]
    assert [m.sid for m in client.messages.get_page(page.next_page_url)] == sids[3:6]
    now, hour = datetime.datetime.now(UTC), datetime.timedelta(hours=1)
    for filters, count in (({"date_sent": now}, 7), ({"date_sent_after": now - hour}, 7),
                           ({"date_sent_before": now - hour}, 0),
                           ({"date_sent_after": now - hour, "date_sent_before": now + hour}, 7),
                           ({"from_": FROM}, 7), ({"from_": "+15005550009"}, 0)):
        assert len(client.messages.list(to=to, **filters)) == count, filters
    page_refused(400, 20007, client.messages.page, page_size=1001)


def accounts_and_keys():
    account = client.api.v2010.accounts(client.username).fetch()
    assert (account.status, account.type) == ("active", "Full")
    assert account.update(friendly_name="Mine").friendly_name == "Mine"
    assert client.username in [a.sid for a in client.api.v2010.accounts.list(status="active")]
    sub = client.api.v2010.accounts.create(friendly_name="Sub")
    assert Client(sub.sid, sub.auth_token).api.v2010.accounts(sub.sid).fetch().sid == sub.sid
    on_behalf = Client(client.username, client.password, sub.sid)
    assert on_behalf.messages.list() == []
    assert sub.update(status="closed").status == "closed"
    key = client.new_keys.create(friendly_name="ci")
    by_key = Client(key.sid, key.secret, client.username)
    assert by_key.keys(key.sid).fetch().friendly_name == "ci"
    assert by_key.messages.list(limit=1)[0].account_sid == client.username
    assert client.keys(key.sid).update(friendly_name="new").friendly_name == "new"
    assert key.sid in [k.sid for k in client.keys.list()]
    assert client.keys(key.sid).delete() is True
    page_refused(401, 20003, by_key.messages.list)


def money():
    balance = client.balance.fetch()
    assert float(balance.balance) > 0 and balance.currency == "USD"
    records = client.usage.records
    assert {"sms", "totalprice"} <= {r.category for r in records.list()}
    for name in ("all_time", "daily", "last_month", "monthly", "this_month", "today", "yearly",
                 "yesterday"):
        for record in getattr(records, name).list(category="sms"):
            assert record.category == "sms" and record.start_date <= record.end_date
    sms, = records.today.list(category="sms")
    assert int(sms.count) > 0 and float(sms.price) > 0
    assert records.list(category="sms", start_date=datetime.date(2020, 1, 1),
                        end_date=datetime.date(2020, 1, 2), include_subaccounts=True)
    trigger = client.usage.triggers.create(callback_url="http://127.0.0.1:9/", trigger_value="+5",
                                           usage_category="sms", recurring="daily",
                                           trigger_by="price", friendly_name="five")
    assert client.usage.triggers(trigger.sid).fetch().friendly_name == "five"
    assert trigger.update(friendly_name="six").friendly_name == "six"
    assert [t.sid for t in client.usage.triggers.list(usage_category="sms")] == [trigger.sid]
    assert trigger.delete() is True
    countries = client.pricing.v1.messaging.countries
    assert {"DE", "US"} <= {c.iso_country for c in countries.list(page_size=50)}
    prices = countries("US").fetch()
    assert prices.country == "United States" and prices.outbound_sms_prices
    refused(404, 20404, countries("XX").fetch)


def numbers_and_services():
    number = client.incoming_phone_numbers.create(phone_number="+14155550121",
                                                  sms_url="https://example.com/in")
    assert number.update(sms_method="GET", friendly_name="shop").sms_method == "GET"
    assert client.incoming_phone_numbers(number.sid).fetch().friendly_name == "shop"
    assert [n.sid for n in client.incoming_phone_numbers.list(phone_number="+14155550121")
            ] == [number.sid]
    services = client.messaging.v1.services
    service = services.create(
        friendly_name="Shop", validity_period=600, sticky_sender=False, smart_encoding=True,
        inbound_request_url="https://example.com/in", inbound_method="GET",
        fallback_url="https://example.com/fallback", status_callback="https://example.com/status",
        usecase="notifications", use_inbound_webhook_on_number=False)
    assert (service.validity_period, service.sticky_sender) == (600, False)
    assert services(service.sid).fetch().usecase == "notifications"
    assert service.update(friendly_name="Shops").friendly_name == "Shops"
    assert service.sid in [s.sid for s in services.stream(page_size=1)]
    for pool, form in ((service.phone_numbers, {"phone_number_sid": number.sid}),
                       (service.alpha_senders, {"alpha_sender": "Shop"})):
        sender = pool.create(**form)
        assert pool(sender.sid).fetch().sid == sender.sid
        assert [s.sid for s in pool.list()] == [sender.sid]
        assert pool(sender.sid).delete() is True
    assert services(service.sid).delete() is True
    refused(404, 20404, services(service.sid).fetch)
    assert number.delete() is True


def short_codes():
    code, = client.short_codes.list(short_code="12345")
    assert client.short_codes(code.sid).fetch().short_code == "12345"
    changed = code.update(sms_url="https://example.com/in", sms_method="GET")
    assert (changed.sms_url, changed.sms_method) == ("https://example.com/in", "GET")
    service = client.messaging.v1.services.create(friendly_name="Codes")
    pool = client.messaging.v1.services(service.sid).short_codes
    added = pool.create(short_code_sid=code.sid)
    assert pool(added.sid).fetch().short_code == "12345"
    assert [c.sid for c in pool.list()] == [added.sid]
    assert pool(added.sid).delete() is True and service.delete() is True


def refusals():
    for code, form in ((21211, {"to": "+15005550001"}), (21604, {"to": ""}),
                       (21610, {"to": "+15005550004"}), (21614, {"to": "+15005550009"}),
                       (21212, {"from_": "+15005550001"}), (21603, {"from_": None}),
                       (21606, {"from_": "+15005550007"}), (21611, {"from_": "+15005550008"}),
                       (21602, {"body": None}), (21617, {"body": "a" * 1601}),
                       (21609, {"status_callback": "nowhere"}),
                       (21620, {"media_url": ["nowhere"]}), (90014, {"validity_period": -1})):
        form = {"to": TO, "from_": FROM, "body": "Hello", **form}
        form = {name: value for name, value in form.items() if value is not None}
        refused(400, code, client.messages.create, **form)
    refused(404, 20404, client.messages("SM" + "0" * 32).fetch)
    page_refused(401, 20003, Client(client.username, "wrong").messages.list)
    refused(409, 20009, client.messages(client.messages.create(
        to=TO, messaging_service_sid=SERVICE, schedule_type="fixed", body="later",
        send_at=datetime.datetime.now(UTC) + datetime.timedelta(hours=1)).sid).delete)


async def asynchronously():
    """The library's other way, with aiohttp, which knows no proxy."""
    from twilio.http.async_http_client import AsyncTwilioHttpClient

    class LocalTwilio(AsyncTwilioHttpClient):
        async def request(self, method, url, *args, **kwargs):
            url = url.replace("https://api.twilio.com", os.environ["SIMULATOR_URL"])
            return await super().request(method, url, *args, **kwargs)

    async with LocalTwilio() as http:
        messages = OriginalClient(http_client=http).messages
        sent = await messages.create_async(to=TO, from_=FROM, body="Grüße")
        assert (await messages(sent.sid).fetch_async()).body == "Grüße"
        assert sent.sid in [m.sid for m in await messages.list_async(limit=3, page_size=2)]
        try:
            await messages.create_async(to="+15005550001", from_=FROM, body="Hello")
        except TwilioRestException as error:
            assert (error.status, error.code) == (400, 21211)
        else:
            raise AssertionError("21211 was expected")


def main():
    sid = create_with_everything()
    create_with_a_template()
    create_from_other_kinds_of_senders()
    media_feedback_redaction(sid)
    schedule_and_cancel()
    list_pages_and_filters()
    accounts_and_keys()
    money()
    numbers_and_services()
    short_codes()
    refusals()
    if not IS_OLD:
        asyncio.run(asynchronously())
    print("twilio", twilio.__version__)


if __name__ == "__main__":
    main()
