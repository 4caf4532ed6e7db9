/* SPDX-License-Identifier: Apache-2.0
 * An administrator's additions to Keystone's catalogue. */
#include "engine/people/catalog.h"

#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/people/keystone_extra_internal.h"
#include "engine/people/unified_limit.h"
#include "store/catalog_entry.h"

static const struct catalog_entry *find_region(const struct tables *t, struct str name)
{
	const struct catalog_entry *entry = catalog_entry_first_by_name(t, name);
	while (entry && entry->what != CATALOG_ENTRY_WHAT_REGION)
		entry = catalog_entry_next_by_name(t, entry);
	return entry;
}

const struct catalog_entry *engine_find_catalog_entry(const struct tables *t, enum catalog_entry_what what,
						      struct str id)
{
	uuid key;
	if (what == CATALOG_ENTRY_WHAT_REGION)
		return find_region(t, id);
	const struct catalog_entry *entry =
		result_is_ok(uuid_parse(id, &key)) ? catalog_entry_find(t, key) : NULL;
	return entry && entry->what == what ? entry : NULL;
}

static RESULT find_entry(struct op *op, const struct catalog_wish *wish,
			 const struct catalog_entry **ret_entry)
{
	*ret_entry = engine_find_catalog_entry(op->head, wish->what, wish->id);
	return *ret_entry ? OK
			  : ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_CATALOG_ENTRY,
					  "Could not find %s: %" STR_FMT ".",
					  catalog_entry_what_words[wish->what],
					  STR_ARG(str_slice(wish->id, 0, 255)));
}

static bool has_region(const struct op *op, const struct catalog_wish *wish, struct str name)
{
	return !name.n || str_equal(name, wish->own_region) || find_region(op->head, name);
}

static RESULT write_entry(struct op *op, struct catalog_entry *entry)
{
	TRY(limit_check(op, LIMIT_CATALOG_ENTRIES, UUID_NONE, 1, STR_NONE));
	entry->row.id = engine_new_id(op, KIND_CATALOG_ENTRY);
	entry->row.gen = 1;
	return catalog_entry_put(op, entry);
}

/* Checks that referenced entries exist; creates a region named by an older call. */
static RESULT check_references(struct op *op, const struct catalog_wish *wish,
			       const struct catalog_entry *entry)
{
	const struct catalog_entry *service =
		uuid_is_none(entry->service) ? NULL : catalog_entry_find(op->head, entry->service);
	bool has_service = wish->is_own_service || !wish->service ||
			   (service && service->what == CATALOG_ENTRY_WHAT_SERVICE);
	if (entry->what == CATALOG_ENTRY_WHAT_ENDPOINT_GROUP)
		return OK; /* may name entries that do not exist yet */
	if (entry->what == CATALOG_ENTRY_WHAT_ENDPOINT && !has_service)
		return ctx_fail_kind(
			op->ctx, ERR_INVALID, KIND_CATALOG_ENTRY, "Could not find service: %" STR_FMT ".",
			STR_ARG(str_encode_hex(op->ctx->arena, entry->service.b, sizeof entry->service.b)));
	if (has_region(op, wish, entry->region))
		return OK;
	if (wish->makes_region) {
		struct catalog_entry region = {.what = CATALOG_ENTRY_WHAT_REGION, .name = entry->region};
		return write_entry(op, &region);
	}
	return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_CATALOG_ENTRY, "Could not find region: %" STR_FMT ".",
			     STR_ARG(str_slice(entry->region, 0, 255)));
}

static RESULT check_text(struct op *op, const struct str *text)
{
	return !text || text->n <= CATALOG_TEXT_MAX
		       ? OK
		       : ctx_fail_kind(op->ctx, ERR_TOO_LARGE, KIND_CATALOG_ENTRY,
				       "A policy has at most %d bytes.", CATALOG_TEXT_MAX);
}

static RESULT apply(struct op *op, const struct catalog_wish *wish, struct catalog_entry *next)
{
	const struct {
		const struct str *said;
		struct str *text;
	} texts[] = {{wish->name, &next->name},           {wish->type, &next->type},
		     {wish->text, &next->text},           {wish->description, &next->description},
		     {wish->interface, &next->interface}, {wish->region, &next->region}};
	bool enabled = !next->is_disabled;
	TRY(check_text(op, wish->text));
	for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
		if (texts[k].said)
			*texts[k].text = *texts[k].said;
	if (wish->service)
		next->service = *wish->service;
	choice_apply(wish->enabled, &enabled);
	next->is_disabled = !enabled;
	TRY(keystone_extra_add(op, KIND_CATALOG_ENTRY, wish->extra, &next->extra));
	return check_references(op, wish, next);
}

