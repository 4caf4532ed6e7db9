/* SPDX-License-Identifier: Apache-2.0
 * Hosts. reconcile/host/host.c connects to a new host and reports. */
#include "engine/region/host.h"

#include <inttypes.h>

#include "engine/condition_internal.h"
#include "engine/internal.h"
#include "engine/region/aggregate_internal.h"
#include "engine/region/dedicated_host.h"
#include "engine/region/fence_internal.h"
#include "engine/region/host_internal.h"
#include "engine/region/processor_internal.h"
#include "engine/reservation/capacity_reservation_internal.h"
#include "engine/storage/storage_pool_internal.h"
#include "engine/storage/volume/volume.h"
#include "engine/storage/volume/volume_internal.h"
#include "model/zone.h"
#include "store/fence.h"
#include "store/host.h"

enum { OVERCOMMIT_PERCENT = 400, REASON_MAX_SIZE = 255, MODEL_MAX_SIZE = 63, MOVE_RATE_MAX = 1000000 };
#define RESERVED_MEMORY (INT64_C(1) << 30)
#define POOL_PATH "/var/lib/libvirt/images"

static RESULT find_zone(struct op *op, const struct ref *ref, const struct zone **ret_zone)
{
	if (ref_is_given(ref))
		return engine_find_zone(op->ctx, op->head, ref, ret_zone);
	const struct row *first = tables_first(op->head, KIND_ZONE, ZONE_INDEX_NAME, NULL, 0);
	*ret_zone = zone_of(first);
	return first ? OK : ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_ZONE, "The region has no zone yet.");
}

/* The name is also OVN's chassis name, and goes into comma-separated lists. */
static bool is_host_name(struct str name)
{
	for (size_t n = 0; n < name.n; n++) {
		char c = name.p[n];
		if (!str_is_alphanumeric(c) && (n == 0 || (c != '-' && c != '.' && c != '_')))
			return false;
	}
	return name.n >= 1 && name.n <= 255;
}

static bool is_address(struct str address)
{
	for (size_t n = 0; n < address.n; n++)
		if (!str_is_alphanumeric(address.p[n]) && !strchr(".-:[]", address.p[n]))
			return false;
	return address.n <= 255;
}

/* "region" is stored as an empty string. */
static RESULT read_cpu(struct op *op, struct str text, struct str *ret_cpu)
{
	bool is_good = text.n <= MODEL_MAX_SIZE;
	for (size_t n = 0; is_good && n < text.n; n++)
		is_good = str_is_alphanumeric(text.p[n]) || (n > 0 && memchr("-._", text.p[n], 3));
	if (!is_good)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_HOST, STR("cpu"),
				   "A processor is 'region', 'host', or the name of a model.");
	*ret_cpu = str_is(text, "region") ? STR_NONE : text;
	return OK;
}

RESULT engine_add_host(struct op *op, struct host_wish *wish)
{
	struct str cpu = STR_NONE;
	const struct zone *zone = NULL;
	TRY(find_zone(op, &wish->zone, &zone));
	if (!is_host_name(wish->name))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_HOST, STR("name"),
				   "'%" STR_FMT
				   "' cannot name a host: use letters, digits, '-', '.' and '_'.",
				   STR_ARG(wish->name));
	if (host_find_by_name(op->head, wish->name))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_HOST, STR("name"),
				   "The host '%" STR_FMT "' exists already.", STR_ARG(wish->name));
	if (!is_address(wish->address))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_HOST, STR("address"),
				   "'%" STR_FMT "' is no address of a host.", STR_ARG(wish->address));
	if (wish->uri.n && !host_is_uri(wish->uri))
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_HOST, STR("uri"),
			"This is no URI of a host. Give it as qemu+tls://hv1.example.com/system, or "
			"qemu+ssh://root@hv1.example.com/system?keyfile=/path.");
	if (wish->pool_path.n && !host_is_path(wish->pool_path))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_HOST, STR("pool_path"),
				   "A path begins with '/' and has letters, digits, '/', '-', '.' and '_'.");
	if (wish->overcommit_percent < 0 || wish->reserved_memory < -1)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_HOST,
				     "Overcommitment and reserved memory cannot be negative.");
	TRY(read_cpu(op, wish->cpu, &cpu));
	TRY(engine_permit(op, "host.add", KIND_HOST, NULL));
	struct host host = {.row.id = engine_new_id(op, KIND_HOST),
			    .row.gen = 1,
			    .name = wish->name,
			    .zone = zone->row.id,
			    .uri = wish->uri.n ? wish->uri
					       : str_print(op->ctx->arena, "qemu+tls://%" STR_FMT "/system",
							   STR_ARG(wish->name)),
			    .pool_path = wish->pool_path.n ? wish->pool_path : STR(POOL_PATH),
			    .address = wish->address,
			    .cpu = cpu,
			    .enabled = true,
			    .overcommit_percent =
				    wish->overcommit_percent ? wish->overcommit_percent : OVERCOMMIT_PERCENT,
			    .reserved_memory =
				    wish->reserved_memory == -1 ? RESERVED_MEMORY : wish->reserved_memory};
	TRY(host_put(op, &host));
	wish->host = host.row.id;
	return engine_log_event(op, KIND_HOST, &host.row, "added",
				"Host %" STR_FMT " in zone %" STR_FMT " at %" STR_FMT ".", STR_ARG(host.name),
				STR_ARG(zone->name), STR_ARG(host.uri));
}

