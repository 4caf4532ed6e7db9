/* SPDX-License-Identifier: Apache-2.0
 * Adoption: checks a manifest's rows against the present ones, then restores them on the host they were found
 * on. reconcile/instance/instance.c, port.c, volume.c and address.c observe the rest at their next look. */
#include "engine/region/adopt.h"

#include "engine/instance/instance_internal.h"
#include "engine/internal.h"
#include "engine/network/address/address_internal.h"
#include "engine/network/port/port_internal.h"
#include "engine/region/region_audit.h"
#include "engine/storage/storage_pool_internal.h"
#include "engine/storage/volume/volume_internal.h"
#include "model/account.h"
#include "model/address.h"
#include "store/dedicated_host.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/network.h"
#include "store/port.h"
#include "store/router.h"
#include "store/secondary_ip.h"
#include "store/security_group.h"
#include "store/server_group.h"
#include "store/subnet.h"
#include "store/volume.h"
#include "store/volume_attachment.h"

struct adoption {
	struct op *op;
	struct instance_adoption *wish;
	const struct host *host;
	const struct instance *instance;
};

static RESULT find_adopting_host(struct op *op, uuid id, const struct host **ret_host)
{
	*ret_host = host_find(op->head, id);
	if (!*ret_host || !row_is_live(&(*ret_host)->row))
		return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_HOST, "The host is gone.");
	return engine_permit(op, "host.adopt", KIND_HOST, &(*ret_host)->row);
}

/* ---- checks ---- */

static RESULT check_id_is_free(struct op *op, enum kind kind, uuid id)
{
	uuid prefix = id; /* EC2's ids show 68 bits */
	memset(prefix.b + 8, 0, 8);
	prefix.b[8] = id.b[8] & 0xf0;
	if (!tables_find(op->head, kind, id) && !tables_find_prefix(op->head, kind, prefix, 68))
		return OK;
	return ctx_fail_kind(op->ctx, ERR_CONFLICT, (int) kind, "There is a %s '%" STR_FMT "' already.",
			     engine_kind_words(op->ctx, kind), STR_ARG(engine_write_id(op, kind, id)));
}

/* References that adoption sets itself or tolerates: the manifest's own rows, today's host and zone, a server
 * group that is gone, and the creator. */
static bool is_given_by_adoption(enum kind kind)
{
	return kind == KIND_INSTANCE || kind == KIND_PORT || kind == KIND_HOST || kind == KIND_ZONE ||
	       kind == KIND_SERVER_GROUP || kind == KIND_USER;
}

/* An image, a snapshot or a type stays a valid reference after its deletion. */
static bool may_refer_to(enum kind kind, const struct row *row)
{
	return row && (row_is_live(row) || kind == KIND_IMAGE || kind == KIND_SNAPSHOT ||
		       kind == KIND_INSTANCE_TYPE);
}

static RESULT check_references(struct op *op, enum kind kind, const struct row *row)
{
	const struct kind_info *k = &model_kinds[kind];
	for (unsigned n = 0; n < k->field_count; n++) {
		const struct field *f = &k->fields[n];
		if (f->type != FIELD_UUID || f->ref == KIND_NONE || is_given_by_adoption(f->ref))
			continue;
		uuid id = *(const uuid *) (const void *) ((const char *) row + f->offset);
		if (uuid_is_none(id) || may_refer_to(f->ref, tables_find(op->head, f->ref, id)))
			continue;
		return ctx_fail_kind(
			op->ctx, ERR_NOT_FOUND, (int) f->ref,
			"The %s '%" STR_FMT "' stands on the %s '%" STR_FMT "', which is not here any more.",
			engine_kind_words(op->ctx, kind), STR_ARG(engine_write_id(op, kind, row->id)),
			engine_kind_words(op->ctx, f->ref), STR_ARG(engine_write_id(op, f->ref, id)));
	}
	return OK;
}

static RESULT check_ip_is_free(struct op *op, uuid subnet, struct ip ip)
{
	char text[IP_TEXT_SIZE];
	const struct port *port = port_find_by_subnet(op->head, subnet, ip);
	const struct secondary_ip *s = secondary_ip_find_by_subnet(op->head, subnet, ip);
	if (!port && !s)
		return OK;
	return ctx_fail_kind(op->ctx, ERR_CONFLICT, KIND_PORT,
			     "Its address %s is in use by the network interface '%" STR_FMT "'.",
			     ip_write(ip, text),
			     STR_ARG(engine_write_id(op, KIND_PORT, port ? port->row.id : s->port)));
}

