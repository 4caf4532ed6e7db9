/* SPDX-License-Identifier: Apache-2.0
 * Tags: CreateTags, DeleteTags, DescribeTags. */
#include <stdlib.h>

#include "api/ec2/core/plan.h"
#include "api/ec2/core/write.h"
#include "engine/tag.h"
#include "model/id.h"
#include "model/spot_fleet_id.h"
#include "model/term.h"

/* ---- create and delete ---- */

#define P(wire, member, ...) PARAM(struct tags_wish, wire, member, __VA_ARGS__)
#define RESOURCES                                                                                            \
	P("ResourceId", resources, .flags = REQUIRED | ANY_KIND,                                             \
	  .doc = "Resources of any kind. Fails without a change if one is not found.")
static const struct param create_tags_params[] = {
	RESOURCES,
	PARAM_LIST(struct tags_wish, "Tag", tags, ec2_tag_params, .flags = REQUIRED,
		   .doc = "Tags to set; a tag of the same key is overwritten."),
};

static const struct param removal_rows[] = {
	PARAM(struct tag_removal, "Key", key, .flags = REQUIRED, .max = TAG_KEY_MAX, .doc = "The tag's key."),
	PARAM(struct tag_removal, "Value", value, .max = TAG_VALUE_MAX,
	      .given = offsetof(struct tag_removal, with_value) + 1,
	      .doc = "Deletes the tag only if it has this value."),
};
static const struct params removal_params = PARAMS(struct tag_removal, removal_rows);

struct ec2_delete_tags {
	struct tags_wish wish;
	struct {
		const struct tag_removal *at;
		size_t count;
	} removals;
};
static const struct param delete_tags_params[] = {
	PARAM(struct ec2_delete_tags, "ResourceId", wish.resources, .flags = REQUIRED | ANY_KIND,
	      .doc = "Resources of any kind. Fails without a change if one is not found."),
	PARAM_LIST(struct ec2_delete_tags, "Tag", removals, removal_params,
		   .doc = "Tags to delete; absent: all tags."),
};
#undef P

static RESULT prepare_delete(struct ec2_call *e, void *args)
{
	struct ec2_delete_tags *a = args;
	(void) e;
	a->wish.removals = a->removals.at;
	a->wish.removal_count = a->removals.count;
	return OK;
}

/* ---- describe ---- */

/* EC2's names of the kinds that have tags. */
static const char *const resource_types[KIND_COUNT] = {
	[KIND_IMAGE] = "image",
	[KIND_KEY_PAIR] = "key-pair",
	[KIND_DHCP_OPTIONS] = "dhcp-options",
	[KIND_ROUTER] = "vpc",
	[KIND_GATEWAY] = "internet-gateway",
	[KIND_EGRESS_GATEWAY] = "egress-only-internet-gateway",
	[KIND_SUBNET] = "subnet",
	[KIND_SUBNET_RESERVATION] = "subnet-cidr-reservation",
	[KIND_ROUTE_TABLE] = "route-table",
	[KIND_NAT_GATEWAY] = "natgateway",
	[KIND_DEDICATED_HOST] = "dedicated-host",
	[KIND_PEERING] = "vpc-peering-connection",
	[KIND_TRANSIT_GATEWAY] = "transit-gateway",
	[KIND_TRANSIT_ATTACHMENT] = "transit-gateway-attachment",
	[KIND_TRANSIT_ROUTE_TABLE] = "transit-gateway-route-table",
	[KIND_CUSTOMER_GATEWAY] = "customer-gateway",
	[KIND_VPN_GATEWAY] = "vpn-gateway",
	[KIND_VPN_CONNECTION] = "vpn-connection",
	[KIND_VPC_ENDPOINT] = "vpc-endpoint",
	[KIND_ENDPOINT_SERVICE] = "vpc-endpoint-service",
	[KIND_FLOW_LOG] = "vpc-flow-log",
	[KIND_NETWORK_ACL] = "network-acl",
	[KIND_SECURITY_GROUP] = "security-group",
	[KIND_SECURITY_GROUP_RULE] = "security-group-rule",
	[KIND_PORT] = "network-interface",
	[KIND_ADDRESS] = "elastic-ip",
	[KIND_SNAPSHOT] = "snapshot",
	[KIND_IMPORT_SNAPSHOT_TASK] = "import-snapshot-task",
	[KIND_IMPORT_IMAGE_TASK] = "import-image-task",
	[KIND_EXPORT_IMAGE_TASK] = "export-image-task",
	[KIND_VOLUME] = "volume",
	[KIND_INSTANCE] = "instance",
	[KIND_SERVER_GROUP] = "placement-group",
	[KIND_LAUNCH_TEMPLATE] = "launch-template",
	[KIND_CAPACITY_RESERVATION] = "capacity-reservation",
	[KIND_FLEET] = "fleet",
	[KIND_SPOT_REQUEST] = "spot-instances-request",
	[KIND_ADDRESS_GROUP] = "prefix-list",
};

