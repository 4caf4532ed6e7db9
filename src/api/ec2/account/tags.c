/* SPDX-License-Identifier: Apache-2.0
 * Tags: CreateTags, DeleteTags, DescribeTags. */
#include <stdlib.h>

#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/tag.h"
#include "model/id.h"
#include "model/term.h"

/* ---- create and delete ---- */

#define P(wire, member, ...) PARAM(struct tags_wish, wire, member, __VA_ARGS__)
#define RESOURCES                                                                                            \
	P("ResourceId", resources, .flags = REQUIRED | ANY_KIND,                                             \
	  .doc = "Resources of any kind: all or none is changed.")
static const struct param create_tags_params[] = {
	RESOURCES,
	PARAM_LIST(struct tags_wish, "Tag", tags, ec2_tag_params, .flags = REQUIRED,
		   .doc = "Tags to set; one of the same key is overwritten."),
};

static const struct param removal_rows[] = {
	PARAM(struct tag_removal, "Key", key, .flags = REQUIRED, .max = TAG_KEY_MAX, .doc = "The tag's key."),
	PARAM(struct tag_removal, "Value", value, .max = TAG_VALUE_MAX,
	      .given = offsetof(struct tag_removal, with_value) + 1, .doc = "Only if it has this value."),
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
	      .doc = "Resources of any kind: all or none is changed."),
	PARAM_LIST(struct ec2_delete_tags, "Tag", removals, removal_params,
		   .doc = "Tags to remove; none named: all."),
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

/* EC2's words for the kinds that have tags. */
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
	[KIND_NETWORK_ACL] = "network-acl",
	[KIND_SECURITY_GROUP] = "security-group",
	[KIND_SECURITY_GROUP_RULE] = "security-group-rule",
	[KIND_PORT] = "network-interface",
	[KIND_ADDRESS] = "elastic-ip",
	[KIND_SNAPSHOT] = "snapshot",
	[KIND_IMPORT_SNAPSHOT_TASK] = "import-snapshot-task",
	[KIND_IMPORT_IMAGE_TASK] = "import-image-task",
	[KIND_VOLUME] = "volume",
	[KIND_INSTANCE] = "instance",
	[KIND_SERVER_GROUP] = "placement-group",
	[KIND_LAUNCH_TEMPLATE] = "launch-template",
	[KIND_ADDRESS_GROUP] = "prefix-list",
};

/* One tag of one resource. The id is the resource's with the tag's number for the last byte, which EC2's ids
 * do not show: it stands for the tag in tokens. */
struct tag_item {
	uuid id;
	enum kind kind;
	const struct tag *tag;
};

/* What filters look at. */
struct tag_row {
	struct row row;
	struct tag_item item;
};