static RESULT check_secondary_ip(struct op *op, const struct secondary_ip *s)
{
	const struct subnet *subnet = subnet_find(op->head, s->subnet);
	if (!subnet || !cidr_contains(subnet->block, s->ip))
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_SECONDARY_IP,
				     "The manifest has a secondary address outside of its subnet.");
	return check_ip_is_free(op, s->subnet, s->ip);
}

static RESULT check_port(struct op *op, const struct port *port)
{
	const struct subnet *subnet = subnet_find(op->head, port->subnet);
	bool is_bare =
		uuid_is_none(port->subnet) && ip_is_none(port->ip) && network_find(op->head, port->network);
	bool fits = subnet && cidr_contains(subnet->block, port->ip);
	if (uuid_is_none(port->attachment) || !(fits || is_bare))
		return ctx_fail_kind(
			op->ctx, ERR_INVALID, KIND_PORT,
			"The manifest has a network interface without subnet, attachment or a fitting "
			"address.");
	if (!is_bare)
		TRY(check_ip_is_free(op, port->subnet, port->ip));
	if (port_first_by_mac(op->head, port->mac))
		return ctx_fail_kind(op->ctx, ERR_CONFLICT, KIND_PORT,
				     "Another network interface has its MAC.");
	return OK;
}

/* ---- the manifest ---- */

static RESULT fail_foreign(struct adoption *a)
{
	return ctx_fail_kind(a->op->ctx, ERR_INVALID, KIND_INSTANCE,
			     "The manifest on the host is not one of this instance.");
}

static RESULT find_instance(struct adoption *a)
{
	const struct manifest *manifest = a->wish->manifest;
	for (size_t k = 0; k < manifest->count; k++) {
		if (manifest->at[k].kind != KIND_INSTANCE)
			continue;
		if (a->instance || !uuid_equal(manifest->at[k].row->id, a->wish->instance))
			return fail_foreign(a);
		a->instance = instance_of(manifest->at[k].row);
	}
	return a->instance ? OK : fail_foreign(a);
}

static bool manifest_has(const struct manifest *manifest, enum kind kind, uuid id)
{
	for (size_t k = 0; k < manifest->count; k++)
		if (manifest->at[k].kind == kind && uuid_equal(manifest->at[k].row->id, id))
			return true;
	return false;
}

/* All rows must belong to the instance and its owner. */
static bool belongs_to_instance(const struct adoption *a, const struct manifest_row *r)
{
	if (!uuid_equal(engine_get_owner(r->kind, r->row), a->instance->account))
		return false;
	if (r->kind == KIND_PORT)
		return uuid_equal(port_of(r->row)->instance, a->wish->instance);
	if (r->kind == KIND_VOLUME)
		return uuid_equal(volume_of(r->row)->instance, a->wish->instance);
	if (r->kind == KIND_SECONDARY_IP)
		return manifest_has(a->wish->manifest, KIND_PORT, secondary_ip_of(r->row)->port);
	if (r->kind == KIND_ADDRESS)
		return manifest_has(a->wish->manifest, KIND_PORT, address_of(r->row)->port);
	return r->kind == KIND_INSTANCE;
}

/* True if the shared volume was restored with another of its instances. */
static bool is_shared_already(const struct adoption *a, const struct manifest_row *r)
{
	const struct volume *there = r->kind == KIND_VOLUME ? volume_find(a->op->head, r->row->id) : NULL;
	return there && row_is_live(&there->row) && there->is_shared &&
	       uuid_equal(there->account, volume_of(r->row)->account) &&
	       uuid_equal(there->host, a->host->row.id);
}

static RESULT check_row(struct adoption *a, const struct manifest_row *r)
{
	if (!belongs_to_instance(a, r))
		return fail_foreign(a);
	if (r->kind == KIND_ADDRESS)
		return OK; /* restored if possible */
	if (!is_shared_already(a, r))
		TRY(check_id_is_free(a->op, r->kind, r->row->id));
	TRY(check_references(a->op, r->kind, r->row));
	if (r->kind == KIND_SECONDARY_IP)
		return check_secondary_ip(a->op, secondary_ip_of(r->row));
	return r->kind == KIND_PORT ? check_port(a->op, port_of(r->row)) : OK;
}

static RESULT check_manifest(struct adoption *a)
{
	TRY(find_instance(a));
	for (size_t k = 0; k < a->wish->manifest->count; k++)
		TRY(check_row(a, &a->wish->manifest->at[k]));
	return OK;
}

/* ---- write ---- */