/* A tag of a resource. Its place is the resource's, with the tag's number in the last byte of the id,
 * which EC2's ids do not show; tokens hold the place. */
struct tag_item {
	struct row_place place; /* the row's, with the end of the id replaced by the key's digest */
	uuid id;                /* the row's */
	enum kind kind;
	const struct tag *tag;
};

static const char *type_of(const struct tag_item *item)
{
	bool is_spot_fleet = item->kind == KIND_FLEET && id_is_spot_fleet(item->id);
	return is_spot_fleet ? "spot-fleet-request" : resource_types[item->kind];
}

/* The row as filters see it. */
struct tag_row {
	struct row row;
	struct tag_item item;
};

struct tag_list {
	VEC(struct tag_item) items;
	struct row_place after; /* place of the last item of the previous page */
	size_t max;             /* items per page; SIZE_MAX: all */
	bool has_more;          /* more rows follow those of the items */
};

static const struct tag_item *item_of(const struct row *row)
{
	return &((const struct tag_row *) row)->item;
}

static bool fits_key(const struct filter_run *f, const struct row *row)
{
	return filter_text(f, item_of(row)->tag->key);
}

static bool fits_value(const struct filter_run *f, const struct row *row)
{
	return filter_text(f, item_of(row)->tag->value);
}

static bool fits_resource(const struct filter_run *f, const struct row *row)
{
	return filter_id(f, item_of(row)->kind, item_of(row)->id);
}

static bool fits_type(const struct filter_run *f, const struct row *row)
{
	return filter_z(f, type_of(item_of(row)));
}

static bool fits_pair(const struct filter_run *f, const struct row *row)
{
	return str_equal(item_of(row)->tag->key, f->tag_key) && fits_value(f, row);
}

static const struct filter tag_filters[] = {
	{"tag:", .get = fits_pair},          {"key", .get = fits_key},
	{"value", .get = fits_value},        {"resource-id", .get = fits_resource},
	{"resource-type", .get = fits_type},
};

struct ec2_describe_tags {
	struct ec2_query query;
};
static const struct param describe_tags_params[] = {
	QUERY_FILTERS(struct ec2_describe_tags),
	QUERY_PAGES(struct ec2_describe_tags, 5, 1000),
};

/* Bytes of an item's id that are of its key. Those in front tell rows apart. A token so names a tag, whatever tags the row gains or
 * loses before the next page. */
enum { KEY_BYTES = 8 };

static struct row_place place_of(struct row_place row, struct str key)
{
	uint64_t digest = term_of_tag_key(UUID_NONE, key);
	for (size_t k = 0; k < KEY_BYTES; k++)
		row.id.b[sizeof row.id.b - 1 - k] = (uint8_t) (digest >> (8 * k));
	return row;
}

/* Place before the row of that item, whose later tags may belong to the page. */
static struct row_place row_before(struct row_place after)
{
	size_t k = sizeof after.id.b - KEY_BYTES;
	if (uuid_is_none(after.id))
		return after;
	memset(&after.id.b[k], 0, KEY_BYTES);
	k += KEY_BYTES - 1;
	while (after.id.b[k]-- == 0 && k > 0)
		k--;
	return after;
}

