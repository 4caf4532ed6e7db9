/* SPDX-License-Identifier: Apache-2.0
 * Parses price lists from YAML (libyaml). Accepts only the mappings and lists in the tables below, without
 * anchors, aliases or tags. */
#include "metering/price_list.h"

#include <inttypes.h>
#include <yaml.h>

#include "base/clock.h"

const struct unit_info unit_infos[UNIT_COUNT] = {
	[UNIT_HOUR] = {"hour", "Hours", "Seconds", false, false, 1},
	[UNIT_VCPU_HOUR] = {"vcpu_hour", "vCPU-Hours", "vCPU-Seconds", true, false, 1},
	[UNIT_UNIT_HOUR] = {"unit_hour", "Unit-Hours", "Unit-Seconds", true, false, 1},
	[UNIT_GIB_MONTH] = {"gib_month", "GiB-Months", "GiB-Seconds", true, true, INT64_C(1) << 30},
	[UNIT_IOPS_MONTH] = {"iops_month", "IOPS-Months", "IOPS-Seconds", true, true, 1},
	[UNIT_RATE_MONTH] = {"rate_month", "MiBps-Months", "MiBps-Seconds", true, true, 1},
	[UNIT_GB] = {"gb", "GB", "GB", true, false, 1000000000, true},
	[UNIT_MONTH] = {"month", "Months", "Months", false, true, 1},
};

static const struct meter_info meters[] = {
#define METER(name, units, service, category, subcategory, resource, measured)                               \
	{name, units, service, category, subcategory, resource, measured},
#include "metering/meters.def"
#undef METER
};

const struct meter_info *meter_info_find(struct str meter)
{
	struct str name = str_slice(meter, 0, str_find_char(meter, ':', 0));
	for (size_t k = 0; k < sizeof meters / sizeof *meters; k++)
		if (str_is(name, meters[k].name))
			return &meters[k];
	return NULL;
}

struct str meter_info_price_name(struct arena *a, struct str meter)
{
	struct str rest = meter, piece = STR_NONE;
	if (!str_starts_with(meter, STR("server:")))
		return meter;
	for (int k = 0; k < 4; k++)
		(void) str_split_next(&rest, ':', &piece);
	return str_print(a, "held:%" STR_FMT, STR_ARG(rest));
}

/* ---- YAML ---- */

struct reading {
	struct ctx *c;
	yaml_document_t document;
	struct price_list *list;
};

#define NODE(r, number) yaml_document_get_node(&(r)->document, (number))

static size_t line_of(const yaml_node_t *node)
{
	return node->start_mark.line + 1;
}

#define FAULT(r, node, format, ...)                                                                          \
	ctx_fail((r)->c, ERR_INVALID, "line %zu: " format, line_of(node) __VA_OPT__(, ) __VA_ARGS__)

static struct str text_of(const yaml_node_t *node)
{
	return (struct str){(const char *) node->data.scalar.value, node->data.scalar.length};
}

static bool is_null(const yaml_node_t *node)
{
	return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (str_is(text_of(node), "null") || str_is(text_of(node), "~") || !text_of(node).n);
}

/* A mapping's member: its name, and the function that parses its value. */
struct member {
	const char *name;
	RESULT (*read)(struct reading *r, const yaml_node_t *node, void *into);
};

static RESULT read_member(struct reading *r, const struct member *members, size_t count,
			  const yaml_node_pair_t *pair, uint64_t *seen, void *into)
{
	const yaml_node_t *key = NODE(r, pair->key), *value = NODE(r, pair->value);
	struct str name = key->type == YAML_SCALAR_NODE ? text_of(key) : STR_NONE;
	for (size_t k = 0; k < count; k++) {
		if (!str_is(name, members[k].name))
			continue;
		if (*seen & (UINT64_C(1) << k))
			return FAULT(r, key, "%s is there twice", members[k].name);
		*seen |= UINT64_C(1) << k;
		return members[k].read(r, value, into);
	}
	return FAULT(r, key, "'%" STR_FMT "' has no meaning here", STR_ARG(str_slice(name, 0, 40)));
}

