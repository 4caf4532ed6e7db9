/* SPDX-License-Identifier: Apache-2.0
 * Drafts of machines: see draft.h. */
#include "drivers/remote/draft.h"
#include "model/licence.h"
#include "model/remote_machine.h"

#include <stdlib.h>
#include <string.h>

enum { TAG_MAX = 255 };

bool draft_is_id(struct str s)
{
	for (size_t k = 0; k < s.n; k++)
		if (!str_is_alphanumeric(s.p[k]) && !strchr("-_.:()", s.p[k]))
			return false;
	return s.n >= 1 && s.n <= DRAFT_ID_MAX;
}

void draft_put_text(struct str *field, struct str text, size_t most)
{
	*field = str_is_line(text) ? str_cut(text, most) : STR_NONE;
}

void draft_add_id(struct draft_ids *list, struct str text, size_t most)
{
	for (size_t k = 0; k < list->count; k++)
		if (str_equal(list->at[k], text))
			return;
	if (list->count < most && draft_is_id(text))
		list->at[list->count++] = text;
}

void draft_add_ip(struct draft_ips *list, struct str text)
{
	struct ip ip;
	if (!result_is_ok(ip_parse(text, &ip)) || list->count == DRAFT_IPS_MAX)
		return;
	for (size_t k = 0; k < list->count; k++)
		if (ip_equal(list->at[k], ip))
			return;
	list->at[list->count++] = ip;
}

void draft_add_tag(struct machine_draft *d, struct str key, struct str value)
{
	const struct tag tag = {.key = str_cut(key, TAG_MAX), .value = str_cut(value, TAG_MAX)};
	if (tag.key.n && str_is_line(tag.key) && str_is_xml_text(tag.value) && d->tag_count < DRAFT_TAGS_MAX)
		d->tags[d->tag_count++] = tag;
	if (str_is(key, REMOTE_TOKEN_TAG))
		IGNORE(uuid_parse(value, &d->machine.row.id)); /* of another form: somebody else's */
}

static int compare_ids(const void *a, const void *b)
{
	return str_compare(*(const struct str *) a, *(const struct str *) b);
}

static int compare_ips(const void *a, const void *b)
{
	return ip_compare(*(const struct ip *) a, *(const struct ip *) b);
}

static int compare_tags(const void *a, const void *b)
{
	return str_compare(((const struct tag *) a)->key, ((const struct tag *) b)->key);
}

/* Lists are sorted, because clouds change the order between answers, and that is no change of the machine. */
static struct strs copy_ids(struct arena *a, struct draft_ids *list)
{
	struct str *copy = arena_new_array(a, struct str, list->count);
	if (list->count > 1)
		qsort(list->at, list->count, sizeof list->at[0], compare_ids);
	for (size_t k = 0; copy && k < list->count; k++)
		copy[k] = list->at[k];
	return (struct strs){copy, copy ? list->count : 0};
}

static struct ips copy_ips(struct arena *a, struct draft_ips *list)
{
	struct ip *copy = arena_new_array(a, struct ip, list->count);
	if (list->count > 1)
		qsort(list->at, list->count, sizeof list->at[0], compare_ips);
	for (size_t k = 0; copy && k < list->count; k++)
		copy[k] = list->at[k];
	return (struct ips){copy, copy ? list->count : 0};
}

struct tags draft_sort_tags(struct arena *a, struct tag *tags, size_t count)
{
	struct tag *copy = arena_new_array(a, struct tag, count);
	size_t kept = 0;
	if (count > 1)
		qsort(tags, count, sizeof tags[0], compare_tags);
	for (size_t k = 0; copy && k < count; k++)
		if (!kept || !str_equal(copy[kept - 1].key, tags[k].key))
			copy[kept++] = tags[k];
	return (struct tags){copy, kept};
}

static bool reads_all(struct strs licences)
{
	struct licence licence;
	bool is_read = licences.count > 0 && licences.count <= LICENCES_MAX;
	for (size_t k = 0; is_read && k < licences.count; k++)
		is_read = licence_read(licences.at[k], &licence);
	return is_read;
}

/* The tag comes first: an owner's word for a machine that the cloud's codes do not describe. */
static struct strs read_licences(struct arena *a, const struct machine_draft *d)
{
	struct strs licences = {0};
	for (size_t k = 0; k < d->tag_count; k++)
		if (str_is(d->tags[k].key, REMOTE_LICENCE_TAG) &&
		    licence_read_word(a, d->tags[k].value, NULL, &licences) && reads_all(licences))
			return licences;
	if (licence_of_ec2_operation(a, d->operation, &licences))
		return licences;
	if (licence_read_word(a, d->operation, NULL, &licences) && reads_all(licences))
		return licences;
	return (struct strs){0};
}

RESULT draft_end(struct ctx *c, struct machine_draft *d, struct remote_machines *list)
{
	struct remote_machine *m = &d->machine;
	if (!draft_is_id(m->ref))
		return ctx_fail(c, ERR_IO, "The answer is not usable: a machine has no proper id.");
	if (list->count == REMOTE_PAGE_MAX)
		return ctx_fail(c, ERR_IO, "The answer is not usable: a page has more than %d machines.",
				REMOTE_PAGE_MAX);
	m->subnets = copy_ids(c->arena, &d->subnets);
	m->groups = copy_ids(c->arena, &d->groups);
	m->volumes = copy_ids(c->arena, &d->volumes);
	m->private_ips = copy_ips(c->arena, &d->private_ips);
	m->public_ips = copy_ips(c->arena, &d->public_ips);
	m->licences = read_licences(c->arena, d);
	m->remote_tags = draft_sort_tags(c->arena, d->tags, d->tag_count);
	return VEC_PUSH(c->arena, list, *m) && !arena_is_full(c->arena) ? OK : ctx_no_memory(c);
}
