/* SPDX-License-Identifier: Apache-2.0
 * Policies, versions and attachments: rows only. They apply as soon as the change is published, in all
 * faces. */
#include "engine/people/policy/policy.h"

#include <inttypes.h>

#include "engine/acting.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/people/policy/aws_policy.h"
#include "engine/people/policy/policy_internal.h"
#include "engine/people/policy/role.h"
#include "engine/quota_internal.h"
#include "engine/tag_internal.h"
#include "model/iam_name.h"
#include "model/iam_role.h"
#include "model/user.h"
#include "model/user_group.h"
#include "store/account.h"
#include "store/group_member.h"
#include "store/policy.h"
#include "store/policy_attachment.h"
#include "store/policy_version.h"
#include "store/role_assignment.h"

/* ---- queries ---- */

const struct policy *engine_find_policy(const struct tables *t, uuid id)
{
	const struct policy *own = aws_policy_find(id);
	return own ? own : policy_find(t, id);
}

const struct policy *engine_find_policy_arn(struct arena *a, const struct tables *t, uuid account,
					    struct str arn)
{
	struct str prefix = STR("arn:aws:iam::aws:policy");
	const struct account *owner = account_find(t, account);
	if (str_starts_with(arn, prefix))
		return aws_policy_find_path(str_slice(arn, prefix.n, arn.n));
	const struct policy *p = owner ? policy_first_by_account(t, account) : NULL;
	while (p && (!policy_is_managed(p) || !str_ends_with(arn, p->name) ||
		     !str_equal(iam_arn_to_text(a, owner->number, KIND_POLICY, &p->row), arn)))
		p = policy_next_by_account(t, p);
	return p;
}

const struct policy_version *engine_find_version(const struct tables *t, const struct policy *policy,
						 int64_t number)
{
	if (aws_policy_is(policy))
		return number == policy->default_version ? aws_policy_version(policy) : NULL;
	return policy_version_find_by_policy(t, policy->row.id, number);
}

const struct policy_version *engine_find_default_version(const struct tables *t, const struct policy *policy)
{
	return engine_find_version(t, policy, policy->default_version);
}

bool engine_is_users_account(const struct tables *t, const struct user *user, uuid account)
{
	struct roles roles;
	if (user->is_owner)
		return false;
	if (uuid_equal(user->account, account))
		return true;
	engine_find_roles(t, user->row.id, IDENTITY_ACCOUNT, account, &roles);
	return roles.count > 0;
}

bool engine_is_groups_account(const struct tables *t, const struct user_group *group, uuid account)
{
	const struct account *place = account_find(t, account);
	if (uuid_equal(group->account, account))
		return true;
	const struct role_assignment *a = role_assignment_first_by_user_group(t, group->row.id);
	for (; a && place; a = role_assignment_next_by_user_group(t, a))
		if ((!a->inherited && uuid_equal(a->account, account)) ||
		    (a->inherited && uuid_is_none(a->account) && uuid_equal(a->domain, place->domain)) ||
		    (a->inherited && engine_is_account_within(t, account, a->account)))
			return true;
	return false;
}

static bool is_of_account(const struct tables *t, const struct policy_principal *h, uuid account)
{
	if (h->kind == KIND_USER)
		return engine_is_users_account(t, user_of(h->row), account);
	if (h->kind == KIND_USER_GROUP)
		return engine_is_groups_account(t, user_group_of(h->row), account);
	return uuid_equal(engine_get_owner(h->kind, h->row), account);
}

