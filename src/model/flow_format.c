/* SPDX-License-Identifier: Apache-2.0
 * Formats of flow log records. */
#include "model/flow_format.h"

const char *const flow_field_names[FLOW_FIELD_COUNT] = {
#define FLOW_FIELD(ID, name, version) name,
#include "model/flow_format.def"
};

static const int versions[FLOW_FIELD_COUNT] = {
#define FLOW_FIELD(ID, name, version) version,
#include "model/flow_format.def"
};

/* FLOW_FIELD_COUNT: no field has that name. */
static enum flow_field find_field(struct str word)
{
	enum flow_field field = 0;
	if (word.n < 4 || !str_starts_with(word, STR("${")) || word.p[word.n - 1] != '}')
		return FLOW_FIELD_COUNT;
	struct str name = str_slice(word, 2, word.n - 1);
	while (field < FLOW_FIELD_COUNT && !str_is(name, flow_field_names[field]))
		field++;
	return field;
}

static bool has_field(const struct flow_format *format, enum flow_field field)
{
	for (size_t k = 0; k < format->count; k++)
		if (format->fields[k] == field)
			return true;
	return false;
}

bool flow_format_parse(struct str text, struct flow_format *ret_format, struct str *ret_wrong)
{
	struct flow_format format = {.version = 2};
	for (size_t at = 0; at < text.n;) {
		size_t end = str_find_char(text, ' ', at);
		struct str word = str_slice(text, at, end);
		enum flow_field field = find_field(word);
		if (field == FLOW_FIELD_COUNT || has_field(&format, field)) {
			*ret_wrong = word;
			return false;
		}
		format.fields[format.count++] = field;
		if (versions[field] > format.version)
			format.version = versions[field];
		at = end + 1;
	}
	*ret_format = format;
	return true;
}
