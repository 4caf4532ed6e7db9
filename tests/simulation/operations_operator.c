/* SPDX-License-Identifier: Apache-2.0
 * An operator's OpenStack calls: flavors for all or some projects, users and their roles. Also application
 * credentials with their access rules, and trusts, which accounts create themselves. */
#include <stdio.h>

#include "simulation.h"

static void draw_name(struct request *x, const char *word)
{
	snprintf(x->name, sizeof x->name, "%s%d", word, (int) random_below(4));
	request_add(x, "name", "\"%s\"", x->name);
}

static struct thing *find_named(const struct request *x, enum kind kind)
{
	EACH (&x->s->model, t, kind)
		if (t->account == x->account && strcmp(t->name, x->name) == 0)
			return t;
	return NULL;
}

static struct thing *add_named(struct request *x, enum kind kind, struct str id)
{
	struct thing *t = model_add(&x->s->model, kind, x->account, NULL, id);
	snprintf(t->name, sizeof t->name, "%s", x->name);
	return t;
}

static const char *project_of(const struct request *x, unsigned account)
{
	uuid id = x->s->region.users[account].who.account;
	return str_encode_hex(x->s->region.cloud->arena, id.b, sizeof id.b).p;
}

/* Replaces the name in braces in the path. */
static void put_in_path(struct request *x, const char *place, const char *text)
{
	char rest[sizeof x->path];
	char *at = strstr(x->path, place);
	assert_true(at != NULL);
	snprintf(rest, sizeof rest, "%s", at + strlen(place));
	snprintf(at, sizeof x->path - (size_t) (at - x->path), "%s%s", text, rest);
}

/* ---- flavors ---- */

static bool draw_flavor(struct request *x)
{
	draw_name(x, "flavor");
	x->flag = random_below(2) == 0;
	request_add(x, "ram",
		    "16777216"); /* lists recognise these flavors among the region's by this value */
	request_add(x, "vcpus", "1");
	request_add(x, "disk", "0");
	request_add(x, "os-flavor-access:is_public", "%s", x->flag ? "false" : "true");
	return true;
}

static void judge_flavor(const struct request *x, struct verdict *v)
{
	if (find_named(x, KIND_INSTANCE_TYPE))
		refuse(v, "409");
}

static void apply_flavor(struct request *x, struct str answer)
{
	add_named(x, KIND_INSTANCE_TYPE, answer_at(answer, "flavor/id"))->is_private = x->flag;
}

static bool draw_access(struct request *x, const char *word)
{
	x->count = (int64_t) random_below(ACCOUNTS);
	request_add(x, word, "{\"tenant\": \"%s\"}", project_of(x, (unsigned) x->count));
	return true;
}

static bool draw_add_access(struct request *x)
{
	return draw_access(x, "addTenantAccess");
}

static bool draw_remove_access(struct request *x)
{
	return draw_access(x, "removeTenantAccess");
}

static bool has_access(const struct request *x)
{
	return x->refs[0]->members >> x->count & 1;
}

static void judge_add_access(const struct request *x, struct verdict *v)
{
	if (!x->refs[0]->is_private || has_access(x))
		refuse(v, "409");
}

static void apply_add_access(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->members |= 1u << x->count;
}

static void judge_remove_access(const struct request *x, struct verdict *v)
{
	if (!x->refs[0]->is_private)
		refuse(v, "409");
	else if (!has_access(x))
		refuse(v, "404");
}

static void apply_remove_access(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->members &= ~(1u << x->count);
}

/* ---- users and their roles ---- */

static bool draw_person(struct request *x)
{
	draw_name(x, "person");
	return true;
}

static void judge_person(const struct request *x, struct verdict *v)
{
	if (find_named(x, KIND_USER))
		refuse(v, "409");
}

static void apply_person(struct request *x, struct str answer)
{
	(void) add_named(x, KIND_USER, answer_at(answer, "user/id"));
}

static const char *const roles[] = {"member", "reader"};

static bool draw_grant(struct request *x)
{
	char form[80];
	size_t role = random_below(2);
	unsigned account = (unsigned) random_below(ACCOUNTS);
	snprintf(form, sizeof form, "GET /identity/v3/roles?name=%s", roles[role]);
	struct str id = answer_at(request_get_answer(x->s, ADMIN, form), "roles/item/id");
	x->count = (int64_t) (account * 2 + role);
	x->flag = has_access(x);
	put_in_path(x, "{project_id}", project_of(x, account));
	put_in_path(x, "{role_id}", str_to_z(x->s->region.cloud->arena, id));
	return true;
}

static void apply_grant(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->members |= 1u << x->count;
}

/* The refusal is recorded before it is answered, and the role may be granted in between. */
static void judge_revoke(const struct request *x, struct verdict *v)
{
	if (!has_access(x) || !x->flag)
		refuse_or_doubt(v, !has_access(x), "404");
}

/* ---- application credentials ---- */

static const char *user_of(const struct request *x, unsigned account)
{
	uuid user = x->s->region.users[account].who.user;
	return str_encode_hex(x->s->region.cloud->arena, user.b, sizeof user.b).p;
}

/* A credential of the account, by its owner. */
static bool draw_own(struct request *x)
{
	x->is_hand = false;
	put_in_path(x, "{user_id}", user_of(x, x->account));
	return true;
}

/* Sometimes with one of a few rules: equal rules share a row. */
static bool draw_credential(struct request *x)
{
	draw_name(x, "credential");
	request_add(x, "secret", "\"secret\"");
	x->flag = random_below(2) == 0;
	x->count = (int64_t) random_below(3);
	if (x->flag)
		request_add(x, "access_rules",
			    "[{\"service\": \"compute\", \"method\": \"GET\", \"path\": \"/v2.1/%d\"}]",
			    (int) x->count);
	return draw_own(x);
}