static RESULT read_mapping(struct reading *r, const yaml_node_t *node, const struct member *members,
			   size_t count, void *into)
{
	uint64_t seen = 0;
	if (node->type != YAML_MAPPING_NODE)
		return FAULT(r, node, "here stand names with their values");
	for (const yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
	     p++)
		TRY(read_member(r, members, count, p, &seen, into));
	return OK;
}
#define MAPPING(r, node, members, into)                                                                      \
	read_mapping(r, node, members, sizeof(members) / sizeof *(members), into)

static RESULT begin_list(struct reading *r, const yaml_node_t *node, size_t max, size_t *ret_count)
{
	if (node->type != YAML_SEQUENCE_NODE)
		return FAULT(r, node, "here stands a list");
	*ret_count = (size_t) (node->data.sequence.items.top - node->data.sequence.items.start);
	return *ret_count <= max ? OK : FAULT(r, node, "there may be %zu here at most", max);
}

static const yaml_node_t *list_item(struct reading *r, const yaml_node_t *node, size_t k)
{
	return NODE(r, node->data.sequence.items.start[k]);
}

/* ---- scalars ---- */

static RESULT read_text(struct reading *r, const yaml_node_t *node, void *into)
{
	if (node->type != YAML_SCALAR_NODE || text_of(node).n > PRICE_NAME_MAX || !str_is_line(text_of(node)))
		return FAULT(r, node, "here stands a text of %d characters at most", PRICE_NAME_MAX);
	struct str *text = into;
	*text = is_null(node) ? STR_NONE : str_copy(r->c->arena, text_of(node));
	return text->p || is_null(node) ? OK : ctx_no_memory(r->c);
}

static RESULT read_price(struct reading *r, const yaml_node_t *node, void *into)
{
	if (node->type == YAML_SCALAR_NODE && result_is_ok(money_parse_micro(text_of(node), into)))
		return OK;
	return FAULT(r, node, "here stands a number that is not below 0, with six decimals at most");
}

static RESULT read_count(struct reading *r, const yaml_node_t *node, void *into)
{
	int64_t *count = into;
	if (node->type == YAML_SCALAR_NODE && result_is_ok(str_parse_int(text_of(node), count)) &&
	    *count >= 0 && *count <= INT32_MAX)
		return OK;
	return FAULT(r, node, "here stands a whole number that is not below 0");
}

static RESULT read_time(struct reading *r, const yaml_node_t *node, void *into)
{
	int64_t at_us = 0;
	if (node->type != YAML_SCALAR_NODE || !result_is_ok(clock_parse(text_of(node), &at_us)) ||
	    at_us % SECOND)
		return FAULT(r, node, "here stands a time as 2026-11-01T00:00:00Z");
	*(int64_t *) into = at_us / SECOND;
	return OK;
}

static RESULT read_unit(struct reading *r, const yaml_node_t *node, void *into)
{
	for (int k = 0; node->type == YAML_SCALAR_NODE && k < UNIT_COUNT; k++)
		if (k != UNIT_MONTH && str_is(text_of(node), unit_infos[k].word)) {
			*(int *) into = k;
			return OK;
		}
	return FAULT(r, node,
		     "units are hour, vcpu_hour, unit_hour, gib_month, iops_month, rate_month and gb");
}

/* ---- items ---- */

/* Parsed fields from which a price_item is made. */
struct draft {
	struct price_item item;
	int unit;
	int64_t price, free;
	bool has_price, has_tiers;
	struct str tier_scope, free_scope;
};

#define READ_INTO(name, type, member, reader)                                                                \
	static RESULT name(struct reading *r, const yaml_node_t *node, void *into)                           \
	{                                                                                                    \
		return reader(r, node, &((struct type *) into)->member);                                     \
	}
