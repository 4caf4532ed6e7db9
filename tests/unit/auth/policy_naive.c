/* SPDX-License-Identifier: Apache-2.0
 * The naive evaluator: statements and decisions. */
#include "policy_naive.h"

#include <ctype.h>
#include <stdlib.h>

#include "model/account.h"
#include "policy_naive_compare.h"

static enum truth not(enum truth t) { return YES - t; }
static enum truth both(enum truth a, enum truth b)
{
	return a < b ? a : b;
}
static enum truth either(enum truth a, enum truth b)
{
	return a > b ? a : b;
}

/* ---- lists ---- */

/* A list in a policy may be written as its only value. */
static size_t count_of(const json_t *list)
{
	return json_is_array(list) ? json_array_size(list) : 1;
}
static const json_t *value_of(const json_t *list, size_t k)
{
	return json_is_array(list) ? json_array_get(list, k) : list;
}

/* ---- Action ---- */

static enum truth action_fits(const struct policy_question *q, struct str pattern)
{
	struct str word;
	if (q->permission == PERMISSION_NONE)
		return naive_glob(pattern, q->action);
	for (size_t n = 0; permission_word(q->permission, n, &word); n++)
		if (naive_glob(pattern, word) == YES)
			return YES;
	return NO;
}

static enum truth actions_fit(const struct policy_question *q, const json_t *list)
{
	enum truth t = NO;
	for (size_t k = 0; k < count_of(list); k++)
		t = either(t, action_fits(q, naive_text(value_of(list, k))));
	return t;
}

/* ---- Resource ---- */

static enum truth resource_fits(struct naive *n, struct str pattern)
{
	struct glyphs g;
	if (str_is(pattern, "*"))
		return YES;
	if (naive_count_parts(pattern) < 6)
		n->is_silent = true;
	if (str_is_empty(n->q->resource)) /* any that a statement names counts */
		return MAYBE;
	enum truth known = naive_read_pattern(n, pattern, true, &g);
	return known == YES ? naive_match(g, n->q->resource) : known;
}

static enum truth resources_fit(struct naive *n, const json_t *list)
{
	enum truth t = NO;
	for (size_t k = 0; k < count_of(list); k++)
		t = either(t, resource_fits(n, naive_text(value_of(list, k))));
	return t;
}

static bool has_text(const json_t *list, const char *text)
{
	for (size_t k = 0; k < count_of(list); k++)
		if (str_is(naive_text(value_of(list, k)), text))
			return true;
	return false;
}

/* ---- Principal ---- */

/* An account is its number or its root's ARN. */
static struct str arn_account(struct str id)
{
	const struct str head = STR("arn:aws:iam::"), tail = STR(":root");
	if (str_starts_with(id, head) && str_ends_with(id, tail))
		return str_slice(id, head.n, id.n - tail.n);
	return id;
}

static enum truth principal_is(struct naive *n, struct str kind, struct str id)
{
	for (size_t k = 0; k < n->q->principals.count; k++) {
		struct str who = n->q->principals.at[k], who_kind = who;
		size_t colon = str_find_char(who, ':', 0);
		who_kind.n = colon;
		if (!str_equal(who_kind, kind))
			continue;
		if (str_is(id, "*") || str_equal(arn_account(id), str_slice(who, colon + 1, who.n)))
			return YES;
	}
	return NO;
}

static enum truth principals_fit(struct naive *n, const json_t *element)
{
	const char *kind;
	json_t *list;
	enum truth t = NO;
	if (json_is_string(element)) { /* "*" */
		for (size_t k = 0; k < n->q->principals.count; k++)
			n->is_silent = n->is_silent || !str_starts_with(n->q->principals.at[k], STR("AWS:"));
		return principal_is(n, STR("AWS"), naive_text(element));
	}
	json_object_foreach ((json_t *) element, kind, list)
		for (size_t k = 0; k < count_of(list); k++)
			t = either(t, principal_is(n, str_from(kind), naive_text(value_of(list, k))));
	return t;
}

/* ---- Condition ---- */

/* Compares one value of the request with all values of the condition. */
static enum truth one_fits(struct naive *n, const struct naive_operator *o, struct str given,
			   const json_t *list)
{
	enum truth t = NO;
	for (size_t k = 0; k < count_of(list); k++)
		t = either(t, naive_compare(n, o, given, value_of(list, k)));
	return o->is_negated ? not(t) : t;
}

static enum truth null_fits(struct naive *n, bool is_there, const json_t *list)
{
	enum truth t = NO;
	for (size_t k = 0; k < count_of(list); k++) {
		struct str wanted = naive_scalar(n->q->arena, value_of(list, k));
		t = either(t, str_is(wanted, is_there ? "false" : "true") ? YES : NO);
	}
	return t;
}

static enum truth set_fits(struct naive *n, const struct naive_operator *o, struct strs given,
			   const json_t *list)
{
	enum truth all = YES, any = NO;
	if (given.count == 1 && str_is_empty(given.at[0]))
		n->is_silent = true;
	for (size_t k = 0; k < given.count; k++) {
		enum truth t = one_fits(n, o, given.at[k], list);
		all = both(all, t);
		any = either(any, t);
	}
	return o->set == SET_ALL ? all : any;
}