RESULT engine_find_policy_principal(struct ctx *c, const struct tables *t, const struct ref *user,
				    const struct ref *user_group, const struct ref *iam_role,
				    struct policy_principal *ret_principal)
{
	const struct ref *ref = ref_is_given(user) ? user : ref_is_given(user_group) ? user_group : iam_role;
	struct policy_principal h = {.kind = ref_is_given(user)         ? KIND_USER
					     : ref_is_given(user_group) ? KIND_USER_GROUP
									: KIND_IAM_ROLE};
	struct result found = engine_look_up(c, t, h.kind, ref, &h.row);
	if (found.code == ERR_DENIED)
		return found;
	if (result_is_ok(found) && is_of_account(t, &h, engine_get_account(c))) {
		*ret_principal = h;
		return OK;
	}
	ctx_clear_problem(c);
	found = ctx_fail_kind(c, ERR_NOT_FOUND, (int) h.kind,
			      "The %s with name %" STR_FMT " cannot be found.", engine_kind_words(c, h.kind),
			      STR_ARG(ref->text));
	return engine_fail_about(c, ref, found);
}

const struct policy *engine_next_inline_policy(const struct tables *t,
					       const struct policy_principal *principal,
					       const struct policy *after)
{
	uuid id = principal->row->id;
	if (principal->kind == KIND_USER)
		return after ? policy_next_by_user(t, after) : policy_first_by_user(t, id);
	if (principal->kind == KIND_USER_GROUP)
		return after ? policy_next_by_user_group(t, after) : policy_first_by_user_group(t, id);
	return after ? policy_next_by_iam_role(t, after) : policy_first_by_iam_role(t, id);
}

const struct policy_attachment *engine_next_attachment(const struct tables *t,
						       const struct policy_principal *principal,
						       const struct policy_attachment *after)
{
	uuid id = principal->row->id;
	if (principal->kind == KIND_USER)
		return after ? policy_attachment_next_by_user(t, after)
			     : policy_attachment_first_by_user(t, id);
	if (principal->kind == KIND_USER_GROUP)
		return after ? policy_attachment_next_by_user_group(t, after)
			     : policy_attachment_first_by_user_group(t, id);
	return after ? policy_attachment_next_by_iam_role(t, after)
		     : policy_attachment_first_by_iam_role(t, id);
}

static const struct policy *find_managed(const struct tables *t, uuid account, struct str name)
{
	for (const struct policy *p = policy_first_by_account(t, account); p;
	     p = policy_next_by_account(t, p))
		if (policy_is_managed(p) && str_equal(p->name, name))
			return p;
	return NULL;
}

RESULT engine_find_managed_policy(struct ctx *c, const struct tables *t, const struct ref *ref,
				  const struct policy **ret_policy)
{
	const struct policy *policy = NULL;
	if (ref->kind == KIND_POLICY && ref->bits == 0)
		policy = find_managed(t, engine_get_account(c), ref->text);
	else if (ref->kind == KIND_POLICY)
		policy = engine_find_policy(t, ref->prefix);
	if (!policy || !policy_is_managed(policy) ||
	    (!aws_policy_is(policy) && !engine_is_own(c, KIND_POLICY, &policy->row)))
		return engine_fail_not_found(c, KIND_POLICY, ref);
	*ret_policy = policy;
	return engine_check_found(c, t, KIND_POLICY, &policy->row);
}

RESULT engine_find_own_policy(struct ctx *c, const struct tables *t, const struct ref *ref,
			      const struct policy **ret_policy)
{
	TRY(engine_find_managed_policy(c, t, ref, ret_policy));
	return !aws_policy_is(*ret_policy)
		       ? OK
		       : ctx_fail_kind(c, ERR_DENIED, KIND_POLICY,
				       "%" STR_FMT " is one of AWS's own policies, which no account changes.",
				       STR_ARG(ref->text));
}

const struct policy *engine_find_inline_policy(const struct tables *t, uuid account,
					       const struct policy_principal *principal, struct str name)
{
	const struct policy *p = engine_next_inline_policy(t, principal, NULL);
	while (p && (!uuid_equal(p->account, account) || !str_equal(p->name, name)))
		p = engine_next_inline_policy(t, principal, p);
	return p;
}

const struct policy *engine_find_boundary(const struct tables *t, uuid account,
					  const struct policy_principal *principal)
{
	const struct policy_attachment *a = engine_next_attachment(t, principal, NULL);
	while (a && (!a->is_boundary || !uuid_equal(a->account, account)))
		a = engine_next_attachment(t, principal, a);
	return a ? engine_find_policy(t, a->policy) : NULL;
}

