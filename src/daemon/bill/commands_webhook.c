/* SPDX-License-Identifier: Apache-2.0
 * dari webhook …: who is told by HTTP what becomes of accounts and invoices. And what is done about those who misuse what they
 * have: dari instance freeze, dari account cut, dari account quarantine. */
#include <inttypes.h>

#include "auth/key.h"
#include "base/clock.h"
#include "base/file.h"
#include "daemon/bill/bill.h"
#include "engine/billing/misuse.h"
#include "engine/billing/webhook.h"
#include "engine/instance/instance.h"
#include "store/account.h"
#include "store/webhook.h"
#include "store/webhook_delivery.h"

enum { SECRET_CAP = 4000, PATTERNS_MAX = 64 };

static bool has_flag(const struct command_call *call, const char *name)
{
	return json_is_true(json_object_get(call->args, name));
}

/* ---- webhooks ---- */

static RESULT read_events(struct command_call *call, struct webhook_wish *wish)
{
	struct str rest = command_arg(call, "event"), line;
	struct str *events = arena_new_array(call->ctx.arena, struct str, PATTERNS_MAX);
	size_t count = 0;
	if (!events)
		return ctx_no_memory(&call->ctx);
	wish->has_events = rest.n > 0;
	if (str_is(rest, "all"))
		return OK;
	while (str_split_next(&rest, '\n', &line) && count < PATTERNS_MAX)
		events[count++] = line;
	wish->events = (struct strs){events, count};
	return OK;
}

/* The id of the webhook of that name, or a new one: its secret is sealed with it. */
static bool choose_id(struct command_call *call, struct str name, uuid *ret_id)
{
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	const struct webhook *hook = webhook_find_by_name(view.tables, name);
	*ret_id = hook ? hook->row.id : id_new(KIND_WEBHOOK);
	return hook != NULL;
}

static RESULT read_secret(struct command_call *call, struct webhook_wish *wish)
{
	struct str path = command_arg(call, "secret-file"), text;
	if (!path.n)
		return OK;
	TRY(file_read(&call->ctx, str_to_z(call->ctx.arena, path), SECRET_CAP, &text));
	struct result sealed =
		key_seal(&call->ctx, call->daemon->master_key, wish->id, str_trim(text), &wish->secret);
	crypto_wipe((void *) text.p, text.n);
	return sealed;
}

static RESULT put(struct command_call *call, const char *action, bool is_new)
{
	static const char *const switches[] = {"", "yes", "no", NULL};
	int pays = 0;
	struct webhook_wish wish = {.name = command_arg(call, "name"), .url = command_arg(call, "url")};
	bool is_there = choose_id(call, wish.name, &wish.id);
	if (is_there == is_new)
		return ctx_fail_field(&call->ctx, is_new ? ERR_EXISTS : ERR_NOT_FOUND, STR("name"),
				      "there is %s webhook '%" STR_FMT "'", is_new ? "a" : "no",
				      STR_ARG(wish.name));
	TRY(command_word_arg(call, "payments", switches, 0, &pays));
	wish.takes_payments = (enum choice) pays;
	wish.off = has_flag(call, "off") ? CHOICE_YES : has_flag(call, "on") ? CHOICE_NO : CHOICE_DEFAULT;
	TRY(read_events(call, &wish));
	TRY(read_secret(call, &wish));
	TRY(command_commit(call, action, engine_put_webhook_run, &wish));
	buf_print(&call->text, "webhook %" STR_FMT " is %s\n", STR_ARG(wish.name),
		  is_new ? "there" : "changed");
	return OK;
}

static RESULT webhook_add(struct command_call *call)
{
	return put(call, "dari:webhook add", true);
}

static RESULT webhook_set(struct command_call *call)
{
	return put(call, "dari:webhook set", false);
}

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

/* ---- what they are told ---- */

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

/* ---- misuse ---- */

static RESULT restrict_account(struct command_call *call, const char *action, struct account_restriction wish)
{
	wish.account = command_account_ref(call, command_arg(call, "account"), "account");
	wish.reason = command_arg(call, "reason");
	TRY(command_commit(call, action, engine_restrict_account_run, &wish));
	buf_print(&call->text, "noted\n");
	return OK;
}
#define RESTRICT(call, action, ...) restrict_account(call, action, (struct account_restriction){__VA_ARGS__})

