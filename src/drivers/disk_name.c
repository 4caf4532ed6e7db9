/* SPDX-License-Identifier: Apache-2.0
 * Writes and parses names of files and images. */
#include "drivers/disk_name.h"

#include "base/crypto.h"

static const char *const words[] = {[DISK_VOLUME] = "-vol-", [DISK_CUT] = "-snp-", [DISK_BASE] = "-img-"};

enum { KINDS = sizeof words / sizeof words[0] };

struct str disk_name_write(struct arena *a, uuid region, const struct disk_name *name, const char *ending)
{
	char region_text[UUID_TEXT_SIZE], id[UUID_TEXT_SIZE];
	struct str text = name->kind == DISK_BASE ? name->sha256 : str_from(uuid_write(name->id, id));
	return str_print(a, "dari-%.*s%s%" STR_FMT "%s", DISK_NAME_REGION_SIZE,
			 uuid_write(region, region_text), words[name->kind], STR_ARG(text), ending);
}

bool disk_name_parse(const char *region_text, struct str name, struct disk_name *ret_name)
{
	enum { WORD_AT = sizeof "dari-01234567" - 1, TEXT_AT = WORD_AT + sizeof "-vol-" - 1 };
	char id[UUID_TEXT_SIZE];
	uint8_t digest[SHA256_SIZE];
	struct str text = str_slice(name, TEXT_AT, name.n);
	if (!str_starts_with(name, STR("dari-")) ||
	    !str_is(str_slice(name, strlen("dari-"), WORD_AT), region_text))
		return false;
	for (int kind = 0; kind < KINDS; kind++) {
		if (!str_is(str_slice(name, WORD_AT, TEXT_AT), words[kind]))
			continue;
		*ret_name = (struct disk_name){.kind = (enum disk_kind) kind};
		if (kind != DISK_BASE) /* only the form that disk_name_write() produces */
			return result_is_ok(uuid_parse(text, &ret_name->id)) &&
			       str_is(text, uuid_write(ret_name->id, id));
		ret_name->sha256 = text;
		return result_is_ok(str_decode_hex(text, digest, sizeof digest));
	}
	return false;
}
