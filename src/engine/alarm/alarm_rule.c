/* SPDX-License-Identifier: Apache-2.0
 * Rules of composite alarms: ALARM("name"), OK(name), INSUFFICIENT_DATA(name), TRUE, FALSE, joined by AND, OR and NOT. AND
 * binds stronger than OR. Pure. Source: Amazon CloudWatch API Reference, PutCompositeAlarm. */
#include "engine/alarm/alarm.h"
#include "engine/internal.h"

struct rule_reader {
	struct ctx *c;
	struct str text;
	size_t at, depth, alarms;
	const struct alarm_rule_names *names;
};

static RESULT fail_rule(struct rule_reader *r, const char *why)
{
	return ctx_fail_field(r->c, ERR_INVALID, STR("AlarmRule"),
			      "AlarmRule is not valid at character %zu: %s", r->at + 1, why);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_spaces(struct rule_reader *r)
{
	while (r->at < r->text.n && is_space(r->text.p[r->at]))
		r->at++;
}

static bool is_word_char(char c)
{
	return (c >= 'A' && c <= 'Z') || c == '_';
}

/* The word at the reader's place, without taking it. */
static struct str peek_word(struct rule_reader *r)
{
	skip_spaces(r);
	size_t end = r->at;
	while (end < r->text.n && is_word_char(r->text.p[end]))
		end++;
	return str_slice(r->text, r->at, end);
}

static bool take_word(struct rule_reader *r, const char *word)
{
	struct str found = peek_word(r);
	bool is_it = str_is(found, word);
	r->at += is_it ? found.n : 0;
	return is_it;
}

static bool take_char(struct rule_reader *r, char c)
{
	skip_spaces(r);
	bool is_it = r->at < r->text.n && r->text.p[r->at] == c;
	r->at += is_it;
	return is_it;
}

/* A quoted name ends at its quote, another one at the parenthesis. An ARN stands for the name behind "alarm:". */
static RESULT take_name(struct rule_reader *r, struct str *ret_name)
{
	char quote = 0;
	skip_spaces(r);
	if (r->at < r->text.n && (r->text.p[r->at] == '"' || r->text.p[r->at] == '\''))
		quote = r->text.p[r->at++];
	size_t end = str_find_char(r->text, quote ? quote : ')', r->at);
	if (end >= r->text.n)
		return fail_rule(r, "the name of an alarm does not end.");
	struct str name = str_trim(str_slice(r->text, r->at, end));
	r->at = end + (quote ? 1 : 0);
	if (str_starts_with(name, STR("arn:"))) {
		struct str rest = name, part;
		for (size_t k = 0; k < 6; k++)
			if (!str_split_next(&rest, ':', &part))
				return fail_rule(r, "the ARN names no alarm.");
		name = rest;
	}
	*ret_name = name;
	return name.n && name.n <= ALARM_NAME_MAX ? OK : fail_rule(r, "the name of an alarm is missing.");
}

static RESULT read_alarm(struct rule_reader *r, enum alarm_state wanted, bool *ret_holds)
{
	struct str name;
	enum alarm_state state = ALARM_STATE_INSUFFICIENT_DATA;
	if (!take_char(r, '('))
		return fail_rule(r, "'(' is missing.");
	TRY(take_name(r, &name));
	if (!take_char(r, ')'))
		return fail_rule(r, "')' is missing.");
	if (++r->alarms > ALARM_RULE_ALARMS_MAX)
		return fail_rule(r, "it names too many alarms.");
	if (r->names->find(r->names->arg, name, &state)) {
		*ret_holds = state == wanted;
		return OK;
	}
	struct result result = ctx_fail_field(r->c, ERR_INVALID, STR("AlarmRule"),
					      "Could not save the composite alarm as alarms [%" STR_FMT
					      "] in the alarm rule do not exist.",
					      STR_ARG(str_cut(name, ALARM_NAME_MAX)));
	r->c->problem.subject = name;
	return result;
}

static RESULT read_any(struct rule_reader *r, bool *ret_holds);

static RESULT read_one(struct rule_reader *r, bool *ret_holds)
{
	if (++r->depth > ALARM_RULE_DEPTH_MAX)
		return fail_rule(r, "it is nested too deep.");
	if (take_word(r, "NOT")) {
		TRY(read_one(r, ret_holds));
		*ret_holds = !*ret_holds;
	} else if (take_char(r, '(')) {
		TRY(read_any(r, ret_holds));
		if (!take_char(r, ')'))
			return fail_rule(r, "')' is missing.");
	} else if (take_word(r, "TRUE")) {
		*ret_holds = true;
	} else if (take_word(r, "FALSE")) {
		*ret_holds = false;
	} else if (take_word(r, "ALARM")) {
		TRY(read_alarm(r, ALARM_STATE_ALARM, ret_holds));
	} else if (take_word(r, "OK")) {
		TRY(read_alarm(r, ALARM_STATE_OK, ret_holds));
	} else if (take_word(r, "INSUFFICIENT_DATA")) {
		TRY(read_alarm(r, ALARM_STATE_INSUFFICIENT_DATA, ret_holds));
	} else {
		return fail_rule(r, "ALARM, OK, INSUFFICIENT_DATA, TRUE, FALSE, NOT or '(' is expected.");
	}
	r->depth--;
	return OK;
}

/* Both sides of AND and OR are always read, so that the whole rule is checked. */
static RESULT read_all(struct rule_reader *r, bool *ret_holds)
{
	TRY(read_one(r, ret_holds));
	while (take_word(r, "AND")) {
		bool holds = false;
		TRY(read_one(r, &holds));
		*ret_holds = *ret_holds && holds;
	}
	return OK;
}

static RESULT read_any(struct rule_reader *r, bool *ret_holds)
{
	TRY(read_all(r, ret_holds));
	while (take_word(r, "OR")) {
		bool holds = false;
		TRY(read_all(r, &holds));
		*ret_holds = *ret_holds || holds;
	}
	return OK;
}

RESULT alarm_rule_read(struct ctx *c, struct str rule, const struct alarm_rule_names *names, bool *ret_holds)
{
	struct rule_reader r = {.c = c, .text = rule, .names = names};
	bool holds = false;
	TRY(read_any(&r, &holds));
	skip_spaces(&r);
	if (r.at != rule.n)
		return fail_rule(&r, "AND, OR or the end is expected.");
	*ret_holds = holds;
	return OK;
}

/* ---- on rows ---- */

struct row_names {
	const struct tables *t;
	uuid account;
};

/* An alarm that is gone is in no state of its own: it counts as INSUFFICIENT_DATA. */
static bool find_state(void *arg, struct str name, enum alarm_state *ret_state)
{
	const struct row_names *names = arg;
	const struct alarm *alarm = alarm_find_by_account(names->t, names->account, name);
	if (alarm)
		*ret_state = alarm->state;
	return true;
}

RESULT alarm_rule_weigh(struct ctx *c, const struct tables *t, const struct alarm *alarm, bool *ret_holds)
{
	struct row_names names = {t, alarm->account};
	return alarm_rule_read(c, alarm->rule, &(struct alarm_rule_names){find_state, &names}, ret_holds);
}