struct sources {
	const struct tables *t;
	uuid account;
	struct policy_source *at;
	size_t count;
	bool is_over;
};

static void add_source(struct sources *s, uuid account, const struct policy *policy, bool is_boundary)
{
	const struct policy_version *version = policy ? engine_find_default_version(s->t, policy) : NULL;
	if (!version || !uuid_equal(account, s->account))
		return;
	if (s->count == POLICY_SOURCES_MAX)
		s->is_over = true;
	else
		s->at[s->count++] = (struct policy_source){policy, version, is_boundary};
}

static void add_principal(struct sources *s, const struct policy_principal *principal)
{
	const struct policy *own = engine_next_inline_policy(s->t, principal, NULL);
	for (; own; own = engine_next_inline_policy(s->t, principal, own))
		add_source(s, own->account, own, false);
	const struct policy_attachment *a = engine_next_attachment(s->t, principal, NULL);
	for (; a; a = engine_next_attachment(s->t, principal, a))
		add_source(s, a->account, engine_find_policy(s->t, a->policy), a->is_boundary);
}

bool engine_has_policies(const struct tables *t)
{
	return tables_count(t, KIND_POLICY) > 0 || tables_count(t, KIND_POLICY_ATTACHMENT) > 0;
}

bool engine_find_policies(const struct tables *t, uuid principal_id, uuid account,
			  struct policy_source ret_sources[static POLICY_SOURCES_MAX], size_t *ret_count)
{
	struct sources s = {.t = t, .account = account, .at = ret_sources};
	struct policy_principal principal = {.kind = KIND_IAM_ROLE};
	*ret_count = 0;
	if (uuid_is_none(principal_id) || !engine_has_policies(t))
		return true;
	principal.row = tables_find(t, KIND_IAM_ROLE, principal_id);
	if (!principal.row)
		principal = (struct policy_principal){KIND_USER, tables_find(t, KIND_USER, principal_id)};
	if (!principal.row)
		principal = (struct policy_principal){KIND_USER_GROUP,
						      tables_find(t, KIND_USER_GROUP, principal_id)};
	if (!principal.row)
		return true;
	add_principal(&s, &principal);
	const struct group_member *m = group_member_first_by_user(t, principal_id);
	for (; m; m = group_member_next_by_user(t, m)) {
		const struct policy_principal group = {KIND_USER_GROUP,
						       tables_find(t, KIND_USER_GROUP, m->user_group)};
		if (group.row)
			add_principal(&s, &group);
	}
	*ret_count = s.count;
	return !s.is_over;
}

/* ---- documents ---- */

static size_t count_characters(struct str document)
{
	size_t count = 0;
	for (size_t k = 0; k < document.n; k++)
		count += document.p[k] != ' ' && document.p[k] != '\t' && document.p[k] != '\n' &&
			 document.p[k] != '\r';
	return count;
}

static RESULT check_size(struct op *op, struct str document)
{
	return count_characters(document) <= POLICY_CHARACTERS_MAX
		       ? OK
		       : ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_POLICY,
				       "Cannot exceed quota for PolicySize: %d", POLICY_CHARACTERS_MAX);
}

RESULT policy_check_trust_size(struct op *op, struct str document)
{
	return count_characters(document) <= POLICY_CHARACTERS_OF_TRUST
		       ? OK
		       : ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_IAM_ROLE,
				       "Cannot exceed quota for ACLSizePerRole: %d",
				       POLICY_CHARACTERS_OF_TRUST);
}

static RESULT write_version(struct op *op, const struct policy *policy, int64_t number, struct str document)
{
	struct policy_version version = {.row.id = engine_new_id(op, KIND_POLICY_VERSION),
					 .row.gen = 1,
					 .policy = policy->row.id,
					 .number = number,
					 .document = document};
	return policy_version_put(op, &version);
}

/* ---- managed policies ---- */

