/* SPDX-License-Identifier: Apache-2.0
 * Secrets of Barbican. Called by: api/openstack/key_manager. */
#include "engine/people/credential/secret.h"

#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/tag_internal.h"
#include "store/secret.h"
#include "store/secret_container.h"

bool engine_may_read_secret(const struct ctx *c, const struct secret *secret)
{
	return !secret->is_private || !c->who || identity_is_admin(c->who) ||
	       uuid_equal(c->who->user, secret->creator);
}

/* A private secret is not only unreadable for others: they can't change it either. */
static RESULT find(struct op *op, const struct ref *ref, const char *permission,
		   const struct secret **ret_secret)
{
	const struct row *row = NULL;
	TRY(engine_find_own(op->ctx, op->head, KIND_SECRET, ref, &row));
	TRY(engine_permit(op, permission, KIND_SECRET, row));
	if (!engine_may_read_secret(op->ctx, secret_of(row)))
		return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_SECRET,
				     "The secret is private to the user that stored it.");
	*ret_secret = secret_of(row);
	return OK;
}

RESULT engine_create_secret(struct op *op, struct secret_wish *wish)
{
	const struct account *account = NULL;
	TRY(engine_find_acting_account(op, &account));
	struct secret made = wish->row;
	made.row.gen = 1;
	made.account = engine_get_account(op->ctx);
	made.creator = op->ctx->who ? op->ctx->who->user : UUID_NONE;
	TRY(engine_permit_new(op, "secret.create", KIND_SECRET, &made.row));
	TRY(limit_check(op, LIMIT_SECRETS, made.account, 1, STR_NONE));
	TRY(secret_put(op, &made));
	return engine_log_event(op, KIND_SECRET, &made.row, "created", "Secret %" STR_FMT ".",
				STR_ARG(made.name));
}

RESULT engine_put_secret_payload(struct op *op, struct secret_payload *wish)
{
	const struct secret *present = NULL;
	TRY(find(op, &wish->secret, "secret.put_value", &present));
	if (present->content_type.n)
		return ENGINE_FAIL(op, ERR_STATE, KIND_SECRET, wish->secret.field,
				   "Secret already has data, cannot modify it.");
	struct secret next = *present;
	next.content_type = wish->content_type;
	next.payload = wish->payload;
	next.row.gen++;
	TRY(secret_put(op, &next));
	return engine_log_event(op, KIND_SECRET, &next.row, "changed", "Payload.");
}

RESULT engine_delete_secret(struct op *op, struct secret_target *wish)
{
	const struct secret *present = NULL;
	TRY(find(op, &wish->secret, "secret.delete", &present));
	TRY(engine_log_event(op, KIND_SECRET, &present->row, "deleted", "Secret %" STR_FMT ".",
			     STR_ARG(present->name)));
	return secret_forget(op, present->row.id);
}

static RESULT put_metadata(struct op *op, const struct secret *present, struct tags metadata)
{
	struct secret next = *present;
	next.metadata = (struct tags){0};
	TRY(tag_normalize(op, metadata, &next.metadata));
	next.row.gen++;
	return secret_put(op, &next);
}

RESULT engine_put_secret_metadata(struct op *op, struct secret_metadata *wish)
{
	const struct secret *present = NULL;
	TRY(find(op, &wish->secret, "secret.tag", &present));
	return put_metadata(op, present, wish->metadata);
}

RESULT engine_put_secret_entry(struct op *op, struct secret_entry *wish)
{
	const struct secret *present = NULL;
	size_t count = 0;
	TRY(find(op, &wish->secret, "secret.tag", &present));
	struct tag *tags = arena_new_array(op->ctx->arena, struct tag, present->metadata.count + 1);
	if (!tags)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < present->metadata.count; k++)
		if (!str_equal(present->metadata.at[k].key, wish->key))
			tags[count++] = present->metadata.at[k];
	bool is_there = count < present->metadata.count;
	if (wish->is_new && is_there)
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_NONE, STR("key"),
				   "Conflict. Key in request is already in the secret metadata");
	if (!wish->is_new && !is_there)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_NONE, STR("key"),
				   "Not Found. Secret Metadata Key not found.");
	if (!wish->is_gone)
		tags[count++] = (struct tag){wish->key, wish->value};
	return put_metadata(op, present, (struct tags){tags, count});
}