static RESULT write_instance(struct adoption *a)
{
	struct op *op = a->op;
	struct instance next = *a->instance;
	bool is_on = a->wish->is_on;
	next.zone = a->host->zone;
	next.host = a->host->row.id;
	next.wanted_power = is_on ? INSTANCE_WANTED_POWER_ON : INSTANCE_WANTED_POWER_OFF;
	next.force_off = false;
	next.off_since_us = is_on ? 0 : op->now_us;
	next.stopped_us = is_on ? 0 : op->now_us;
	next.reason_code = STR_NONE;
	next.reason_text = STR_NONE;
	next.wanted_pause = next.wanted_save = next.seen_paused = next.seen_saved = false;
	next.old_type = next.rescue_disk = next.shelved_image = UUID_NONE;
	next.old_host = next.next_host = next.target = next.capacity_reservation = UUID_NONE;
	next.wanted_shelved = next.migrating = next.error_override = false;
	const struct dedicated_host *dedicated = dedicated_host_find(op->head, next.dedicated_host);
	if (!dedicated || !row_is_live(&dedicated->row))
		next.dedicated_host = UUID_NONE;
	if (!server_group_find(op->head, next.server_group))
		next.server_group = UUID_NONE, next.partition = 0;
	next.task = INSTANCE_TASK_NONE;
	next.seen_gen = (int64_t) next.row.gen;
	next.seen_power = is_on ? INSTANCE_SEEN_POWER_ON : INSTANCE_SEEN_POWER_OFF;
	next.seen_boots = next.wanted_boots; /* earlier reboot requests are dropped */
	next.seen_boot_id = is_on ? a->host->seen_boot_id : STR_NONE;
	next.seen_us = op->now_us;
	TRY(instance_put(op, &next));
	TRY(instance_meter_allocation(op, &next, 1));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "adopted",
				is_on ? "It was found on host %" STR_FMT " without its rows, and is running."
				      : "It was found on host %" STR_FMT " without its rows, and is off.",
				STR_ARG(a->host->name));
}

static struct disk_found find_on_host(const struct adoption *a, uuid volume)
{
	for (size_t k = 0; k < a->wish->disk_count; k++)
		if (uuid_equal(a->wish->disks[k].volume, volume))
			return a->wish->disks[k];
	return (struct disk_found){.volume = volume};
}

static RESULT put_volume(struct op *op, struct volume *next, const struct host *host, int64_t found_size)
{
	next->zone = host->zone;
	next->host = host->row.id;
	next->seen_gen = (int64_t) next->row.gen; /* it exists, so it must not be created again */
	next->seen_size = found_size;
	next->seen_host = found_size > 0 ? host->row.id : UUID_NONE;
	next->seen_instance = next->instance; /* the instance's definition contains it */
	if (next->size < found_size)
		next->size = found_size;
	TRY(volume_put(op, next));
	TRY(volume_meter(op, next, next->size));
	return engine_log_event(op, KIND_VOLUME, &next->row, "adopted",
				"It was found on host %" STR_FMT " without its row.", STR_ARG(host->name));
}

/* volume: as in this instance's manifest. */
static RESULT write_further_attachment(struct adoption *a, const struct volume *there,
				       const struct volume *volume)
{
	struct volume_attachment further = {.row.id = engine_new_id(a->op, KIND_VOLUME_ATTACHMENT),
					    .row.gen = 1,
					    .account = there->account,
					    .volume = there->row.id,
					    .instance = volume->instance,
					    .seen_instance = volume->instance,
					    .device = volume->device,
					    .device_slot = volume->device_slot,
					    .delete_on_termination = volume->delete_on_termination,
					    .attached_us = volume->attached_us};
	return volume_attachment_put(a->op, &further);
}

static RESULT write_volume(struct adoption *a, const struct volume *volume)
{
	const struct volume *there = volume_find(a->op->head, volume->row.id);
	struct volume next = *volume;
	if (there)
		return write_further_attachment(a, there, volume);
	next.attachment = UUID_NONE;
	a->wish->volume_count++;
	struct disk_found found = find_on_host(a, next.row.id);
	next.is_raw = found.is_raw;
	return put_volume(a->op, &next, a->host, found.size);
}

/* Keeps the groups that still exist; otherwise uses the VPC's default group. */
static RESULT choose_groups(struct adoption *a, const struct port *port, struct uuids *ret_groups)
{
	struct op *op = a->op;
	uuid *groups = arena_new_array(op->ctx->arena, uuid, port->groups.count + 1);
	if (!groups)
		return ctx_no_memory(op->ctx);
	size_t count = 0;
	for (size_t k = 0; k < port->groups.count; k++) {
		const struct security_group *group = security_group_find(op->head, port->groups.at[k]);
		if (group && row_is_live(&group->row) && uuid_equal(group->account, port->account))
			groups[count++] = group->row.id;
	}
	a->wish->dropped_count += port->groups.count - count;
	const struct router *router = router_find(op->head, port->router);
	if (count == 0 && router && !uuid_is_none(router->default_group))
		groups[count++] = router->default_group;
	*ret_groups = (struct uuids){groups, count};
	return OK;
}

