/* SPDX-License-Identifier: Apache-2.0
 * Dedicated hosts: rows only. placement.c places by them. Called by: api/ec2/compute/dedicated_hosts.c. */
#include "engine/region/dedicated_host.h"

#include <inttypes.h>

#include "engine/client_token_internal.h"
#include "engine/instance/instance_internal.h"
#include "engine/instance/instance_type.h"
#include "engine/instance/placement/placement.h"
#include "engine/internal.h"
#include "engine/quota_internal.h"
#include "engine/region/dedicated_host_internal.h"
#include "engine/storage/volume/volume.h"
#include "engine/tag_internal.h"
#include "engine/tombstone.h"
#include "model/account.h"
#include "model/client_token.h"
#include "model/zone.h"
#include "store/dedicated_host.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/instance_type.h"

/* ---- accepted types ---- */

const struct dedicated_host *engine_find_dedicated(const struct tables *t, uuid host)
{
	bool may = tables_count(t, KIND_DEDICATED_HOST) > 0 && !uuid_is_none(host);
	return may ? dedicated_host_find_by_host(t, host) : NULL;
}

static bool is_of_family(struct str type, struct str family)
{
	return type.n > family.n && type.p[family.n] == '.' && str_starts_with(type, family);
}

bool engine_takes_type(const struct dedicated_host *dedicated, const struct instance_type *type)
{
	if (!type)
		return false;
	return dedicated->type.n ? str_equal(dedicated->type, type->name)
				 : is_of_family(type->name, dedicated->family);
}

RESULT dedicated_host_check_type(struct op *op, const struct dedicated_host *dedicated,
				 const struct instance_type *type, struct str field)
{
	if (engine_takes_type(dedicated, type))
		return OK;
	return ENGINE_FAIL(op, ERR_COMBINATION, KIND_DEDICATED_HOST, field,
			   "The dedicated host '%" STR_FMT "' takes instances of %s %" STR_FMT " only.",
			   STR_ARG(engine_write_id(op, KIND_DEDICATED_HOST, dedicated->row.id)),
			   dedicated->type.n ? "the type" : "the family",
			   STR_ARG(dedicated->type.n ? dedicated->type : dedicated->family));
}

int64_t engine_count_host_vcpus(const struct host *host)
{
	return host->seen_cpus * host->overcommit_percent / 100;
}

int64_t engine_count_host_room(const struct host *host, const struct host_usage *use,
			       const struct instance_type *type)
{
	int64_t vcpus = engine_count_host_vcpus(host) - use->vcpus;
	int64_t memory = host->seen_memory - host->reserved_memory - use->memory;
	if (vcpus <= 0 || memory <= 0 || type->vcpus <= 0 || type->memory <= 0)
		return 0;
	int64_t by_vcpus = vcpus / type->vcpus, by_memory = memory / type->memory;
	return by_vcpus < by_memory ? by_vcpus : by_memory;
}

/* ---- requested types ---- */

static struct str family_of(struct str type)
{
	return str_slice(type, 0, str_find_char(type, '.', 0));
}

static RESULT check_family(struct op *op, struct str family)
{
	const struct instance_type *type = instance_type_first(op->head);
	while (type && !(type->enabled && is_of_family(type->name, family)))
		type = instance_type_next(op->head, type);
	if (type)
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_DEDICATED_HOST, STR("InstanceFamily"),
			   "There is no instance family '%" STR_FMT "': InstanceFamily", STR_ARG(family));
}

/* type NULL: the whole family. */
static RESULT resolve_type(struct op *op, const struct ref *ref, struct str family,
			   const struct instance_type **ret_type)
{
	*ret_type = NULL;
	if (!ref_is_given(ref) && str_is_empty(family))
		return ENGINE_FAIL(op, ERR_MISSING, KIND_DEDICATED_HOST, STR("InstanceType"),
				   "The request must contain InstanceType or InstanceFamily");
	if (ref_is_given(ref) && !str_is_empty(family))
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_NONE, STR("InstanceFamily"),
				   "InstanceType and InstanceFamily may not be specified together");
	return ref_is_given(ref) ? instance_find_offered_type(op, ref, ret_type) : check_family(op, family);
}

/* ---- allocate ---- */

bool dedicated_host_is_free(const struct tables *t, const struct host *host, uuid account,
			    const struct instance_type *type)
{
	const struct placement_need need = {.arch = INSTANCE_TYPE_ARCH_X86_64,
					    .vcpus = type ? type->vcpus : 0,
					    .memory = type ? type->memory : 0};
	return host_usage(host)->instances == 0 && host_usage(host)->reserved == 0 &&
	       !engine_find_dedicated(t, host->row.id) &&
	       placement_check_host(host, &need) == PLACEMENT_FITS &&
	       !engine_host_has_volumes_of_others(t, host->row.id, account);
}

