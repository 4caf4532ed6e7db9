/* SPDX-License-Identifier: Apache-2.0
 * dari webhook …: recipients of HTTP notifications about accounts and invoices. Also measures against abuse:
 * dari account cut, dari account quarantine. */
#include <inttypes.h>

#include "base/clock.h"
#include "daemon/bill/bill.h"
#include "daemon/client/ask.h"
#include "store/webhook.h"
#include "store/webhook_delivery.h"

/* ---- webhooks ---- */

static void say_hook(struct command_call *call, const struct webhook *hook)
{
	const char *state = hook->is_off ? "off" : hook->problem.n ? "failing" : "ok";
	json_t *events = json_array();
	buf_print(&call->text, "%-16.*s %-8s %" STR_FMT "  %" STR_FMT "\n", STR_ARG(hook->name), state,
		  STR_ARG(hook->url), STR_ARG(hook->problem));
	for (size_t k = 0; k < hook->events.count; k++)
		(void) json_array_append_new(events,
					     json_stringn(hook->events.at[k].p, hook->events.at[k].n));
	(void) json_array_append_new(
		call->value, json_pack("{s:s%, s:s, s:s%, s:o, s:b, s:I, s:I, s:s%}", "name", hook->name.p,
				       hook->name.n, "state", state, "url", hook->url.p, hook->url.n,
				       "events", events, "payments", hook->takes_payments, "told",
				       (json_int_t) hook->last_number, "lost", (json_int_t) hook->lost,
				       "problem", hook->problem.p ? hook->problem.p : "", hook->problem.n));
}

static RESULT webhook_list(struct command_call *call)
{
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	call->value = json_array();
	for (const struct webhook *hook = webhook_first(view.tables); hook;
	     hook = webhook_next(view.tables, hook))
		say_hook(call, hook);
	return OK;
}

/* ---- deliveries ---- */

static void say_delivery(struct command_call *call, const struct webhook_delivery *d)
{
	char id[UUID_TEXT_SIZE], at[CLOCK_TEXT_SIZE];
	const char *stage = webhook_delivery_stage_words[d->stage];
	clock_write_ms(d->at_us, at);
	uuid_write(d->row.id, id);
	buf_print(&call->text, "%s %6" PRId64 " %s %-8s %-24.*s %" STR_FMT "\n", id, d->number, at, stage,
		  STR_ARG(d->event), STR_ARG(d->problem));
	(void) json_array_append_new(call->value,
				     json_pack("{s:s, s:I, s:s, s:s, s:s%, s:I, s:s%}", "id", id, "number",
					       (json_int_t) d->number, "at", at, "stage", stage, "event",
					       d->event.p, d->event.n, "tries", (json_int_t) d->tries,
					       "problem", d->problem.p ? d->problem.p : "", d->problem.n));
}

static RESULT webhook_deliveries(struct command_call *call)
{
	int stage = -1;
	AUTO_VIEW view = {0};
	TRY(command_word_arg(call, "stage", webhook_delivery_stage_words, -1, &stage));
	view_open(call->daemon->store, &view);
	const struct webhook *hook = webhook_find_by_name(view.tables, command_arg(call, "name"));
	if (!hook)
		return ctx_fail_field(&call->ctx, ERR_NOT_FOUND, STR("name"),
				      "there is no webhook '%" STR_FMT "'",
				      STR_ARG(command_arg(call, "name")));
	call->value = json_array();
	for (const struct webhook_delivery *d = webhook_delivery_first_by_webhook(view.tables, hook->row.id);
	     d; d = webhook_delivery_next_by_webhook(view.tables, d))
		if (stage < 0 || (int) d->stage == stage)
			say_delivery(call, d);
	return OK;
}

#define HOOK_PARAM                                                                                           \
	{                                                                                                    \
		"name", PARAM_POSITIONAL, true, "Name of the webhook."                                       \
	}
#define HOOK_PARAMS                                                                                          \
	HOOK_PARAM, {"url", PARAM_OPTION, false, "Receiver's https URL."},                                   \
		{"secret-file", PARAM_OPTION, false, "File with the signing key; stored encrypted.",         \
		 .is_path = true},                                                                           \
		{"event", PARAM_OPTION, false,                                                               \
		 "Pattern of events to send, such as invoice.*; all: every event.", .repeats = true},        \
		{"payments", PARAM_OPTION, false,                                                            \
		 "yes: accepts reports of payments signed with the secret."},                                \
		{"off", PARAM_FLAG, false, "Pauses the webhook; its messages wait."},                        \
		{"on", PARAM_FLAG, false, "It goes on."},
#define ACCOUNT_PARAM                                                                                        \
	{                                                                                                    \
		"account", PARAM_POSITIONAL, true, "The account, by number, name or id."                     \
	}
#define REASON_PARAM                                                                                         \
	{                                                                                                    \
		"reason", PARAM_OPTION, true, "Reason, shown to the owner."                                  \
	}

const struct command webhook_commands[] = {
	{"webhook add",
	 "Adds a webhook for events of accounts and invoices.",
	 {HOOK_PARAMS},
	 .ask = asking_make_change},
	{"webhook set", "Changes a webhook.", {HOOK_PARAMS}, .ask = asking_make_change},
	{"webhook list",
	 "Lists webhooks, and whether they answer.",
	 {{0}},
	 .run = webhook_list,
	 .is_anywhere = true},
	{"webhook deliveries",
	 "Lists deliveries of a webhook: waiting, delivered, given up.",
	 {HOOK_PARAM, {"stage", PARAM_OPTION, false, "waiting, sent or dead (default: all)."}},
	 .run = webhook_deliveries,
	 .is_anywhere = true},
	{"account cut",
	 "Disconnects an account's network: no traffic to or from its instances, which keep running.",
	 {ACCOUNT_PARAM, REASON_PARAM},
	 .ask = asking_make_change},
	{"account join", "Reconnects an account's network.", {ACCOUNT_PARAM}, .ask = asking_make_change},
	{"account quarantine",
	 "Makes an account read-only for its users, keys and tokens.",
	 {ACCOUNT_PARAM, REASON_PARAM},
	 .ask = asking_make_change},
	{"account release",
	 "Lifts the quarantine of an account.",
	 {ACCOUNT_PARAM},
	 .ask = asking_make_change},
	{"account limit-egress",
	 "Limits the outbound bandwidth of each interface of an account's instances; excess packets are "
	 "dropped.",
	 {ACCOUNT_PARAM, {"mbit", PARAM_OPTION, true, "Mbit/s."}, REASON_PARAM},
	 .ask = asking_make_change},
	{"account unlimit-egress",
	 "Removes the limit of an account's outbound bandwidth.",
	 {ACCOUNT_PARAM},
	 .ask = asking_make_change},
	{0},
};
