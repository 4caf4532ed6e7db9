/* SPDX-License-Identifier: Apache-2.0
 * The commands of sign-ups: what people get who open an account by themselves, and what becomes of those who wait. */
#include "daemon/command.h"
#include "engine/people/signup.h"
#include "store/domain.h"
#include "store/signup.h"
#include "store/signup_template.h"

enum { LIMITS_MAX = 64 };

/* ---- templates ---- */

/* "instances=2": lines. */
static RESULT read_limits(struct command_call *call, const char *name, struct tags *ret, bool *ret_has)
{
	struct str rest = command_arg(call, name), line;
	struct tag *at = arena_new_array(call->ctx.arena, struct tag, LIMITS_MAX);
	size_t count = 0;
	if (!at)
		return ctx_no_memory(&call->ctx);
	*ret_has = rest.n > 0;
	while (!str_is(rest, "none") && str_split_next(&rest, '\n', &line)) {
		size_t gap = str_find_char(line, '=', 0);
		if (gap == line.n || count == LIMITS_MAX)
			return ctx_fail_field(&call->ctx, ERR_INVALID, str_from(name),
					      "a limit is NAME=NUMBER, such as instances=2");
		at[count++] = (struct tag){str_slice(line, 0, gap), str_slice(line, gap + 1, line.n)};
	}
	*ret = (struct tags){at, count};
	return OK;
}

/* The words are choices, in the same order. */
static RESULT read_choice(struct command_call *call, const char *name, enum choice *ret)
{
	static const char *const switches[] = {
		[CHOICE_DEFAULT] = "", [CHOICE_YES] = "yes", [CHOICE_NO] = "no", NULL};
	int choice = CHOICE_DEFAULT;
	TRY(command_word_arg(call, name, switches, CHOICE_DEFAULT, &choice));
	*ret = (enum choice) choice;
	return OK;
}

static RESULT signup_set(struct command_call *call)
{
	struct str description = command_arg(call, "description"), reseller = command_arg(call, "reseller");
	struct signup_template_wish wish = {
		.name = command_arg(call, "name"),
		.description = description.p ? &description : NULL,
		.reseller = {.kind = KIND_DOMAIN, .text = reseller, .field = STR("reseller")}};
	if (!reseller.n)
		wish.reseller = (struct ref){0};
	TRY(read_choice(call, "open", &wish.open));
	TRY(read_choice(call, "review", &wish.reviewed));
	TRY(read_choice(call, "prepaid", &wish.prepaid));
	TRY(read_limits(call, "trial-limit", &wish.trial_limits, &wish.has_trial_limits));
	TRY(read_limits(call, "limit", &wish.limits, &wish.has_limits));
	TRY(command_commit(call, "dari:signup set", engine_put_signup_template_run, &wish));
	buf_print(&call->text, "noted\n");
	return OK;
}

static RESULT signup_templates(struct command_call *call)
{
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	call->value = json_array();
	for (const struct signup_template *t = signup_template_first(view.tables); t;
	     t = signup_template_next(view.tables, t)) {
		buf_print(&call->text, "%-20" STR_FMT " %-7s %-9s %-9s %" STR_FMT "\n", STR_ARG(t->name),
			  t->is_open ? "open" : "closed", t->is_reviewed ? "reviewed" : "at once",
			  t->is_prepaid ? "prepaid" : "postpaid", STR_ARG(t->description));
		json_array_append_new(call->value,
				      json_pack("{s:s%,s:b,s:b,s:b}", "name", t->name.p ? t->name.p : "",
						t->name.n, "is_open", (int) t->is_open, "is_reviewed",
						(int) t->is_reviewed, "is_prepaid", (int) t->is_prepaid));
	}
	return OK;
}

/* ---- who signed up ---- */

static RESULT signup_list(struct command_call *call)
{
	int stage = -1;
	AUTO_VIEW view = {0};
	TRY(command_word_arg(call, "stage", signup_stage_words, -1, &stage));
	view_open(call->daemon->store, &view);
	call->value = json_array();
	for (const struct signup *s = signup_first(view.tables); s; s = signup_next(view.tables, s)) {
		char id[UUID_TEXT_SIZE], at[CLOCK_TEXT_SIZE];
		const struct domain *d = domain_find(view.tables, s->domain);
		struct str name = d ? d->name : STR_NONE;
		if (stage >= 0 && (int) s->stage != stage)
			continue;
		uuid_write(s->row.id, id);
		clock_write_ms(s->asked_us, at);
		buf_print(&call->text, "%s %s %-9s %" STR_FMT " %" STR_FMT "\n", id, at,
			  signup_stage_words[s->stage], STR_ARG(s->email), STR_ARG(name));
		json_array_append_new(call->value, json_pack("{s:s,s:s,s:s,s:s%}", "id", id, "asked", at,
							     "stage", signup_stage_words[s->stage], "email",
							     s->email.p ? s->email.p : "", s->email.n));
	}
	return OK;
}

const struct command signup_commands[] = {
	{"signup set",
	 "Says what people get who open an account by themselves: makes a template, or changes it.",
	 {{"name", PARAM_POSITIONAL, true, "What it is called."},
	  {"open", PARAM_OPTION, false, "yes: whoever wants may sign up by it; no: nobody."},
	  {"review", PARAM_OPTION, false, "yes: what is made is held until you accept it."},
	  {"prepaid", PARAM_OPTION, false, "yes: the new billing account pays first."},
	  {"reseller", PARAM_OPTION, false, "The domain whose customer it is; none: yours."},
	  {"trial-limit", PARAM_OPTION, false,
	   "A quota until the first payment: instances=2; none: as new accounts have them.", .repeats = true},
	  {"limit", PARAM_OPTION, false, "A quota from then on, likewise.", .repeats = true},
	  {"description", PARAM_OPTION, false, "For whoever signs up."}},
	 .run = signup_set,
	 .is_anywhere = true},
	{"signup templates",
	 "Lists what people get who sign up.",
	 {{0}},
	 .run = signup_templates,
	 .is_anywhere = true},
	{"signup list",
	 "Lists who signed up, and what became of it.",
	 {{"stage", PARAM_OPTION, false, "asked, held, confirmed or refused; absent: all."}},
	 .run = signup_list,
	 .is_anywhere = true},
	{0},
};
