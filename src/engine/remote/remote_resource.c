/* SPDX-License-Identifier: Apache-2.0
 * Resources of providers that are no machines: reports of listings. Called by: reconcile/remote/resources.c. */
#include "engine/remote/remote_resource.h"

#include "engine/condition_internal.h"
#include "engine/internal.h"
#include "engine/row_bytes.h"
#include "store/hooks.h"
#include "store/provider.h"
#include "store/remote_resource.h"

enum { NAME_SHOWN = 128, REASON_MAX = 240 };

/* ---- resources ---- */

static struct remote_resource take_seen(const struct remote_resource *row, const struct remote_resource *seen)
{
	struct remote_resource next = *seen;
	next.row = row->row;
	next.account = row->account;
	next.provider = row->provider;
	next.changed_us = row->changed_us;
	next.missed = 0;
	return next;
}

bool engine_remote_resource_differs(const struct remote_resource *row, const struct remote_resource *seen)
{
	const struct remote_resource next = take_seen(row, seen);
	return !row_equal(&model_kinds[KIND_REMOTE_RESOURCE], &row->row, &next.row);
}

static RESULT see_new(struct op *op, const struct provider *p, const struct remote_resource *seen,
		      bool is_first)
{
	struct remote_resource made = *seen;
	made.row.gen = 1;
	made.account = p->account;
	made.provider = p->row.id;
	made.changed_us = op->now_us;
	TRY(remote_resource_put(op, &made));
	return is_first ? OK
			: engine_log_event(op, KIND_REMOTE_RESOURCE, &made.row, "found",
					   "Found: %s %" STR_FMT " (%" STR_FMT ").",
					   remote_resource_type_words[made.type], STR_ARG(made.ref),
					   STR_ARG(str_cut(made.name, NAME_SHOWN)));
}

static RESULT see_one(struct op *op, const struct provider *p, const struct remote_resource *seen,
		      bool is_first)
{
	const struct remote_resource *row =
		remote_resource_find_by_provider(op->head, p->row.id, seen->type, seen->ref);
	if (row_bytes_is_full(op->head, p->account))
		return OK; /* engine_see_provider() says why */
	if (!row)
		return see_new(op, p, seen, is_first);
	if (!uuid_equal(row->row.id, seen->row.id))
		return OK; /* the same page listed it before: the first entry counts */
	struct remote_resource next = take_seen(row, seen);
	if (row_equal(&model_kinds[KIND_REMOTE_RESOURCE], &row->row, &next.row))
		return OK;
	struct str before = str_copy(op->ctx->arena, row->state);
	next.changed_us = op->now_us;
	TRY(remote_resource_put(op, &next));
	return str_equal(before, next.state) ? OK
					     : engine_log_event(op, KIND_REMOTE_RESOURCE, &next.row, "state",
								"It was %" STR_FMT " and is %" STR_FMT ".",
								STR_ARG(before), STR_ARG(next.state));
}

RESULT engine_see_remote_resources(struct op *op, struct remote_resources_report *wish)
{
	const struct provider *p = provider_find(op->head, wish->provider);
	if (!p || !row_is_live(&p->row))
		return OK;
	for (size_t k = 0; k < wish->count; k++)
		TRY(see_one(op, p, &wish->at[k], wish->is_first));
	return OK;
}

static RESULT miss_one(struct op *op, const struct remote_resource *r, bool is_final)
{
	struct remote_resource next = *r;
	next.missed = 1;
	if (!is_final && r->missed == 0)
		return remote_resource_put(op, &next);
	TRY(engine_log_event(op, KIND_REMOTE_RESOURCE, &r->row, "gone",
			     "%s %" STR_FMT " (%" STR_FMT ") is no longer listed.",
			     remote_resource_type_words[r->type], STR_ARG(r->ref),
			     STR_ARG(str_cut(r->name, NAME_SHOWN))));
	return remote_resource_forget(op, r->row.id);
}

RESULT engine_miss_remote_resources(struct op *op, struct remote_resources_loss *wish)
{
	for (size_t k = 0; k < wish->count; k++) {
		const struct remote_resource *r = remote_resource_find(op->head, wish->at[k]);
		if (r && uuid_equal(r->provider, wish->provider))
			TRY(miss_one(op, r, wish->is_final));
	}
	return OK;
}

/* ---- listings ---- */

static bool is_about(struct str line, const char *type)
{
	struct str word = str_from(type);
	return str_starts_with(line, word) && line.n > word.n && line.p[word.n] == ':';
}

