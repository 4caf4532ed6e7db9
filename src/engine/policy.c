/* SPDX-License-Identifier: Apache-2.0
 * Policies, their versions, and who has them. What happens next: nothing outside; they hold from the publish
 * on, in every face. */
#include "engine/policy.h"

#include <inttypes.h>

#include "engine/internal.h"
#include "engine/role.h"

/* ---- reading ---- */

const struct policy_version *engine_find_default_version(const struct tables *t, const struct policy *policy)
{
	return policy_version_find_by_policy(t, policy->row.id, policy->default_version);
}

static bool is_users_account(const struct tables *t, const struct user *user, uuid account)
{
	struct roles roles;
	if (user->is_owner)
		return false;
	if (uuid_equal(user->account, account))
		return true;
	engine_find_roles(t, user->row.id, IDENTITY_ACCOUNT, account, &roles);
	return roles.count > 0;
}

static bool is_groups_account(const struct tables *t, uuid group, uuid account)
{
	const struct account *place = account_find(t, account);
	const struct role_assignment *a = role_assignment_first_by_user_group(t, group);
	for (; a && place; a = role_assignment_next_by_user_group(t, a))
		if (uuid_equal(a->account, account) || (a->inherited && uuid_equal(a->domain, place->domain)))
			return true;
	return false;
}

RESULT engine_find_policy_holder(struct ctx *c, const struct tables *t, const struct ref *user,
				 const struct ref *user_group, const struct row **ret_row)
{
	uuid account = engine_get_account(c);
	bool is_user = ref_is_given(user);
	enum kind kind = is_user ? KIND_USER : KIND_USER_GROUP;
	const struct ref *ref = is_user ? user : user_group;
	const struct row *row = NULL;
	TRY(engine_look_up(c, t, kind, ref, &row));
	bool is_ours = is_user ? is_users_account(t, (const struct user *) row, account)
			       : is_groups_account(t, row->id, account);
	if (!is_ours)
		return engine_fail_not_found(c, kind, ref);
	*ret_row = row;
	return OK;
}

static bool is_managed(const struct policy *policy)
{
	return uuid_is_none(policy->user) && uuid_is_none(policy->user_group);
}

RESULT engine_find_managed_policy(struct ctx *c, const struct tables *t, const struct ref *ref,
				  const struct policy **ret_policy)
{
	const struct policy *policy = NULL;
	if (ref->kind == KIND_POLICY && ref->bits == 0)
		policy = policy_find_by_account(t, engine_get_account(c), UUID_NONE, UUID_NONE, ref->text);
	else if (ref->kind == KIND_POLICY)
		policy = policy_find(t, ref->prefix);
	if (!policy || !is_managed(policy) || !engine_is_own(c, KIND_POLICY, &policy->row))
		return engine_fail_not_found(c, KIND_POLICY, ref);
	*ret_policy = policy;
	return OK;
}

const struct policy *engine_find_inline_policy(const struct tables *t, uuid account, uuid user,
					       uuid user_group, struct str name)
{
	return policy_find_by_account(t, account, user, user_group, name);
}

struct sources {
	const struct tables *t;
	uuid account;
	struct policy_source *at;
	size_t count;
	bool is_over;
};

static void add_source(struct sources *s, const struct policy *policy, bool is_boundary)
{
	const struct policy_version *version = policy ? engine_find_default_version(s->t, policy) : NULL;
	if (!version || !uuid_equal(policy->account, s->account))
		return;
	if (s->count == POLICY_SOURCES_MAX)
		s->is_over = true;
	else
		s->at[s->count++] = (struct policy_source){policy, version, is_boundary};
}

static void add_group(struct sources *s, uuid group)
{
	const struct policy *own = policy_first_by_user_group(s->t, group);
	for (; own; own = policy_next_by_user_group(s->t, own))
		add_source(s, own, false);
	const struct policy_attachment *a = policy_attachment_first_by_user_group(s->t, group);
	for (; a; a = policy_attachment_next_by_user_group(s->t, a))
		add_source(s, policy_find(s->t, a->policy), false);
}

