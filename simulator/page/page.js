// The phones of the simulator: who received what, and a box to answer as that person. It asks
// for what is new once a second. Texts of messages only ever become text nodes.

const KEPT = 1000;  // messages in the page: the newest
const POLL_MS = 1000;
const MICROS = 1e6;
const MOVING = new Set(["scheduled", "accepted", "queued", "sent"]);
const MARKS = { sent: "✓", delivered: "✓✓", read: "✓✓✓", failed: "⚠", undelivered: "⚠" };

const $ = (id) => document.getElementById(id);
const messages = new Map();  // number -> { row, phone, item }; item: its bubble, if shown
const phones = new Map();    // address -> { item, button, last, numbers }
let newest = 0;              // number of the newest message that was read
let chosen = null;           // address of the phone that is shown

function make(tag, parent, className = "", text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  parent.append(element);
  return element;
}

async function ask(path, form) {
  const answer = await fetch(path, form && { method: "POST", body: new URLSearchParams(form) });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail || `The simulator answered ${answer.status}.`);
  return body;
}

const isInbound = (row) => row.direction === "inbound";
const personOf = (row) => (isInbound(row) ? row.from : row.to);
const senderOf = (row) => (isInbound(row) ? row.to : row.from);

// Only WhatsApp tells that a message was read.
const isMoving = (row) => MOVING.has(row.status)
  || (row.status === "delivered" && row.to.startsWith("whatsapp:"));

function statusText(row) {
  const words = [row.created_at.slice(11, 19)];
  if (!isInbound(row))
    words.push(`from ${row.from ?? "a service"}`, `${row.status} ${MARKS[row.status] ?? ""}`.trim());
  if (row.error_code) words.push(String(row.error_code));
  return words.join(" · ");
}

function bodyText(row) {
  const media = row.num_media ? `[${row.num_media} media] ` : "";
  return media + (row.body || (media ? "" : "(no text)"));
}

function paint(message) {
  const { row, item } = message;
  item.className = isInbound(row) ? "inbound" : row.status;
  item.children[0].textContent = bodyText(row);
  item.children[1].textContent = statusText(row);
}

function addBubble(message) {
  message.item = make("div", $("bubbles"));
  make("p", message.item);
  make("small", message.item);
  paint(message);
}

function scrollToEnd() {
  $("bubbles").scrollTop = $("bubbles").scrollHeight;
}

// The form's sender is the one that wrote last; the others are offered.
function offerSenders() {
  const rows = phones.get(chosen).numbers.map((number) => messages.get(number).row).reverse();
  const senders = [...new Set(rows.map(senderOf).filter(Boolean))];
  $("sender").value = senders[0] ?? "";
  $("senders").replaceChildren();
  for (const sender of senders) make("option", $("senders")).value = sender;
}

function choose(address) {
  for (const number of phones.get(chosen)?.numbers ?? []) messages.get(number).item = null;
  phones.get(chosen)?.button.removeAttribute("aria-current");
  chosen = address;
  const phone = phones.get(address);
  $("bubbles").replaceChildren();
  $("title").textContent = address;
  $("person").value = address;
  phone.button.setAttribute("aria-current", "true");
  for (const number of phone.numbers) addBubble(messages.get(number));
  offerSenders();
  scrollToEnd();
}

function addPhone(address) {
  const item = make("li", $("phones"));
  const button = make("button", item);
  make("span", button, "", address);
  const phone = { item, button, last: make("span", button, "last"), numbers: [] };
  button.type = "button";
  button.addEventListener("click", () => choose(address));
  phones.set(address, phone);
  return phone;
}

// Moving an element takes the focus away from it.
function moveToTop(phone) {
  const focused = document.activeElement;
  if ($("phones").firstElementChild !== phone.item) $("phones").prepend(phone.item);
  if (focused === phone.button) focused.focus({ preventScroll: true });
}

function addMessage(row) {
  const address = personOf(row);
  const phone = phones.get(address) ?? addPhone(address);
  const message = { row, phone: address, item: null };
  messages.set(row.number, message);
  phone.numbers.push(row.number);
  phone.last.textContent = bodyText(row);
  moveToTop(phone);
  if (address === chosen) addBubble(message);
}

