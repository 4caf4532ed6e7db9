/* SPDX-License-Identifier: Apache-2.0
 * Compares this program's schema with the level in force, and refuses rows above that level. */
#include "store/level.h"

#include "base/buf.h"
#include "store/sql.h"

enum { LEVEL_CAP = 4 * 1024 * 1024 };

/* ---- text ---- */

static const char *const type_words[] = {
	[FIELD_UUID] = "uuid",   [FIELD_TEXT] = "text",   [FIELD_INT] = "int",     [FIELD_BOOL] = "bool",
	[FIELD_ENUM] = "enum",   [FIELD_IP] = "ip",       [FIELD_CIDR] = "cidr",   [FIELD_MAC] = "mac",
	[FIELD_BLOB] = "blob",   [FIELD_UUIDS] = "uuids", [FIELD_TEXTS] = "texts", [FIELD_IPS] = "ips",
	[FIELD_CIDRS] = "cidrs", [FIELD_TAGS] = "tags",
};

static void write_field(struct buf *b, const struct field *f)
{
	buf_print(b, " %s:%s", f->name, type_words[f->type]);
	for (size_t n = 0; f->type == FIELD_ENUM && f->words[n]; n++)
		buf_print(b, "%c%s", n ? '|' : '=', f->words[n]);
}

struct str level_write(struct arena *a)
{
	struct buf b;
	struct str text = STR_NONE;
	buf_init(&b, LEVEL_CAP);
	for (enum kind kind = 1; kind < KIND_COUNT; kind++) {
		const struct kind_info *k = &model_kinds[kind];
		buf_print(&b, "%s", k->name);
		for (unsigned n = 0; n < k->field_count; n++)
			write_field(&b, &k->fields[n]);
		buf_add_char(&b, '\n');
	}
	if (result_is_ok(buf_finish(&b)))
		text = str_copy(a, buf_str(&b));
	buf_done(&b);
	return text;
}

/* ---- comparison ---- */

/* Says what the level in force has and this program lacks. */
static RESULT fail_unknown(struct ctx *c, const char *kind, struct str part, struct str word)
{
	return ctx_fail(c, ERR_STATE,
			"it has %s%s%" STR_FMT "%s%" STR_FMT ", which this program does not know", kind,
			*kind ? "." : "", STR_ARG(str_clean(c->arena, part, true)), word.n ? " = " : "",
			STR_ARG(str_clean(c->arena, word, true)));
}

static RESULT note_words(struct level *level, struct ctx *c, const struct kind_info *k, const struct field *f,
			 struct str words, struct level_field *ret_field)
{
	unsigned count = 0;
	while (f->words[count])
		count++;
	bool *is_new = arena_new_array(level->arena, bool, count);
	if (!is_new)
		return ctx_no_memory(c);
	memset(is_new, true, count * sizeof *is_new);
	unsigned left = count;
	for (struct str word = STR_NONE; str_split_next(&words, '|', &word);) {
		unsigned n = 0;
		while (n < count && !str_is(word, f->words[n]))
			n++;
		if (n == count)
			return fail_unknown(c, k->name, str_from(f->name), word);
		left -= is_new[n];
		is_new[n] = false;
	}
	level->word_count += left;
	ret_field->new_words = left ? is_new : NULL;
	return OK;
}

/* Takes "name:type" or "name:enum=word|word" of the level in force. */
static RESULT note_field(struct level *level, struct ctx *c, const struct kind_info *k, struct str text,
			 struct level_field *fields)
{
	struct str name = STR_NONE, type = STR_NONE;
	(void) str_split_next(&text, ':', &name);
	(void) str_split_next(&text, '=', &type);
	for (unsigned n = 0; n < k->field_count; n++) {
		const struct field *f = &k->fields[n];
		if (!str_is(name, f->name) || !str_is(type, type_words[f->type]))
			continue;
		fields[n].is_new = false;
		return f->type == FIELD_ENUM ? note_words(level, c, k, f, text, &fields[n]) : OK;
	}
	return fail_unknown(c, k->name, name, type);
}

