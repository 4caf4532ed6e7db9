/* SPDX-License-Identifier: Apache-2.0
 * Reports about migrations. Called by: reconcile/remote/migration.c, migration_disk.c. */
#include "engine/condition_internal.h"
#include "engine/instance/instance.h"
#include "engine/remote/migration_internal.h"
#include "engine/storage/image/image.h"
#include "engine/storage/snapshot/snapshot_internal.h"
#include "engine/tag.h"
#include "model/states.h"
#include "store/account.h"
#include "store/image.h"
#include "store/image_device.h"
#include "store/instance_type.h"
#include "store/snapshot.h"

#define GIB (INT64_C(1) << 30)
#define PERMISSION "instance.create"

static const struct cloud_migration *find(struct op *op, uuid id, uint64_t gen)
{
	const struct cloud_migration *m = cloud_migration_find(op->head, id);
	return m && m->row.gen == gen ? m : NULL;
}

/* ---- the plan ---- */

static RESULT fail_plan(struct op *op, const struct cloud_migration *m, struct str problem)
{
	struct cloud_migration next = *m;
	next.stage = CLOUD_MIGRATION_STAGE_FAILED;
	next.problem = str_cut(problem, MIGRATION_PROBLEM_MAX);
	next.ended_us = op->now_us;
	return migration_put_logged(op, &next, "%" STR_FMT, STR_ARG(next.problem));
}

static void take_facts(struct cloud_migration *next, const struct cloud_migration *seen)
{
	next->name = seen->name;
	next->source_type = seen->source_type;
	next->vcpus = seen->vcpus;
	next->memory = seen->memory;
	next->arch = seen->arch;
	next->boot_mode = seen->boot_mode;
	next->root_device = seen->root_device;
	next->source_subnet = seen->source_subnet;
	next->source_ip = seen->source_ip;
	next->source_groups = seen->source_groups;
	next->source_key = seen->source_key;
	next->source_tags = seen->source_tags;
	next->nics = seen->nics;
	next->has_local = seen->has_local;
	next->scaling_group = seen->scaling_group;
	next->product_codes = seen->product_codes;
	next->copies_whole = seen->copies_whole;
	next->lacks_virtio = seen->lacks_virtio;
	next->source_refusals = seen->source_refusals;
	next->source_warnings = seen->source_warnings;
}

static RESULT put_disks(struct op *op, const struct cloud_migration *m,
			const struct migration_plan_report *wish)
{
	for (size_t k = 0; k < wish->disk_count; k++) {
		struct cloud_migration_disk disk = wish->disks[k];
		disk.row.id = engine_new_id(op, KIND_CLOUD_MIGRATION_DISK);
		disk.row.gen = 1;
		disk.account = m->account;
		disk.migration = m->row.id;
		TRY(cloud_migration_disk_put(op, &disk));
	}
	return OK;
}

/* Rights that a description found missing cannot be weighed from rows, and are added once. */
static RESULT add_lacks(struct op *op, const struct strs lacks, struct cloud_migration *next)
{
	size_t count = next->refusals.count;
	struct str *all = arena_new_array(op->ctx->arena, struct str, count + lacks.count + 1);
	if (!all)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < count; k++)
		all[k] = next->refusals.at[k];
	for (size_t k = 0; k < lacks.count; k++)
		all[count++] = str_print(op->ctx->arena,
					 "rights: the provider's credentials lack %" STR_FMT
					 ". Grant it, and plan again.",
					 STR_ARG(lacks.at[k]));
	next->refusals = (struct strs){all, count};
	return OK;
}

