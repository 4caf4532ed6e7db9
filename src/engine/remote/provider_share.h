/* SPDX-License-Identifier: Apache-2.0
 * Sharing of providers with accounts below the owner: accounts within the owner's account, and accounts of domains below the
 * owner's domain. Such an account sees the provider without its credentials, its machines and its resources, and acts on
 * machines if the owner lets it. The provider's row holds the accounts, so that the end of sharing is one change.
 *
 * Policies of such an account name the owner's account in ARNs. Changes of the provider itself are the owner's alone. */
#pragma once

#include "engine/operation.h"

struct account;
struct provider;
struct remote_machine;

enum { PROVIDER_SHARES_MAX = 64, PROVIDER_SHARES_DEEP = 16 };

/* Sets the accounts that a provider is shared with; none ends the sharing. ERR_INVALID: an account is not below the owner. */
struct provider_share_wish {
	struct ref provider;
	struct refs accounts;
	bool shares_acts;
};
OPERATION(engine_share_provider, provider_share_wish)

/* True if the account lies below the owner. */
bool engine_is_account_below(const struct tables *t, uuid account, uuid owner);
/* True if the provider is live, and shared with the account. */
bool engine_is_provider_shared(const struct tables *t, const struct provider *p, uuid account);
/* True if rows of the kind are a provider's: sharing shows them to accounts below the owner. */
bool engine_is_of_provider(enum kind kind);
/* True if the row is a provider, a machine or a resource that is shared with the caller's account. */
bool engine_is_shared_elsewhere(const struct ctx *c, const struct tables *t, enum kind kind,
				const struct row *row);
/* ERR_DENIED: the caller's account only sees what is there. OK for the owner. */
RESULT engine_check_shared_act(struct op *op, const struct provider *p, struct str field);
/* The account of an act's user: the machine's owner, or the account that it is shared with. */
uuid engine_find_act_account(const struct remote_machine *m);
/* NULL: the account may act on the machine. Otherwise why not, as a sentence. */
const char *engine_weigh_shared_act(const struct tables *t, const struct remote_machine *m);