RESULT engine_set_secret_privacy(struct op *op, struct secret_privacy *wish)
{
	const struct secret *present = NULL;
	TRY(find(op, &wish->secret, "secret.set_acl", &present));
	struct secret next = *present;
	next.is_private = wish->is_private;
	next.row.gen++;
	TRY(secret_put(op, &next));
	return engine_log_event(op, KIND_SECRET, &next.row, "changed", "Access.");
}

/* ---- containers ---- */

static RESULT find_container(struct op *op, const struct ref *ref, const char *permission,
			     const struct secret_container **ret_container)
{
	const struct row *row = NULL;
	TRY(engine_find_own(op->ctx, op->head, KIND_SECRET_CONTAINER, ref, &row));
	TRY(engine_permit(op, permission, KIND_SECRET_CONTAINER, row));
	*ret_container = secret_container_of(row);
	return OK;
}

static RESULT find_secrets(struct op *op, const struct refs *refs, struct uuids *ret_ids)
{
	uuid *at = arena_new_array(op->ctx->arena, uuid, refs->count + 1);
	if (!at)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < refs->count; k++) {
		const struct row *row = NULL;
		TRY(engine_find_own(op->ctx, op->head, KIND_SECRET, &refs->at[k], &row));
		if (!engine_may_read_secret(op->ctx, secret_of(row)))
			return engine_fail_not_found(op->ctx, KIND_SECRET, &refs->at[k]);
		at[k] = row->id;
	}
	*ret_ids = (struct uuids){at, refs->count};
	return OK;
}

RESULT engine_create_secret_container(struct op *op, struct secret_container_wish *wish)
{
	const struct account *account = NULL;
	TRY(engine_find_acting_account(op, &account));
	struct secret_container made = wish->row;
	made.row = (struct row){.id = engine_new_id(op, KIND_SECRET_CONTAINER), .gen = 1};
	made.account = engine_get_account(op->ctx);
	made.creator = op->ctx->who ? op->ctx->who->user : UUID_NONE;
	TRY(engine_permit_new(op, "secret_container.create", KIND_SECRET_CONTAINER, &made.row));
	TRY(find_secrets(op, &wish->secrets, &made.secrets));
	TRY(limit_check(op, LIMIT_SECRET_CONTAINERS, made.account, 1, STR_NONE));
	TRY(secret_container_put(op, &made));
	wish->made = made.row.id;
	return engine_log_event(op, KIND_SECRET_CONTAINER, &made.row, "created", "Container %" STR_FMT ".",
				STR_ARG(made.name));
}

RESULT engine_delete_secret_container(struct op *op, struct secret_container_target *wish)
{
	const struct secret_container *present = NULL;
	TRY(find_container(op, &wish->container, "secret_container.delete", &present));
	TRY(engine_log_event(op, KIND_SECRET_CONTAINER, &present->row, "deleted", "Container %" STR_FMT ".",
			     STR_ARG(present->name)));
	return secret_container_forget(op, present->row.id);
}

static RESULT change_consumers(struct op *op, const struct secret_consumer *wish, bool is_added)
{
	const struct secret_container *present = NULL;
	size_t count = 0;
	TRY(find_container(op, &wish->container,
			   is_added ? "secret_container.add_consumer" : "secret_container.remove_consumer",
			   &present));
	struct str *at = arena_new_array(op->ctx->arena, struct str, present->consumers.count + 1);
	struct str text =
		str_print(op->ctx->arena, "%" STR_FMT "\n%" STR_FMT, STR_ARG(wish->name), STR_ARG(wish->url));
	if (!at || !text.p)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < present->consumers.count; k++)
		if (!str_equal(present->consumers.at[k], text))
			at[count++] = present->consumers.at[k];
	if (!is_added && count == present->consumers.count)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_NONE, STR("name"),
				   "Not Found. Sorry but your consumer is in another castle.");
	if (is_added)
		at[count++] = text;
	if (count > SECRET_CONSUMERS_MAX)
		return ENGINE_FAIL(op, ERR_QUOTA, KIND_SECRET_CONTAINER, STR("name"),
				   "A container has up to %d consumers.", SECRET_CONSUMERS_MAX);
	struct secret_container next = *present;
	next.consumers = (struct strs){at, count};
	next.row.gen++;
	return secret_container_put(op, &next);
}

RESULT engine_add_secret_consumer(struct op *op, struct secret_consumer *wish)
{
	return change_consumers(op, wish, true);
}

RESULT engine_remove_secret_consumer(struct op *op, struct secret_consumer *wish)
{
	return change_consumers(op, wish, false);
}
