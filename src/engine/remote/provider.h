/* SPDX-License-Identifier: Apache-2.0
 * Providers: clouds elsewhere, with the credentials of an account there. reconcile/remote/ calls them;
 * drivers/remote.h is the interface of a cloud. */
#pragma once

#include "engine/operation.h"
#include "model/provider_words.h"

struct provider;

enum {
	PROVIDER_POLL_S = 300,
	PROVIDER_POLL_MIN_S = 60, /* administrators may set 1 second */
	PROVIDER_POLL_MAX_S = 86400,
	PROVIDER_SECRET_MAX = 512,
	PROVIDER_CA_MAX = 16384
};

/* Condition of a provider that cannot be listed, and of one whose listing lacked too many machines. */
#define PROVIDER_FAILS "ProviderFails"
#define PROVIDER_HOLDS "MachinesVanished"
/* Condition of a provider that has machines whose ids cannot be names here. */
#define PROVIDER_LEAVES_OUT "MachinesUnnamed"
/* Condition of a provider whose metrics cannot be read. */
#define PROVIDER_UNMEASURED "MetricsNotRead"
/* Condition of a provider whose change feed cannot be read. */
#define PROVIDER_UNFED "ChangesNotRead"

/* A new provider. An endpoint that an administrator gives is trusted: it may be any address. */
struct provider_wish {
	uuid id; /* id for the new row; the secret is sealed with it */
	struct ref owner;
	struct str name, endpoint, region, project, domain, login, ca, pin, queue;
	struct str secret; /* sealed */
	int cloud;         /* enum provider_cloud */
	int64_t poll_s;    /* 0: the default */
	bool reads_metrics;
};
OPERATION(engine_create_provider, provider_wish)

/* Changes credentials, trust or interval; empty texts and 0 leave the present values. */
struct provider_change {
	struct ref provider;
	uuid id; /* id that the secret was sealed with */
	struct str login, secret, ca, pin;
	struct str queue;
	bool has_queue; /* `queue` is the new value, also if it is empty */
	int64_t poll_s;
	enum choice reads_metrics;
};
OPERATION(engine_change_provider, provider_change)

struct provider_target {
	struct ref provider;
	bool accepts_loss; /* for a refresh: any share of the machines may be gone */
};
/* Lists soon, whatever the interval. */
OPERATION(engine_refresh_provider, provider_target)
/* Ends the provider. Its machines are forgotten step by step, and run on where they are. */
OPERATION(engine_delete_provider, provider_target)

/* Outcome of a call. No change is committed if nothing differs. */
struct provider_report {
	uuid provider;
	uint64_t gen; /* gen that was used; later changes make the report void */
	enum provider_status status;
	struct str problem;
	bool has_verified; /* identity and lacks are new */
	struct str identity;
	struct strs lacks;
	bool has_listed; /* a listing is complete */
	int64_t held;
};
SYSTEM_OPERATION(engine_see_provider, provider_report)

/* Forgets some machines and resources of a deleted provider, or the provider if it has none left. */
struct provider_end {
	uuid provider;
};
SYSTEM_OPERATION(engine_forget_provider, provider_end)

/* End of the last complete listing, as far as known; 0: none. Any thread with a view of the row. */
int64_t engine_get_refreshed_us(const struct provider *provider);
/* Notes the end of a complete listing whose changes are committed. Changes no row. */
struct provider_refreshed {
	uuid provider;
	int64_t at_us;
};
SYSTEM_OPERATION(engine_note_refreshed, provider_refreshed)
