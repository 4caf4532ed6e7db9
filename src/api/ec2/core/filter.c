/* SPDX-License-Identifier: Apache-2.0
 * Filters: turns names and values of a request into comparisons of rows. */
#include "api/ec2/core/filter.h"

#include "model/id.h"
#include "model/state.h"
#include "store/instance_type.h"
#include "store/query.h"
#include "store/zone.h"

enum { FILTER_VALUES_MAX = 200, ID_SHOWN_SIZE = 256 };

/* ---- compiling ---- */

static bool has_wildcard(struct strs patterns)
{
	for (size_t k = 0; k < patterns.count; k++)
		for (size_t n = 0; n < patterns.at[k].n; n++)
			if (strchr("*?\\", patterns.at[k].p[n]))
				return true;
	return false;
}

static bool compile_tag_filter(const struct ec2_filter *asked, struct filter_run *run)
{
	if (str_starts_with(asked->name, STR("tag:"))) {
		run->what = FILTER_TAG;
		run->tag_key = str_slice(asked->name, 4, asked->name.n);
	} else if (str_is(asked->name, "tag-key")) {
		run->what = FILTER_TAG_KEY;
	} else if (str_is(asked->name, "tag-value")) {
		run->what = FILTER_TAG_VALUE;
	} else {
		return false;
	}
	return query_find_field(run->kind, "tags") != NULL;
}

/* The table's "tag:" accepts "tag:KEY". */
static bool is_called(const struct filter *filter, struct str name, struct str *ret_rest)
{
	size_t n = strlen(filter->name);
	bool is_open = filter->name[n - 1] == ':';
	*ret_rest = is_open ? str_slice(name, n, name.n) : STR_NONE;
	return is_open ? str_starts_with(name, str_from(filter->name)) : str_is(name, filter->name);
}

/* ---- filters of attributes ---- */

static bool fits_text(const void *arg, const struct attribute *a, const void *at)
{
	char out[ATTRIBUTE_TEXT_SIZE];
	struct str text = attribute_text(&ec2_style, a, at, out);
	return text.p && filter_text(arg, text);
}

static bool fits_attribute(const struct filter_run *f, const struct row *row)
{
	return attribute_any(&f->e->core, f->t, &f->filter->found, row, fits_text, f);
}

static bool is_in_state(const struct filter_run *f, unsigned state)
{
	return filter_z(f, model_kinds[f->kind].states[state].ec2);
}

static struct filter filter_of(const struct attribute_found *found)
{
	const struct attribute *a = found->attribute;
	bool is_own_id = a->form == ATTRIBUTE_ID && !a->prefix && !found->around[0] &&
			 !attribute_is_made(a) && a->via.kind == KIND_NONE &&
			 a->offset == offsetof(struct row, id);
	struct filter filter = {.name = a->filter,
				.is_id = is_own_id,
				.is_owner = a->flags & ATTRIBUTE_IS_OWNER,
				.index = a->index,
				.found = *found};
	if (a->form == ATTRIBUTE_FIXED && !found->around[0])
		filter.fixed = a->fixed;
	else if (a->form == ATTRIBUTE_STATE && !found->around[0])
		filter.in_state = is_in_state;
	else if (!is_own_id)
		filter.get = fits_attribute;
	for (size_t k = 0; a->paths && k < ACCESS_PATHS_MAX && a->paths[k].kind != KIND_NONE; k++)
		filter.access_paths[k] = a->paths[k];
	return filter;
}

bool filters_get(const struct filters *filters, size_t at, struct filter *ret_filter)
{
	struct attribute_found found = {0};
	if (at < filters->count) {
		*ret_filter = filters->at[at];
		return true;
	}
	if (filters->attributes)
		found = attributes_get_filter(filters->attributes, at - filters->count);
	if (found.attribute)
		*ret_filter = filter_of(&found);
	return found.attribute;
}

static bool compile_attribute(const struct attributes *attributes, struct str name, struct filter_run *run)
{
	struct attribute_found found = attributes_find_filter(attributes, name);
	struct filter *filter = found.attribute ? arena_new_object(run->e->c->arena, struct filter) : NULL;
	if (!filter)
		return false;
	*filter = filter_of(&found);
	run->what = FILTER_ROW;
	run->filter = filter;
	run->field = found.around[0] ? NULL : attribute_field(run->kind, found.attribute);
	return true;
}

