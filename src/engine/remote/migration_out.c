/* SPDX-License-Identifier: Apache-2.0
 * Migrations of instances to clouds elsewhere: the plan, and the reports that differ from those of the way in. Each round
 * takes a snapshot of every disk here, and copies what differs from the last round's. The snapshots are bound to the
 * migration: no face shows them, and they go with it. */
#include "engine/instance/instance.h"
#include "engine/limits.h"
#include "engine/remote/migration_internal.h"
#include "engine/remote/provider.h"
#include "engine/remote/remote_machine.h"
#include "engine/storage/snapshot/snapshot_internal.h"
#include "engine/storage/volume/local_disk.h"
#include "engine/storage/volume/volume_attachment.h"
#include "model/id.h"
#include "model/states.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/port.h"
#include "store/provider.h"
#include "store/remote_resource.h"
#include "store/scaling_group.h"
#include "store/scaling_member.h"
#include "store/snapshot.h"
#include "store/volume.h"

/* ---- the plan ---- */

static RESULT check_provider(struct op *op, const struct migration_wish *wish, const struct provider *p)
{
	if (p->cloud == PROVIDER_CLOUD_AWS || p->cloud == PROVIDER_CLOUD_OPENSTACK)
		return OK;
	return ENGINE_FAIL(
		op, ERR_UNSUPPORTED, KIND_PROVIDER, wish->provider.field,
		"Instances can be migrated to providers of kind aws, such as another Dari, and openstack; to "
		"kind %s they cannot yet.",
		provider_cloud_words[p->cloud]);
}

static RESULT check_instance(struct op *op, const struct migration_wish *wish, const struct instance *i)
{
	if (!row_is_live(&i->row) || model_derive_instance_state(i) == INSTANCE_TERMINATED)
		return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, wish->instance.field,
				   "The instance is terminated.");
	for (const struct cloud_migration *each = cloud_migration_first_by_instance(op->head, i->row.id);
	     each; each = cloud_migration_next_by_instance(op->head, each))
		if (!engine_migration_has_ended(each))
			return ENGINE_FAIL(op, ERR_EXISTS, KIND_CLOUD_MIGRATION, wish->instance.field,
					   "The instance is being migrated.");
	return OK;
}

/* The primary address, and the number of interfaces. */
static void take_ports(struct op *op, const struct instance *i, struct cloud_migration *next)
{
	char text[IP_TEXT_SIZE];
	for (const struct port *p = port_first_by_instance(op->head, i->row.id); p;
	     p = port_next_by_instance(op->head, p)) {
		if (!row_is_live(&p->row))
			continue;
		next->nics++;
		if (p->device_index == 0)
			next->source_ip = str_copy(op->ctx->arena, str_from(ip_write(p->ip, text)));
	}
}

static struct str find_value(struct tags tags, struct str key)
{
	for (size_t k = 0; k < tags.count; k++)
		if (str_equal(tags.at[k].key, key))
			return tags.at[k].value;
	return STR_NONE;
}

static RESULT take_instance(struct op *op, const struct instance *i, struct cloud_migration *next)
{
	const struct instance_type *type = instance_type_find(op->head, i->type);
	const struct scaling_member *member = scaling_member_first_by_instance(op->head, i->row.id);
	const struct scaling_group *group =
		member ? scaling_group_find(op->head, member->scaling_group) : NULL;
	struct volume_list local;
	struct str name = find_value(i->tags, STR("Name"));
	TRY(engine_list_local_disks(op->ctx->arena, op->head, i->row.id, &local));
	next->name = name.n ? name : i->name.n ? i->name : engine_write_id(op, KIND_INSTANCE, i->row.id);
	next->source_type = type ? str_cut(type->name, 64) : STR_NONE;
	next->vcpus = i->vcpus;
	next->memory = i->memory;
	next->arch = type && type->arch == INSTANCE_TYPE_ARCH_ARM64 ? STR("arm64") : STR("x86_64");
	next->boot_mode =
		i->boot_mode == INSTANCE_BOOT_MODE_UEFI || i->boot_mode == INSTANCE_BOOT_MODE_UEFI_PREFERRED
			? STR("uefi")
			: STR("legacy-bios");
	next->root_device = str_cut(i->root_device, 64);
	next->source_key = i->key_name;
	next->source_tags = i->tags;
	next->has_local = local.count > 0;
	next->scaling_group = group ? group->name : STR_NONE;
	take_ports(op, i, next);
	return OK;
}