static void judge_credential(const struct request *x, struct verdict *v)
{
	if (find_named(x, KIND_APPLICATION_CREDENTIAL))
		refuse(v, "409");
}

static void apply_credential(struct request *x, struct str answer)
{
	struct thing *t =
		add_named(x, KIND_APPLICATION_CREDENTIAL, answer_at(answer, "application_credential/id"));
	struct str rule = answer_at(answer, "application_credential/access_rules/item/id");
	if (!x->flag)
		return;
	EACH (&x->s->model, r, KIND_ACCESS_RULE)
		if (r->account == x->account && r->port == x->count)
			t->to = r;
	if (!t->to)
		t->to = model_add(&x->s->model, KIND_ACCESS_RULE, x->account, NULL, rule);
	t->to->port = x->count;
	if (!model_is_id(rule, t->to))
		blame(x->s, "#%d: another row for the same rule", (int) x->serial);
}

/* ---- access rules ---- */

static void judge_delete_rule(const struct request *x, struct verdict *v)
{
	EACH (&x->s->model, t, KIND_APPLICATION_CREDENTIAL)
		if (t->to == x->refs[0])
			refuse(v, "403");
}

/* ---- trusts ---- */

static bool draw_trust(struct request *x)
{
	unsigned trustee = (x->account + 1) % ACCOUNTS;
	x->is_hand = false;
	x->flag = random_below(2) == 0;
	request_add(x, "trustor_user_id", "\"%s\"", user_of(x, x->account));
	request_add(x, "trustee_user_id", "\"%s\"", user_of(x, trustee));
	request_add(x, "project_id", "\"%s\"", project_of(x, x->account));
	request_add(x, "impersonation", "%s", x->flag ? "true" : "false");
	request_add(x, "roles", "[{\"name\": \"member\"}]");
	return true;
}

static void apply_trust(struct request *x, struct str answer)
{
	struct thing *t =
		model_add(&x->s->model, KIND_TRUST, x->account, NULL, answer_at(answer, "trust/id"));
	t->is_private = x->flag;
}

/* The refusal for another account's trust differs from that for a missing one. */
static bool draw_delete_trust(struct request *x)
{
	x->is_hand = false;
	return x->refs[0]->account == x->account;
}

#define FLAVORS "/compute/v2.1/flavors"
#define FLAVOR                                                                                               \
	{                                                                                                    \
		{                                                                                            \
			"flavor_id", KIND_INSTANCE_TYPE                                                      \
		}                                                                                            \
	}
#define PEOPLE "/identity/v3/users"
#define PERSON                                                                                               \
	{                                                                                                    \
		{                                                                                            \
			"user_id", KIND_USER                                                                 \
		}                                                                                            \
	}
#define GRANT "/identity/v3/projects/{project_id}/users/{user_id}/roles/{role_id}"
#define CREDENTIALS PEOPLE "/{user_id}/application_credentials"
#define RULES PEOPLE "/{user_id}/access_rules"
#define TRUSTS "/identity/v3/OS-TRUST/trusts"
#define BY_OPERATOR .is_operators = true
static const struct operation rows[] = {
	{"POST " FLAVORS, 2, {}, "flavor", draw_flavor, judge_flavor, apply_flavor, BY_OPERATOR},
	{"DELETE " FLAVORS "/{flavor_id}", 1, FLAVOR, NULL, NULL, NULL, request_apply_end, BY_OPERATOR},
	{"POST " FLAVORS "/{flavor_id}/action", 2, FLAVOR, NULL, draw_add_access, judge_add_access,
	 apply_add_access, BY_OPERATOR},
	{"POST " FLAVORS "/{flavor_id}/action", 1, FLAVOR, NULL, draw_remove_access, judge_remove_access,
	 apply_remove_access, BY_OPERATOR},
	{"POST " PEOPLE, 2, {}, "user", draw_person, judge_person, apply_person, BY_OPERATOR},
	{"DELETE " PEOPLE "/{user_id}", 1, PERSON, NULL, NULL, NULL, request_apply_end, BY_OPERATOR},
	{"PUT " GRANT, 3, PERSON, NULL, draw_grant, NULL, apply_grant, BY_OPERATOR},
	{"DELETE " GRANT, 2, PERSON, NULL, draw_grant, judge_revoke, apply_remove_access, BY_OPERATOR},
	{"POST " CREDENTIALS,
	 1,
	 {},
	 "application_credential",
	 draw_credential,
	 judge_credential,
	 apply_credential},
	{"DELETE " CREDENTIALS "/{credential_id}",
	 1,
	 {{"credential_id", KIND_APPLICATION_CREDENTIAL}},
	 NULL,
	 draw_own,
	 NULL,
	 request_apply_end},
	{"DELETE " RULES "/{access_rule_id}",
	 1,
	 {{"access_rule_id", KIND_ACCESS_RULE}},
	 NULL,
	 draw_own,
	 judge_delete_rule,
	 request_apply_end},
	{"POST " TRUSTS, 1, {}, "trust", draw_trust, NULL, apply_trust},
	{"DELETE " TRUSTS "/{trust_id}",
	 1,
	 {{"trust_id", KIND_TRUST}},
	 NULL,
	 draw_delete_trust,
	 NULL,
	 request_apply_end},
};
const struct operations operator_operations = {rows, sizeof rows / sizeof *rows};
