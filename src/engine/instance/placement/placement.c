/* SPDX-License-Identifier: Apache-2.0
 * Placement: filters hosts, then spreads instances. A host whose size is unknown has no room. */
#include "engine/instance/placement/placement.h"

#include <inttypes.h>

#include "engine/internal.h"
#include "engine/region/aggregate.h"
#include "engine/region/aggregate_internal.h"
#include "engine/region/dedicated_host.h"
#include "engine/region/host.h"
#include "engine/storage/storage_pool.h"
#include "model/dedicated_host.h"
#include "model/instance_type.h"
#include "model/processor.h"
#include "model/server_group.h"
#include "model/states.h"
#include "model/storage_pool.h"
#include "store/aggregate.h"
#include "store/host.h"
#include "store/instance.h"

/* ---- one host ---- */

static int64_t free_memory(const struct host *host)
{
	return host->seen_memory - host->reserved_memory - host_usage(host)->memory;
}

/* Figure by which hosts are compared: free memory, or free disk for a disk alone. */
static int64_t room_left(const struct host *host, const struct placement_need *need)
{
	return need->memory > 0 ? free_memory(host) : host->seen_disk - host_usage(host)->disk;
}

enum placement_reason placement_check_room(const struct host *host, const struct placement_need *need)
{
	const struct host_usage *use = host_usage(host);
	if (need->vcpus > 0 &&
	    use->vcpus - need->freed_vcpus + need->vcpus > host->seen_cpus * host->overcommit_percent / 100)
		return PLACEMENT_VCPUS;
	if (need->memory > 0 && need->memory > free_memory(host) + need->freed_memory)
		return PLACEMENT_MEMORY;
	if (need->disk > 0 && (host->seen_full || use->disk + need->disk > host->seen_disk))
		return PLACEMENT_DISK;
	return PLACEMENT_FITS;
}

enum placement_reason placement_check_host(const struct host *host, const struct placement_need *need)
{
	if (!engine_is_host_open(host) || !row_is_live(&host->row))
		return PLACEMENT_DISABLED;
	if (host->forced_down || host->seen_state != HOST_SEEN_STATE_UP)
		return PLACEMENT_DOWN;
	if (need->arch != INSTANCE_TYPE_ARCH_X86_64)
		return PLACEMENT_ARCH; /* the schema has no architecture of hosts: all are x86_64 */
	return placement_check_room(host, need);
}

/* ---- compatibility with a live migration's source ---- */

static bool has_machine(const struct host *host, struct str machine)
{
	struct str rest = host->seen_machines, word;
	while (str_split_next(&rest, ' ', &word))
		if (str_equal(word, machine))
			return true;
	return machine.n == 0;
}

/* Disk paths must be equal on both hosts. Without a named model, an emulated processor depends on the QEMU
 * version. */
static bool is_like(const struct host *host, const struct placement_need *need)
{
	const struct host *from = need->from;
	bool is_emulated = from->seen_virt != HOST_SEEN_VIRT_KVM;
	return !uuid_equal(host->row.id, from->row.id) && host->seen_virt == from->seen_virt &&
	       str_equal(host->pool_path, from->pool_path) && has_machine(host, need->machine) &&
	       (need->cpu.n || !is_emulated || str_equal(host->seen_version, from->seen_version));
}

/* A guest without a named model has its host's processor, so the target needs the same one. */
static bool has_processor(const struct host *host, const struct placement_need *need)
{
	return need->cpu.n ? processor_covers(host->seen_cpu, need->cpu)
			   : str_equal(host->seen_cpu, need->from->seen_cpu);
}

static enum placement_reason check_likeness(const struct host *host, const struct placement_need *need)
{
	if (!need->from)
		return PLACEMENT_FITS;
	if (!is_like(host, need))
		return PLACEMENT_UNLIKE;
	return has_processor(host, need) ? PLACEMENT_FITS : PLACEMENT_PROCESSOR;
}

/* ---- disks ---- */

void placement_add_disk(struct placement_need *need, const struct storage_pool *pool, int64_t size)
{
	if (!pool)
		need->disk += size;
	for (size_t n = 0; pool && n < need->pool_count; n++)
		if (uuid_equal(need->pools[n], pool->row.id))
			return;
	if (pool && need->pool_count < PLACEMENT_POOLS_MAX)
		need->pools[need->pool_count++] = pool->row.id;
}