/* AWS takes the names /dev/sd… and /dev/xvd… alone. */
static bool is_usable(struct str name)
{
	return (str_starts_with(name, STR("/dev/sd")) || str_starts_with(name, STR("/dev/xvd"))) &&
	       name.n <= 64;
}

/* If one name cannot be kept, all but the root's are new: a new one could be another disk's. */
static struct str name_device(struct op *op, const struct instance *i, const struct volume_list *disks,
			      size_t number)
{
	const struct volume *v = disks->at[number];
	struct str root = v->device.n ? v->device : i->root_device;
	bool are_usable = true;
	if (number == 0)
		return is_usable(root) ? root : STR("/dev/xvda");
	for (size_t k = 1; k < disks->count; k++)
		are_usable = are_usable && is_usable(disks->at[k]->device);
	return are_usable ? v->device : str_print(op->ctx->arena, "/dev/xvdb%c", (char) ('a' + number - 1));
}

static RESULT put_disks(struct op *op, const struct instance *i, uuid migration)
{
	struct volume_list disks;
	TRY(engine_list_disks(op->ctx->arena, op->head, i->row.id, false, &disks));
	if (disks.count > MIGRATION_DISKS_MAX)
		return ENGINE_FAIL(op, ERR_UNSUPPORTED, KIND_INSTANCE, STR("instance"),
				   "An instance with more than %d disks cannot be migrated.",
				   MIGRATION_DISKS_MAX);
	for (size_t k = 0; k < disks.count; k++) {
		const struct volume *v = disks.at[k];
		struct cloud_migration_disk disk = {.row.id = engine_new_id(op, KIND_CLOUD_MIGRATION_DISK),
						    .row.gen = 1,
						    .account = i->account,
						    .migration = migration,
						    .number = (int64_t) k,
						    .device = name_device(op, i, &disks, k),
						    .volume =
							    id_to_ec2(op->ctx->arena, KIND_VOLUME, v->row.id),
						    .source = v->row.id,
						    .size = v->seen_size ? v->seen_size : v->size,
						    .is_encrypted = v->is_encrypted,
						    .is_shared = v->is_shared,
						    .goes_along = v->delete_on_termination};
		TRY(cloud_migration_disk_put(op, &disk));
	}
	return OK;
}

RESULT migration_plan_out(struct op *op, struct migration_wish *wish)
{
	const struct row *row = NULL, *provider = NULL;
	const struct ref *absent = ref_is_given(&wish->instance) ? &wish->provider : &wish->instance;
	if (ref_is_given(&wish->instance)) /* whoever may not see it learns nothing about the rest */
		TRY(engine_find_own(op->ctx, op->head, KIND_INSTANCE, &wish->instance, &row));
	if (!ref_is_given(absent))
		return ENGINE_FAIL(op, ERR_MISSING, KIND_CLOUD_MIGRATION,
				   absent == &wish->provider ? STR("provider") : STR("instance"),
				   "An instance and a provider are required.");
	TRY(engine_find_own(op->ctx, op->head, KIND_PROVIDER, &wish->provider, &provider));
	const struct instance *i = instance_of(row);
	TRY(check_provider(op, wish, provider_of(provider)));
	TRY(check_instance(op, wish, i));
	struct cloud_migration next = {.row.id = engine_new_id(op, KIND_CLOUD_MIGRATION),
				       .row.gen = 1,
				       .account = i->account,
				       .direction = CLOUD_MIGRATION_DIRECTION_OUT,
				       .copies_whole =
					       provider_of(provider)->cloud == PROVIDER_CLOUD_OPENSTACK,
				       .provider = provider->id,
				       .instance = i->row.id,
				       .round_s = MIGRATION_ROUND_S};
	TRY(take_instance(op, i, &next));
	ASKER_NOTE(op, &next);
	TRY(engine_permit_new(op, "migration.plan", KIND_CLOUD_MIGRATION, &next.row));
	TRY(limit_check(op, LIMIT_CLOUD_MIGRATIONS, next.account, 1, wish->instance.field));
	wish->migration = next.row.id;
	TRY(migration_put_logged(op, &next, "Machine %" STR_FMT ".", STR_ARG(next.name)));
	return put_disks(op, i, next.row.id);
}

/* ---- what to choose there ---- */

