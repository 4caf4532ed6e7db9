/* SPDX-License-Identifier: Apache-2.0
 * User-visible states, derived from the wanted and the seen values.
 *
 * An instance's "error" is declared in the schema but never derived: obstacles are reported by conditions,
 * while the resource remains in its transitional state because the reconciler keeps trying. It is declared
 * for faces that have such a state (Nova's ERROR, Cinder's error), which may show it for a resource with
 * conditions. */
#include "model/state.h"

#include "model/backup.h"
#include "model/export_image_task.h"
#include "model/import_image_task.h"
#include "model/import_snapshot_task.h"
#include "model/instance.h"
#include "model/instance_task.h"
#include "model/machine_backup.h"
#include "model/nat_gateway.h"
#include "model/peering.h"
#include "model/port.h"
#include "model/snapshot.h"
#include "model/states.h"
#include "model/transit_attachment.h"
#include "model/transit_gateway.h"
#include "model/volume.h"

static enum instance_state on_state(const struct instance *i)
{
	if (i->seen_paused)
		return INSTANCE_PAUSED;
	return uuid_is_none(i->rescue_disk) ? INSTANCE_RUNNING : INSTANCE_RESCUED;
}

static enum instance_state off_state(const struct instance *i)
{
	if (i->destroyed_us)
		return INSTANCE_DESTROYED;
	if (i->wanted_shelved)
		return uuid_is_none(i->host) ? INSTANCE_SHELVED_OFFLOADED : INSTANCE_SHELVED;
	return i->seen_saved ? INSTANCE_SUSPENDED : INSTANCE_STOPPED;
}

/* A reboot isn't visible: the state remains running while wanted_boots is ahead of seen_boots. */
enum instance_state model_derive_instance_state(const struct instance *i)
{
	if (i->row.deleted_us != 0) {
		/* Absence counts only if observed after the deletion request. */
		bool gone =
			i->seen_power == INSTANCE_SEEN_POWER_ABSENT && i->seen_gen >= (int64_t) i->row.gen;
		return gone ? INSTANCE_TERMINATED : INSTANCE_SHUTTING_DOWN;
	}
	bool is_on = i->seen_power == INSTANCE_SEEN_POWER_ON;
	if (i->wanted_power == INSTANCE_WANTED_POWER_ON)
		return is_on ? on_state(i) : INSTANCE_PENDING;
	if (is_on)
		return i->wanted_save ? INSTANCE_SUSPENDING : INSTANCE_STOPPING;
	return off_state(i);
}

enum instance_task model_derive_instance_task(const struct instance *i)
{
	return row_is_live(&i->row) && i->seen_gen < i->task_gen ? i->task : INSTANCE_TASK_NONE;
}

bool model_is_resized(const struct instance *i)
{
	return !uuid_is_none(i->old_type) && model_derive_instance_task(i) == INSTANCE_TASK_NONE;
}

enum volume_state model_derive_volume_state(const struct volume *v)
{
	if (v->row.deleted_us != 0) {
		bool gone = v->seen_size == 0 && v->seen_gen >= (int64_t) v->row.gen;
		return gone ? VOLUME_DELETED : VOLUME_DELETING;
	}
	if (v->destroyed_us)
		return VOLUME_DELETING;
	if (v->lost_us)
		return VOLUME_ERROR;
	if (v->sending == VOLUME_SENDING_FAILED || v->sending == VOLUME_SENDING_ABANDONED)
		return VOLUME_ERROR;
	if (v->seen_size == 0 && v->sending == VOLUME_SENDING_NONE && uuid_is_none(v->host) &&
	    uuid_is_none(v->pool) && uuid_is_none(v->instance))
		return VOLUME_ERROR; /* no pool could hold it when it was created */
	if (v->seen_size == 0)
		return VOLUME_CREATING;
	return model_derive_attachment(v->instance, v->seen_instance) == ATTACHMENT_NONE ? VOLUME_AVAILABLE
											 : VOLUME_IN_USE;
}

enum attachment model_derive_attachment(uuid wanted, uuid seen)
{
	if (uuid_is_none(wanted))
		return uuid_is_none(seen) ? ATTACHMENT_NONE : ATTACHMENT_DETACHING;
	return uuid_equal(wanted, seen) ? ATTACHMENT_ATTACHED : ATTACHMENT_ATTACHING;
}

enum snapshot_state model_derive_snapshot_state(const struct snapshot *s)
{
	if (s->row.deleted_us != 0)
		return SNAPSHOT_DELETING;
	if (s->problem.n > 0)
		return SNAPSHOT_ERROR;
	return s->seen_stage == SNAPSHOT_SEEN_STAGE_KEPT ? SNAPSHOT_COMPLETED : SNAPSHOT_PENDING;
}

enum backup_state model_derive_backup_state(const struct backup *b)
{
	if (b->row.deleted_us != 0)
		return BACKUP_DELETING;
	if (b->problem.n > 0 || b->is_said_broken)
		return BACKUP_ERROR;
	return b->is_written ? BACKUP_AVAILABLE : BACKUP_CREATING;
}

enum machine_backup_state model_derive_machine_backup_state(const struct machine_backup *b)
{
	if (b->row.deleted_us != 0)
		return MACHINE_BACKUP_DELETING;
	if (b->problem.n > 0)
		return MACHINE_BACKUP_ERROR;
	return b->is_written ? MACHINE_BACKUP_AVAILABLE : MACHINE_BACKUP_CREATING;
}

