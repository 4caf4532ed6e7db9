/* SPDX-License-Identifier: Apache-2.0
 * Matches rows against a query: a value against a field, a listing's filters, and the members that a row is
 * shown with. */
#include "api/openstack/core/filter.h"

#include "api/openstack/core/services.h"
#include "api/openstack/core/unknown.h"
#include "api/openstack/core/write.h"
#include "base/uuid_asked.h"

/* ---- values ---- */

bool os_is_uuid(uuid id, struct str value)
{
	uuid wanted;
	return result_is_ok(uuid_parse_asked(value, &wanted)) && uuid_equal(id, wanted);
}

/* Sources: attr_as_boolean() of Keystone's utils; convert_to_boolean() of neutron_lib's converters; bool_from_string() of
 * oslo.utils, which Nova and Cinder use. */
bool os_read_truth(const struct os_call *e, struct str value, bool *ret_truth)
{
	bool is_yes = str_equal_nocase(value, STR("true")) || str_is(value, "1");
	bool is_no = str_equal_nocase(value, STR("false")) || str_is(value, "0");
	bool is_said = os_parse_bool(str_trim(value), ret_truth);
	if (e->service == OS_IDENTITY)
		*ret_truth = !is_said || *ret_truth;
	else if (e->service == OS_NETWORK)
		*ret_truth = is_yes;
	return e->service == OS_NETWORK ? is_yes || is_no : is_said || e->service == OS_IDENTITY;
}

bool os_is_truth(const struct os_call *e, bool truth, struct str value)
{
	bool is_yes = false;
	return os_read_truth(e, value, &is_yes) && truth == is_yes;
}

static bool value_is(const struct os_call *e, enum field_type type, const char *const *words, const void *at,
		     struct str value)
{
	int64_t number = 0;
	struct ip ip;
	struct cidr cidr;
	struct mac mac;
	switch ((int) type) {
	case FIELD_TEXT:
		return str_equal(*(const struct str *) at, value);
	case FIELD_UUID:
		return str_is_empty(value) ? uuid_is_none(*(const uuid *) at)
					   : os_is_uuid(*(const uuid *) at, value);
	case FIELD_INT:
		return result_is_ok(str_parse_int(value, &number)) && number == *(const int64_t *) at;
	case FIELD_BOOL:
		return os_is_truth(e, *(const bool *) at, value);
	case FIELD_ENUM:
		return str_is(value, words[*(const int *) at]);
	case FIELD_IP:
		return result_is_ok(ip_parse(value, &ip)) && ip_equal(ip, *(const struct ip *) at);
	case FIELD_CIDR:
		return result_is_ok(cidr_parse(value, &cidr)) && cidr_equal(cidr, *(const struct cidr *) at);
	case FIELD_MAC:
		return result_is_ok(mac_parse_any(value, &mac)) && memcmp(&mac, at, sizeof mac) == 0;
	default:
		return false;
	}
}

bool os_field_is(const struct os_call *e, const struct field *field, const struct row *row, struct str value)
{
	return value_is(e, field->type, field->words, query_field_at(field, row), value);
}

/* The value that the JSON of a fixed member says: the text within its quotes; p NULL: null. */
static struct str read_fixed(struct str json)
{
	if (json.n >= 2 && json.p[0] == '"')
		return str_slice(json, 1, json.n - 1);
	return str_is(json, "null") ? STR_NONE : json;
}

/* Compares a query's value with an attribute's: ids, addresses, numbers and truths in any spelling, all others with the
 * text that the answer shows. An empty value fits a row without the attribute. */
struct asked_value {
	const struct os_call *e;
	struct str value;
};
static bool fits_attribute(const void *arg, const struct attribute *a, const void *at)
{
	const struct os_call *e = ((const struct asked_value *) arg)->e;
	const struct str value = ((const struct asked_value *) arg)->value;
	char room[ATTRIBUTE_TEXT_SIZE];
	struct str text = attribute_text(&os_style, a, at, room);
	bool is_true = str_is(text, "true"), is_truth = is_true || str_is(text, "false");
	int64_t number = 0, wanted = 0;
	if (a->form == ATTRIBUTE_FIXED)
		text = read_fixed(text);
	if (!text.p)
		return str_is_empty(value);
	switch ((int) a->form) {
	case ATTRIBUTE_ID:
	case ATTRIBUTE_HEX:
		return value_is(e, FIELD_UUID, NULL, at, value);
	case ATTRIBUTE_IP:
		return value_is(e, FIELD_IP, NULL, at, value);
	case ATTRIBUTE_CIDR:
		return value_is(e, FIELD_CIDR, NULL, at, value);
	case ATTRIBUTE_MAC:
		return value_is(e, FIELD_MAC, NULL, at, value);
	case ATTRIBUTE_INT:
		return result_is_ok(str_parse_int(text, &number)) &&
		       result_is_ok(str_parse_int(value, &wanted)) && number == wanted;
	case ATTRIBUTE_BOOL:
	case ATTRIBUTE_FIXED:
		return is_truth ? os_is_truth(e, is_true, value) : str_equal(text, value);
	default:
		return str_equal(text, value);
	}
}