/* The provider's list without the line of the type, and with a new one if there is a problem. */
static RESULT replace_line(struct op *op, const struct provider *p, const struct remote_listing_report *wish,
			   struct strs *ret_lines)
{
	const char *type = remote_resource_type_words[wish->type];
	struct str *lines = arena_new_array(op->ctx->arena, struct str, p->unlisted.count + 1);
	size_t count = 0;
	if (!lines)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < p->unlisted.count; k++)
		if (!is_about(p->unlisted.at[k], type))
			lines[count++] = p->unlisted.at[k];
	if (wish->problem.n)
		lines[count++] = str_print(op->ctx->arena, "%s: %" STR_FMT, type,
					   STR_ARG(str_cut(wish->problem, REASON_MAX)));
	*ret_lines = (struct strs){lines, count};
	return OK;
}

RESULT engine_see_remote_listing(struct op *op, struct remote_listing_report *wish)
{
	const struct provider *before = provider_find(op->head, wish->provider);
	if (!before || !row_is_live(&before->row) || before->row.gen != wish->gen)
		return OK;
	struct provider next = *before;
	TRY(replace_line(op, before, wish, &next.unlisted));
	if (row_equal(&model_kinds[KIND_PROVIDER], &before->row, &next.row))
		return OK;
	TRY(provider_put(op, &next));
	if (!next.unlisted.count)
		return condition_clear(op, next.row.id, STR(PROVIDER_LISTS_PARTLY));
	struct str message = str_print(op->ctx->arena, "Types of resources not listed: %zu. %" STR_FMT,
				       next.unlisted.count, STR_ARG(next.unlisted.at[0]));
	return condition_set(op, KIND_PROVIDER, next.row.id, PROVIDER_LISTS_PARTLY, message,
			     "Rows of those types stay as they were last seen. Grant the right to list them "
			     "there; if they are really gone, use `dari provider refresh --accept-loss`.");
}

/* ---- freshness ---- */

static const size_t figures[REMOTE_RESOURCE_TYPES] = {
	[REMOTE_RESOURCE_TYPE_IMAGE] = offsetof(struct provider_usage, image_us),
	[REMOTE_RESOURCE_TYPE_NETWORK] = offsetof(struct provider_usage, network_us),
	[REMOTE_RESOURCE_TYPE_SUBNET] = offsetof(struct provider_usage, subnet_us),
	[REMOTE_RESOURCE_TYPE_SECURITY_GROUP] = offsetof(struct provider_usage, security_group_us),
	[REMOTE_RESOURCE_TYPE_VOLUME] = offsetof(struct provider_usage, volume_us),
	[REMOTE_RESOURCE_TYPE_SNAPSHOT] = offsetof(struct provider_usage, snapshot_us),
	[REMOTE_RESOURCE_TYPE_INSTANCE_TYPE] = offsetof(struct provider_usage, instance_type_us),
	[REMOTE_RESOURCE_TYPE_KEY_PAIR] = offsetof(struct provider_usage, key_pair_us),
	[REMOTE_RESOURCE_TYPE_ADDRESS] = offsetof(struct provider_usage, address_us),
	[REMOTE_RESOURCE_TYPE_HOST] = offsetof(struct provider_usage, host_us),
	[REMOTE_RESOURCE_TYPE_CLUSTER] = offsetof(struct provider_usage, cluster_us),
	[REMOTE_RESOURCE_TYPE_DATASTORE] = offsetof(struct provider_usage, datastore_us),
	[REMOTE_RESOURCE_TYPE_STACK] = offsetof(struct provider_usage, stack_us),
	[REMOTE_RESOURCE_TYPE_STACK_RESOURCE] = offsetof(struct provider_usage, stack_resource_us)};

static int64_t *figure_of(const struct provider *p, enum remote_resource_type type)
{
	struct provider_usage *usage = provider_usage(p);
	return usage ? (int64_t *) (void *) ((char *) usage + figures[type]) : NULL;
}

int64_t engine_get_resource_refreshed_us(const struct provider *provider,
					 const struct remote_resource *resource)
{
	const int64_t *figure = figure_of(provider, resource->type);
	int64_t noted_us = figure ? __atomic_load_n(figure, __ATOMIC_RELAXED) : 0;
	return noted_us > resource->changed_us ? noted_us : resource->changed_us;
}

RESULT engine_note_type_refreshed(struct op *op, struct remote_type_refreshed *wish)
{
	const struct provider *p = provider_find(op->head, wish->provider);
	int64_t *figure = p ? figure_of(p, wish->type) : NULL;
	if (figure)
		__atomic_store_n(figure, wish->at_us, __ATOMIC_RELAXED);
	op_note_figures(op);
	return OK;
}
