/* SPDX-License-Identifier: Apache-2.0
 * Copies the rows that an instance's step needs out of a view, and writes the manifest that is stored with
 * the domain. */
#include "reconcile/instance/instance_rows.h"

#include "base/clock.h"
#include "base/log.h"
#include "engine/instance/instance.h"
#include "engine/network/network.h"
#include "engine/storage/storage_pool.h"
#include "engine/storage/volume/volume.h"
#include "engine/storage/volume/volume_attachment.h"
#include "engine/storage/volume/volume_swap.h"
#include "model/boot_mode.h"
#include "model/firmware.h"
#include "model/manifest.h"
#include "model/secondary_ip.h"
#include "store/address.h"
#include "store/condition.h"
#include "store/instance.h"
#include "store/network.h"
#include "store/port.h"
#include "store/storage_pool.h"
#include "store/volume.h"
#include "store/volume_attachment.h"
#include "store/volume_qos.h"
#include "store/volume_type.h"

_Static_assert((int) INSTANCE_VOLUMES_MAX <= (int) COMPUTE_DISK_SLOTS,
	       "each volume of an instance has a slot");
_Static_assert((int) PORT_DEVICE_INDEX_MAX < (int) COMPUTE_NIC_SLOTS, "each port of an instance has a slot");

enum { RESTART_S = 10 }; /* between the second and later ends of a guest and its restart */

struct manifest_rows { /* compatible with VEC */
	struct manifest_row *at;
	size_t count, capacity;
};

/* ---- wanted devices ---- */

/* True if the disk stays attached while its volume moves to another pool: a running guest, or one about to
 * start, is copied live. Otherwise the disk is unplugged and copied offline. */
static bool stays_plugged(const struct tables *t, const struct volume *v, const struct instance *i)
{
	bool is_on = i->seen_power == INSTANCE_SEEN_POWER_ON || i->seen_saved;
	return uuid_equal(v->seen_instance, i->row.id) &&
	       (is_on || engine_instance_power_wanted(t, i) == INSTANCE_WANTED_POWER_ON);
}

/* True if the volume's file is complete on the instance's host, has the wanted content, and is not attached
 * to another instance, unless it is shared. */
static bool is_ready(const struct tables *t, const struct volume *v, const struct instance *i)
{
	bool is_free =
		uuid_is_none(v->seen_instance) || uuid_equal(v->seen_instance, i->row.id) || v->is_shared;
	if (v->moves && !stays_plugged(t, v, i))
		return false;
	return is_free && uuid_equal(v->seen_host, i->host) && v->seen_size >= v->size &&
	       v->reverts == v->seen_reverts && (v->is_raw || !v->is_shared) &&
	       !condition_find_by_subject(t, v->row.id, STR(DISK_MISSING));
}

static const struct volume *find_awaited_further(const struct tables *t, const struct instance *i)
{
	for (const struct volume_attachment *f = volume_attachment_first_by_instance(t, i->row.id); f;
	     f = volume_attachment_next_by_instance(t, f)) {
		const struct volume *v = volume_find(t, f->volume);
		if (v && !is_ready(t, v, i))
			return v;
	}
	return NULL;
}

const struct volume *reconciler_find_awaited_volume(const struct tables *t, const struct instance *i)
{
	bool is_to_start = row_is_live(&i->row) && !uuid_is_none(i->host) &&
			   i->seen_power != INSTANCE_SEEN_POWER_ON &&
			   engine_instance_power_wanted(t, i) == INSTANCE_WANTED_POWER_ON;
	const struct volume *v = is_to_start ? volume_first_by_instance(t, i->row.id) : NULL;
	while (v && (!row_is_live(&v->row) || is_ready(t, v, i)))
		v = volume_next_by_instance(t, v);
	return v || !is_to_start ? v : find_awaited_further(t, i);
}

/* Slot of the disk. A rescue disk and the root disk exchange slots. */
static int slot_of(const struct tables *t, const struct instance *i, const struct volume *v)
{
	const struct volume *rescue = uuid_is_none(i->rescue_disk) ? NULL : volume_find(t, i->rescue_disk);
	if (!rescue || !row_is_live(&rescue->row) || !uuid_equal(rescue->instance, i->row.id))
		return (int) v->device_slot;
	if (v == rescue)
		return 0;
	return v->device_slot == 0 ? (int) rescue->device_slot : (int) v->device_slot;
}