/* A type that says another architecture cannot run the guest. */
static bool fits(const struct remote_resource *type, const struct cloud_migration *m, int64_t *ret_vcpus)
{
	struct str arch = find_value(type->attributes, STR("architecture"));
	return type->type == REMOTE_RESOURCE_TYPE_INSTANCE_TYPE &&
	       result_is_ok(str_parse_int(find_value(type->attributes, STR("vcpus")), ret_vcpus)) &&
	       *ret_vcpus >= m->vcpus && type->size >= m->memory &&
	       (!arch.n || str_equal(arch, m->arch) || str_contains(arch, m->arch)) && type->ref.n <= 64;
}

/* The type of the same name, else the one with the least memory, then the fewest processors. */
static struct str choose_type(struct op *op, const struct cloud_migration *m)
{
	const struct remote_resource *best = remote_resource_find_by_provider(
		op->head, m->provider, REMOTE_RESOURCE_TYPE_INSTANCE_TYPE, m->source_type);
	int64_t vcpus = 0, best_vcpus = 0;
	if (best && fits(best, m, &vcpus))
		return best->ref;
	best = NULL;
	for (const struct remote_resource *t = remote_resource_first_by_provider(op->head, m->provider); t;
	     t = remote_resource_next_by_provider(op->head, t)) {
		if (!fits(t, m, &vcpus))
			continue;
		bool is_better =
			!best || t->size < best->size || (t->size == best->size && vcpus < best_vcpus);
		best = is_better ? t : best;
		best_vcpus = is_better ? vcpus : best_vcpus;
	}
	return best ? best->ref : STR_NONE;
}

void migration_choose_out(struct op *op, struct cloud_migration *next)
{
	next->target_type = choose_type(op, next);
	const struct remote_resource *key =
		next->source_key.n
			? remote_resource_find_by_provider(op->head, next->provider,
							   REMOTE_RESOURCE_TYPE_KEY_PAIR, next->source_key)
			: NULL;
	next->target_key = key ? key->ref : STR_NONE;
}

RESULT migration_permit_out(struct op *op, const struct cloud_migration *m)
{
	struct cloud_migration_disk *disks = NULL;
	size_t count = 0;
	TRY(migration_copy_disks(op, m->row.id, &disks, &count));
	for (size_t k = 0; k < count; k++) {
		const struct volume *v = volume_find(op->head, disks[k].source);
		if (v)
			TRY(engine_permit(op, "snapshot.create", KIND_VOLUME, &v->row));
	}
	return OK;
}

/* ---- rounds ---- */

static bool is_off(struct op *op, const struct cloud_migration *m)
{
	const struct instance *i = instance_find(op->head, m->instance);
	return i && model_derive_instance_state(i) == INSTANCE_STOPPED &&
	       i->wanted_power == INSTANCE_WANTED_POWER_OFF;
}

/* The instance was started during the cutover: what it writes now is not copied. */
static RESULT call_off(struct op *op, const struct cloud_migration *m,
		       const struct cloud_migration_report *wish)
{
	(void) wish;
	struct cloud_migration next = *m;
	next.stage = CLOUD_MIGRATION_STAGE_SYNCED;
	next.is_final = next.is_stopped = next.was_running = false;
	next.cutover_us = next.stopped_us = 0;
	next.row.gen++;
	next.problem =
		STR("Somebody has started the instance during the cutover, which is off. Copying goes on; "
		    "request the cutover again.");
	return migration_put_logged(op, &next, "%" STR_FMT, STR_ARG(next.problem));
}

static RESULT fail_changed(struct op *op)
{
	return ctx_fail_kind(
		op->ctx, ERR_NOT_FOUND, KIND_VOLUME,
		"The instance has other disks than when it was planned. Undo it, and plan again.");
}

static RESULT cut_disk(struct op *op, const struct cloud_migration *m, const struct cloud_migration_disk *d)
{
	const struct volume *v = volume_find(op->head, d->source);
	struct cloud_migration_disk next = *d;
	struct snapshot cut = {.description = STR("For the migration of the instance."),
			       .is_bound = true,
			       .notes_writes = true};
	if (!v || !row_is_live(&v->row) || !uuid_equal(v->instance, m->instance))
		return fail_changed(op);
	TRY(snapshot_write_of(op, v, &cut));
	if (cut.volume_size != d->size) { /* the snapshot there has another size, so all blocks are written */
		next.size = cut.volume_size;
		next.base = STR_NONE;
	}
	next.snapshot = cut.row.id;
	next.target = STR_NONE;
	next.is_copied = next.is_sealed = false;
	next.next_block = next.blocks = next.round_bytes = 0;
	return cloud_migration_disk_put(op, &next);
}

