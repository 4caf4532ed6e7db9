/* SPDX-License-Identifier: Apache-2.0
 * An account's settings for all its instances: rows only. They apply from the next launch, and the next
 * console, on. Called by: api/ec2/account/account_settings.c. */
#include "engine/people/account/account_settings.h"

#include "engine/instance/instance_internal.h"
#include "engine/internal.h"
#include "store/account.h"
#include "store/snapshot.h"

/* The row's enums have the same values as enum choice. */
_Static_assert((int) ACCOUNT_METADATA_ENABLED_UNSAID == CHOICE_DEFAULT &&
		       (int) ACCOUNT_METADATA_ENABLED_YES == CHOICE_YES &&
		       (int) ACCOUNT_METADATA_ENABLED_NO == CHOICE_NO,
	       "an account's words are choices");

struct metadata_defaults engine_metadata_defaults(const struct account *account)
{
	return (struct metadata_defaults){
		.enabled = (enum choice) account->metadata_enabled,
		.tokens_required = (enum choice) account->metadata_tokens_required,
		.tags = (enum choice) account->metadata_tags,
		.hop_limit = account->metadata_hop_limit,
	};
}

static RESULT write_account(struct op *op, const struct account *account, struct account *next,
			    const char *words)
{
	if (row_equal(&model_kinds[KIND_ACCOUNT], &account->row, &next->row))
		return OK;
	next->row.gen++;
	TRY(account_put(op, next));
	return engine_log_sentence(op, KIND_ACCOUNT, &next->row, "changed", words);
}

RESULT engine_set_metadata_defaults(struct op *op, struct metadata_defaults_wish *wish)
{
	const struct metadata_defaults *defaults = &wish->defaults;
	const struct account *account = NULL;
	TRY(engine_find_acting_account(op, &account));
	TRY(engine_permit(op, "account.set_metadata_defaults", KIND_ACCOUNT, &account->row));
	TRY(instance_check_sizes(op, STR_NONE, defaults->hop_limit));
	struct account next = *account;
	if (wish->set_enabled)
		next.metadata_enabled = (enum account_metadata_enabled) defaults->enabled;
	if (wish->set_tokens_required)
		next.metadata_tokens_required =
			(enum account_metadata_tokens_required) defaults->tokens_required;
	if (wish->set_tags)
		next.metadata_tags = (enum account_metadata_tags) defaults->tags;
	if (wish->set_hop_limit)
		next.metadata_hop_limit = defaults->hop_limit;
	return write_account(op, account, &next, "What its new instances' metadata are like.");
}

RESULT engine_set_serial_consoles(struct op *op, struct serial_consoles_wish *wish)
{
	const struct account *account = NULL;
	TRY(engine_find_acting_account(op, &account));
	TRY(engine_permit(op,
			  wish->are_closed ? "account.close_serial_consoles" : "account.open_serial_consoles",
			  KIND_ACCOUNT, &account->row));
	struct account next = *account;
	next.serial_consoles_closed = wish->are_closed;
	return write_account(op, account, &next,
			     wish->are_closed ? "Its instances' serial ports are closed."
					      : "Its instances' serial ports may be opened.");
}

RESULT engine_set_volume_encryption(struct op *op, struct volume_encryption *wish)
{
	const struct account *account = NULL;
	TRY(engine_find_acting_account(op, &account));
	TRY(engine_permit(op, wish->encrypts ? "account.encrypt_volumes" : "account.leave_volumes_plain",
			  KIND_ACCOUNT, &account->row));
	struct account next = *account;
	next.encrypts_volumes = wish->encrypts;
	return write_account(op, account, &next,
			     wish->encrypts ? "Its new volumes are encrypted."
					    : "Its new volumes are encrypted where that is asked for.");
}

RESULT engine_choose_volume_key(struct op *op, struct volume_key_choice *wish)
{
	const struct account *account = NULL;
	TRY(engine_find_acting_account(op, &account));
	return engine_permit(op, wish->is_reset ? "account.reset_volume_key" : "account.set_volume_key",
			     KIND_ACCOUNT, &account->row);
}