/* Adds the keys of an encrypted volume. */
static RESULT gather_crypt(struct step *s, const struct tables *t, const struct volume *v,
			   struct compute_disk *disk)
{
	struct volume_base base = {0};
	if (!v->is_encrypted || v->seen_size == 0)
		return OK;
	TRY(gather_disk_key(s, v->data_key, &disk->key));
	TRY(gather_volume_base(s, t, v, &base));
	if (base.is_encrypted)
		disk->encrypted_base = base.sha256;
	return OK;
}

/* I/O limits of the volume type as documented by EC2, overridden by the front-end QoS specs of the type. */
static struct disk_limits limits_of(const struct tables *t, const struct volume *v)
{
	if (v->is_medium)
		return (struct disk_limits){0};
	struct disk_limits limits =
		model_limit_disk(v->type, v->size, engine_volume_iops(v), engine_volume_throughput(v));
	const struct volume_type *type = volume_type_find_by_name(t, v->type);
	const struct volume_qos *qos = type ? volume_qos_find(t, type->qos) : NULL;
	if (qos && qos->consumer != VOLUME_QOS_CONSUMER_BACK_END)
		model_limit_by_specs(qos->specs, v->size, &limits);
	return limits;
}

static RESULT gather_disk(struct step *s, const struct tables *t, const struct volume *v, int slot,
			  struct compute_disk *ret_disk)
{
	*ret_disk = (struct compute_disk){
		.volume = v->row.id,
		.size = v->size,
		.directory = str_copy(s->ctx.arena, engine_get_pool_directory(t, v->pool)),
		.is_readonly = v->is_readonly,
		.is_raw = v->is_raw,
		.is_shared = v->is_shared,
		.is_medium = v->is_medium,
		.slot = slot,
		.limits = limits_of(t, v)};
	TRY(gather_ceph(s, uuid_is_none(v->pool) ? NULL : storage_pool_find(t, v->pool), &ret_disk->ceph));
	return gather_crypt(s, t, v, ret_disk);
}

/* Adds the live copy of a moving disk that is seen in the domain, whether or not it is still wanted there. */
static RESULT gather_move(struct step *s, const struct tables *t, const struct volume *v,
			  struct instance_rows *rows)
{
	struct instance_swap swap = {.tracked_from = v->tracked_from,
				     .is_ready = v->is_next_blank,
				     .is_move = true,
				     .pool = v->next_pool};
	if (!v->moves || !row_is_live(&v->row))
		return OK;
	TRY(gather_disk(s, t, v, slot_of(t, rows->instance, v), &swap.from));
	swap.to = swap.from;
	swap.to.encrypted_base = STR_NONE; /* a block copy has no backing file */
	TRY(gather_ceph(s, uuid_is_none(v->next_pool) ? NULL : storage_pool_find(t, v->next_pool),
			&swap.to.ceph));
	swap.to.directory = str_copy(s->ctx.arena, engine_get_pool_directory(t, v->next_pool));
	rows->domain.is_swapping = true;
	return VEC_PUSH(s->ctx.arena, &rows->swaps, swap) ? OK : ctx_no_memory(&s->ctx);
}

static RESULT gather_moves(struct step *s, const struct tables *t, struct instance_rows *rows)
{
	for (const struct volume *v = volume_first_by_seen_instance(t, rows->instance->row.id); v;
	     v = volume_next_by_seen_instance(t, v))
		TRY(gather_move(s, t, v, rows));
	return OK;
}

/* Adds the replacement of an attached disk by its successor volume. */
static RESULT gather_swap(struct step *s, const struct tables *t, const struct volume *v,
			  const struct compute_disk *disk, struct instance_rows *rows)
{
	const struct volume *other = engine_find_successor(t, v->row.id);
	struct instance_swap swap = {.from = *disk, .tracked_from = v->tracked_from};
	if (!other || !uuid_equal(other->reserved_for, s->id))
		return OK;
	TRY(gather_disk(s, t, other, disk->slot, &swap.to));
	swap.is_ready =
		engine_successor_is_ready(other) && uuid_equal(other->seen_host, rows->instance->host);
	rows->domain.is_swapping = true;
	return VEC_PUSH(s->ctx.arena, &rows->swaps, swap) ? OK : ctx_no_memory(&s->ctx);
}