static RESULT check_new(struct op *op, const struct account *account, struct str name)
{
	const struct policy *p = policy_first_by_account(op->head, account->row.id);
	for (; p; p = policy_next_by_account(op->head, p)) {
		if (policy_is_managed(p) && str_equal_nocase(p->name, name))
			return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_POLICY,
					     "A policy called %" STR_FMT
					     " already exists. Duplicate names are not allowed.",
					     STR_ARG(name));
	}
	return limit_check(op, LIMIT_POLICIES, account->row.id, 1, STR_NONE);
}

RESULT engine_create_policy(struct op *op, struct policy_wish *wish)
{
	const struct account *account = NULL;
	struct tags tags = {0};
	TRY(engine_find_acting_account(op, &account));
	struct policy policy = {.row.id = engine_new_id(op, KIND_POLICY),
				.row.gen = 1,
				.account = account->row.id,
				.name = wish->name,
				.path = str_is_empty(wish->path) ? STR("/") : wish->path,
				.description = wish->description,
				.default_version = 1,
				.last_version = 1};
	TRY(engine_permit_new(op, "policy.create", KIND_POLICY, &policy.row));
	TRY(engine_check_name(op, KIND_POLICY, wish->name));
	TRY(check_new(op, account, wish->name));
	TRY(check_size(op, wish->document));
	TRY(tag_normalize(op, wish->tags, &tags));
	policy.tags = tags;
	TRY(policy_put(op, &policy));
	TRY(write_version(op, &policy, 1, wish->document));
	wish->policy = policy.row.id;
	return engine_log_event(op, KIND_POLICY, &policy.row, "created", "Policy %" STR_FMT ".",
				STR_ARG(policy.name));
}

RESULT engine_delete_policy(struct op *op, struct policy_target *wish)
{
	const struct policy *policy = NULL;
	TRY(engine_find_own_policy(op->ctx, op->head, &wish->policy, &policy));
	TRY(engine_permit(op, "policy.delete", KIND_POLICY, &policy->row));
	if (policy_attachment_first_by_policy(op->head, policy->row.id))
		return ctx_fail_kind(op->ctx, ERR_IN_USE, KIND_POLICY,
				     "Cannot delete a policy attached to entities.");
	const struct policy_version *v = policy_version_first_by_policy(op->head, policy->row.id);
	if (v && policy_version_next_by_policy(op->head, v))
		return ctx_fail_kind(
			op->ctx, ERR_IN_USE, KIND_POLICY,
			"This policy has more than one version. Before you delete a policy, you must delete "
			"the policy's versions. The default version is deleted with the policy.");
	TRY(engine_log_event(op, KIND_POLICY, &policy->row, "deleted", "Policy %" STR_FMT ".",
			     STR_ARG(policy->name)));
	return policy_forget(op, policy->row.id);
}

/* ---- versions ---- */

static RESULT set_default(struct op *op, const struct policy *policy, int64_t number)
{
	struct policy next = *policy_find(op->head, policy->row.id);
	if (next.default_version == number)
		return OK;
	next.default_version = number;
	next.row.gen++;
	TRY(policy_put(op, &next));
	return engine_log_event(op, KIND_POLICY, &next.row, "changed",
				"Version %" PRId64 " of policy %" STR_FMT " holds.", number,
				STR_ARG(next.name));
}

RESULT engine_create_policy_version(struct op *op, struct policy_version_wish *wish)
{
	const struct policy *policy = NULL;
	TRY(engine_find_own_policy(op->ctx, op->head, &wish->policy, &policy));
	TRY(engine_permit(op, "policy.create_version", KIND_POLICY, &policy->row));
	TRY(check_size(op, wish->document));
	TRY(limit_check(op, LIMIT_POLICY_VERSIONS, policy->row.id, 1, STR_NONE));
	struct policy next = *policy;
	next.last_version++;
	next.row.gen++;
	TRY(policy_put(op, &next));
	TRY(write_version(op, &next, next.last_version, wish->document));
	wish->made = policy_version_find_by_policy(op->head, next.row.id, next.last_version)->row.id;
	return wish->is_default ? set_default(op, &next, next.last_version) : OK;
}