static RESULT cut_disks(struct op *op, const struct cloud_migration *m)
{
	struct cloud_migration_disk *disks = NULL;
	struct volume_list now;
	size_t count = 0;
	TRY(migration_copy_disks(op, m->row.id, &disks, &count));
	TRY(engine_list_disks(op->ctx->arena, op->head, m->instance, false, &now));
	if (now.count != count)
		return fail_changed(op);
	for (size_t k = 0; k < count; k++)
		TRY(cut_disk(op, m, &disks[k]));
	return OK;
}

/* All disks are cut in one change, so that their snapshots are of one moment. A volume that cannot be cut now is tried
 * again; one that is gone ends the migration. */
static RESULT cut(struct op *op, const struct cloud_migration *m, const struct cloud_migration_report *wish)
{
	struct op_place place = op_place_now(op);
	if (m->is_final && !is_off(op, m))
		return call_off(op, m, wish);
	struct result result = cut_disks(op, m);
	if (result_is_ok(result) || !engine_is_refusal(result.code))
		return result;
	op_go_back(op, place);
	struct str problem = op->ctx->problem.message;
	ctx_clear_problem(op->ctx);
	m = cloud_migration_find(op->head, wish->migration);
	return result.code == ERR_NOT_FOUND ? migration_undo(op, m, problem)
					    : migration_note_problem(op, m, problem);
}

static RESULT note_frozen(struct op *op, const struct cloud_migration *m,
			  const struct cloud_migration_report *wish)
{
	(void) wish;
	struct cloud_migration next = *m;
	next.is_frozen = true;
	next.problem = STR_NONE;
	next.freeze_s = (op->now_us - m->round_us) / SECOND;
	next.stage = CLOUD_MIGRATION_STAGE_COPYING;
	return migration_put_logged(op, &next, "Round %lld.", (long long) next.round);
}

static RESULT drop_cut(struct op *op, uuid snapshot)
{
	const struct snapshot *s = snapshot_find(op->head, snapshot);
	return s && s->is_bound && row_is_live(&s->row) ? snapshot_delete_metered(op, s) : OK;
}

RESULT migration_end_copy_out(struct op *op, struct cloud_migration_disk *next)
{
	uuid old = next->base_snapshot;
	next->base_snapshot = next->snapshot;
	next->snapshot = UUID_NONE;
	next->resets = 0;
	return drop_cut(op, old);
}

RESULT migration_drop_cuts(struct op *op, const struct cloud_migration *m)
{
	struct cloud_migration_disk *disks = NULL;
	size_t count = 0;
	TRY(migration_copy_disks(op, m->row.id, &disks, &count));
	for (size_t k = 0; k < count; k++) {
		TRY(drop_cut(op, disks[k].snapshot));
		TRY(drop_cut(op, disks[k].base_snapshot));
		struct cloud_migration_disk next = disks[k];
		next.snapshot = next.base_snapshot = UUID_NONE;
		next.target = next.base = STR_NONE;
		TRY(cloud_migration_disk_put(op, &next));
	}
	return OK;
}

/* ---- cutover and undo ---- */

static RESULT stop_instance(struct op *op, const struct cloud_migration *m, void *arg)
{
	struct ref ref = ref_by_id(KIND_INSTANCE, m->instance);
	struct instances_wish wish = {.instances = {&ref, 1}};
	(void) arg;
	return engine_stop_instances(op, &wish);
}

static RESULT start_instance(struct op *op, const struct cloud_migration *m, void *arg)
{
	struct ref ref = ref_by_id(KIND_INSTANCE, m->instance);
	struct instances_wish wish = {.instances = {&ref, 1}};
	(void) arg;
	return engine_start_instances(op, &wish);
}

/* *ret_is_done false: it was refused, and the migration's problem says why. */
static RESULT try_part(struct op *op, const struct cloud_migration *m, const struct asker_work *work,
		       migration_part part, bool *ret_is_done)
{
	struct op_place place = op_place_now(op);
	uuid id = m->row.id;
	struct result result = migration_act_as_asker(op, m, work, part, NULL);
	*ret_is_done = result_is_ok(result);
	if (*ret_is_done || !engine_is_refusal(result.code))
		return result;
	op_go_back(op, place);
	struct str problem = op->ctx->problem.message;
	ctx_clear_problem(op->ctx);
	return migration_note_problem(op, cloud_migration_find(op->head, id), problem);
}