bool placement_sees_pools(const struct tables *t, const struct placement_need *need, const struct host *host)
{
	for (size_t n = 0; n < need->pool_count; n++)
		if (!engine_host_sees_pool(t, host->row.id, need->pools[n]))
			return false;
	return true;
}

/* ---- aggregates ---- */

static bool is_in_aggregate(const struct tables *t, struct str key, struct str value, const struct host *host)
{
	for (const struct aggregate *a = aggregate_first(t); a; a = aggregate_next(t, a)) {
		const struct tag *property = tags_find(a->properties, key);
		if (property && str_equal(property->value, value) && aggregate_has_host(a, host->row.id))
			return true;
	}
	return false;
}

enum placement_reason placement_check_aggregates(const struct tables *t, const struct placement_need *need,
						 const struct host *host)
{
	const struct str scope = STR(AGGREGATE_SPEC);
	const struct instance_type *type = need->type;
	if (need->zone_name.n && !str_equal(engine_get_zone_name(t, host), need->zone_name))
		return PLACEMENT_ZONE;
	for (size_t n = 0; type && n < type->extra_specs.count; n++) {
		const struct tag *spec = &type->extra_specs.at[n];
		if (str_starts_with(spec->key, scope) &&
		    !is_in_aggregate(t, str_slice(spec->key, scope.n, spec->key.n), spec->value, host))
			return PLACEMENT_AGGREGATE;
	}
	return PLACEMENT_FITS;
}

/* ---- server groups ---- */

/* True for live members of the group other than the instance being placed. */
static bool is_other_member(const struct placement *p, const struct instance *i)
{
	return row_is_live(&i->row) && !uuid_equal(i->row.id, p->need.except);
}

/* True if the instance is on the host, or being migrated to it. */
static bool is_at(const struct instance *i, const struct host *host)
{
	return uuid_equal(i->host, host->row.id) || uuid_equal(i->target, host->row.id);
}

static int64_t count_members(const struct placement *p, const struct host *host)
{
	int64_t count = 0;
	for (const struct instance *i = instance_first_by_server_group(p->tables, p->need.group->row.id); i;
	     i = instance_next_by_server_group(p->tables, i))
		count += is_other_member(p, i) && is_at(i, host);
	return count;
}

static bool is_group_placed(const struct placement *p)
{
	const struct instance *i = instance_first_by_server_group(p->tables, p->need.group->row.id);
	while (i && (!is_other_member(p, i) || uuid_is_none(i->host)))
		i = instance_next_by_server_group(p->tables, i);
	return i != NULL;
}

/* True if the host has a member of another partition. */
static bool has_other_partition(const struct placement *p, const struct host *host)
{
	const struct instance *i = instance_first_by_server_group(p->tables, p->need.group->row.id);
	while (i && (!is_other_member(p, i) || !is_at(i, host) || i->partition == p->need.partition))
		i = instance_next_by_server_group(p->tables, i);
	return i != NULL;
}

static bool group_allows(const struct placement *p, const struct host *host)
{
	const struct server_group *group = p->need.group;
	if (!group)
		return true;
	if (group->policy == SERVER_GROUP_POLICY_AFFINITY)
		return !is_group_placed(p) || count_members(p, host) > 0;
	if (group->policy == SERVER_GROUP_POLICY_PARTITION)
		return !has_other_partition(p, host);
	return group->policy != SERVER_GROUP_POLICY_ANTI_AFFINITY ||
	       count_members(p, host) < group->max_per_host;
}

/* Score of a host under a soft (anti-)affinity policy; higher is better. */
static int64_t group_likes(const struct placement *p, const struct host *host)
{
	const struct server_group *group = p->need.group;
	if (group && group->policy == SERVER_GROUP_POLICY_SOFT_AFFINITY)
		return count_members(p, host);
	if (group && group->policy == SERVER_GROUP_POLICY_SOFT_ANTI_AFFINITY)
		return -count_members(p, host);
	return 0;
}

/* ---- near and apart ---- */

static bool has_any(const struct tables *t, const struct uuids *instances, const struct host *host)
{
	for (size_t n = 0; n < instances->count; n++) {
		const struct instance *i = instance_find(t, instances->at[n]);
		if (i && row_is_live(&i->row) && is_at(i, host))
			return true;
	}
	return false;
}