static RESULT note_initial(struct level *level, struct ctx *c, const struct kind_info *k,
			   struct level_field *fields)
{
	bool has_news = false;
	struct row *empty = arena_alloc(c->arena, k->row_size);
	if (!empty)
		return ctx_no_memory(c);
	for (unsigned n = 0; n < k->field_count; n++) {
		has_news = has_news || fields[n].is_new || fields[n].new_words;
		level->field_count += fields[n].is_new;
		if (!fields[n].is_new)
			continue;
		fields[n].initial = row_field_to_text(level->arena, &k->fields[n], empty);
		if (!fields[n].initial.p)
			return ctx_no_memory(c);
	}
	level->fields[k->kind] = has_news ? fields : NULL;
	return OK;
}

static RESULT note_kind(struct level *level, struct ctx *c, struct str line)
{
	struct str piece = STR_NONE;
	(void) str_split_next(&line, ' ', &piece);
	enum kind kind = sql_kind_of_name(piece);
	if (kind == KIND_NONE)
		return fail_unknown(c, "", piece, STR_NONE);
	const struct kind_info *k = &model_kinds[kind];
	struct level_field *fields = arena_new_array(level->arena, struct level_field, k->field_count);
	if (!fields)
		return ctx_no_memory(c);
	level->is_new[kind] = false;
	for (unsigned n = 0; n < k->field_count; n++)
		fields[n].is_new = true;
	while (str_split_next(&line, ' ', &piece))
		TRY(note_field(level, c, k, piece, fields));
	return note_initial(level, c, k, fields);
}

void level_free(struct level *level)
{
	if (level)
		arena_free(level->arena);
}

RESULT level_new(struct ctx *c, const struct level_meta *found, struct level **ret_level)
{
	struct str in_force = found->text;
	struct arena *arena = arena_new(ARENA_FIRST_SIZE, LEVEL_CAP);
	struct level *made = arena ? arena_new_object(arena, struct level) : NULL;
	if (!made) {
		arena_free(arena);
		return ctx_no_memory(c);
	}
	made->arena = arena;
	AUTO(level) level = made;
	level->in_force = (struct level_meta){.version = found->version,
					      .hash = str_copy(arena, found->hash),
					      .program = str_copy(arena, found->program)};
	for (enum kind kind = 1; kind < KIND_COUNT; kind++)
		level->is_new[kind] = true;
	for (struct str line = STR_NONE; str_split_next(&in_force, '\n', &line);)
		if (line.n)
			TRY(note_kind(level, c, line));
	for (enum kind kind = 1; kind < KIND_COUNT; kind++)
		level->kind_count += level->is_new[kind];
	*ret_level = TAKE(level);
	return OK;
}

static RESULT refuse(struct ctx *c, const char *database, const struct level_meta *found)
{
	struct str why = c->problem.message;
	ctx_clear_problem(c);
	return ctx_fail(c, ERR_STATE,
			"the database %s was confirmed for another version of dari%s%" STR_FMT ": %" STR_FMT
			". Start that version, or restore a backup made before `dari upgrade confirm`",
			database, found->program.n ? ", " : "",
			STR_ARG(str_clean(c->arena, found->program, true)), STR_ARG(why));
}

RESULT level_compare(struct ctx *c, const char *database, const struct level_meta *found, unsigned version,
		     const char *hash, struct level **ret_level)
{
	*ret_level = NULL;
	if (found->version == version && str_is(found->hash, hash))
		return OK;
	if (!found->text.n)
		return ctx_fail(
			c, ERR_STATE,
			"the database %s is of schema version %lld, but of another build of it (its hash "
			"is %" STR_FMT ", ours %s): start the program that made it",
			database, (long long) found->version, STR_ARG(str_clean(c->arena, found->hash, true)),
			hash);
	struct result r = level_new(c, found, ret_level);
	return r.code == ERR_STATE ? refuse(c, database, found) : r;
}