static enum truth key_fits(struct naive *n, const struct naive_operator *o, struct str key,
			   const json_t *list)
{
	struct strs given = {0};
	enum policy_known known = n->q->find(n->q, naive_fold_key(n->q->arena, key), &given);
	if (known == POLICY_NOT_YET)
		return MAYBE;
	if (known == POLICY_PRESENT && given.count == 0 && (o->set == SET_NONE || o->if_exists))
		n->is_silent = true;
	if (o->how == HOW_NULL)
		return null_fits(n, known == POLICY_PRESENT, list);
	if (known == POLICY_ABSENT && o->if_exists)
		return YES;
	if (o->set != SET_NONE)
		return set_fits(n, o, given, list);
	if (known == POLICY_ABSENT)
		return o->is_negated ? YES : NO;
	if (given.count != 1) {
		n->is_silent = true;
		return NO;
	}
	return one_fits(n, o, given.at[0], list);
}

static enum truth conditions_hold(struct naive *n, const json_t *condition)
{
	const char *name, *key;
	json_t *keys, *list;
	enum truth t = YES;
	json_object_foreach ((json_t *) condition, name, keys) {
		struct naive_operator o;
		if (!naive_find_operator(str_from(name), &o)) {
			n->is_silent = true;
			continue;
		}
		json_object_foreach (keys, key, list) {
			if (count_of(list) == 0)
				n->is_silent = true;
			t = both(t, key_fits(n, &o, str_from(key), list));
		}
	}
	return t;
}

/* ---- statements ---- */

static enum truth statement_applies(struct naive *n, const json_t *s)
{
	static const char *const lists[] = {"Action", "NotAction", "Resource", "NotResource"};
	const json_t *e;
	enum truth t = YES;
	for (size_t k = 0; k < sizeof lists / sizeof lists[0]; k++)
		if ((e = json_object_get(s, lists[k])) && count_of(e) == 0)
			n->is_silent = true;
	if ((e = json_object_get(s, "Principal")))
		t = both(t, principals_fit(n, e));
	if ((e = json_object_get(s, "NotPrincipal")))
		t = both(t, not(principals_fit(n, e)));
	if ((e = json_object_get(s, "Action")))
		t = both(t, actions_fit(n->q, e));
	if ((e = json_object_get(s, "NotAction")))
		t = both(t, not(actions_fit(n->q, e)));
	if (n->q->is_by_name &&
	    (json_object_get(s, "NotResource") || has_text(json_object_get(s, "Resource"), "*")))
		return NO; /* only named principals match */
	if ((e = json_object_get(s, "Resource")))
		t = both(t, resources_fit(n, e));
	if ((e = json_object_get(s, "NotResource")))
		t = both(t, not(resources_fit(n, e)));
	if ((e = json_object_get(s, "Condition")))
		t = both(t, conditions_hold(n, e));
	return t;
}

enum policy_effect policy_naive_ask(const json_t *document, const struct policy_question *q,
				    size_t *ret_statement, bool *ret_is_silent)
{
	const json_t *list = json_object_get(document, "Statement");
	struct str version = naive_text(json_object_get(document, "Version"));
	struct naive n = {.q = q, .has_variables = str_is(version, "2012-10-17")};
	enum policy_effect effect = POLICY_SILENT;
	for (size_t k = 0; k < count_of(list) && effect != POLICY_DENIES; k++) {
		const json_t *s = value_of(list, k);
		bool denies = str_is(naive_text(json_object_get(s, "Effect")), "Deny");
		enum truth t = statement_applies(&n, s);
		if (denies ? t != YES : t == NO || effect == POLICY_ALLOWS)
			continue;
		*ret_statement = k;
		effect = denies ? POLICY_DENIES : POLICY_ALLOWS;
	}
	*ret_is_silent = *ret_is_silent || n.is_silent;
	return effect;
}

/* ---- decisions ---- */

/* The strongest of several: Deny, then Allow. */
static enum policy_effect ask_all(json_t *const *documents, size_t count, const struct policy_question *q,
				  bool *ret_is_silent)
{
	enum policy_effect effect = POLICY_SILENT;
	size_t statement;
	for (size_t k = 0; k < count; k++) {
		enum policy_effect one = policy_naive_ask(documents[k], q, &statement, ret_is_silent);
		if (one == POLICY_DENIES || effect == POLICY_SILENT)
			effect = effect == POLICY_DENIES ? effect : one;
	}
	return effect;
}

enum policy_effect policy_naive_decide(const struct naive_set *set, const struct policy_question *q,
				       bool *ret_is_silent)
{
	json_t *const limit[] = {(json_t *) set->boundary};
	enum policy_effect identity = ask_all(set->identity, set->identity_count, q, ret_is_silent),
			   session = ask_all(set->session, set->session_count, q, ret_is_silent),
			   boundary = ask_all(limit, set->boundary ? 1 : 0, q, ret_is_silent);
	if (identity == POLICY_DENIES || session == POLICY_DENIES || boundary == POLICY_DENIES)
		return POLICY_DENIES;
	if (set->boundary && boundary != POLICY_ALLOWS)
		return POLICY_SILENT;
	if (set->has_session && session != POLICY_ALLOWS)
		return POLICY_SILENT;
	return identity == POLICY_ALLOWS || set->has_role ? POLICY_ALLOWS : POLICY_SILENT;
}