static bool compile_row_filter(const struct filters *filters, struct str name, struct filter_run *run)
{
	if (filters->attributes && compile_attribute(filters->attributes, name, run))
		return true;
	for (size_t k = 0; k < filters->count; k++) {
		if (!is_called(&filters->at[k], name, &run->tag_key))
			continue;
		run->what = FILTER_ROW;
		run->filter = &filters->at[k];
		run->field = query_find_field(run->kind, run->filter->field);
		return true;
	}
	return false;
}

static RESULT check_ids(struct ec2_call *e, const struct filter_run *run)
{
	enum kind kind = run->filter ? run->filter->id_of : KIND_NONE;
	struct ref ref;
	for (size_t k = 0; kind != KIND_NONE && run->is_plain && k < run->patterns.count; k++) {
		struct str id = run->patterns.at[k];
		if (result_is_ok(id_parse_ec2(id, kind, &ref)))
			continue;
		struct result result =
			ctx_fail_kind(e->c, ERR_MALFORMED, (int) kind, "Invalid id: \"%" STR_FMT "\"",
				      STR_ARG(str_slice(id, 0, ID_SHOWN_SIZE)));
		e->c->problem.field = STR("Filter");
		e->c->problem.subject = str_slice(id, 0, ID_SHOWN_SIZE);
		return result;
	}
	return OK;
}

RESULT filters_compile(struct ec2_call *e, enum kind kind, const struct filters *filters,
		       const struct ec2_filters *asked, struct filter_runs *ret_runs)
{
	struct filter_runs runs = {arena_new_array(e->c->arena, struct filter_run, asked->count),
				   asked->count};
	if (!runs.at)
		return ctx_no_memory(e->c);
	size_t value_count = 0;
	for (size_t k = 0; k < asked->count; k++) {
		const struct ec2_filter *a = &asked->at[k];
		runs.at[k] = (struct filter_run){
			.e = e, .kind = kind, .patterns = a->values, .is_plain = !has_wildcard(a->values)};
		if (!compile_tag_filter(a, &runs.at[k]) && !compile_row_filter(filters, a->name, &runs.at[k]))
			return ctx_fail_field(e->c, ERR_INVALID, STR("Filter"),
					      "The filter '%" STR_FMT "' is invalid", STR_ARG(a->name));
		TRY(check_ids(e, &runs.at[k]));
		value_count += a->values.count;
	}
	if (value_count > FILTER_VALUES_MAX)
		return ctx_fail_field(e->c, ERR_TOO_LARGE, STR("Filter"),
				      "Filters may have %d values in all at most", FILTER_VALUES_MAX);
	*ret_runs = runs;
	return OK;
}

size_t filters_read_offset(const struct filter_runs *runs)
{
	const struct filter_run *f = runs->at;
	if (!runs->count)
		return 0;
	if (f->what != FILTER_ROW)
		return model_kinds[f->kind].tags_offset;
	if (f->field)
		return f->field->offset;
	const struct attribute *a = f->filter->found.attribute;
	return a && a->via.kind != KIND_NONE ? a->via.offset : sizeof(struct row);
}

/* ---- values ---- */

bool filter_text(const struct filter_run *f, struct str value)
{
	for (size_t k = 0; k < f->patterns.count; k++)
		if (f->is_plain ? str_equal(value, f->patterns.at[k]) : str_matches(value, f->patterns.at[k]))
			return true;
	return false;
}

bool filter_z(const struct filter_run *f, const char *value)
{
	return filter_text(f, str_from(value));
}

bool filter_id(const struct filter_run *f, enum kind kind, uuid id)
{
	char text[EC2_ID_TEXT_SIZE];
	return !uuid_is_none(id) && filter_z(f, id_write_ec2(kind, id, text));
}

bool filter_int(const struct filter_run *f, int64_t value)
{
	char digits[24];
	char *p = digits + sizeof digits;
	uint64_t left = value < 0 ? -(uint64_t) value : (uint64_t) value;
	*--p = '\0';
	do {
		*--p = (char) ('0' + left % 10);
		left /= 10;
	} while (left);
	if (value < 0)
		*--p = '-';
	return filter_z(f, p);
}

bool filter_bool(const struct filter_run *f, bool value)
{
	return filter_z(f, value ? "true" : "false");
}

bool filter_time(const struct filter_run *f, int64_t time_us)
{
	char text[CLOCK_TEXT_SIZE];
	return filter_z(f, clock_write_ms(time_us, text));
}

static bool filter_ip(const struct filter_run *f, struct ip ip)
{
	char text[IP_TEXT_SIZE];
	return !ip_is_none(ip) && filter_z(f, ip_write(ip, text));
}

static bool filter_zone(const struct filter_run *f, uuid zone)
{
	const struct zone *z = zone_find(f->t, zone);
	return z && filter_text(f, z->name);
}

