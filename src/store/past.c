/* SPDX-License-Identifier: Apache-2.0
 * Writes and applies former states of rows. A record is a sequence of "NAME LENGTH:TEXT" without separators; TEXT is
 * row_field_to_text()'s. */
#include "store/past.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/reads.h"
#include "model/row_field.h"
#include "model/shown.h"
#include "store/internal.h"
#include "store/sql.h"

/* Largest text of a byte of a row, which \u0000 and the digits of numbers are, and of a field's name and length. */
enum { TEXT_PER_BYTE = 8, NAME_CAP = 128 };

bool past_is_kept(enum kind kind)
{
	return (*model_kinds[kind].ec2_prefix && kind != KIND_SUPPORT_TICKET) || kind == KIND_NETWORK ||
	       kind == KIND_VOLUME_ATTACHMENT || kind == KIND_ARM_RESOURCE || kind == KIND_RESOURCE_GROUP;
}

/* Fields that no API shows hold passwords and forms with user data: a log that outlives the row must not. The hidden field of a
 * resource group is its folded name, by which requests find it. */
static bool is_recorded(const struct kind_info *k, unsigned n)
{
	const struct shown_kind *shown = &model_shown[k->kind];
	bool is_hidden = shown->name && (shown->flags[n] & SHOWN_TO_NOBODY) && k->kind != KIND_RESOURCE_GROUP;
	return k->fields[n].type != FIELD_BLOB && !is_hidden;
}

/* ---- ids ---- */

struct past_id past_split_id(uuid id)
{
	uint64_t halves[2];
	memcpy(halves, id.b, sizeof halves);
	return (struct past_id){(int64_t) be64toh(halves[0]), (int64_t) be64toh(halves[1])};
}

uuid past_join_id(struct past_id id)
{
	const uint64_t halves[2] = {htobe64((uint64_t) id.high), htobe64((uint64_t) id.low)};
	uuid u;
	memcpy(u.b, halves, sizeof u.b);
	return u;
}

/* Half of an id that the text does not reach takes all values. Within a half, equal first digits mean equal signs, so that the
 * integers have the order of the digits. */
bool past_find_ids(struct str beginning, struct past_id *ret_least, struct past_id *ret_most)
{
	enum { DIGITS = 2 * sizeof(uuid) };
	char digits[DIGITS];
	uuid least = UUID_NONE, most = UUID_NONE;
	size_t n = 0;
	for (size_t k = 0; k < beginning.n; k++) {
		if (beginning.p[k] == '-')
			continue;
		if (n == DIGITS)
			return false;
		digits[n++] = beginning.p[k];
	}
	memset(digits + n, '0', DIGITS - n);
	bool are_digits = result_is_ok(str_decode_hex((struct str){digits, DIGITS}, least.b, sizeof least.b));
	memset(digits + n, 'f', DIGITS - n);
	if (!are_digits || !result_is_ok(str_decode_hex((struct str){digits, DIGITS}, most.b, sizeof most.b)))
		return false;
	*ret_least = past_split_id(least);
	*ret_most = past_split_id(most);
	if (n == 0)
		*ret_least = (struct past_id){INT64_MIN, INT64_MIN},
		*ret_most = (struct past_id){INT64_MAX, INT64_MAX};
	else if (n <= DIGITS / 2)
		ret_least->low = INT64_MIN, ret_most->low = INT64_MAX;
	return true;
}

/* ---- writing ---- */

enum { DIGITS_SIZE = 24 };

/* Writes a number to the end of a buffer, without the cost of printf() in each commit. Returns its place. */
static size_t write_digits(char out[static DIGITS_SIZE], uint64_t left)
{
	size_t at = DIGITS_SIZE;
	do
		out[--at] = (char) ('0' + left % 10);
	while (left /= 10);
	return at;
}

static void add_text(struct buf *b, const char *name, struct str text)
{
	char length[DIGITS_SIZE];
	size_t at = write_digits(length, text.n);
	buf_add_str(b, str_from(name));
	buf_add_char(b, ' ');
	buf_add(b, length + at, sizeof length - at);
	buf_add_char(b, ':');
	buf_add_str(b, text);
}

static void add_number(struct buf *b, const char *name, int64_t before, int64_t after)
{
	char text[DIGITS_SIZE];
	if (before == after)
		return;
	size_t at = write_digits(text, before < 0 ? -(uint64_t) before : (uint64_t) before);
	if (before < 0)
		text[--at] = '-';
	add_text(b, name, (struct str){text + at, sizeof text - at});
}

static bool add_fields(struct buf *b, struct arena *a, enum kind kind, const struct row *before,
		       const struct row *after)
{
	const struct kind_info *k = &model_kinds[kind];
	for (unsigned n = 0; n < k->field_count; n++) {
		const struct field *f = &k->fields[n];
		if ((after && row_field_equal(f, before, after)) || !is_recorded(k, n))
			continue;
		struct str text = row_field_to_text(a, f, before);
		if (!text.p)
			return false;
		if (after || text.n)
			add_text(b, f->name, text);
	}
	return true;
}

struct str past_write(struct arena *a, enum kind kind, const struct row *before, const struct row *after)
{
	static const struct row none = {0};
	const struct row *next = after ? after : &none;
	struct buf b;
	const struct kind_info *k = &model_kinds[kind];
	buf_init(&b, TEXT_PER_BYTE * k->row_max + NAME_CAP * (size_t) k->field_count);
	bool is_whole = add_fields(&b, a, kind, before, after);
	bool has_changed = !after || b.size || before->deleted_us != next->deleted_us;
	if (has_changed) {
		add_number(&b, "gen", (int64_t) before->gen, (int64_t) next->gen);
		add_number(&b, "created_us", before->created_us, next->created_us);
		add_number(&b, "updated_us", before->updated_us, next->updated_us);
		add_number(&b, "deleted_us", before->deleted_us, next->deleted_us);
	}
	is_whole &= result_is_ok(buf_finish(&b));
	struct str text = !is_whole ? STR_NONE : b.size ? str_copy(a, buf_str(&b)) : STR("");
	buf_done(&b);
	return text;
}

