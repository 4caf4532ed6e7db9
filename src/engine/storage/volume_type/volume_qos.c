/* SPDX-License-Identifier: Apache-2.0
 * QoS specs. reconcile/instance/instance.c applies the limits to the guests' disks. */
#include "engine/storage/volume_type/volume_qos.h"

#include "engine/internal.h"
#include "engine/tag_internal.h"
#include "store/volume.h"
#include "store/volume_qos.h"
#include "store/volume_type.h"

static RESULT read_consumer(struct op *op, struct str word, enum volume_qos_consumer *consumer)
{
	for (int n = 0; volume_qos_consumer_words[n]; n++)
		if (str_is(word, volume_qos_consumer_words[n])) {
			*consumer = (enum volume_qos_consumer) n;
			return OK;
		}
	return word.n ? ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME_QOS, STR("consumer"),
				    "Valid consumer of QoS specs are: front-end, back-end, both.")
		      : OK;
}

/* Makes the reconciler check the attached volumes of the type again. */
static RESULT touch_volumes(struct op *op, struct str type)
{
	for (const struct volume *v = volume_first(op->head), *after = NULL; v; v = after) {
		after = volume_next(op->head, v);
		if (!row_is_live(&v->row) || uuid_is_none(v->instance) || !str_equal(v->type, type))
			continue;
		struct volume next = *v;
		next.row.gen++;
		TRY(volume_put(op, &next));
	}
	return OK;
}

static RESULT touch_types(struct op *op, uuid qos)
{
	for (const struct volume_type *t = volume_type_first_by_qos(op->head, qos); t;
	     t = volume_type_next_by_qos(op->head, t))
		TRY(touch_volumes(op, t->name));
	return OK;
}

RESULT engine_create_volume_qos(struct op *op, struct volume_qos_wish *wish)
{
	struct volume_qos qos = {.row.gen = 1, .name = wish->name};
	TRY(engine_permit(op, "volume_qos.create", KIND_VOLUME_QOS, NULL));
	TRY(engine_check_name(op, KIND_VOLUME_QOS, wish->name));
	if (volume_qos_find_by_name(op->head, wish->name))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_VOLUME_QOS, STR("name"),
				   "QoS Specs %" STR_FMT " already exists.", STR_ARG(wish->name));
	TRY(read_consumer(op, wish->consumer, &qos.consumer));
	TRY(tag_normalize(op, wish->specs, &qos.specs));
	qos.row.id = engine_new_id(op, KIND_VOLUME_QOS);
	wish->made = qos.row.id;
	return volume_qos_put(op, &qos);
}

static bool is_gone(const struct volume_qos_wish *wish, struct str key)
{
	for (size_t n = 0; n < wish->gone.count; n++)
		if (str_equal(wish->gone.at[n], key))
			return true;
	return false;
}

static RESULT change_specs(struct op *op, const struct volume_qos_wish *wish, struct volume_qos *next)
{
	struct tag *specs =
		arena_new_array(op->ctx->arena, struct tag, next->specs.count + wish->specs.count + 1);
	size_t count = 0;
	if (!specs)
		return ctx_no_memory(op->ctx);
	for (size_t n = 0; n < wish->gone.count; n++)
		if (!tags_find(next->specs, wish->gone.at[n]))
			return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_VOLUME_QOS, STR("keys"),
					   "QoS spec %" STR_FMT " has no spec with key %" STR_FMT ".",
					   STR_ARG(wish->qos.text), STR_ARG(wish->gone.at[n]));
	for (size_t n = 0; n < next->specs.count; n++)
		if (!is_gone(wish, next->specs.at[n].key) && !tags_find(wish->specs, next->specs.at[n].key))
			specs[count++] = next->specs.at[n];
	for (size_t n = 0; n < wish->specs.count; n++)
		specs[count++] = wish->specs.at[n];
	return tag_normalize(op, (struct tags){specs, count}, &next->specs);
}

RESULT engine_update_volume_qos(struct op *op, struct volume_qos_wish *wish)
{
	const struct volume_qos *qos = NULL;
	TRY(engine_find_volume_qos(op->ctx, op->head, &wish->qos, &qos));
	TRY(engine_permit(op, "volume_qos.update", KIND_VOLUME_QOS, &qos->row));
	struct volume_qos next = *qos;
	TRY(read_consumer(op, wish->consumer, &next.consumer));
	TRY(change_specs(op, wish, &next));
	next.row.gen++;
	TRY(volume_qos_put(op, &next));
	return touch_types(op, next.row.id);
}

/* ---- associations ---- */

static RESULT associate(struct op *op, const struct volume_type *type, uuid qos)
{
	struct volume_type next = *type;
	next.qos = qos;
	next.row.gen++;
	TRY(volume_type_put(op, &next));
	return touch_volumes(op, next.name);
}

static RESULT free_all(struct op *op, uuid qos)
{
	for (const struct volume_type *t = volume_type_first_by_qos(op->head, qos), *after = NULL; t;
	     t = after) {
		after = volume_type_next_by_qos(op->head, t);
		TRY(associate(op, t, UUID_NONE));
	}
	return OK;
}

RESULT engine_associate_volume_qos(struct op *op, struct volume_qos_association *wish)
{
	const struct volume_qos *qos = NULL;
	const struct volume_type *type = NULL;
	TRY(engine_find_volume_qos(op->ctx, op->head, &wish->qos, &qos));
	TRY(engine_permit(op, "volume_qos.update", KIND_VOLUME_QOS, &qos->row));
	TRY(engine_find_volume_type(op->ctx, op->head, &wish->type, &type));
	if (uuid_equal(type->qos, qos->row.id))
		return OK;
	if (!uuid_is_none(type->qos))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME_TYPE, wish->type.field,
				   "Invalid volume type: Type %" STR_FMT
				   " is already associated with another qos specs: %" STR_FMT,
				   STR_ARG(wish->type.text),
				   STR_ARG(engine_write_id(op, KIND_VOLUME_QOS, type->qos)));
	return associate(op, type, qos->row.id);
}

RESULT engine_disassociate_volume_qos(struct op *op, struct volume_qos_association *wish)
{
	const struct volume_qos *qos = NULL;
	const struct volume_type *type = NULL;
	TRY(engine_find_volume_qos(op->ctx, op->head, &wish->qos, &qos));
	TRY(engine_permit(op, "volume_qos.update", KIND_VOLUME_QOS, &qos->row));
	if (!ref_is_given(&wish->type))
		return free_all(op, qos->row.id);
	TRY(engine_find_volume_type(op->ctx, op->head, &wish->type, &type));
	return uuid_equal(type->qos, qos->row.id) ? associate(op, type, UUID_NONE) : OK;
}

RESULT engine_delete_volume_qos(struct op *op, struct volume_qos_target *wish)
{
	const struct volume_qos *qos = NULL;
	TRY(engine_find_volume_qos(op->ctx, op->head, &wish->qos, &qos));
	TRY(engine_permit(op, "volume_qos.delete", KIND_VOLUME_QOS, &qos->row));
	if (!wish->force && volume_type_first_by_qos(op->head, qos->row.id))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_VOLUME_QOS, wish->qos.field,
				   "Qos specs still in use.");
	TRY(free_all(op, qos->row.id));
	return volume_qos_forget(op, qos->row.id);
}
