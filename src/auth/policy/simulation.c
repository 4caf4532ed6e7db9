/* SPDX-License-Identifier: Apache-2.0
 * Decisions of the policy simulator. Callers: api/iam/simulate.c, api/native/policies.c. */
#include "auth/policy/simulation.h"

#include "engine/people/policy/role.h"
#include "model/iam_role.h"
#include "model/policy.h"
#include "model/policy_version.h"
#include "model/user.h"
#include "model/user_group.h"
#include "store/tables.h"

/* ---- selection ---- */

static RESULT compile(struct simulation *s, struct str document, const char *field,
		      const struct policy_code **ret_code)
{
	struct result result = policy_compile(s->c, document, POLICY_OF_IDENTITY, ret_code);
	if (result.code == ERR_INVALID)
		s->c->problem.field = str_from(field);
	return result;
}

static RESULT add(struct simulation *s, const struct simulated_policy *policy, const char *field)
{
	struct simulated_policy added = *policy;
	TRY(compile(s, added.document, field, &added.code));
	return VEC_PUSH(s->c->arena, &s->policies, added) ? OK : ctx_no_memory(s->c);
}

RESULT simulation_add_document(struct simulation *s, struct str name, struct str document, const char *field)
{
	return add(s, &(struct simulated_policy){.name = name, .document = document}, field);
}

RESULT simulation_set_boundary(struct simulation *s, struct str document, const char *field)
{
	return compile(s, document, field, &s->set.boundary);
}

static struct str owner_name(enum kind kind, const struct row *row)
{
	return kind == KIND_USER         ? user_of(row)->name
	       : kind == KIND_USER_GROUP ? user_group_of(row)->name
					 : iam_role_of(row)->name;
}

static struct str name_policy(struct simulation *s, const struct tables *t, const struct policy *p)
{
	const struct {
		enum kind kind;
		uuid id;
		const char *word;
	} owners[] = {{KIND_USER, p->user, "user"},
		      {KIND_USER_GROUP, p->user_group, "group"},
		      {KIND_IAM_ROLE, p->iam_role, "role"}};
	for (size_t k = 0; k < sizeof owners / sizeof owners[0]; k++) {
		const struct row *row =
			uuid_is_none(owners[k].id) ? NULL : tables_find(t, owners[k].kind, owners[k].id);
		if (row)
			return str_print(s->c->arena, "%s_%" STR_FMT "_%" STR_FMT, owners[k].word,
					 STR_ARG(owner_name(owners[k].kind, row)), STR_ARG(p->name));
	}
	return str_copy(s->c->arena, p->name);
}

RESULT simulation_add_principal(struct simulation *s, const struct tables *t, uuid account,
				const struct policy_principal *principal, const char *field)
{
	struct roles roles = {0};
	struct policy_source *sources =
		arena_new_array(s->c->arena, struct policy_source, POLICY_SOURCES_MAX);
	uuid id = principal->row->id;
	size_t count = 0;
	if (!sources)
		return ctx_no_memory(s->c);
	if (principal->kind == KIND_USER)
		engine_find_roles(t, id, IDENTITY_ACCOUNT, account, &roles);
	s->set.has_role = roles.rights & RIGHT(MEMBER);
	if (!engine_find_policies(t, id, account, sources, &count))
		return ctx_fail(s->c, ERR_QUOTA, "More than %d policies speak of the principal.",
				POLICY_SOURCES_MAX);
	for (size_t k = 0; k < count; k++) {
		const struct policy *p = sources[k].policy;
		const struct simulated_policy policy = {
			.name = name_policy(s, t, p),
			.document = str_copy(s->c->arena, sources[k].version->document),
			.policy = p->row.id};
		if (sources[k].is_boundary) {
			s->boundary_name = policy.name;
			TRY(simulation_set_boundary(s, policy.document, field));
		} else {
			TRY(add(s, &policy, field));
		}
	}
	return OK;
}

RESULT simulation_begin(struct simulation *s)
{
	const struct policy_code **identity =
		arena_new_array(s->c->arena, const struct policy_code *, s->policies.count + 1);
	if (!identity)
		return ctx_no_memory(s->c);
	for (size_t k = 0; k < s->policies.count; k++)
		identity[k] = s->policies.at[k].code;
	s->set.identity = identity;
	s->set.identity_count = s->policies.count;
	return OK;
}

