/* SPDX-License-Identifier: Apache-2.0
 * Compares an operator's view with the model: flavors, users, and the access that flavors and roles give. */
#include <stdio.h>

#include "simulation.h"

static struct str name_of(struct str item)
{
	return answer_at(item, "name");
}

static bool is_offered(const struct look *l, const struct thing *t, unsigned account)
{
	struct str body = request_get_answer(l->s, account, "GET /compute/v2.1/flavors?minRam=16777216");
	struct str set = answer_at(body, "flavors");
	for (struct str item; answer_next_item(&set, &item);)
		if (str_is(name_of(item), t->name))
			return true;
	return false;
}

static const char *differ_flavor(const struct look *l, struct thing *t, struct str item)
{
	bool is_public = str_is(answer_at(item, "os-flavor-access:is_public"), "true");
	if (!str_is(name_of(item), t->name))
		return "its name";
	if (is_public == t->is_private)
		return "who may use it";
	for (unsigned account = 0; l->is_settled && account < ACCOUNTS; account++)
		if (is_offered(l, t, account) != (!t->is_private || (t->members >> account & 1)))
			return "who sees it";
	return NULL;
}

static bool is_nobody_of_ours(const struct look *l, struct str item)
{
	(void) l;
	return !str_starts_with(name_of(item), STR("person"));
}

static const char *differ_person(const struct look *l, struct thing *t, struct str item)
{
	char form[120];
	size_t shown = 0, known = 0;
	if (!str_is(name_of(item), t->name))
		return "the name";
	snprintf(form, sizeof form, "GET /identity/v3/role_assignments?user.id=%.*s",
		 (int) answer_at(item, "id").n, answer_at(item, "id").p);
	struct str set = answer_at(request_get_answer(l->s, l->account, form), "role_assignments");
	for (struct str one; answer_next_item(&set, &one);)
		shown++;
	for (unsigned account = 0; account < ACCOUNTS; account++) {
		unsigned roles = t->members >> account * 2 & 3;
		known += (roles & 1) + (roles >> 1);
		if (request_is_let_in(l->s, t->uuid, account) != (roles != 0))
			return "where this person is let in";
	}
	return shown == known ? NULL : "the number of roles";
}

static const char *differ_credential(const struct look *l, struct thing *t, struct str item)
{
	(void) l;
	return str_is(name_of(item), t->name) ? NULL : "its name";
}

static const char *differ_rule(const struct look *l, struct thing *t, struct str item)
{
	char path[16];
	(void) l;
	snprintf(path, sizeof path, "/v2.1/%d", (int) t->port);
	return str_is(answer_at(item, "path"), path) ? NULL : "its path";
}

static const char *differ_trust(const struct look *l, struct thing *t, struct str item)
{
	(void) l;
	return str_is(answer_at(item, "impersonation"), t->is_private ? "true" : "false")
		       ? NULL
		       : "whether it impersonates";
}

static const struct listing rows[] = {
	{KIND_INSTANCE_TYPE, "GET /compute/v2.1/flavors/detail?is_public=None&minRam=16777216", "flavors",
	 "id", NULL, NULL, differ_flavor, .is_operators = true},
	{KIND_USER, "GET /identity/v3/users", "users", "id", NULL, NULL, differ_person,
	 .passes = is_nobody_of_ours, .is_operators = true},
	{KIND_APPLICATION_CREDENTIAL, "GET /identity/v3/users/{user}/application_credentials",
	 "application_credentials", "id", NULL, NULL, differ_credential},
	{KIND_ACCESS_RULE, "GET /identity/v3/users/{user}/access_rules", "access_rules", "id", NULL, NULL,
	 differ_rule},
	{KIND_TRUST, "GET /identity/v3/OS-TRUST/trusts?trustor_user_id={user}", "trusts", "id", NULL, NULL,
	 differ_trust},
};
const struct listings operator_listings = {rows, sizeof rows / sizeof *rows};
