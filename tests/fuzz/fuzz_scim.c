/* SPDX-License-Identifier: Apache-2.0
 * Fuzzes what SCIM reads: behind "f" a filter, behind "p" the path of a patch, behind "r" a resource, behind "u" and "g" the patch
 * of a user or a group. A filter and its negation differ on a document. What was accepted is accepted again as a resource. */
#include <stdlib.h>

#include "api/scim/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char document[] =
	"{\"id\": \"0a\", \"userName\": \"Ann\", \"active\": true, \"externalId\": \"X1\", \"title\": \"\","
	" \"displayName\": \"a\", \"name\": {\"familyName\": \"Other\"}, \"meta\": {\"created\": "
	"\"2024-05-01T10:00:00Z\"},"
	" \"emails\": [{\"value\": \"a@work.test\", \"type\": \"work\", \"primary\": true},"
	"              {\"value\": \"b@home.test\", \"type\": \"home\"}],"
	" \"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\": {\"department\": \"Tools\","
	"   \"manager\": {\"value\": \"m1\"}}}";

static json_t *read_document(void *arg, const struct scim_place *place)
{
	json_t *home = place->extension ? json_object_get(arg, place->extension->name) : arg;
	return json_incref(json_object_get(home, place->attribute->name));
}

static void check_filter(struct ctx *c, struct str text, json_t *there)
{
	const struct scim_filter *f = NULL;
	if (!result_is_ok(scim_parse_filter(c, &scim_user_type, text, &f)))
		return;
	const struct scim_filter negation = {.op = SCIM_NOT, .left = f};
	if (scim_matches(f, read_document, there) == scim_matches(&negation, read_document, there))
		abort();
}

static void check_path(struct ctx *c, struct str text, json_t *there)
{
	struct scim_path path;
	if (!result_is_ok(scim_parse_path(c, &scim_user_type, text, &path)) || !path.filter)
		return;
	json_t *list = read_document(there, &path.place);
	for (size_t k = 0; k < json_array_size(list); k++)
		(void) scim_matches_value(path.filter, json_array_get(list, k));
	json_decref(list);
}

/* Takes an accepted resource again, and lists the attributes that differ from another one: both must succeed. */
static void check_taken(struct scim_call *e, json_t *taken, const json_t *before)
{
	json_t *again = NULL;
	struct tags changed;
	if (!result_is_ok(scim_take_resource(e, taken, &again)) ||
	    !result_is_ok(scim_list_changed(e, before, taken, &changed)))
		abort();
	json_decref(again);
}

static RESULT pass_members(struct scim_call *e, void *arg, struct str op, const struct scim_path *path,
			   const json_t *value)
{
	(void) e;
	(void) arg;
	(void) op;
	(void) path;
	(void) value;
	return OK;
}

static void check_body(struct ctx *c, char kind, struct str text, json_t *there)
{
	const struct scim_action action = {.type = kind == 'g' ? &scim_group_type : &scim_user_type};
	struct scim_call e = {.c = c,
			      .action = &action.core,
			      .body = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL)};
	json_t *taken = NULL, *before = NULL;
	if (json_is_object(e.body) && kind == 'r' && result_is_ok(scim_take_resource(&e, e.body, &taken)))
		check_taken(&e, taken, there);
	if (json_is_object(e.body) && kind != 'r' && result_is_ok(scim_take_resource(&e, there, &before))) {
		taken = json_deep_copy(before);
		if (result_is_ok(scim_patch(&e, taken, kind == 'g' ? pass_members : NULL, NULL)))
			check_taken(&e, taken, before);
	}
	json_decref(before);
	json_decref(taken);
	json_decref(e.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(ARENA_FIRST_SIZE, 16 << 20);
	struct str text = {(const char *) data + 1, size ? size - 1 : 0};
	json_t *there = json_loads(document, 0, NULL);
	struct ctx c;
	ctx_init(&c, a);
	if (size && there && data[0] == 'f')
		check_filter(&c, text, there);
	else if (size && there && data[0] == 'p')
		check_path(&c, text, there);
	else if (size && there)
		check_body(&c, (char) data[0], text, there);
	json_decref(there);
	arena_free(a);
	return 0;
}
