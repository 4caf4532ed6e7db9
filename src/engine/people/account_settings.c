/* SPDX-License-Identifier: Apache-2.0
 * An account's settings for all its instances: rows only. They apply from the next launch, and the next
 * console, on. Called by: api/ec2/account/account_settings.c. */
#include "engine/people/account_settings.h"

#include "engine/instance/instance_internal.h"
#include "engine/internal.h"
#include "store/account.h"

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
	return engine_log_event(op, KIND_ACCOUNT, &next->row, "changed", "%s", words);
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
