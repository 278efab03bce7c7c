// Every operation of the simulator's API, through Twilio's own library for Node.
"use strict";
const assert = require("node:assert");
const library = require("twilio");

const FROM = "+15005550006", TO = "+14155550100", SERVICE = "MG" + "3".repeat(32);
const HOUR_MS = 3600 * 1000;
const { TWILIO_ACCOUNT_SID: ACCOUNT, TWILIO_AUTH_TOKEN: TOKEN } = process.env;

// The library's own; with the HTTP client of the manual's example where a test asks so.
function twilio(account = ACCOUNT, token = TOKEN, options = {}) {
  if (!process.env.LOCAL_TWILIO) return library(account, token, options);
  const LocalTwilio = require(process.env.LOCAL_TWILIO);
  return library(account, token, { ...options, httpClient: new LocalTwilio() });
}

const client = process.env.LOCAL_TWILIO ? twilio() : library();

async function refused(status, code, promise) {
  await assert.rejects(promise, (error) => {
    assert(error instanceof library.RestException, error.stack);
    assert.deepStrictEqual([error.status, error.code], [status, code], error.message);
    assert.strictEqual(error.moreInfo, `https://www.twilio.com/docs/errors/${code}`);
    return error.message.length > 0;
  });
}

async function waitStatus(sid, status) {
  for (const deadline = Date.now() + 30000; ;) {
    const message = await client.messages(sid).fetch();
    if (message.status === status) return message;
    assert(Date.now() < deadline, message.status);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const sids = (resources) => resources.map((resource) => resource.sid);

async function createWithEverything() {
  const sent = await client.messages.create({
    to: TO, from: FROM, body: "Grüße 👋 & more=1+1", mediaUrl: ["https://example.com/a.jpg",
      "https://example.com/b.png"], statusCallback: "http://127.0.0.1:9/", validityPeriod: 600,
    maxPrice: 0.5, provideFeedback: true, attempt: 1, forceDelivery: false,
    contentRetention: "retain", addressRetention: "retain", smartEncoded: true, sendAsMms: false,
    persistentAction: ["mailto:a@example.com"], applicationSid: "AP" + "1".repeat(32),
    trafficType: "free", shortenUrls: true, riskCheck: "enable",
  });
  assert.deepStrictEqual([sent.status, sent.direction, sent.numMedia, sent.from, sent.to],
    ["queued", "outbound-api", "2", FROM, TO]);
  assert.strictEqual(sent.body, "Grüße 👋 & more=1+1");
  assert(sent.dateCreated instanceof Date && sent.dateSent === null);
  const done = await waitStatus(sent.sid, "delivered");
  assert(done.dateSent >= done.dateCreated && Number(done.price) < 0);
  const template = await client.messages.create({ to: TO, messagingServiceSid: SERVICE,
    fallbackFrom: FROM, contentSid: "HX" + "1".repeat(32), contentVariables: '{"1":"Ada"}' });
  assert.strictEqual(template.from, null);
  return sent.sid;
}

async function createFromOtherKindsOfSenders() {
  const named = await client.messages.create({ to: TO, from: "SHOP", body: "Hello" });
  assert.strictEqual((await waitStatus(named.sid, "delivered")).from, "SHOP");
  const chat = await client.messages.create({ to: "whatsapp:" + TO, from: "whatsapp:" + FROM,
    body: "Hello" });
  assert.strictEqual((await waitStatus(chat.sid, "failed")).errorCode, 63016);
}

async function mediaFeedbackRedaction(sid) {
  const message = client.messages(sid);
  const media = await message.media.list();
  assert.deepStrictEqual(media.map((m) => m.contentType), ["image/jpeg", "image/png"]);
  const one = message.media(media[0].sid);
  assert.strictEqual((await one.fetch()).parentSid, sid);
  const yesterday = new Date(Date.now() - 24 * HOUR_MS);
  assert.strictEqual((await message.media.list({ dateCreatedAfter: yesterday })).length, 2);
  assert.strictEqual((await message.media.list({ dateCreatedBefore: yesterday })).length, 0);
  assert.strictEqual(await one.remove(), true);
  await refused(404, 20404, one.fetch());
  assert.strictEqual((await message.feedback.create({ outcome: "confirmed" })).outcome,
    "confirmed");
  assert.strictEqual((await message.update({ body: "" })).body, "");
  assert.strictEqual(await message.remove(), true);
  await refused(404, 20404, message.fetch());
}

async function scheduleAndCancel() {
  const form = { to: TO, messagingServiceSid: SERVICE, body: "later", scheduleType: "fixed" };
  const sendAt = new Date(Date.now() + HOUR_MS);
  const sent = await client.messages.create({ ...form, sendAt });
  assert.deepStrictEqual([sent.status, sent.from], ["scheduled", null]);
  await refused(409, 20009, client.messages(sent.sid).remove());
  const canceled = await client.messages(sent.sid).update({ status: "canceled" });
  assert.strictEqual(canceled.status, "canceled");
  await refused(400, 35111, client.messages.create(form));
}

async function listPagesAndFilters() {
  const to = "+14155550188", all = [];
  for (let i = 0; i < 7; i++)
    all.unshift((await client.messages.create({ to, from: FROM, body: String(i) })).sid);
  for (const sid of all) await waitStatus(sid, "delivered");
  assert.deepStrictEqual(sids(await client.messages.list({ to })), all);
  assert.deepStrictEqual(sids(await client.messages.list({ to, limit: 5, pageSize: 2 })),
    all.slice(0, 5));
  const seen = [];
  await new Promise((done) => client.messages.each({ to, pageSize: 3, limit: 4, done },
    (message) => seen.push(message.sid)));
  assert.deepStrictEqual(seen, all.slice(0, 4));
  const page = await client.messages.page({ to, pageSize: 3 });
  const second = await page.nextPage();
  assert.deepStrictEqual(sids(second.instances), all.slice(3, 6));
  const third = await second.nextPage();
  assert.deepStrictEqual(sids(third.instances), all.slice(6));
  assert.strictEqual(await third.nextPage(), undefined);
  assert.deepStrictEqual(sids((await second.previousPage()).instances), all.slice(0, 3));
  assert.deepStrictEqual(sids((await client.messages.getPage(page.nextPageUrl)).instances),
    all.slice(3, 6));
  const now = new Date(), ago = new Date(now - HOUR_MS);
  for (const [filter, count] of [[{ dateSent: now }, 7], [{ dateSentAfter: ago }, 7],
    [{ dateSentBefore: ago }, 0], [{ from: FROM }, 7], [{ from: "+15005550009" }, 0]])
    assert.strictEqual((await client.messages.list({ to, ...filter })).length, count);
  await refused(400, 20007, client.messages.page({ pageSize: 1001 }));
}

async function accountsAndKeys() {
  const { accounts } = client.api.v2010;
  assert.strictEqual((await accounts(ACCOUNT).fetch()).status, "active");
  assert.strictEqual((await accounts(ACCOUNT).update({ friendlyName: "Mine" })).friendlyName,
    "Mine");
  const sub = await accounts.create({ friendlyName: "Sub" });
  assert(sids(await accounts.list({ status: "active" })).includes(sub.sid));
  const behalf = twilio(ACCOUNT, TOKEN, { accountSid: sub.sid });
  assert.deepStrictEqual(await behalf.messages.list(), []);
  assert.strictEqual((await accounts(sub.sid).update({ status: "closed" })).status, "closed");
  const key = await client.newKeys.create({ friendlyName: "ci" });
  const byKey = twilio(key.sid, key.secret, { accountSid: ACCOUNT });
  assert.strictEqual((await byKey.keys(key.sid).fetch()).friendlyName, "ci");
  assert.strictEqual((await client.keys(key.sid).update({ friendlyName: "new" })).friendlyName,
    "new");
  assert(sids(await client.keys.list()).includes(key.sid));
  assert.strictEqual(await client.keys(key.sid).remove(), true);
  await refused(401, 20003, byKey.messages.list());
}

async function money() {
  const balance = await client.balance.fetch();
  assert(Number(balance.balance) > 0 && balance.currency === "USD");
  const { records, triggers } = client.usage;
  assert((await records.list()).some((record) => record.category === "totalprice"));
  for (const name of ["allTime", "daily", "lastMonth", "monthly", "thisMonth", "today", "yearly",
    "yesterday"])
    for (const record of await records[name].list({ category: "sms" }))
      assert(record.category === "sms" && record.startDate <= record.endDate);
  const [sms] = await records.today.list({ category: "sms" });
  assert(Number(sms.count) > 0 && Number(sms.price) > 0);
  const trigger = await triggers.create({ callbackUrl: "http://127.0.0.1:9/", triggerValue: "+5",
    usageCategory: "sms", recurring: "daily", triggerBy: "price" });
  assert.strictEqual((await triggers(trigger.sid).fetch()).recurring, "daily");
  assert.strictEqual((await triggers(trigger.sid).update({ friendlyName: "six" })).friendlyName, "six");
  assert.deepStrictEqual(sids(await triggers.list({ usageCategory: "sms" })), [trigger.sid]);
  assert.strictEqual(await triggers(trigger.sid).remove(), true);
  const { countries } = client.pricing.v1.messaging;
  assert((await countries.list({ pageSize: 50 })).some((c) => c.isoCountry === "US"));
  assert((await countries("US").fetch()).outboundSmsPrices.length > 0);
  await refused(404, 20404, countries("XX").fetch());
}

// A pool of senders of a service, where the sender is added, found and taken out.
async function walkPool(pool, form) {
  const sender = await pool.create(form);
  assert.strictEqual((await pool(sender.sid).fetch()).sid, sender.sid);
  assert.deepStrictEqual(sids(await pool.list()), [sender.sid]);
  assert.strictEqual(await pool(sender.sid).remove(), true);
}

async function numbersAndServices() {
  const numbers = client.incomingPhoneNumbers, phoneNumber = "+14155550121";
  const number = await numbers.create({ phoneNumber, smsUrl: "https://example.com/in" });
  assert.strictEqual((await numbers(number.sid).update({ smsMethod: "GET" })).smsMethod, "GET");
  assert.strictEqual((await numbers(number.sid).fetch()).phoneNumber, phoneNumber);
  assert.deepStrictEqual(sids(await numbers.list({ phoneNumber })), [number.sid]);
  const [code] = await client.shortCodes.list({ shortCode: "12345" });
  assert.strictEqual((await client.shortCodes(code.sid).fetch()).shortCode, "12345");
  assert.strictEqual((await client.shortCodes(code.sid).update({ smsMethod: "GET" })).smsMethod, "GET");
  const { services } = client.messaging.v1;
  const service = await services.create({ friendlyName: "Shop", validityPeriod: 600,
    stickySender: false, inboundRequestUrl: "https://example.com/in", inboundMethod: "GET",
    usecase: "notifications" });
  assert.strictEqual((await services(service.sid).fetch()).validityPeriod, 600);
  assert.strictEqual((await services(service.sid).update({ friendlyName: "Shops" })).friendlyName, "Shops");
  assert(sids(await services.list({ pageSize: 1 })).includes(service.sid));
  await walkPool(services(service.sid).phoneNumbers, { phoneNumberSid: number.sid });
  await walkPool(services(service.sid).alphaSenders, { alphaSender: "Shop" });
  await walkPool(services(service.sid).shortCodes, { shortCodeSid: code.sid });
  assert.strictEqual(await services(service.sid).remove(), true);
  await refused(404, 20404, services(service.sid).fetch());
  assert.strictEqual(await numbers(number.sid).remove(), true);
}

async function refusals() {
  for (const [code, change] of [[21211, { to: "+15005550001" }], [21604, { to: "" }],
    [21610, { to: "+15005550004" }], [21614, { to: "+15005550009" }],
    [21212, { from: "+15005550001" }], [21603, { from: undefined }],
    [21606, { from: "+15005550007" }], [21611, { from: "+15005550008" }],
    [21602, { body: undefined }], [21617, { body: "a".repeat(1601) }],
    [21609, { statusCallback: "nowhere" }], [21620, { mediaUrl: ["nowhere"] }]])
    await refused(400, code,
      client.messages.create({ to: TO, from: FROM, body: "Hello", ...change }));
  await refused(404, 20404, client.messages("SM" + "0".repeat(32)).fetch());
  await refused(401, 20003, twilio(ACCOUNT, "wrong").messages.list());
}

async function main() {
  await mediaFeedbackRedaction(await createWithEverything());
  await createFromOtherKindsOfSenders();
  await scheduleAndCancel();
  await listPagesAndFilters();
  await accountsAndKeys();
  await money();
  await numbersAndServices();
  await refusals();
}

main().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
