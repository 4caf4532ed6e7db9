/* SPDX-License-Identifier: Apache-2.0
 * Converts row fields to text and back, for SQL, dumps and events. Plain values have their usual form, "none"
 * is empty, blobs are base64, lists are compact JSON arrays, tags a JSON object ordered by key. Reading
 * written text gives equal values; reading is strict. */
#include <jansson.h>

#include "model/row.h"

/* ---- writing ---- */

/* Writes JSON to p, or only measures if p is NULL. */
struct json_out {
	char *p;
	size_t n;
};

static void json_put(struct json_out *out, const char *bytes, size_t size)
{
	if (out->p)
		memcpy(out->p + out->n, bytes, size);
	out->n += size;
}

static void json_put_char(struct json_out *out, char c)
{
	json_put(out, &c, 1);
}

static void json_put_text(struct json_out *out, struct str s)
{
	static const char hex[] = "0123456789abcdef";
	json_put_char(out, '"');
	size_t from = 0; /* Bytes that need no escape are copied together: each commit writes many texts. */
	for (size_t k = 0; k < s.n; k++) {
		unsigned char c = (unsigned char) s.p[k];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		json_put(out, s.p + from, k - from);
		from = k;
		if (c < 0x20) {
			const char escape[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
			json_put(out, escape, sizeof escape);
			from++;
		} else {
			json_put_char(out, '\\');
		}
	}
	if (s.n > from)
		json_put(out, s.p + from, s.n - from);
	json_put_char(out, '"');
}

static void json_put_uuids(struct json_out *out, const struct uuids *list)
{
	for (size_t k = 0; k < list->count; k++) {
		char text[UUID_TEXT_SIZE + 2] = "\""; /* digits and dashes need no escape */
		if (k > 0)
			json_put_char(out, ',');
		if (out->p)
			uuid_write(list->at[k], text + 1);
		text[UUID_TEXT_SIZE] = '"';
		json_put(out, text, UUID_TEXT_SIZE + 1);
	}
}

static void json_put_ips(struct json_out *out, const struct ips *list)
{
	for (size_t k = 0; k < list->count; k++) {
		char text[IP_TEXT_SIZE];
		if (k > 0)
			json_put_char(out, ',');
		json_put_text(out, str_from(ip_write(list->at[k], text)));
	}
}

static void json_put_cidrs(struct json_out *out, const struct cidrs *list)
{
	for (size_t k = 0; k < list->count; k++) {
		char text[CIDR_TEXT_SIZE];
		if (k > 0)
			json_put_char(out, ',');
		json_put_text(out, str_from(cidr_write(list->at[k], text)));
	}
}

static void json_put_texts(struct json_out *out, const struct strs *list)
{
	for (size_t k = 0; k < list->count; k++) {
		if (k > 0)
			json_put_char(out, ',');
		json_put_text(out, list->at[k]);
	}
}

static void json_put_tags(struct json_out *out, const struct tags *list)
{
	for (size_t k = 0; k < list->count; k++) {
		if (k > 0)
			json_put_char(out, ',');
		json_put_text(out, list->at[k].key);
		json_put_char(out, ':');
		json_put_text(out, list->at[k].value);
	}
}

static void json_put_list(struct json_out *out, enum field_type type, const void *list)
{
	json_put_char(out, type == FIELD_TAGS ? '{' : '[');
	if (type == FIELD_UUIDS)
		json_put_uuids(out, list);
	else if (type == FIELD_IPS)
		json_put_ips(out, list);
	else if (type == FIELD_CIDRS)
		json_put_cidrs(out, list);
	else if (type == FIELD_TEXTS)
		json_put_texts(out, list);
	else
		json_put_tags(out, list);
	json_put_char(out, type == FIELD_TAGS ? '}' : ']');
}

static struct str write_list(struct arena *a, enum field_type type, const void *list)
{
	struct json_out out = {0};
	json_put_list(&out, type, list);
	size_t size = out.n;
	out = (struct json_out){.p = arena_alloc(a, size + 1)};
	if (!out.p)
		return STR_NONE;
	json_put_list(&out, type, list);
	return (struct str){out.p, size};
}

/* The pointer is never NULL unless the arena is full: SQL distinguishes an empty text from NULL by it. */
static struct str copy_text(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);
	if (!p)
		return STR_NONE;
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return (struct str){p, s.n};
}