function forget(number) {
  const { phone: address, item } = messages.get(number);
  const phone = phones.get(address);
  item?.remove();
  messages.delete(number);
  phone.numbers.shift();
  if (phone.numbers.length || address === chosen) return;
  phone.item.remove();
  phones.delete(address);
}

function take(row) {
  const known = messages.get(row.number);
  if (!known) addMessage(row);
  else if (known.row.status !== row.status || known.row.from !== row.from) {
    known.row = row;
    if (known.item) paint(known);
  }
  newest = Math.max(newest, row.number);
}

function clear() {
  messages.clear();
  phones.clear();
  $("phones").replaceChildren();
  $("bubbles").replaceChildren();
  $("title").textContent = "Nobody chosen";
  $("empty").hidden = false;
  $("write").reset();
  chosen = null;
  newest = 0;
}

// From where to read: the oldest message that still changes, or the newest, which shows whether
// the simulator was reset meanwhile.
function firstToRead() {
  for (const { row } of messages.values()) if (isMoving(row)) return row.number;
  return newest;
}

async function readOnce() {
  if (newest === 0) {
    const { newest: count } = await ask("messages?after=4294967295&limit=1");
    newest = Math.max(0, count - KEPT);
  }
  const page = await ask(`messages?after=${Math.max(0, firstToRead() - 1)}&limit=${2 * KEPT}`);
  const [first] = page.messages;
  const known = first && messages.get(first.number);
  if (page.newest < newest || (known && known.row.sid !== first.sid)) return clear();
  if (page.newest - newest > KEPT && page.next_uri) return clear();  // too many to catch up with
  const isAtEnd = $("bubbles").scrollHeight - $("bubbles").scrollTop
    - $("bubbles").clientHeight < 40;
  page.messages.forEach(take);
  for (const number of [...messages.keys()].slice(0, Math.max(0, messages.size - KEPT)))
    forget(number);
  // A service may have picked its sender meanwhile.
  if (chosen !== null && !$("sender").value && document.activeElement !== $("sender"))
    offerSenders();
  if (chosen === null && !$("person").value && page.messages.length)
    choose(personOf(page.messages.at(-1)));
  if (isAtEnd) scrollToEnd();
  $("empty").hidden = phones.size > 0;
}

// One after the other: what an answer means depends on what was read before.
let reading = Promise.resolve();

function readMessages() {
  reading = reading.catch(() => {}).then(readOnce);
  return reading;
}

async function readFacts() {
  const [clock, ledger] = await Promise.all([ask("clock"), ask("ledger")]);
  const speed = clock.speed === 0 ? "stands" : clock.speed === 1 ? "" : `${clock.speed} × as fast`;
  $("facts").textContent = [
    `${clock.now.slice(0, 10)} ${clock.now.slice(11, 19)} UTC ${speed}`.trim(),
    `messages: ${newest}`, `billed ${(ledger.billed_micros / MICROS).toFixed(4)} ${ledger.currency}`,
    `callbacks pending: ${ledger.callbacks_pending}`].join(" · ");
}

async function poll() {
  try {
    if (!document.hidden) await readMessages().then(readFacts);
    if ($("notice").dataset.away) $("notice").textContent = $("notice").dataset.away = "";
  } catch (error) {
    $("notice").textContent = `The simulator does not answer (${error.message}); trying again.`;
    $("notice").dataset.away = "yes";
  }
  setTimeout(poll, POLL_MS);
}

async function write(event) {
  event.preventDefault();
  const [from, to, body] = ["person", "sender", "text"].map((id) => $(id).value.trim());
  const last = messages.get(phones.get(from)?.numbers.at(-1));
  const form = { from, to, body, ...(last && { account: last.row.account_sid }) };
  $("text").value = "";
  try {
    const { webhook_status: status, errors } = await ask("inbound", form);
    $("notice").textContent = errors.length
      ? `Received. The webhook was answered ${status}; errors: ${errors.join(", ")}.` : "";
    await readMessages();
    if (chosen !== from && phones.has(from)) choose(from);
  } catch (error) {
    $("notice").textContent = error.message;
    $("text").value ||= body;
  }
}

$("write").addEventListener("submit", write);
poll();