static RESULT account_cut(struct command_call *call)
{
	return RESTRICT(call, "dari:account cut", .cut = CHOICE_YES);
}

static RESULT account_join(struct command_call *call)
{
	return RESTRICT(call, "dari:account join", .cut = CHOICE_NO);
}

static RESULT account_quarantine(struct command_call *call)
{
	return RESTRICT(call, "dari:account quarantine", .quarantined = CHOICE_YES);
}

static RESULT account_release(struct command_call *call)
{
	return RESTRICT(call, "dari:account release", .quarantined = CHOICE_NO);
}

static RESULT account_limit_egress(struct command_call *call)
{
	int64_t mbit = 0;
	TRY(command_int_arg(call, "mbit", 0, 1, EGRESS_LIMIT_MAX, &mbit));
	return RESTRICT(call, "dari:account limit-egress", .has_egress_limit = true, .egress_limit = mbit);
}

static RESULT account_unlimit_egress(struct command_call *call)
{
	return RESTRICT(call, "dari:account unlimit-egress", .has_egress_limit = true);
}

#define HOOK_PARAM                                                                                           \
	{                                                                                                    \
		"name", PARAM_POSITIONAL, true, "What it is called."                                         \
	}
#define HOOK_PARAMS                                                                                          \
	HOOK_PARAM, {"url", PARAM_OPTION, false, "Where it is told, by https."},                             \
		{"secret-file", PARAM_OPTION, false, "A file with what is signed with; kept sealed.",        \
		 .is_path = true},                                                                           \
		{"event", PARAM_OPTION, false,                                                               \
		 "A pattern of events that it is told, such as invoice.*; all: every one.",                  \
		 .repeats = true},                                                                           \
		{"payments", PARAM_OPTION, false, "yes: whoever has the secret may say what was paid."},     \
		{"off", PARAM_FLAG, false, "It is told nothing for now; what happens is kept for it."},      \
		{"on", PARAM_FLAG, false, "It goes on."},
#define ACCOUNT_PARAM                                                                                        \
	{                                                                                                    \
		"account", PARAM_POSITIONAL, true, "The account, by number, name or id."                     \
	}
#define REASON_PARAM                                                                                         \
	{                                                                                                    \
		"reason", PARAM_OPTION, true, "Why, in words that its owner may read."                       \
	}

const struct command webhook_commands[] = {
	{"webhook add",
	 "Adds who is told what becomes of accounts and invoices.",
	 {HOOK_PARAMS},
	 .run = webhook_add,
	 .is_anywhere = true},
	{"webhook set",
	 "Changes what is said of a webhook.",
	 {HOOK_PARAMS},
	 .run = webhook_set,
	 .is_anywhere = true},
	{"webhook list",
	 "Lists webhooks, and whether they answer.",
	 {{0}},
	 .run = webhook_list,
	 .is_anywhere = true},
	{"webhook deliveries",
	 "Lists what a webhook is told: what waits, what it took, what was given up.",
	 {HOOK_PARAM, {"stage", PARAM_OPTION, false, "waiting, sent or dead; absent: all."}},
	 .run = webhook_deliveries,
	 .is_anywhere = true},
	{"account cut",
	 "Cuts an account's network: nothing goes to or from its instances, which run on.",
	 {ACCOUNT_PARAM, REASON_PARAM},
	 .run = account_cut,
	 .is_anywhere = true},
	{"account join",
	 "Gives an account that was cut its network back.",
	 {ACCOUNT_PARAM},
	 .run = account_join,
	 .is_anywhere = true},
	{"account quarantine",
	 "Leaves an account's people, keys and tokens no more than reading.",
	 {ACCOUNT_PARAM, REASON_PARAM},
	 .run = account_quarantine,
	 .is_anywhere = true},
	{"account release",
	 "Lets an account's people change things again.",
	 {ACCOUNT_PARAM},
	 .run = account_release,
	 .is_anywhere = true},
	{"account limit-egress",
	 "Limits what each interface of an account's instances sends; the rest is dropped.",
	 {ACCOUNT_PARAM, {"mbit", PARAM_OPTION, true, "Mbit/s."}, REASON_PARAM},
	 .run = account_limit_egress,
	 .is_anywhere = true},
	{"account unlimit-egress",
	 "Lets an account's instances send as fast as they can again.",
	 {ACCOUNT_PARAM},
	 .run = account_unlimit_egress,
	 .is_anywhere = true},
	{0},
};
