/* SPDX-License-Identifier: Apache-2.0
 * Offerings restricted to domains or zones. Called by: the operations that create, change and use
 * offerings. */
#include "engine/region/offered_internal.h"

#include "engine/people/account/domain.h"
#include "store/zone.h"

bool engine_is_offered_to(const struct identity *who, const struct uuids *domains)
{
	bool is_there =
		!domains->count || uuids_have(domains, DOMAIN_DEFAULT) || uuids_have(domains, who->domain);
	for (size_t k = 0; k < who->domains_above.count && !is_there; k++)
		is_there = uuids_have(domains, who->domains_above.at[k]);
	return is_there;
}

bool engine_is_offered(const struct ctx *c, const struct uuids *domains)
{
	return identity_is_admin(c->who) || engine_is_offered_to(c->who, domains);
}

bool engine_is_offered_in(const struct uuids *zones, uuid zone)
{
	return !zones->count || uuids_have(zones, zone);
}

/* Drops duplicates and keeps the order. */
static RESULT take(struct op *op, enum kind kind, const struct refs *refs, size_t max, struct uuids *ret_ids)
{
	const struct row *row = NULL;
	uuid *at = arena_new_array(op->ctx->arena, uuid, refs->count + 1);
	struct uuids ids = {at, 0};
	if (!at)
		return ctx_no_memory(op->ctx);
	if (refs->count > max)
		return ENGINE_FAIL(op, ERR_QUOTA, kind, refs->at[0].field, "There are more than %zu.", max);
	for (size_t k = 0; k < refs->count; k++) {
		TRY(engine_find(op->ctx, op->head, kind, &refs->at[k], &row));
		if (!uuids_have(&ids, row->id))
			at[ids.count++] = row->id;
	}
	*ret_ids = ids;
	return OK;
}

/* Drops domains that are below another of the list, which stands for them. */
static struct uuids drop_below(const struct tables *t, struct uuids ids)
{
	uuid *at = (uuid *) ids.at;
	size_t count = 0;
	for (size_t k = 0; k < ids.count; k++) {
		bool is_below = false;
		for (size_t n = 0; n < ids.count && !is_below; n++)
			is_below = !uuid_equal(ids.at[n], ids.at[k]) &&
				   engine_is_domain_within(t, ids.at[k], ids.at[n]);
		if (!is_below)
			at[count++] = ids.at[k];
	}
	return (struct uuids){at, count};
}

RESULT offered_apply(struct op *op, const struct offered_wish *wish, struct uuids *zones,
		     struct uuids *domains)
{
	if (wish->set_zones)
		TRY(take(op, KIND_ZONE, &wish->zones, OFFERED_ZONES_MAX, zones));
	if (!wish->set_domains)
		return OK;
	TRY(take(op, KIND_DOMAIN, &wish->domains, OFFERED_DOMAINS_MAX, domains));
	*domains = drop_below(op->head, *domains);
	return OK;
}

RESULT offered_check_zone(struct op *op, enum kind kind, struct str name, const struct uuids *zones,
			  uuid zone, struct str field)
{
	const struct zone *at = zone_find(op->head, zone);
	return engine_is_offered_in(zones, zone)
		       ? OK
		       : ENGINE_FAIL(op, ERR_UNSUPPORTED, kind, field,
				     "'%" STR_FMT "' is not offered in the zone '%" STR_FMT "'.",
				     STR_ARG(name), STR_ARG(at ? at->name : STR_NONE));
}