RESULT engine_see_migration_plan(struct op *op, struct migration_plan_report *wish)
{
	const struct cloud_migration *m = find(op, wish->migration, wish->gen);
	if (!m || m->stage != CLOUD_MIGRATION_STAGE_PLANNING)
		return OK;
	if (wish->problem.n)
		return fail_plan(op, m, wish->problem);
	struct cloud_migration next = *m;
	if (migration_is_out(m)) { /* rows had the facts when it was planned */
		migration_choose_out(op, &next);
	} else {
		take_facts(&next, wish->seen);
		TRY(put_disks(op, m, wish));
		migration_choose(op, &next);
	}
	next.row.gen++; /* the choice is the plan's first version */
	TRY(migration_weigh(op, &next));
	if (wish->lacks.count) {
		TRY(add_lacks(op, wish->lacks, &next));
		next.problem = STR_NONE;
		next.stage = CLOUD_MIGRATION_STAGE_FAILED;
		next.ended_us = op->now_us;
		next.problem = next.refusals.at[next.refusals.count - 1];
		return migration_put_logged(op, &next, "%" STR_FMT, STR_ARG(next.problem));
	}
	next.stage = CLOUD_MIGRATION_STAGE_PLANNED;
	next.problem = STR_NONE;
	struct cloud_migration_disk *disks = NULL;
	size_t count = 0;
	TRY(migration_copy_disks(op, m->row.id, &disks, &count));
	return migration_put_logged(op, &next, "%zu disks, %zu refusals.", count, next.refusals.count);
}

/* ---- rounds ---- */

static RESULT begin_round(struct op *op, struct cloud_migration *next)
{
	next->stage = CLOUD_MIGRATION_STAGE_FREEZING;
	next->round++;
	next->round_us = op->now_us;
	next->is_frozen = false;
	next->problem = STR_NONE;
	return migration_put_logged(op, next,
				    next->is_final ? "Round %lld, of the stopped machine." : "Round %lld.",
				    (long long) next->round);
}

static const struct migration_point *find_point(const struct cloud_migration_report *wish, struct str volume)
{
	for (size_t k = 0; k < wish->point_count; k++)
		if (str_equal(wish->points[k].volume, volume))
			return &wish->points[k];
	return NULL;
}

static RESULT take_points(struct op *op, const struct cloud_migration *m,
			  const struct cloud_migration_report *wish)
{
	struct cloud_migration_disk *disks = NULL;
	size_t count = 0;
	TRY(migration_copy_disks(op, m->row.id, &disks, &count));
	for (size_t k = 0; k < count; k++) {
		struct cloud_migration_disk next = disks[k];
		const struct migration_point *point = find_point(wish, next.volume);
		if (!point || wish->point_count != count)
			return migration_undo(
				op, m,
				STR("The machine has other disks than when it was planned. Undo it, "
				    "and plan again."));
		next.target = point->snapshot;
		next.is_copied = false;
		next.next_block = 0;
		next.round_bytes = 0;
		TRY(cloud_migration_disk_put(op, &next));
	}
	struct cloud_migration next = *m;
	next.is_frozen = true;
	next.problem = STR_NONE;
	next.freeze_s = (op->now_us - m->round_us) / SECOND;
	next.stage = CLOUD_MIGRATION_STAGE_COPYING;
	return migration_put_logged(op, &next, "Round %lld.", (long long) next.round);
}

/* ---- the launch ---- */

static enum image_boot_mode boot_mode_of(const struct cloud_migration *m)
{
	return str_is(m->boot_mode, "uefi") ? IMAGE_BOOT_MODE_UEFI : IMAGE_BOOT_MODE_LEGACY_BIOS;
}

static RESULT register_image(struct op *op, const struct cloud_migration *m,
			     const struct cloud_migration_disk *disks, size_t count, uuid *ret_image)
{
	struct disk_wish *wishes = arena_new_array(op->ctx->arena, struct disk_wish, count);
	if (!wishes)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < count; k++)
		wishes[k] = (struct disk_wish){.device = disks[k].device,
					       .snapshot = ref_by_id(KIND_SNAPSHOT, disks[k].snapshot),
					       .size = (disks[k].size + GIB - 1) / GIB * GIB,
					       .delete_on_termination =
						       disks[k].goes_along ? CHOICE_YES : CHOICE_NO};
	struct image_wish wish = {
		.name = str_print(op->ctx->arena, "migrated-%" STR_FMT, STR_ARG(m->ref)),
		.description = str_print(op->ctx->arena, "Migration of %" STR_FMT, STR_ARG(m->ref)),
		.may_share_name = true,
		.boot_mode = boot_mode_of(m),
		.ena_support = true,
		.disk_bus = m->lacks_virtio ? IMAGE_DISK_BUS_SATA : IMAGE_DISK_BUS_VIRTIO,
		.nic_model = m->lacks_virtio ? IMAGE_NIC_MODEL_E1000E : IMAGE_NIC_MODEL_VIRTIO,
		.root_device = disks[0].device,
		.disks = wishes,
		.disk_count = count};
	TRY(engine_register_image(op, &wish));
	*ret_image = wish.image;
	return OK;
}

