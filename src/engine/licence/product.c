/* SPDX-License-Identifier: Apache-2.0
 * Products and entitlements: rows only. */
#include "store/product.h"
#include "model/instance.h"
#include <inttypes.h>

#include "engine/internal.h"
#include "engine/licence/licence_internal.h"
#include "store/account.h"
#include "store/domain.h"
#include "store/entitlement.h"
#include "store/image.h"

enum { WORDS_MAX = 255 };
#define QUANTITY_MAX INT64_C(1000000000)

/* ---- products ---- */

bool engine_find_product(const struct tables *t, struct str name, struct product_seen *ret_product)
{
	const struct product_info *info = product_info_find(name);
	const struct product *row = product_find_by_name(t, name);
	if (!info && !row)
		return false;
	*ret_product = (struct product_seen){
		.name = row ? row->name : str_from(info->name),
		.title = row && row->title.n ? row->title : str_from(info ? info->title : ""),
		.vendor = row && row->vendor.n ? row->vendor : str_from(info ? info->vendor : ""),
		.metric = row ? row->metric : info->metric,
		.is_sold = row && row->is_sold};
	return true;
}

RESULT engine_set_product(struct op *op, struct product_wish *wish)
{
	const struct product_info *info = product_info_find(wish->name);
	const struct product *row = product_find_by_name(op->head, wish->name);
	struct product next = {.name = wish->name, .metric = info ? info->metric : PRODUCT_METRIC_INSTANCE};
	TRY(engine_permit(op, "licence.manage", KIND_PRODUCT, row ? &row->row : NULL));
	if (!licence_is_product_name(wish->name))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_PRODUCT, STR("name"),
				   "A product's name has up to %d letters, digits, dashes and points.",
				   PRODUCT_NAME_MAX);
	if (!str_is_line(wish->title) || !str_is_line(wish->vendor) || wish->title.n > WORDS_MAX ||
	    wish->vendor.n > WORDS_MAX)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_PRODUCT, STR("title"),
				   "A title and a vendor have up to %d characters on one line.", WORDS_MAX);
	if (row)
		next = *row;
	else
		next.row.id = engine_new_id(op, KIND_PRODUCT);
	next.row.gen++;
	next.title = wish->title.n ? wish->title : next.title;
	next.vendor = wish->vendor.n ? wish->vendor : next.vendor;
	if (wish->sets_metric)
		next.metric = wish->metric;
	choice_apply(wish->is_sold, &next.is_sold);
	TRY(product_put(op, &next));
	return engine_log_event(op, KIND_PRODUCT, &next.row, row ? "changed" : "created",
				next.is_sold ? "Product %" STR_FMT ", which the region sells."
					     : "Product %" STR_FMT ", which the region does not sell.",
				STR_ARG(next.name));
}

/* ---- an instance's software ---- */

static bool take_product(const struct tables *t, struct str name, const char *source,
			 struct software *ret_software)
{
	struct product_seen seen = {.name = name};
	(void) engine_find_product(t, name, &seen);
	*ret_software = (struct software){seen.name, seen.title, seen.vendor, str_from(source)};
	return name.n > 0;
}

/* Operating systems take precedence over other products. */
static bool is_system(struct str product)
{
	const struct product_info *info = product_info_find(product);
	return info && (*info->distro || *info->azure_own);
}

bool engine_find_software(const struct tables *t, const struct instance *instance,
			  struct software *ret_software)
{
	const struct image *image = image_find(t, instance->image);
	struct licence licence, first = {0};
	bool has_first = false;
	for (size_t k = 0; k < instance->licences.count; k++) {
		if (!licence_read(instance->licences.at[k], &licence))
			continue;
		if (is_system(licence.product))
			return take_product(t, licence.product, licence_source_words[licence.source],
					    ret_software);
		first = has_first ? first : licence;
		has_first = true;
	}
	if (has_first)
		return take_product(t, first.product, licence_source_words[first.source], ret_software);
	const struct tag *distro = image ? tags_find(image->properties, STR("os_distro")) : NULL;
	const struct product_info *info = distro ? product_info_of_distro(distro->value) : NULL;
	if (distro)
		return take_product(t, info ? str_from(info->name) : distro->value, "", ret_software);
	return instance->platform == INSTANCE_PLATFORM_WINDOWS &&
	       take_product(t, STR("windows-server"), "", ret_software);
}

/* ---- entitlements ---- */

