/* SPDX-License-Identifier: Apache-2.0
 * Private to test_limits.c: entries of Keystone's catalogue, and its registered limits. */
#pragma once

#include "engine/people/unified_limit.h"

static RESULT make_catalog_entry(struct cloud *c, int n)
{
	struct str name = numbered(c, "north", n);
	struct catalog_wish wish = {.what = CATALOG_ENTRY_WHAT_REGION, .name = &name};
	MAKE(c, &c->operator, engine_create_catalog_entry, wish, entry);
}
static void drop_catalog_entry(struct cloud *c)
{
	const struct catalog_entry *entry = catalog_entry_find(cloud_tables(c), made);
	struct catalog_wish wish = {.what = CATALOG_ENTRY_WHAT_REGION, .id = entry->name};
	cloud_ok(c, &c->operator, engine_delete_catalog_entry, &wish);
}

static RESULT make_registered_limit(struct cloud *c, int n)
{
	struct registered_limit_wish limit = {
		.resource = {.own_type = STR("compute"), .name = numbered(c, "resource", n)}, .value = 1};
	struct registered_limits_wish wish = {.at = &limit, .count = 1};
	MAKE(c, &c->operator, engine_create_registered_limits, wish, at[0].limit);
}
static void drop_registered_limit(struct cloud *c)
{
	struct registered_limit_target wish = {.limit = ref_to(c, KIND_REGISTERED_LIMIT, made)};
	cloud_ok(c, &c->operator, engine_delete_registered_limit, &wish);
}
