/* SPDX-License-Identifier: Apache-2.0
 * Plans of lists: turns filter values into index keys and terms, and reads and writes page tokens.
 */
#include "api/core/list.h"

#include <assert.h>

#include "model/term.h"

/* ---- scans ---- */

RESULT list_begin_plan(struct list *l, enum kind kind, const struct query_join *join,
		       struct list_plan *ret_plan)
{
	struct query *q = l->query;
	*ret_plan = (struct list_plan){.list = l,
				       .plan = arena_new_object(q->c->arena, struct query_plan),
				       .kind = kind,
				       .join = join};
	return ret_plan->plan ? OK : ctx_no_memory(q->c);
}

static RESULT add_scan(struct list_plan *p, struct query_scan scan, const struct access_path *path)
{
	struct query *q = p->list->query;
	for (size_t k = 0; path && k < ACCESS_JOINS_MAX && path->joins[k].kind != KIND_NONE; k++)
		TRY(query_join_scan(q, &scan, &path->joins[k]));
	if (p->join)
		TRY(query_join_scan(q, &scan, p->join));
	return query_add_scan(q, p->plan, &scan);
}

/* Adds the rows whose first `field_count` fields in the path's index equal the key's. */
static RESULT add_index_scan(struct list_plan *p, const struct access_path *path, const struct row *key,
			     unsigned field_count)
{
	return add_scan(p,
			(struct query_scan){.by = QUERY_INDEX,
					    .kind = path->kind,
					    .index = path->index,
					    .field_count = field_count,
					    .key = key},
			path);
}

/* Allocates an index key whose first field has the value. */
static RESULT new_key(struct list_plan *p, const struct access_path *path, const void *value, size_t size,
		      struct row **ret_key)
{
	const struct kind_info *k = &model_kinds[path->kind];
	*ret_key = query_new_key(p->list->query, path->kind);
	if (!*ret_key)
		return ctx_no_memory(p->list->query->c);
	memcpy((char *) *ret_key + k->fields[k->indexes[path->index].fields[0]].offset, value, size);
	return OK;
}

static RESULT add_first_field(struct list_plan *p, const struct access_path *path, const void *value,
			      size_t size)
{
	struct row *key;
	TRY(new_key(p, path, value, size, &key));
	return add_index_scan(p, path, key, 1);
}

RESULT list_add_id(struct list_plan *p, const struct access_path *path, uuid id)
{
	return add_first_field(p, path, &id, sizeof id);
}

RESULT list_add_account(struct list_plan *p, uuid account)
{
	const struct access_path path = {.kind = p->kind, .index = p->list->account_index};
	return list_add_id(p, &path, account);
}

RESULT list_add_prefix(struct list_plan *p, unsigned index, uuid account, struct str prefix)
{
	const struct access_path path = {.kind = p->kind, .index = index};
	const struct kind_info *k = &model_kinds[p->kind];
	struct query_scan scan = {
		.by = QUERY_INDEX, .kind = p->kind, .index = index, .field_count = 2, .is_prefix = true};
	struct row *key;
	TRY(new_key(p, &path, &account, sizeof account, &key));
	*(struct str *) (void *) ((char *) key + k->fields[k->indexes[index].fields[1]].offset) = prefix;
	scan.key = key;
	return add_scan(p, scan, &path);
}

RESULT list_add_term(struct list_plan *p, uint64_t term)
{
	return add_scan(p, (struct query_scan){.by = QUERY_TERM, .kind = p->kind, .term = term}, NULL);
}

RESULT list_add_state(struct list_plan *p, unsigned state)
{
	p->is_of_owners = true;
	for (size_t k = 0; k < p->list->owner_count; k++)
		TRY(list_add_term(p, term_of_state(p->list->owners[k], state)));
	return OK;
}

RESULT list_add_groups(struct list_plan *p, struct strs groups)
{
	const struct list *l = p->list;
	struct ref ref;
	p->is_of_owners = true;
	for (size_t k = 0; k < groups.count; k++) {
		if (!l->spelling->read_id(groups.at[k], KIND_SECURITY_GROUP, NULL, &ref))
			continue;
		const struct row *row =
			tables_find_prefix(l->query->tables, KIND_SECURITY_GROUP, ref.prefix, ref.bits);
		if (row)
			TRY(list_add_term(p, term_of_group(l->owners[0], row->id)));
	}
	return OK;
}