/* Changes the CPU of guests started there, and the rate of migrations from there. The host reports a model's
 * details later. */
static RESULT change_guests(struct op *op, const struct host_settings *wish, const struct host *host,
			    struct host *next)
{
	if (wish->cpu.n)
		TRY(read_cpu(op, wish->cpu, &next->cpu));
	if (wish->set_move_rate && (wish->move_rate < 0 || wish->move_rate > MOVE_RATE_MAX))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_HOST, STR("move_rate"),
				   "A rate is 0 to %d MiB a second; 0 is as fast as it goes.", MOVE_RATE_MAX);
	if (wish->set_move_rate)
		next->move_rate = wish->move_rate;
	return str_equal(host->cpu, next->cpu) ? OK : processor_follow_host(op, host, next, STR_NONE);
}

static RESULT check_words(struct op *op, const struct host_settings *wish)
{
	if (wish->reason.n > REASON_MAX_SIZE || !str_is_xml_text(wish->reason))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_HOST, STR("disabled_reason"),
				   "A reason has up to %d characters.", REASON_MAX_SIZE);
	if (wish->agent_description &&
	    (wish->agent_description->n > REASON_MAX_SIZE || !str_is_xml_text(*wish->agent_description)))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_HOST, STR("description"),
				   "An agent's description has up to %d characters.", REASON_MAX_SIZE);
	return OK;
}

static RESULT log_change(struct op *op, const struct host_settings *wish, const struct host *next)
{
	bool is_open = engine_is_host_open(next) && !next->forced_down;
	if (wish->agent_description)
		return engine_log_event(op, KIND_HOST, &next->row, "described", "Its network agent.");
	if (wish->cpu.n || wish->set_move_rate)
		return engine_log_event(op, KIND_HOST, &next->row, "changed",
					"Its guests' processor: %" STR_FMT "; those that leave it: %" PRId64
					" MiB a second.",
					STR_ARG(next->cpu.n ? next->cpu : STR("region")), next->move_rate);
	return engine_log_event(op, KIND_HOST, &next->row, is_open ? "enabled" : "disabled",
				is_open ? "New instances may be placed on it."
					: "No new instances are placed on it.");
}

RESULT engine_update_host(struct op *op, struct host_settings *wish)
{
	const struct host *host = NULL;
	TRY(engine_permit_host(op, &wish->host, "host.enable", &host));
	TRY(check_words(op, wish));
	if (wish->enabled == CHOICE_YES && host->maintenance_us)
		return ENGINE_FAIL(op, ERR_STATE, KIND_HOST, wish->host.field,
				   "The host '%" STR_FMT
				   "' has a maintenance: it is open when that is over, or called off with "
				   "'dari host maintenance %" STR_FMT " --end'.",
				   STR_ARG(host->name), STR_ARG(host->name));
	struct host next = *host;
	choice_apply(wish->enabled, &next.enabled);
	if (wish->enabled != CHOICE_DEFAULT)
		next.disabled_reason = next.enabled ? STR_NONE : wish->reason;
	choice_apply(wish->forced_down, &next.forced_down);
	if (wish->agent_description)
		next.agent_description = *wish->agent_description;
	TRY(change_guests(op, wish, host, &next));
	next.row.gen++;
	TRY(host_put(op, &next));
	return log_change(op, wish, &next);
}

