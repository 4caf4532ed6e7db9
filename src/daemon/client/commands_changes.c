/* SPDX-License-Identifier: Apache-2.0
 * Commands that are one change of /api/v1 each: a row says which, and what is said when it is accepted. */
#include "daemon/client/ask.h"
#include "daemon/command.h"

/* A member of the body and the command's parameter that it comes from. */
struct carried {
	const char *member, *param;
};
enum { CARRIED_MAX = 8 };

struct change_row {
	const char *words;         /* the command's */
	const char *method, *path; /* "/webhooks/{name}": a parameter in braces stands for its text */
	struct carried carried[CARRIED_MAX];
	const char *says; /* likewise with a parameter */
};

static const struct change_row rows[] = {
#define GRANT                                                                                                \
	{                                                                                                    \
		{"role", "role"}, {"user", "user"}, {"user_group", "group"}, {"account", "account"},         \
			{"domain", "domain"}, {"system", "system"},                                          \
		{                                                                                            \
			"inherited", "inherited"                                                             \
		}                                                                                            \
	}
	{"role grant", "POST", "/role-assignments", GRANT, .says = "granted\n"},
	{"role revoke", "POST", "/role-assignments/revoke", GRANT, .says = "revoked\n"},
	{"webhook remove", "DELETE", "/webhooks/{name}", .says = "webhook {name} is gone\n"},
	{"webhook retry", "POST", "/webhook-deliveries/{delivery}/retry", .says = "it is told again\n"},
	{"signup remove", "DELETE", "/signup-templates/{name}", .says = "removed\n"},
	{"signup accept", "POST", "/signups/{signup}/accept", {{"reason", "reason"}}, .says = "noted\n"},
	{"signup refuse", "POST", "/signups/{signup}/refuse", {{"reason", "reason"}}, .says = "noted\n"},
	{"instance freeze", "POST", "/instances/{id}/freeze", {{"reason", "reason"}}, .says = "noted\n"},
	{"instance thaw", "POST", "/instances/{id}/thaw", .says = "noted\n"},
};

/* The form with its parameter in the place of its braces. is_path: as a segment of a URL. */
static struct str fill(const struct asking *a, const char *form, bool is_path)
{
	struct str all = str_from(form);
	size_t from = str_find_char(all, '{', 0), to = str_find_char(all, '}', from);
	if (from == all.n || to == all.n)
		return all;
	struct str value = asking_arg(a, str_to_z(a->c->arena, str_slice(all, from + 1, to)));
	return str_print(a->c->arena, "%" STR_FMT "%" STR_FMT "%" STR_FMT, STR_ARG(str_slice(all, 0, from)),
			 STR_ARG(is_path ? asking_segment(a, value) : value),
			 STR_ARG(str_slice(all, to + 1, all.n)));
}

static json_t *make_body(const struct asking *a, const struct change_row *row)
{
	json_t *body = json_object();
	for (const struct carried *c = row->carried; c < row->carried + CARRIED_MAX && c->member; c++) {
		json_t *value = json_object_get(a->args, c->param);
		if (value)
			(void) json_object_set(body, c->member, value);
	}
	return body;
}

static RESULT make_change(struct asking *a)
{
	const struct change_row *row = rows;
	while (row < rows + sizeof rows / sizeof *rows && strcmp(row->words, a->words) != 0)
		row++;
	json_t *body = make_body(a, row);
	struct result result = asking_change(a, row->method, fill(a, row->path, true).p, body);
	json_decref(body);
	TRY(result);
	buf_add_str(&a->text, fill(a, row->says, false));
	json_decref(a->value); /* there is none */
	a->value = json_null();
	return OK;
}

#define WHO_AND_WHERE                                                                                        \
	{"role", PARAM_POSITIONAL, true, "admin, manager, member, reader, or another."},                     \
		{"user", PARAM_OPTION, false, "NAME of the default domain, DOMAIN/NAME, or an id."},         \
		{"group", PARAM_OPTION, false, "A group instead, named likewise."},                          \
		{"account", PARAM_OPTION, false, "Where: NAME of the default domain, or DOMAIN/NAME."},      \
		{"domain", PARAM_OPTION, false, "Or on a domain."},                                          \
		{"system", PARAM_FLAG, false, "Or on the region as a whole."},                               \
		{"inherited", PARAM_FLAG, false, "Not on the domain itself but on all its accounts."},
#define SIGNUP_PARAM                                                                                         \
	{                                                                                                    \
		"signup", PARAM_POSITIONAL, true, "Its UUID, as `dari signup list` has it."                  \
	}
#define INSTANCE_PARAM                                                                                       \
	{                                                                                                    \
		"id", PARAM_POSITIONAL, true, "The instance, by EC2's id or its UUID."                       \
	}

const struct command change_commands[] = {
	{"role grant", "Gives a user or group a role somewhere.", {WHO_AND_WHERE}, .ask = make_change},
	{"role revoke", "Takes it back.", {WHO_AND_WHERE}, .ask = make_change},
	{"webhook remove",
	 "Removes a webhook, with what it was to be told.",
	 {{"name", PARAM_POSITIONAL, true, "What it is called."}},
	 .ask = make_change},
	{"webhook retry",
	 "Tells a webhook once more what waits or was given up, at once.",
	 {{"delivery", PARAM_POSITIONAL, true, "Its UUID, as `dari webhook deliveries` has it."}},
	 .ask = make_change},
	{"signup remove",
	 "Removes a template. Accounts that were made by it stay.",
	 {{"name", PARAM_POSITIONAL, true, "What it is called."}},
	 .ask = make_change},
	{"signup accept",
	 "Lets an account that is held go on, on trial.",
	 {SIGNUP_PARAM, {"reason", PARAM_OPTION, false, "For the history."}},
	 .ask = make_change},
	{"signup refuse",
	 "Closes an account that is held: nobody gets in.",
	 {SIGNUP_PARAM, {"reason", PARAM_OPTION, true, "Why, as webhooks are told."}},
	 .ask = make_change},
	{"instance freeze",
	 "Freezes an instance that is misused: its processors stand still, and its owner changes nothing of "
	 "it.",
	 {INSTANCE_PARAM, {"reason", PARAM_OPTION, true, "Why, in words that its owner may read."}},
	 .ask = make_change},
	{"instance thaw",
	 "Lets a frozen instance go on, as its owner's own.",
	 {INSTANCE_PARAM},
	 .ask = make_change},
	{0},
};
