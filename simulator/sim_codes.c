#include "sim_codes.h"

#define FROM_INVALID                                                                     \
    "The 'From' number %s is not a valid phone number, shortcode, or alphanumeric "      \
    "sender ID."
#define SEND_AT_RANGE                                                                    \
    "'SendAt' %s is not an ISO 8601 time more than 300 seconds and at most 35 days "     \
    "ahead."

static const struct sim_code codes[] = {
    // requests and credentials
    { 20001, 400, "Invalid parameter: %s", NULL },
    { 20003, 401, "Authenticate", NULL },
    { 20004, 405, "Method not allowed", NULL },
    { 20005, 403, "Account %s is not active", NULL },
    { 20007, 400, "Page size too large: %s; maximum is 1000", NULL },
    { 20008, 403, "Resource not accessible with Test Account Credentials", NULL },
    { 20009, 409, "Cannot delete message %s because delivery has not been completed.",
      NULL },
    { 20404, 404, "The requested resource %s was not found", NULL },
    { 20422, 422, "Invalid Parameter: %s", NULL },
    { 20429, 429, "Too Many Requests", NULL },
    { 20500, 500, "Internal Server Error", NULL },

    // creates
    { 21211, 400, "The 'To' number %s is not a valid phone number.",
      "Invalid recipient" },
    { 21212, 400, FROM_INVALID, "Invalid sender" },
    { 21265, 400, "The 'To' number %s cannot be a Short Code.", NULL },
    { 21266, 400, "'To' and 'From' number cannot be the same: %s", NULL },
    { 21267, 400, "'To' number cannot be an Alphanumeric Sender ID: %s", NULL },
    { 21408, 400,
      "Permission to send an SMS has not been enabled for the region indicated by the "
      "'To' number: %s.",
      "Permission to send to this region is not enabled" },
    { 21601, 400, "Phone number %s is not a valid SMS-capable inbound phone number",
      NULL },
    { 21602, 400, "Message body is required.", NULL },
    { 21603, 400, "A 'From' phone number is required.", NULL },
    { 21604, 400, "A 'To' phone number is required.", NULL },
    { 21606, 400,
      "The 'From' phone number provided (%s) is not a valid message-capable Twilio phone "
      "number for this destination.",
      "Sender cannot be used for this destination" },
    { 21608, 400,
      "The number %s is unverified. Trial accounts cannot send messages to unverified "
      "numbers.",
      NULL },
    { 21609, 400, "The StatusCallback URL %s is not a valid URL.", NULL },
    { 21610, 400,
      "Attempt to send to unsubscribed recipient: %s has opted out of this sender.",
      "Attempt to send to unsubscribed recipient" },
    { 21611, 400,
      "This 'From' number has exceeded the maximum number of queued messages: %s.",
      "Queue overflow" },
    { 21612, 400,
      "The 'To' phone number %s is not currently reachable using this 'From' number.",
      "Recipient cannot be reached from this sender" },
    { 21614, 400, "'To' number: %s, is not a valid mobile number",
      "Recipient is not a mobile number" },
    { 21617, 400, "The concatenated message body exceeds the 1600 character limit",
      NULL },
    { 21618, 400, "The message body cannot be sent: not UTF-8.", NULL },
    { 21620, 400, "Invalid media URL(s): %s", NULL },
    { 21623, 400, "Number of media files exceeds allowed limit of 10: %s", NULL },
    { 21654, 400, "ContentSid Required", NULL },
    { 21655, 400, "The ContentSid %s is invalid", NULL },
    { 21656, 400, "The Content Variables parameter is invalid", NULL },
    { 21659, 400, "'From' %s is not a Twilio phone number or Short Code country mismatch",
      NULL },
    { 21660, 400, "Mismatch between the 'From' number %s and the account", NULL },
    { 21664, 400, "FallbackFrom needs a MessagingServiceSid", NULL },
    { 21701, 404, "The Messaging Service %s does not exist", NULL },
    { 21703, 0, NULL, "The Messaging Service has no sender for this recipient" },
    { 21704, 0, NULL, "The Messaging Service contains no phone numbers" },
    { 21705, 400, "The Messaging Service Sid %s is invalid", NULL },
    { 21709, 400, "The 'From' %s is not in the sender pool of the Messaging Service",
      NULL },
    { 63007, 400, "Twilio could not find a Channel with the specified From address: %s",
      "Channel sender is not known" },
    { 63031, 400, "Channels message cannot have same From and To: %s", NULL },
    { 30016, 400, "'From' and 'To' are of different channels: %s", NULL },
    { 90007, 400, "ValidityPeriod %s is not in the range of 1 to 36000 seconds.", NULL },
    { 90014, 400, "ValidityPeriod %s is not a positive integer.", NULL },
    { 30029, 400, "ContentRetention %s is invalid or the feature is not enabled", NULL },
    { 30030, 400, "AddressRetention %s is invalid or the feature is not enabled", NULL },

    // scheduling
    { 35111, 400, "Missing 'SendAt' parameter for a scheduled message", NULL },
    { 35114, 400, SEND_AT_RANGE, NULL },
    { 35118, 400, "Scheduling a message requires a MessagingServiceSid", NULL },
    { 35125, 400, "The account has too many scheduled messages: %s", NULL },

    // updates
    { 30400, 400,
      "Invalid update of message %s: give either Status=canceled or Body=", NULL },
    { 30404, 404, "The message %s was not found", NULL },
    { 30409, 409, "The message %s is too late to cancel", NULL },

    // numbers
    { 21421, 400, "PhoneNumber %s is invalid", NULL },
    { 21422, 400, "PhoneNumber %s is not available", NULL },

    // Messaging Services and their senders
    { 21710, 409, "The phone number %s is already in a Messaging Service", NULL },
    { 21711, 400, "The number pool of the Messaging Service is full: %s", NULL },
    { 21712, 409, "The sender %s is associated with another Messaging Service", NULL },
    { 21714, 409, "The sender %s is in the Messaging Service already", NULL },

    // what becomes of a message after the answer
    { 30001, 0, NULL, "Queue overflow" },
    { 30002, 0, NULL, "Account suspended" },
    { 30003, 0, NULL, "Unreachable destination handset" },
    { 30004, 0, NULL, "Message blocked" },
    { 30005, 0, NULL, "Unknown destination handset" },
    { 30006, 0, NULL, "Landline or unreachable carrier" },
    { 30007, 0, NULL, "Message filtered" },
    { 30008, 0, NULL, "Unknown error" },
    { 30034, 0, NULL, "Message from an unregistered number" },
    { 30036, 0, NULL, "Validity period expired" },
    { 63015, 0, NULL, "Channel sandbox: the recipient has not joined" },
    { 63016, 0, NULL, "Outside the allowed window: use a Message Template" },
};

const struct sim_code *sim_codes_find(int code)
{
    for (size_t i = 0; i < COUNT_OF(codes); i++)
        if (codes[i].code == code)
            return &codes[i];
    return NULL;
}

const char *sim_codes_title(int code)
{
    const struct sim_code *row = sim_codes_find(code);

    return row && row->title ? row->title : "Unknown error";
}