READ_INTO(read_sku, draft, item.sku, read_text)
READ_INTO(read_words, draft, item.text, read_text)
READ_INTO(read_meter, draft, item.meter, read_text)
READ_INTO(read_item_unit, draft, unit, read_unit)
READ_INTO(read_minimum, draft, item.minimum_s, read_count)
READ_INTO(read_round_up, draft, item.round_up_s, read_count)
READ_INTO(read_free, draft, free, read_price)
READ_INTO(read_tier_scope, draft, tier_scope, read_text)
READ_INTO(read_free_scope, draft, free_scope, read_text)
READ_INTO(read_zone, draft, item.zone, read_text)
READ_INTO(read_tier_price, price_tier, price, read_price)
READ_INTO(read_upto, price_tier, upto, read_price)

static RESULT read_item_price(struct reading *r, const yaml_node_t *node, void *into)
{
	struct draft *d = into;
	d->has_price = true;
	return read_price(r, node, &d->price);
}

static RESULT read_vcpus(struct reading *r, const yaml_node_t *node, void *into)
{
	struct price_item *item = &((struct draft *) into)->item;
	size_t count = 0;
	TRY(begin_list(r, node, 2, &count));
	if (count != 2)
		return FAULT(r, node, "vcpus are from and until: [1, 4]");
	TRY(read_count(r, list_item(r, node, 0), &item->level_min));
	TRY(read_count(r, list_item(r, node, 1), &item->level_max));
	return item->level_min <= item->level_max ? OK : FAULT(r, node, "vcpus are from and until: [1, 4]");
}

static RESULT read_when(struct reading *r, const yaml_node_t *node, void *into)
{
	static const struct member members[] = {{"vcpus", read_vcpus}, {"zone", read_zone}};
	return MAPPING(r, node, members, into);
}

static RESULT read_tier(struct reading *r, const yaml_node_t *node, struct price_tier *tier)
{
	static const struct member members[] = {{"upto", read_upto}, {"price", read_tier_price}};
	*tier = (struct price_tier){.upto = INT64_MAX, .price = -1};
	TRY(MAPPING(r, node, members, tier));
	return tier->price >= 0 ? OK : FAULT(r, node, "a tier has a price");
}

static RESULT read_tiers(struct reading *r, const yaml_node_t *node, void *into)
{
	struct draft *d = into;
	struct price_item *item = &d->item;
	d->has_tiers = true;
	TRY(begin_list(r, node, PRICE_TIERS_MAX - 1, &item->tier_count));
	for (size_t k = 0; k < item->tier_count; k++) {
		const yaml_node_t *at = list_item(r, node, k);
		TRY(read_tier(r, at, &item->tiers[k]));
		bool is_last = k + 1 == item->tier_count;
		if ((item->tiers[k].upto == INT64_MAX) != is_last)
			return FAULT(r, at, "the last tier, and no other, is without upto");
		if (k && item->tiers[k].upto <= item->tiers[k - 1].upto)
			return FAULT(r, at, "tiers rise");
	}
	return item->tier_count ? OK : FAULT(r, node, "there is one tier at least");
}

/* A free amount becomes the first tier, and the others start after it. */
static RESULT add_free(struct reading *r, const yaml_node_t *node, struct draft *d)
{
	struct price_item *item = &d->item;
	if (!d->free)
		return OK;
	memmove(item->tiers + 1, item->tiers, item->tier_count * sizeof *item->tiers);
	item->tier_count++;
	item->tiers[0] = (struct price_tier){.upto = d->free};
	for (size_t k = 1; k + 1 < item->tier_count; k++)
		if (__builtin_add_overflow(item->tiers[k].upto, d->free, &item->tiers[k].upto))
			return FAULT(r, node, "a tier ends too far away");
	return OK;
}

