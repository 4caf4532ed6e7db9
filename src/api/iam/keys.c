/* SPDX-License-Identifier: Apache-2.0
 * Access keys. Keystone's EC2 credentials are the same rows. */
#include "api/iam/internal.h"
#include "auth/key/key.h"
#include "auth/key/sigv4.h"
#include "engine/people/account/account.h"
#include "engine/people/account/account_user.h"
#include "engine/resolve.h"
#include "store/access_key.h"
#include "store/user.h"

static void write_key(struct xml *x, const struct user *user, const struct access_key *key)
{
	xml_text(x, "UserName", user->name);
	xml_text(x, "AccessKeyId", key->key_id);
	xml_z(x, "Status", key->enabled ? "Active" : "Inactive");
}

/* ---- making ---- */

struct new_key {
	struct access_key_wish wish;
	struct access_key key;
	struct str secret;
};
static const struct param create_params[] = {IAM_USER(struct new_key, wish.user)};

static RESULT prepare_new(struct iam_call *e, void *args)
{
	struct new_key *a = args;
	const struct user *user = NULL;
	TRY(iam_choose_user(e, &a->wish.user));
	TRY(iam_find_user(e, &a->wish.user, &user));
	a->wish.user =
		(struct ref){.kind = KIND_USER, .prefix = user->row.id, .bits = 128, .text = user->name};
	a->wish.account = ref_by_id(KIND_ACCOUNT, e->c->who->account);
	a->wish.count_max = ACCESS_KEYS_OF_USER_MAX;
	a->wish.key = &a->key;
	a->key.row.id = id_new(KIND_ACCESS_KEY);
	return key_draw(e->c, e->config->master_key, &a->key, &a->secret);
}

static RESULT show_new(struct iam_call *e, const void *args, struct xml *x)
{
	const struct new_key *a = args;
	const struct access_key *key = access_key_find(iam_tables(e), a->key.row.id);
	const struct user *user = key ? user_find(iam_tables(e), key->user) : NULL;
	if (!user)
		return engine_fail_gone(e->c, KIND_ACCESS_KEY, a->key.row.id);
	xml_open(x, "AccessKey");
	write_key(x, user, key);
	xml_text(x, "SecretAccessKey", a->secret);
	iam_write_time(x, "CreateDate", key->row.created_us);
	xml_close(x, "AccessKey");
	return OK;
}

/* ---- reads ---- */

struct key_args {
	struct str key_id;
};
#define KEY_ID(T, member)                                                                                    \
	PARAM(T, "AccessKeyId", member, .flags = REQUIRED, .min = 16, .max = 128,                            \
	      .doc = "Id of the access key.")
static const struct param list_params[] = {IAM_USER(struct iam_read_args, user),
					   IAM_PAGES(struct iam_read_args, pages)};
static const struct param used_params[] = {KEY_ID(struct key_args, key_id)};

static RESULT write_one(struct iam_call *e, struct xml *x, const struct row *row)
{
	const struct access_key *key = access_key_of(row);
	write_key(x, user_find(iam_tables(e), key->user), key);
	iam_write_time(x, "CreateDate", row->created_us);
	return OK;
}

static const struct iam_listing keys = {
	.kind = KIND_ACCESS_KEY,
	.paths = {{KIND_ACCESS_KEY, ACCESS_KEY_INDEX_USER}},
	.find_parent = iam_find_parent_user,
	.shows = iam_is_own,
	.shown = {"AccessKeyMetadata", .write = write_one},
};

static RESULT get_last_used(struct iam_call *e, const void *args, struct xml *x)
{
	const struct key_args *a = args;
	const struct access_key *key = access_key_find_by_key_id(iam_tables(e), a->key_id);
	const struct user *user = key ? user_find(iam_tables(e), key->user) : NULL;
	if (!user || !uuid_equal(key->account, e->c->who->account))
		return ctx_fail_field(e->c, ERR_DENIED, STR("AccessKeyId"),
				      "User: %" STR_FMT " is not authorized to perform "
				      "iam:GetAccessKeyLastUsed on resource: access key %" STR_FMT,
				      STR_ARG(guard_write_principal(e->c->who, e->c->arena)),
				      STR_ARG(a->key_id));
	TRY(engine_check_found(e->c, iam_tables(e), KIND_USER, &user->row));
	const struct last_use stored = {.id = key->row.id,
					.at_us = key->last_used_us,
					.service = key->last_used_service,
					.region = key->last_used_region};
	const struct last_use use = last_used_find(e->config->uses, e->c->arena, &stored);
	xml_text(x, "UserName", user->name);
	xml_open(x, "AccessKeyLastUsed");
	if (use.at_us)
		iam_write_time(x, "LastUsedDate", use.at_us);
	xml_text(x, "ServiceName", use.at_us ? use.service : STR("N/A"));
	xml_text(x, "Region", use.at_us ? use.region : STR("N/A"));
	xml_close(x, "AccessKeyLastUsed");
	return OK;
}

/* ---- changes ---- */

struct change_key {
	struct access_key_target wish;
	struct str status;
};
static const struct param update_params[] = {
	IAM_USER(struct change_key, wish.user),
	KEY_ID(struct change_key, wish.key_id),
	PARAM(struct change_key, "Status", status, .flags = REQUIRED, .words = "Active|Inactive",
	      .doc = "Status. Requests signed with an inactive key are refused."),
};
static const struct param delete_params[] = {IAM_USER(struct change_key, wish.user),
					     KEY_ID(struct change_key, wish.key_id)};

static RESULT prepare_change(struct iam_call *e, void *args)
{
	struct change_key *a = args;
	const struct user *user = NULL;
	TRY(iam_choose_user(e, &a->wish.user));
	TRY(iam_find_user(e, &a->wish.user, &user));
	a->wish.user =
		(struct ref){.kind = KIND_USER, .prefix = user->row.id, .bits = 128, .text = user->name};
	a->wish.enabled = str_is(a->status, "Active");
	return OK;
}

static const struct iam_action actions[] = {
	{IAM_ACTION("CreateAccessKey"), .flags = API_WRITES, .args = PARAMS(struct new_key, create_params),
	 .prepare = prepare_new, .operation = engine_create_access_key_run, .answer = show_new,
	 .doc = "Creates an access key. The secret is shown once."},
	{IAM_ACTION("ListAccessKeys"), .args = PARAMS(struct iam_read_args, list_params),
	 .prepare = iam_prepare_user, .list = &keys, .answer = iam_answer_list,
	 .doc = "Lists the access keys of a user; without a name, those of the caller."},
	{IAM_ACTION("UpdateAccessKey"), .flags = API_WRITES, .args = PARAMS(struct change_key, update_params),
	 .prepare = prepare_change, .operation = engine_enable_access_key_run,
	 .doc = "Activates or deactivates an access key."},
	{IAM_ACTION("DeleteAccessKey"), .flags = API_WRITES, .args = PARAMS(struct change_key, delete_params),
	 .prepare = prepare_change, .operation = engine_delete_access_key_run,
	 .doc = "Deletes an access key."},
	{IAM_ACTION("GetAccessKeyLastUsed"), .args = PARAMS(struct key_args, used_params),
	 .answer = get_last_used,
	 .doc = "Returns the time and service of the last request signed with an access key."},
};
const struct api_actions iam_key_actions = API_ACTIONS(actions);