static bool has_tag(const struct tag *tags, size_t count, struct str key)
{
	for (size_t k = 0; k < count; k++)
		if (str_equal(tags[k].key, key))
			return true;
	return false;
}

/* Tags of services and of this region are not the account's to set. Those that do not fit here are left out: a refusal would
 * come when the machine has stopped. */
static RESULT take_tags(struct op *op, const struct cloud_migration *m, struct tags *ret_tags)
{
	struct tag *tags = arena_new_array(op->ctx->arena, struct tag, TAG_COUNT_MAX);
	size_t count = 0;
	if (!tags)
		return ctx_no_memory(op->ctx);
	tags[count++] = (struct tag){STR("Name"), m->name};
	for (size_t k = 0; k < m->source_tags.count && count < TAG_COUNT_MAX; k++) {
		struct tag tag = m->source_tags.at[k];
		if (str_starts_with(tag.key, STR("dari:")))
			continue;
		if (str_starts_with(tag.key, STR("aws:")))
			tag.key = str_print(op->ctx->arena, "src:%" STR_FMT, STR_ARG(tag.key));
		if (tag.key.n <= TAG_KEY_MAX && !has_tag(tags, count, tag.key))
			tags[count++] = tag;
	}
	*ret_tags = (struct tags){tags, count};
	return OK;
}

static RESULT launch(struct op *op, const struct cloud_migration *m, uuid image, uuid *ret_instance)
{
	const struct instance_type *type = instance_type_find(op->head, m->type);
	struct ref *groups = arena_new_array(op->ctx->arena, struct ref, m->groups.count + 1);
	struct launch_port port = {.subnet = uuid_is_none(m->subnet) ? (struct ref){0}
								     : ref_by_id(KIND_SUBNET, m->subnet)};
	if (!groups)
		return ctx_no_memory(op->ctx);
	if (!type)
		return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_INSTANCE_TYPE,
				     "The migration's instance type has been deleted.");
	for (size_t k = 0; k < m->groups.count; k++)
		groups[k] = ref_by_id(KIND_SECURITY_GROUP, m->groups.at[k]);
	port.groups = (struct refs){groups, m->groups.count};
	if (m->keeps_ip)
		TRY(ip_parse(m->source_ip, &port.ips.primary));
	struct instance_launch wish = {.image = ref_by_id(KIND_IMAGE, image),
				       .type = ref_by_id(KIND_INSTANCE_TYPE, type->row.id),
				       .min_count = 1,
				       .max_count = 1,
				       .name = m->name,
				       .key_pair = uuid_is_none(m->key_pair)
							   ? (struct ref){0}
							   : ref_by_id(KIND_KEY_PAIR, m->key_pair),
				       .ports = &port,
				       .port_count = 1};
	TRY(take_tags(op, m, &wish.instance_tags));
	TRY(engine_create_instances(op, &wish));
	*ret_instance = wish.made.at[0];
	return OK;
}

struct launched {
	uuid image, instance;
};

static RESULT register_and_launch(struct op *op, const struct cloud_migration *m, void *arg)
{
	struct launched *made = arg;
	struct cloud_migration_disk *disks = NULL;
	size_t count = 0;
	TRY(migration_copy_disks(op, m->row.id, &disks, &count));
	TRY(register_image(op, m, disks, count, &made->image));
	return launch(op, m, made->image, &made->instance);
}

/* The operator's work is the system's, which has no account: the operator acts for the migration's. */
static RESULT act_as_operator(struct op *op, const struct cloud_migration *m, migration_part part, void *arg)
{
	const struct account *account = account_find(op->head, m->account);
	const struct identity who = {.scope = IDENTITY_ACCOUNT,
				     .account = m->account,
				     .domain = account ? account->domain : UUID_NONE,
				     .account_number = account ? account->number : STR_NONE,
				     .is_operator = true};
	engine_act_by_roles(op->ctx, &who);
	return part(op, m, arg);
}