/* Fields of every kind. */
static const struct field row_keys[] = {
	{.name = "created_at", .type = FIELD_INT, .offset = offsetof(struct row, created_us)},
	{.name = "updated_at", .type = FIELD_INT, .offset = offsetof(struct row, updated_us)},
	{.name = "id", .type = FIELD_UUID, .offset = offsetof(struct row, id)},
	{.name = "uuid", .type = FIELD_UUID, .offset = offsetof(struct row, id)},
};

const struct field *os_row_key_of(struct str name)
{
	for (size_t k = 0; k < sizeof row_keys / sizeof row_keys[0]; k++)
		if (str_is(name, row_keys[k].name))
			return &row_keys[k];
	return NULL;
}

/* ---- filters ---- */

bool os_make_filter(const struct os_listing *list, struct str name, int version, struct os_filter *ret_filter)
{
	struct attribute_found found = list->attributes ? attributes_find_filter(list->attributes, name)
							: (struct attribute_found){0};
	const struct attribute *a = found.attribute;
	if (!a || version < (a->filter_since ? a->filter_since : a->since))
		return false;
	const struct field *field = found.around[0] ? NULL : attribute_field(list->kind, a);
	*ret_filter = (struct os_filter){
		.name = a->filter,
		.field = field ? field->name : NULL,
		.is_id = a->form == ATTRIBUTE_ID && !a->get.any && !found.around[0] &&
			 a->via.kind == KIND_NONE && a->offset == offsetof(struct row, id),
		.is_time = a->flags & ATTRIBUTE_BOUNDS,
		.is_truth = a->form == ATTRIBUTE_BOOL || attribute_is_fixed_truth(a),
		.is_admins = a->flags & ATTRIBUTE_ADMIN,
		.is_name = a->flags & ATTRIBUTE_IS_NAME,
		.found = found,
	};
	for (size_t k = 0; a->paths && k < ACCESS_PATHS_MAX && a->paths[k].kind != KIND_NONE; k++)
		ret_filter->access_paths[k] = a->paths[k];
	return true;
}

const struct os_filter *os_find_filter(const struct os_filtering *f, struct str name)
{
	const struct os_filters *filters = &f->list->filters;
	for (size_t k = 0; k < filters->count; k++)
		if (str_is(name, filters->at[k].name) && f->e->request.version >= filters->at[k].since)
			return &filters->at[k];
	for (size_t k = 0; k < f->made.count; k++)
		if (str_is(name, f->made.at[k].name))
			return &f->made.at[k];
	return NULL;
}

/* Makes a filter for each attribute that the query names. */
static RESULT make_filters(struct os_filtering *f)
{
	const struct pairs *query = &f->e->request.query;
	struct os_filter filter;
	for (size_t k = 0; k < query->count; k++)
		if (!os_find_filter(f, query->at[k].name) &&
		    os_make_filter(f->list, query->at[k].name, f->e->request.version, &filter) &&
		    !VEC_PUSH(f->e->c->arena, &f->made, filter))
			return ctx_no_memory(f->e->c);
	return OK;
}

/* Parses "lte:2024-…" into the accepted orders (before, same, after) and the time; without an operator the
 * time must be equal. */
static RESULT read_bound(const struct os_filtering *f, const char *name, struct str bound,
			 bool ret_orders[static 3], int64_t *ret_us)
{
	static const struct {
		const char *word;
		bool before, same, after;
	} words[] = {{"gt:", 0, 0, 1},  {"gte:", 0, 1, 1}, {"lt:", 1, 0, 0},
		     {"lte:", 1, 1, 0}, {"neq:", 1, 0, 1}, {"eq:", 0, 1, 0}};
	ret_orders[0] = ret_orders[2] = false;
	ret_orders[1] = true;
	for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
		struct str word = str_from(words[k].word);
		if (!str_starts_with(bound, word))
			continue;
		ret_orders[0] = words[k].before;
		ret_orders[1] = words[k].same;
		ret_orders[2] = words[k].after;
		bound = str_slice(bound, word.n, bound.n);
		break;
	}
	return os_parse_time(f->e->c, bound, name, ret_us);
}