/* ---- what may be public ---- */

RESULT engine_set_public_images(struct op *op, struct public_images_wish *wish)
{
	const struct account *account = NULL;
	TRY(engine_find_acting_account(op, &account));
	TRY(engine_permit(op,
			  wish->are_blocked ? "account.block_public_images" : "account.allow_public_images",
			  KIND_ACCOUNT, &account->row));
	struct account next = *account;
	next.blocks_public_images = wish->are_blocked;
	return write_account(op, account, &next,
			     wish->are_blocked ? "Its images cannot become public."
					       : "Its images may become public.");
}

static RESULT check_no_public_snapshot(struct op *op, uuid account)
{
	const struct snapshot *s = snapshot_first_by_account(op->head, account);
	while (s && !(row_is_live(&s->row) && s->is_public))
		s = snapshot_next_by_account(op->head, s);
	if (!s)
		return OK;
	return ENGINE_FAIL(op, ERR_IN_USE, KIND_SNAPSHOT, STR("State"),
			   "The snapshot %" STR_FMT
			   " is public. Make it private, or block new sharing alone.",
			   STR_ARG(engine_write_id(op, KIND_SNAPSHOT, s->row.id)));
}

RESULT engine_set_public_snapshots(struct op *op, struct public_snapshots_wish *wish)
{
	const struct account *account = NULL;
	bool allows = wish->state == ACCOUNT_PUBLIC_SNAPSHOTS_ALLOWED;
	TRY(engine_find_acting_account(op, &account));
	TRY(engine_permit(op, allows ? "account.allow_public_snapshots" : "account.block_public_snapshots",
			  KIND_ACCOUNT, &account->row));
	if (wish->state == ACCOUNT_PUBLIC_SNAPSHOTS_NONE)
		TRY(check_no_public_snapshot(op, account->row.id));
	struct account next = *account;
	next.public_snapshots = wish->state;
	return write_account(op, account, &next,
			     allows ? "Its snapshots may become public."
				    : "Its snapshots cannot become public.");
}

/* ---- default credit options ---- */

/* The burstable families; T2 is the only one that has standard credits by itself. */
static const char *const credit_families[] = {"t2", "t3", "t3a", "t4g"};
enum { CREDIT_FAMILIES = sizeof credit_families / sizeof credit_families[0] };

bool engine_is_credit_family(struct str family)
{
	for (size_t k = 0; k < CREDIT_FAMILIES; k++)
		if (str_is(family, credit_families[k]))
			return true;
	return false;
}

static bool is_changed(const struct account *account, struct str family)
{
	for (size_t k = 0; k < account->credit_families.count; k++)
		if (str_equal(account->credit_families.at[k], family))
			return true;
	return false;
}

bool engine_has_unlimited_credits(const struct account *account, struct str family)
{
	return is_changed(account, family) == str_is(family, "t2");
}

RESULT engine_set_credit_default(struct op *op, struct credit_default_wish *wish)
{
	const struct account *account = NULL;
	TRY(engine_find_acting_account(op, &account));
	TRY(engine_permit(op, "account.set_credit_defaults", KIND_ACCOUNT, &account->row));
	if (!engine_is_credit_family(wish->family))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_ACCOUNT, STR("InstanceFamily"),
				   "%" STR_FMT " is not a burstable instance family", STR_ARG(wish->family));
	struct str *families = arena_new_array(op->ctx->arena, struct str, CREDIT_FAMILIES);
	struct account next = *account;
	size_t count = 0;
	if (!families)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < CREDIT_FAMILIES; k++) {
		struct str family = str_from(credit_families[k]);
		bool differs = str_equal(family, wish->family)
				       ? (wish->unlimited == CHOICE_YES) == str_is(family, "t2")
				       : is_changed(account, family);
		if (differs)
			families[count++] = family;
	}
	next.credit_families = (struct strs){families, count};
	return write_account(op, account, &next, "Default credits of its new instances.");
}