/* Reads each document once, for any number of actions. */
RESULT simulation_read_statements(struct simulation *s)
{
	for (size_t k = 0; k < s->policies.count; k++) {
		struct simulated_policy *p = &s->policies.at[k];
		size_t count = policy_count_statements(p->code) + 1;
		p->starts = arena_new_array(s->c->arena, struct policy_place, count);
		p->ends = arena_new_array(s->c->arena, struct policy_place, count);
		p->keys = arena_new_array(s->c->arena, struct policy_keys, count);
		if (!p->starts || !p->ends || !p->keys)
			return ctx_no_memory(s->c);
		TRY(policy_list_keys_of_each(s->c, p->document, p->keys));
	}
	return OK;
}

/* ---- what is decided ---- */

/* Compares keys, ignoring case up to '/'. */
static bool is_same_key(struct str a, struct str b)
{
	size_t slash = str_find_char(a, '/', 0);
	return a.n == b.n && str_equal_nocase(str_slice(a, 0, slash), str_slice(b, 0, slash)) &&
	       str_equal(str_slice(a, slash, a.n), str_slice(b, slash, b.n));
}

static enum policy_known find_key(const struct policy_question *q, struct str key, struct strs *ret_values)
{
	const struct simulation *s = q->request;
	for (size_t k = 0; k < s->key_count; k++)
		if (is_same_key(key, s->keys[k].key)) {
			*ret_values = s->keys[k].values;
			return POLICY_PRESENT;
		}
	return POLICY_ABSENT;
}

void simulation_decide(struct simulation *s, struct str action, struct str resource,
		       struct policy_question *ret_question, struct policy_decision *ret_decision)
{
	*ret_question = (struct policy_question){.action = action,
						 .permission = permission_find_action(action),
						 .resource = resource,
						 .find = find_key,
						 .request = s,
						 .arena = s->c->arena};
	policy_decide(&s->set, ret_question, ret_decision);
}

const char *simulation_word(const struct policy_decision *d)
{
	return d->effect == POLICY_ALLOWS   ? "allowed"
	       : d->effect == POLICY_DENIES ? "explicitDeny"
					    : "implicitDeny";
}

bool simulation_next_match(struct simulation *s, const struct policy_question *q,
			   const struct policy_decision *d, struct simulation_match *m)
{
	for (; m->next_policy < s->policies.count && d->effect != POLICY_SILENT;
	     m->next_policy++, m->next_statement = 0) {
		struct simulated_policy *p = &s->policies.at[m->next_policy];
		while (m->next_statement < policy_count_statements(p->code)) {
			size_t n = m->next_statement++;
			if (policy_ask_statement(p->code, q, n) != d->effect)
				continue;
			m->policy = m->next_policy;
			m->statement = n;
			if (!p->starts[n].line)
				(void) policy_find_place(p->document, n, &p->starts[n], &p->ends[n]);
			m->start = p->starts[n];
			m->end = p->ends[n];
			return true;
		}
	}
	return false;
}

static bool has_key(const struct policy_keys *keys, struct str key)
{
	for (size_t k = 0; k < keys->names.count; k++)
		if (str_equal_nocase(keys->names.at[k], key))
			return true;
	return false;
}

RESULT simulation_find_missing(struct simulation *s, const struct policy_question *q,
			       struct policy_keys *missing)
{
	struct strs values;
	for (size_t k = 0; k < s->policies.count; k++) {
		const struct simulated_policy *p = &s->policies.at[k];
		for (size_t n = 0; n < policy_count_statements(p->code); n++) {
			const struct policy_keys *keys = &p->keys[n];
			bool concerns = keys->names.count && policy_concerns(p->code, q, n);
			for (size_t m = 0; concerns && m < keys->names.count; m++)
				if (find_key(q, keys->names.at[m], &values) == POLICY_ABSENT &&
				    !has_key(missing, keys->names.at[m]) &&
				    !VEC_PUSH(s->c->arena, &missing->names, keys->names.at[m]))
					return ctx_no_memory(s->c);
		}
	}
	return OK;
}

bool simulation_boundary_allows(const struct simulation *s, const struct policy_question *q, bool *ret_has)
{
	size_t statement = 0;
	*ret_has = s->set.boundary != NULL;
	return *ret_has && policy_ask(s->set.boundary, q, &statement) == POLICY_ALLOWS;
}
