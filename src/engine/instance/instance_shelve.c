/* SPDX-License-Identifier: Apache-2.0
 * Shelving: the instance is stopped and leaves its host; disks stay where they are, and addresses stay
 * allocated. An instance made from an image gets an image of its root disk, as in Nova, which is deleted when
 * it is unshelved. The reconciler (reconcile/instance/instance.c) undefines the domain once that image is made, and
 * starts the unshelved instance where it is placed. Called by: api/openstack; api/ec2 when a shelved instance
 * is started. */
#include "engine/condition_internal.h"
#include "engine/instance/instance.h"
#include "engine/instance/instance_internal.h"
#include "engine/internal.h"
#include "engine/storage/image/image.h"
#include "engine/storage/image/image_internal.h"
#include "model/instance_task.h"
#include "model/states.h"
#include "store/host.h"
#include "store/image.h"
#include "store/instance.h"
#include "store/port.h"
#include "store/zone.h"

#define SHELVED_SUFFIX "-shelved"

/* ---- shelving ---- */

static RESULT check_shelvable(struct op *op, const struct instance *instance, const struct ref *ref)
{
	enum instance_state state = model_derive_instance_state(instance);
	bool may = (state == INSTANCE_RUNNING || state == INSTANCE_STOPPED || state == INSTANCE_PAUSED ||
		    state == INSTANCE_SUSPENDED) &&
		   uuid_is_none(instance->old_type) && uuid_is_none(instance->rescue_disk) &&
		   model_derive_instance_task(instance) == INSTANCE_TASK_NONE;
	if (!may)
		return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, ref->field,
				   "The instance '%" STR_FMT
				   "' is not in a state from which it can be shelved.",
				   STR_ARG(ref->text));
	if (instance->tpm)
		return ENGINE_FAIL(op, ERR_UNSUPPORTED, KIND_INSTANCE, ref->field,
				   "The instance '%" STR_FMT
				   "' has a TPM, whose state is its host's: it cannot be shelved.",
				   STR_ARG(ref->text));
	if (instance->wanted_power == INSTANCE_WANTED_POWER_ON && instance->protect_stop)
		return ENGINE_FAIL(op, ERR_PROTECTED, KIND_INSTANCE, ref->field,
				   "The instance '%" STR_FMT
				   "' may not be shelved. Modify its 'disableApiStop' instance attribute and "
				   "try again.",
				   STR_ARG(ref->text));
	return OK;
}

/* Name as Nova's users know it: the instance's name, else its Name tag, else its EC2 id. */
static struct str name_of(struct op *op, const struct instance *instance)
{
	const struct tag *tag = tags_find(instance->tags, STR("Name"));
	if (instance->name.n)
		return instance->name;
	return tag && tag->value.n ? tag->value : id_to_ec2(op->ctx->arena, KIND_INSTANCE, instance->row.id);
}

static struct str name_of_image(struct op *op, const struct instance *instance)
{
	enum { NAME_MAX_SIZE = 255 - sizeof SHELVED_SUFFIX };
	struct str name = str_cut(name_of(op, instance), NAME_MAX_SIZE);
	return str_print(op->ctx->arena, "%" STR_FMT SHELVED_SUFFIX, STR_ARG(name));
}

/* Images the root disk, unless it is a volume, which keeps its content anyway. */
static RESULT make_image(struct op *op, const struct instance *instance, uuid *ret_image)
{
	struct image_capture capture = {
		.name = name_of_image(op, instance), .may_share_name = true, .only_root = true};
	*ret_image = UUID_NONE;
	if (instance->root_is_volume || !instance_find_root(op->head, instance->row.id))
		return OK;
	TRY(image_capture_instance(op, instance, true, &capture));
	*ret_image = capture.image;
	return OK;
}

RESULT engine_shelve_instance(struct op *op, struct instance_target *wish)
{
	const struct instance *instance = NULL;
	TRY(engine_permit_instance(op, &wish->instance, "instance.shelve", &instance));
	TRY(instance_check_changeable(op, instance, wish->instance.field));
	TRY(check_shelvable(op, instance, &wish->instance));
	struct instance next = *instance;
	if (next.wanted_power == INSTANCE_WANTED_POWER_ON) {
		next.wanted_power = INSTANCE_WANTED_POWER_OFF;
		next.off_since_us = op->now_us;
		next.reason_code = STR("Client.UserInitiatedShutdown");
		next.reason_text = STR("Client.UserInitiatedShutdown: User initiated shutdown");
	}
	next.wanted_save = next.wanted_pause = next.force_off = false;
	next.wanted_shelved = true;
	instance_begin_task(op, INSTANCE_TASK_SHELVE, false, &next);
	TRY(make_image(op, instance, &next.shelved_image));
	TRY(instance_put(op, &next));
	TRY(condition_clear(op, next.row.id, STR(INSTANCE_RESTARTED)));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "shelve asked", "Off, and away from its host.");
}

bool engine_instance_leaves_host(const struct tables *t, const struct instance *i)
{
	const struct image *image = uuid_is_none(i->shelved_image) ? NULL : image_find(t, i->shelved_image);
	bool is_shelved =
		i->wanted_shelved && (!image || engine_derive_image_state(t, image) != IMAGE_PENDING);
	return row_is_live(&i->row) && !uuid_is_none(i->host) && (is_shelved || i->migrating);
}

static RESULT take_ports_off(struct op *op, uuid instance)
{
	for (const struct port *p = port_first_by_instance(op->head, instance); p;
	     p = port_next_by_instance(op->head, p)) {
		struct port port = *p;
		port.host = UUID_NONE;
		port.row.gen++;
		TRY(port_put(op, &port));
	}
	return OK;
}