static RESULT act_as_user(struct op *op, const struct cloud_migration *m, const struct asker_work *work,
			  migration_part part, void *arg)
{
	const struct asker asker = ASKER_OF(m);
	TRY(asker_act(op->ctx, op->head, &asker, work));
	TRY(part(op, m, arg));
	return work->guard ? work->guard->check_made(op) : OK;
}

RESULT migration_act_as_asker(struct op *op, const struct cloud_migration *m, const struct asker_work *work,
			      migration_part part, void *arg)
{
	const struct identity *who = op->ctx->who;
	struct guard *guard = op->ctx->guard;
	bool is_operators = uuid_is_none(m->made_by) && uuid_is_none(m->made_with);
	struct result result =
		is_operators ? act_as_operator(op, m, part, arg) : act_as_user(op, m, work, part, arg);
	op->ctx->who = who;
	op->ctx->guard = guard;
	return result;
}

RESULT migration_note_problem(struct op *op, const struct cloud_migration *m, struct str problem)
{
	struct cloud_migration next = *m;
	next.problem = str_cut(problem, MIGRATION_PROBLEM_MAX);
	if (str_equal(next.problem, m->problem) || m->has_failed)
		return OK;
	TRY(cloud_migration_put(op, &next));
	return problem.n ? engine_log_event(op, KIND_CLOUD_MIGRATION, &next.row, "problem", "%" STR_FMT,
					    STR_ARG(next.problem))
			 : OK;
}

/* Room that is missing is waited for; any other refusal ends the migration, and the machine is started again. */
static RESULT make(struct op *op, const struct cloud_migration *m, const struct cloud_migration_report *wish)
{
	struct op_place place = op_place_now(op);
	struct cloud_migration next = *m;
	const struct asker_work work = {wish->guard, PERMISSION, op->now_us};
	struct launched made = {0};
	/* registers the image and launches the instance */
	struct result result = migration_act_as_asker(op, m, &work, register_and_launch, &made);
	if (result_is_ok(result)) {
		next.image = made.image;
		next.instance = made.instance;
		next.stage = CLOUD_MIGRATION_STAGE_STARTING;
		next.problem = STR_NONE;
		return migration_put_logged(op, &next, "Instance %" STR_FMT ".",
					    STR_ARG(engine_write_id(op, KIND_INSTANCE, next.instance)));
	}
	if (!engine_is_refusal(result.code))
		return result;
	op_go_back(op, place);
	struct str problem = op->ctx->problem.message;
	ctx_clear_problem(op->ctx);
	m = cloud_migration_find(op->head, wish->migration);
	bool waits = result.code == ERR_CAPACITY || result.code == ERR_QUOTA;
	return waits ? migration_note_problem(op, m, problem) : migration_undo(op, m, problem);
}

/* ---- ends ---- */

/* Snapshots here that nothing uses go with an undone migration. */
static RESULT drop_snapshots(struct op *op, const struct cloud_migration *m)
{
	struct cloud_migration_disk *disks = NULL;
	size_t count = 0;
	TRY(migration_copy_disks(op, m->row.id, &disks, &count));
	for (size_t k = 0; k < count; k++) {
		const struct snapshot *s = snapshot_find(op->head, disks[k].snapshot);
		if (s && row_is_live(&s->row) && !image_device_first_by_snapshot(op->head, s->row.id))
			TRY(snapshot_delete_metered(op, s));
		struct cloud_migration_disk next = disks[k];
		next.target = next.base = STR_NONE;
		TRY(cloud_migration_disk_put(op, &next));
	}
	return OK;
}

static RESULT drop_image(struct op *op, const struct cloud_migration *m)
{
	const struct image *image = image_find(op->head, m->image);
	struct image_target target = {.image = ref_by_id(KIND_IMAGE, m->image)};
	return image && row_is_live(&image->row) ? engine_delete_image(op, &target) : OK;
}