RESULT engine_create_catalog_entry(struct op *op, struct catalog_wish *wish)
{
	struct catalog_entry entry = {.what = wish->what};
	TRY(engine_permit(op, "catalog.create", KIND_CATALOG_ENTRY, NULL));
	TRY(apply(op, wish, &entry));
	bool is_region = wish->what == CATALOG_ENTRY_WHAT_REGION;
	if (is_region && (str_equal(entry.name, wish->own_region) || find_region(op->head, entry.name)))
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_CATALOG_ENTRY,
				     "Conflict occurred attempting to store region - Duplicate ID, %" STR_FMT
				     ".",
				     STR_ARG(entry.name));
	TRY(write_entry(op, &entry));
	wish->entry = entry.row.id;
	return engine_log_event(op, KIND_CATALOG_ENTRY, &entry.row, "created", "A %s of the catalogue.",
				catalog_entry_what_words[entry.what]);
}

/* Walks up from the region's parent to exclude a cycle. */
static bool is_within(const struct tables *t, struct str name, struct str of)
{
	for (int depth = 0; name.n && depth < CATALOG_ENTRIES_MAX; depth++) {
		const struct catalog_entry *region = find_region(t, name);
		if (str_equal(name, of))
			return true;
		name = region ? region->region : STR_NONE;
	}
	return false;
}

RESULT engine_update_catalog_entry(struct op *op, struct catalog_wish *wish)
{
	const struct catalog_entry *entry = NULL;
	TRY(engine_permit(op, "catalog.update", KIND_CATALOG_ENTRY, NULL));
	TRY(find_entry(op, wish, &entry));
	struct catalog_entry next = *entry;
	TRY(apply(op, wish, &next));
	if (entry->what == CATALOG_ENTRY_WHAT_REGION && is_within(op->head, next.region, next.name))
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_CATALOG_ENTRY,
				     "A region is in no region that is within it.");
	next.row.gen++;
	wish->entry = entry->row.id;
	TRY(catalog_entry_put(op, &next));
	return engine_log_event(op, KIND_CATALOG_ENTRY, &next.row, "changed", "A %s of the catalogue.",
				catalog_entry_what_words[next.what]);
}

static RESULT check_region_free(struct op *op, const struct catalog_entry *region)
{
	for (const struct catalog_entry *e = catalog_entry_first(op->head); e;
	     e = catalog_entry_next(op->head, e))
		if (e->what == CATALOG_ENTRY_WHAT_ENDPOINT && is_within(op->head, e->region, region->name))
			return ctx_fail_kind(op->ctx, ERR_PROTECTED, KIND_CATALOG_ENTRY,
					     "Unable to delete region %" STR_FMT
					     " because it or its child regions have associated endpoints.",
					     STR_ARG(region->name));
	return OK;
}

/* Deletes the nested regions, too; they have no endpoints either. */
static RESULT forget_within(struct op *op, const struct catalog_entry *region)
{
	VEC(uuid) ids = {0};
	TRY(check_region_free(op, region));
	for (const struct catalog_entry *e = catalog_entry_first(op->head); e;
	     e = catalog_entry_next(op->head, e))
		if (e->what == CATALOG_ENTRY_WHAT_REGION && is_within(op->head, e->region, region->name) &&
		    !VEC_PUSH(op->ctx->arena, &ids, e->row.id))
			return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < ids.count; k++)
		TRY(catalog_entry_forget(op, ids.at[k]));
	return OK;
}

static const struct catalog_entry *find_access(const struct tables *t, uuid endpoint)
{
	const struct catalog_entry *e = catalog_entry_first_by_service(t, endpoint);
	while (e && e->what != CATALOG_ENTRY_WHAT_ENDPOINT_ACCESS)
		e = catalog_entry_next_by_service(t, e);
	return e;
}

static RESULT forget_access(struct op *op, uuid endpoint)
{
	const struct catalog_entry *access = find_access(op->head, endpoint);
	return access ? catalog_entry_forget(op, access->row.id) : OK;
}

/* Endpoint groups that name the service stay. */
static RESULT forget_endpoints(struct op *op, uuid service)
{
	const struct catalog_entry *next = NULL;
	for (const struct catalog_entry *e = catalog_entry_first_by_service(op->head, service); e; e = next) {
		next = catalog_entry_next_by_service(op->head, e);
		if (e->what != CATALOG_ENTRY_WHAT_ENDPOINT)
			continue;
		TRY(forget_access(op, e->row.id));
		TRY(catalog_entry_forget(op, e->row.id));
	}
	return OK;
}

