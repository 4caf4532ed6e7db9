/* SPDX-License-Identifier: Apache-2.0
 * Accounts. What happens next: nothing outside; keys work from the publish on, and the default VPC
 * is made in the network when its first port is. */
#include "engine/account.h"

#include <inttypes.h>

#include "engine/internal.h"

/* Twelve digits, the first not 0, as EC2's account numbers. */
static struct str draw_number(const struct op *op)
{
	for (;;) {
		uint64_t number = UINT64_C(100000000000) + random_below(UINT64_C(900000000000));
		struct str text = str_print(op->ctx->arena, "%" PRIu64, number);
		if (str_is_empty(text) || !account_first_by_number(op->head, text))
			return text;
	}
}

/* A copy of the drawn key for its account and user. The secret is sealed to the row's id. */
static RESULT write_key(struct op *op, const struct access_key *drawn, uuid account, uuid user)
{
	if (uuid_is_none(drawn->row.id) || str_is_empty(drawn->key_id))
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_ACCESS_KEY, "The access key was not drawn.");
	struct access_key key = *drawn;
	key.row.gen = 1;
	key.account = account;
	key.user = user;
	key.enabled = true;
	return access_key_put(op, &key);
}

static RESULT write_owner(struct op *op, struct account_wish *wish, uuid account)
{
	struct user owner = {.row.id = engine_new_id(op, KIND_USER),
			     .row.gen = 1,
			     .account = account,
			     .name = str_is_empty(wish->user_name) ? STR("root") : wish->user_name,
			     .is_owner = true};
	TRY(user_put(op, &owner));
	wish->user = owner.row.id;
	return wish->key ? write_key(op, wish->key, account, owner.row.id) : OK;
}

RESULT engine_create_account(struct op *op, struct account_wish *wish)
{
	if (wish->name.n < 1 || wish->name.n > 255 || !str_is_xml_text(wish->name))
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_ACCOUNT,
				     "An account's name has 1 to 255 characters.");
	if (account_find_by_name(op->head, wish->name))
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_ACCOUNT,
				     "The account '%" STR_FMT "' exists already.", STR_ARG(wish->name));
	TRY(engine_permit(op, "account.create", KIND_ACCOUNT, NULL));
	struct account account = {.row.id = engine_new_id(op, KIND_ACCOUNT),
				  .row.gen = 1,
				  .name = wish->name,
				  .number = draw_number(op),
				  .enabled = true};
	if (str_is_empty(account.number))
		return ctx_no_memory(op->ctx);
	quota_set_defaults(op->head, &account);
	TRY(account_put(op, &account));
	TRY(write_owner(op, wish, account.row.id));
	if (wish->with_default_router)
		TRY(default_router_write(op, account_find(op->head, account.row.id), &wish->router));
	wish->account = account.row.id;
	wish->number = account.number;
	return engine_tell(op, KIND_ACCOUNT, &account.row, "created",
			   "Account %" STR_FMT ", number %" STR_FMT ".", STR_ARG(account.name),
			   STR_ARG(account.number));
}

RESULT engine_enable_account(struct op *op, struct account_target *wish)
{
	const struct account *account = NULL;
	TRY(engine_find_own_account(op->ctx, op->head, &wish->account, &account));
	TRY(engine_permit(op, "account.enable", KIND_ACCOUNT, &account->row));
	struct account next = *account;
	next.enabled = wish->enabled;
	next.row.gen++;
	TRY(account_put(op, &next));
	return engine_tell(op, KIND_ACCOUNT, &next.row, wish->enabled ? "enabled" : "disabled", "%s",
			   wish->enabled ? "Its keys are accepted." : "Its keys are refused.");
}

RESULT engine_set_limits(struct op *op, struct account_limits *wish)
{
	const struct account *account = NULL;
	TRY(engine_find_own_account(op->ctx, op->head, &wish->account, &account));
	TRY(engine_permit(op, "account.limit", KIND_ACCOUNT, &account->row));
	const int64_t wanted[QUOTA_COUNT] = {
		[QUOTA_INSTANCES] = wish->instances,
		[QUOTA_VCPUS] = wish->vcpus,
		[QUOTA_VOLUMES] = wish->volumes,
		[QUOTA_VOLUME_BYTES] = wish->volume_bytes,
		[QUOTA_SNAPSHOTS] = wish->snapshots,
		[QUOTA_IMAGES] = wish->images,
		[QUOTA_ADDRESSES] = wish->addresses,
		[QUOTA_ROUTERS] = wish->routers,
		[QUOTA_GROUPS] = wish->groups,
		[QUOTA_PORTS] = wish->ports,
		[QUOTA_NAT_GATEWAYS] = wish->nat_gateways,
	};
	struct account next = *account;
	for (enum quota quota = 0; quota < QUOTA_COUNT; quota++) {
		if (wanted[quota] != ACCOUNT_LIMIT_KEEP)
			*quota_limit(&next, quota) = wanted[quota];
	}
	next.row.gen++;
	TRY(account_put(op, &next));
	return engine_tell(op, KIND_ACCOUNT, &next.row, "limits changed", "Its limits were changed.");
}

/* ---- access keys ---- */

RESULT engine_create_access_key(struct op *op, struct access_key_wish *wish)
{
	const struct user *user = NULL;
	TRY(engine_find_own_user(op->ctx, op->head, &wish->user, &user));
	TRY(engine_permit(op, "access_key.create", KIND_USER, &user->row));
	TRY(write_key(op, wish->key, user->account, user->row.id));
	return engine_tell(op, KIND_USER, &user->row, "access key created", "Access key %" STR_FMT ".",
			   STR_ARG(wish->key->key_id));
}

static RESULT find_own_key(struct op *op, struct str key_id, const struct access_key **ret_key)
{
	const struct access_key *key = access_key_find_by_key_id(op->head, key_id);
	if (!key || !engine_is_own(op->ctx, KIND_ACCESS_KEY, &key->row))
		return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_ACCESS_KEY,
				     "The access key '%" STR_FMT "' does not exist", STR_ARG(key_id));
	*ret_key = key;
	return OK;
}

RESULT engine_enable_access_key(struct op *op, struct access_key_target *wish)
{
	const struct access_key *key = NULL;
	TRY(find_own_key(op, wish->key_id, &key));
	TRY(engine_permit(op, "access_key.enable", KIND_ACCESS_KEY, &key->row));
	struct access_key next = *key;
	next.enabled = wish->enabled;
	next.row.gen++;
	TRY(access_key_put(op, &next));
	return engine_tell(op, KIND_ACCESS_KEY, &next.row, wish->enabled ? "enabled" : "disabled",
			   "Access key %" STR_FMT ".", STR_ARG(key->key_id));
}

RESULT engine_delete_access_key(struct op *op, struct access_key_target *wish)
{
	const struct access_key *key = NULL;
	TRY(find_own_key(op, wish->key_id, &key));
	TRY(engine_permit(op, "access_key.delete", KIND_ACCESS_KEY, &key->row));
	TRY(engine_tell(op, KIND_ACCESS_KEY, &key->row, "deleted", "Access key %" STR_FMT ".",
			STR_ARG(key->key_id)));
	return access_key_forget(op, key->row.id);
}