bool placement_follows_hints(const struct tables *t, const struct placement_need *need,
			     const struct host *host)
{
	return (!need->near.count || has_any(t, &need->near, host)) && !has_any(t, &need->apart, host);
}

/* ---- tenancy ---- */

/* True if sharing the host would violate a dedicated tenancy: that of the new instance, or of another
 * account's instance there. */
static bool is_shared_against_will(const struct placement *p, const struct host *host)
{
	bool shares = p->need.tenancy != INSTANCE_TENANCY_DEDICATED;
	if (p->need.memory > 0 && !shares && host_usage(host)->reserved > 0)
		return true; /* units of capacity reservations are for instances of the default tenancy */
	if (p->need.memory == 0 || (shares && host_usage(host)->dedicated == 0))
		return false;
	const struct instance *i = instance_first_by_host(p->tables, host->row.id);
	while (i && (uuid_equal(i->account, p->need.account) ||
		     model_derive_instance_state(i) == INSTANCE_TERMINATED ||
		     (shares && i->tenancy != INSTANCE_TENANCY_DEDICATED)))
		i = instance_next_by_host(p->tables, i);
	return i != NULL;
}

/* Volumes need a host of their account only; instances must also ask for the tenancy. */
static bool dedicated_allows(const struct placement_need *need, const struct dedicated_host *dedicated)
{
	if (!uuid_equal(dedicated->account, need->account))
		return false;
	if (need->memory == 0)
		return true;
	if (need->tenancy != INSTANCE_TENANCY_HOST || !engine_takes_type(dedicated, need->type))
		return false;
	return uuid_is_none(need->dedicated_host) ? dedicated->auto_placement
						  : uuid_equal(need->dedicated_host, dedicated->row.id);
}

static bool tenancy_allows(const struct placement *p, const struct host *host)
{
	const struct dedicated_host *dedicated = engine_find_dedicated(p->tables, host->row.id);
	if (dedicated)
		return dedicated_allows(&p->need, dedicated);
	return p->need.tenancy != INSTANCE_TENANCY_HOST && !is_shared_against_will(p, host);
}

/* A failed dedicated host keeps its instances, and accepts none. */
static bool may_come(const struct placement *p, const struct host *host)
{
	const struct dedicated_host *dedicated = engine_find_dedicated(p->tables, host->row.id);
	return !(dedicated && dedicated->has_failed) && tenancy_allows(p, host);
}

/* True if `host` of the need is this host, or none. */
static bool has_shared(const struct placement *p, const struct host *host)
{
	return uuid_is_none(p->need.host) || uuid_equal(p->need.host, host->row.id);
}

bool placement_may_stay(const struct tables *t, const struct placement_need *need, const struct host *host)
{
	struct placement p = {.tables = t, .need = *need};
	const struct dedicated_host *dedicated = engine_find_dedicated(t, host->row.id);
	if (dedicated && uuid_is_none(need->dedicated_host)) /* the instance stays, even if the host has no
							      * automatic placement */
		p.need.dedicated_host = dedicated->row.id;
	return has_shared(&p, host) && group_allows(&p, host) && tenancy_allows(&p, host);
}

static enum placement_reason check(const struct placement *p, const struct host *host)
{
	if (!has_shared(p, host))
		return p->need.host_is_asked ? PLACEMENT_ASKED : PLACEMENT_SHARED;
	if (uuid_equal(host->row.id, p->need.leaves))
		return PLACEMENT_LEFT;
	enum placement_reason reason = check_likeness(host, &p->need);
	if (reason == PLACEMENT_FITS)
		reason = placement_check_host(host, &p->need);
	if (reason == PLACEMENT_FITS && !placement_sees_pools(p->tables, &p->need, host))
		return PLACEMENT_POOL;
	if (reason == PLACEMENT_FITS)
		reason = placement_check_aggregates(p->tables, &p->need, host);
	if (reason == PLACEMENT_FITS && !may_come(p, host))
		return PLACEMENT_TENANCY;
	if (reason == PLACEMENT_FITS && !placement_follows_hints(p->tables, &p->need, host))
		return PLACEMENT_HINTS;
	return reason == PLACEMENT_FITS && !group_allows(p, host) ? PLACEMENT_GROUP : reason;
}

enum placement_reason placement_check(const struct placement *p, const struct placement_need *need,
				      const struct host *host)
{
	struct placement other = {.tables = p->tables, .need = *need};
	return check(&other, host);
}

