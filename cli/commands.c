// The table of all commands: --help, man pages, docs/cli.md and completion are made of
// it.
#include "command.h"
#include "options.h"

#define PARTS "producer|receiver|kafka|postgresql"

const struct command commands[] = {
    { .words = "send",
      .arguments = "NUMBER",
      .positional_min = 1,
      .positional_max = 1,
      .summary = "send one SMS through the API",
      .text = "Prints the id of the message. It is sent by a worker soon after; smsq "
              "status tells what became of it.",
      .json = "the API's answer as it is: {\"id\": …, \"status\": \"queued\", …}",
      .example = "smsq send +14155550123 --message \"Your table is ready\"",
      .options = send_options,
      .run = command_send },
    { .words = "status",
      .arguments = "[ID]",
      .positional_max = 1,
      .summary = "show what became of a message, or how the whole system stands",
      .text = "ID is the id that smsq send printed, or Twilio's SID.\n\n"
              "Without one, for operators: whether the producer and the receiver are "
              "ready, what holds messages back, workers and the age of their beats, who "
              "holds which lease, and by lane what is claimed, in doubt and waiting.",
      .json = "with ID the API's answer as it is: {\"id\": …, \"status\": …, "
              "\"detail\": …, …}; without: {\"programs\": […], \"switches\": […], "
              "\"workers\": […], \"leases\": […], \"messages\": […]}",
      .example = "smsq status 01a1fe2f-5a5b-7c3d-8e9f-0123456789ab",
      .run = command_status },
    { .words = "explain",
      .arguments = "ID",
      .positional_min = 1,
      .positional_max = 1,
      .summary = "tell the whole story of a message",
      .text =
          "ID is the id that smsq send printed, or a SID of Twilio's. Prints in order "
          "of time what happened, at which turn: accepted, claims, requests and "
          "answers, callbacks as they came, decisions and why, costs, dead letters; "
          "then what Twilio's codes mean, where the message stands, and what happens "
          "next. No number and no text is shown.",
      .json = "{\"id\": …, \"events\": [{\"at\": …, \"event\": \"accepted\", "
              "\"turn\": N, …}, …], "
              "\"codes\": [{\"code\": N, \"meaning\": …, \"advice\": …}, …], "
              "\"now\": {\"status\": …, …} or null, \"next\": …}",
      .example = "smsq explain 01a1fe2f-5a5b-7c3d-8e9f-0123456789ab",
      .run = command_explain },
    { .words = "cancel",
      .arguments = "ID",
      .positional_min = 1,
      .positional_max = 1,
      .summary = "cancel a message that waits",
      .text = "ID is the id that smsq send printed. Only what waits can be canceled: for "
              "its time, for another try, or for a worker to see it. What is canceled "
              "already stays so, and that is no mistake.",
      .json = "the API's answer as it is: {\"id\": …, \"status\": \"canceled\", …}",
      .example = "smsq cancel 01a1fe2f-5a5b-7c3d-8e9f-0123456789ab",
      .run = command_cancel },
    { .words = "reschedule",
      .arguments = "ID",
      .positional_min = 1,
      .positional_max = 1,
      .summary = "give a message that waits another time",
      .text =
          "ID is the id that smsq send printed. The time may be up to 35 days ahead; "
          "the present time sends it at once. For how long it is worth sending counts "
          "from the new time on.",
      .json = "the API's answer as it is: {\"id\": …, \"status\": \"scheduled\", …}",
      .example = "smsq reschedule 01a1fe2f-5a5b-7c3d-8e9f-0123456789ab "
                 "--at 2026-11-21T18:00:00Z",
      .options = reschedule_options,
      .run = command_reschedule },
    { .words = "topics list",
      .arguments = "",
      .summary = "show the Kafka topics",
      .text = "Changes nothing.",
      .json = "[{\"topic\": …, \"state\": \"exists|missing\", \"partitions\": N, "
              "\"replication\": N}, …]",
      .example = "smsq topics list",
      .run = command_topics_list },
    { .words = "topics create",
      .arguments = "",
      .summary = "make the Kafka topics that are missing",
      .text = "Topics that exist stay as they are. How many partitions and copies they "
              "get is set by topics.*.",
      .json = "as smsq topics list; state may be \"created\"",
      .example = "smsq topics create",
      .run = command_topics_create },
    { .words = "topics check",
      .arguments = "",
      .summary = "compare the Kafka topics with the settings",
      .text = "Ends with 1 if a topic is missing, has fewer partitions or fewer copies "
              "than topics.* says.",
      .json = "as smsq topics list, with \"problem\": a sentence or null",
      .example = "smsq topics check",
      .run = command_topics_check },
    { .words = "token create",
      .arguments = "",
      .summary = "make an API token",
      .text = "It is printed once and stored as a hash only.",
      .json = "{\"token\": \"smsq_…\", …} and what smsq token list prints of it",
      .example = "smsq token create --client shop --scope send_sms --expires-days 90",
      .options = token_create_options,
      .run = command_token_create },
    { .words = "token list",
      .arguments = "",
      .summary = "show the API tokens that work",
      .text = "Without what is secret in them, which is stored nowhere.",
      .json =
          "one object a line: {\"id\": …, \"client\": …, \"mode\": …, \"scopes\": […], "
          "\"rate_per_minute\": N, \"state\": \"active|expired|revoked\", "
          "\"created_at\": …, \"expires_at\": …, \"revoked_at\": …, \"last_used_at\": …}",
      .example = "smsq token list --client shop",
      .options = token_list_options,
      .run = command_token_list },
    { .words = "token revoke",
      .arguments = "TOKEN",
      .positional_min = 1,
      .positional_max = 1,
      .summary = "end an API token for good",
      .text =
          "TOKEN is its id, the 12 characters in its middle, as smsq token list shows "
          "them, or the whole token. Within 5 seconds no producer takes it any more.",
      .json = "what smsq token list prints of it",
      .example = "smsq token revoke 0a1b2c3d4e5f",
      .run = command_token_revoke },
    { .words = "rates load",
      .arguments = "FILE",
      .positional_min = 1,
      .positional_max = 1,
      .summary = "put a CSV rate card into PostgreSQL",
      .text = "Rows of the same country, sender type, channel and direction are "
              "replaced, others stay. A file with a mistake changes nothing.",
      .json = "{\"rates\": N}",
      .example = "smsq rates load deploy/rate_card.csv",
      .run = command_rates_load },
    { .words = "codes list",
      .arguments = "",
      .summary = "show what Twilio's error codes come to",
      .text = "Code, where it shows, what smsq does about it, what it means.",
      .json = "one object a line: {\"code\": N, \"shows\": …, \"action\": …, "
              "\"least_wait_s\": N, \"tries_max\": N, \"opt_out\": true|false, "
              "\"meaning\": …, \"advice\": …, \"changed_at\": …, \"changed_by\": …}",
      .example = "smsq codes list --action retry",
      .options = codes_list_options,
      .run = command_codes_list },
    { .words = "codes show",
      .arguments = "CODE",
      .positional_min = 1,
      .positional_max = 1,
      .summary = "show one of Twilio's error codes, with advice",
      .text = "CODE is the number in error_code, in the log or in Twilio's console.",
      .json = "one object of smsq codes list",
      .example = "smsq codes show 30008",
      .run = command_codes_show },
    { .words = "codes set",
      .arguments = "CODE",
      .positional_min = 1,
      .positional_max = 1,
      .summary = "change what one of Twilio's error codes comes to",
      .text = "What is not given stays. Workers and status consumers take it over within "
              "some seconds, without a restart. A code that the table does not have "
              "needs --action, --meaning and --advice.",
      .json = "the object of smsq codes list, as it is now",
      .example = "smsq codes set 30003 --action refuse",
      .options = codes_set_options,
      .run = command_codes_set },
    { .words = "dlq list",
      .arguments = "",
      .summary = "show dead letters, the newest first",
      .text =
          "A dead letter is a record that no program could take. Filters go together.",
      .json = "{\"letters\": [{\"letter_id\": N, \"buried_at\": …, \"reason\": …, "
              "\"detail\": …, \"topic\": …, \"partition\": N, \"offset\": N, "
              "\"program\": …, \"message_id\": …, \"client\": N, \"state\": …, "
              "\"replays\": N, \"replay_of\": N}, …], \"next\": N}; next is for "
              "--before, null on the last page",
      .example = "smsq dlq list --reason bad_record --since 2h",
      .options = dlq_list_options,
      .run = command_dlq_list },
    { .words = "dlq show",
      .arguments = "LETTER",
      .positional_min = 1,
      .positional_max = 1,
      .summary = "show one dead letter",
      .text = "Key and value are sealed: --payload opens them, and needs keys.lookup and "
              "keys.seal.",
      .json = "one letter of smsq dlq list, with \"record_at\", \"settled_at\", "
              "\"settled_by\", \"is_whole\", and with --payload \"key\" and \"value\" in "
              "base64",
      .example = "smsq dlq show 17 --payload",
      .options = dlq_show_options,
      .run = command_dlq_show },
    { .words = "dlq replay",
      .arguments = "[LETTER...]",
      .positional_max = CALL_POSITIONALS_MAX,
      .summary = "put dead letters back on the topic they came from",
      .text = "Name letters, or filters, or --all. Key and value go back as they were; "
              "the letter is marked as replayed once Kafka has them. Interrupted in "
              "between, it may go back twice: that harms nobody, as consumers take a "
              "record once. What fails again comes back as a new letter that names this "
              "one. Needs keys.lookup and keys.seal.",
      .json = "{\"replayed\": N, \"skipped\": N, \"dry_run\": true|false}",
      .example = "smsq dlq replay --reason cannot_open --dry-run",
      .options = dlq_replay_options,
      .run = command_dlq_replay },
    { .words = "dlq purge",
      .arguments = "[LETTER...]",
      .positional_max = CALL_POSITIONALS_MAX,
      .summary = "throw the content of dead letters away",
      .text =
          "Name letters, or filters, or --all. What stays of a letter is why and when; "
          "that goes too with the first purge 90 days later. Asks before, unless --yes.",
      .json = "{\"purged\": N, \"removed\": N, \"dry_run\": true|false}",
      .example = "smsq dlq purge --state replayed --until 720h --yes",
      .options = dlq_purge_options,
      .run = command_dlq_purge },
    { .words = "switch list",
      .arguments = "",
      .summary = "show what holds messages back",
      .text = "Breakers that opened by themselves (open), what somebody switched off "
              "(off), and emergency-only (on). What is not shown flows.",
      .json = "{\"switches\": [{\"name\": …, \"scope\": \"account|sender|class\", "
              "\"state\": \"open|off|on\", \"since\": …, \"probe_at\": …, "
              "\"http_status\": N, \"code\": N, \"reason\": …, \"changed_by\": …}, "
              "…]}",
      .example = "smsq switch list",
      .run = command_switch_list },
    { .words = "switch account",
      .arguments = "STATE [ACCOUNT]",
      .positional_min = 1,
      .positional_max = 2,
      .summary = "stop posting to Twilio or the simulator, or go on",
      .text = "STATE is on or off, ACCOUNT twilio or simulator, by default both. Off: "
              "within a second no worker posts to it, and messages wait, until it is on. "
              "On, of a breaker that opened by itself: one message is posted at once to "
              "find out, and the others follow if that goes well.",
      .json = "as smsq switch list, of what was changed",
      .example = "smsq switch account off --reason \"the token is changed\"",
      .options = switch_options,
      .run = command_switch_account,
      .argument_words = "on|off" },
    { .words = "switch emergency-only",
      .arguments = "STATE",
      .positional_min = 1,
      .positional_max = 1,
      .summary = "hold everything but emergencies, or let it go on",
      .text = "STATE is on or off. On: within a second no worker posts any class but "
              "emergency; the others wait, and none is lost. One-time passwords that are "
              "too old when it ends are not sent any more.",
      .json = "as smsq switch list, of what was changed",
      .example = "smsq switch emergency-only on --reason \"flood warning\"",
      .options = switch_options,
      .run = command_switch_emergency_only,
      .argument_words = "on|off" },
    { .words = "switch sender",
      .arguments = "SENDER STATE",
      .positional_min = 2,
      .positional_max = 2,
      .summary = "stop posting from one sender, or go on",
      .text = "SENDER is a number, short code, sender id or Messaging Service SID as in "
              "the messages; STATE is on or off. Its messages wait, all others flow. On, "
              "of one that Twilio refused: one message is posted at once to find out.",
      .json = "as smsq switch list, of what was changed",
      .example = "smsq switch sender +15005550006 off",
      .options = switch_options,
      .run = command_switch_sender },
    { .words = "doubt list",
      .arguments = "",
      .summary = "show messages of which nobody knows whether Twilio took them",
      .text =
          "The oldest first, 1000 at most, with what was found out so far. They end by "
          "themselves, by their class; what stays longer is left to people.",
      .json = "{\"doubts\": [{\"message_id\": …, \"turn\": N, \"class\": …, "
              "\"client\": N, \"to\": …, \"sender\": …, \"mode\": …, \"since\": …, "
              "\"reason\": …, \"lists\": N, \"lists_without_it\": N, \"note\": …, "
              "\"next_look_at\": …, \"expires_at\": …}, …]}",
      .example = "smsq doubt list --class transactional --older 30m",
      .options = doubt_list_options,
      .run = command_doubt_list },
    { .words = "doubt resend",
      .arguments = "ID...",
      .positional_min = 1,
      .positional_max = CALL_POSITIONALS_MAX,
      .summary = "send messages in doubt once more; they may arrive twice",
      .text =
          "Also those that ended as unknown. Refused where anything proves that Twilio "
          "has one, or when its useful time is over. Who did it stands in the table "
          "decisions.",
      .json = "{\"resent\": [ID, …], \"refused\": [{\"message_id\": …, \"reason\": …}, "
              "…]}",
      .example = "smsq doubt resend 01a1fe2f-5a5b-7c3d-8e9f-0123456789ab",
      .options = doubt_resend_options,
      .run = command_doubt_resend },
    { .words = "doubt close",
      .arguments = "ID...",
      .positional_min = 1,
      .positional_max = CALL_POSITIONALS_MAX,
      .summary = "end messages in doubt by hand",
      .text =
          "As expired or unknown they are never sent again. As sent, with the SID that "
          "Twilio's console shows, one message goes on as usual. A truth that comes "
          "later wins.",
      .json = "{\"closed\": [ID, …], \"refused\": [{\"message_id\": …, \"reason\": …}, "
              "…]}",
      .example = "smsq doubt close 01a1fe2f-5a5b-7c3d-8e9f-0123456789ab --as unknown",
      .options = doubt_close_options,
      .run = command_doubt_close },
    { .words = "ping",
      .arguments = "[PART...]",
      .positional_max = 4,
      .summary = "tell which parts can be reached",
      .text = "PART is producer, receiver, kafka or postgresql; all of them by default. "
              "Producer and receiver are asked whether they are ready, and say which "
              "part they miss; so is any program whose address is given, "
              "http://127.0.0.1:9102 for example.",
      .json = "{\"ok\": true|false, \"parts\": [{\"part\": …, \"ok\": true|false, "
              "\"address\": …, \"ms\": N, \"reason\": …}, …]}",
      .example = "smsq ping",
      .run = command_ping,
      .argument_words = PARTS },
    { .words = "check-config",
      .arguments = "[PROGRAM...]",
      .positional_max = CALL_POSITIONALS_MAX,
      .summary = "check the settings of all programs",
      .text = "Runs each program that is installed beside smsq with --check-config, with "
              "the same file and environment. PROGRAM is smsq-worker and the like.",
      .json = "{\"ok\": true|false, \"programs\": [{\"program\": …, \"ok\": true|false, "
              "\"reason\": …}, …]}",
      .example = "smsq check-config --config=/etc/smsq/smsq.cfg",
      .run = command_check_config,
      .without_settings = true },
    { .words = "completion",
      .arguments = "SHELL",
      .positional_min = 1,
      .positional_max = 1,
      .summary = "print the completion script of a shell",
      .text = "SHELL is bash. Put it where bash-completion looks, or: eval \"$(smsq "
              "completion bash)\".",
      .json = "the same",
      .example = "smsq completion bash",
      .run = command_completion,
      .argument_words = "bash",
      .without_settings = true },
    { .words = "manual",
      .arguments = "FORMAT",
      .positional_min = 1,
      .positional_max = 2,
      .summary = "print this manual",
      .text = "FORMAT is man or markdown. The words of a command behind man, as in "
              "\"token create\", give the page of that command; a folder behind pages "
              "gets all pages as files.",
      .json = "the same",
      .example = "smsq manual man \"token create\" | man -l -",
      .run = command_manual,
      .argument_words = "man|markdown|pages",
      .without_settings = true },
    { 0 },
};