static RESULT find_version(struct op *op, const struct policy_version_target *wish,
			   const struct policy **ret_policy, const struct policy_version **ret_version)
{
	TRY(engine_find_own_policy(op->ctx, op->head, &wish->policy, ret_policy));
	*ret_version = policy_version_find_by_policy(op->head, (*ret_policy)->row.id, wish->number);
	return *ret_version ? OK
			    : ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_POLICY_VERSION, wish->field,
					  "Policy %" STR_FMT " version v%" PRId64
					  " does not exist or is not attachable.",
					  STR_ARG(wish->policy.text), wish->number);
}

RESULT engine_delete_policy_version(struct op *op, struct policy_version_target *wish)
{
	const struct policy *policy = NULL;
	const struct policy_version *version = NULL;
	TRY(find_version(op, wish, &policy, &version));
	TRY(engine_permit(op, "policy.delete_version", KIND_POLICY, &policy->row));
	if (version->number == policy->default_version)
		return ctx_fail_kind(op->ctx, ERR_IN_USE, KIND_POLICY_VERSION,
				     "Cannot delete the default version of a policy.");
	return policy_version_forget(op, version->row.id);
}

RESULT engine_set_default_policy_version(struct op *op, struct policy_version_target *wish)
{
	const struct policy *policy = NULL;
	const struct policy_version *version = NULL;
	TRY(find_version(op, wish, &policy, &version));
	TRY(engine_permit(op, "policy.set_default", KIND_POLICY, &policy->row));
	return set_default(op, policy, version->number);
}

/* ---- attachments ---- */

struct found_principal {
	struct policy_principal is;
	uuid account, user, user_group, iam_role;
};

static RESULT find_principal(struct op *op, const struct ref *user, const struct ref *user_group,
			     const struct ref *iam_role, struct found_principal *ret_principal)
{
	uuid account = UUID_NONE;
	struct found_principal h = {0};
	TRY(engine_find_acting_id(op, &account));
	TRY(engine_find_policy_principal(op->ctx, op->head, user, user_group, iam_role, &h.is));
	if (h.is.kind == KIND_IAM_ROLE)
		TRY(iam_role_check_own(op, iam_role_of(h.is.row)));
	h.account = account;
	*(h.is.kind == KIND_USER         ? &h.user
	  : h.is.kind == KIND_USER_GROUP ? &h.user_group
					 : &h.iam_role) = h.is.row->id;
	*ret_principal = h;
	return OK;
}

/* Permissions and words per kind of principal. */
struct principal_words {
	const char *attach, *detach, *put, *remove, *put_boundary, *delete_boundary;
	const char *word, *quota;
	size_t characters_max;
};

static const struct principal_words *words_of(const struct found_principal *h)
{
	static const struct principal_words users = {"policy.attach_user",
						     "policy.detach_user",
						     "policy.put_user",
						     "policy.delete_user",
						     "policy.put_boundary",
						     "policy.delete_boundary",
						     "user",
						     "PoliciesPerUser",
						     POLICY_CHARACTERS_OF_USER},
					    groups = {"policy.attach_group",
						      "policy.detach_group",
						      "policy.put_group",
						      "policy.delete_group",
						      "policy.put_boundary",
						      "policy.delete_boundary",
						      "group",
						      "PoliciesPerGroup",
						      POLICY_CHARACTERS_OF_GROUP},
					    roles = {"policy.attach_role",
						     "policy.detach_role",
						     "policy.put_role",
						     "policy.delete_role",
						     "policy.put_role_boundary",
						     "policy.delete_role_boundary",
						     "role",
						     "PoliciesPerRole",
						     POLICY_CHARACTERS_OF_ROLE};
	return h->is.kind == KIND_USER ? &users : h->is.kind == KIND_USER_GROUP ? &groups : &roles;
}

