/* SPDX-License-Identifier: Apache-2.0
 * UEFI variables in the form used in rows, and facts derived from them without a firmware. */
#include "model/firmware.h"

#include "base/buf.h"
#include "base/utf8.h"

enum {
	WRITTEN_MAX = 1 << 20,
	STORED_HEADER_SIZE = 60, /* for an authenticated variable in EDK II's store */
	STORED_ALIGNMENT = 4
};

/* EFI_GLOBAL_VARIABLE: GUID of the firmware's own variables, such as the platform key. */
static const uint8_t global_guid[FIRMWARE_GUID_SIZE] = {0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11,
							0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c};

/* ---- writing ---- */

static void put_number(struct buf *b, uint64_t n, size_t size)
{
	for (size_t k = 0; k < size; k++)
		buf_add_char(b, (char) (n >> 8 * k));
}

static void put_sized(struct buf *b, struct str s)
{
	put_number(b, s.n, 8);
	buf_add_str(b, s);
}

static void put_variable(struct buf *b, const struct firmware_variable *v)
{
	static const char no_digest[FIRMWARE_DIGEST_SIZE];
	put_sized(b, v->name);
	put_sized(b, v->data);
	buf_add(b, v->guid, sizeof v->guid);
	put_number(b, v->attributes, 4);
	if (!(v->attributes & FIRMWARE_AUTHENTICATED))
		return;
	buf_add(b, v->timestamp, sizeof v->timestamp);
	put_sized(b, v->digest.n ? v->digest : (struct str){no_digest, sizeof no_digest});
}

RESULT firmware_write(struct ctx *c, const struct firmware_variables *variables, struct str *ret_bytes)
{
	struct buf b;
	buf_init(&b, WRITTEN_MAX);
	put_number(&b, variables->count, 8);
	for (size_t k = 0; k < variables->count; k++)
		put_variable(&b, &variables->at[k]);
	struct result r = buf_finish(&b);
	if (!result_is_ok(r))
		r = ctx_fail(c, r.code, "UEFI's variables are more than %d bytes", WRITTEN_MAX);
	*ret_bytes = result_is_ok(r) ? str_copy(c->arena, buf_str(&b)) : STR_NONE;
	if (result_is_ok(r) && !ret_bytes->p)
		r = ctx_no_memory(c);
	buf_done(&b);
	return r;
}

/* ---- reading ---- */

struct reader {
	struct ctx *c;
	struct str left;
};

static RESULT take(struct reader *r, uint64_t size, struct str *ret_bytes)
{
	if (size > r->left.n)
		return ctx_fail(r->c, ERR_INVALID, "UEFI's variables are cut off.");
	*ret_bytes = str_slice(r->left, 0, (size_t) size);
	r->left = str_slice(r->left, (size_t) size, r->left.n);
	return OK;
}

static RESULT take_number(struct reader *r, size_t size, uint64_t *ret_number)
{
	struct str bytes = STR_NONE;
	TRY(take(r, size, &bytes));
	*ret_number = 0;
	for (size_t k = 0; k < size; k++)
		*ret_number |= (uint64_t) (uint8_t) bytes.p[k] << 8 * k;
	return OK;
}

static RESULT take_sized(struct reader *r, struct str *ret_bytes)
{
	uint64_t size = 0;
	TRY(take_number(r, 8, &size));
	return take(r, size, ret_bytes);
}

static bool is_same(const struct firmware_variable *a, const struct firmware_variable *b)
{
	return str_equal(a->name, b->name) && memcmp(a->guid, b->guid, sizeof a->guid) == 0;
}

static RESULT check_variable(struct ctx *c, const struct firmware_variable *all, size_t at)
{
	const struct firmware_variable *v = &all[at];
	if (str_is_empty(v->name) || !str_is_utf8(v->name) || memchr(v->name.p, 0, v->name.n))
		return ctx_fail(c, ERR_INVALID, "A UEFI variable has no proper name.");
	if (!(v->attributes & FIRMWARE_NON_VOLATILE))
		return ctx_fail(c, ERR_INVALID, "The UEFI variable '%" STR_FMT "' is not a lasting one.",
				STR_ARG(str_slice(v->name, 0, 64)));
	for (size_t k = 0; k < at; k++)
		if (is_same(&all[k], v))
			return ctx_fail(c, ERR_INVALID, "The UEFI variable '%" STR_FMT "' is there twice.",
					STR_ARG(str_slice(v->name, 0, 64)));
	return OK;
}

static RESULT read_variable(struct reader *r, struct firmware_variable *ret_variable)
{
	static const char no_digest[FIRMWARE_DIGEST_SIZE];
	struct str guid = STR_NONE, timestamp = STR_NONE;
	uint64_t attributes = 0;
	TRY(take_sized(r, &ret_variable->name));
	TRY(take_sized(r, &ret_variable->data));
	TRY(take(r, FIRMWARE_GUID_SIZE, &guid));
	memcpy(ret_variable->guid, guid.p, guid.n);
	TRY(take_number(r, 4, &attributes));
	ret_variable->attributes = (uint32_t) attributes;
	if (!(ret_variable->attributes & FIRMWARE_AUTHENTICATED))
		return OK;
	TRY(take(r, FIRMWARE_TIMESTAMP_SIZE, &timestamp));
	memcpy(ret_variable->timestamp, timestamp.p, timestamp.n);
	TRY(take_sized(r, &ret_variable->digest));
	if (ret_variable->digest.n != 0 && ret_variable->digest.n != FIRMWARE_DIGEST_SIZE)
		return ctx_fail(r->c, ERR_INVALID,
				"A UEFI variable is bound to something else than SHA-256.");
	if (ret_variable->digest.n && memcmp(ret_variable->digest.p, no_digest, sizeof no_digest) == 0)
		ret_variable->digest = STR_NONE;
	return OK;
}

RESULT firmware_read(struct ctx *c, struct str bytes, struct firmware_variables *ret_variables)
{
	struct reader r = {c, bytes};
	uint64_t count = 0;
	TRY(take_number(&r, 8, &count));
	if (count > r.left.n / (8 + 8 + FIRMWARE_GUID_SIZE + 4)) /* the minimum size of each */
		return ctx_fail(c, ERR_INVALID, "UEFI's variables are cut off.");
	struct firmware_variable *all =
		arena_new_array(c->arena, struct firmware_variable, (size_t) count + 1);
	if (!all)
		return ctx_no_memory(c);
	for (size_t k = 0; k < count; k++) {
		TRY(read_variable(&r, &all[k]));
		TRY(check_variable(c, all, k));
	}
	if (r.left.n)
		return ctx_fail(c, ERR_INVALID, "Something stands behind UEFI's variables.");
	*ret_variables = (struct firmware_variables){all, (size_t) count};
	return OK;
}

/* ---- capabilities ---- */

/* UTF-16 takes two bytes for each character's first UTF-8 byte, and at most two for each further one. */
size_t firmware_stored_size(const struct firmware_variables *variables)
{
	size_t size = 0;
	for (size_t k = 0; k < variables->count; k++) {
		const struct firmware_variable *v = &variables->at[k];
		size += STORED_HEADER_SIZE + 2 * (v->name.n + 1) + v->data.n + STORED_ALIGNMENT;
	}
	return size;
}

bool firmware_has_platform_key(const struct firmware_variables *variables)
{
	for (size_t k = 0; k < variables->count; k++) {
		const struct firmware_variable *v = &variables->at[k];
		if (str_is(v->name, "PK") && v->data.n && memcmp(v->guid, global_guid, sizeof v->guid) == 0)
			return true;
	}
	return false;
}
