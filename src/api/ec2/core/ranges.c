/* SPDX-License-Identifier: Apache-2.0
 * Ranges: from a filter's values to keys of indexes, and terms. */
#include "api/ec2/core/ranges.h"

#include "api/ec2/storage/images.h"
#include "model/id.h"
#include "model/term.h"
#include "store/account.h"
#include "store/instance_type.h"

/* A path that is being made. */
struct making {
	const struct search *s;
	struct arena *arena;
	enum kind kind;                /* of the rows that the filter is on */
	const struct query_join *then; /* from those to the listed ones; NULL: they are the listed ones */
	uuid owners[2];                /* whose rows are shown: the caller's, the operator's */
	size_t owner_count;
	bool needs_others; /* what was added are rows of these owners only */
	struct path *path;
};

static RESULT begin(const struct search *s, struct making *ret_m)
{
	struct arena *arena = s->e->c->arena;
	*ret_m = (struct making){.s = s,
				 .arena = arena,
				 .kind = s->list->kind,
				 .owners = {engine_get_account(s->e->c), UUID_NONE},
				 .owner_count = s->list->has_operators ? 2 : 1,
				 .path = arena_new_object(arena, struct path)};
	return ret_m->path ? OK : ctx_no_memory(s->e->c);
}

/* ---- adding ---- */

static struct row *new_row(const struct making *m, enum kind kind)
{
	return arena_alloc(m->arena, model_kinds[kind].row_size);
}

static bool add_step(const struct making *m, struct range *r, const struct query_join *step)
{
	r->joins[r->step_count] = *step;
	r->keys[r->step_count++] = step->index ? new_row(m, step->kind) : 0;
	return !step->index || r->keys[r->step_count - 1];
}

static bool add_range(struct making *m, struct range r, const struct access_path *way)
{
	for (size_t k = 0; way && k < ACCESS_JOINS_MAX && way->joins[k].kind != KIND_NONE; k++)
		if (!add_step(m, &r, &way->joins[k]))
			return false;
	if (m->then && !add_step(m, &r, m->then))
		return false;
	r.in_order = r.in_order && r.step_count == 0;
	return VEC_PUSH(m->arena, &m->path->ranges, r);
}

static bool add_term(struct making *m, uint64_t term)
{
	return add_range(m, (struct range){.by = RANGE_TERM, .kind = m->kind, .term = term, .in_order = true},
			 0);
}

/* Rows whose first fields in the way's index are the key's. */
static bool add_index(struct making *m, const struct access_path *way, struct row *key, unsigned field_count)
{
	const struct index *x = &model_kinds[way->kind].indexes[way->index];
	key->id = m->s->after;
	return add_range(m,
			 (struct range){.by = RANGE_INDEX,
					.kind = way->kind,
					.index = way->index,
					.field_count = field_count,
					.probe = key,
					.in_order = field_count == x->field_count},
			 way);
}

static bool add_account(struct making *m, uuid account)
{
	const struct access_path way = {.kind = m->kind, .index = m->s->list->account_index};
	struct row *key = new_row(m, m->kind);
	if (!key)
		return false;
	memcpy((char *) key + model_kinds[m->kind].account_offset, &account, sizeof account);
	return add_index(m, &way, key, 1);
}

/* Rows that the caller's account is named in besides their owner's. */
static bool add_named(struct making *m)
{
	const struct ec2_listing *list = m->s->list;
	const struct kind_info *k = &model_kinds[list->kind];
	const struct access_path way = {.kind = list->kind, .index = list->other_account_index};
	struct row *key = new_row(m, list->kind);
	if (!key)
		return false;
	memcpy((char *) key + k->fields[k->indexes[way.index].fields[0]].offset, &m->owners[0], sizeof(uuid));
	return add_index(m, &way, key, 1);
}

/* Rows of other owners that the caller may see: everybody's, and those shared with it. */
static bool add_others(struct making *m)
{
	const struct ec2_listing *list = m->s->list;
	if (list->other_account_index && !add_named(m))
		return false;
	if (!list->public_index)
		return true;
	const struct kind_info *k = &model_kinds[list->kind];
	const struct access_path way = {.kind = list->kind, .index = list->public_index};
	struct row *key = new_row(m, list->kind);
	const bool yes = true;
	if (!key)
		return false;
	memcpy((char *) key + k->fields[k->indexes[way.index].fields[0]].offset, &yes, sizeof yes);
	return add_index(m, &way, key, 1) && add_term(m, term_of_launcher(m->owners[0]));
}

/* ---- values as keys ---- */

enum reading {
	READ,
	READ_NOTHING, /* no row has it */
	READ_NOT,     /* it is no value of the field: only the filter knows what it means */
};