/* The attachment of that policy (none: of any), and the number of others. */
static const struct policy_attachment *find_attachment(const struct tables *t,
						       const struct found_principal *h, uuid policy,
						       bool is_boundary, size_t *ret_others)
{
	const struct policy_attachment *found = NULL;
	*ret_others = 0;
	const struct policy_attachment *a = engine_next_attachment(t, &h->is, NULL);
	for (; a; a = engine_next_attachment(t, &h->is, a)) {
		if (!uuid_equal(a->account, h->account) || a->is_boundary != is_boundary)
			continue;
		if (uuid_is_none(policy) || uuid_equal(a->policy, policy))
			found = a;
		else
			*ret_others += 1;
	}
	return found;
}

static const char *attach_permission(const struct found_principal *h, bool is_boundary, bool attaches)
{
	const struct principal_words *words = words_of(h);
	if (is_boundary)
		return attaches ? words->put_boundary : words->delete_boundary;
	return attaches ? words->attach : words->detach;
}

RESULT engine_attach_policy(struct op *op, struct policy_attachment_wish *wish)
{
	struct found_principal h;
	const struct policy *policy = NULL;
	size_t others = 0;
	TRY(find_principal(op, &wish->user, &wish->user_group, &wish->iam_role, &h));
	TRY(engine_find_managed_policy(op->ctx, op->head, &wish->policy, &policy));
	TRY(engine_permit_new(op, attach_permission(&h, wish->is_boundary, true), h.is.kind, h.is.row));
	uuid sought = wish->is_boundary ? UUID_NONE : policy->row.id;
	const struct policy_attachment *there =
		find_attachment(op->head, &h, sought, wish->is_boundary, &others);
	if (there && uuid_equal(there->policy, policy->row.id))
		return OK;
	if (!wish->is_boundary && others >= POLICIES_ATTACHED_MAX)
		return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_POLICY_ATTACHMENT,
				     "Cannot exceed quota for %s: %d", words_of(&h)->quota,
				     POLICIES_ATTACHED_MAX);
	if (there)
		TRY(policy_attachment_forget(op, there->row.id));
	struct policy_attachment a = {.row.id = engine_new_id(op, KIND_POLICY_ATTACHMENT),
				      .row.gen = 1,
				      .account = h.account,
				      .policy = policy->row.id,
				      .user = h.user,
				      .user_group = h.user_group,
				      .iam_role = h.iam_role,
				      .is_boundary = wish->is_boundary};
	TRY(policy_attachment_put(op, &a));
	return engine_log_event(op, h.is.kind, h.is.row, "changed",
				wish->is_boundary ? "Policy %" STR_FMT " bounds it."
						  : "Policy %" STR_FMT " attached.",
				STR_ARG(policy->name));
}

RESULT engine_detach_policy(struct op *op, struct policy_attachment_wish *wish)
{
	struct found_principal h;
	const struct policy *policy = NULL;
	size_t others = 0;
	TRY(find_principal(op, &wish->user, &wish->user_group, &wish->iam_role, &h));
	if (ref_is_given(&wish->policy))
		TRY(engine_find_managed_policy(op->ctx, op->head, &wish->policy, &policy));
	uuid sought = policy ? policy->row.id : UUID_NONE;
	const struct policy_attachment *a = find_attachment(op->head, &h, sought, wish->is_boundary, &others);
	TRY(engine_permit_new(op, attach_permission(&h, wish->is_boundary, false), h.is.kind, h.is.row));
	if (!a || (!policy && !wish->is_boundary))
		return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_POLICY_ATTACHMENT,
				     "Policy %" STR_FMT " was not found.", STR_ARG(wish->policy.text));
	TRY(policy_attachment_forget(op, a->row.id));
	return engine_log_event(op, h.is.kind, h.is.row, "changed", "Policy %" STR_FMT " detached.",
				STR_ARG(policy ? policy->name : STR_NONE));
}

/* ---- inline policies ---- */

