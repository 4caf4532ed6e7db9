/* SPDX-License-Identifier: Apache-2.0
 * Collects the policies that apply to a principal, compiles each version once and caches it; and maps the
 * faces' action names to permissions. */
#include <assert.h>
#include <stdlib.h>

#include "auth/guard/guard_internal.h"
#include "auth/policy/resource_policy.h"
#include "auth/sign_in/session.h"
#include "base/crypto.h"
#include "base/heap.h"
#include "model/iam_name.h"
#include "model/policy.h"
#include "model/policy_version.h"
#include "store/account.h"

static int compare_words(const void *a, const void *b)
{
	return str_compare(((const struct word *) a)->text, ((const struct word *) b)->text);
}

static void sum_words(struct guards *g)
{
	struct word word;
	for (word.permission = 0; word.permission < PERMISSION_COUNT; word.permission++)
		for (size_t n = 0; permission_word(word.permission, n, &word.text); n++) {
			assert(g->word_count < WORDS_MAX);
			g->words[g->word_count++] = word;
		}
	qsort(g->words, g->word_count, sizeof g->words[0], compare_words); /* for guard_find_permission() */
}

int guard_find_permission(const struct guards *g, struct str action)
{
	const struct word key = {.text = action};
	const struct word *found = bsearch(&key, g->words, g->word_count, sizeof key, compare_words);
	return found ? found->permission : PERMISSION_NONE;
}

RESULT guards_new(struct ctx *c, const struct guards_config *config, struct guards **ret_guards)
{
	struct guards *g = heap_new(struct guards);
	if (!g)
		return ctx_no_memory(c);
	g->store = config->store;
	g->write_role = config->write_role;
	g->hear = config->hear;
	g->later = guard_later;
	g->judge = guard_service_judge;
	g->region = heap_copy_z(str_to_z(c->arena, config->region));
	if (!g->region) {
		heap_free(g);
		return ctx_no_memory(c);
	}
	(void) pthread_mutex_init(&g->lock, NULL);
	sum_words(g);
	crypto_hmac_sha256(config->master_key, MASTER_KEY_SIZE, STR("refusal"), g->key);
	if (g->store)
		engine_set_service_judge(g->store, &g->judge);
	*ret_guards = g;
	return OK;
}

void guards_free(struct guards *g)
{
	if (!g)
		return;
	for (size_t k = 0; k < COMPILED_MAX; k++)
		heap_free(g->compiled[k].policy);
	guard_refusals_done(g);
	(void) pthread_mutex_destroy(&g->lock);
	crypto_wipe(g->key, sizeof g->key);
	heap_free(g->region);
	heap_free(g);
}

/* ---- compiled policies ---- */

/* Cache key: a row and its version. */
struct text_key {
	uuid id;
	uint64_t commit;
};

static struct compiled *slot_of(struct guards *g, uuid version)
{
	uint32_t hash;
	memcpy(&hash, version.b + 4, sizeof hash);
	return &g->compiled[hash % COMPILED_MAX];
}

/* Copies a cached policy for the call, because another thread may replace the entry; NULL: not cached. */
static const struct policy_code *copy_kept(struct guards *g, struct arena *a, struct text_key key)
{
	struct policy_code *copy = NULL;
	(void) pthread_mutex_lock(&g->lock);
	const struct compiled *slot = slot_of(g, key.id);
	if (slot->policy && uuid_equal(slot->version, key.id) && slot->commit == key.commit) {
		copy = arena_alloc(a, policy_size(slot->policy));
		if (copy)
			memcpy((void *) copy, slot->policy, policy_size(slot->policy));
	}
	(void) pthread_mutex_unlock(&g->lock);
	return copy;
}

static void keep(struct guards *g, struct text_key key, const struct policy_code *policy)
{
	struct policy_code *copy = heap_alloc(policy_size(policy));
	if (!copy)
		return; /* compiled again next time */
	memcpy((void *) copy, policy, policy_size(policy));
	(void) pthread_mutex_lock(&g->lock);
	struct compiled *slot = slot_of(g, key.id);
	struct policy_code *before = slot->policy;
	*slot = (struct compiled){key.id, key.commit, copy};
	(void) pthread_mutex_unlock(&g->lock);
	heap_free(before);
}