static RESULT finish_item(struct reading *r, const yaml_node_t *node, struct draft *d)
{
	struct price_item *item = &d->item;
	const struct meter_info *meter = meter_info_find(item->meter);
	if (!item->sku.n || !item->meter.n || d->unit < 0)
		return FAULT(r, node, "an item has sku, meter and unit");
	if (!meter)
		return FAULT(r, node, "there is no meter '%" STR_FMT "'", STR_ARG(item->meter));
	item->unit = (enum unit) d->unit;
	if (!(meter->units & (1u << item->unit)))
		return FAULT(r, node, "%s is no unit of %s", unit_infos[item->unit].word, meter->name);
	if (unit_infos[item->unit].is_counter && (item->minimum_s || item->round_up_s))
		return FAULT(r, node, "what is counted has no minimum_s and no round_up_s");
	if (d->has_price == d->has_tiers)
		return FAULT(r, node, "an item has either a price or tiers; nothing is a price of 0");
	if ((d->tier_scope.n && !str_is(d->tier_scope, "account")) ||
	    (d->free_scope.n && !str_is(d->free_scope, "account")))
		return FAULT(r, node, "the only scope of tiers and of what is free is account");
	if (d->has_price) {
		item->tiers[0] = (struct price_tier){.upto = INT64_MAX, .price = d->price};
		item->tier_count = 1;
	}
	TRY(add_free(r, node, d));
	item->is_tiered = item->tier_count > 1;
	item->line = line_of(node);
	return OK;
}

static RESULT read_item(struct reading *r, const yaml_node_t *node, struct price_item *ret_item)
{
	static const struct member members[] = {{"sku", read_sku},
						{"text", read_words},
						{"meter", read_meter},
						{"unit", read_item_unit},
						{"price", read_item_price},
						{"tiers", read_tiers},
						{"free", read_free},
						{"tier_scope", read_tier_scope},
						{"free_scope", read_free_scope},
						{"minimum_s", read_minimum},
						{"round_up_s", read_round_up},
						{"when", read_when}};
	struct draft d = {.unit = -1, .item.level_max = INT64_MAX};
	TRY(MAPPING(r, node, members, &d));
	TRY(finish_item(r, node, &d));
	*ret_item = d.item;
	return OK;
}

static RESULT read_items(struct reading *r, const yaml_node_t *node, void *into)
{
	(void) into;
	size_t count = 0;
	TRY(begin_list(r, node, PRICE_ITEMS_MAX, &count));
	struct price_item *items = arena_new_array(r->c->arena, struct price_item, count + 1);
	if (!items)
		return ctx_no_memory(r->c);
	for (size_t k = 0; k < count; k++)
		TRY(read_item(r, list_item(r, node, k), &items[k]));
	r->list->items = items;
	r->list->item_count = count;
	return OK;
}

/* ---- discounts ---- */

READ_INTO(read_match, price_discount, match, read_text)
READ_INTO(read_percent, price_discount, millionths, read_price)

static RESULT read_discount(struct reading *r, const yaml_node_t *node, struct price_discount *d)
{
	static const struct member members[] = {{"match", read_match}, {"percent", read_percent}};
	TRY(MAPPING(r, node, members, d));
	if (!d->match.n || d->millionths > 100 * MICRO || d->millionths % 100)
		return FAULT(r, node,
			     "a discount has match and percent, 0 to 100 with four decimals at most");
	d->millionths /= 100;
	d->line = line_of(node);
	return OK;
}

static RESULT read_discounts(struct reading *r, const yaml_node_t *node, void *into)
{
	(void) into;
	size_t count = 0;
	TRY(begin_list(r, node, PRICE_ITEMS_MAX, &count));
	struct price_discount *discounts = arena_new_array(r->c->arena, struct price_discount, count + 1);
	if (!discounts)
		return ctx_no_memory(r->c);
	for (size_t k = 0; k < count; k++)
		TRY(read_discount(r, list_item(r, node, k), &discounts[k]));
	r->list->discounts = discounts;
	r->list->discount_count = count;
	return OK;
}

/* ---- the list ---- */