RESULT engine_leave_instance_host(struct op *op, struct instance_leaving *wish)
{
	const struct instance *instance = instance_find(op->head, wish->instance);
	bool may = instance && instance->row.gen == wish->gen &&
		   instance->seen_power == INSTANCE_SEEN_POWER_ABSENT &&
		   engine_instance_leaves_host(op->head, instance);
	if (!may)
		return OK;
	struct instance next = *instance;
	next.host = UUID_NONE;
	next.migrating = false;
	if (next.wanted_shelved)
		next.capacity_reservation = UUID_NONE;
	TRY(instance_put(op, &next));
	TRY(take_ports_off(op, next.row.id));
	TRY(engine_log_event(op, KIND_INSTANCE, &next.row, "left its host",
			     "Its disks stay where they are."));
	return next.wanted_shelved ? OK : instance_place_or_log(op, next.row.id);
}

/* ---- unshelving ---- */

RESULT instance_end_shelved_image(struct op *op, uuid image)
{
	const struct image *row = uuid_is_none(image) ? NULL : image_find(op->head, image);
	return row && row_is_live(&row->row) ? image_write_end(op, row) : OK;
}

static RESULT write_return(struct op *op, const struct instance *instance)
{
	struct instance next = *instance;
	TRY(instance_end_shelved_image(op, instance->shelved_image));
	next.wanted_shelved = false;
	next.shelved_image = UUID_NONE;
	instance_begin_task(op, INSTANCE_TASK_UNSHELVE, false, &next);
	TRY(instance_turn_on(op, &next));
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "unshelve asked",
				"On a host again, and started.");
}

RESULT instance_write_unshelve(struct op *op, const struct instance *instance)
{
	uuid id = instance->row.id;
	bool is_away = uuid_is_none(instance->host);
	TRY(write_return(op, instance));
	return is_away ? instance_place_or_log(op, id) : OK;
}

/* Messages are Nova's. An instance's disks are all in one zone, as with Cinder's cross_az_attach off. */
static RESULT check_zone(struct op *op, const struct instance *instance, const struct ref *ref)
{
	const struct zone *zone = NULL, *own = zone_find(op->head, instance->zone);
	uuid root = instance_get_root_id(op->head, instance->row.id);
	if (!ref_is_given(ref))
		return OK;
	TRY(engine_find_zone(op->ctx, op->head, ref, &zone));
	if (uuid_equal(zone->row.id, instance->zone))
		return OK;
	return ENGINE_FAIL(
		op, ERR_STATE, KIND_ZONE, ref->field,
		"The availability zone between the server and its attached volumes do not match: The "
		"specified availability zone does not match the volume %" STR_FMT
		" attached to the server. Specified availability zone is %" STR_FMT ". Volume is in %" STR_FMT
		"..",
		STR_ARG(uuid_is_none(root) ? STR_NONE : engine_write_id(op, KIND_VOLUME, root)),
		STR_ARG(zone->name), STR_ARG(own ? own->name : STR_NONE));
}

static RESULT find_host(struct op *op, const struct instance *instance, struct str name,
			const struct host **ret_host)
{
	const struct host *host = host_find_by_name(op->head, name);
	const struct zone *zone = zone_find(op->head, instance->zone);
	if (!host || !row_is_live(&host->row))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_HOST, STR("host"),
				   "Compute host %" STR_FMT " could not be found.", STR_ARG(name));
	*ret_host = host;
	if (uuid_equal(host->zone, instance->zone))
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_ZONE, STR("host"),
			   "Host \"%" STR_FMT "\" is not in the availability zone \"%" STR_FMT "\".",
			   STR_ARG(name), STR_ARG(zone ? zone->name : STR_NONE));
}

/* Unshelves to a given zone or host. A host that refuses is an error here; Nova only records it in the
 * server's history. */
static RESULT write_unshelve_to(struct op *op, const struct instance *instance,
				const struct instance_unshelving *wish)
{
	const struct host *host = NULL;
	uuid id = instance->row.id;
	struct instance next = *instance;
	TRY(check_zone(op, instance, &wish->zone));
	if (wish->zone_name.n) {
		next.zone_name = wish->zone_name;
		TRY(instance_put(op, &next));
		instance = instance_find(op->head, id);
	}
	if (str_is_empty(wish->host))
		return instance_write_unshelve(op, instance);
	TRY(find_host(op, instance, wish->host, &host));
	TRY(write_return(op, instance));
	return instance_place_on(op, id, host, STR("host"));
}

RESULT engine_unshelve_instance(struct op *op, struct instance_unshelving *wish)
{
	const struct instance *instance = NULL;
	TRY(engine_permit_instance(op, &wish->instance, "instance.unshelve", &instance));
	TRY(instance_check_changeable(op, instance, wish->instance.field));
	TRY(instance_check_disks(op, instance, &wish->instance));
	enum instance_state state = model_derive_instance_state(instance);
	bool is_said = ref_is_given(&wish->zone) || wish->zone_name.n || !str_is_empty(wish->host);
	if (state == INSTANCE_SHELVED && is_said)
		return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, wish->instance.field,
				   "Specifying an availability zone or a host when unshelving server "
				   "\"%" STR_FMT "\" with status \"shelved\" is not supported. The server "
				   "status must be SHELVED_OFFLOADED.",
				   STR_ARG(wish->instance.text));
	if (state == INSTANCE_SHELVED_OFFLOADED && is_said)
		return write_unshelve_to(op, instance, wish);
	if (state == INSTANCE_SHELVED || state == INSTANCE_SHELVED_OFFLOADED)
		return instance_write_unshelve(op, instance);
	return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, wish->instance.field,
			   "The instance '%" STR_FMT "' is not shelved.", STR_ARG(wish->instance.text));
}