static RESULT check_entitlement(struct op *op, const struct entitlement_wish *wish)
{
	struct product_seen seen;
	if (!engine_find_product(op->head, wish->product, &seen))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_PRODUCT, STR("product"),
				   "There is no product '%" STR_FMT "'.", STR_ARG(wish->product));
	if (wish->source == LICENCE_INCLUDED)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_ENTITLEMENT, STR("source"),
				   "What is included needs no entitlement: its source is byos or spla.");
	if (wish->quantity < 1 || wish->quantity > QUANTITY_MAX)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_ENTITLEMENT, STR("quantity"),
				   "A quantity is between 1 and 1,000,000,000.");
	if (wish->until_us && wish->until_us <= (wish->from_us ? wish->from_us : op->now_us))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_ENTITLEMENT, STR("until"),
				   "It ends behind its beginning.");
	if (!str_is_line(wish->reference) || wish->reference.n > WORDS_MAX)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_ENTITLEMENT, STR("reference"),
				   "A reference has up to %d characters on one line.", WORDS_MAX);
	if (ref_is_given(&wish->account) && ref_is_given(&wish->domain))
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_ENTITLEMENT, STR("domain"),
				   "It is for an account or for a domain, not for both.");
	return OK;
}

RESULT engine_add_entitlement(struct op *op, struct entitlement_wish *wish)
{
	const struct row *account = NULL, *domain = NULL;
	struct product_seen seen = {0};
	TRY(engine_permit(op, "licence.manage", KIND_ENTITLEMENT, NULL));
	TRY(check_entitlement(op, wish));
	if (ref_is_given(&wish->account))
		TRY(engine_look_up(op->ctx, op->head, KIND_ACCOUNT, &wish->account, &account));
	if (ref_is_given(&wish->domain))
		TRY(engine_look_up(op->ctx, op->head, KIND_DOMAIN, &wish->domain, &domain));
	(void) engine_find_product(op->head, wish->product, &seen);
	enum product_metric metric = wish->sets_metric ? wish->metric : seen.metric;
	struct entitlement next = {
		.row.id = engine_new_id(op, KIND_ENTITLEMENT),
		.row.gen = 1,
		.account = account ? account->id : UUID_NONE,
		.domain = domain ? domain->id : UUID_NONE,
		.product = wish->product,
		.source = wish->source == LICENCE_SPLA ? ENTITLEMENT_SOURCE_SPLA : ENTITLEMENT_SOURCE_BYOS,
		/* the two enums have the same values */
		.metric = (enum entitlement_metric) metric,
		.quantity = wish->quantity,
		.place = wish->needs_dedicated ? ENTITLEMENT_PLACE_DEDICATED : ENTITLEMENT_PLACE_SHARED,
		.from_us = wish->from_us ? wish->from_us : op->now_us,
		.until_us = wish->until_us,
		.reference = wish->reference};
	TRY(entitlement_put(op, &next));
	wish->entitlement = next.row.id;
	return engine_log_event(op, KIND_ENTITLEMENT, &next.row, "created",
				"%" PRId64 " of %" STR_FMT ", by %s.", next.quantity, STR_ARG(next.product),
				product_metric_words[metric]);
}

RESULT engine_end_entitlement(struct op *op, struct entitlement_end *wish)
{
	const struct row *row = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_ENTITLEMENT, &wish->entitlement, &row));
	TRY(engine_permit(op, "licence.manage", KIND_ENTITLEMENT, row));
	struct entitlement next = *entitlement_of(row);
	if (next.until_us && next.until_us <= op->now_us)
		return OK;
	next.until_us = op->now_us > next.from_us ? op->now_us : next.from_us;
	next.row.gen++;
	TRY(entitlement_put(op, &next));
	return engine_log_event(op, KIND_ENTITLEMENT, &next.row, "ended", "It held until now.");
}

/* ---- coverage ---- */

static bool holds(const struct entitlement *e, struct str product, enum licence_source source, int64_t now_us)
{
	bool is_spla = e->source == ENTITLEMENT_SOURCE_SPLA;
	return row_is_live(&e->row) && str_equal(e->product, product) &&
	       is_spla == (source == LICENCE_SPLA) && e->from_us <= now_us &&
	       (!e->until_us || now_us < e->until_us);
}

/* The next entitlement at one level: the account's; account none: the domain's; both none: the operator's. */
static const struct entitlement *next_of(const struct tables *t, uuid account, uuid domain,
					 struct str product, enum licence_source source, int64_t now_us,
					 const struct entitlement *after)
{
	const struct entitlement *e =
		after ? entitlement_next_by_product(t, after) : entitlement_first_by_product(t, product);
	while (e && !(holds(e, product, source, now_us) && uuid_equal(e->account, account) &&
		      uuid_equal(e->domain, domain)))
		e = entitlement_next_by_product(t, e);
	return e;
}

const struct entitlement *engine_next_entitlement(const struct tables *t, uuid account, struct str product,
						  enum licence_source source, int64_t now_us,
						  const struct entitlement *after)
{
	const struct account *owner = account_find(t, account);
	const struct entitlement *e = NULL;
	if (after)
		return next_of(t, after->account, after->domain, product, source, now_us, after);
	if (!uuid_is_none(account))
		e = next_of(t, account, UUID_NONE, product, source, now_us, NULL);
	if (!e && owner)
		e = next_of(t, UUID_NONE, owner->domain, product, source, now_us, NULL);
	return e ? e : next_of(t, UUID_NONE, UUID_NONE, product, source, now_us, NULL);
}