/* Compares whole seconds on both sides: answers show microseconds, and a value that is shown must find its row. */
static bool fits_bounds(const struct os_filtering *f, const struct os_filter *filter, const struct row *row,
			struct str value)
{
	const struct field *field = os_row_key_of(str_from(filter->name));
	int64_t time_us = *(const int64_t *) query_field_at(field, row), bound_us = 0;
	struct str bound;
	bool orders[3];
	time_us -= time_us % SECOND;
	while (str_split_next(&value, ',', &bound)) {
		if (!result_is_ok(read_bound(f, filter->name, bound, orders, &bound_us)))
			return false;
		bound_us -= bound_us % SECOND;
		if (!orders[time_us < bound_us ? 0 : 1 + (time_us > bound_us)])
			return false;
	}
	return true;
}

static bool is_word_of(const char *words, struct str name)
{
	struct str rest = str_from(words ? words : ""), word;
	while (str_split_next(&rest, '|', &word))
		if (str_equal(word, name))
			return true;
	return false;
}

/* Query names that the list itself reads. */
static bool is_of_lists(const struct os_filtering *f, struct str name)
{
	static const char words[] =
		"limit|marker|sort|sort_key|sort_dir|page_reverse|fields|all_tenants|all_projects|offset";
	return is_word_of(words, name) || is_word_of(f->list->others, name);
}

static RESULT check_name(struct os_filtering *f, struct str name)
{
	TRY(os_check_list_name(f->e, f->list, name));
	if (!os_find_filter(f, name) && !is_of_lists(f, name))
		f->has_members = f->e->service == OS_NETWORK || f->e->service == OS_IDENTITY;
	return OK;
}

/* Refuses values that cannot be compared with the filter's field. */
static RESULT check_value(const struct os_filtering *f, const struct os_filter *filter, struct str value)
{
	const struct field *field = query_find_field(f->list->kind, filter->field);
	bool is_bool = filter->is_truth || (field && field->type == FIELD_BOOL);
	struct str bound;
	bool orders[3], truth;
	int64_t us = 0;
	while (filter->is_time && str_split_next(&value, ',', &bound))
		TRY(read_bound(f, filter->name, bound, orders, &us));
	if (filter->is_pattern && !os_is_pattern(f->e, value)) /* Nova passes its database's message on */
		return ctx_fail_field(f->e->c, ERR_INVALID, str_from(filter->name),
				      "Invalid input for query parameters %s. Value: %" STR_FMT
				      ". It is not a regular expression.",
				      filter->name, STR_ARG(str_slice(value, 0, 64)));
	if (!is_bool || os_read_truth(f->e, value, &truth))
		return OK;
	return ctx_fail_field(f->e->c, ERR_INVALID, str_from(filter->name),
			      "Invalid input for %s. Reason: '%" STR_FMT "' cannot be converted to boolean.",
			      filter->name, STR_ARG(str_slice(value, 0, 64)));
}

RESULT os_check_filters(struct os_filtering *f)
{
	const struct pairs *query = &f->e->request.query;
	TRY(make_filters(f));
	for (size_t k = 0; k < query->count; k++) {
		const struct os_filter *filter = os_find_filter(f, query->at[k].name);
		TRY(check_name(f, query->at[k].name));
		if (filter)
			TRY(check_value(f, filter, query->at[k].value));
	}
	if (f->has_members)
		f->members = os_plan_members(f->e, f->list);
	return OK;
}

static bool fits_value(const struct os_filtering *f, const struct os_filter *filter, const struct row *row,
		       struct str value)
{
	if (filter->is_admins && !os_is_admin(f->e)) /* Neutron filters by what it does not show */
		return f->e->service != OS_NETWORK;
	if (filter->fits)
		return filter->fits(f->e, row, value);
	if (filter->is_id)
		return os_is_uuid(row->id, value);
	if (filter->is_time)
		return fits_bounds(f, filter, row, value);
	if (filter->is_name)
		return str_equal(os_row_name(f->list->kind, row), value);
	struct asked_value asked = {f->e, value};
	if (filter->found.attribute)
		return attribute_any(&f->e->core, os_tables(f->e), &filter->found, row, fits_attribute,
				     &asked);
	const struct field *field = query_find_field(f->list->kind, filter->field);
	if (filter->is_pattern && field->type == FIELD_TEXT)
		return os_pattern_fits(f->e, value, *(const struct str *) query_field_at(field, row));
	return os_field_is(f->e, field, row, value);
}

