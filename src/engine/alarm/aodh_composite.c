/* SPDX-License-Identifier: Apache-2.0
 * Composite alarms of Aodh. Each threshold rule within one is an alarm of its own, which is not shown; the whole is a composite alarm
 * on these. It is ok only if the opposite rule holds: unlike CloudWatch's, it may be unknown. Source: aodh.evaluator.composite. */
#include "base/buf.h"
#include "base/json_write.h"
#include "engine/alarm/alarm_internal.h"

enum { TEXT_CAP = 65536, DATA_MAX = 3500 };

/* Number of a part, which its name ends with: "UUID/3". */
static struct str number_of(struct str name)
{
	size_t slash = str_find_char(name, '/', 0);
	return str_slice(name, slash < name.n ? slash + 1 : name.n, name.n);
}

/* Rewrites a rule such as (ALARM("UUID/1") AND ALARM("UUID/2")). Words of the new text come from the table; names stay, or become
 * rule1. */
struct rewriting {
	const char *alarm, *and, * or ;
	bool is_form;
};

static struct str rewrite(struct arena *a, struct str rule, const struct rewriting *to)
{
	struct buf out;
	buf_init(&out, TEXT_CAP);
	for (size_t k = 0; k < rule.n; k++) {
		struct str rest = str_slice(rule, k, rule.n);
		if (str_starts_with(rest, STR("ALARM(\""))) {
			size_t end = str_find_char(rest, ')', 0);
			struct str name = str_slice(rest, 7, end - 1);
			if (to->is_form)
				buf_print(&out, "rule%" STR_FMT, STR_ARG(number_of(name)));
			else
				buf_print(&out, "%s(\"%" STR_FMT "\")", to->alarm, STR_ARG(name));
			k += end;
		} else if (str_starts_with(rest, STR(" AND "))) {
			buf_print(&out, " %s ", to->and);
			k += 4;
		} else if (str_starts_with(rest, STR(" OR "))) {
			buf_print(&out, " %s ", to->or);
			k += 3;
		} else {
			buf_add_char(&out, rule.p[k]);
		}
	}
	struct str text = out.failed ? STR_NONE : str_copy(a, buf_str(&out));
	buf_done(&out);
	return text;
}

static RESULT find_state(struct op *op, const struct alarm *alarm, enum alarm_state *ret_state)
{
	static const struct rewriting opposite = {"OK", "OR", "AND", false};
	bool holds = false;
	struct alarm other = *alarm;
	TRY(alarm_rule_weigh(op->ctx, op->head, alarm, &holds));
	*ret_state = ALARM_STATE_ALARM;
	if (holds)
		return OK;
	other.rule = rewrite(op->ctx->arena, alarm->rule, &opposite);
	if (!other.rule.p)
		return ctx_no_memory(op->ctx);
	TRY(alarm_rule_weigh(op->ctx, op->head, &other, &holds));
	*ret_state = holds ? ALARM_STATE_OK : ALARM_STATE_INSUFFICIENT_DATA;
	return OK;
}

/* ---- words ---- */

static void write_causes(struct op *op, const struct alarm *alarm, enum alarm_state state, struct buf *names,
			 struct json_writer *j)
{
	json_write_open(j, "causative_rules");
	for (const struct alarm *part = alarm_first_by_part_of(op->head, alarm->row.id); part;
	     part = alarm_next_by_part_of(op->head, part)) {
		if (part->state != state)
			continue;
		struct str name = str_print(op->ctx->arena, "rule%" STR_FMT, STR_ARG(number_of(part->name)));
		buf_print(names, "%s%" STR_FMT, buf_str(names).n ? ", " : "", STR_ARG(name));
		if (j->out->failed || buf_str(j->out).n + part->body.n > DATA_MAX)
			continue;
		json_write_key(j, name);
		json_write_raw(j, NULL, part->body);
	}
	json_write_close(j);
}

static RESULT write_verdict(struct op *op, const struct alarm *alarm, struct alarm_verdict *verdict)
{
	static const struct rewriting form_of = {"", "and", "or", true};
	static const char *const words[] = {[ALARM_STATE_OK] = "inside their threshold.",
					    [ALARM_STATE_ALARM] = "outside their threshold.",
					    [ALARM_STATE_INSUFFICIENT_DATA] = "state evaluated to unknown."};
	struct buf names, data;
	struct json_writer j;
	struct str form = rewrite(op->ctx->arena, alarm->rule, &form_of);
	buf_init(&names, TEXT_CAP);
	buf_init(&data, TEXT_CAP);
	json_write_begin(&j, &data);
	json_write_open(&j, NULL);
	json_write_z(&j, "type", "composite");
	json_write_text(&j, "composition_form", form);
	write_causes(op, alarm, verdict->state, &names, &j);
	json_write_close(&j);
	struct result result = json_write_end(&j);
	verdict->data = str_copy(op->ctx->arena, buf_str(&data));
	verdict->reason = str_print(op->ctx->arena,
				    "Composite rule alarm with composition form: %" STR_FMT
				    " transition to %s, due to rules: %" STR_FMT " %s",
				    STR_ARG(str_cut(form, 400)), aodh_state_word(verdict->state),
				    STR_ARG(str_cut(buf_str(&names), 400)), words[verdict->state]);
	buf_done(&names);
	buf_done(&data);
	return result;
}

RESULT aodh_follow(struct op *op, const struct alarm *alarm, struct alarm_verdict *ret_verdict)
{
	*ret_verdict = (struct alarm_verdict){.state = alarm->state};
	TRY(find_state(op, alarm, &ret_verdict->state));
	return ret_verdict->state == alarm->state ? OK : write_verdict(op, alarm, ret_verdict);
}

/* ---- parts ---- */

RESULT aodh_put_parts(struct op *op, const struct alarm *whole, const struct alarm *parts, size_t count)
{
	FORGET_EACH(op, alarm, part_of, whole->row.id);
	for (size_t k = 0; k < count; k++) {
		struct alarm next = parts[k];
		next.row.id = UUID_NONE;
		next.account = whole->account;
		next.part_of = whole->row.id;
		next.dialect = ALARM_DIALECT_AODH;
		next.is_off = whole->is_off;
		next.reason = STR(AODH_REASON_NEW);
		next.name = str_print(op->ctx->arena, "%" STR_FMT "/%zu",
				      STR_ARG(uuid_to_str(op->ctx->arena, whole->row.id)), k + 1);
		TRY(alarm_write(op, NULL, &next));
	}
	return OK;
}

/* Numbers in the rule become names of parts: (1 AND 2) is written with "#1". */
struct str aodh_name_parts(struct arena *a, uuid whole, struct str rule)
{
	struct buf out;
	struct str id = uuid_to_str(a, whole);
	buf_init(&out, TEXT_CAP);
	for (size_t k = 0; k < rule.n; k++)
		if (rule.p[k] == '#')
			buf_print(&out, "%" STR_FMT "/", STR_ARG(id));
		else
			buf_add_char(&out, rule.p[k]);
	struct str text = out.failed ? STR_NONE : str_copy(a, buf_str(&out));
	buf_done(&out);
	return text;
}
