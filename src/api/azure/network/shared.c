/* SPDX-License-Identifier: Apache-2.0
 * Shared by the network files: links between resources, ETags, and parts of resources.
 */
#include "api/azure/network/network.h"

#include "engine/resource_group.h"

static const struct param link_rows[] = {
	PARAM(struct az_link, "id", id, .doc = "Resource id."),
	PASSED_OVER("name|type|etag|location|tags|properties|sku|zones|extendedLocation",
		    "Accepted and ignored: only the id of a reference counts (REST reference, SubResource)."),
};
const struct params az_link_params = PARAMS(struct az_link, link_rows, .object = "SubResource");

#define SKU_TIER                                                                                             \
	PARAM(struct az_network_sku, "tier", tier, .words = "Regional", .doc = "Tier; only Regional.")
static const struct param sku_rows[] = {
	PARAM(struct az_network_sku, "name", name, .words = "Basic|Standard",
	      .doc = "SKU: Basic or Standard."),
	SKU_TIER,
};
const struct params az_network_sku_params = PARAMS(struct az_network_sku, sku_rows, .object = "Sku");
static const struct param standard_sku_rows[] = {
	PARAM(struct az_network_sku, "name", name, .words = "Standard", .doc = "SKU; only Standard."),
	SKU_TIER,
};
const struct params az_standard_sku_params =
	PARAMS(struct az_network_sku, standard_sku_rows, .object = "Sku");

RESULT az_follow(struct az_call *e, const char *field, const struct az_link *link, enum az_types type,
		 enum kind kind, struct ref *ret_ref)
{
	const struct row *row = NULL;
	*ret_ref = (struct ref){0};
	if (!link->id.n)
		return OK;
	TRY(az_find_id(e, field, link->id, type, kind, &row));
	*ret_ref = ref_by_id(kind, row->id);
	ret_ref->text = str_copy(e->c->arena, link->id);
	ret_ref->field = str_from(field);
	return OK;
}

RESULT az_follow_all(struct az_call *e, const char *field, const struct az_links *links, enum az_types type,
		     enum kind kind, struct refs *ret_refs)
{
	struct ref *at = arena_new_array(e->c->arena, struct ref, links->count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < links->count; k++)
		TRY(az_follow(e, field, &links->at[k], type, kind, &at[k]));
	*ret_refs = (struct refs){at, links->count};
	return OK;
}

struct strs az_write_blocks(struct api_call *core, struct cidrs blocks)
{
	struct str *at = arena_new_array(core->c->arena, struct str, blocks.count + 1);
	char text[CIDR_TEXT_SIZE];
	for (size_t k = 0; at && k < blocks.count; k++)
		at[k] = str_copy(core->c->arena, str_from(cidr_write(blocks.at[k], text)));
	return (struct strs){at, at ? blocks.count : 0};
}

static const struct row *next_live(struct az_call *e, enum kind kind, unsigned index, const struct row *row)
{
	while (row && !row_is_live(row))
		row = tables_next(az_tables(e), kind, index, row, 1);
	return row;
}

static const struct row *first_of(struct az_call *e, enum kind kind, unsigned index, uuid id)
{
	return next_live(e, kind, index, members_find_first(&e->core, kind, index, id));
}

static const struct row *next_of(struct az_call *e, enum kind kind, unsigned index, const struct row *row)
{
	return next_live(e, kind, index, tables_next(az_tables(e), kind, index, row, 1));
}

static bool is_kept(const struct az_kept *kept, uuid id)
{
	for (size_t k = 0; k < kept->count; k++)
		if (uuid_equal(*(const uuid *) (const void *) ((const char *) kept->first + k * kept->size),
			       id))
			return true;
	return false;
}

RESULT az_find_gone(struct az_call *e, enum kind kind, unsigned index, const struct az_kept *kept,
		    bool (*is_part)(const struct row *row), struct refs *ret_gone)
{
	VEC(struct ref) gone = {0};
	const struct row *row = first_of(e, kind, index, e->target);
	for (; row; row = next_of(e, kind, index, row)) {
		const struct ref ref = ref_by_id(kind, row->id);
		bool is_gone = (!is_part || is_part(row)) && !is_kept(kept, row->id);
		if (is_gone && !VEC_PUSH(e->c->arena, &gone, ref))
			return ctx_no_memory(e->c);
	}
	*ret_gone = (struct refs){gone.at, gone.count};
	return OK;
}

struct str az_part_name(struct az_call *e, struct str whole, struct str name)
{
	return str_print(e->c->arena, "%" STR_FMT "/%" STR_FMT, STR_ARG(whole), STR_ARG(name));
}

RESULT az_name_part(struct op *op, uuid group, enum az_types type, struct str name, enum kind kind,
		    uuid target, struct str definition)
{
	const struct arm_resource_wish known = {.group = group,
						.type = az_full_type(op->ctx->arena, type),
						.name = name,
						.kind = kind,
						.target = target,
						.definition = definition};
	struct arm_resource_wish wish = known;
	bool is_named = engine_find_name(op->head, target);
	return is_named && !definition.n ? OK : engine_name_resource(op, &wish);
}

RESULT az_fail_name(struct az_call *e, const char *field)
{
	e->error = &az_bad_name;
	return az_fail(
		e, field,
		"A name of a part is missing, or has characters that are neither letters, digits, '_', "
		"'.' nor '-'.");
}