static RESULT end(struct op *op, const struct cloud_migration *m, struct str note)
{
	struct cloud_migration next = *m;
	if (m->stage == CLOUD_MIGRATION_STAGE_UNDOING) {
		if (!m->has_run && !migration_is_out(m)) {
			TRY(drop_image(op, m));
			TRY(drop_snapshots(op, m));
		}
		next.stage = m->has_failed ? CLOUD_MIGRATION_STAGE_FAILED : CLOUD_MIGRATION_STAGE_UNDONE;
		if (!m->has_failed)
			next.problem = note;
	}
	if (migration_is_out(m))
		TRY(migration_drop_cuts(op, m));
	next.ended_us = op->now_us;
	return next.problem.n
		       ? migration_put_logged(op, &next, "It has ended. %" STR_FMT, STR_ARG(next.problem))
		       : migration_put_logged(op, &next, "It has ended.");
}

/* ---- news ---- */

/* The blocks of all snapshots are complete: the reconciler makes their files. */
static RESULT complete_snapshots(struct op *op, const struct cloud_migration *m)
{
	for (const struct cloud_migration_disk *d =
		     cloud_migration_disk_first_by_migration(op->head, m->row.id);
	     d; d = cloud_migration_disk_next_by_migration(op->head, d)) {
		const struct snapshot *s = snapshot_find(op->head, d->snapshot);
		if (!s)
			continue;
		struct snapshot next = *s;
		next.blocks_are_complete = true;
		next.row.gen++;
		TRY(snapshot_put(op, &next));
	}
	return OK;
}

static RESULT note_stopped(struct op *op, const struct cloud_migration *m)
{
	struct cloud_migration next = *m;
	next.is_final = true;
	next.stopped_us = op->now_us;
	return begin_round(op, &next);
}

static RESULT note_stopping(struct op *op, const struct cloud_migration *m, bool was_running)
{
	struct cloud_migration next = *m;
	next.is_stopped = true;
	next.was_running |= was_running;
	return migration_put_logged(op, &next, "The machine is asked to stop.");
}

/* The copy lacks what the machine writes now. */
static RESULT note_resumed(struct op *op, const struct cloud_migration *m)
{
	struct cloud_migration next = *m;
	next.stage = CLOUD_MIGRATION_STAGE_SYNCED;
	next.is_final = next.is_stopped = next.was_running = false;
	next.cutover_us = next.stopped_us = 0;
	next.row.gen++;
	next.problem =
		STR("Somebody has started the machine during the cutover, which is off. Copying goes on; "
		    "request the cutover again.");
	return migration_put_logged(op, &next, "%" STR_FMT, STR_ARG(next.problem));
}

static RESULT note_running(struct op *op, const struct cloud_migration *m)
{
	struct cloud_migration next = *m;
	next.has_run = true;
	next.running_us = op->now_us;
	next.stage = CLOUD_MIGRATION_STAGE_DONE;
	next.problem = STR_NONE;
	return migration_put_logged(op, &next,
				    migration_is_out(m)
					    ? "The machine runs there, %lld s after the instance was stopped."
					    : "The instance runs, %lld s after the machine was stopped.",
				    (long long) ((op->now_us - m->stopped_us) / SECOND));
}

/* News whose effect depends on the direction. */
static bool is_of_way_out(enum migration_news news)
{
	return news == MIGRATION_NEWS_FROZEN || news == MIGRATION_NEWS_STOPPING ||
	       news == MIGRATION_NEWS_RESUMED || news >= MIGRATION_NEWS_CUT;
}

RESULT engine_see_cloud_migration(struct op *op, struct cloud_migration_report *wish)
{
	const struct cloud_migration *m = find(op, wish->migration, wish->gen);
	if (!m || m->stage != wish->stage || m->round != wish->round)
		return OK;
	struct cloud_migration next = *m;
	if (migration_is_out(m) && is_of_way_out(wish->news))
		return migration_see_out(op, m, wish);
	switch (wish->news) {
	case MIGRATION_NEWS_PROBLEM:
		return migration_note_problem(op, m, wish->problem);
	case MIGRATION_NEWS_FROZEN:
		return take_points(op, m, wish);
	case MIGRATION_NEWS_ROUND:
		return begin_round(op, &next);
	case MIGRATION_NEWS_STOPPING:
		return note_stopping(op, m, wish->was_running);
	case MIGRATION_NEWS_STOPPED:
		return note_stopped(op, m);
	case MIGRATION_NEWS_RESUMED:
		return note_resumed(op, m);
	case MIGRATION_NEWS_COMPLETE:
		return complete_snapshots(op, m);
	case MIGRATION_NEWS_LAUNCH:
		return make(op, m, wish);
	case MIGRATION_NEWS_RUNNING:
		return note_running(op, m);
	case MIGRATION_NEWS_THAWED:
		return end(op, m, wish->problem);
	case MIGRATION_NEWS_CUT:
	case MIGRATION_NEWS_ASKED:
	case MIGRATION_NEWS_MADE:
	case MIGRATION_NEWS_RESTART:
		return FAIL(INTERNAL);
	case MIGRATION_NEWS_FAILED:
		return migration_undo(op, m, wish->problem.n ? wish->problem : STR("It failed."));
	}
	return FAIL(INTERNAL);
}

