/* SPDX-License-Identifier: Apache-2.0
 * Resources of providers that are no machines: reports of listings. reconcile/remote/resources.c makes them. */
#pragma once

#include "engine/operation.h"
#include "model/remote_resource_words.h"

struct provider;
struct remote_resource;

/* REMOTE_RESOURCES_MAX: resources of one type of a provider. */
enum { REMOTE_RESOURCE_TYPES = REMOTE_RESOURCE_TYPE_STACK_RESOURCE + 1, REMOTE_RESOURCES_MAX = 50000 };

/* Condition of a provider some of whose resources cannot be listed, or whose listing lacked too many. */
#define PROVIDER_LISTS_PARTLY "ResourcesUnlisted"

/* True if the seen fields differ, so that a report would change the row. */
bool engine_remote_resource_differs(const struct remote_resource *row, const struct remote_resource *seen);

/* Resources of one type, as a listing has them: creates rows or changes them. */
struct remote_resources_report {
	uuid provider;
	const struct remote_resource *at; /* type, ref and the seen fields; row.id: id for a new row */
	size_t count;
	bool is_first; /* the type's first listing, which writes no event for each resource */
};
SYSTEM_OPERATION(engine_see_remote_resources, remote_resources_report)

/* Resources that a complete listing of their type lacked. The second miss in a row forgets them. */
struct remote_resources_loss {
	uuid provider;
	const uuid *at;
	size_t count;
	bool is_final; /* forgets at once */
};
SYSTEM_OPERATION(engine_miss_remote_resources, remote_resources_loss)

/* Outcome of a listing of one type. No change is committed if nothing differs. */
struct remote_listing_report {
	uuid provider;
	uint64_t gen; /* the provider's gen that was used; later changes make the report void */
	enum remote_resource_type type;
	struct str problem; /* why the listing failed, or its result is not trusted; empty: it is complete */
};
SYSTEM_OPERATION(engine_see_remote_listing, remote_listing_report)

/* End of the last complete listing of the resource's type, as far as known. Any thread with a view of the rows. */
int64_t engine_get_resource_refreshed_us(const struct provider *provider,
					 const struct remote_resource *resource);
/* Notes the end of a complete listing whose changes are committed. Changes no row. */
struct remote_type_refreshed {
	uuid provider;
	enum remote_resource_type type;
	int64_t at_us;
};
SYSTEM_OPERATION(engine_note_type_refreshed, remote_type_refreshed)
