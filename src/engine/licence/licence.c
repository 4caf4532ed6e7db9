/* SPDX-License-Identifier: Apache-2.0
 * Licences of images and instances: permissions, conversion, and placement requirements. Rows only: the
 * guest's own registration is up to its owner. */
#include "engine/condition_internal.h"
#include "engine/instance/instance.h"
#include "engine/instance/instance_internal.h"
#include "engine/internal.h"
#include "engine/licence/licence_internal.h"
#include "engine/storage/image/image.h"
#include "store/entitlement.h"
#include "store/image.h"
#include "store/instance.h"
#include "store/product.h"
#include "store/snapshot.h"
#include "store/volume.h"

RESULT engine_read_licences(struct ctx *c, struct str word, struct licences_wish *ret_wish)
{
	*ret_wish = (struct licences_wish){0};
	ret_wish->sets_all = licence_parse_source(word, &ret_wish->source);
	if (!word.n || ret_wish->sets_all)
		return OK;
	return licence_read_word(c->arena, word, NULL, &ret_wish->licences) ? OK : ctx_no_memory(c);
}

/* ---- permissions ---- */

/* True if the image includes the product, or has it from another source and the region sells it. */
static bool may_include(const struct op *op, struct str product, struct strs before)
{
	struct licence had;
	struct product_seen seen;
	if (!licence_find(before, product, &had))
		return false;
	return had.source == LICENCE_INCLUDED ||
	       (engine_find_product(op->head, product, &seen) && seen.is_sold);
}

static RESULT check_one(struct op *op, struct licence licence, struct strs before, struct str field)
{
	struct product_seen seen;
	if (!engine_find_product(op->head, licence.product, &seen))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_PRODUCT, field,
				   "There is no product '%" STR_FMT "' that needs a licence.",
				   STR_ARG(licence.product));
	if (licence.source != LICENCE_INCLUDED || may_include(op, licence.product, before) ||
	    identity_is_admin(op->ctx->who))
		return OK;
	return ENGINE_FAIL(op, ERR_DENIED, KIND_PRODUCT, field,
			   "Only the region's operator says that a licence of '%" STR_FMT "' is included.",
			   STR_ARG(licence.product));
}

static RESULT put_one(struct op *op, struct licence licence, struct strs *list)
{
	struct licence there;
	struct str text = licence_write(op->ctx->arena, licence);
	size_t at = 0;
	if (!text.p)
		return ctx_no_memory(op->ctx);
	while (at < list->count &&
	       !(licence_read(list->at[at], &there) && str_equal(there.product, licence.product)))
		at++;
	if (at == LICENCES_MAX)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_PRODUCT, "There are %d licences at most.",
				     LICENCES_MAX);
	((struct str *) list->at)[at] = text;
	list->count += at == list->count;
	return OK;
}

static RESULT read_one(struct op *op, struct str text, struct str field, struct licence *ret_licence)
{
	return licence_read(text, ret_licence)
		       ? OK
		       : ENGINE_FAIL(op, ERR_INVALID, KIND_PRODUCT, field,
				     "'%" STR_FMT "' is no licence: PRODUCT:SOURCE is one, whose source is "
				     "included, byos or spla.",
				     STR_ARG(text));
}

static RESULT copy_list(struct op *op, struct strs from, struct strs *ret_list)
{
	struct str *texts = arena_new_array(op->ctx->arena, struct str, LICENCES_MAX);
	if (!texts)
		return ctx_no_memory(op->ctx);
	*ret_list = (struct strs){texts, 0};
	for (size_t k = 0; k < from.count && k < LICENCES_MAX; k++)
		texts[ret_list->count++] = from.at[k];
	return OK;
}

RESULT licence_apply(struct op *op, const struct licences_wish *wish, struct strs before, struct str field,
		     struct strs *ret_licences)
{
	struct strs list = {0};
	struct licence licence;
	TRY(copy_list(op, before, &list));
	if (wish->sets_all && !list.count && !wish->may_lack)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_PRODUCT, field,
				   "There is no licence whose source could be '%s': say which, as rhel:byos.",
				   licence_source_words[wish->source]);
	for (size_t k = 0; k < list.count && wish->sets_all; k++) {
		TRY(read_one(op, list.at[k], field, &licence));
		licence.source = wish->source;
		TRY(check_one(op, licence, before, field));
		TRY(put_one(op, licence, &list));
	}
	for (size_t k = 0; k < wish->licences.count; k++) {
		TRY(read_one(op, wish->licences.at[k], field, &licence));
		TRY(check_one(op, licence, before, field));
		TRY(put_one(op, licence, &list));
	}
	*ret_licences = list;
	return OK;
}

/* Only an administrator can remove an included licence. */
static RESULT check_left_out(struct op *op, struct strs licences, struct strs before, struct str field)
{
	struct licence had, has;
	for (size_t k = 0; k < before.count && !identity_is_admin(op->ctx->who); k++)
		if (licence_read(before.at[k], &had) && had.source == LICENCE_INCLUDED &&
		    !licence_find(licences, had.product, &has))
			return ENGINE_FAIL(
				op, ERR_DENIED, KIND_PRODUCT, field,
				"Only the region's operator takes the included licence of '%" STR_FMT
				"' away.",
				STR_ARG(had.product));
	return OK;
}