static RESULT stop(struct op *op, const struct cloud_migration *m, const struct cloud_migration_report *wish)
{
	const struct asker_work work = {wish->guard, "instance.stop", op->now_us};
	struct cloud_migration next = *m;
	bool is_done = false;
	TRY(try_part(op, m, &work, stop_instance, &is_done));
	if (!is_done)
		return OK;
	next.is_stopped = true;
	next.was_running |= wish->was_running;
	next.problem = STR_NONE;
	return migration_put_logged(op, &next, "The instance is asked to stop.");
}

void migration_note_late(struct op *op, struct cloud_migration *next)
{
	for (const struct cloud_migration_disk *d =
		     cloud_migration_disk_first_by_migration(op->head, next->row.id);
	     d; d = cloud_migration_disk_next_by_migration(op->head, d))
		if (!uuid_is_none(d->snapshot) && !d->target.n)
			next->asked_us = op->now_us;
}

/* Called only when the machine there was seen off, or does not exist. */
static RESULT restart(struct op *op, const struct cloud_migration *m,
		      const struct cloud_migration_report *wish)
{
	const struct asker_work work = {wish->guard, "instance.start", op->now_us};
	struct cloud_migration next = *m;
	bool is_done = false;
	if (m->stage != CLOUD_MIGRATION_STAGE_UNDOING)
		return OK;
	next.was_asked = false; /* nothing can run there any more, so the instance may be started */
	next.asked_us = 0;
	TRY(cloud_migration_put(op, &next));
	TRY(try_part(op, &next, &work, start_instance, &is_done));
	if (!is_done)
		return OK;
	next.is_stopped = false; /* from now on its power is its owner's concern */
	return migration_put_logged(op, &next, "The instance is asked to start.");
}

/* Keeps the ids of volumes that the machine is made with. */
static RESULT take_volumes(struct op *op, const struct cloud_migration *m,
			   const struct cloud_migration_report *wish)
{
	struct cloud_migration_disk *disks = NULL;
	size_t count = 0;
	TRY(migration_copy_disks(op, m->row.id, &disks, &count));
	for (size_t k = 0; k < count; k++)
		for (size_t n = 0; n < wish->point_count; n++)
			if (str_equal(wish->points[n].volume, disks[k].volume)) {
				disks[k].made = wish->points[n].snapshot;
				TRY(cloud_migration_disk_put(op, &disks[k]));
			}
	return OK;
}

/* The row says before the request that it is sent, so that after a crash an undo looks for the machine there. */
static RESULT ask(struct op *op, const struct cloud_migration *m, const struct cloud_migration_report *wish)
{
	struct cloud_migration next = *m;
	if (!is_off(op, m))
		return call_off(op, m, wish);
	TRY(take_volumes(op, m, wish));
	next.was_asked = true;
	next.asked_us = op->now_us;
	return migration_put_logged(op, &next, "The machine there is requested.");
}

static RESULT take_machine(struct op *op, const struct cloud_migration *m,
			   const struct cloud_migration_report *wish)
{
	struct cloud_migration next = *m;
	next.ref = wish->ref;
	next.problem = STR_NONE;
	if (m->stage == CLOUD_MIGRATION_STAGE_MAKING)
		next.stage = CLOUD_MIGRATION_STAGE_STARTING;
	return migration_put_logged(op, &next, "Machine %" STR_FMT " there.", STR_ARG(wish->ref));
}

RESULT migration_see_out(struct op *op, const struct cloud_migration *m,
			 const struct cloud_migration_report *wish)
{
	static struct result (*const takes[])(struct op *, const struct cloud_migration *,
					      const struct cloud_migration_report *) = {
		[MIGRATION_NEWS_CUT] = cut,          [MIGRATION_NEWS_FROZEN] = note_frozen,
		[MIGRATION_NEWS_RESUMED] = call_off, [MIGRATION_NEWS_STOPPING] = stop,
		[MIGRATION_NEWS_ASKED] = ask,        [MIGRATION_NEWS_MADE] = take_machine,
		[MIGRATION_NEWS_RESTART] = restart};
	bool is_known = (size_t) wish->news < sizeof takes / sizeof takes[0] && takes[wish->news];
	return is_known ? takes[wish->news](op, m, wish) : FAIL(INTERNAL);
}