static RESULT take_text(struct guards *g, struct ctx *c, struct text_key key, struct str document,
			const struct policy_code **ret_policy)
{
	if (!result_is_ok(policy_compile(c, document, POLICY_OF_IDENTITY, ret_policy))) {
		ctx_clear_problem(c);
		return ctx_fail(c, ERR_INTERNAL, "a policy that was stored does not compile");
	}
	keep(g, key, *ret_policy);
	return OK;
}

static RESULT take_policy(struct guards *g, struct ctx *c, const struct policy_version *version,
			  const struct policy_code **ret_policy)
{
	const struct text_key key = {version->row.id, version->row.commit};
	*ret_policy = copy_kept(g, c->arena, key);
	return *ret_policy ? OK : take_text(g, c, key, version->document, ret_policy);
}

RESULT guard_take_resource(struct guards *g, struct ctx *c, uuid version, struct str document,
			   const struct policy_code **ret_policy)
{
	const struct text_key key = {.id = version};
	*ret_policy = copy_kept(g, c->arena, key);
	if (*ret_policy)
		return OK;
	if (!result_is_ok(resource_policy_compile(c, document, ret_policy))) {
		ctx_clear_problem(c);
		return ctx_fail(c, ERR_INTERNAL, "a resource's policy that was stored does not compile");
	}
	keep(g, key, *ret_policy);
	return OK;
}

/* Azure roles are converted at each start of the program, because a new version may implement more
 * actions. */
static RESULT take_role(struct guards *g, struct ctx *c, const struct arm_definition *role,
			const struct policy_code **ret_policy)
{
	const struct text_key key = {role->id, role->commit};
	struct str document = STR_NONE;
	*ret_policy = copy_kept(g, c->arena, key);
	if (*ret_policy)
		return OK;
	TRY(g->write_role(c, role->permissions, &document));
	return take_text(g, c, key, document, ret_policy);
}

static struct str name_policy(struct arena *a, struct str account_number, const struct policy *policy)
{
	if (!policy_is_managed(policy))
		return str_print(a, "inline policy %" STR_FMT, STR_ARG(policy->name));
	return iam_arn_to_text(a, account_number, KIND_POLICY, &policy->row);
}

/* Policies found in tables; valid as long as the tables. */
struct found_policies {
	struct policy_source sources[POLICY_SOURCES_MAX];
	struct str *names; /* in the arena */
	size_t count;
	struct arm_grant *grants; /* Azure role assignments; in the arena */
	size_t grant_count;
};

/* Adds Azure role assignments; most accounts have none. */
static RESULT find_grants(struct guards *g, struct ctx *c, const struct tables *t, uuid principal,
			  uuid account, struct found_policies *found)
{
	if (!g->write_role || uuid_is_none(principal) || !engine_has_assignments(t))
		return OK;
	found->grants = arena_new_array(c->arena, struct arm_grant, ARM_ASSIGNMENTS_OF_ONE);
	if (!found->grants)
		return ctx_no_memory(c);
	if (!engine_find_grants(t, principal, account, found->grants, &found->grant_count))
		return ctx_fail_kind(
			c, ERR_DENIED, KIND_ARM_ASSIGNMENT,
			"You are not authorized: more than %d role assignments speak of the user.",
			ARM_ASSIGNMENTS_OF_ONE);
	for (size_t k = 0; k < found->grant_count; k++) { /* the definitions must outlive the tables */
		struct arm_definition *role = &found->grants[k].definition;
		role->name = str_copy(c->arena, role->name);
		role->permissions = str_copy(c->arena, role->permissions);
	}
	return OK;
}

static RESULT find_policies(struct guards *g, struct ctx *c, const struct tables *t, uuid principal,
			    uuid account, struct found_policies *ret_found)
{
	const struct account *row = account_find(t, account);
	ret_found->names = NULL;
	ret_found->count = ret_found->grant_count = 0;
	TRY(find_grants(g, c, t, principal, account, ret_found));
	if (uuid_is_none(principal) || !engine_has_policies(t))
		return OK;
	if (!engine_find_policies(t, principal, account, ret_found->sources, &ret_found->count))
		return ctx_fail_kind(c, ERR_DENIED, KIND_POLICY,
				     "You are not authorized: more than %d policies speak of the user.",
				     POLICY_SOURCES_MAX);
	ret_found->names = arena_new_array(c->arena, struct str, ret_found->count + 1);
	if (!ret_found->names)
		return ctx_no_memory(c);
	for (size_t k = 0; k < ret_found->count; k++)
		ret_found->names[k] =
			name_policy(c->arena, row ? row->number : STR_NONE, ret_found->sources[k].policy);
	return OK;
}