bool engine_find_policies(const struct tables *t, uuid user, uuid account,
			  struct policy_source ret_sources[static POLICY_SOURCES_MAX], size_t *ret_count)
{
	struct sources s = {.t = t, .account = account, .at = ret_sources};
	if (uuid_is_none(user) || tables_count(t, KIND_POLICY) == 0) {
		*ret_count = 0;
		return true;
	}
	for (const struct policy *own = policy_first_by_user(t, user); own; own = policy_next_by_user(t, own))
		add_source(&s, own, false);
	const struct policy_attachment *a = policy_attachment_first_by_user(t, user);
	for (; a; a = policy_attachment_next_by_user(t, a))
		add_source(&s, policy_find(t, a->policy), a->is_boundary);
	const struct group_member *m = group_member_first_by_user(t, user);
	for (; m; m = group_member_next_by_user(t, m))
		add_group(&s, m->user_group);
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

static RESULT check_size(struct op *op, size_t count, size_t most)
{
	return count <= most ? OK
			     : ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_POLICY,
					     "Cannot exceed quota for PolicySize: %zu", most);
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
	size_t count = 0;
	const struct policy *p = policy_first_by_account(op->head, account->row.id);
	for (; p; p = policy_next_by_account(op->head, p)) {
		if (!is_managed(p))
			continue;
		count++;
		if (str_equal_nocase(p->name, name))
			return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_POLICY,
					     "A policy called %" STR_FMT
					     " already exists. Duplicate names are not allowed.",
					     STR_ARG(name));
	}
	return count < POLICIES_MAX
		       ? OK
		       : ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_POLICY,
				       "Cannot exceed quota for PoliciesPerAccount: %d", POLICIES_MAX);
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
	TRY(name_check(op, KIND_POLICY, wish->name));
	TRY(check_new(op, account, wish->name));
	TRY(check_size(op, count_characters(wish->document), POLICY_CHARACTERS_MAX));
	TRY(tags_normalize(op, wish->tags, &tags));
	policy.tags = tags;
	TRY(policy_put(op, &policy));
	TRY(write_version(op, &policy, 1, wish->document));
	wish->policy = policy.row.id;
	return engine_tell(op, KIND_POLICY, &policy.row, "created", "Policy %" STR_FMT ".",
			   STR_ARG(policy.name));
}

static RESULT forget_whole(struct op *op, uuid policy)
{
	FORGET_EACH(op, policy_version, policy, policy);
	FORGET_EACH(op, policy_attachment, policy, policy);
	return policy_forget(op, policy);
}

RESULT engine_delete_policy(struct op *op, struct policy_target *wish)
{
	const struct policy *policy = NULL;
	TRY(engine_find_managed_policy(op->ctx, op->head, &wish->policy, &policy));
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
	TRY(engine_tell(op, KIND_POLICY, &policy->row, "deleted", "Policy %" STR_FMT ".",
			STR_ARG(policy->name)));
	return forget_whole(op, policy->row.id);
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
	return engine_tell(op, KIND_POLICY, &next.row, "changed",
			   "Version %" PRId64 " of policy %" STR_FMT " holds.", number, STR_ARG(next.name));
}

RESULT engine_create_policy_version(struct op *op, struct policy_version_wish *wish)
{
	const struct policy *policy = NULL;
	size_t count = 0;
	TRY(engine_find_managed_policy(op->ctx, op->head, &wish->policy, &policy));
	TRY(engine_permit(op, "policy.create_version", KIND_POLICY, &policy->row));
	TRY(check_size(op, count_characters(wish->document), POLICY_CHARACTERS_MAX));
	const struct policy_version *v = policy_version_first_by_policy(op->head, policy->row.id);
	for (; v; v = policy_version_next_by_policy(op->head, v))
		count++;
	if (count >= POLICY_VERSIONS_MAX)
		return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_POLICY_VERSION,
				     "A managed policy can have up to %d versions. Before you create a new "
				     "version, you must delete an existing version.",
				     POLICY_VERSIONS_MAX);
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
	TRY(engine_find_managed_policy(op->ctx, op->head, &wish->policy, ret_policy));
	*ret_version = policy_version_find_by_policy(op->head, (*ret_policy)->row.id, wish->number);
	return *ret_version ? OK
			    : ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_POLICY_VERSION, wish->field,
					  "Policy %" STR_FMT " version v%" PRId64
					  " does not exist or is not attachable.",
					  STR_ARG((*ret_policy)->name), wish->number);
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