enum placement_reason placement_check_named(const struct tables *t, const struct placement_need *need,
					    const struct host *host, bool forces)
{
	struct placement p = {.tables = t, .need = *need};
	if (!uuid_equal(host->zone, need->zone))
		return PLACEMENT_ZONE;
	if (!forces)
		return check(&p, host);
	enum placement_reason likeness = check_likeness(host, need);
	if (likeness != PLACEMENT_FITS)
		return likeness;
	return placement_sees_pools(t, need, host) ? placement_check_room(host, need) : PLACEMENT_POOL;
}

/* Compares two hosts that fit; true if a is better. */
static bool has_more(const struct placement *p, const struct host *a, const struct host *b)
{
	int64_t liked_a = group_likes(p, a), liked_b = group_likes(p, b);
	return liked_a != liked_b ? liked_a > liked_b : room_left(a, &p->need) > room_left(b, &p->need);
}

/* ---- one launch ---- */

const struct host *placement_first_host(const struct tables *t, uuid zone)
{
	return uuid_is_none(zone) ? host_first(t) : host_first_by_zone(t, zone);
}

const struct host *placement_next_host(const struct tables *t, uuid zone, const struct host *host)
{
	return uuid_is_none(zone) ? host_next(t, host) : host_next_by_zone(t, host);
}

RESULT placement_begin(struct ctx *c, const struct tables *t, const struct placement_need *need,
		       struct placement *ret_placement)
{
	size_t count = tables_count(t, KIND_HOST);
	*ret_placement = (struct placement){.tables = t, .need = *need};
	if (count > PLACEMENT_LARGE)
		return OK;
	ret_placement->candidates = arena_new_array(c->arena, struct placement_candidate, count + 1);
	if (!ret_placement->candidates)
		return ctx_no_memory(c);
	for (const struct host *h = placement_first_host(t, need->zone); h;
	     h = placement_next_host(t, need->zone, h))
		ret_placement->candidates[ret_placement->candidate_count++].host = h;
	return OK;
}

/* ---- large regions: random samples ---- */

/* Ids are random, so the successor of a random id is a random host. */
static const struct host *draw_host(const struct tables *t)
{
	struct host probe = {.row.id = uuid_random()};
	const struct row *row = tables_seek(t, KIND_HOST, HOST_INDEX_ID, &probe.row, 1);
	return row ? host_of(row) : host_first(t);
}

/* Next host in order of ids, wrapping around. */
static const struct host *host_behind(const struct tables *t, const struct host *host)
{
	const struct host *next = host_next(t, host);
	return next ? next : host_first(t);
}

/* Counts the hosts of the sample that fit, and finds the best one. The sample is a random host and its
 * successors, which costs a single search. */
static size_t sample_hosts(const struct placement *p, const struct host **ret_best)
{
	size_t fitting = 0;
	const struct host *host = draw_host(p->tables);
	for (size_t n = 0; n < PLACEMENT_SAMPLE; n++, host = host_behind(p->tables, host)) {
		bool is_there = uuid_is_none(p->need.zone) || uuid_equal(host->zone, p->need.zone);
		if (!is_there || check(p, host) != PLACEMENT_FITS)
			continue;
		fitting++;
		if (!*ret_best || has_more(p, host, *ret_best))
			*ret_best = host;
	}
	return fitting;
}

static const struct host *next_of_large(const struct placement *p)
{
	const struct host *best = NULL;
	if (sample_hosts(p, &best) > 0)
		return best;
	for (const struct host *h = placement_first_host(p->tables, p->need.zone); h;
	     h = placement_next_host(p->tables, p->need.zone, h))
		if (check(p, h) == PLACEMENT_FITS && (!best || has_more(p, h, best)))
			best = h;
	return best;
}

/* ---- small regions: all hosts ---- */

static bool is_better(const struct placement *p, const struct placement_candidate *a,
		      const struct placement_candidate *b)
{
	int64_t liked_a = group_likes(p, a->host), liked_b = group_likes(p, b->host);
	if (liked_a != liked_b)
		return liked_a > liked_b;
	if (a->launched != b->launched)
		return a->launched < b->launched;
	return room_left(a->host, &p->need) > room_left(b->host, &p->need);
}