static RESULT compile_grants(struct guards *g, struct ctx *c, const struct found_policies *found,
			     struct guard_policies *out)
{
	struct arm_place *places =
		arena_new_array(c->arena, struct arm_place, out->count + found->grant_count);
	if (!places)
		return ctx_no_memory(c);
	for (size_t k = 0; k < found->grant_count; k++) {
		const struct arm_grant *grant = &found->grants[k];
		TRY(take_role(g, c, &grant->definition, &out->at[out->count]));
		out->names[out->count] =
			str_print(c->arena, "Azure role %" STR_FMT, STR_ARG(grant->definition.name));
		places[out->count++] = grant->place;
	}
	out->places = places;
	return OK;
}

static RESULT compile_policies(struct guards *g, struct ctx *c, const struct found_policies *found,
			       struct guard_policies *ret_policies)
{
	struct guard_policies out = {0};
	size_t count = found->count + found->grant_count;
	if (count) {
		out.at = arena_new_array(c->arena, const struct policy_code *, count);
		out.names = arena_new_array(c->arena, struct str, count);
	}
	if (count && (!out.at || !out.names))
		return ctx_no_memory(c);
	for (size_t k = 0; k < found->count; k++) {
		const struct policy_code *policy = NULL;
		TRY(take_policy(g, c, found->sources[k].version, &policy));
		if (found->sources[k].is_boundary) {
			out.boundary = policy;
			out.boundary_name = found->names[k];
			continue;
		}
		out.names[out.count] = found->names[k];
		out.at[out.count++] = policy;
	}
	if (found->grant_count)
		TRY(compile_grants(g, c, found, &out));
	*ret_policies = out;
	return OK;
}

RESULT guard_gather(struct guards *g, struct ctx *c, uuid user, uuid account,
		    struct guard_policies *ret_policies)
{
	struct found_policies found;
	AUTO_VIEW v;
	view_open(g->store, &v);
	struct result result = find_policies(g, c, v.tables, user, account, &found);
	view_end_read(&v);
	TRY(result);
	return compile_policies(g, c, &found, ret_policies);
}

RESULT guard_gather_in(struct guards *g, struct ctx *c, const struct tables *t, uuid principal, uuid account,
		       struct guard_policies *ret_policies)
{
	struct found_policies found;
	TRY(find_policies(g, c, t, principal, account, &found));
	return compile_policies(g, c, &found, ret_policies);
}

/* Adds the policies that restrict a session. A deleted policy allows nothing, and a federated session without policies may
 * do nothing. */
RESULT guard_gather_session(struct guards *g, struct ctx *c, const struct tables *t,
			    const struct session *session, struct guard_policies *out)
{
	const struct policy_version *versions[SESSION_POLICIES_MAX];
	size_t count = 0;
	if (!session || (!session_is_federated(session) && !session->policy.n && !session->policies.count))
		return OK;
	out->has_session = true;
	out->session = arena_new_array(c->arena, const struct policy_code *, SESSION_POLICIES_MAX + 1);
	if (!out->session)
		return ctx_no_memory(c);
	if (session->policy.n)
		TRY(policy_compile(c, session->policy, POLICY_OF_IDENTITY,
				   &out->session[out->session_count++]));
	for (size_t k = 0; k < session->policies.count && count < SESSION_POLICIES_MAX; k++) {
		const struct policy *policy = engine_find_policy(t, session->policies.at[k]);
		versions[count] = policy ? engine_find_default_version(t, policy) : NULL;
		count += versions[count] != NULL;
	}
	for (size_t k = 0; k < count; k++)
		TRY(take_policy(g, c, versions[k], &out->session[out->session_count++]));
	return OK;
}

struct str guard_region(const struct guards *g)
{
	return g ? str_from(g->region) : STR_NONE;
}
