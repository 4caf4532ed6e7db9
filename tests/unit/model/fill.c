/* SPDX-License-Identifier: Apache-2.0
 * Random rows by field table (fill.h). */
#include "fill.h"

#include <string.h>

#include "base/random.h"

/* Pieces that are awkward in JSON and SQL, whole characters each. */
static const char *const pieces[] = {"a",  "Z",    "0", " ", "\"", "\\", "'", "\n",
				     "\t", "\x01", "/", "é", "다", "😀",  "%"};

/* most: maximum length in bytes; 0: random. */
static struct str random_text(struct arena *a, size_t most)
{
	struct str text = STR_NONE;
	for (uint64_t n = random_below(12); n > 0; n--) {
		const char *piece = pieces[random_below(sizeof pieces / sizeof *pieces)];
		if (!most || text.n + strlen(piece) <= most)
			text = str_print(a, "%" STR_FMT "%s", STR_ARG(text), piece);
	}
	return text;
}

static struct str random_bytes_of(struct arena *a, size_t most)
{
	size_t n = random_below(most && most < 40 ? most + 1 : 40);
	char *p = arena_alloc(a, n);
	random_bytes(p, n);
	return (struct str){p, n};
}

static struct ip random_ip(void)
{
	struct ip ip = {.family = random_below(2) ? IP_V4 : IP_V6};
	random_bytes(ip.b, ip.family == IP_V4 ? 4 : 16);
	return ip;
}

static struct cidr random_cidr(void)
{
	struct ip base = random_ip();
	return (struct cidr){base, (uint8_t) random_below(base.family == IP_V4 ? 33 : 129)};
}

static void fill_list(struct arena *a, const struct field *f, void *at)
{
	size_t count = random_below(f->most && f->most < 3 ? f->most + 1 : 4);
	uuid *ids = arena_new_array(a, uuid, count);
	struct str *texts = arena_new_array(a, struct str, count);
	struct ip *ips = arena_new_array(a, struct ip, count);
	struct cidr *cidrs = arena_new_array(a, struct cidr, count);
	struct tag *tags = arena_new_array(a, struct tag, count);
	for (size_t k = 0; k < count; k++) {
		ids[k] = uuid_random();
		texts[k] = random_text(a, 0);
		ips[k] = random_ip();
		cidrs[k] = random_cidr();
		struct str key = random_text(a, 0);
		tags[k] = (struct tag){str_print(a, "%zu%" STR_FMT, k, STR_ARG(key)), random_text(a, 0)};
	}
	if (f->type == FIELD_UUIDS)
		*(struct uuids *) at = (struct uuids){ids, count};
	else if (f->type == FIELD_TEXTS)
		*(struct strs *) at = (struct strs){texts, count};
	else if (f->type == FIELD_IPS)
		*(struct ips *) at = (struct ips){ips, count};
	else if (f->type == FIELD_CIDRS)
		*(struct cidrs *) at = (struct cidrs){cidrs, count};
	else
		*(struct tags *) at = (struct tags){tags, count};
}

static unsigned count_words(const struct field *f)
{
	unsigned count = 0;
	while (f->words[count])
		count++;
	return count;
}

static void fill_field(struct arena *a, const struct field *f, void *at)
{
	switch (f->type) {
	case FIELD_UUID:
		*(uuid *) at = random_below(4) ? uuid_random() : UUID_NONE;
		break;
	case FIELD_TEXT:
		*(struct str *) at = random_text(a, f->most);
		break;
	case FIELD_INT:
		*(int64_t *) at = random_below(2) ? (int64_t) random_u64() : (int64_t) random_below(3) - 1;
		break;
	case FIELD_BOOL:
		*(bool *) at = random_below(2);
		break;
	case FIELD_ENUM:
		*(unsigned *) at = (unsigned) random_below(count_words(f));
		break;
	case FIELD_IP:
		*(struct ip *) at = random_below(4) ? random_ip() : (struct ip){0};
		break;
	case FIELD_CIDR:
		*(struct cidr *) at = random_below(4) ? random_cidr() : (struct cidr){0};
		break;
	case FIELD_MAC:
		random_bytes(at, random_below(4) ? sizeof(struct mac) : 0);
		break;
	case FIELD_BLOB:
		*(struct str *) at = random_bytes_of(a, f->most);
		break;
	case FIELD_UUIDS:
	case FIELD_TEXTS:
	case FIELD_IPS:
	case FIELD_CIDRS:
	case FIELD_TAGS:
		fill_list(a, f, at);
		break;
	}
}

struct row *fill_row(struct arena *a, const struct kind_info *k)
{
	struct row *r = arena_alloc(a, k->row_size);
	*r = (struct row){.id = uuid_random(),
			  .gen = random_below(5),
			  .commit = random_u64(),
			  .created_us = (int64_t) random_below(1000),
			  .updated_us = (int64_t) random_below(1000),
			  .deleted_us = (int64_t) random_below(2)};
	for (unsigned n = 0; n < k->field_count; n++)
		fill_field(a, &k->fields[n], (char *) r + k->fields[n].offset);
	return r;
}

bool fill_other_value(struct arena *a, const struct field *f, struct row *r)
{
	if (f->type == FIELD_ENUM && count_words(f) == 1)
		return false;
	void *at = (char *) r + f->offset;
	struct str before = row_field_to_text(a, f, r);
	do
		fill_field(a, f, at);
	while (str_equal(before, row_field_to_text(a, f, r)));
	return true;
}