/* ---- additions ---- */

static RESULT add_column(const struct level_field *field, struct ctx *c, const struct kind_info *k,
			 const struct field *f, level_add add, void *arg)
{
	bool is_int = f->type == FIELD_INT;
	const char *sql =
		str_print(c->arena, "ALTER TABLE \"%s\" ADD COLUMN \"%s\" %s NOT NULL DEFAULT '%" STR_FMT "'",
			  k->name, f->name, is_int ? "BIGINT" : "TEXT", STR_ARG(field->initial))
			.p;
	return sql ? add(arg, c, k, f, sql) : ctx_no_memory(c);
}

RESULT level_each_addition(const struct level *level, struct ctx *c, level_add add, void *arg)
{
	for (enum kind kind = 1; kind < KIND_COUNT; kind++) {
		const struct kind_info *k = &model_kinds[kind];
		const struct level_field *fields = level->fields[kind];
		if (level->is_new[kind])
			TRY(add(arg, c, k, NULL, k->create_sql));
		for (unsigned n = 0; fields && n < k->field_count; n++)
			if (fields[n].is_new)
				TRY(add_column(&fields[n], c, k, &k->fields[n], add, arg));
	}
	return OK;
}

/* ---- rows ---- */

static RESULT fail_row(struct ctx *c, const struct kind_info *k, const struct field *f, const char *word)
{
	return ctx_fail_kind(
		c, ERR_UNSUPPORTED, (int) k->kind,
		"%s%s%s%s%s is not available before the operator has confirmed the region's upgrade "
		"(`dari upgrade confirm`): the former version does not know it.",
		k->name, f ? "." : "", f ? f->name : "", word ? " = " : "", word ? word : "");
}

static RESULT check_field(const struct level_field *field, struct ctx *c, const struct kind_info *k,
			  const struct field *f, const struct row *row)
{
	if (field->new_words) {
		unsigned word = *(const unsigned *) (const void *) ((const char *) row + f->offset);
		if (field->new_words[word])
			return fail_row(c, k, f, f->words[word]);
	}
	if (!field->is_new || f->group != FIELD_WANTED)
		return OK;
	struct str text = row_field_to_text(c->arena, f, row);
	if (!text.p)
		return ctx_no_memory(c);
	return str_equal(text, field->initial) ? OK : fail_row(c, k, f, NULL);
}

RESULT level_check_row(const struct level *level, struct ctx *c, const struct kind_info *k,
		       const struct row *row)
{
	if (level->is_new[k->kind])
		return fail_row(c, k, NULL, NULL);
	const struct level_field *fields = level->fields[k->kind];
	for (unsigned n = 0; fields && n < k->field_count; n++)
		TRY(check_field(&fields[n], c, k, &k->fields[n], row));
	return OK;
}

/* ---- for people ---- */

static void list_field(struct buf *b, const struct kind_info *k, const struct field *f,
		       const struct level_field *field)
{
	if (field->is_new)
		buf_print(b, "%s%s.%s", b->size ? ", " : "", k->name, f->name);
	for (unsigned n = 0; field->new_words && f->words[n]; n++)
		if (field->new_words[n])
			buf_print(b, "%s%s.%s = %s", b->size ? ", " : "", k->name, f->name, f->words[n]);
}

struct str level_list_news(const struct level *level, struct arena *a)
{
	struct buf b;
	struct str text = STR_NONE;
	buf_init(&b, LEVEL_CAP);
	for (enum kind kind = 1; kind < KIND_COUNT; kind++) {
		const struct kind_info *k = &model_kinds[kind];
		if (level->is_new[kind])
			buf_print(&b, "%s%s", b.size ? ", " : "", k->name);
		for (unsigned n = 0; level->fields[kind] && n < k->field_count; n++)
			list_field(&b, k, &k->fields[n], &level->fields[kind][n]);
	}
	if (result_is_ok(buf_finish(&b)))
		text = str_copy(a, buf_str(&b));
	buf_done(&b);
	return text;
}
