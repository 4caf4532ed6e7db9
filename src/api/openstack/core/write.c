/* SPDX-License-Identifier: Apache-2.0
 * Writes pieces of JSON that many answers share. */
#include "api/openstack/core/write.h"

#include <stdio.h>

#include "api/openstack/core/list.h"
#include "api/openstack/core/services.h"
#include "store/security_group.h"

struct str os_name_of(struct str name, struct tags tags)
{
	const struct tag *tag = name.n ? NULL : tags_find(tags, STR("Name"));
	return tag ? tag->value : name;
}

struct str os_row_name(enum kind kind, const struct row *row)
{
	const struct kind_info *k = &model_kinds[kind];
	const char *at = (const char *) row;
	return os_name_of(*(const struct str *) (const void *) (at + k->name_offset),
			  *(const struct tags *) (const void *) (at + k->tags_offset));
}

struct str os_get_name(struct api_call *e, const struct row *row)
{
	(void) e;
	return os_row_name(row->kind, row);
}

struct str os_group_name(struct arena *a, const struct security_group *group)
{
	return group->is_default && !uuid_is_none(group->router)
		       ? str_print(a, OS_VPC_GROUP_PREFIX "%" STR_FMT,
				   STR_ARG(id_to_ec2(a, KIND_ROUTER, group->router)))
		       : group->name;
}

const char *os_write_plural(struct arena *a, const char *item)
{
	size_t n = strlen(item);
	bool ends_in_y = n && item[n - 1] == 'y';
	return str_to_z(a,
			ends_in_y ? str_print(a, "%.*sies", (int) (n - 1), item) : str_print(a, "%ss", item));
}

void os_write_id(struct json_writer *w, const char *key, uuid id)
{
	json_write_uuid_or_null(w, key, id);
}

#define LIST_TEXTS(function, list, write, size)                                                              \
	struct strs function(struct arena *a, list values)                                                   \
	{                                                                                                    \
		struct str *texts = arena_new_array(a, struct str, values.count + 1);                        \
		char text[size];                                                                             \
		for (size_t k = 0; texts && k < values.count; k++)                                           \
			texts[k] = str_copy(a, str_from(write(values.at[k], text)));                         \
		return (struct strs){texts, texts ? values.count : 0};                                       \
	}
LIST_TEXTS(os_list_ids, struct uuids, uuid_write, UUID_TEXT_SIZE)
LIST_TEXTS(os_list_ips, struct ips, ip_write, IP_TEXT_SIZE)
LIST_TEXTS(os_list_cidrs, struct cidrs, cidr_write, CIDR_TEXT_SIZE)

struct str os_hex(struct arena *a, uuid id)
{
	return uuid_is_none(id) ? STR_NONE : str_encode_hex(a, id.b, sizeof id.b);
}

void os_write_hex(struct json_writer *w, const char *key, uuid id)
{
	static const struct attribute hex = {.form = ATTRIBUTE_HEX};
	char text[ATTRIBUTE_TEXT_SIZE];
	json_write_text_or_null(w, key, attribute_text(&os_style, &hex, &id, text));
}

void os_write_time(struct json_writer *w, const char *key, int64_t time_us)
{
	char text[CLOCK_TEXT_SIZE];
	json_write_z(w, key, time_us ? clock_write_s(time_us, text) : NULL);
}

static char *write_time_us(int64_t time_us, char out[static ATTRIBUTE_TEXT_SIZE])
{
	char seconds[CLOCK_TEXT_SIZE];
	size_t n = strlen(clock_write_s(time_us, seconds)) - 1; /* without the Z */
	(void) snprintf(out, ATTRIBUTE_TEXT_SIZE, "%.*s.%06d", (int) n, seconds, (int) (time_us % SECOND));
	return out;
}

void os_write_time_us(struct json_writer *w, const char *key, int64_t time_us)
{
	char text[ATTRIBUTE_TEXT_SIZE];
	json_write_z(w, key, time_us ? write_time_us(time_us, text) : NULL);
}

static bool shows(struct api_call *core, const struct attribute *a)
{
	struct os_call *e = os_call_of(core);
	int version = e->request.version;
	return version >= a->since && (!a->until || version <= a->until) &&
	       (!(a->flags & ATTRIBUTE_ADMIN) || os_is_admin(e)) &&
	       (!(a->flags & ATTRIBUTE_IN_READS) || os_action_of(e)->method == HTTP_GET);
}

static bool is_change(struct api_call *core)
{
	return os_action_of(os_call_of(core))->method != HTTP_GET;
}

const struct attribute_style os_style = {
	.none_is_null = true,
	.write_time = clock_write_s,
	.write_time_fine = write_time_us,
	.state_word = offsetof(struct state_info, cinder),
	.shows = shows,
	.is_change = is_change,
};

int64_t os_shown_update(const struct row *row)
{
	return row->updated_us > row->created_us ? row->updated_us : 0;
}

void os_write_times_us(struct json_writer *w, const struct row *row)
{
	os_write_time_us(w, "created_at", row->created_us);
	os_write_time_us(w, "updated_at", os_shown_update(row));
}

uuid os_shown_maker(uuid made_by, uuid account)
{
	return uuid_is_none(made_by) ? account : made_by;
}

void os_write_maker(struct json_writer *w, uuid made_by, uuid account)
{
	os_write_hex(w, "user_id", os_shown_maker(made_by, account));
}

void os_write_ip(struct json_writer *w, const char *key, struct ip ip)
{
	char text[IP_TEXT_SIZE];
	json_write_z(w, key, ip_is_none(ip) ? NULL : ip_write(ip, text));
}

void os_write_cidr(struct json_writer *w, const char *key, struct cidr cidr)
{
	char text[CIDR_TEXT_SIZE];
	json_write_z(w, key, cidr_is_none(cidr) ? NULL : cidr_write(cidr, text));
}

void os_write_mac(struct json_writer *w, const char *key, struct mac mac)
{
	char text[MAC_TEXT_SIZE];
	json_write_z(w, key, mac_write(mac, text));
}

void os_write_tags(struct json_writer *w, const char *key, struct tags tags)
{
	json_write_open(w, key);
	for (size_t k = 0; k < tags.count; k++) {
		json_write_key(w, tags.at[k].key);
		json_write_text(w, NULL, tags.at[k].value);
	}
	json_write_close(w);
}

void os_write_link(struct json_writer *w, const char *rel, struct str href)
{
	json_write_open(w, NULL);
	json_write_z(w, "rel", rel);
	json_write_text(w, "href", href);
	json_write_close(w);
}

void os_write_compute_links(struct os_call *e, struct json_writer *w, const char *collection, struct str id)
{
	struct arena *a = e->c->arena;
	json_write_open_list(w, "links");
	os_write_link(w, "self",
		      str_print(a, "%" STR_FMT "/compute/%s/%s/%" STR_FMT, STR_ARG(e->base_url),
				e->is_legacy ? "v2" : "v2.1", collection, STR_ARG(id)));
	os_write_link(w, "bookmark",
		      str_print(a, "%" STR_FMT "/compute/%s/%" STR_FMT, STR_ARG(e->base_url), collection,
				STR_ARG(id)));
	json_write_close_list(w);
}

struct str os_write_audit_id(struct arena *a, uuid audit)
{
	return str_encode_base64url(a, (struct str){(char *) audit.b, sizeof audit.b});
}
