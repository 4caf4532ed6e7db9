/* SPDX-License-Identifier: Apache-2.0
 * Refusals, next steps and estimates of migrations. Reads rows, changes none. */
#include "base/clock.h"
#include "engine/remote/migration_internal.h"
#include "store/cloud_migration_disk.h"
#include "store/instance_type.h"
#include "store/provider.h"
#include "store/subnet.h"

#define GIB (INT64_C(1) << 30)
#define DISK_MAX (16384 * GIB) /* the largest volume */
enum { BLOCK_SIZE = 512 * 1024, STOP_GUESS_S = 10, FREEZE_GUESS_S = 10 };

/* ---- doubts ---- */

RESULT migration_weigh_disk(struct weighing *w, const struct cloud_migration_disk *d)
{
	if (d->is_encrypted)
		REFUSE(w,
		       "disk %" STR_FMT ": the volume %" STR_FMT
		       " is encrypted, and reading encrypted snapshots is not built. Move its content to an "
		       "unencrypted volume first.",
		       STR_ARG(d->device), STR_ARG(d->volume));
	if (d->is_shared)
		REFUSE(w,
		       "disk %" STR_FMT ": several machines may use the volume %" STR_FMT
		       " (Multi-Attach). Detach it, or make it an ordinary volume.",
		       STR_ARG(d->device), STR_ARG(d->volume));
	if (d->size > DISK_MAX)
		REFUSE(w, "disk %" STR_FMT ": it has more than 16 TiB, the largest volume here. Split it.",
		       STR_ARG(d->device));
	return OK;
}

static RESULT weigh_machine(struct weighing *w, size_t disk_count)
{
	const struct cloud_migration *m = w->m;
	if (!disk_count)
		REFUSE(w,
		       "disks: the machine has no volumes. Only machines that boot from volumes are moved.");
	if (m->arch.n && !str_is(m->arch, "x86_64"))
		REFUSE(w,
		       "arch: %" STR_FMT " guests cannot run on hosts of x86_64. Install the machine anew.",
		       STR_ARG(m->arch));
	if (m->nics > 1)
		REFUSE(w,
		       "nics: the machine has %lld network interfaces, and only the primary one is moved. "
		       "Detach "
		       "the others.",
		       (long long) m->nics);
	if (m->has_local && !m->drops_local)
		REFUSE(w,
		       "has_local: the type %" STR_FMT
		       " has disks that no snapshot covers; their content would be "
		       "lost. Set drops_local to accept that.",
		       STR_ARG(m->source_type));
	if (m->scaling_group.n)
		REFUSE(w,
		       "scaling_group: the machine belongs to the group %" STR_FMT
		       ", which would replace it when it stops. Detach it from the group.",
		       STR_ARG(m->scaling_group));
	if (m->product_codes.count)
		REFUSE(w,
		       "product_codes: the machine runs a Marketplace product (%" STR_FMT
		       "), whose licence does not move. Replace it by one that may.",
		       STR_ARG(m->product_codes.at[0]));
	return OK;
}

/* Facts that only the cloud's driver understands. */
static RESULT weigh_source(struct weighing *w)
{
	for (size_t k = 0; k < w->m->source_refusals.count; k++)
		REFUSE(w, "%" STR_FMT, STR_ARG(w->m->source_refusals.at[k]));
	for (size_t k = 0; k < w->m->source_warnings.count; k++)
		WARN(w, "%" STR_FMT, STR_ARG(w->m->source_warnings.at[k]));
	return OK;
}

static RESULT weigh_type(struct weighing *w)
{
	const struct cloud_migration *m = w->m;
	const struct instance_type *type = instance_type_find(w->tables, m->type);
	if (!type || !type->enabled)
		REFUSE(w,
		       "type: no instance type here has %lld processors and %lld MiB of memory. Create one, "
		       "or set "
		       "type.",
		       (long long) m->vcpus, (long long) (m->memory >> 20));
	else if (type->vcpus < m->vcpus || type->memory < m->memory)
		WARN(w, "type: %" STR_FMT " is smaller than %" STR_FMT ".", STR_ARG(type->name),
		     STR_ARG(m->source_type));
	return OK;
}

