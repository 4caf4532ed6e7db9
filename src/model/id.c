/* SPDX-License-Identifier: Apache-2.0
 * Writes, parses and generates ids in EC2's form. Prefixes of kinds come from the schema. */
#include "model/id.h"
#include "base/uuid_asked.h"
#include "model/spot_fleet_id.h"

#include <stdio.h>

enum { EC2_DIGITS = 17, EC2_OLD_DIGITS = 8 };

/* Writes "<prefix>-<17 digits>", truncated to the size of out. */
char *id_write_prefixed(const char *prefix, uuid id, char out[static EC2_ID_TEXT_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	size_t n = strnlen(prefix, EC2_ID_TEXT_SIZE - EC2_DIGITS - 2);
	memcpy(out, prefix, n);
	out[n++] = '-';
	for (unsigned k = 0; k < EC2_DIGITS / 2; k++) {
		out[n++] = hex[id.b[k] >> 4];
		out[n++] = hex[id.b[k] & 15];
	}
	out[n++] = hex[id.b[EC2_DIGITS / 2] >> 4];
	out[n] = '\0';
	return out;
}

/* EC2's fleet ids contain the entire UUID, with dashes. */
static bool is_whole(enum kind kind)
{
	return kind == KIND_FLEET;
}

/* The version of a UUID is the upper half of its seventh byte: 4 of a random one, 8 of one with a meaning of its own. */
enum { VERSION_BYTE = 6, VERSION_OWN = 0x80 };

bool id_is_spot_fleet(uuid id)
{
	return (id.b[VERSION_BYTE] & 0xf0) == VERSION_OWN;
}

uuid id_of_spot_fleet(uuid id)
{
	id.b[VERSION_BYTE] = (uint8_t) (VERSION_OWN | (id.b[VERSION_BYTE] & 0x0f));
	return id;
}

char *id_write_ec2(enum kind kind, uuid id, char out[static EC2_ID_TEXT_SIZE])
{
	char text[UUID_TEXT_SIZE];
	if (is_whole(kind)) {
		snprintf(out, EC2_ID_TEXT_SIZE, "%s-%s",
			 id_is_spot_fleet(id) ? ID_SPOT_FLEET : model_kinds[kind].ec2_prefix,
			 uuid_write(id, text));
		return out;
	}
	return id_write_prefixed(model_kinds[kind].ec2_prefix, id, out);
}

struct str id_to_prefixed(struct arena *a, const char *prefix, uuid id)
{
	char text[EC2_ID_TEXT_SIZE];
	return str_copy(a, str_from(id_write_prefixed(prefix, id, text)));
}

struct str id_to_ec2(struct arena *a, enum kind kind, uuid id)
{
	char text[EC2_ID_TEXT_SIZE];
	return str_copy(a, str_from(id_write_ec2(kind, id, text)));
}

struct str id_to_text(struct arena *a, enum kind kind, uuid id)
{
	return model_kinds[kind].ec2_prefix[0] ? id_to_ec2(a, kind, id) : uuid_to_str(a, id);
}

/* Returns the text after "<prefix>-", or nothing if the prefix differs. */
static struct str cut_prefix(struct str text, const char *prefix)
{
	size_t n = strlen(prefix);
	if (n == 0 || text.n <= n || !str_starts_with(text, str_from(prefix)) || text.p[n] != '-')
		return STR_NONE;
	return str_slice(text, n + 1, text.n);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A fleet's id with the other dialect's prefix is well-formed and matches no row. */
static RESULT parse_whole(struct str text, const char *prefix, struct ref *ret_ref)
{
	bool is_spot = strcmp(prefix, ID_SPOT_FLEET) == 0;
	uuid id = UUID_NONE;
	if (!result_is_ok(uuid_parse_asked(cut_prefix(text, prefix), &id)))
		return FAIL(MALFORMED);
	*ret_ref = (struct ref){
		.prefix = id_is_spot_fleet(id) == is_spot ? id : UUID_NONE, .bits = 128, .text = text};
	return OK;
}

RESULT id_parse_prefixed(struct str text, const char *prefix, struct ref *ret_ref)
{
	if (strcmp(prefix, ID_SPOT_FLEET) == 0)
		return parse_whole(text, prefix, ret_ref);
	struct str digits = cut_prefix(text, prefix);
	if (digits.n != EC2_DIGITS && digits.n != EC2_OLD_DIGITS)
		return FAIL(MALFORMED);
	uuid id = UUID_NONE;
	for (size_t k = 0; k < digits.n; k++) {
		int value = hex_value(digits.p[k]);
		if (value < 0)
			return FAIL(MALFORMED);
		id.b[k / 2] |= (uint8_t) (k % 2 ? value : value << 4);
	}
	*ret_ref = (struct ref){.prefix = id, .bits = 4 * EC2_DIGITS, .text = text};
	/* Ids of 8 digits are well-formed, but none was ever created here, so they match no row. */
	if (digits.n == EC2_OLD_DIGITS) {
		ret_ref->prefix = UUID_NONE;
		ret_ref->bits = 128;
	}
	return OK;
}

RESULT id_parse_ec2(struct str text, enum kind kind, struct ref *ret_ref)
{
	const char *prefix = model_kinds[kind].ec2_prefix;
	*ret_ref = (struct ref){.bits = 128, .text = text};
	if (!is_whole(kind))
		TRY(id_parse_prefixed(text, prefix, ret_ref));
	else if (cut_prefix(text, ID_SPOT_FLEET).n)
		TRY(parse_whole(text, ID_SPOT_FLEET, ret_ref));
	else
		TRY(parse_whole(text, prefix, ret_ref));
	ret_ref->kind = kind;
	return OK;
}

enum kind id_kind_of_ec2(struct str text)
{
	for (unsigned kind = KIND_NONE + 1; kind < KIND_COUNT; kind++) {
		if (!str_is_empty(cut_prefix(text, model_kinds[kind].ec2_prefix)))
			return (enum kind) kind;
	}
	return cut_prefix(text, ID_SPOT_FLEET).n ? KIND_FLEET : KIND_NONE;
}

bool id_has_prefix(uuid id, uuid prefix, unsigned bits)
{
	size_t whole = bits / 8;
	if (memcmp(id.b, prefix.b, whole) != 0)
		return false;
	return bits % 8 == 0 || (id.b[whole] ^ prefix.b[whole]) >> (8 - bits % 8) == 0;
}

uuid model_metadata_port(uuid router)
{
	return uuid_v5(router, STR("metadata"));
}

/* A locally administered address. */
struct mac model_metadata_mac(uuid router)
{
	return (struct mac){{0x02, 0xa9, router.b[10], router.b[11], router.b[12], router.b[13]}};
}

uuid id_new(enum kind kind)
{
	uuid id = uuid_random();
	if (kind == KIND_INSTANCE) {
		id.b[0] = 0xec;
		id.b[1] = (uint8_t) (0x20 | (id.b[1] & 0x0f));
	}
	return id;
}