RESULT licence_replace(struct op *op, struct strs licences, struct strs before, struct str field,
		       struct strs *ret_licences)
{
	struct strs list;
	struct licence licence;
	TRY(check_left_out(op, licences, before, field));
	TRY(copy_list(op, (struct strs){0}, &list));
	for (size_t k = 0; k < licences.count; k++) {
		TRY(read_one(op, licences.at[k], field, &licence));
		TRY(check_one(op, licence, before, field));
		TRY(put_one(op, licence, &list));
	}
	*ret_licences = list;
	return OK;
}

static bool are_equal(struct strs a, struct strs b)
{
	bool is_same = a.count == b.count;
	for (size_t k = 0; is_same && k < a.count; k++)
		is_same = str_equal(a.at[k], b.at[k]);
	return is_same;
}

/* ---- the operations ---- */

RESULT engine_license_image(struct op *op, struct image_licensing *wish)
{
	const struct image *image = NULL;
	TRY(engine_permit_image(op, &wish->image, "image.update", &image));
	struct image next = *image;
	TRY(licence_replace(op, wish->licences, image->licences, STR("licences"), &next.licences));
	if (are_equal(image->licences, next.licences))
		return OK;
	next.row.gen++;
	TRY(image_put(op, &next));
	return engine_log_event(op, KIND_IMAGE, &next.row, "licensed", "Its licences were changed.");
}

RESULT engine_convert_licences(struct op *op, struct licence_conversion *wish)
{
	const struct instance *instance = NULL;
	struct str field = wish->instance.field;
	TRY(engine_permit_instance(op, &wish->instance, "instance.update", &instance));
	if (!row_is_live(&instance->row))
		return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, field,
				   "The instance '%" STR_FMT
				   "' is not in a state from which it can be modified.",
				   STR_ARG(wish->instance.text));
	TRY(instance_check_changeable(op, instance, field));
	struct instance next = *instance;
	TRY(licence_apply(op, &wish->licences, instance->licences, STR("licences"), &next.licences));
	if (are_equal(instance->licences, next.licences))
		return op_name(op, KIND_INSTANCE, &instance->row);
	TRY(licence_check_place(op, next.account, next.licences, next.tenancy, field));
	next.converted_us = op->now_us;
	TRY(instance_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE, &next.row, "licences converted",
				"From %" STR_FMT " to %" STR_FMT ".",
				STR_ARG(licence_write_all(op->ctx->arena, instance->licences)),
				STR_ARG(licence_write_all(op->ctx->arena, next.licences)));
}

/* ---- places ---- */

/* True if there are entitlements, and all of them are limited to dedicated hosts. */
static bool is_for_dedicated(const struct op *op, uuid account, struct licence licence)
{
	bool is_dedicated = false;
	const struct entitlement *e = NULL;
	if (licence.source == LICENCE_INCLUDED)
		return false;
	while ((e = engine_next_entitlement(op->head, account, licence.product, licence.source, op->now_us,
					    e))) {
		if (e->place == ENTITLEMENT_PLACE_SHARED)
			return false;
		is_dedicated = true;
	}
	return is_dedicated;
}

bool licence_needs_dedicated(const struct op *op, uuid account, struct strs licences)
{
	struct licence licence;
	bool needs = false;
	for (size_t k = 0; k < licences.count && !needs; k++)
		needs = licence_read(licences.at[k], &licence) && is_for_dedicated(op, account, licence);
	return needs;
}

RESULT licence_check_place(struct op *op, uuid account, struct strs licences, enum instance_tenancy tenancy,
			   struct str field)
{
	if (tenancy == INSTANCE_TENANCY_HOST || !licence_needs_dedicated(op, account, licences))
		return OK;
	return ENGINE_FAIL(
		op, ERR_STATE, KIND_INSTANCE, field,
		"The licences of the instance are for dedicated hosts alone, and its tenancy is not host.");
}

RESULT licence_resolve_launch(struct op *op, uuid account, const struct instance_launch *wish,
			      const struct image *from, struct strs *ret_licences, bool *ret_needs_dedicated)
{
	TRY(licence_apply(op, &wish->licences, from ? from->licences : (struct strs){0}, STR("licences"),
			  ret_licences));
	*ret_needs_dedicated = licence_needs_dedicated(op, account, *ret_licences);
	if (wish->tenancy != INSTANCE_TENANCY_DEDICATED || !*ret_needs_dedicated)
		return OK;
	return ENGINE_FAIL(
		op, ERR_COMBINATION, KIND_INSTANCE, STR("Placement.Tenancy"),
		"The licences of the instance are for dedicated hosts alone: its tenancy is host.");
}

/* ---- disks ---- */

struct strs licence_of_volume(const struct op *op, const struct volume *volume)
{
	const struct image *image = volume ? engine_find_image_of_volume(op->head, volume->row.id) : NULL;
	return image ? image->licences : (struct strs){0};
}

struct strs licence_of_snapshot(const struct op *op, const struct snapshot *snapshot)
{
	return licence_of_volume(op, snapshot ? volume_find(op->head, snapshot->volume) : NULL);
}