/* An id shows a part of the UUID; the index knows the rest, also of what is gone and still named. */
static enum reading read_uuid(const struct making *m, const struct access_path *way, const struct field *f,
			      struct str value, struct row *key)
{
	uuid *id = (uuid *) (void *) ((char *) key + f->offset);
	struct ref ref;
	if (f->ref == KIND_INSTANCE_TYPE) {
		const struct instance_type *type = instance_type_find_by_name(m->s->t, value);
		*id = type ? type->row.id : UUID_NONE;
		return type ? READ : READ_NOTHING;
	}
	if (!result_is_ok(way->prefix ? id_parse_prefixed(value, way->prefix, &ref)
				      : id_parse_ec2(value, f->ref, &ref)))
		return READ_NOT;
	*id = ref.prefix;
	const struct row *row = tables_seek(m->s->t, way->kind, way->index, key, 1);
	if (!row)
		return READ_NOTHING;
	memcpy(id, (const char *) row + f->offset, sizeof *id);
	return id_has_prefix(*id, ref.prefix, ref.bits) ? READ : READ_NOTHING;
}

/* "10.0.0.5", and the names that are made of it: "ip-10-0-0-5.ec2.internal". */
static enum reading read_ip(struct str value, struct ip *ret_ip)
{
	char text[IP_TEXT_SIZE];
	size_t from = str_find_char(value, '-', 0), n = 0;
	if (result_is_ok(ip_parse(value, ret_ip)))
		return READ;
	while (++from < value.n && value.p[from] != '.' && n < sizeof text)
		text[n++] = value.p[from] == '-' ? '.' : value.p[from];
	return result_is_ok(ip_parse((struct str){text, n}, ret_ip)) ? READ : READ_NOT;
}

static enum reading read_key(const struct making *m, const struct access_path *way, const struct field *f,
			     struct str value, struct row *key)
{
	void *at = (char *) key + f->offset;
	switch (f->type) {
	case FIELD_UUID:
		return read_uuid(m, way, f, value, key);
	case FIELD_IP:
		return read_ip(value, at);
	case FIELD_MAC:
		return result_is_ok(mac_parse(value, at)) ? READ : READ_NOT;
	case FIELD_TEXT:
		*(struct str *) at = value;
		return READ;
	case FIELD_INT:
	case FIELD_BOOL:
	case FIELD_ENUM:
	case FIELD_CIDR:
	case FIELD_BLOB:
	case FIELD_UUIDS:
	case FIELD_TEXTS:
	case FIELD_IPS:
	case FIELD_CIDRS:
	case FIELD_TAGS:
		break;
	}
	return READ_NOT;
}

/* ---- ways ---- */

static bool add_row(struct making *m, const struct access_path *way, struct str value,
		    enum reading *ret_reading)
{
	struct ref ref;
	*ret_reading = READ_NOT;
	if (!result_is_ok(id_parse_ec2(value, way->kind, &ref)))
		return true;
	const struct row *row = tables_find_prefix(m->s->t, way->kind, ref.prefix, ref.bits);
	*ret_reading = row ? READ : READ_NOTHING;
	return !row || add_range(m, (struct range){.by = RANGE_ROW, .kind = way->kind, .probe = row}, way);
}

/* Where an index has the account beside the value, each owner's rows are a range. */
static bool add_key(struct making *m, const struct access_path *way, struct str value,
		    enum reading *ret_reading)
{
	const struct kind_info *k = &model_kinds[way->kind];
	const struct index *x = &k->indexes[way->index];
	const struct field *first = &k->fields[x->fields[0]];
	const struct field *second = x->field_count > 1 ? &k->fields[x->fields[1]] : 0;
	bool by_account = first->ref == KIND_ACCOUNT, has_account = by_account;
	has_account = has_account || (second && second->ref == KIND_ACCOUNT);
	for (size_t n = 0; n < (has_account ? m->owner_count : 1); n++) {
		struct row *key = new_row(m, way->kind);
		if (!key)
			return false;
		*ret_reading = read_key(m, way, by_account ? second : first, value, key);
		if (*ret_reading != READ)
			return true;
		if (has_account)
			memcpy((char *) key + k->account_offset, &m->owners[n], sizeof(uuid));
		if (!add_index(m, way, key, has_account ? 2 : 1))
			return false;
	}
	m->needs_others = m->needs_others || has_account;
	return true;
}

/* Rows that a value leads to. A value that no field can have leads nowhere, if the filter compares a
 * field; else it is not known where. */
static bool add_way(struct making *m, const struct filter_run *run, const struct access_path *way,
		    bool *ret_is_path)
{
	*ret_is_path = true;
	for (size_t k = 0; *ret_is_path && k < run->patterns.count; k++) {
		enum reading reading;
		if (!(way->index ? add_key : add_row)(m, way, run->patterns.at[k], &reading))
			return false;
		*ret_is_path = reading != READ_NOT || !run->filter->get;
	}
	return true;
}

static bool add_ways(struct making *m, const struct filter_run *run, bool *ret_is_path)
{
	const struct filter *f = run->filter;
	const struct access_path own = {.kind = m->kind, .index = f->index};
	if (f->is_id || f->index)
		return add_way(m, run, &own, ret_is_path);
	*ret_is_path = f->access_paths[0].kind != KIND_NONE;
	for (size_t k = 0; *ret_is_path && k < ACCESS_PATHS_MAX && f->access_paths[k].kind != KIND_NONE; k++)
		if (!add_way(m, run, &f->access_paths[k], ret_is_path))
			return false;
	return true;
}

