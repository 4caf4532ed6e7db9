/* SPDX-License-Identifier: Apache-2.0
 * EDK II's variable store in an OVMF guest's flash file: a firmware volume header, the store header, then the
 * variables in sequence. The guest can write anything there, so every field is checked. Output has the form
 * that the firmware itself would have written at once. Pure. Numbers are little-endian. Layouts: UEFI PI,
 * MdeModulePkg's VariableFormat.h. */
#include "base/buf.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "drivers/libvirt/host.h"

enum {
	VOLUME_GUID_AT = 16,
	VOLUME_LENGTH_AT = 32,
	VOLUME_SIGNATURE_AT = 40,
	VOLUME_HEADER_LENGTH_AT = 48,
	VOLUME_HEADER_MIN = 56,
	STORE_HEADER_SIZE = 28,
	STORE_SIZE_AT = 16,
	STORE_FORMATTED = 0x5a,
	STORE_HEALTHY = 0xfe,
	VARIABLE_HEADER_SIZE = 60,
	VARIABLE_START = 0x55aa,
	STATE_ADDED = 0x3f,
	STATE_BEING_REPLACED = 0x3e, /* valid until its successor is complete */
	CERTIFICATE_HEADER_SIZE = 28,
	CERTIFICATES_ATTRIBUTES = 0x27, /* non-volatile, boot and runtime access, time-based authenticated
					 * write access */
	FILE_MAX = 1 << 20,
	NONE_WRITTEN = 0xff
};

static const uint8_t volume_guid[] = {0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c,
				      0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50};
/* GUID of the authenticated variable store, the kind OVMF uses. */
static const uint8_t store_guid[] = {0x78, 0x2c, 0xf3, 0xaa, 0x7b, 0x94, 0x9a, 0x43,
				     0xa1, 0x80, 0x2e, 0x14, 0x4e, 0xc3, 0x77, 0x92};
/* GUID of the firmware's internal record of the certificates that variables are bound to. */
static const uint8_t certificates_guid[] = {0x6e, 0xe5, 0xbe, 0xd9, 0xdc, 0x75, 0xd9, 0x49,
					    0xb4, 0xd7, 0xb5, 0x34, 0x21, 0x0f, 0x63, 0x7a};

/* size: at most 8. The caller checked the bounds. */
static uint64_t number(struct str s, size_t at, size_t size)
{
	uint64_t n = 0;
	for (size_t k = 0; k < size; k++)
		n |= (uint64_t) (uint8_t) s.p[at + k] << 8 * k;
	return n;
}

static RESULT fail_damaged(struct ctx *c, const char *what)
{
	return ctx_fail(c, ERR_IO, "the firmware's variable store is damaged: %s", what);
}

/* ---- names */

static size_t put_utf8(char *to, uint32_t character)
{
	if (character < 0x80) {
		to[0] = (char) character;
		return 1;
	}
	size_t more = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
	static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};
	to[0] = (char) (lead[more] | character >> 6 * more);
	for (size_t k = 1; k <= more; k++)
		to[k] = (char) (0x80 | (character >> 6 * (more - k) & 0x3f));
	return more + 1;
}

/* Converts UTF-16 up to its NUL; an unpaired surrogate becomes U+FFFD. */
static RESULT read_name(struct ctx *c, struct str utf16, struct str *ret_name)
{
	char *p = arena_alloc(c->arena, utf16.n / 2 * 3 + 1);
	size_t n = 0;
	if (!p)
		return ctx_no_memory(c);
	for (size_t at = 0; at + 2 <= utf16.n; at += 2) {
		uint32_t unit = (uint32_t) number(utf16, at, 2);
		uint32_t next = at + 4 <= utf16.n ? (uint32_t) number(utf16, at + 2, 2) : 0;
		if (!unit)
			break;
		if (unit >> 10 == 0x36 && next >> 10 == 0x37) {
			unit = 0x10000 + ((unit & 0x3ff) << 10) + (next & 0x3ff);
			at += 2;
		} else if (unit >> 11 == 0x1b) {
			unit = 0xfffd;
		}
		n += put_utf8(p + n, unit);
	}
	*ret_name = (struct str){p, n};
	return OK;
}