/* ---- disks ---- */

static bool are_all_copied(struct op *op, uuid migration, int64_t *ret_bytes)
{
	*ret_bytes = 0;
	for (const struct cloud_migration_disk *d =
		     cloud_migration_disk_first_by_migration(op->head, migration);
	     d; d = cloud_migration_disk_next_by_migration(op->head, d)) {
		if (!d->is_copied)
			return false;
		*ret_bytes += d->round_bytes;
	}
	return true;
}

static RESULT end_round(struct op *op, const struct cloud_migration *m, int64_t bytes)
{
	struct cloud_migration next = *m;
	int64_t took_us = op->now_us - m->round_us - m->freeze_s * SECOND;
	next.delta = bytes;
	next.copied_us = op->now_us;
	if (bytes > 0 && took_us > 0)
		next.rate = (int64_t) ((double) bytes * (double) SECOND / (double) took_us);
	next.problem = STR_NONE;
	next.stage = m->is_final     ? CLOUD_MIGRATION_STAGE_MAKING
		     : m->cutover_us ? CLOUD_MIGRATION_STAGE_STOPPING
				     : CLOUD_MIGRATION_STAGE_SYNCED;
	return migration_put_logged(op, &next, "Round %lld copied %lld bytes.", (long long) m->round,
				    (long long) bytes);
}

static void take_progress(int64_t now_us, const struct migration_disk_report *wish,
			  struct cloud_migration_disk *next)
{
	next->problem = str_cut(wish->problem, MIGRATION_PROBLEM_MAX);
	next->round_bytes += wish->bytes;
	next->done_bytes += wish->bytes;
	next->next_block = wish->next_block;
	next->blocks += wish->blocks;
	if (wish->begun.n) {
		next->target = wish->begun;
		next->blocks = next->next_block = 0;
	}
	if (wish->is_sealed && !next->is_sealed) {
		next->is_sealed = true;
		next->sealed_us = now_us;
	}
	if (wish->is_reset) {
		next->base = STR_NONE;
		next->next_block = next->blocks = 0;
		next->is_sealed = false;
		next->resets++;
	}
	if (wish->is_copied) {
		next->is_copied = true;
		next->base = next->target;
	}
}

RESULT engine_see_cloud_migration_disk(struct op *op, struct migration_disk_report *wish)
{
	const struct cloud_migration_disk *disk = cloud_migration_disk_find(op->head, wish->disk);
	const struct cloud_migration *m = disk ? cloud_migration_find(op->head, disk->migration) : NULL;
	int64_t bytes = 0;
	if (!m || m->stage != CLOUD_MIGRATION_STAGE_COPYING || disk->is_copied ||
	    !str_equal(disk->target, wish->target))
		return OK;
	if (wish->failure.n)
		return migration_undo(op, m, wish->failure);
	struct cloud_migration_disk next = *disk;
	take_progress(op->now_us, wish, &next);
	if (migration_is_out(m)) {
		if (wish->is_reset)
			next.target = STR_NONE;
		if (next.resets > MIGRATION_RESETS_MAX)
			return migration_undo(op, m, wish->problem);
		if (wish->is_copied)
			TRY(migration_end_copy_out(op, &next));
	}
	TRY(cloud_migration_disk_put(op, &next));
	if (wish->is_lost) {
		struct cloud_migration again = *m;
		return begin_round(op, &again);
	}
	return are_all_copied(op, m->row.id, &bytes) ? end_round(op, m, bytes) : OK;
}