enum port_state model_derive_port_state(const struct port *p)
{
	if (p->row.deleted_us != 0)
		return PORT_DELETED;
	if (!uuid_is_none(p->nat_gateway))
		return PORT_IN_USE;
	if (uuid_is_none(p->instance))
		return uuid_is_none(p->seen_instance) ? PORT_AVAILABLE : PORT_DETACHING;
	return uuid_equal(p->instance, p->seen_instance) ? PORT_IN_USE : PORT_ATTACHING;
}

enum nat_gateway_state model_derive_nat_gateway_state(const struct nat_gateway *n)
{
	if (!str_is_empty(n->failure_code))
		return NAT_GATEWAY_FAILED;
	if (n->row.deleted_us != 0)
		return n->ended_us != 0 ? NAT_GATEWAY_DELETED : NAT_GATEWAY_DELETING;
	return n->seen_gen > 0 ? NAT_GATEWAY_AVAILABLE : NAT_GATEWAY_PENDING;
}

enum transit_gateway_state model_derive_transit_gateway_state(const struct transit_gateway *g)
{
	if (g->row.deleted_us != 0)
		return g->ended_us != 0 ? TRANSIT_GATEWAY_DELETED : TRANSIT_GATEWAY_DELETING;
	return g->seen_gen > 0 ? TRANSIT_GATEWAY_AVAILABLE : TRANSIT_GATEWAY_PENDING;
}

enum transit_attachment_state model_derive_transit_attachment_state(const struct transit_attachment *a)
{
	if (a->row.deleted_us != 0)
		return a->ended_us != 0 ? TRANSIT_ATTACHMENT_DELETED : TRANSIT_ATTACHMENT_DELETING;
	return a->seen_gen > 0 && a->router_seen_gen > 0 ? TRANSIT_ATTACHMENT_AVAILABLE
							 : TRANSIT_ATTACHMENT_PENDING;
}

enum peering_state model_derive_peering_state(const struct peering *p)
{
	static const enum peering_state ends[] = {[PEERING_OUTCOME_FAILED] = PEERING_FAILED,
						  [PEERING_OUTCOME_REJECTED] = PEERING_REJECTED,
						  [PEERING_OUTCOME_EXPIRED] = PEERING_EXPIRED,
						  [PEERING_OUTCOME_DELETED] = PEERING_DELETED};
	if (p->outcome != PEERING_OUTCOME_NONE)
		return p->ended_us != 0 ? ends[p->outcome] : PEERING_DELETING;
	if (!p->is_accepted)
		return PEERING_PENDING;
	return p->seen_gen > 0 && p->peer_seen_gen > 0 ? PEERING_ACTIVE : PEERING_PROVISIONING;
}

/* Values of `ended` are the states' values, in the same order. */
enum import_snapshot_task_state model_derive_import_snapshot_task_state(const struct import_snapshot_task *k)
{
	return (enum import_snapshot_task_state) k->ended;
}

enum import_image_task_state model_derive_import_image_task_state(const struct import_image_task *k)
{
	return (enum import_image_task_state) k->ended;
}

enum export_image_task_state model_derive_export_image_task_state(const struct export_image_task *k)
{
	return row_is_live(&k->row) ? (enum export_image_task_state) k->ended : EXPORT_IMAGE_TASK_DELETING;
}

#define DERIVE(type)                                                                                         \
	static unsigned derive_##type(const struct row *row)                                                 \
	{                                                                                                    \
		return model_derive_##type##_state((const struct type *) row);                               \
	}
DERIVE(instance)
DERIVE(volume)
DERIVE(port)
DERIVE(snapshot)
DERIVE(backup)
DERIVE(machine_backup)
DERIVE(nat_gateway)
DERIVE(peering)
DERIVE(transit_gateway)
DERIVE(transit_attachment)
DERIVE(import_snapshot_task)
DERIVE(import_image_task)
DERIVE(export_image_task)

static unsigned (*const deriving[KIND_COUNT])(const struct row *row) = {
	[KIND_INSTANCE] = derive_instance,
	[KIND_VOLUME] = derive_volume,
	[KIND_PORT] = derive_port,
	[KIND_SNAPSHOT] = derive_snapshot,
	[KIND_BACKUP] = derive_backup,
	[KIND_MACHINE_BACKUP] = derive_machine_backup,
	[KIND_NAT_GATEWAY] = derive_nat_gateway,
	[KIND_PEERING] = derive_peering,
	[KIND_TRANSIT_GATEWAY] = derive_transit_gateway,
	[KIND_TRANSIT_ATTACHMENT] = derive_transit_attachment,
	[KIND_IMPORT_SNAPSHOT_TASK] = derive_import_snapshot_task,
	[KIND_IMPORT_IMAGE_TASK] = derive_import_image_task,
	[KIND_EXPORT_IMAGE_TASK] = derive_export_image_task,
};

bool model_tells_state(enum kind kind)
{
	return deriving[kind];
}

unsigned model_derive_state(enum kind kind, const struct row *row)
{
	return deriving[kind](row);
}

bool model_state_may_move(const struct state_info *states, unsigned from, unsigned to)
{
	return from == to || (states[from].to >> to & 1U);
}

const char *model_check_move(enum kind kind, const struct row *before, const struct row *after)
{
	const struct state_info *states = model_kinds[kind].states;
	if (!before || !after || !model_tells_state(kind) ||
	    model_state_may_move(states, model_derive_state(kind, before), model_derive_state(kind, after)))
		return NULL;
	return "its state would move as its schema does not allow";
}