static RESULT choose_hosts(struct op *op, const struct dedicated_host *like, int64_t wanted,
			   const struct instance_type *type, const struct host **hosts)
{
	int64_t count = 0;
	for (const struct host *h = host_first_by_zone(op->head, like->zone); h && count < wanted;
	     h = host_next_by_zone(op->head, h))
		if (dedicated_host_is_free(op->head, h, like->account, type))
			hosts[count++] = h;
	if (count == wanted)
		return OK;
	return ENGINE_FAIL(op, ERR_CAPACITY, KIND_DEDICATED_HOST, STR("Quantity"),
			   "Of the zone's hosts %" PRId64 " are empty and could be dedicated, not %" PRId64
			   ".",
			   count, wanted);
}

static RESULT write_all(struct op *op, const struct dedicated_host *like, const struct host *const *hosts,
			size_t count, uuid *ids)
{
	for (size_t n = 0; n < count; n++) {
		struct dedicated_host d = *like;
		d.row.id = ids[n] = engine_new_id(op, KIND_DEDICATED_HOST);
		d.host = hosts[n]->row.id;
		TRY(dedicated_host_put(op, &d));
		TRY(engine_log_event(op, KIND_DEDICATED_HOST, &d.row, "allocated", "Host %" STR_FMT ".",
				     STR_ARG(hosts[n]->name)));
	}
	return OK;
}

/* Returns what still exists of the first request's hosts: they have the token and its creation time. */
static RESULT replay(struct op *op, const struct client_token *token, uuid *ids, size_t max,
		     struct uuids *ret_made)
{
	size_t count = 0;
	for (const struct dedicated_host *d = dedicated_host_first_by_account(op->head, token->account); d;
	     d = dedicated_host_next_by_account(op->head, d))
		if (count < max && row_is_live(&d->row) && str_equal(d->client_token, token->token) &&
		    d->row.created_us == token->row.created_us)
			ids[count++] = d->row.id;
	*ret_made = (struct uuids){ids, count};
	return count ? OK : engine_fail_gone(op->ctx, KIND_DEDICATED_HOST, token->made);
}

static RESULT allocate(struct op *op, struct dedicated_host_wish *wish, const struct account *account,
		       uuid *ids)
{
	const struct zone *zone = NULL;
	const struct instance_type *type = NULL;
	size_t count = (size_t) wish->count;
	const struct host **hosts = arena_new_array(op->ctx->arena, const struct host *, count);
	if (!hosts)
		return ctx_no_memory(op->ctx);
	TRY(engine_find_zone(op->ctx, op->head, &wish->zone, &zone));
	TRY(resolve_type(op, &wish->type, wish->family, &type));
	struct dedicated_host like = {.row.gen = 1,
				      .account = account->row.id,
				      .zone = zone->row.id,
				      .type = type ? type->name : STR_NONE,
				      .family = type ? family_of(type->name) : wish->family,
				      .auto_placement = wish->auto_placement,
				      .recovers = wish->recovers,
				      .client_token = wish->client_token};
	TRY(tag_normalize(op, wish->tags, &like.tags));
	TRY(engine_permit_new(op, "dedicated_host.allocate", KIND_DEDICATED_HOST, &like.row));
	TRY(quota_check(op, account->row.id, QUOTA_DEDICATED_HOSTS, wish->count));
	TRY(choose_hosts(op, &like, wish->count, type, hosts));
	TRY(write_all(op, &like, hosts, count, ids));
	wish->made = (struct uuids){ids, count};
	return client_token_write(op, account->row.id, wish->client_token, wish->digest, ids[0]);
}

RESULT engine_allocate_dedicated_hosts(struct op *op, struct dedicated_host_wish *wish)
{
	const struct account *account = NULL;
	const struct client_token *token = NULL;
	if (wish->count < 1 || wish->count > DEDICATED_HOSTS_AT_ONCE)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_DEDICATED_HOST, STR("Quantity"),
				   "Quantity is between 1 and %d.", DEDICATED_HOSTS_AT_ONCE);
	uuid *ids = arena_new_array(op->ctx->arena, uuid, (size_t) wish->count);
	if (!ids)
		return ctx_no_memory(op->ctx);
	TRY(engine_find_acting_account(op, &account));
	TRY(client_token_find_fresh(op, account->row.id, wish->client_token, wish->digest, &token));
	return token ? replay(op, token, ids, (size_t) wish->count, &wish->made)
		     : allocate(op, wish, account, ids);
}