static RESULT gather_disks(struct step *s, const struct tables *t, struct instance_rows *rows)
{
	struct arena *a = s->ctx.arena;
	VEC(struct compute_disk) disks = {0};
	struct volume_list volumes;
	TRY(engine_list_all_disks(a, t, rows->instance->row.id, &volumes));
	for (size_t k = 0; k < volumes.count; k++) {
		const struct volume *v = volumes.at[k];
		struct compute_disk disk;
		TRY(gather_disk(s, t, v, slot_of(t, rows->instance, v), &disk));
		TRY(gather_swap(s, t, v, &disk, rows));
		bool kept = is_ready(t, v, rows->instance) ? VEC_PUSH(a, &disks, disk)
							   : VEC_PUSH(a, &rows->waiting, disk);
		if (!kept)
			return ctx_no_memory(&s->ctx);
		const struct condition *obstacle = condition_first_by_subject(t, v->row.id);
		if (obstacle && !is_ready(t, v, rows->instance))
			rows->obstacle = STEP_COPY(s, KIND_CONDITION, struct condition, obstacle);
	}
	rows->obstacle_reported =
		condition_find_by_subject(t, rows->instance->row.id, STR(WAITS_FOR_DISK)) != NULL;
	rows->domain.disks = disks.at;
	rows->domain.disk_count = disks.count;
	return OK;
}

/* A tap interface has an MTU of 68 at least. Only a network without subnets has less. */
static int least_mtu(const struct network *network)
{
	return network->mtu < NETWORK_MTU_MIN_IPV4 ? NETWORK_MTU_MIN_IPV4 : (int) network->mtu;
}

static RESULT gather_nics(struct step *s, const struct tables *t, struct instance_rows *rows)
{
	VEC(struct compute_nic) nics = {0};
	for (const struct port *p = port_first_by_instance(t, rows->instance->row.id); p;
	     p = port_next_by_instance(t, p)) {
		const struct network *network = network_find(t, p->network);
		if (!row_is_live(&p->row))
			continue;
		struct compute_nic nic = {.port = p->row.id,
					  .mac = p->mac,
					  .mtu = network ? least_mtu(network) : 0,
					  .slot = (int) p->device_index};
		if (!VEC_PUSH(s->ctx.arena, &nics, nic))
			return ctx_no_memory(&s->ctx);
	}
	rows->domain.nics = nics.at;
	rows->domain.nic_count = nics.count;
	return OK;
}

static RESULT gather_reported(struct step *s, const struct tables *t, struct instance_rows *rows)
{
	struct arena *a = s->ctx.arena;
	uuid id = rows->instance->row.id;
	for (const struct volume *v = volume_first_by_seen_instance(t, id); v;
	     v = volume_next_by_seen_instance(t, v))
		if (!VEC_PUSH(a, &rows->reported_volumes, v->row.id))
			return ctx_no_memory(&s->ctx);
	for (const struct volume_attachment *f = volume_attachment_first_by_seen_instance(t, id); f;
	     f = volume_attachment_next_by_seen_instance(t, f))
		if (!VEC_PUSH(a, &rows->reported_volumes, f->volume))
			return ctx_no_memory(&s->ctx);
	for (const struct port *p = port_first_by_seen_instance(t, id); p;
	     p = port_next_by_seen_instance(t, p))
		if (!VEC_PUSH(a, &rows->reported_ports, p->row.id))
			return ctx_no_memory(&s->ctx);
	return OK;
}

/* Earliest restart; 0: at once. The first time a guest goes off by itself it is restarted at once. From the
 * second time on, until a user's change clears the condition, it waits RESTART_S, so that a guest that
 * crashes at boot does not loop. */
static int64_t gather_restart(const struct tables *t, const struct instance *i)
{
	const struct condition *restarted = condition_find_by_subject(t, i->row.id, STR(INSTANCE_RESTARTED));
	bool went_off = i->seen_power == INSTANCE_SEEN_POWER_OFF && i->seen_gen == (int64_t) i->row.gen;
	if (!restarted || !went_off || restarted->row.created_us == i->seen_us)
		return 0;
	return i->seen_us + RESTART_S * SECOND;
}