bool filter_owner(const struct filter_run *f, const struct row *row)
{
	(void) row;
	return filter_text(f, f->e->owner);
}

bool filter_nothing(const struct filter_run *f, const struct row *row)
{
	(void) f;
	(void) row;
	return false;
}

static bool filter_cidr(const struct filter_run *f, struct cidr cidr)
{
	char text[CIDR_TEXT_SIZE];
	return !cidr_is_none(cidr) && filter_z(f, cidr_write(cidr, text));
}

/* Compares the row's id, or its name where the kind has no id in EC2. */
static bool filter_ref(const struct filter_run *f, enum kind kind, uuid id)
{
	if (kind == KIND_ZONE)
		return filter_zone(f, id);
	if (kind != KIND_INSTANCE_TYPE)
		return filter_id(f, kind, id);
	const struct instance_type *type = instance_type_find(f->t, id);
	return type && filter_text(f, type->name);
}

/* True if the field's value, or one of its values, fits. */
static bool filter_field(const struct filter_run *f, const struct row *row)
{
	const struct field *field = f->field;
	const void *value = (const char *) row + field->offset;
	char mac[MAC_TEXT_SIZE];
	switch (field->type) {
	case FIELD_UUID:
		return filter_ref(f, field->ref, *(const uuid *) value);
	case FIELD_TEXT:
		return filter_text(f, *(const struct str *) value);
	case FIELD_INT:
		return filter_int(f, *(const int64_t *) value);
	case FIELD_BOOL:
		return filter_bool(f, *(const bool *) value);
	case FIELD_ENUM:
		return filter_z(f, field->words[*(const int *) value]);
	case FIELD_IP:
		return filter_ip(f, *(const struct ip *) value);
	case FIELD_CIDR:
		return filter_cidr(f, *(const struct cidr *) value);
	case FIELD_MAC:
		return filter_z(f, mac_write(*(const struct mac *) value, mac));
	case FIELD_UUIDS:
		for (size_t k = 0; k < ((const struct uuids *) value)->count; k++)
			if (filter_id(f, field->ref, ((const struct uuids *) value)->at[k]))
				return true;
		return false;
	case FIELD_IPS:
		for (size_t k = 0; k < ((const struct ips *) value)->count; k++)
			if (filter_ip(f, ((const struct ips *) value)->at[k]))
				return true;
		return false;
	case FIELD_CIDRS:
		for (size_t k = 0; k < ((const struct cidrs *) value)->count; k++)
			if (filter_cidr(f, ((const struct cidrs *) value)->at[k]))
				return true;
		return false;
	case FIELD_BLOB:
	case FIELD_TEXTS:
	case FIELD_TAGS:
		break;
	}
	return false;
}

/* ---- running ---- */

const struct tags *ec2_tags_of(const struct ec2_call *e, enum kind kind, const struct row *row)
{
	static const struct tags none;
	size_t offset = engine_tags_offset(e->c, kind, row);
	return offset ? (const struct tags *) (const void *) ((const char *) row + offset) : &none;
}

static bool fits_tags(const struct filter_run *f, const struct row *row)
{
	const struct tags *tags = ec2_tags_of(f->e, f->kind, row);
	for (size_t k = 0; k < tags->count; k++) {
		const struct tag *tag = &tags->at[k];
		if (f->what == FILTER_TAG && !str_equal(tag->key, f->tag_key))
			continue;
		if (filter_text(f, f->what == FILTER_TAG_KEY ? tag->key : tag->value))
			return true;
	}
	return false;
}

static bool fits_one(const struct filter_run *f, const struct row *row)
{
	if (f->what != FILTER_ROW)
		return fits_tags(f, row);
	if (f->filter->is_id)
		return filter_id(f, f->kind, row->id);
	if (f->filter->fixed)
		return filter_z(f, f->filter->fixed);
	if (f->filter->in_state)
		return f->filter->in_state(f, model_derive_state(f->kind, row));
	return f->filter->get ? f->filter->get(f, row) : filter_field(f, row);
}

bool filter_become(const struct filter_run *f, enum kind kind, const struct filters *filters,
		   const char *name, struct filter_run *ret_run)
{
	*ret_run = *f;
	ret_run->kind = kind;
	return compile_row_filter(filters, str_from(name), ret_run);
}

bool filters_fit(const struct filter_runs *runs, const struct tables *t, const struct row *row)
{
	for (size_t k = 0; k < runs->count; k++) {
		runs->at[k].t = t;
		if (!fits_one(&runs->at[k], row))
			return false;
	}
	return true;
}