/* ---- who has them ---- */

struct holder {
	uuid account, user, user_group;
	const struct row *row;
	enum kind kind;
};

static RESULT find_holder(struct op *op, const struct ref *user, const struct ref *user_group,
			  struct holder *ret_holder)
{
	const struct account *account = NULL;
	struct holder h = {.kind = ref_is_given(user) ? KIND_USER : KIND_USER_GROUP};
	TRY(engine_find_acting_account(op, &account));
	TRY(engine_find_policy_holder(op->ctx, op->head, user, user_group, &h.row));
	h.account = account->row.id;
	*(h.kind == KIND_USER ? &h.user : &h.user_group) = h.row->id;
	*ret_holder = h;
	return OK;
}

static const struct policy_attachment *first_attachment(const struct tables *t, const struct holder *h)
{
	return h->kind == KIND_USER ? policy_attachment_first_by_user(t, h->user)
				    : policy_attachment_first_by_user_group(t, h->user_group);
}

static const struct policy_attachment *next_attachment(const struct tables *t, const struct holder *h,
						       const struct policy_attachment *a)
{
	return h->kind == KIND_USER ? policy_attachment_next_by_user(t, a)
				    : policy_attachment_next_by_user_group(t, a);
}

/* The one of that policy (none: of any), and how many there are besides. */
static const struct policy_attachment *find_attachment(const struct tables *t, const struct holder *h,
						       uuid policy, bool is_boundary, size_t *ret_others)
{
	const struct policy_attachment *found = NULL;
	*ret_others = 0;
	for (const struct policy_attachment *a = first_attachment(t, h); a; a = next_attachment(t, h, a)) {
		if (!uuid_equal(a->account, h->account) || a->is_boundary != is_boundary)
			continue;
		if (uuid_is_none(policy) || uuid_equal(a->policy, policy))
			found = a;
		else
			*ret_others += 1;
	}
	return found;
}

static const char *attach_permission(const struct policy_attachment_wish *wish, bool attaches)
{
	if (wish->is_boundary)
		return attaches ? "policy.put_boundary" : "policy.delete_boundary";
	if (ref_is_given(&wish->user))
		return attaches ? "policy.attach_user" : "policy.detach_user";
	return attaches ? "policy.attach_group" : "policy.detach_group";
}

RESULT engine_attach_policy(struct op *op, struct policy_attachment_wish *wish)
{
	struct holder h;
	const struct policy *policy = NULL;
	size_t others = 0;
	TRY(find_holder(op, &wish->user, &wish->user_group, &h));
	TRY(engine_find_managed_policy(op->ctx, op->head, &wish->policy, &policy));
	TRY(engine_permit_new(op, attach_permission(wish, true), h.kind, h.row));
	uuid sought = wish->is_boundary ? UUID_NONE : policy->row.id;
	const struct policy_attachment *there =
		find_attachment(op->head, &h, sought, wish->is_boundary, &others);
	if (there && uuid_equal(there->policy, policy->row.id))
		return OK;
	if (!wish->is_boundary && others >= POLICIES_ATTACHED_MAX)
		return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_POLICY_ATTACHMENT,
				     "Cannot exceed quota for Policies%s: %d",
				     h.kind == KIND_USER ? "PerUser" : "PerGroup", POLICIES_ATTACHED_MAX);
	if (there)
		TRY(policy_attachment_forget(op, there->row.id));
	struct policy_attachment a = {.row.id = engine_new_id(op, KIND_POLICY_ATTACHMENT),
				      .row.gen = 1,
				      .account = h.account,
				      .policy = policy->row.id,
				      .user = h.user,
				      .user_group = h.user_group,
				      .is_boundary = wish->is_boundary};
	TRY(policy_attachment_put(op, &a));
	return engine_tell(op, h.kind, h.row, "changed", "Policy %" STR_FMT " %s.", STR_ARG(policy->name),
			   wish->is_boundary ? "bounds it" : "attached");
}