/* Search of the tags of one kind: the planner (store/query.h) finds rows, and each row has several items. */
struct tag_search {
	struct ec2_call *e;
	const struct filter_runs *runs;
	struct tag_list *list;
	enum kind kind;
	struct xml *x;     /* items are written as they are found, if no order is needed; else NULL */
	bool is_gathering; /* the predicate is called once for each row of the result, in order, and adds
	                    * the items */
};

static void write_tag(struct xml *x, const struct tag_item *item)
{
	xml_open(x, "item");
	ec2_write_id(x, "resourceId", item->kind, item->id);
	xml_z(x, "resourceType", type_of(item));
	xml_text(x, "key", item->tag->key);
	xml_text(x, "value", item->tag->value);
	xml_close(x, "item");
}

/* Finds whether the row has tags that fit; if `adds`, they are written or added to the list. */
static RESULT find_tags(const struct tag_search *s, const struct row *row, bool adds, bool *ret_has)
{
	const struct tags *tags = ec2_tags_of(s->e, s->kind, row);
	struct tag_row found = {.item = {.id = row->id, .kind = s->kind}};
	struct tag_item *item = &found.item;
	*ret_has = false;
	for (size_t k = 0; k < tags->count; k++) {
		item->tag = &tags->at[k];
		item->place = place_of(row_place_of(row), item->tag->key);
		if (row_compare_places(item->place, s->list->after) <= 0 ||
		    !filters_fit(s->runs, ec2_tables(s->e), &found.row))
			continue;
		*ret_has = true;
		if (adds && s->x)
			write_tag(s->x, item);
		else if (adds && !VEC_PUSH(s->e->c->arena, &s->list->items, *item))
			return ctx_no_memory(s->e->c);
	}
	return OK;
}

static RESULT has_items(void *arg, const struct row *row, bool *ret_has)
{
	const struct tag_search *s = arg;
	TRY(find_tags(s, row, s->is_gathering, ret_has));
	*ret_has = *ret_has && !(s->is_gathering && s->x); /* items written at once are not collected */
	return OK;
}

/* True if the filter names a tag's key, with or without its value, or the row's id. */
static bool is_narrow(const struct filter_run *run)
{
	return run->is_plain && (run->filter->get == fits_pair || run->filter->get == fits_key ||
				 run->filter->get == fits_resource);
}

static RESULT plan_filter(struct list *l, const struct filter_run *by)
{
	const struct access_path by_id = {.kind = l->query->kind};
	uuid account = l->owners[0];
	struct list_plan p;
	bool is_plan = true;
	TRY(list_begin_plan(l, l->query->kind, NULL, &p));
	if (by->filter->get == fits_resource)
		TRY(list_add_values(&p, &by_id, by->patterns, true, &is_plan));
	for (size_t k = 0; by->filter->get != fits_resource && k < by->patterns.count; k++)
		TRY(list_add_term(&p, by->filter->get == fits_pair
					      ? term_of_tag(account, by->tag_key, by->patterns.at[k])
					      : term_of_tag_key(account, by->patterns.at[k])));
	return list_end_plan(&p);
}

static RESULT find_rows(struct tag_search *s, struct query_page *ret_page)
{
	struct query q = {.c = s->e->c,
			  .tables = ec2_tables(s->e),
			  .kind = s->kind,
			  .matches = has_items,
			  .arg = s,
			  .after = row_before(s->list->after),
			  .read_offset = model_kinds[s->kind].tags_offset,
			  .limit = s->list->max};
	struct list l = {.query = &q, .spelling = &ec2_spelling, .owners = {engine_get_account(s->e->c)}};
	struct list_plan tagged;
	for (size_t k = 0; k < s->runs->count; k++)
		if (is_narrow(&s->runs->at[k]))
			TRY(plan_filter(&l, &s->runs->at[k]));
	TRY(list_begin_plan(&l, s->kind, NULL, &tagged));
	TRY(list_add_term(&tagged, term_of_tagged(l.owners[0])));
	TRY(list_end_plan(&tagged));
	s->is_gathering = q.plans.count == 1;
	return query_run(&q, ret_page);
}