static RESULT weigh_network(struct weighing *w)
{
	const struct cloud_migration *m = w->m;
	const struct subnet *subnet = subnet_find(w->tables, m->subnet);
	struct ip ip;
	if (!uuid_is_none(m->subnet) && (!subnet || !row_is_live(&subnet->row)))
		REFUSE(w, "subnet: it has been deleted. Set another one.");
	bool holds = subnet && result_is_ok(ip_parse(m->source_ip, &ip)) && cidr_contains(subnet->block, ip);
	if (m->keeps_ip && !holds)
		REFUSE(w,
		       "keeps_ip: the subnet does not contain the address %" STR_FMT
		       ". Set a subnet that does, or do not keep the address.",
		       STR_ARG(m->source_ip));
	if (!m->keeps_ip && !m->source_ip.n)
		WARN(w,
		     "keeps_ip: the machine's private address is not known. The instance gets a free one.");
	else if (!m->keeps_ip)
		WARN(w, "keeps_ip: the private address changes; it is %" STR_FMT " there.",
		     STR_ARG(m->source_ip));
	return OK;
}

static RESULT weigh_mapping(struct weighing *w)
{
	const struct cloud_migration *m = w->m;
	if (m->copies_whole)
		WARN(w, "copies_whole: the cloud gives no changed blocks. The whole disks are downloaded "
			"twice: while "
			"the machine runs, and again during the cutover.");
	if (!m->groups.count)
		WARN(w, "groups: security groups are not copied. The instance gets the default group unless "
			"groups "
			"are set.");
	if (m->lacks_virtio)
		WARN(w, "lacks_virtio: the guest is not converted. The instance gets SATA disks and an "
			"e1000e interface. If "
			"the guest has the drivers of virtio, set lacks_virtio to no.");
	if (m->source_key.n && uuid_is_none(m->key_pair))
		WARN(w,
		     "key_pair: there is no key pair %" STR_FMT
		     " here. The keys on the disk stay as they are.",
		     STR_ARG(m->source_key));
	return OK;
}

static RESULT weigh_rights(struct weighing *w)
{
	static const char *const needed[] = {"ec2:StopInstances",
					     "ec2:StartInstances",
					     "role:member",
					     "VirtualMachine.Interact.PowerOn",
					     "VirtualMachine.Interact.PowerOff",
					     "Microsoft.Compute/virtualMachines/start/action",
					     "Microsoft.Compute/virtualMachines/deallocate/action"};
	const struct provider *p = provider_find(w->tables, w->m->provider);
	if (!p || !row_is_live(&p->row)) {
		REFUSE(w, "provider: it has been removed. Add it again.");
		return OK;
	}
	for (size_t k = 0; k < p->lacks.count; k++)
		for (size_t n = 0; n < sizeof needed / sizeof needed[0]; n++)
			if (str_is(p->lacks.at[k], needed[n]))
				REFUSE(w, "rights: the provider's credentials lack %s. Grant it.", needed[n]);
	return OK;
}

RESULT engine_weigh_migration(struct ctx *c, const struct tables *t, const struct cloud_migration *m,
			      const struct cloud_migration_disk *disks, size_t disk_count,
			      struct migration_doubts *ret_doubts)
{
	struct weighing w = {.c = c, .tables = t, .m = m};
	if (migration_is_out(m)) {
		TRY(migration_weigh_out(&w, disks, disk_count));
		*ret_doubts = (struct migration_doubts){{w.refusals.at, w.refusals.count},
							{w.warnings.at, w.warnings.count}};
		return OK;
	}
	TRY(weigh_machine(&w, disk_count));
	TRY(weigh_source(&w));
	for (size_t k = 0; k < disk_count; k++)
		TRY(migration_weigh_disk(&w, &disks[k]));
	TRY(weigh_type(&w));
	TRY(weigh_network(&w));
	TRY(weigh_mapping(&w));
	TRY(weigh_rights(&w));
	*ret_doubts = (struct migration_doubts){{w.refusals.at, w.refusals.count},
						{w.warnings.at, w.warnings.count}};
	return OK;
}