READ_INTO(read_name, price_list, name, read_text)
READ_INTO(read_currency, price_list, currency, read_text)
READ_INTO(read_from, price_list, from_s, read_time)
READ_INTO(read_parent, price_list, parent, read_text)
READ_INTO(read_owner, price_list, owner, read_text)
READ_INTO(read_seller, price_list, seller, read_text)

static bool is_currency(struct str s)
{
	bool is_word = s.n == 3;
	for (size_t k = 0; is_word && k < s.n; k++)
		is_word = s.p[k] >= 'A' && s.p[k] <= 'Z';
	return is_word;
}

static RESULT read_head(struct reading *r, const yaml_node_t *node, void *into)
{
	static const struct member members[] = {{"name", read_name},   {"currency", read_currency},
						{"from", read_from},   {"parent", read_parent},
						{"owner", read_owner}, {"seller", read_seller}};
	struct price_list *list = into;
	list->from_s = INT64_MIN;
	TRY(MAPPING(r, node, members, list));
	if (!list->name.n || list->from_s == INT64_MIN || !is_currency(list->currency))
		return FAULT(r, node, "price_list has name, currency (as EUR) and from");
	if (str_contains(list->name, STR("/")))
		return FAULT(r, node, "the name of a price list has no '/'");
	if (list->owner.n && !list->parent.n)
		return FAULT(r, node, "a list with an owner has a parent");
	return OK;
}

static RESULT read_document(struct reading *r)
{
	static const struct member members[] = {
		{"price_list", read_head}, {"items", read_items}, {"discounts", read_discounts}};
	const yaml_node_t *root = yaml_document_get_root_node(&r->document);
	if (!root)
		return ctx_fail(r->c, ERR_INVALID, "line 1: the file is empty");
	TRY(MAPPING(r, root, members, r->list));
	if (!r->list->name.n)
		return FAULT(r, root, "there is no price_list");
	if (r->list->discount_count && !r->list->owner.n)
		return FAULT(r, root, "discounts are of a list with an owner");
	return OK;
}

/* Refuses aliases, which would make a node appear in several places or even inside itself. */
static RESULT check_events(struct ctx *c, struct str yaml)
{
	yaml_parser_t parser;
	yaml_event_t event;
	bool goes_on = true, is_refused = false;
	size_t line = 0;
	if (!yaml_parser_initialize(&parser))
		return ctx_no_memory(c);
	yaml_parser_set_input_string(&parser, (const unsigned char *) yaml.p, yaml.n);
	while (goes_on && yaml_parser_parse(&parser, &event)) {
		is_refused = event.type == YAML_ALIAS_EVENT;
		line = event.start_mark.line + 1;
		goes_on = !is_refused && event.type != YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return is_refused ? ctx_fail(c, ERR_INVALID, "line %zu: aliases have no place here", line) : OK;
}

RESULT price_list_read(struct ctx *c, struct str yaml, struct price_list *ret_list)
{
	struct price_list list = {0};
	struct reading r = {.c = c, .list = &list};
	yaml_parser_t parser;
	if (yaml.n > PRICE_TEXT_MAX)
		return ctx_fail(c, ERR_INVALID, "a price list has %d bytes at most", PRICE_TEXT_MAX);
	TRY(check_events(c, yaml));
	if (!yaml_parser_initialize(&parser))
		return ctx_no_memory(c);
	yaml_parser_set_input_string(&parser, (const unsigned char *) yaml.p, yaml.n);
	struct result result = OK;
	if (yaml_parser_load(&parser, &r.document)) {
		result = read_document(&r);
		yaml_document_delete(&r.document);
	} else {
		result = ctx_fail(c, ERR_INVALID, "line %zu: %s", parser.problem_mark.line + 1,
				  parser.problem ? parser.problem : "it is no YAML");
	}
	yaml_parser_delete(&parser);
	if (result_is_ok(result))
		*ret_list = list;
	return result;
}
