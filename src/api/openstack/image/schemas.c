/* SPDX-License-Identifier: Apache-2.0
 * JSON schemas of Image's answers, against which clients validate requests. */
#include "api/openstack/core/action.h"

enum trait { PLAIN = 0, READ_ONLY = 1, MAY_BE_NULL = 2, SPECIAL = 4 };

struct member {
	const char *name, *type;
	unsigned traits;
	const char *doc;
	const char *words; /* "a|b": allowed values */
};

static const struct member image_members[] = {
	{"id", "string", PLAIN, "A UUID."},
	{"name", "string", MAY_BE_NULL, "Its name."},
	{"status", "string", READ_ONLY, "Where it is in its life.",
	 "queued|saving|active|killed|deleted|importing|deactivated"},
	{"visibility", "string", PLAIN, "Who may see it.", "community|public|private|shared"},
	{"protected", "boolean", PLAIN, "It is not deleted."},
	{"os_hidden", "boolean", PLAIN, "It is left out of lists."},
	{"owner", "string", MAY_BE_NULL, "The project that it belongs to."},
	{"container_format", "string", MAY_BE_NULL, "What it comes in."},
	{"disk_format", "string", MAY_BE_NULL, "Of its data."},
	{"min_disk", "integer", PLAIN, "GiB of the root disk, at least."},
	{"min_ram", "integer", PLAIN, "MiB of memory, at least."},
	{"size", "integer", READ_ONLY | MAY_BE_NULL, "Bytes of its data."},
	{"virtual_size", "integer", READ_ONLY | MAY_BE_NULL, "Bytes of its disk."},
	{"checksum", "string", READ_ONLY | MAY_BE_NULL, "MD5 of its data."},
	{"os_hash_algo", "string", READ_ONLY | MAY_BE_NULL, "Of os_hash_value."},
	{"os_hash_value", "string", READ_ONLY | MAY_BE_NULL, "A digest of its data."},
	{"tags", "array", PLAIN, "Words."},
	{"created_at", "string", READ_ONLY, "When it was made."},
	{"updated_at", "string", READ_ONLY, "When it was changed last."},
	{"self", "string", READ_ONLY, "Where it is."},
	{"file", "string", READ_ONLY, "Where its data are."},
	{"schema", "string", READ_ONLY, "Where this is."},
};
static const struct member member_members[] = {
	{"member_id", "string", PLAIN, "The project."},
	{"image_id", "string", PLAIN, "The image."},
	{"status", "string", PLAIN, "What the member says.", "pending|accepted|rejected"},
	{"created_at", "string", READ_ONLY, "When it was made."},
	{"updated_at", "string", READ_ONLY, "When it was changed last."},
	{"schema", "string", READ_ONLY, "Where this is."},
};

static void write_type(struct json_writer *w, const struct member *m)
{
	if (!(m->traits & MAY_BE_NULL)) {
		json_write_z(w, "type", m->type);
		return;
	}
	json_write_open_list(w, "type");
	json_write_z(w, NULL, "null");
	json_write_z(w, NULL, m->type);
	json_write_close_list(w);
}

static void write_member(struct json_writer *w, const struct member *m)
{
	struct str words = m->words ? str_from(m->words) : STR_NONE, word;
	json_write_open(w, m->name);
	write_type(w, m);
	json_write_z(w, "description", m->doc);
	if (m->traits & READ_ONLY)
		json_write_bool(w, "readOnly", true);
	if (m->words) {
		json_write_open_list(w, "enum");
		while (str_split_next(&words, '|', &word))
			json_write_text(w, NULL, word);
		json_write_close_list(w);
	}
	if (strcmp(m->type, "array") == 0) {
		json_write_open(w, "items");
		json_write_z(w, "type", "string");
		json_write_close(w);
	}
	json_write_close(w);
}

static void write_schema(struct json_writer *w, const char *name, const struct member *members, size_t count,
			 bool is_open)
{
	json_write_z(w, "name", name);
	json_write_open(w, "properties");
	for (size_t k = 0; k < count; k++)
		write_member(w, &members[k]);
	json_write_close(w);
	if (!is_open)
		return;
	json_write_open(w, "additionalProperties");
	json_write_z(w, "type", "string");
	json_write_close(w);
}

static void write_of_list(struct json_writer *w, const char *name, const char *one,
			  const struct member *members, size_t count, bool is_open)
{
	json_write_z(w, "name", name);
	json_write_open(w, "properties");
	json_write_open(w, name);
	json_write_z(w, "type", "array");
	json_write_open(w, "items");
	write_schema(w, one, members, count, is_open);
	json_write_close(w);
	json_write_close(w);
	json_write_open(w, "schema");
	json_write_z(w, "type", "string");
	json_write_close(w);
	json_write_close(w);
}

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static RESULT image_schema(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	write_schema(w, "image", image_members, COUNT(image_members), true);
	return OK;
}

static RESULT images_schema(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	write_of_list(w, "images", "image", image_members, COUNT(image_members), true);
	return OK;
}

static RESULT member_schema(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	write_schema(w, "member", member_members, COUNT(member_members), false);
	return OK;
}

static RESULT members_schema(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	write_of_list(w, "members", "member", member_members, COUNT(member_members), false);
	return OK;
}

#define SCHEMA(word, write, words)                                                                           \
	{                                                                                                    \
		.method = HTTP_GET, .path = "/v2/schemas/" word, .permit = "get_images", .answer = (write),  \
		.doc = (words),                                                                              \
	}
static const struct os_action actions[] = {
	SCHEMA("image", image_schema, "The members of an image."),
	SCHEMA("images", images_schema, "Those of a list of images."),
	SCHEMA("member", member_schema, "The members of a member."),
	SCHEMA("members", members_schema, "Those of a list of members."),
};
const struct os_actions os_image_schema_actions = OS_ACTIONS(OS_IMAGE, actions);