/* Adds rows of other accounts that the caller may see: rows shared with the caller's account, and public
 * rows. */
static RESULT add_others(struct list_plan *p)
{
	const struct list *l = p->list;
	const struct access_path others = {.kind = p->kind, .index = l->other_account_index};
	const struct access_path everybodys = {.kind = p->kind, .index = l->public_index};
	const bool yes = true;
	if (l->other_account_index)
		TRY(list_add_id(p, &others, l->owners[0]));
	if (!l->public_index)
		return OK;
	TRY(add_first_field(p, &everybodys, &yes, sizeof yes));
	if (l->other_term)
		TRY(list_add_term(p, l->other_term));
	return list_add_term(p, term_of_launcher(l->owners[0]));
}

RESULT list_end_plan(struct list_plan *p)
{
	if (p->is_of_owners)
		TRY(add_others(p));
	return query_add_plan(p->list->query, p->plan);
}

RESULT list_plan_all(struct list *l)
{
	struct list_plan p;
	const struct access_path all = {.kind = l->query->kind};
	TRY(list_begin_plan(l, l->query->kind, NULL, &p));
	p.is_of_owners = true;
	if (!l->account_index || !l->owner_count) {
		const struct row *key = query_new_key(l->query, all.kind);
		TRY(key ? add_index_scan(&p, &all, key, 0) : ctx_no_memory(l->query->c));
	} else {
		for (size_t k = 0; k < l->owner_count; k++)
			TRY(list_add_account(&p, l->owners[k]));
	}
	return list_end_plan(&p);
}

/* ---- values as keys ---- */

/* Reads an id that may show only a part of the UUID. The index completes the rest, also for ids of
 * deleted rows that other rows still name. fields: number of the index's first fields that the key
 * fills, including this one. */
static enum list_reading read_uuid(const struct list *l, const struct access_path *path,
				   const struct field *f, unsigned fields, struct str value, struct row *key)
{
	uuid *id = (uuid *) (void *) ((char *) key + f->offset);
	struct ref ref;
	if (!l->spelling->read_id(value, f->ref, path->prefix, &ref))
		return LIST_READ_OTHER;
	*id = ref.prefix;
	if (ref.bits == 8 * sizeof *id)
		return LIST_READ;
	const struct row *row = tables_seek(l->query->tables, path->kind, path->index, key, fields);
	if (!row)
		return LIST_READ_ABSENT;
	memcpy(id, query_field_at(f, row), sizeof *id);
	return id_has_prefix(*id, ref.prefix, ref.bits) ? LIST_READ : LIST_READ_ABSENT;
}

static enum list_reading read_key(const struct list *l, const struct access_path *path, const struct field *f,
				  unsigned fields, struct str value, struct row *key)
{
	void *at = (char *) key + f->offset;
	enum list_reading reading =
		l->spelling->read ? l->spelling->read(l->query->tables, f, value, at) : LIST_READ_OTHER;
	if (reading != LIST_READ_OTHER)
		return reading;
	switch ((int) f->type) {
	case FIELD_UUID:
		return read_uuid(l, path, f, fields, value, key);
	case FIELD_IP:
		return result_is_ok(ip_parse(value, at)) ? LIST_READ : LIST_READ_OTHER;
	case FIELD_MAC:
		return result_is_ok(mac_parse_any(value, at)) ? LIST_READ : LIST_READ_OTHER;
	case FIELD_TEXT:
		*(struct str *) at = value;
		return LIST_READ;
	default:
		return LIST_READ_OTHER;
	}
}

static bool is_account(const struct kind_info *k, const struct field *f)
{
	return k->account_offset && f->offset == k->account_offset;
}

/* Adds the value as an index key. If the index has the account beside the value, each owner gets a range
 * scan. */
static RESULT add_key(struct list_plan *p, const struct access_path *path, struct str value,
		      enum list_reading *ret_reading)
{
	const struct list *l = p->list;
	const struct kind_info *k = &model_kinds[path->kind];
	const struct index *x = &k->indexes[path->index];
	unsigned at = is_account(k, &k->fields[x->fields[0]]);
	assert(!at || l->owner_count);
	bool has_account =
		at || (x->field_count > 1 && l->owner_count && is_account(k, &k->fields[x->fields[1]]));
	for (size_t n = 0; n < (has_account ? l->owner_count : 1); n++) {
		struct row *key = query_new_key(l->query, path->kind);
		if (!key)
			return ctx_no_memory(l->query->c);
		if (has_account)
			memcpy((char *) key + k->account_offset, &l->owners[n], sizeof(uuid));
		*ret_reading = read_key(l, path, &k->fields[x->fields[at]], at + 1, value, key);
		if (*ret_reading != LIST_READ)
			return OK;
		TRY(add_index_scan(p, path, key, has_account ? 2 : 1));
	}
	p->is_of_owners = p->is_of_owners || has_account;
	return OK;
}

