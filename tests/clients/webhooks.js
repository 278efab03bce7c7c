// Receives webhooks and lets Twilio's library for Node judge them, as webhooks.py does: with
// validateRequest, and with the middleware, which gets what it uses of Express's objects.
"use strict";
const http = require("node:http");
const twilio = require("twilio");

const TOKEN = process.env.TWILIO_AUTH_TOKEN;
const TWIML = "<Response/>";
const middleware = twilio.webhook(TOKEN);

function answer(response, status) {
  response.writeHead(status, { "Content-Type": "text/xml", "Content-Length": TWIML.length });
  response.end(TWIML);
}

function judge(request, response, body) {
  const params = Object.fromEntries(new URLSearchParams(body));
  const header = (name) => request.headers[name.toLowerCase()];
  const address = `http://${header("Host")}${request.url}`;
  const isGood = twilio.validateRequest(TOKEN, header("X-Twilio-Signature"), address, params);
  const express = { header, headers: request.headers, protocol: "http", originalUrl: request.url,
    body: params, query: Object.fromEntries(new URL(address).searchParams), url: request.url };
  const refusal = { type: () => refusal, send: () => answer(response, 403),
    status: (status) => (status === 403 && !isGood ? refusal : { send: () => answer(response, 500) }) };
  middleware(express, refusal, () => answer(response, isGood ? 200 : 500));
}

const server = http.createServer(async (request, response) => {
  const slices = [];
  for await (const slice of request) slices.push(slice);
  judge(request, response, Buffer.concat(slices).toString());
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