RESULT engine_detach_policy(struct op *op, struct policy_attachment_wish *wish)
{
	struct holder h;
	const struct policy *policy = NULL;
	size_t others = 0;
	TRY(find_holder(op, &wish->user, &wish->user_group, &h));
	if (ref_is_given(&wish->policy))
		TRY(engine_find_managed_policy(op->ctx, op->head, &wish->policy, &policy));
	uuid sought = policy ? policy->row.id : UUID_NONE;
	const struct policy_attachment *a = find_attachment(op->head, &h, sought, wish->is_boundary, &others);
	TRY(engine_permit_new(op, attach_permission(wish, false), h.kind, h.row));
	if (!a || (!policy && !wish->is_boundary))
		return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_POLICY_ATTACHMENT,
				     "Policy %" STR_FMT " was not found.", STR_ARG(wish->policy.text));
	TRY(policy_attachment_forget(op, a->row.id));
	return engine_tell(op, h.kind, h.row, "changed", "Policy %" STR_FMT " detached.",
			   STR_ARG(policy ? policy->name : STR_NONE));
}

/* ---- inline policies ---- */

/* Of all of a holder's but that one. */
static size_t count_inline(const struct tables *t, const struct holder *h, const struct policy *but)
{
	size_t count = 0;
	const struct policy *p = h->kind == KIND_USER ? policy_first_by_user(t, h->user)
						      : policy_first_by_user_group(t, h->user_group);
	while (p) {
		const struct policy_version *v = engine_find_default_version(t, p);
		if (p != but && v && uuid_equal(p->account, h->account))
			count += count_characters(v->document);
		p = h->kind == KIND_USER ? policy_next_by_user(t, p) : policy_next_by_user_group(t, p);
	}
	return count;
}

RESULT engine_put_inline_policy(struct op *op, struct inline_policy_wish *wish)
{
	struct holder h;
	TRY(find_holder(op, &wish->user, &wish->user_group, &h));
	bool is_user = h.kind == KIND_USER;
	const struct policy *there =
		engine_find_inline_policy(op->head, h.account, h.user, h.user_group, wish->name);
	TRY(engine_permit_new(op, is_user ? "policy.put_user" : "policy.put_group", h.kind, h.row));
	TRY(name_check(op, KIND_POLICY, wish->name));
	TRY(check_size(op, count_inline(op->head, &h, there) + count_characters(wish->document),
		       is_user ? POLICY_CHARACTERS_OF_USER : POLICY_CHARACTERS_OF_GROUP));
	struct policy policy = {.account = h.account,
				.user = h.user,
				.user_group = h.user_group,
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
	return engine_tell(op, h.kind, h.row, "changed", "Inline policy %" STR_FMT ".", STR_ARG(policy.name));
}

RESULT engine_delete_inline_policy(struct op *op, struct inline_policy_wish *wish)
{
	struct holder h;
	TRY(find_holder(op, &wish->user, &wish->user_group, &h));
	const struct policy *there =
		engine_find_inline_policy(op->head, h.account, h.user, h.user_group, wish->name);
	TRY(engine_permit_new(op, h.kind == KIND_USER ? "policy.delete_user" : "policy.delete_group", h.kind,
			      h.row));
	if (!there)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_POLICY, wish->field,
				   "The %s policy with name %" STR_FMT " cannot be found.",
				   h.kind == KIND_USER ? "user" : "group", STR_ARG(wish->name));
	TRY(engine_tell(op, h.kind, h.row, "changed", "Inline policy %" STR_FMT " is gone.",
			STR_ARG(there->name)));
	return forget_whole(op, there->row.id);
}

/* ---- with what goes ---- */

RESULT policies_forget_user(struct op *op, uuid user)
{
	for (const struct policy *p = policy_first_by_user(op->head, user); p;
	     p = policy_next_by_user(op->head, p))
		TRY(forget_whole(op, p->row.id));
	FORGET_EACH(op, policy_attachment, user, user);
	return OK;
}

RESULT policies_forget_group(struct op *op, uuid user_group)
{
	const struct policy *p = policy_first_by_user_group(op->head, user_group);
	for (; p; p = policy_next_by_user_group(op->head, p))
		TRY(forget_whole(op, p->row.id));
	FORGET_EACH(op, policy_attachment, user_group, user_group);
	return OK;
}

RESULT policies_forget_account(struct op *op, uuid account)
{
	const struct policy *p = policy_first_by_account(op->head, account);
	for (; p; p = policy_next_by_account(op->head, p))
		TRY(forget_whole(op, p->row.id));
	return OK;
}