static RESULT add_row(struct list_plan *p, const struct access_path *path, struct str value,
		      enum list_reading *ret_reading)
{
	const struct list *l = p->list;
	struct ref ref;
	*ret_reading = LIST_READ_OTHER;
	if (!l->spelling->read_id(value, path->kind, NULL, &ref))
		return OK;
	const struct row *row = tables_find_prefix(l->query->tables, path->kind, ref.prefix, ref.bits);
	*ret_reading = row ? LIST_READ : LIST_READ_ABSENT;
	return row ? add_scan(p, (struct query_scan){.by = QUERY_ROW, .kind = path->kind, .key = row}, path)
		   : OK;
}

RESULT list_add_values(struct list_plan *p, const struct access_path *path, struct strs values,
		       bool is_compared, bool *ret_is_plan)
{
	*ret_is_plan = true;
	for (size_t k = 0; *ret_is_plan && k < values.count; k++) {
		enum list_reading reading = LIST_READ_ABSENT;
		TRY((path->index ? add_key : add_row)(p, path, values.at[k], &reading));
		*ret_is_plan = reading != LIST_READ_OTHER || is_compared;
	}
	return OK;
}

unsigned list_account_index(enum kind kind)
{
	const struct kind_info *k = &model_kinds[kind];
	unsigned best = 0;
	for (unsigned n = 1; n < k->index_count; n++)
		if (is_account(k, &k->fields[k->indexes[n].fields[0]]) &&
		    (!best || k->indexes[n].field_count < k->indexes[best].field_count))
			best = n;
	return best;
}

unsigned list_find_index(const struct list *l, const struct field *field)
{
	const struct kind_info *k = &model_kinds[l->query->kind];
	bool is_key = field->type == FIELD_UUID || field->type == FIELD_IP || field->type == FIELD_MAC ||
		      field->type == FIELD_TEXT;
	for (unsigned n = 1; n < k->index_count && is_key && !is_account(k, field); n++) {
		const struct index *x = &k->indexes[n];
		bool is_behind_account =
			l->owner_count && x->field_count > 1 && is_account(k, &k->fields[x->fields[0]]);
		if (&k->fields[x->fields[is_behind_account]] == field)
			return n;
	}
	return 0;
}

/* ---- pages ---- */

enum {
	TOKEN_DIGEST_SIZE = 32,
	TOKEN_ID_AT = TOKEN_DIGEST_SIZE + sizeof(int64_t), /* after the creation time */
	TOKEN_SIZE = TOKEN_ID_AT + sizeof(uuid),
};

struct str list_make_token(struct ctx *c, struct str digest, struct row_place last)
{
	char bytes[TOKEN_SIZE] = {0};
	if (digest.n < TOKEN_DIGEST_SIZE)
		return STR_NONE;
	memcpy(bytes, digest.p, TOKEN_DIGEST_SIZE);
	memcpy(bytes + TOKEN_DIGEST_SIZE, &last.created_us, sizeof last.created_us);
	memcpy(bytes + TOKEN_ID_AT, last.id.b, sizeof last.id);
	return str_encode_base64(c->arena, (struct str){bytes, sizeof bytes});
}

bool list_read_token(struct ctx *c, struct str digest, struct str token, struct row_place *ret_last)
{
	struct str bytes = STR_NONE;
	if (!result_is_ok(str_decode_base64(c->arena, token, &bytes)) || bytes.n != TOKEN_SIZE ||
	    digest.n < TOKEN_DIGEST_SIZE || memcmp(bytes.p, digest.p, TOKEN_DIGEST_SIZE) != 0)
		return false;
	memcpy(&ret_last->created_us, bytes.p + TOKEN_DIGEST_SIZE, sizeof ret_last->created_us);
	memcpy(ret_last->id.b, bytes.p + TOKEN_ID_AT, sizeof(uuid));
	return true;
}
