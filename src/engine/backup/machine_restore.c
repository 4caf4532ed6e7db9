/* SPDX-License-Identifier: Apache-2.0
 * Restores of machines, and test restores. A new machine is launched with disks whose content is fetched from
 * the backups; it starts when they are there. A restore in place fetches each disk and then reverts the
 * machine's own disk to it; the machine cannot start meanwhile. */
#include "engine/backup/machine_backup.h"

#include "engine/backup/machine_backup_internal.h"
#include "engine/instance/instance.h"
#include "engine/instance/instance_internal.h"
#include "engine/people/policy/role.h"
#include "engine/storage/snapshot/backup.h"
#include "engine/storage/snapshot/backup_internal.h"
#include "model/states.h"
#include "store/account.h"
#include "store/backup.h"
#include "store/image.h"
#include "store/instance.h"
#include "store/key_pair.h"
#include "store/machine_backup.h"
#include "store/security_group.h"
#include "store/snapshot.h"
#include "store/subnet.h"
#include "store/volume.h"

#define GIBIBYTE (INT64_C(1) << 30)
enum { DISKS_MAX = INSTANCE_VOLUMES_MAX, PORTS_MAX = 64, GROUPS_MAX = 16 };

static RESULT check_available(struct op *op, const struct machine_backup *m, struct str field)
{
	bool is_restoring = false;
	for (const struct backup *b = backup_first_by_machine_backup(op->head, m->row.id); b;
	     b = backup_next_by_machine_backup(op->head, b))
		is_restoring = is_restoring || engine_backup_is_restoring(op->head, b->row.id);
	if (model_derive_machine_backup_state(m) == MACHINE_BACKUP_AVAILABLE && !is_restoring)
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_MACHINE_BACKUP, field, "The backup '%" STR_FMT "' is %s.",
			   STR_ARG(engine_write_id(op, KIND_MACHINE_BACKUP, m->row.id)),
			   is_restoring
				   ? "being restored"
				   : model_machine_backup_states[model_derive_machine_backup_state(m)].name);
}

/* ---- a new machine ---- */

struct restoring {
	struct op *op;
	const struct machine_backup *m;
	struct str field;
	struct instance_launch launch;
	struct disk_wish disks[DISKS_MAX];
	uuid snapshots[DISKS_MAX];
	struct launch_port ports[PORTS_MAX];
	struct ref groups[GROUPS_MAX];
	size_t disk_count, group_count;
};

/* Disks in the order of their slots, the root disk first. */
static RESULT plan_disks(struct restoring *r, bool deletes_all)
{
	struct op *op = r->op;
	for (const struct backup *b = backup_first_by_machine_backup(op->head, r->m->row.id);
	     b && r->disk_count < DISKS_MAX; b = backup_next_by_machine_backup(op->head, b)) {
		struct snapshot s;
		TRY(backup_write_fetch(op, b, r->m->account, UUID_NONE, &s));
		r->snapshots[r->disk_count] = s.row.id;
		r->disks[r->disk_count++] = (struct disk_wish){
			.device = b->device,
			.snapshot = engine_ref_to(op, KIND_SNAPSHOT, s.row.id, r->field),
			.size = (b->size + GIBIBYTE - 1) / GIBIBYTE * GIBIBYTE,
			.type = b->disk_type,
			.delete_on_termination =
				b->deletes_on_termination || deletes_all ? CHOICE_YES : CHOICE_NO,
			.field = r->field};
	}
	r->launch.disks = r->disks;
	r->launch.disk_count = r->disk_count;
	return OK;
}

/* Groups that still exist in the VPC of the subnet. */
static void plan_groups(struct restoring *r, const struct subnet *subnet)
{
	for (size_t k = 0; k < r->m->groups.count && r->group_count < GROUPS_MAX; k++) {
		const struct security_group *g = security_group_find(r->op->head, r->m->groups.at[k]);
		if (g && row_is_live(&g->row) && uuid_equal(g->router, subnet->router))
			r->groups[r->group_count++] =
				engine_ref_to(r->op, KIND_SECURITY_GROUP, g->row.id, r->field);
	}
}

static RESULT plan_given_port(struct restoring *r, const struct machine_restoring *wish)
{
	const struct subnet *subnet = NULL;
	TRY(engine_find_subnet(r->op->ctx, r->op->head, &wish->subnet, &subnet));
	if (!wish->groups.count)
		plan_groups(r, subnet);
	r->ports[0] = (struct launch_port){.subnet = wish->subnet, .field = wish->subnet.field};
	r->launch.port_count = 1;
	return OK;
}