/* The characters of all the principal's inline policies except `but`. */
static size_t count_inline(const struct tables *t, const struct found_principal *h, const struct policy *but)
{
	size_t count = 0;
	const struct policy *p = engine_next_inline_policy(t, &h->is, NULL);
	for (; p; p = engine_next_inline_policy(t, &h->is, p)) {
		const struct policy_version *v = engine_find_default_version(t, p);
		if (p != but && v && uuid_equal(p->account, h->account))
			count += count_characters(v->document);
	}
	return count;
}

RESULT engine_put_inline_policy(struct op *op, struct inline_policy_wish *wish)
{
	struct found_principal h;
	TRY(find_principal(op, &wish->user, &wish->user_group, &wish->iam_role, &h));
	const struct policy *there = engine_find_inline_policy(op->head, h.account, &h.is, wish->name);
	TRY(engine_permit_new(op, words_of(&h)->put, h.is.kind, h.is.row));
	TRY(engine_check_name(op, KIND_POLICY, wish->name));
	if (count_inline(op->head, &h, there) + count_characters(wish->document) >
	    words_of(&h)->characters_max)
		return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_POLICY,
				     "Maximum policy size of %zu bytes exceeded for %s %" STR_FMT,
				     words_of(&h)->characters_max, words_of(&h)->word,
				     STR_ARG(iam_get_name(h.is.kind, h.is.row)));
	struct policy policy = {.account = h.account,
				.user = h.user,
				.user_group = h.user_group,
				.iam_role = h.iam_role,
				.name = wish->name,
				.path = STR("/"),
				.default_version = 1,
				.last_version = 1};
	if (there) {
		policy = *there;
		FORGET_EACH(op, policy_version, policy, policy.row.id);
	} else {
		policy.row.id = engine_new_id(op, KIND_POLICY);
	}
	policy.row.gen++;
	TRY(policy_put(op, &policy));
	TRY(write_version(op, &policy, 1, wish->document));
	return engine_log_event(op, h.is.kind, h.is.row, "changed", "Inline policy %" STR_FMT ".",
				STR_ARG(policy.name));
}

RESULT engine_delete_inline_policy(struct op *op, struct inline_policy_wish *wish)
{
	struct found_principal h;
	TRY(find_principal(op, &wish->user, &wish->user_group, &wish->iam_role, &h));
	const struct policy *there = engine_find_inline_policy(op->head, h.account, &h.is, wish->name);
	TRY(engine_permit_new(op, words_of(&h)->remove, h.is.kind, h.is.row));
	if (!there)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_POLICY, wish->field,
				   "The %s policy with name %" STR_FMT " cannot be found.",
				   words_of(&h)->word, STR_ARG(wish->name));
	TRY(engine_log_event(op, h.is.kind, h.is.row, "changed", "Inline policy %" STR_FMT " is gone.",
			     STR_ARG(there->name)));
	return policy_forget(op, there->row.id);
}

/* ---- cleanup ---- */

RESULT policy_check_principal_bare(struct op *op, enum kind kind, const struct row *row)
{
	const struct policy_principal principal = {kind, row};
	const struct policy_attachment *a = engine_next_attachment(op->head, &principal, NULL);
	while (a && a->is_boundary)
		a = engine_next_attachment(op->head, &principal, a);
	if (a)
		return ctx_fail_kind(op->ctx, ERR_IN_USE, (int) kind,
				     "Cannot delete entity, must detach all policies first.");
	if (engine_next_inline_policy(op->head, &principal, NULL))
		return ctx_fail_kind(op->ctx, ERR_IN_USE, (int) kind,
				     "Cannot delete entity, must delete policies first.");
	return OK;
}

RESULT policy_put_boundary(struct op *op, enum kind kind, uuid principal, const struct ref *policy)
{
	const struct ref ref = ref_by_id(kind, principal);
	struct policy_attachment_wish wish = {.policy = *policy, .is_boundary = true};
	if (!ref_is_given(policy))
		return OK;
	*(kind == KIND_USER ? &wish.user : &wish.iam_role) = ref;
	return engine_attach_policy(op, &wish);
}