static struct compute_hardware hardware_of(const struct instance *i)
{
	bool uefi = model_is_uefi(i->boot_mode);
	return (struct compute_hardware){
		.windows = i->platform == INSTANCE_PLATFORM_WINDOWS,
		.uefi = uefi,
		.secure_boot = uefi && i->secure_boot,
		.tpm = i->tpm,
		.sata = i->disk_bus == INSTANCE_DISK_BUS_SATA,
		.e1000e = i->nic_model == INSTANCE_NIC_MODEL_E1000E,
		.cdrom = i->has_cdrom,
	};
}

RESULT instance_gather_rows(struct step *s, uuid id, struct instance_rows *ret_rows)
{
	*ret_rows = (struct instance_rows){0};
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct instance *row = instance_find(view.tables, id);
	if (!row)
		return OK;
	const struct instance *i = STEP_COPY(s, KIND_INSTANCE, struct instance, row);
	ret_rows->instance = i;
	ret_rows->domain = (struct compute_domain){
		.id = i->row.id,
		.name = id_to_ec2(s->ctx.arena, KIND_INSTANCE, i->row.id),
		.vcpus = i->vcpus,
		.memory = i->memory,
		.personality = i->personality,
		.hardware = hardware_of(i),
		.cpu = i->cpu,
		.machine = i->machine,
		.variables = model_is_uefi(i->boot_mode) ? i->uefi_variables : STR_NONE,
		.has_drive = i->config_drive,
	};
	ret_rows->power_wanted = engine_instance_power_wanted(view.tables, row);
	ret_rows->stands_still = engine_stands_still(view.tables, id);
	ret_rows->leaves_host = engine_instance_leaves_host(view.tables, row);
	ret_rows->expunge_us = engine_get_expunge_us(view.tables, row);
	ret_rows->restart_us = gather_restart(view.tables, row);
	const struct condition *io_paused = condition_find_by_subject(view.tables, id, STR(IO_PAUSED));
	ret_rows->io_paused_us = io_paused ? io_paused->row.created_us : 0;
	TRY(gather_disks(s, view.tables, ret_rows));
	TRY(gather_moves(s, view.tables, ret_rows));
	TRY(gather_nics(s, view.tables, ret_rows));
	return gather_reported(s, view.tables, ret_rows);
}

/* True if the disk of a guest that is off is released so that it can be copied offline to another pool. */
static bool is_let_go(const struct instance_rows *rows, const struct compute_seen *seen, uuid volume)
{
	bool moves = false;
	for (size_t k = 0; k < rows->swaps.count && !moves; k++)
		moves = rows->swaps.at[k].is_move && uuid_equal(rows->swaps.at[k].from.volume, volume);
	return moves && seen->power == INSTANCE_SEEN_POWER_OFF && !seen->is_saved;
}

RESULT instance_keep_plugged(struct step *s, struct instance_rows *rows, struct compute_seen *seen)
{
	VEC(struct compute_disk) disks = {0};
	for (size_t k = 0; k < rows->domain.disk_count; k++)
		if (!VEC_PUSH(s->ctx.arena, &disks, rows->domain.disks[k]))
			return ctx_no_memory(&s->ctx);
	for (size_t k = 0; k < rows->waiting.count; k++)
		if (uuids_have(&seen->volumes, rows->waiting.at[k].volume) &&
		    !is_let_go(rows, seen, rows->waiting.at[k].volume) &&
		    !VEC_PUSH(s->ctx.arena, &disks, rows->waiting.at[k]))
			return ctx_no_memory(&s->ctx);
	if (disks.count == rows->domain.disk_count)
		return OK;
	rows->domain.disks = disks.at;
	rows->domain.disk_count = disks.count;
	if (seen->power != INSTANCE_SEEN_POWER_ABSENT)
		compute_compare_devices(seen, &rows->domain);
	return OK;
}

static RESULT drop_rowless(struct step *s, const struct tables *t, enum kind kind, struct uuids *seen)
{
	uuid *known = arena_new_array(s->ctx.arena, uuid, seen->count + 1);
	size_t count = 0;
	if (!known)
		return ctx_no_memory(&s->ctx);
	for (size_t k = 0; k < seen->count; k++)
		if (tables_find(t, kind, seen->at[k]))
			known[count++] = seen->at[k];
	*seen = (struct uuids){known, count};
	return OK;
}

