/* SPDX-License-Identifier: Apache-2.0
 * Licence meters: one for each included licence, and one without a price for each licence with the guest's
 * host. A conversion ends one meter and starts the other in the same change. */
#include <inttypes.h>

#include "engine/internal.h"
#include "engine/licence/licence_internal.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/ledger.h"
#include "store/remote_machine.h"

struct levels {
	struct level {
		struct str meter;
		int64_t level;
	} at[2 * LICENCES_MAX];
	size_t count;
};

static RESULT add(struct op *op, struct levels *l, struct str meter, int64_t level)
{
	if (!meter.p)
		return ctx_no_memory(op->ctx);
	l->at[l->count++] = (struct level){meter, level};
	return OK;
}

/* No meters while the guest is off. */
static RESULT read_levels(struct op *op, const struct instance *i, struct levels *ret_levels)
{
	struct arena *a = op->ctx->arena;
	char host[UUID_TEXT_SIZE];
	struct licence licence;
	ret_levels->count = 0;
	if (!i || i->seen_power != INSTANCE_SEEN_POWER_ON)
		return OK;
	for (size_t k = 0; k < i->licences.count && k < LICENCES_MAX; k++) {
		if (!licence_read(i->licences.at[k], &licence))
			continue;
		TRY(add(op, ret_levels,
			str_print(a, LICENCE_USE_PREFIX "%" STR_FMT ":%s", STR_ARG(i->licences.at[k]),
				  uuid_write(i->host, host)),
			i->vcpus));
		if (licence.source == LICENCE_INCLUDED)
			TRY(add(op, ret_levels,
				str_print(a, "licence:%" STR_FMT ":%s", STR_ARG(licence.product),
					  licence_band(i->vcpus)),
				i->vcpus));
	}
	return OK;
}

static int64_t find_level(const struct levels *l, struct str meter)
{
	for (size_t k = 0; k < l->count; k++)
		if (str_equal(l->at[k].meter, meter))
			return l->at[k].level;
	return 0;
}

struct owned {
	enum kind kind;
	uuid id, account;
};

/* Ends meters that are no longer there, and writes those whose level is another. */
static RESULT write_changes(struct op *op, const struct owned *o, const struct levels *was,
			    const struct levels *is)
{
	for (size_t k = 0; k < was->count; k++)
		if (!find_level(is, was->at[k].meter))
			TRY(op_usage(op, o->kind, o->id, o->account, was->at[k].meter, 0));
	for (size_t k = 0; k < is->count; k++)
		if (find_level(was, is->at[k].meter) != is->at[k].level)
			TRY(op_usage(op, o->kind, o->id, o->account, is->at[k].meter, is->at[k].level));
	return OK;
}

static RESULT follow_instance(struct op *op, const struct instance *before, const struct instance *after)
{
	static const struct levels none = {0};
	struct levels was, is;
	if (!(before && before->licences.count) && !(after && after->licences.count))
		return OK;
	TRY(read_levels(op, before, &was));
	TRY(read_levels(op, after, &is));
	const struct instance *i = after ? after : before;
	const struct owned now = {KIND_INSTANCE, i->row.id, i->account};
	if (!before || !after || uuid_equal(before->account, after->account))
		return write_changes(op, &now, &was, &is);
	TRY(write_changes(op, &(struct owned){KIND_INSTANCE, before->row.id, before->account}, &was, &none));
	return write_changes(op, &now, &none, &is);
}

/* A licence that the cloud includes is that cloud's to report. */
static RESULT read_levels_elsewhere(struct op *op, const struct remote_machine *m, struct levels *ret_levels)
{
	char host[UUID_TEXT_SIZE];
	struct licence licence;
	ret_levels->count = 0;
	if (!m || m->power != REMOTE_MACHINE_POWER_RUNNING)
		return OK;
	for (size_t k = 0; k < m->licences.count && k < LICENCES_MAX; k++)
		if (licence_read(m->licences.at[k], &licence) && licence.source != LICENCE_INCLUDED)
			TRY(add(op, ret_levels,
				str_print(op->ctx->arena, LICENCE_USE_PREFIX "%" STR_FMT ":%s",
					  STR_ARG(m->licences.at[k]), uuid_write(UUID_NONE, host)),
				m->vcpus > 0 ? m->vcpus : 1));
	return OK;
}

static RESULT follow_remote_machine(struct op *op, const struct remote_machine *before,
				    const struct remote_machine *after)
{
	struct levels was, is;
	const struct remote_machine *m = after ? after : before;
	TRY(read_levels_elsewhere(op, before, &was));
	TRY(read_levels_elsewhere(op, after, &is));
	return write_changes(op, &(struct owned){KIND_REMOTE_MACHINE, m->row.id, m->account}, &was, &is);
}

/* Records the host's size in the ledger, where it outlives the host. */
static RESULT follow_host(struct op *op, const struct host *before, const struct host *after)
{
	if (!after ||
	    (before && str_equal(before->name, after->name) && before->seen_cores == after->seen_cores &&
	     before->seen_sockets == after->seen_sockets))
		return OK;
	struct str text =
		str_print(op->ctx->arena, "\n{\"cores\":\"%" PRId64 "\",\"sockets\":\"%" PRId64 "\"}",
			  after->seen_cores, after->seen_sockets);
	if (!text.p)
		return ctx_no_memory(op->ctx);
	const struct ledger_record record = {
		.type = LEDGER_SUBJECT, .id = after->row.id, .name = after->name, .text = text};
	return op_ledger(op, &record);
}

RESULT licence_follow(struct op *op, enum kind kind, const struct row *before, const struct row *after)
{
	if (kind == KIND_INSTANCE)
		return follow_instance(op, before ? instance_of(before) : NULL,
				       after ? instance_of(after) : NULL);
	if (kind == KIND_REMOTE_MACHINE)
		return follow_remote_machine(op, before ? remote_machine_of(before) : NULL,
					     after ? remote_machine_of(after) : NULL);
	if (kind == KIND_HOST)
		return follow_host(op, before ? host_of(before) : NULL, after ? host_of(after) : NULL);
	return OK;
}