/* ---- several changes ---- */

/* An error that concerns one host is stored with its change, and the others continue. */
static RESULT keep_failure(struct op *op, struct result result, struct dedicated_host_change *change)
{
	bool is_its = result.code == ERR_NOT_FOUND || result.code == ERR_IN_USE || result.code == ERR_INVALID;
	if (!result_is_ok(result) && !is_its)
		return result;
	change->err = result.code;
	change->message = is_its ? op->ctx->problem.message : STR_NONE;
	ctx_clear_problem(op->ctx);
	return OK;
}

static RESULT fail_occupied(struct op *op, const struct ref *ref, const char *done)
{
	return ENGINE_FAIL(op, ERR_IN_USE, KIND_DEDICATED_HOST, ref->field,
			   "Dedicated host '%" STR_FMT "' cannot be %s as it is occupied.",
			   STR_ARG(ref->text), done);
}

/* ---- modify ---- */

static RESULT check_instances(struct op *op, const struct dedicated_host *next, const struct ref *ref)
{
	for (const struct instance *i = instance_first_by_host(op->head, next->host); i;
	     i = instance_next_by_host(op->head, i))
		if (row_is_live(&i->row) && !engine_takes_type(next, instance_type_find(op->head, i->type)))
			return fail_occupied(op, ref, "modified");
	return OK;
}

static RESULT modify_one(struct op *op, const struct dedicated_host_settings *wish,
			 const struct instance_type *type, const struct dedicated_host_change *change)
{
	const struct ref *ref = &change->dedicated_host;
	const struct dedicated_host *d = NULL;
	TRY(engine_permit_dedicated_host(op, ref, "dedicated_host.update", &d));
	struct dedicated_host next = *d;
	struct str family = type ? family_of(type->name) : wish->family;
	if (family.n && !str_equal(family, d->family))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_DEDICATED_HOST, ref->field,
				   "Dedicated host '%" STR_FMT "' is of the family '%" STR_FMT "'.",
				   STR_ARG(ref->text), STR_ARG(d->family));
	if (family.n)
		next.type = type ? type->name : STR_NONE;
	choice_apply(wish->auto_placement, &next.auto_placement);
	choice_apply(wish->recovers, &next.recovers);
	TRY(check_instances(op, &next, ref));
	if (row_equal(&model_kinds[KIND_DEDICATED_HOST], &d->row, &next.row))
		return OK;
	next.row.gen++;
	TRY(dedicated_host_put(op, &next));
	return engine_log_event(op, KIND_DEDICATED_HOST, &next.row, "changed",
				"Auto-placement is %s, recovery is %s.", next.auto_placement ? "on" : "off",
				next.recovers ? "on" : "off");
}

RESULT engine_modify_dedicated_hosts(struct op *op, struct dedicated_host_settings *wish)
{
	const struct instance_type *type = NULL;
	if (ref_is_given(&wish->type) || !str_is_empty(wish->family))
		TRY(resolve_type(op, &wish->type, wish->family, &type));
	for (size_t k = 0; k < wish->count; k++)
		TRY(keep_failure(op, modify_one(op, wish, type, &wish->changes[k]), &wish->changes[k]));
	return OK;
}

/* ---- release ---- */

RESULT dedicated_host_end(struct op *op, const struct dedicated_host *dedicated)
{
	return tombstone_leave(op, KIND_DEDICATED_HOST, &dedicated->row, DEDICATED_HOST_INDEX_ACCOUNT);
}

static RESULT release_one(struct op *op, const struct dedicated_host_change *change)
{
	const struct ref *ref = &change->dedicated_host;
	const struct dedicated_host *d = NULL;
	TRY(engine_permit_dedicated_host(op, ref, "dedicated_host.release", &d));
	const struct host *host = host_find(op->head, d->host);
	if (host && host_usage(host)->instances > 0)
		return fail_occupied(op, ref, "released");
	TRY(engine_log_event(op, KIND_DEDICATED_HOST, &d->row, "released", "Host %" STR_FMT ".",
			     STR_ARG(host ? host->name : STR_NONE)));
	return dedicated_host_end(op, d);
}

RESULT engine_release_dedicated_hosts(struct op *op, struct dedicated_hosts_target *wish)
{
	for (size_t k = 0; k < wish->count; k++)
		TRY(keep_failure(op, release_one(op, &wish->changes[k]), &wish->changes[k]));
	return OK;
}
