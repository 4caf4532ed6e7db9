/* SPDX-License-Identifier: Apache-2.0
 * Maps an access key to the identity of its user. Strings are copied, because rows may change while the call
 * lives. */
#include "auth/key/key_owner.h"

#include "auth/key/key.h"
#include "auth/key/last_used.h"
#include "engine/people/account/domain.h"
#include "engine/people/policy/role.h"
#include "engine/resolve.h"
#include "store/access_key.h"
#include "store/account.h"
#include "store/user.h"

struct tags key_copy_tags(struct arena *a, struct tags tags, struct tags more)
{
	struct tag *at = arena_new_array(a, struct tag, tags.count + more.count + 1);
	size_t count = 0;
	if (!at)
		return (struct tags){0};
	for (size_t k = 0; k < more.count; k++)
		at[count++] = more.at[k];
	for (size_t k = 0; k < tags.count; k++)
		if (!tags_find(more, tags.at[k].key))
			at[count++] =
				(struct tag){str_copy(a, tags.at[k].key), str_copy(a, tags.at[k].value)};
	return (struct tags){at, count};
}

struct identity *key_make_identity(struct arena *a, const struct account *account, const struct user *user,
				   unsigned rights, struct uuids above, struct str key_id)
{
	struct identity *who = arena_new_object(a, struct identity);
	if (!who)
		return NULL;
	*who = (struct identity){.scope = IDENTITY_ACCOUNT,
				 .rights = rights & ~RIGHT(ADMIN),
				 .account = account->row.id,
				 .domain = account->domain,
				 .domains_above = above,
				 .user = user->row.id,
				 .is_owner = user->is_owner,
				 .account_number = str_copy(a, account->number),
				 .user_name = str_copy(a, user->name),
				 .user_path = str_copy(a, user->path),
				 .access_key_id = str_copy(a, key_id)};
	if (user->tags.count)
		who->tags = key_copy_tags(a, user->tags, (struct tags){0});
	return who;
}

RESULT key_find_owner(struct ctx *c, struct view *v, struct str key_id, struct key_owner *ret_owner)
{
	const struct access_key *key = access_key_find_by_key_id(v->tables, key_id);
	const struct user *user = key ? user_find(v->tables, key->user) : NULL;
	const struct account *account = key ? account_find(v->tables, key->account) : NULL;
	bool is_open = key && key->enabled && engine_is_user_open(v->tables, user) &&
		       engine_is_account_open(v->tables, account);
	struct roles roles = {0};
	struct uuids above = {0};
	if (is_open) {
		engine_find_roles(v->tables, user->row.id, IDENTITY_ACCOUNT, account->row.id, &roles);
		above = engine_list_domains_above(c->arena, v->tables, account->domain);
	}
	view_end_read(v);
	*ret_owner = (struct key_owner){.key = key, .rights = roles.rights};
	if (is_open)
		ret_owner->who = key_make_identity(c->arena, account, user, roles.rights, above, key_id);
	return is_open && !ret_owner->who ? ctx_no_memory(c) : OK;
}

static struct identity *make_unscoped(struct arena *a, const struct user *user)
{
	struct identity *who = arena_new_object(a, struct identity);
	if (who)
		*who = (struct identity){.user = user->row.id,
					 .user_name = str_copy(a, user->name),
					 .user_path = str_copy(a, user->path)};
	return who;
}

RESULT key_find_user(struct ctx *c, struct store *store, uuid id, struct identity **ret_who)
{
	struct roles roles = {0};
	struct uuids above = {0};
	AUTO_VIEW v;
	view_open(store, &v);
	const struct user *user = user_find(v.tables, id);
	const struct account *account = user ? account_find(v.tables, user->account) : NULL;
	*ret_who = NULL;
	if (!engine_is_user_open(v.tables, user))
		return OK;
	if (account) {
		engine_find_roles(v.tables, id, IDENTITY_ACCOUNT, account->row.id, &roles);
		above = engine_list_domains_above(c->arena, v.tables, account->domain);
	}
	*ret_who = account ? key_make_identity(c->arena, account, user, roles.rights, above, STR_NONE)
			   : make_unscoped(c->arena, user);
	return *ret_who && !arena_is_full(c->arena) ? OK : ctx_no_memory(c);
}

/* ---- secrets ---- */

RESULT key_use_secret(struct ctx *c, const uint8_t *master_key, const struct access_key *key, key_use use,
		      void *arg)
{
	struct str secret = STR_NONE;
	if (!result_is_ok(key_open_secret(c, master_key, key, &secret))) {
		ctx_clear_problem(c);
		return ctx_fail(c, ERR_INTERNAL,
				"the master key does not open the secret of access key %" STR_FMT,
				STR_ARG(key->key_id));
	}
	struct result result = use(arg, secret);
	crypto_wipe((void *) secret.p, secret.n); /* the copy in our arena */
	return result;
}

struct proving {
	struct ctx *c;
	const struct key_proof *proof;
	bool is_right;
};

static RESULT check_proof(void *arg, struct str secret)
{
	struct proving *p = arg;
	return p->proof->check(p->c, p->proof->arg, secret, &p->is_right);
}

RESULT key_prove_owner(struct ctx *c, const struct key_proof *proof, struct str key_id,
		       struct identity **ret_who)
{
	struct key_owner owner = {0};
	struct proving p = {c, proof, false};
	AUTO_VIEW v;
	view_open(proof->store, &v);
	TRY(key_find_owner(c, &v, key_id, &owner));
	if (owner.who)
		TRY(key_use_secret(c, proof->master_key, owner.key, check_proof, &p));
	if (owner.who && proof->keeps_admin)
		owner.who->rights = owner.rights;
	if (p.is_right)
		last_used_note(proof->uses, KIND_ACCESS_KEY, owner.key->row.id, proof->service, STR_NONE);
	*ret_who = p.is_right ? owner.who : NULL;
	return OK;
}