static struct str write_uuid(struct arena *a, uuid u)
{
	char text[UUID_TEXT_SIZE] = "";
	return copy_text(a, uuid_is_none(u) ? STR_NONE : str_from(uuid_write(u, text)));
}

static struct str write_ip(struct arena *a, struct ip ip)
{
	char text[IP_TEXT_SIZE] = "";
	return copy_text(a, ip_is_none(ip) ? STR_NONE : str_from(ip_write(ip, text)));
}

static struct str write_cidr(struct arena *a, struct cidr c)
{
	char text[CIDR_TEXT_SIZE] = "";
	return copy_text(a, cidr_is_none(c) ? STR_NONE : str_from(cidr_write(c, text)));
}

static struct str write_mac(struct arena *a, struct mac m)
{
	char text[MAC_TEXT_SIZE] = "";
	return copy_text(a, mac_is_none(m) ? STR_NONE : str_from(mac_write(m, text)));
}

static struct str write_blob(struct arena *a, struct str bytes)
{
	return str_is_empty(bytes) ? copy_text(a, bytes) : str_encode_base64(a, bytes);
}

struct str row_field_to_text(struct arena *a, const struct field *f, const struct row *r)
{
	const void *at = (const char *) r + f->offset;
	switch (f->type) {
	case FIELD_UUID:
		return write_uuid(a, *(const uuid *) at);
	case FIELD_TEXT:
		return copy_text(a, *(const struct str *) at);
	case FIELD_INT:
		return str_print(a, "%lld", (long long) *(const int64_t *) at);
	case FIELD_BOOL:
		return copy_text(a, *(const bool *) at ? STR("true") : STR("false"));
	case FIELD_ENUM:
		return copy_text(a, str_from(f->words[*(const unsigned *) at]));
	case FIELD_IP:
		return write_ip(a, *(const struct ip *) at);
	case FIELD_CIDR:
		return write_cidr(a, *(const struct cidr *) at);
	case FIELD_MAC:
		return write_mac(a, *(const struct mac *) at);
	case FIELD_BLOB:
		return write_blob(a, *(const struct str *) at);
	case FIELD_UUIDS:
	case FIELD_TEXTS:
	case FIELD_IPS:
	case FIELD_CIDRS:
	case FIELD_TAGS:
		break;
	}
	return write_list(a, f->type, at);
}

/* ---- reading ---- */

/* Copies a JSON string's bytes. ERR_INVALID: not a string. */
static RESULT read_json_text(struct arena *a, const json_t *json, struct str *ret_text)
{
	if (!json_is_string(json))
		return FAIL(INVALID);
	*ret_text = copy_text(a, (struct str){json_string_value(json), json_string_length(json)});
	return ret_text->p ? OK : FAIL(NO_MEMORY);
}

static RESULT read_uuids(struct arena *a, const json_t *array, struct uuids *ret_list)
{
	size_t count = json_array_size(array);
	uuid *at = arena_alloc_array(a, count, sizeof *at);
	if (!at)
		return FAIL(NO_MEMORY);
	for (size_t k = 0; k < count; k++) {
		struct str text = STR_NONE;
		TRY(read_json_text(a, json_array_get(array, k), &text));
		if (!result_is_ok(uuid_parse(text, &at[k])))
			return FAIL(INVALID);
	}
	*ret_list = (struct uuids){at, count};
	return OK;
}

static RESULT read_ips(struct arena *a, const json_t *array, struct ips *ret_list)
{
	size_t count = json_array_size(array);
	struct ip *at = arena_alloc_array(a, count, sizeof *at);
	if (!at)
		return FAIL(NO_MEMORY);
	for (size_t k = 0; k < count; k++) {
		struct str text = STR_NONE;
		TRY(read_json_text(a, json_array_get(array, k), &text));
		TRY(ip_parse(text, &at[k]));
	}
	*ret_list = (struct ips){at, count};
	return OK;
}

static RESULT read_cidrs(struct arena *a, const json_t *array, struct cidrs *ret_list)
{
	size_t count = json_array_size(array);
	struct cidr *at = arena_alloc_array(a, count, sizeof *at);
	if (!at)
		return FAIL(NO_MEMORY);
	for (size_t k = 0; k < count; k++) {
		struct str text = STR_NONE;
		TRY(read_json_text(a, json_array_get(array, k), &text));
		TRY(cidr_parse(text, &at[k]));
	}
	*ret_list = (struct cidrs){at, count};
	return OK;
}