bool engine_is_host_open(const struct host *host)
{
	return host->enabled && host->maintenance_us == 0;
}

struct str engine_host_reason(const struct host *host)
{
	return host->enabled ? host->maintenance_reason : host->disabled_reason;
}

/* "qemu+ssh://root@hv1.example:22/system": hv1.example; "[fd00::1]" keeps its brackets. */
struct str engine_get_host_address(const struct host *host)
{
	struct str rest = host->uri, part = STR_NONE;
	if (host->address.n)
		return host->address;
	for (int slashes = 0; slashes < 2; slashes++)
		if (!str_split_next(&rest, '/', &part) || rest.n == 0)
			return STR_NONE;
	(void) str_split_next(&rest, '/', &part);
	struct str whole = part, place = STR_NONE;
	(void) str_split_next(&whole, '?', &place);
	(void) str_split_next(&place, '@', &part);
	place = place.n ? place : part;
	if (!str_starts_with(place, STR("[")))
		(void) str_split_next(&place, ':', &part);
	else if (str_split_next(&place, ']', &part))
		part.n++;
	return part;
}

RESULT engine_remove_host(struct op *op, struct host_target *wish)
{
	const struct host *host = NULL;
	TRY(engine_permit_host(op, &wish->host, "host.remove", &host));
	const struct host_usage *use = host_usage(host);
	TRY(volume_pass_on_all(op, host->row.id));
	if (use->instances > 0 || engine_host_has_volumes(op->head, host->row.id))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_HOST, wish->host.field,
				   "The host '%" STR_FMT
				   "' still holds instances (%lld) or volumes: terminate them first.",
				   STR_ARG(host->name), (long long) use->instances);
	if (engine_find_dedicated(op->head, host->row.id))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_HOST, wish->host.field,
				   "The host '%" STR_FMT
				   "' is dedicated to an account: it has to release it first.",
				   STR_ARG(host->name));
	TRY(engine_log_event(op, KIND_HOST, &host->row, "removed", "Host %" STR_FMT ".",
			     STR_ARG(host->name)));
	TRY(capacity_leave_host(op, host->row.id));
	TRY(aggregate_leave_host(op, host->row.id));
	TRY(processor_forget_host(op, host));
	return host_forget(op, host->row.id);
}

RESULT engine_see_host(struct op *op, struct host_report *report)
{
	const struct host *host = host_find(op->head, report->host);
	if (!host)
		return OK;
	struct host next = *host;
	if (report->state != host->seen_state)
		next.seen_since_us = op->now_us;
	next.seen_state = report->state;
	if (report->has_facts) {
		next.seen_cpus = report->cpus;
		next.seen_cores = report->cores;
		next.seen_sockets = report->sockets;
		next.seen_memory = report->memory;
		next.seen_disk = report->disk;
		next.seen_full = report->is_full;
		next.seen_virt = report->virt;
		next.seen_version = report->version;
		next.seen_boot_id = report->boot_id;
		next.seen_booted_us = report->booted_us;
		next.seen_physical_networks = report->physical_networks;
		next.seen_cpu = report->cpu;
		next.seen_machine = report->machine;
		next.seen_machines = report->machines;
		TRY(processor_follow_host(op, host, &next, report->named_cpu));
	}
	if (row_equal(&model_kinds[KIND_HOST], &host->row, &next.row))
		return OK;
	bool was_away =
		report->state != host->seen_state || !str_equal(next.seen_boot_id, host->seen_boot_id);
	bool is_as_before = report->state == host->seen_state;
	TRY(host_put(op, &next));
	if (was_away)
		TRY(storage_pool_doubt_host(op, next.row.id));
	if (was_away && report->state == HOST_SEEN_STATE_DOWN)
		TRY(volume_pass_on_all(op, next.row.id));
	if (report->state == HOST_SEEN_STATE_UP)
		TRY(fence_see_host_up(op, &next, next.seen_boot_id));
	if (is_as_before)
		return OK;
	return engine_log_event(op, KIND_HOST, &next.row, host_seen_state_words[report->state],
				report->state == HOST_SEEN_STATE_UP ? "The host answers."
								    : "The host does not answer.");
}