RESULT past_note(struct store *s, struct ctx *c, const struct published *p)
{
	struct sql_driver *sql = s->config.sql;
	if (!sql->add_past || !p->before || !past_is_kept(p->kind))
		return OK;
	struct past past = {.at_us = p->after ? p->after->updated_us : clock_now_us(),
			    .kind = p->kind,
			    .id = p->before->id,
			    .was = past_write(c->arena, p->kind, p->before, p->after)};
	if (!past.was.p)
		return ctx_no_memory(c);
	return past.was.n ? sql->add_past(sql, c, &past) : OK;
}

/* ---- reading ---- */

static const struct field *field_of(const struct kind_info *k, struct str name)
{
	for (unsigned n = 0; n < k->field_count; n++)
		if (str_is(name, k->fields[n].name))
			return &k->fields[n];
	return NULL;
}

static RESULT apply_one(struct ctx *c, const struct kind_info *k, struct str name, struct str text,
			struct row *row)
{
	const struct field *f = field_of(k, name);
	int64_t *number = str_is(name, "created_us")   ? &row->created_us
			  : str_is(name, "updated_us") ? &row->updated_us
			  : str_is(name, "deleted_us") ? &row->deleted_us
						       : NULL;
	if (f)
		return row_field_from_text(c->arena, f, text, row);
	int64_t gen = 0;
	if (number)
		return str_parse_int(text, number);
	if (!str_is(name, "gen"))
		return FAIL(INVALID);
	TRY(str_parse_int(text, &gen));
	row->gen = (uint64_t) gen;
	return OK;
}

RESULT past_apply(struct ctx *c, const struct past *past, struct row *row)
{
	struct str left = past->was, name = STR_NONE, length = STR_NONE;
	while (left.n) {
		int64_t n = 0;
		bool is_good = str_split_next(&left, ' ', &name) && str_split_next(&left, ':', &length) &&
			       result_is_ok(str_parse_int(length, &n)) && n >= 0 && (size_t) n <= left.n;
		struct result r = is_good ? apply_one(c, &model_kinds[past->kind], name,
						      str_slice(left, 0, (size_t) n), row)
					  : FAIL(INVALID);
		if (r.code == ERR_NO_MEMORY)
			return ctx_no_memory(c);
		if (!result_is_ok(r))
			return ctx_fail(c, ERR_STATE,
					"record %" PRId64
					" of the log of former states is damaged, or of another "
					"version of Dari",
					past->seq);
		left = str_slice(left, (size_t) n, left.n);
	}
	return OK;
}

void past_empty_unrecorded(enum kind kind, struct row *row)
{
	const struct kind_info *k = &model_kinds[kind];
	for (unsigned n = 0; n < k->field_count; n++) {
		void *at = (char *) row + k->fields[n].offset;
		if (is_recorded(k, n))
			continue;
		if (k->fields[n].type == FIELD_BLOB || k->fields[n].type == FIELD_TEXT)
			*(struct str *) at = STR_NONE;
		else if (k->fields[n].type == FIELD_TEXTS)
			*(struct strs *) at = (struct strs){0};
		else if (k->fields[n].type == FIELD_TAGS)
			*(struct tags *) at = (struct tags){0};
	}
}

struct reading {
	struct ctx *c;
	struct row *row; /* NULL: no record of a forgotten row was met */
	struct past_row *past;
};

/* Texts of the record are valid during the call only, and the row keeps them. */
static RESULT take(void *arg, const struct past *record)
{
	struct reading *r = arg;
	struct past own = *record;
	if (r->past->kind == KIND_NONE)
		r->past->kind = own.kind;
	if (own.kind != r->past->kind || own.kind == KIND_NONE)
		return OK; /* a prefix of another kind's id */
	if (++r->past->changes > PAST_CHANGES_MAX)
		return ctx_fail(r->c, ERR_TOO_LARGE,
				"it has changed more than %d times since: ask for a later time",
				PAST_CHANGES_MAX);
	own.was = str_copy(r->c->arena, record->was);
	if (!r->row) {
		r->row = arena_alloc(r->c->arena, model_kinds[own.kind].row_size);
		if (r->row)
			r->row->id = own.id;
	}
	if (!r->row || !own.was.p)
		return ctx_no_memory(r->c);
	r->row->kind = own.kind;
	return past_apply(r->c, &own, r->row);
}

RESULT store_read_past(struct store *s, struct ctx *c, struct str id, const struct row *present,
		       int64_t at_us, struct past_row *ret_past)
{
	reads_note_outside();
	struct sql_driver *sql = s->config.sql;
	const struct past_query query = {.id = id, .after_us = at_us, .max = PAST_CHANGES_MAX + 1};
	*ret_past = (struct past_row){.kind = present ? present->kind : KIND_NONE};
	if (!sql->read_past || (present && !past_is_kept(present->kind)))
		return ctx_fail(c, ERR_UNSUPPORTED, "former states of such a resource are not kept");
	struct reading r = {.c = c, .past = ret_past};
	if (present && !(r.row = row_copy(c->arena, &model_kinds[present->kind], present)))
		return ctx_no_memory(c);
	TRY(sql->read_past(sql, c, &query, take, &r, &ret_past->reach_us));
	if (r.row)
		past_empty_unrecorded(ret_past->kind, r.row);
	if (r.row && r.row->created_us <= at_us)
		ret_past->row = r.row;
	return OK;
}