RESULT instance_drop_rowless(struct step *s, struct compute_seen *seen)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	TRY(drop_rowless(s, view.tables, KIND_VOLUME, &seen->volumes));
	return drop_rowless(s, view.tables, KIND_PORT, &seen->ports);
}

static bool are_same(const struct uuids *seen, const uuid *reported, size_t reported_count)
{
	bool same = seen->count == reported_count;
	for (size_t k = 0; k < reported_count && same; k++)
		same = uuids_have(seen, reported[k]);
	return same;
}

bool instance_is_reported(const struct instance_rows *rows, const struct compute_seen *seen)
{
	return are_same(&seen->volumes, rows->reported_volumes.at, rows->reported_volumes.count) &&
	       are_same(&seen->ports, rows->reported_ports.at, rows->reported_ports.count);
}

RESULT instance_list_devices(struct step *s, const struct instance_rows *rows, struct compute_seen *seen)
{
	const struct compute_domain *d = &rows->domain;
	uuid *volumes = arena_new_array(s->ctx.arena, uuid, d->disk_count + 1);
	uuid *ports = arena_new_array(s->ctx.arena, uuid, d->nic_count + 1);
	if (!volumes || !ports)
		return ctx_no_memory(&s->ctx);
	for (size_t k = 0; k < d->disk_count; k++)
		volumes[k] = d->disks[k].volume;
	for (size_t k = 0; k < d->nic_count; k++)
		ports[k] = d->nics[k].port;
	seen->volumes = (struct uuids){volumes, d->disk_count};
	seen->ports = (struct uuids){ports, d->nic_count};
	return OK;
}

RESULT instance_write_drive(struct step *s, struct compute_domain *domain)
{
	if (!domain->has_drive || !s->r->write_drive)
		return OK;
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	struct result result = s->r->write_drive(s->r->master_key, &s->ctx, &view, s->id, &domain->drive);
	return result.code == ERR_NOT_FOUND ? OK : result; /* the row was deleted; the next step sees that */
}

/* ---- its manifest ---- */

static RESULT add_to_manifest(struct step *s, struct manifest_rows *rows, enum kind kind,
			      const struct row *row)
{
	struct manifest_row r = {kind, row};
	return !row_is_live(row) || VEC_PUSH(s->ctx.arena, rows, r) ? OK : ctx_no_memory(&s->ctx);
}

/* Collects the current rows of the instance, its volumes, ports and their addresses. */
static RESULT gather_manifest(struct step *s, const struct tables *t, struct manifest_rows *rows)
{
	const struct instance *row = instance_find(t, s->id);
	if (!row)
		return OK;
	struct volume_list disks;
	TRY(add_to_manifest(s, rows, KIND_INSTANCE, &row->row));
	TRY(engine_list_all_disks(s->ctx.arena, t, s->id, &disks));
	for (size_t k = 0; k < disks.count; k++)
		TRY(add_to_manifest(s, rows, KIND_VOLUME, &disks.at[k]->row));
	for (const struct port *p = port_first_by_instance(t, s->id); p; p = port_next_by_instance(t, p)) {
		TRY(add_to_manifest(s, rows, KIND_PORT, &p->row));
		for (const struct secondary_ip *i = engine_first_secondary_ip(t, p->row.id); i;
		     i = engine_next_secondary_ip(t, i))
			TRY(add_to_manifest(s, rows, KIND_SECONDARY_IP, &i->row));
		for (const struct address *a = address_first_by_port(t, p->row.id); a;
		     a = address_next_by_port(t, a))
			TRY(add_to_manifest(s, rows, KIND_ADDRESS, &a->row));
	}
	return OK;
}

/* A manifest that is too large is omitted. */
RESULT instance_write_manifest(struct step *s, struct str *ret_text)
{
	struct manifest_rows rows = {0};
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	TRY(gather_manifest(s, view.tables, &rows));
	view_end_read(&view);
	struct result result = manifest_write(&s->ctx, &(struct manifest){rows.at, rows.count}, ret_text);
	if (result.code != ERR_TOO_LARGE && result.code != ERR_INVALID)
		return result;
	log_event(LOG_WARN, "no-manifest", "instance=%s message=%s",
		  log_quote(id_to_ec2(s->ctx.arena, KIND_INSTANCE, s->id)),
		  log_quote(s->ctx.problem.message));
	ctx_clear_problem(&s->ctx);
	return OK;
}