static RESULT write_port(struct adoption *a, const struct port *port)
{
	struct port next = *port;
	next.host = a->host->row.id;
	next.seen_gen = 0;
	next.seen_instance = UUID_NONE;
	next.seen_up = false;
	TRY(choose_groups(a, port, &next.groups));
	a->wish->port_count++;
	return port_put(a->op, &next);
}

static RESULT write_address(struct adoption *a, const struct address *address)
{
	bool is_back = false;
	TRY(address_put_back(a->op, address, &is_back));
	if (is_back)
		a->wish->address_count++;
	else
		a->wish->dropped_count++;
	return OK;
}

/* Adds addresses for subnets created since the manifest: the guest has configured them itself. */
static RESULT give_auto_ips(struct adoption *a, const struct port *port)
{
	return ip_is_none(port->ip) ? OK : port_add_auto_ips(a->op, port);
}

/* Ports before their addresses. */
static RESULT write_parts(struct adoption *a)
{
	const struct manifest *manifest = a->wish->manifest;
	for (size_t k = 0; k < manifest->count; k++) {
		if (manifest->at[k].kind == KIND_VOLUME)
			TRY(write_volume(a, volume_of(manifest->at[k].row)));
		else if (manifest->at[k].kind == KIND_PORT)
			TRY(write_port(a, port_of(manifest->at[k].row)));
	}
	for (size_t k = 0; k < manifest->count; k++)
		if (manifest->at[k].kind == KIND_SECONDARY_IP)
			TRY(secondary_ip_put(a->op, secondary_ip_of(manifest->at[k].row)));
	for (size_t k = 0; k < manifest->count; k++)
		if (manifest->at[k].kind == KIND_PORT)
			TRY(give_auto_ips(a, port_of(manifest->at[k].row)));
	for (size_t k = 0; k < manifest->count; k++)
		if (manifest->at[k].kind == KIND_ADDRESS)
			TRY(write_address(a, address_of(manifest->at[k].row)));
	for (size_t k = 0; k < manifest->count && a->wish->is_on; k++)
		if (manifest->at[k].kind == KIND_PORT)
			TRY(address_try_auto(a->op, port_of(manifest->at[k].row)));
	return OK;
}

RESULT engine_adopt_instance(struct op *op, struct instance_adoption *wish)
{
	struct adoption a = {.op = op, .wish = wish};
	wish->port_count = wish->volume_count = wish->address_count = wish->dropped_count = 0;
	TRY(find_adopting_host(op, wish->host, &a.host));
	TRY(check_manifest(&a));
	TRY(write_instance(&a));
	TRY(write_parts(&a));
	return instance_join_maintenance(op, instance_find(op->head, wish->instance));
}

RESULT engine_adopt_volume(struct op *op, struct volume_adoption *wish)
{
	const struct host *host = NULL;
	const struct account *account = NULL;
	if (!uuid_is_none(wish->pool)) /* any host that sees the pool is suitable */
		wish->host = storage_pool_find_host(op->head, wish->pool, UUID_NONE);
	if (uuid_is_none(wish->host))
		return ctx_fail_kind(op->ctx, ERR_CAPACITY, KIND_VOLUME,
				     "No host that is up sees its storage pool.");
	TRY(find_adopting_host(op, wish->host, &host));
	TRY(engine_find_account(op->ctx, op->head, &wish->account, &account));
	TRY(check_id_is_free(op, KIND_VOLUME, wish->disk.volume));
	if (wish->disk.size <= 0)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_VOLUME, "The disk has no size.");
	struct volume volume = {.row.id = wish->disk.volume,
				.row.gen = 1,
				.account = account->row.id,
				.size = wish->disk.size,
				.is_raw = wish->disk.is_raw,
				.pool = wish->pool,
				.type = STR("gp3")};
	return put_volume(op, &volume, host, wish->disk.size);
}

RESULT engine_adopt_leftover(struct op *op, struct leftover_adoption *wish)
{
	if (wish->is_disk) {
		TRY(engine_adopt_volume(op, &wish->volume));
		return engine_end_leftover(op, wish->volume.disk.volume);
	}
	TRY(engine_adopt_instance(op, &wish->instance));
	const struct manifest *manifest = wish->instance.manifest;
	for (size_t k = 0; k < manifest->count; k++)
		TRY(engine_end_leftover(op, manifest->at[k].row->id));
	return engine_end_leftover(op, wish->instance.instance);
}