static RESULT plan_ports(struct restoring *r, const struct machine_restoring *wish)
{
	struct op *op = r->op;
	r->launch.ports = r->ports;
	if (ref_is_given(&wish->subnet))
		TRY(plan_given_port(r, wish));
	for (size_t k = 0; !ref_is_given(&wish->subnet) && k < r->m->subnets.count; k++) {
		const struct subnet *s = subnet_find(op->head, r->m->subnets.at[k]);
		if (!s || !row_is_live(&s->row) || r->launch.port_count == PORTS_MAX)
			continue;
		if (r->launch.port_count == 0)
			plan_groups(r, s);
		r->ports[r->launch.port_count] =
			(struct launch_port){.subnet = engine_ref_to(op, KIND_SUBNET, s->row.id, r->field),
					     .device_index = (int64_t) r->launch.port_count,
					     .field = r->field};
		r->launch.port_count++;
	}
	if (r->launch.port_count)
		r->ports[0].groups =
			wish->groups.count ? wish->groups : (struct refs){r->groups, r->group_count};
	r->launch.no_ports = r->launch.port_count == 0;
	return r->launch.port_count || !r->m->subnets.count
		       ? OK
		       : ENGINE_FAIL(op, ERR_MISSING, KIND_SUBNET, STR("subnet"),
				     "The subnets of the machine are gone: name another one.");
}

static void plan_rest(struct restoring *r, const struct machine_restoring *wish)
{
	struct op *op = r->op;
	const struct machine_backup *m = r->m;
	const struct key_pair *key =
		m->key_name.n ? key_pair_find_by_account(op->head, m->account, m->key_name) : NULL;
	struct instance_launch *l = &r->launch;
	l->min_count = l->max_count = 1;
	l->type = ref_is_given(&wish->type)
			  ? wish->type
			  : (struct ref){.kind = KIND_INSTANCE_TYPE, .text = m->type_name, .field = r->field};
	if (key)
		l->key_pair = engine_ref_to(op, KIND_KEY_PAIR, key->row.id, r->field);
	if (!l->port_count && !uuid_is_none(m->zone))
		l->zone = engine_ref_to(op, KIND_ZONE, m->zone, r->field);
	l->name = wish->name.n ? wish->name : m->machine_name;
	l->instance_tags = m->machine_tags;
	l->user_data = m->user_data;
	l->personality_choice = CHOICE_YES;
	l->personality = (enum instance_personality) m->personality;
	l->beyond_type = true;
	l->root_is_volume = m->root_is_volume;
	l->stays_off = wish->stays_off;
}

/* Sets from the backup the members that a launch takes from an image. */
static RESULT finish_instance(struct restoring *r, uuid id)
{
	const struct machine_backup *m = r->m;
	const struct instance *i = instance_find(r->op->head, id);
	const struct image *image = image_find(r->op->head, m->image);
	struct instance next = *i;
	next.image = image && row_is_live(&image->row) ? m->image : UUID_NONE;
	next.root_is_volume = m->root_is_volume || uuid_is_none(next.image);
	next.platform = (enum instance_platform) m->platform;
	next.boot_mode = (enum instance_boot_mode) m->boot_mode;
	next.secure_boot = m->secure_boot;
	next.uefi_variables = m->uefi_variables;
	next.disk_bus = (enum instance_disk_bus) m->disk_bus;
	next.nic_model = (enum instance_nic_model) m->nic_model;
	next.licences = m->licences;
	return instance_put(r->op, &next);
}

static RESULT finish_volumes(struct restoring *r)
{
	struct op *op = r->op;
	for (size_t k = 0; k < r->disk_count; k++) {
		const struct snapshot *s = snapshot_find(op->head, r->snapshots[k]);
		const struct backup *b = s ? backup_find(op->head, s->backup) : NULL;
		const struct volume *v = volume_first_by_snapshot(op->head, r->snapshots[k]);
		if (!b || !v)
			continue;
		struct volume next = *v;
		next.is_bootable = b->is_bootable;
		next.image_properties = b->image_properties;
		next.tags = b->volume_tags;
		TRY(volume_put(op, &next));
	}
	return OK;
}

static RESULT launch(struct restoring *r, uuid *ret_instance)
{
	TRY(engine_create_instances(r->op, &r->launch));
	*ret_instance = r->launch.made.at[0];
	TRY(finish_volumes(r));
	return finish_instance(r, *ret_instance);
}

struct caller {
	const struct identity *who;
	struct guard *guard;
};

