/* SPDX-License-Identifier: Apache-2.0
 * Commands for sign-ups: templates for self-service accounts, and waiting requests. */
#include "daemon/client/ask.h"
#include "daemon/command.h"
#include "store/domain.h"
#include "store/signup.h"
#include "store/signup_template.h"

/* ---- templates ---- */

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

/* ---- sign-ups ---- */

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
	 "Creates or changes a template for accounts of people who sign up.",
	 {{"name", PARAM_POSITIONAL, true, "Name."},
	  {"open", PARAM_OPTION, false, "yes: anybody may sign up; no: nobody."},
	  {"review", PARAM_OPTION, false, "yes: new accounts are held until you accept them."},
	  {"prepaid", PARAM_OPTION, false, "yes: the new billing account is prepaid."},
	  {"reseller", PARAM_OPTION, false, "Domain of the reseller; none: the operator."},
	  {"trial-limit", PARAM_OPTION, false,
	   "Quota before the first payment, such as instances=2; none: the defaults.", .repeats = true},
	  {"limit", PARAM_OPTION, false, "Quota after the first payment, such as instances=20.",
	   .repeats = true},
	  {"description", PARAM_OPTION, false, "Description, shown to people who sign up."}},
	 .ask = asking_make_change},
	{"signup templates",
	 "Lists the templates for sign-ups.",
	 {{0}},
	 .run = signup_templates,
	 .is_anywhere = true},
	{"signup list",
	 "Lists sign-ups and their state.",
	 {{"stage", PARAM_OPTION, false, "asked, held, confirmed or refused (default: all)."}},
	 .run = signup_list,
	 .is_anywhere = true},
	{0},
};
