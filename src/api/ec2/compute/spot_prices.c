/* SPDX-License-Identifier: Apache-2.0
 * DescribeSpotPriceHistory: the spot price of each type in each zone, by the public price list that is in force. A list
 * without spot prices has the on-demand ones. Price lists are read from SQL, so on a lane. */
#include "api/ec2/compute/spot_requests.h"
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/billing/billing.h"
#include "engine/region/offered.h"
#include "metering/price_list.h"
#include "store/instance_type.h"
#include "store/zone.h"

#define PRODUCT "Linux/UNIX"

struct ec2_spot_prices {
	struct ec2_query query;
	struct ref zone, zone_id;
	struct refs types;
	struct strs products;
	struct str start, end;
	int64_t at_s; /* the price of this time is shown */
	struct price_book book;
};
#define P(wire, member, ...) PARAM(struct ec2_spot_prices, wire, member, __VA_ARGS__)
static const struct param price_params[] = {
	QUERY_FILTERS(struct ec2_spot_prices),
	QUERY_PAGES(struct ec2_spot_prices, 1, 1000),
	P("AvailabilityZone", zone, .flags = BY_NAME, .kind = KIND_ZONE, .doc = "Availability Zone by name."),
	P("AvailabilityZoneId", zone_id, .flags = BY_NAME, .kind = KIND_ZONE,
	  .doc = "Availability Zone by id, instead of its name."),
	P("StartTime", start, .max = 64,
	  .doc = "Start of the interval. The price in force at that time is included."),
	P("EndTime", end, .max = 64, .doc = "End of the interval; absent: now."),
	P("InstanceType", types, .flags = BY_NAME, .kind = KIND_INSTANCE_TYPE, .doc = "Instance types."),
	P("ProductDescription", products, .max = 64, .doc = "Operating systems; only " PRODUCT " exists."),
};
#undef P

/* A price in a zone. Its id is made of type and zone, so that a page continues behind it. */
struct spot_price {
	struct row row;
	struct str type, zone, zone_id, price;
	int64_t from_us;
};

static const struct spot_price *price_of(const struct row *row)
{
	return (const struct spot_price *) row;
}

static bool fits_type(const struct filter_run *f, const struct row *row)
{
	return filter_text(f, price_of(row)->type);
}

static bool fits_zone(const struct filter_run *f, const struct row *row)
{
	return filter_text(f, price_of(row)->zone);
}

static bool fits_zone_id(const struct filter_run *f, const struct row *row)
{
	return filter_text(f, price_of(row)->zone_id);
}

static bool fits_price(const struct filter_run *f, const struct row *row)
{
	return filter_text(f, price_of(row)->price);
}

static bool fits_time(const struct filter_run *f, const struct row *row)
{
	return filter_time(f, price_of(row)->from_us);
}

static const struct filter price_filters[] = {
	{"availability-zone", .get = fits_zone}, {"availability-zone-id", .get = fits_zone_id},
	{"instance-type", .get = fits_type},     {"product-description", .fixed = PRODUCT},
	{"spot-price", .get = fits_price},       {"timestamp", .get = fits_time},
};

static RESULT check_ref(struct ec2_call *e, enum kind kind, const struct ref *ref)
{
	const struct row *row = NULL;
	return ref->kind == KIND_NONE ? OK : engine_find(e->c, ec2_tables(e), kind, ref, &row);
}

static RESULT prepare_prices(struct ec2_call *e, void *args)
{
	struct ec2_spot_prices *a = args;
	int64_t start_us = 0, end_us = clock_now_us();
	TRY(ec2_take_spot_time(e, a->start, "StartTime", &start_us));
	TRY(ec2_take_spot_time(e, a->end, "EndTime", &end_us));
	TRY(check_ref(e, KIND_ZONE, &a->zone));
	TRY(check_ref(e, KIND_ZONE, &a->zone_id));
	for (size_t k = 0; k < a->types.count; k++)
		TRY(check_ref(e, KIND_INSTANCE_TYPE, &a->types.at[k]));
	if (start_us > end_us)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("StartTime"),
				      "The start time must not be after the end time");
	int64_t now_us = clock_now_us();
	a->at_s = (end_us < now_us ? end_us : now_us) / SECOND;
	return OK;
}

static RESULT read_book(struct work_item *w)
{
	struct ec2_call *e = w->arg;
	struct ec2_spot_prices *a = e->args;
	int64_t closed_until_s = 0;
	return billing_read_book(e->c, e->config->store, &a->book, &closed_until_s);
}

static bool names_type(const struct ec2_spot_prices *a, const struct instance_type *type)
{
	for (size_t k = 0; k < a->types.count; k++)
		if (str_equal(a->types.at[k].text, type->name))
			return true;
	return a->types.count == 0;
}