/* ---- variables */

struct found {
	struct firmware_variable variable;
	uint8_t state;
};
typedef VEC(struct found) found_vec;

static bool is_same(const struct firmware_variable *a, const struct firmware_variable *b)
{
	return str_equal(a->name, b->name) && memcmp(a->guid, b->guid, sizeof a->guid) == 0;
}

static bool is_certificates(const struct firmware_variable *v)
{
	return str_is(v->name, "certdb") && memcmp(v->guid, certificates_guid, sizeof v->guid) == 0;
}

/* Reads the variable whose header is at s.p[at]; the caller checked that the header is complete. ret_next:
 * offset of the following one. */
static RESULT read_variable(struct ctx *c, struct str s, size_t at, found_vec *all, size_t *ret_next)
{
	struct found f = {.state = (uint8_t) s.p[at + 2]};
	uint64_t name_size = number(s, at + 36, 4), data_size = number(s, at + 40, 4);
	if (f.state == NONE_WRITTEN || name_size == UINT32_MAX || data_size == UINT32_MAX)
		name_size = data_size = 0; /* the firmware stopped writing here */
	size_t from = at + VARIABLE_HEADER_SIZE, left = s.n - from;
	if (name_size > left || data_size > left - name_size)
		return fail_damaged(c, "a variable goes beyond the store's end");
	size_t end = from + (size_t) name_size + (size_t) data_size;
	*ret_next = (end + 3) & ~(size_t) 3;
	if (f.state != STATE_ADDED && f.state != STATE_BEING_REPLACED)
		return OK;
	TRY(read_name(c, str_slice(s, from, from + (size_t) name_size), &f.variable.name));
	f.variable.data = str_slice(s, from + (size_t) name_size, end);
	f.variable.attributes = (uint32_t) number(s, at + 4, 4);
	memcpy(f.variable.timestamp, s.p + at + 16, FIRMWARE_TIMESTAMP_SIZE);
	memcpy(f.variable.guid, s.p + at + 44, FIRMWARE_GUID_SIZE);
	return VEC_PUSH(c->arena, all, f) ? OK : ctx_no_memory(c);
}

static RESULT read_all(struct ctx *c, struct str s, found_vec *all)
{
	size_t at = STORE_HEADER_SIZE;
	while (at + VARIABLE_HEADER_SIZE <= s.n && number(s, at, 2) == VARIABLE_START)
		TRY(read_variable(c, s, at, all, &at));
	return OK;
}

/* True if a variable that is being replaced has its replacement. */
static bool has_successor(const found_vec *all, size_t at)
{
	for (size_t k = 0; k < all->count; k++)
		if (k != at && all->at[k].state == STATE_ADDED &&
		    is_same(&all->at[k].variable, &all->at[at].variable))
			return true;
	return false;
}

/* ---- which certificates they are bound to */

static void bind_variable(struct firmware_variable *at, size_t count, const struct firmware_variable *bound)
{
	for (size_t k = 0; k < count; k++)
		if (is_same(&at[k], bound))
			at[k].digest = bound->digest;
}

/* s: its own size, followed by the entries. Unrecognised entries are ignored. */
static RESULT bind_variables(struct ctx *c, struct str s, struct firmware_variable *variables, size_t count)
{
	for (size_t at = 4; at + CERTIFICATE_HEADER_SIZE <= s.n;) {
		struct firmware_variable bound = {0};
		uint64_t name_size = 2 * number(s, at + 20, 4), digest_size = number(s, at + 24, 4);
		size_t from = at + CERTIFICATE_HEADER_SIZE, left = s.n - from;
		if (name_size > left || digest_size > left - name_size)
			break;
		memcpy(bound.guid, s.p + at, FIRMWARE_GUID_SIZE);
		TRY(read_name(c, str_slice(s, from, from + (size_t) name_size), &bound.name));
		at = from + (size_t) name_size + (size_t) digest_size;
		bound.digest = str_slice(s, at - (size_t) digest_size, at);
		if (digest_size == FIRMWARE_DIGEST_SIZE)
			bind_variable(variables, count, &bound);
	}
	return OK;
}

