"""What Twilio does towards us, written down a second time: signatures and callbacks."""

import base64
import hashlib
import hmac
import secrets
import struct
import urllib.parse
import uuid

from api import request


def new_sid():
    return "SM" + secrets.token_hex(16)


def signature(token, url, form):
    """X-Twilio-Signature of a form: the address, then each name and value, by name."""
    text = url + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def callback_tag(lookup_key, message_id, turn):
    """k= of a callback address. The callback key comes from the lookup key by HKDF."""
    extracted = hmac.new(bytes(32), bytes.fromhex(lookup_key), hashlib.sha256).digest()
    key = hmac.new(extracted, b"smsq callback\x01", hashlib.sha256).digest()
    text = uuid.UUID(message_id).bytes + struct.pack(">I", turn)
    return hmac.new(key, text, hashlib.sha256).digest()[:8].hex()


class Callbacks:
    """Posts status callbacks to a receiver, signed as Twilio signs."""

    def __init__(self, receiver_url, public_url, token, lookup_key):
        self.receiver_url = receiver_url
        self.public_url = public_url
        self.token = token
        self.lookup_key = lookup_key

    def query_of(self, message_id, turn=1):
        tag = callback_tag(self.lookup_key, message_id, turn)
        return f"?m={message_id}&t={turn}&k={tag}"

    def post_form(self, target, form, token=None, sign=True):
        """Posts a form; target is path and query. token signs instead of the account's."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if sign:
            headers["X-Twilio-Signature"] = signature(
                token or self.token, self.public_url + target, form)
        return request(self.receiver_url + target, "POST", urllib.parse.urlencode(form),
                       headers)

    def post(self, sid, status, query="", path="/sms/webhook/status", error_code=None,
             **how):
        form = {"MessageSid": sid, "SmsSid": sid, "MessageStatus": status,
                "SmsStatus": status, "AccountSid": "AC" + 32 * "0", "To": "+14155550199",
                "ApiVersion": "2010-04-01"}
        if error_code:
            form["ErrorCode"] = str(error_code)
        return self.post_form(path + query, form, **how)