/* ---- terms ---- */

static bool is_group(const struct filter_run *run)
{
	return run->field && run->field->offset == model_kinds[run->kind].groups_offset;
}

static bool add_groups(struct making *m, const struct filter_run *run)
{
	struct ref ref;
	m->needs_others = true;
	for (size_t k = 0; k < run->patterns.count; k++) {
		if (!result_is_ok(id_parse_ec2(run->patterns.at[k], KIND_SECURITY_GROUP, &ref)))
			continue;
		const struct row *row =
			tables_find_prefix(m->s->t, KIND_SECURITY_GROUP, ref.prefix, ref.bits);
		if (row && !add_term(m, term_of_group(m->owners[0], row->id)))
			return false;
	}
	return true;
}

static bool add_states(struct making *m, const struct filter_run *run)
{
	m->needs_others = true;
	for (unsigned state = 0; state < model_kinds[m->kind].state_count; state++)
		for (size_t n = 0; n < m->owner_count && run->filter->in_state(run, state); n++)
			if (!add_term(m, term_of_state(m->owners[n], state)))
				return false;
	return true;
}

/* Nobody sees tags of others' rows. */
static bool add_tags(struct making *m, const struct filter_run *run)
{
	uuid owner = m->owners[0];
	if (run->what == FILTER_TAG && !run->is_plain)
		return add_term(m, term_of_tag_key(owner, run->tag_key));
	for (size_t k = 0; k < run->patterns.count; k++)
		if (!add_term(m, run->what == FILTER_TAG
					 ? term_of_tag(owner, run->tag_key, run->patterns.at[k])
					 : term_of_tag_key(owner, run->patterns.at[k])))
			return false;
	return true;
}

/* ---- owners ---- */

/* The account that a word names; false: none. */
static bool read_owner(const struct making *m, struct str word, uuid *ret_account)
{
	*ret_account = m->owners[0];
	if (str_is(word, "self"))
		return true;
	*ret_account = UUID_NONE;
	if (str_is(word, "amazon") || str_equal(word, ec2_owner_number(m->s->t, UUID_NONE)))
		return true;
	const struct account *account = account_find_by_number(m->s->t, word);
	if (account)
		*ret_account = account->row.id;
	return account;
}

static bool add_owners(struct making *m, const struct strs *words)
{
	uuid account;
	for (size_t k = 0; k < words->count; k++)
		if (read_owner(m, words->at[k], &account) && !add_account(m, account))
			return false;
	return true;
}

/* ---- paths ---- */

/* Without accounts nothing is sought by terms, which are of an owner's rows. */
static bool add_filter(struct making *m, const struct filter_run *run, bool *ret_is_path)
{
	bool has_owners = m->s->list->account_index;
	*ret_is_path = true;
	if (run->what == FILTER_ROW) {
		if (run->is_plain && run->filter->is_owner)
			return add_owners(m, &run->patterns);
		if (run->is_plain && is_group(run))
			return add_groups(m, run);
		if (run->filter->in_state && has_owners)
			return add_states(m, run);
		*ret_is_path = run->is_plain;
		return !run->is_plain || add_ways(m, run, ret_is_path);
	}
	*ret_is_path =
		has_owners && (run->what == FILTER_TAG || (run->what == FILTER_TAG_KEY && run->is_plain));
	return !*ret_is_path || add_tags(m, run);
}

RESULT ranges_of_filter(const struct search *s, const struct filter_run *run, struct path **ret_path)
{
	struct making m = {0};
	bool is_path = false;
	TRY(begin(s, &m));
	struct filter_run other = *run;
	const struct filter *f = run->what == FILTER_ROW ? run->filter : 0;
	if (f && f->joined) {
		if (!filter_become(run, f->joined->kind, f->joined->filters, f->joined_filter, &other))
			return OK;
		m.kind = f->joined->kind;
		m.then = &f->joined->join;
	}
	if (!add_filter(&m, &other, &is_path) || (is_path && m.needs_others && !add_others(&m)))
		return ctx_no_memory(s->e->c);
	if (is_path)
		*ret_path = m.path;
	return OK;
}

RESULT ranges_of_owners(const struct search *s, struct path **ret_path)
{
	struct making m = {0};
	const struct strs *words = s->list->owners ? s->list->owners(s->e->args) : 0;
	if (!words || !words->count)
		return OK;
	TRY(begin(s, &m));
	if (!add_owners(&m, words))
		return ctx_no_memory(s->e->c);
	*ret_path = m.path;
	return OK;
}

RESULT ranges_of_all(const struct search *s, struct path **ret_path)
{
	struct making m = {0};
	TRY(begin(s, &m));
	const struct access_path way = {.kind = m.kind}; /* index 0: all */
	struct row *key = new_row(&m, m.kind);
	bool done = key && (s->list->account_index || add_index(&m, &way, key, 0));
	for (size_t n = 0; done && s->list->account_index && n < m.owner_count; n++)
		done = add_account(&m, m.owners[n]);
	if (!done || !add_others(&m))
		return ctx_no_memory(s->e->c);
	*ret_path = m.path;
	return OK;
}