#define ALL SIZE_MAX
struct tag_list {
	VEC(struct tag_item) items;
	uuid after;      /* the last item of the page before */
	uuid rows_after; /* rows behind this one have items behind that */
	size_t enough;   /* items of a walk that goes in the order of ids; ALL */
	uint64_t looked_at;
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
	return filter_z(f, resource_types[item_of(row)->kind]);
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

static RESULT add_row(struct ec2_call *e, const struct filter_runs *runs, enum kind kind,
		      const struct row *row, struct tag_list *list)
{
	const struct tags *tags = ec2_tags_of(e, kind, row);
	list->looked_at++;
	for (size_t k = 0; k < tags->count; k++) {
		struct tag_row found = {.item = {.id = row->id, .kind = kind, .tag = &tags->at[k]}};
		found.item.id.b[sizeof(uuid) - 1] = (uint8_t) k;
		if (uuid_compare(found.item.id, list->after) > 0 &&
		    filters_fit(runs, ec2_tables(e), &found.row) &&
		    !VEC_PUSH(e->c->arena, &list->items, found.item))
			return ctx_no_memory(e->c);
	}
	return OK;
}

static RESULT add_by_term(struct ec2_call *e, const struct filter_runs *runs, enum kind kind, uint64_t term,
			  struct tag_list *list)
{
	const struct tables *t = ec2_tables(e);
	size_t before = list->items.count;
	const struct term *at = tables_first_term(t, kind, term, list->rows_after), *next = 0;
	for (; at && list->items.count - before < list->enough; at = next) {
		next = tables_next_term(t, kind, at);
		if (next)
			row_prefetch(&model_kinds[kind], term_row(next));
		TRY(add_row(e, runs, kind, term_row(at), list));
	}
	return OK;
}

/* Rows by what the filter names: a tag's key, with its value or without, or the row's id. */
static RESULT add_by_filter(struct ec2_call *e, const struct filter_runs *runs, const struct filter_run *by,
			    enum kind kind, struct tag_list *list)
{
	uuid account = engine_get_account(e->c);
	for (size_t k = 0; k < by->patterns.count; k++) {
		struct str value = by->patterns.at[k];
		struct ref ref;
		if (by->filter->get == fits_pair)
			TRY(add_by_term(e, runs, kind, term_of_tag(account, by->tag_key, value), list));
		else if (by->filter->get == fits_key)
			TRY(add_by_term(e, runs, kind, term_of_tag_key(account, value), list));
		else if (result_is_ok(id_parse_ec2(value, kind, &ref))) {
			const struct row *row = tables_find_prefix(ec2_tables(e), kind, ref.prefix, ref.bits);
			if (row)
				TRY(add_row(e, runs, kind, row, list));
		}
	}
	return OK;
}

/* Whether tags of that kind may fit. */
static bool kind_fits(const struct filter_runs *runs, enum kind kind)
{
	const struct tag_row any = {.item = {.kind = kind}};
	bool fits = resource_types[kind];
	for (size_t k = 0; fits && k < runs->count; k++)
		fits = runs->at[k].filter->get != fits_type || fits_type(&runs->at[k], &any.row);
	return fits;
}

/* The filter that leaves the fewest rows to look at; NULL: none names any. */
static const struct filter_run *find_narrow(const struct filter_runs *runs)
{
	static bool (*const narrow[])(const struct filter_run *f,
				      const struct row *row) = {fits_resource, fits_pair, fits_key};
	for (size_t n = 0; n < sizeof narrow / sizeof narrow[0]; n++)
		for (size_t k = 0; k < runs->count; k++)
			if (runs->at[k].is_plain && runs->at[k].filter->get == narrow[n])
				return &runs->at[k];
	return 0;
}

static int compare_items(const void *a, const void *b)
{
	return uuid_compare(((const struct tag_item *) a)->id, ((const struct tag_item *) b)->id);
}

static void write_tag(struct xml *x, const struct tag_item *item)
{
	xml_open(x, "item");
	ec2_write_id(x, "resourceId", item->kind, item->id);
	xml_z(x, "resourceType", resource_types[item->kind]);
	xml_text(x, "key", item->tag->key);
	xml_text(x, "value", item->tag->value);
	xml_close(x, "item");
}

/* The row before all whose items are behind that one: the number may be any in its place. */
static uuid row_before(uuid after)
{
	size_t k = sizeof after.b - 1;
	if (uuid_is_none(after))
		return after;
	after.b[k] = 0;
	while (after.b[k]-- == 0 && k > 0)
		k--;
	return after;
}

/* By id, none twice. */
static void put_in_order(struct tag_list *list)
{
	struct tag_item *items = list->items.at;
	size_t kept = 0;
	if (list->items.count)
		qsort(items, list->items.count, sizeof items[0], compare_items);
	for (size_t k = 0; k < list->items.count; k++)
		if (k == 0 || uuid_compare(items[k].id, items[kept - 1].id) > 0)
			items[kept++] = items[k];
	list->items.count = kept;
}

/* Pages are in the order of ids; all at once may come as they are found, if no value finds what another
 * did. */
static RESULT find_items(struct ec2_call *e, const struct filter_runs *runs, struct tag_list *list)
{
	const struct filter_run *narrow = find_narrow(runs);
	uint64_t any = term_of_tagged(engine_get_account(e->c));
	for (enum kind kind = KIND_NONE; kind < KIND_COUNT; kind++)
		if (kind_fits(runs, kind))
			TRY(narrow ? add_by_filter(e, runs, narrow, kind, list)
				   : add_by_term(e, runs, kind, any, list));
	ec2_release_tables(e);
	__atomic_fetch_add(e->rows_looked_at, list->looked_at, __ATOMIC_RELAXED);
	if (list->enough != ALL || !uuid_is_none(list->after) || (narrow && narrow->patterns.count > 1))
		put_in_order(list);
	return OK;
}

/* For the tags of items further on, and for their texts. */
static void ask_ahead(const struct tag_list *list, size_t k)
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
	size_t max = a->query.max_results ? (size_t) a->query.max_results : ALL;
	struct tag_list list = {.enough = max == ALL ? ALL : max + 1};
	TRY(filters_compile(e, KIND_NONE, &filters, &a->query.filters, &runs));
	TRY(ec2_parse_token(e, a->query.next_token, &list.after));
	list.rows_after = row_before(list.after);
	TRY(find_items(e, &runs, &list));
	xml_open(x, "tagSet");
	for (size_t k = 0; k < list.items.count && k < max; k++) {
		ask_ahead(&list, k);
		write_tag(x, &list.items.at[k]);
	}
	xml_close(x, "tagSet");
	if (list.items.count > max)
		xml_text(x, "nextToken", ec2_make_token(e, list.items.at[max - 1].id));
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeTags"), .args = PARAMS(struct ec2_describe_tags, describe_tags_params),
	 .answer = ec2_describe_tags, .filters = FILTERS(tag_filters),
	 .doc = "Tags of the account's resources."},
	{EC2_ACTION("CreateTags"), .flags = API_WRITES, .args = PARAMS(struct tags_wish, create_tags_params),
	 .operation = engine_set_tags_run, .doc = "Sets tags of resources of any kind."},
	{EC2_ACTION("DeleteTags"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_delete_tags, delete_tags_params), .prepare = prepare_delete,
	 .operation = engine_delete_tags_run, .doc = "Removes tags."},
};
const struct api_actions ec2_tag_actions = API_ACTIONS(actions);