/* Several values of one name: any must match, or all if the filter says so. Different names: all must
 * match. */
static bool fits_filters(const struct os_filtering *f, const struct row *row)
{
	const struct pairs *query = &f->e->request.query;
	for (size_t k = 0; k < query->count; k++) {
		const struct os_filter *filter = os_find_filter(f, query->at[k].name);
		bool fits = !filter;
		if (filter && filter->needs_all && !fits_value(f, filter, row, query->at[k].value))
			return false;
		for (size_t n = 0; n < query->count && !fits; n++)
			fits = str_equal(query->at[n].name, query->at[k].name) &&
			       fits_value(f, filter, row, query->at[n].value);
		if (!fits)
			return false;
	}
	return true;
}

/* ---- members as filters ---- */

/* Returns the members that the row is shown with; NULL: no memory. */
json_t *os_members_of(struct os_call *e, const struct os_listing *list, const void *item)
{
	struct buf all;
	struct json_writer w;
	buf_init(&all, BUF_ANSWER_CAP);
	json_write_begin(&w, &all);
	json_write_open(&w, NULL);
	os_write_item(e, list, item, &w);
	json_write_close(&w);
	struct result result = json_write_end(&w);
	json_t *members = result_is_ok(result) ? json_loadb(all.p, all.size, 0, NULL) : NULL;
	buf_done(&all);
	return members;
}

static bool member_is(const struct os_call *e, const json_t *member, struct str value)
{
	int64_t number = 0;
	switch ((int) json_typeof(member)) {
	case JSON_STRING:
		return str_is(value, json_string_value(member));
	case JSON_INTEGER:
		return result_is_ok(str_parse_int(value, &number)) && number == json_integer_value(member);
	case JSON_TRUE:
	case JSON_FALSE:
		return os_is_truth(e, json_is_true(member), value);
	case JSON_NULL:
		return str_is_empty(value);
	default:
		return true; /* ignore lists and objects */
	}
}

/* Applies Keystone's inexact filters, "name__icontains=a". Source: Keystone, build_driver_hints(). */
static bool fits_inexactly(struct os_call *e, const json_t *members, struct str name, struct str value)
{
	size_t at = 1;
	while (at + 2 < name.n && memcmp(name.p + at, "__", 2) != 0)
		at++;
	const json_t *member = json_object_getn(members, name.p, at);
	struct str how = str_slice(name, at + 2, name.n);
	if (e->service != OS_IDENTITY || at + 2 >= name.n || !member)
		return true;
	struct str text = str_from(json_string_value(member));
	if (how.p[0] == 'i') {
		how = str_slice(how, 1, how.n);
		text = str_lower(e->c->arena, text);
		value = str_lower(e->c->arena, value);
	}
	return str_is(how, "contains")     ? str_contains(text, value)
	       : str_is(how, "startswith") ? str_starts_with(text, value)
	       : str_is(how, "endswith")   ? str_ends_with(text, value)
					   : true;
}

/* Compares the members with the query; ignores names that the row has no member for. */
static bool has_members(const struct os_filtering *f, const json_t *members)
{
	const struct pairs *query = &f->e->request.query;
	for (size_t k = 0; k < query->count; k++) {
		struct str name = query->at[k].name;
		const json_t *member = json_object_getn(members, name.p, name.n);
		bool fits = !member || os_find_filter(f, name) || is_of_lists(f, name);
		for (size_t n = 0; n < query->count && !fits; n++)
			fits = str_equal(query->at[n].name, name) &&
			       member_is(f->e, member, query->at[n].value);
		if (!fits || (!member && !fits_inexactly(f->e, members, name, query->at[k].value)))
			return false;
	}
	return true;
}

RESULT os_fits(const struct os_filtering *f, const struct row *row, bool *ret_fits)
{
	*ret_fits = fits_filters(f, row);
	if (!*ret_fits || !f->has_members)
		return OK;
	const void *item = os_gather_one(f->e, f->list, f->members, row);
	json_t *members = item ? os_members_of(f->e, f->list, item) : NULL;
	if (!members)
		return ctx_no_memory(f->e->c);
	*ret_fits = has_members(f, members);
	json_decref(members);
	return OK;
}