static RESULT find_items_of_kind(struct tag_search *s)
{
	struct query_page page;
	TRY(find_rows(s, &page));
	s->list->has_more |= page.found > page.count;
	bool has = false;
	for (size_t n = 0; n < page.count && !s->is_gathering; n++)
		TRY(find_tags(s, page.rows[n], true, &has));
	return OK;
}

/* True if tags of that kind may fit. */
static bool kind_fits(const struct filter_runs *runs, enum kind kind)
{
	const struct tag_row any = {.item = {.kind = kind}},
			     spot = {.item = {.kind = kind, .id = id_of_spot_fleet(UUID_NONE)}};
	bool fits = resource_types[kind];
	for (size_t k = 0; fits && k < runs->count; k++)
		fits = runs->at[k].filter->get != fits_type || fits_type(&runs->at[k], &any.row) ||
		       fits_type(&runs->at[k], &spot.row);
	return fits;
}

static int compare_items(const void *a, const void *b)
{
	return row_compare_places(((const struct tag_item *) a)->place, ((const struct tag_item *) b)->place);
}

/* Pages are in order of creation, and so are the items for several filter values; otherwise items come
 * kind by kind. */
static RESULT find_items(struct ec2_call *e, const struct filter_runs *runs, struct tag_list *list,
			 struct xml *x)
{
	struct tag_search s = {.e = e, .runs = runs, .list = list};
	bool is_ordered = list->max != SIZE_MAX || !uuid_is_none(list->after.id);
	for (size_t k = 0; k < runs->count; k++)
		is_ordered = is_ordered || (is_narrow(&runs->at[k]) && runs->at[k].patterns.count > 1);
	s.x = is_ordered ? NULL : x;
	for (; s.kind < KIND_COUNT; s.kind++)
		if (kind_fits(runs, s.kind))
			TRY(find_items_of_kind(&s));
	ec2_release_tables(e);
	if (is_ordered && list->items.count)
		qsort(list->items.at, list->items.count, sizeof list->items.at[0], compare_items);
	return OK;
}

/* Prefetches tags and texts of later items. */
static ALWAYS_INLINE void ask_ahead(const struct tag_list *list, size_t k)
{
	if (k + ROWS_AHEAD < list->items.count)
		__builtin_prefetch(list->items.at[k + ROWS_AHEAD].tag);
	if (k + ROWS_AHEAD / 2 < list->items.count)
		__builtin_prefetch(list->items.at[k + ROWS_AHEAD / 2].tag->key.p);
}

static RESULT ec2_describe_tags(struct ec2_call *e, const void *args, struct xml *x)
{
	static const struct filters filters = FILTERS(tag_filters);
	const struct ec2_describe_tags *a = args;
	struct filter_runs runs;
	size_t max = a->query.max_results ? (size_t) a->query.max_results : SIZE_MAX;
	struct tag_list list = {.max = max};
	TRY(filters_compile(e, KIND_NONE, &filters, &a->query.filters, &runs));
	TRY(ec2_parse_token(e, a->query.next_token, &list.after));
	xml_open(x, "tagSet");
	TRY(find_items(e, &runs, &list, x));
	for (size_t k = 0; k < list.items.count && k < max; k++) {
		ask_ahead(&list, k);
		write_tag(x, &list.items.at[k]);
	}
	xml_close(x, "tagSet");
	if (list.has_more || list.items.count > max)
		xml_text(x, "nextToken", ec2_make_token(e, list.items.at[max - 1].place));
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeTags"), .args = PARAMS(struct ec2_describe_tags, describe_tags_params),
	 .answer = ec2_describe_tags, .filters = FILTERS(tag_filters),
	 .doc = "Lists the tags of the account's resources."},
	{EC2_ACTION("CreateTags"), .flags = API_WRITES, .args = PARAMS(struct tags_wish, create_tags_params),
	 .operation = engine_set_tags_run, .doc = "Sets tags on resources of any kind."},
	{EC2_ACTION("DeleteTags"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_delete_tags, delete_tags_params), .prepare = prepare_delete,
	 .operation = engine_delete_tags_run, .doc = "Deletes tags of resources."},
};
const struct api_actions ec2_tag_actions = API_ACTIONS(actions);