/* Puts the backup's account in place of the caller: quotas count, and no policy of a user decides. */
static RESULT act_for_owner(struct op *op, const struct machine_backup *m, struct caller *ret_caller)
{
	const struct account *account = account_find(op->head, m->account);
	struct identity *who = arena_new_object(op->ctx->arena, struct identity);
	if (!who)
		return ctx_no_memory(op->ctx);
	*who = (struct identity){.scope = IDENTITY_ACCOUNT,
				 .rights = RIGHTS_OF_MEMBER,
				 .account = m->account,
				 .domain = account ? account->domain : UUID_NONE,
				 .account_number = account ? account->number : STR_NONE};
	*ret_caller = (struct caller){op->ctx->who, op->ctx->guard};
	engine_act_by_roles(op->ctx, who);
	return OK;
}

static RESULT plan_and_launch(struct restoring *r, const struct machine_restoring *wish, uuid *ret_instance)
{
	TRY(plan_disks(r, false));
	TRY(plan_ports(r, wish));
	plan_rest(r, wish);
	return launch(r, ret_instance);
}

/* An administrator of another account, or the operator, restores for the backup's account. */
static RESULT restore_anew(struct op *op, struct machine_restoring *wish, const struct machine_backup *m)
{
	struct restoring *r = arena_new_object(op->ctx->arena, struct restoring);
	uuid *made = arena_new_array(op->ctx->arena, uuid, 1);
	bool is_owner = uuid_equal(engine_get_account(op->ctx), m->account);
	struct caller caller = {op->ctx->who, op->ctx->guard};
	if (!r || !made)
		return ctx_no_memory(op->ctx);
	*r = (struct restoring){.op = op, .m = m, .field = wish->backup.field};
	if (!is_owner)
		TRY(act_for_owner(op, m, &caller));
	struct result result = plan_and_launch(r, wish, made);
	op->ctx->who = caller.who;
	op->ctx->guard = caller.guard;
	TRY(result);
	wish->made = (struct uuids){made, 1};
	return OK;
}

/* ---- in place ---- */

/* A disk whose restore has failed may be restored again, from this backup or another one. */
static RESULT clear_failure(struct op *op, const struct volume *v)
{
	struct volume next = *v;
	if (v->reservation != VOLUME_RESERVATION_ERROR_RESTORING)
		return OK;
	next.reservation = VOLUME_RESERVATION_NONE;
	return volume_put(op, &next);
}

static RESULT replace_disk(struct op *op, const struct backup *b, const struct instance *i, struct str field)
{
	const struct volume *v = volume_find(op->head, b->volume);
	struct snapshot s;
	bool is_its = v && row_is_live(&v->row) && uuid_equal(v->instance, i->row.id);
	if (is_its)
		TRY(clear_failure(op, v));
	v = volume_find(op->head, b->volume);
	if (!is_its || !backup_may_replace(op->head, v) || engine_volume_is_restoring(op->head, v) ||
	    b->size > v->size || (b->is_encrypted && !v->is_encrypted))
		return ENGINE_FAIL(
			op, ERR_STATE, KIND_VOLUME, field,
			"The disk %" STR_FMT
			" cannot be restored in place: the machine has no such disk, or it is in use, "
			"smaller or not encrypted.",
			STR_ARG(b->device));
	TRY(engine_permit(op, "backup.restore", KIND_VOLUME, &v->row));
	TRY(backup_write_fetch(op, b, v->account, v->row.id, &s));
	return engine_log_event(op, KIND_VOLUME, &v->row, "restore asked", "From backup %" STR_FMT ".",
				STR_ARG(engine_write_id(op, KIND_BACKUP, b->row.id)));
}

static RESULT restore_in_place(struct op *op, struct machine_restoring *wish, const struct machine_backup *m)
{
	const struct instance *i = instance_find(op->head, m->instance);
	uuid *made = arena_new_array(op->ctx->arena, uuid, 1);
	if (!made)
		return ctx_no_memory(op->ctx);
	if (!i || !row_is_live(&i->row) || !uuid_equal(i->account, m->account))
		return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, wish->backup.field,
				   "The machine is gone: restore it to a new one.");
	TRY(engine_check_found(op->ctx, op->head, KIND_INSTANCE, &i->row));
	TRY(instance_check_changeable(op, i, wish->backup.field));
	if (model_derive_instance_state(i) != INSTANCE_STOPPED)
		return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, wish->backup.field,
				   "The instance '%" STR_FMT "' is %s: stop it before.",
				   STR_ARG(engine_write_id(op, KIND_INSTANCE, i->row.id)),
				   model_instance_states[model_derive_instance_state(i)].name);
	for (const struct backup *b = backup_first_by_machine_backup(op->head, m->row.id); b;
	     b = backup_next_by_machine_backup(op->head, b))
		TRY(replace_disk(op, b, i, wish->backup.field));
	made[0] = i->row.id;
	wish->made = (struct uuids){made, 1};
	return OK;
}