static bool names_zone(const struct ec2_spot_prices *a, const struct zone *zone)
{
	return row_is_live(&zone->row) && zone->enabled &&
	       (a->zone.kind == KIND_NONE || str_equal(a->zone.text, zone->name)) &&
	       (a->zone_id.kind == KIND_NONE || str_equal(a->zone_id.text, zone->short_id));
}

static bool names_product(const struct ec2_spot_prices *a)
{
	for (size_t k = 0; k < a->products.count; k++)
		if (str_starts_with(a->products.at[k], STR(PRODUCT)))
			return true;
	return a->products.count == 0;
}

/* *ret_price NULL: the type has no price there. */
static RESULT find_price(struct ec2_call *e, const struct ec2_spot_prices *a,
			 const struct instance_type *type, const struct zone *zone,
			 struct spot_price **ret_price)
{
	const struct payer everybody = {0};
	const struct price *price = NULL;
	const struct price_list *list = price_book_find_start(&a->book, &everybody, a->at_s);
	struct str meter = str_print(e->c->arena, "spot:%" STR_FMT, STR_ARG(type->name));
	*ret_price = NULL;
	if (!meter.p)
		return ctx_no_memory(e->c);
	TRY(price_book_price(e->c, &a->book, &everybody, meter, 1, zone->name, a->at_s, &price));
	if (!price || price->item->unit != UNIT_HOUR)
		return OK;
	struct spot_price *p = arena_new_object(e->c->arena, struct spot_price);
	if (!p)
		return ctx_no_memory(e->c);
	*p = (struct spot_price){.row.id = uuid_v5(type->row.id, zone->name),
				 .type = type->name,
				 .zone = zone->name,
				 .zone_id = zone->short_id,
				 .price = ec2_write_spot_price(e->c->arena, price->own[0]),
				 .from_us = list->from_s * SECOND};
	*ret_price = p;
	return p->price.p ? OK : ctx_no_memory(e->c);
}

struct prices {
	VEC(const struct row *) at;
};

static RESULT find_prices(struct ec2_call *e, const struct ec2_spot_prices *a, const struct filter_runs *runs,
			  const struct zone *zone, struct prices *list)
{
	const struct tables *t = ec2_tables(e);
	for (const struct instance_type *type = instance_type_first(t); type;
	     type = instance_type_next(t, type)) {
		struct spot_price *p = NULL;
		bool is_shown = row_is_live(&type->row) && type->enabled && names_type(a, type) &&
				engine_may_see(e->c, KIND_INSTANCE_TYPE, &type->row) &&
				engine_is_offered_in(&type->zones, zone->row.id);
		if (is_shown)
			TRY(find_price(e, a, type, zone, &p));
		if (p && filters_fit(runs, t, &p->row) && !VEC_PUSH(e->c->arena, &list->at, &p->row))
			return ctx_no_memory(e->c);
	}
	return OK;
}

static void write_price(struct xml *x, const struct spot_price *p)
{
	xml_open(x, "item");
	xml_text(x, "instanceType", p->type);
	xml_z(x, "productDescription", PRODUCT);
	xml_text(x, "spotPrice", p->price);
	xml_time_ms(x, "timestamp", p->from_us);
	xml_text(x, "availabilityZone", p->zone);
	xml_text(x, "availabilityZoneId", p->zone_id);
	xml_close(x, "item");
}

static RESULT ec2_describe_spot_prices(struct ec2_call *e, const void *args, struct xml *x)
{
	static const struct filters filters = FILTERS(price_filters);
	const struct ec2_spot_prices *a = args;
	const struct tables *t = ec2_tables(e);
	struct filter_runs runs;
	struct prices list = {0};
	struct query_page page;
	struct query q = {.c = e->c,
			  .limit = a->query.max_results ? (size_t) a->query.max_results : SIZE_MAX};
	TRY(filters_compile(e, KIND_NONE, &filters, &a->query.filters, &runs));
	TRY(ec2_parse_token(e, a->query.next_token, &q.after));
	for (const struct zone *zone = zone_first(t); zone; zone = zone_next(t, zone))
		if (names_zone(a, zone) && names_product(a))
			TRY(find_prices(e, a, &runs, zone, &list));
	q.given = (struct rows){list.at.at, list.at.count};
	TRY(query_run(&q, &page));
	xml_open(x, "spotPriceHistorySet");
	for (size_t k = 0; k < page.count; k++)
		write_price(x, price_of(page.rows[k]));
	xml_close(x, "spotPriceHistorySet");
	if (page.found > page.count)
		xml_text(x, "nextToken", ec2_make_token(e, row_place_of(page.rows[page.count - 1])));
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeSpotPriceHistory"), .flags = API_CHANGES_BY_TIME,
	 .args = PARAMS(struct ec2_spot_prices, price_params), .prepare = prepare_prices, .work = read_book,
	 .answer = ec2_describe_spot_prices, .filters = FILTERS(price_filters),
	 .doc = "Lists the spot prices of each type in each zone, from the region's price list."},
};
const struct api_actions ec2_spot_price_actions = API_ACTIONS(actions);