RESULT engine_delete_catalog_entry(struct op *op, struct catalog_wish *wish)
{
	const struct catalog_entry *entry = NULL;
	TRY(engine_permit(op, "catalog.delete", KIND_CATALOG_ENTRY, NULL));
	TRY(find_entry(op, wish, &entry));
	uuid id = entry->row.id;
	if (entry->what == CATALOG_ENTRY_WHAT_REGION)
		TRY(forget_within(op, entry));
	if (entry->what == CATALOG_ENTRY_WHAT_SERVICE && engine_has_registered_limits(op->head, id))
		return ctx_fail_kind(op->ctx, ERR_PROTECTED, KIND_CATALOG_ENTRY,
				     "Unable to delete service %" STR_FMT
				     " because it has registered limits.",
				     STR_ARG(wish->id));
	if (entry->what == CATALOG_ENTRY_WHAT_SERVICE)
		TRY(forget_endpoints(op, id));
	if (entry->what == CATALOG_ENTRY_WHAT_ENDPOINT)
		TRY(forget_access(op, id));
	TRY(engine_log_event(op, KIND_CATALOG_ENTRY, &entry->row, "deleted", "A %s of the catalogue.",
			     catalog_entry_what_words[entry->what]));
	return catalog_entry_forget(op, id);
}

/* ---- associations ---- */

bool engine_is_endpoint_filter(const struct catalog_entry *entry, uuid account)
{
	bool is_filter = entry->what == CATALOG_ENTRY_WHAT_ENDPOINT_GROUP ||
			 entry->what == CATALOG_ENTRY_WHAT_ENDPOINT_ACCESS;
	return is_filter && uuids_have(&entry->accounts, account);
}

const struct catalog_entry *engine_find_endpoint_access(const struct tables *t, uuid endpoint)
{
	return find_access(t, endpoint);
}

static RESULT write_accounts(struct op *op, struct catalog_entry *entry, uuid account, bool is_in)
{
	uuid *next = arena_new_array(op->ctx->arena, uuid, entry->accounts.count + 1);
	size_t count = 0;
	if (!next)
		return ctx_no_memory(op->ctx);
	for (size_t n = 0; n < entry->accounts.count; n++)
		if (!uuid_equal(entry->accounts.at[n], account))
			next[count++] = entry->accounts.at[n];
	if (is_in)
		next[count++] = account;
	entry->accounts = (struct uuids){next, count};
	entry->row.gen++;
	if (!count && entry->what == CATALOG_ENTRY_WHAT_ENDPOINT_ACCESS)
		return catalog_entry_forget(op, entry->row.id);
	return catalog_entry_put(op, entry);
}

static RESULT check_association(struct op *op, const struct endpoint_association *wish, bool is_there)
{
	if (!wish->is_in && !is_there)
		return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_CATALOG_ENTRY,
				     "Could not find what gives the endpoints to the project.");
	if (wish->is_in && is_there)
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_CATALOG_ENTRY,
				     "Conflict occurred attempting to store project_endpoint%s - Duplicate "
				     "entry.",
				     wish->group.n ? "_group" : "");
	return OK;
}

RESULT engine_associate_endpoints(struct op *op, struct endpoint_association *wish)
{
	const struct row *account = NULL;
	struct catalog_wish group = {.what = CATALOG_ENTRY_WHAT_ENDPOINT_GROUP, .id = wish->group};
	const struct catalog_entry *entry = NULL;
	TRY(engine_permit(op, "catalog.update", KIND_CATALOG_ENTRY, NULL));
	TRY(engine_look_up(op->ctx, op->head, KIND_ACCOUNT, &wish->account, &account));
	if (wish->group.n)
		TRY(find_entry(op, &group, &entry));
	else
		entry = find_access(op->head, wish->endpoint);
	bool is_there = entry && uuids_have(&entry->accounts, account->id);
	TRY(check_association(op, wish, is_there));
	if (!wish->group.n && wish->is_in && !wish->is_own_endpoint &&
	    !engine_find_catalog_entry(op->head, CATALOG_ENTRY_WHAT_ENDPOINT,
				       uuid_to_str(op->ctx->arena, wish->endpoint)))
		return engine_fail_gone(op->ctx, KIND_CATALOG_ENTRY, wish->endpoint);
	struct catalog_entry next = {.what = CATALOG_ENTRY_WHAT_ENDPOINT_ACCESS, .service = wish->endpoint};
	if (!entry)
		TRY(write_entry(op, &next));
	else
		next = *entry;
	if (wish->is_in && next.accounts.count >= ENDPOINT_ACCOUNTS_MAX)
		return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_CATALOG_ENTRY,
				     "Endpoints are given to at most %d projects each.",
				     ENDPOINT_ACCOUNTS_MAX);
	return write_accounts(op, &next, account->id, wish->is_in);
}

RESULT catalog_forget_account(struct op *op, uuid account)
{
	const struct catalog_entry *after = NULL;
	for (const struct catalog_entry *e = catalog_entry_first(op->head); e; e = after) {
		struct catalog_entry next = *e;
		after = catalog_entry_next(op->head, e);
		if (engine_is_endpoint_filter(e, account))
			TRY(write_accounts(op, &next, account, false));
	}
	return OK;
}