/* ---- what is next ---- */

bool engine_migration_has_ended(const struct cloud_migration *m)
{
	return m->ended_us != 0;
}

/* A round follows at once while rounds are large and get smaller, or if the cutover is wanted: then the last round has
 * less to copy. Rounds of whole disks do not get smaller: only the cutover begins another. */
static int64_t next_round_us(const struct cloud_migration *m)
{
	if (m->copies_whole)
		return INT64_MAX;
	bool is_at_once = m->delta > MIGRATION_SMALL_DELTA && m->round < MIGRATION_ROUNDS_AT_ONCE;
	return is_at_once ? m->copied_us : m->copied_us + m->round_s * SECOND;
}

enum migration_turn engine_find_migration_turn(const struct cloud_migration *m, int64_t *ret_due_us)
{
	*ret_due_us = 0;
	switch (m->stage) {
	case CLOUD_MIGRATION_STAGE_PLANNING:
		return MIGRATION_TURN_LOOK;
	case CLOUD_MIGRATION_STAGE_FREEZING:
		return MIGRATION_TURN_FREEZE;
	case CLOUD_MIGRATION_STAGE_COPYING:
		return MIGRATION_TURN_COPY;
	case CLOUD_MIGRATION_STAGE_SYNCED:
		*ret_due_us = next_round_us(m);
		return MIGRATION_TURN_ROUND;
	case CLOUD_MIGRATION_STAGE_STOPPING:
		return MIGRATION_TURN_STOP;
	case CLOUD_MIGRATION_STAGE_MAKING:
		return MIGRATION_TURN_MAKE;
	case CLOUD_MIGRATION_STAGE_STARTING:
		return MIGRATION_TURN_WATCH;
	case CLOUD_MIGRATION_STAGE_UNDOING:
		return MIGRATION_TURN_UNDO;
	case CLOUD_MIGRATION_STAGE_DONE:
		return m->ended_us ? MIGRATION_TURN_NONE : MIGRATION_TURN_THAW;
	case CLOUD_MIGRATION_STAGE_PLANNED:
	case CLOUD_MIGRATION_STAGE_UNDONE:
	case CLOUD_MIGRATION_STAGE_FAILED:
		return MIGRATION_TURN_NONE;
	}
	return MIGRATION_TURN_NONE;
}

/* ---- what to expect ---- */

static int64_t seconds_of(int64_t bytes, int64_t rate)
{
	return rate > 0 ? (bytes + rate - 1) / rate : 0;
}

struct migration_estimate engine_estimate_migration(const struct tables *t, const struct cloud_migration *m)
{
	struct migration_estimate e = {.is_measured = m->rate > 0};
	int64_t rate = e.is_measured ? m->rate : MIGRATION_RATE_GUESS, ahead = 0;
	bool is_copying = m->stage == CLOUD_MIGRATION_STAGE_COPYING;
	for (const struct cloud_migration_disk *d = cloud_migration_disk_first_by_migration(t, m->row.id); d;
	     d = cloud_migration_disk_next_by_migration(t, d)) {
		int64_t at = d->is_copied ? d->size : d->next_block * BLOCK_SIZE;
		e.size += d->size;
		ahead += at < d->size ? d->size - at : 0;
	}
	if (m->copied_us)
		e.left_bytes = is_copying && m->delta < ahead ? m->delta : is_copying ? ahead : m->delta;
	else
		e.left_bytes = is_copying ? ahead : e.size;
	e.left_s = seconds_of(e.left_bytes, rate);
	e.downtime_s = STOP_GUESS_S + (m->copied_us ? m->freeze_s : FREEZE_GUESS_S) +
		       seconds_of(m->copied_us ? m->delta : e.size, rate) +
		       seconds_of(e.size, MIGRATION_RATE_GUESS * 20LL) + MIGRATION_BOOT_GUESS_S;
	return e;
}