const struct host *placement_next(struct placement *p)
{
	if (!p->candidates)
		return next_of_large(p);
	struct placement_candidate *best = NULL;
	for (size_t n = 0; n < p->candidate_count; n++) {
		struct placement_candidate *each = &p->candidates[n];
		if ((!best || is_better(p, each, best)) && check(p, each->host) == PLACEMENT_FITS)
			best = each;
	}
	if (!best)
		return NULL;
	best->launched++;
	return best->host;
}

size_t placement_count_fitting(const struct placement *p)
{
	const struct host *best = NULL;
	if (!p->candidates)
		return sample_hosts(p, &best);
	size_t count = 0;
	for (size_t n = 0; n < p->candidate_count; n++)
		count += check(p, p->candidates[n].host) == PLACEMENT_FITS;
	return count;
}

/* ---- reports ---- */

void placement_report(const struct placement *p, struct placement_report *ret_report)
{
	*ret_report = (struct placement_report){.cpu = p->need.cpu};
	for (const struct host *h = placement_first_host(p->tables, p->need.zone); h;
	     h = placement_next_host(p->tables, p->need.zone, h)) {
		enum placement_reason reason = check(p, h);
		ret_report->host_count++;
		ret_report->refused[reason]++;
		if (reason == PLACEMENT_FITS || ret_report->shown_count == PLACEMENT_HOSTS_SHOWN)
			continue;
		ret_report->shown[ret_report->shown_count] = h;
		ret_report->shown_reason[ret_report->shown_count++] = reason;
	}
}

static const char *const reasons[PLACEMENT_REASON_COUNT] = {
	[PLACEMENT_FITS] = "have room",
	[PLACEMENT_DISABLED] = "are closed to new instances",
	[PLACEMENT_DOWN] = "do not answer",
	[PLACEMENT_ARCH] = "are of another architecture",
	[PLACEMENT_VCPUS] = "lack vCPUs",
	[PLACEMENT_MEMORY] = "lack memory",
	[PLACEMENT_DISK] = "lack disk space",
	[PLACEMENT_GROUP] = "are against its server group",
	[PLACEMENT_AGGREGATE] = "lack what its type asks of aggregates",
	[PLACEMENT_TENANCY] = "are against its tenancy or dedicated to others",
	[PLACEMENT_HINTS] = "are against its hints of other instances",
	[PLACEMENT_SHARED] = "lack a volume that it shares with others",
	[PLACEMENT_ASKED] = "are not the one asked for",
	[PLACEMENT_ZONE] = "are in another zone",
	[PLACEMENT_UNLIKE] = "are it, or unlike it (virtualization, machines, versions, pool's path)",
	[PLACEMENT_POOL] = "do not see the storage pool of its disks",
	[PLACEMENT_PROCESSOR] = "lack what its processor has",
	[PLACEMENT_LEFT] = "have it",
};

const char *placement_reason_words(enum placement_reason reason)
{
	return reasons[reason];
}

static struct str list_hosts(struct arena *a, const struct placement_report *report,
			     enum placement_reason reason)
{
	struct str list = STR_NONE;
	for (size_t n = 0; n < report->shown_count; n++) {
		if (report->shown_reason[n] != reason)
			continue;
		const struct host *host = report->shown[n];
		struct str lacks = reason == PLACEMENT_PROCESSOR && report->cpu.n
					   ? processor_find_lacks(a, host->seen_cpu, report->cpu)
					   : STR_NONE;
		list = str_print(a, "%" STR_FMT "%s%" STR_FMT "%s%" STR_FMT, STR_ARG(list),
				 list.n ? ", " : "", STR_ARG(host->name), lacks.n ? ": " : "",
				 STR_ARG(lacks));
	}
	return list;
}

struct str placement_explain(struct arena *a, const struct placement_report *report)
{
	if (report->host_count == 0)
		return STR("there is no host");
	struct str text = str_print(a, "of %zu hosts", report->host_count);
	const char *separator = " ";
	for (enum placement_reason reason = PLACEMENT_FITS; reason < PLACEMENT_REASON_COUNT; reason++) {
		if (report->refused[reason] == 0)
			continue;
		struct str hosts = list_hosts(a, report, reason);
		text = str_print(a, "%" STR_FMT "%s%zu %s%s%" STR_FMT "%s", STR_ARG(text), separator,
				 report->refused[reason], reasons[reason], hosts.n ? " (" : "",
				 STR_ARG(hosts), hosts.n ? ")" : "");
		separator = ", ";
	}
	return text;
}