/* ---- the whole */

/* Finds the store in a flash file; ret_store begins with its header. */
static RESULT find_store(struct ctx *c, struct str file, struct str *ret_store)
{
	if (file.n < VOLUME_HEADER_MIN || memcmp(file.p + VOLUME_SIGNATURE_AT, "_FVH", 4) != 0 ||
	    memcmp(file.p + VOLUME_GUID_AT, volume_guid, sizeof volume_guid) != 0)
		return ctx_fail(c, ERR_UNSUPPORTED,
				"the firmware's variables are not kept as a plain EDK II variable store");
	size_t header = (size_t) number(file, VOLUME_HEADER_LENGTH_AT, 2);
	if (number(file, VOLUME_LENGTH_AT, 8) > file.n || header > file.n - STORE_HEADER_SIZE)
		return fail_damaged(c, "the volume goes beyond the file's end");
	struct str s = str_slice(file, header, file.n);
	if (memcmp(s.p, store_guid, sizeof store_guid) != 0)
		return ctx_fail(c, ERR_UNSUPPORTED, "the firmware's variable store is of another kind");
	uint64_t size = number(s, STORE_SIZE_AT, 4);
	if ((uint8_t) s.p[20] != STORE_FORMATTED || (uint8_t) s.p[21] != STORE_HEALTHY)
		return fail_damaged(c, "it is not formatted");
	if (size < STORE_HEADER_SIZE || size > s.n)
		return fail_damaged(c, "it goes beyond the file's end");
	*ret_store = str_slice(s, 0, (size_t) size);
	return OK;
}

RESULT libvirt_parse_variables(struct ctx *c, struct str file, struct firmware_variables *ret_variables)
{
	struct str store = STR_NONE, certificates = STR_NONE;
	found_vec all = {0};
	TRY(find_store(c, file, &store));
	TRY(read_all(c, store, &all));
	struct firmware_variable *kept = arena_new_array(c->arena, struct firmware_variable, all.count);
	size_t count = 0;
	if (all.count && !kept)
		return ctx_no_memory(c);
	for (size_t k = 0; k < all.count; k++) {
		if (all.at[k].state == STATE_BEING_REPLACED && has_successor(&all, k))
			continue;
		if (is_certificates(&all.at[k].variable))
			certificates = all.at[k].variable.data;
		else
			kept[count++] = all.at[k].variable;
	}
	TRY(bind_variables(c, certificates, kept, count));
	*ret_variables = (struct firmware_variables){kept, count};
	return OK;
}

/* ---- writing */

static void put_number(struct buf *b, uint64_t n, size_t size)
{
	for (size_t k = 0; k < size; k++)
		buf_add_char(b, (char) (n >> 8 * k));
}

/* Without a terminating NUL. */
static struct str to_utf16(struct ctx *c, struct str name)
{
	char *p = arena_alloc(c->arena, 2 * name.n + 1);
	size_t n = 0;
	for (size_t at = 0; p && at < name.n;) {
		uint32_t character = 0;
		at += utf8_decode(name, at, &character);
		bool is_pair = character >= 0x10000;
		uint32_t units[] = {is_pair ? 0xd800 + ((character - 0x10000) >> 10) : character,
				    0xdc00 + ((character - 0x10000) & 0x3ff)};
		for (size_t k = 0; k < (is_pair ? 2U : 1U); k++) {
			p[n++] = (char) units[k];
			p[n++] = (char) (units[k] >> 8);
		}
	}
	return (struct str){p, p ? n : 0};
}