static RESULT read_texts(struct arena *a, const json_t *array, struct strs *ret_list)
{
	size_t count = json_array_size(array);
	struct str *at = arena_alloc_array(a, count, sizeof *at);
	if (!at)
		return FAIL(NO_MEMORY);
	for (size_t k = 0; k < count; k++)
		TRY(read_json_text(a, json_array_get(array, k), &at[k]));
	*ret_list = (struct strs){at, count};
	return OK;
}

static RESULT read_tags(struct arena *a, json_t *object, struct tags *ret_list)
{
	size_t count = json_object_size(object), k = 0;
	struct tag *at = arena_alloc_array(a, count, sizeof *at);
	if (!at)
		return FAIL(NO_MEMORY);
	for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i), k++) {
		at[k].key = copy_text(a, str_from(json_object_iter_key(i)));
		if (!at[k].key.p)
			return FAIL(NO_MEMORY);
		TRY(read_json_text(a, json_object_iter_value(i), &at[k].value));
	}
	tags_sort(at, count);
	*ret_list = (struct tags){at, count};
	return OK;
}

static RESULT read_list(struct arena *a, enum field_type type, struct str text, void *at)
{
	json_auto_t *json = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	if (type == FIELD_TAGS ? !json_is_object(json) : !json_is_array(json))
		return FAIL(INVALID);
	if (type == FIELD_UUIDS)
		return read_uuids(a, json, at);
	if (type == FIELD_IPS)
		return read_ips(a, json, at);
	if (type == FIELD_CIDRS)
		return read_cidrs(a, json, at);
	if (type == FIELD_TEXTS)
		return read_texts(a, json, at);
	return read_tags(a, json, at);
}

static RESULT read_word(const struct field *f, struct str text, unsigned *ret_value)
{
	for (unsigned k = 0; f->words[k]; k++) {
		if (str_is(text, f->words[k])) {
			*ret_value = k;
			return OK;
		}
	}
	return FAIL(INVALID);
}

static RESULT read_mac(struct str text, struct mac *ret_mac)
{
	if (!str_is_empty(text))
		return mac_parse(text, ret_mac);
	*ret_mac = (struct mac){0};
	return OK;
}

static RESULT read_ip(struct str text, struct ip *ret_ip)
{
	if (!str_is_empty(text))
		return ip_parse(text, ret_ip);
	*ret_ip = (struct ip){0};
	return OK;
}

static RESULT read_cidr(struct str text, struct cidr *ret_cidr)
{
	if (!str_is_empty(text))
		return cidr_parse(text, ret_cidr);
	*ret_cidr = (struct cidr){0};
	return OK;
}

static RESULT read_uuid(struct str text, uuid *ret_uuid)
{
	*ret_uuid = UUID_NONE;
	return str_is_empty(text) || result_is_ok(uuid_parse(text, ret_uuid)) ? OK : FAIL(INVALID);
}

static RESULT read_text(struct arena *a, struct str text, struct str *ret_text)
{
	*ret_text = copy_text(a, text);
	return ret_text->p ? OK : FAIL(NO_MEMORY);
}

RESULT row_field_from_text(struct arena *a, const struct field *f, struct str text, struct row *ret_row)
{
	void *at = (char *) ret_row + f->offset;
	switch (f->type) {
	case FIELD_UUID:
		return read_uuid(text, at);
	case FIELD_TEXT:
		return read_text(a, text, at);
	case FIELD_INT:
		return str_parse_int(text, at);
	case FIELD_BOOL:
		return str_parse_bool(text, at);
	case FIELD_ENUM:
		return read_word(f, text, at);
	case FIELD_IP:
		return read_ip(text, at);
	case FIELD_CIDR:
		return read_cidr(text, at);
	case FIELD_MAC:
		return read_mac(text, at);
	case FIELD_BLOB:
		return str_decode_base64(a, text, at);
	case FIELD_UUIDS:
	case FIELD_TEXTS:
	case FIELD_IPS:
	case FIELD_CIDRS:
	case FIELD_TAGS:
		break;
	}
	return read_list(a, f->type, text, at);
}