RESULT engine_restore_machine_backup(struct op *op, struct machine_restoring *wish)
{
	const struct machine_backup *m = NULL;
	TRY(engine_permit_machine_backup(op, &wish->backup, "machine_backup.restore", &m));
	TRY(engine_permit(op, "recovery_point.restore", KIND_MACHINE_BACKUP, &m->row));
	TRY(check_available(op, m, wish->backup.field));
	TRY(wish->in_place ? restore_in_place(op, wish, m) : restore_anew(op, wish, m));
	return engine_log_event(op, KIND_MACHINE_BACKUP, &m->row, "restore asked",
				wish->in_place ? "To its own instance %" STR_FMT "."
					       : "To the new instance %" STR_FMT ".",
				STR_ARG(engine_write_id(op, KIND_INSTANCE, wish->made.at[0])));
}

/* ---- test restores ---- */

static RESULT launch_check(struct op *op, struct restoring *r, uuid *ret_instance)
{
	struct caller caller;
	TRY(act_for_owner(op, r->m, &caller));
	struct result result = plan_disks(r, true);
	if (result_is_ok(result))
		result = launch(r, ret_instance);
	op->ctx->who = caller.who;
	op->ctx->guard = caller.guard;
	return result;
}

RESULT machine_check_begin(struct op *op, const struct machine_backup *m, struct str field)
{
	struct restoring *r = arena_new_object(op->ctx->arena, struct restoring);
	struct machine_restoring wish = {
		.name = str_print(op->ctx->arena, "test of %" STR_FMT, STR_ARG(str_cut(m->name, 200)))};
	uuid instance = UUID_NONE;
	if (!r)
		return ctx_no_memory(op->ctx);
	if (m->check_state == MACHINE_BACKUP_CHECK_STATE_RUNNING)
		return ENGINE_FAIL(op, ERR_STATE, KIND_MACHINE_BACKUP, field, "The backup is being tested.");
	TRY(check_available(op, m, field));
	*r = (struct restoring){.op = op, .m = m, .field = field};
	plan_rest(r, &wish);
	r->launch.no_ports = true;
	r->launch.instance_tags = (struct tags){0};
	TRY(launch_check(op, r, &instance));
	struct machine_backup next = *m;
	next.check_state = MACHINE_BACKUP_CHECK_STATE_RUNNING;
	next.check_instance = instance;
	next.checked_us = op->now_us;
	next.check_message = STR_NONE;
	next.row.gen++;
	TRY(machine_backup_put(op, &next));
	return engine_log_event(op, KIND_MACHINE_BACKUP, &next.row, "test started",
				"By the instance %" STR_FMT ".",
				STR_ARG(engine_write_id(op, KIND_INSTANCE, instance)));
}

RESULT engine_check_machine_backup(struct op *op, struct machine_check *wish)
{
	const struct machine_backup *m = NULL;
	TRY(engine_permit_machine_backup(op, &wish->backup, "machine_backup.check", &m));
	return machine_check_begin(op, m, wish->backup.field);
}

RESULT engine_see_machine_check(struct op *op, struct machine_check_report *report)
{
	const struct machine_backup *m = machine_backup_find(op->head, report->backup);
	if (!m || m->check_state != MACHINE_BACKUP_CHECK_STATE_RUNNING ||
	    !uuid_equal(m->check_instance, report->instance))
		return OK;
	const struct instance *i = instance_find(op->head, report->instance);
	struct machine_backup next = *m;
	next.check_state =
		report->has_passed ? MACHINE_BACKUP_CHECK_STATE_PASSED : MACHINE_BACKUP_CHECK_STATE_FAILED;
	next.check_instance = UUID_NONE;
	next.check_message = report->message;
	next.checked_us = op->now_us;
	TRY(machine_backup_put(op, &next));
	if (i && row_is_live(&i->row)) /* a protection against termination does not keep the copy */
		TRY(instance_write_terminate(op, i, "Server.BackupTested",
					     "Server.BackupTested: the test restore has ended"));
	return engine_log_event(op, KIND_MACHINE_BACKUP, &next.row,
				report->has_passed ? "test passed" : "test failed", "%" STR_FMT,
				STR_ARG(report->message));
}