static RESULT put_variable(struct ctx *c, struct buf *b, const struct firmware_variable *v)
{
	struct str name = to_utf16(c, v->name);
	if (!name.p)
		return ctx_no_memory(c);
	put_number(b, VARIABLE_START, 2);
	put_number(b, STATE_ADDED, 1);
	put_number(b, 0, 1);
	put_number(b, v->attributes, 4);
	put_number(b, 0, 8); /* monotonic count, unused */
	buf_add(b, v->timestamp, sizeof v->timestamp);
	put_number(b, 0, 4); /* public key index, unused */
	put_number(b, name.n + 2, 4);
	put_number(b, v->data.n, 4);
	buf_add(b, v->guid, sizeof v->guid);
	buf_add_str(b, name);
	put_number(b, 0, 2);
	buf_add_str(b, v->data);
	while (b->size % 4)
		buf_add_char(b, (char) NONE_WRITTEN);
	return OK;
}

/* Writes the firmware's list of variables bound to certificates. Without one, the firmware creates an empty
 * list itself. */
static RESULT put_certificates(struct ctx *c, struct buf *b, const struct firmware_variables *variables)
{
	struct firmware_variable list = {.name = STR("certdb"), .attributes = CERTIFICATES_ATTRIBUTES};
	struct buf entries;
	buf_init(&entries, FILE_MAX);
	put_number(&entries, 0, 4);
	for (size_t k = 0; k < variables->count; k++) {
		const struct firmware_variable *v = &variables->at[k];
		struct str name = v->digest.n ? to_utf16(c, v->name) : STR_NONE;
		if (!v->digest.n)
			continue;
		buf_add(&entries, v->guid, sizeof v->guid);
		put_number(&entries, CERTIFICATE_HEADER_SIZE + name.n + v->digest.n, 4);
		put_number(&entries, name.n / 2, 4);
		put_number(&entries, v->digest.n, 4);
		buf_add_str(&entries, name);
		buf_add_str(&entries, v->digest);
	}
	memcpy(list.guid, certificates_guid, sizeof list.guid);
	for (size_t k = 0; k < 4 && entries.size > 4; k++)
		entries.p[k] = (char) (entries.size >> 8 * k);
	list.data = buf_str(&entries);
	struct result r = buf_finish(&entries);
	if (result_is_ok(r) && list.data.n > 4)
		r = put_variable(c, b, &list);
	buf_done(&entries);
	return r;
}

RESULT libvirt_replace_variables(struct ctx *c, struct str file, const struct firmware_variables *variables,
				 struct str *ret_file)
{
	struct str store = STR_NONE;
	struct buf b;
	struct result r = OK;
	TRY(find_store(c, file, &store));
	size_t from = (size_t) (store.p - file.p) + STORE_HEADER_SIZE,
	       end = (size_t) (store.p - file.p) + store.n;
	buf_init(&b, file.n + FILE_MAX);
	buf_add_str(&b, str_slice(file, 0, from));
	for (size_t k = 0; k < variables->count && result_is_ok(r); k++)
		r = put_variable(c, &b, &variables->at[k]);
	if (result_is_ok(r))
		r = put_certificates(c, &b, variables);
	if (result_is_ok(r) && b.size > end)
		r = ctx_fail(c, ERR_CAPACITY, "the host's firmware has no room for so many variables");
	while (result_is_ok(r) && b.size < end)
		buf_add_char(&b, (char) NONE_WRITTEN);
	buf_add_str(&b, str_slice(file, end, file.n));
	if (result_is_ok(r))
		r = buf_finish(&b);
	*ret_file = result_is_ok(r) ? str_copy(c->arena, buf_str(&b)) : STR_NONE;
	buf_done(&b);
	return result_is_ok(r) && !ret_file->p ? ctx_no_memory(c) : r;
}
