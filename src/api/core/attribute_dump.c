/* SPDX-License-Identifier: Apache-2.0
 * Writes tables of attributes as JSON, for `dari dump`: what the answers of an action contain. */
#include "api/core/attribute_internal.h"
#include "base/json_write.h"

enum { NAME_SIZE_MAX = 4096 };

static const char *const type_words[] = {
	[ATTRIBUTE_TEXT] = "string",
	[ATTRIBUTE_WORD] = "string",
	[ATTRIBUTE_INT] = "integer",
	[ATTRIBUTE_BOOL] = "boolean",
	[ATTRIBUTE_TIME] = "time",
	[ATTRIBUTE_TIME_FINE] = "time",
	[ATTRIBUTE_ID] = "id",
	[ATTRIBUTE_HEX] = "id",
	[ATTRIBUTE_IP] = "ip",
	[ATTRIBUTE_CIDR] = "cidr",
	[ATTRIBUTE_MAC] = "mac",
	[ATTRIBUTE_ENUM] = "string",
	[ATTRIBUTE_TAGS] = "tags",
	[ATTRIBUTE_TEXTS] = "list of strings",
	[ATTRIBUTE_STATE] = "state",
	[ATTRIBUTE_FIXED] = "fixed",
	[ATTRIBUTE_LIST] = "list of objects",
	[ATTRIBUTE_OBJECT] = "object",
	[ATTRIBUTE_RAW] = "any",
};

/* The attribute's sentence, else that of the field in the schema. */
static const char *find_doc(enum kind kind, const struct attribute *a)
{
	const struct field *field = kind == KIND_NONE ? NULL : attribute_field(kind, a);
	return a->doc ? a->doc : field ? field->doc : NULL;
}

/* The table that is written. Members within a list have filters of the listing only if it says so, and never its sort keys. */
struct dump {
	struct json_writer *w;
	enum kind kind;
	struct buf *name; /* prefix of the object around the members, such as "attachmentSet.N." */
	bool has_filters, is_within;
};

static void write_one(const struct dump *d, const struct attribute *a, struct str name)
{
	struct json_writer *w = d->w;
	buf_add_char(w->out, '\n');
	json_write_open(w, NULL);
	json_write_text(w, "name", name);
	json_write_z(w, "type", type_words[a->form]);
	if (a->form == ATTRIBUTE_FIXED)
		json_write_z(w, "value", a->fixed);
	if (attribute_is_made(a))
		json_write_bool(w, "function", true);
	if (a->kind != KIND_NONE)
		json_write_z(w, "kind", model_kinds[a->kind].name);
	if (a->filter && d->has_filters)
		json_write_z(w, "filter", a->filter);
	if (a->sort && !d->is_within)
		json_write_z(w, "sort", a->sort);
	if (a->flags & ATTRIBUTE_ADMIN)
		json_write_bool(w, "admin", true);
	if (a->since)
		json_write_int(w, "since", a->since);
	if (a->until)
		json_write_int(w, "until", a->until);
	json_write_z(w, "doc", find_doc(d->kind, a));
	json_write_close(w);
}

static void write_table(const struct dump *d, const struct attributes *table)
{
	struct buf *name = d->name;
	size_t outer = name->size;
	for (size_t k = 0; k < table->count; k++) {
		const struct attribute *a = &table->at[k];
		struct str rest = str_from(a->form == ATTRIBUTE_RAW && a->also ? a->also : ""), word;
		if (a->flags & ATTRIBUTE_HIDDEN)
			continue;
		buf_add_str(name, str_from(a->name));
		if (a->name)
			write_one(d, a, buf_str(name));
		for (name->size = outer; str_split_next(&rest, '|', &word); name->size = outer) {
			buf_add_str(name, word);
			write_one(d, a, buf_str(name));
		}
		if (!attribute_within(a))
			continue;
		bool is_own = !attribute_is_elsewhere(a);
		const struct dump within = {d->w, is_own ? d->kind : a->via.kind, name,
					    d->has_filters && attribute_filters_within(a),
					    d->is_within || !is_own};
		if (a->name)
			buf_print(name, "%s.%s", a->name, a->form == ATTRIBUTE_LIST ? "N." : "");
		write_table(&within, a->within);
		name->size = outer;
	}
}

void attributes_dump(struct json_writer *w, enum kind kind, const struct attributes *table)
{
	struct buf name;
	buf_init(&name, NAME_SIZE_MAX);
	json_write_open_list(w, "answer");
	write_table(&(struct dump){w, kind, &name, true, false}, table);
	json_write_close_list(w);
	buf_done(&name);
}
