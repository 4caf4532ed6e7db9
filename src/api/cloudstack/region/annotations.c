/* SPDX-License-Identifier: Apache-2.0
 * Annotations: notes at resources. Source of the rules and messages: AnnotationManagerImpl, AnnotationDaoImpl
 * and the commands of 4.18.
 */
#include "api/cloudstack/region/annotations.h"

#include "base/uuid_asked.h"
#include "base/vec.h"
#include "engine/annotation.h"
#include "engine/resolve.h"
#include "engine/storage/image/image.h"
#include "model/image.h"
#include "store/annotation.h"
#include "store/query.h"
#include "store/user.h"

/* ---- types of entities ---- */

static const struct entity_type {
	const char *name;
	enum kind kind; /* KIND_NONE: Dari has no such resource */
	bool is_users;  /* users may annotate theirs */
	enum annotation_part part;
} types[] = {
	{"VM", KIND_INSTANCE, true, ANNOTATION_PART_WHOLE},
	{"VOLUME", KIND_VOLUME, true, ANNOTATION_PART_WHOLE},
	{"SNAPSHOT", KIND_SNAPSHOT, true, ANNOTATION_PART_WHOLE},
	{"VM_SNAPSHOT", KIND_INSTANCE_SNAPSHOT, true, ANNOTATION_PART_WHOLE},
	{"SSH_KEYPAIR", KIND_KEY_PAIR, true, ANNOTATION_PART_WHOLE},
	{"USER_DATA", KIND_USER_DATA, true, ANNOTATION_PART_WHOLE},
	{"NETWORK", KIND_NETWORK, true, ANNOTATION_PART_WHOLE},
	{"VPC", KIND_ROUTER, true, ANNOTATION_PART_WHOLE},
	{"PUBLIC_IP_ADDRESS", KIND_ADDRESS, true, ANNOTATION_PART_WHOLE},
	{"TEMPLATE", KIND_IMAGE, true, ANNOTATION_PART_WHOLE},
	{"ISO", KIND_IMAGE, true, ANNOTATION_PART_WHOLE},
	{"SERVICE_OFFERING", KIND_INSTANCE_TYPE, false, ANNOTATION_PART_WHOLE},
	{"DISK_OFFERING", KIND_VOLUME_TYPE, false, ANNOTATION_PART_WHOLE},
	{"NETWORK_OFFERING", KIND_NETWORK_OFFERING, false, ANNOTATION_PART_WHOLE},
	{"ZONE", KIND_ZONE, false, ANNOTATION_PART_WHOLE},
	{"POD", KIND_ZONE, false, ANNOTATION_PART_POD},
	{"CLUSTER", KIND_ZONE, false, ANNOTATION_PART_CLUSTER},
	{"HOST", KIND_HOST, false, ANNOTATION_PART_WHOLE},
	{"DOMAIN", KIND_DOMAIN, false, ANNOTATION_PART_WHOLE},
	{"PRIMARY_STORAGE", KIND_STORAGE_POOL, false, ANNOTATION_PART_WHOLE},
	{"INSTANCE_GROUP", KIND_NONE, true, ANNOTATION_PART_WHOLE},
	{"VPN_CUSTOMER_GATEWAY", KIND_NONE, true, ANNOTATION_PART_WHOLE},
	{"KUBERNETES_CLUSTER", KIND_NONE, true, ANNOTATION_PART_WHOLE},
	{"AUTOSCALE_VM_GROUP", KIND_SCALING_GROUP, true, ANNOTATION_PART_WHOLE},
	{"SECONDARY_STORAGE", KIND_NONE, false, ANNOTATION_PART_WHOLE},
	{"VR", KIND_NONE, false, ANNOTATION_PART_WHOLE},
	{"SYSTEM_VM", KIND_NONE, false, ANNOTATION_PART_WHOLE},
	{"MANAGEMENT_SERVER", KIND_NONE, false, ANNOTATION_PART_WHOLE},
};

/* NULL: no such type. */
static const struct entity_type *find_type(struct str name)
{
	for (size_t k = 0; k < sizeof types / sizeof *types; k++)
		if (str_is(name, types[k].name))
			return &types[k];
	return NULL;
}

static bool is_iso(const struct row *row)
{
	return row->kind == KIND_IMAGE && engine_is_iso(image_of(row));
}

/* Tells ISOs from templates, which are of one kind. */
static const struct entity_type *type_of(const struct tables *t, const struct annotation *a)
{
	const struct row *subject = tables_find(t, (enum kind) a->subject_kind, a->subject);
	if (subject && is_iso(subject))
		return find_type(STR("ISO"));
	for (size_t k = 0; k < sizeof types / sizeof *types; k++)
		if (types[k].kind == (enum kind) a->subject_kind && types[k].part == a->part)
			return &types[k];
	return NULL;
}

/* ---- an annotation's object ---- */

static void write_entity(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct annotation *a = annotation_of(row);
	const struct entity_type *type = type_of(api_tables(e), a);
	enum kind kind = (enum kind) a->subject_kind;
	const struct row *subject = tables_find(api_tables(e), kind, a->subject);
	const struct field *field = query_find_field(kind, "name");
	const struct str *text = subject && field && field->type == FIELD_TEXT
					 ? (const void *) ((const char *) subject + field->offset)
					 : &STR_NONE;
	if (type)
		json_write_z(w, name, type->name);
	json_write_text(w, "entityid", uuid_to_str(e->c->arena, a->subject));
	if (text->n)
		json_write_text(w, "entityname", *text);
}

static const struct member members[] = {
	MEMBER(struct annotation, "id", row.id),
	MEMBER_WRITTEN("entitytype", write_entity, .also = "entityid|entityname"),
	MEMBER(struct annotation, "annotation", text),
	MEMBER(struct annotation, "userid", made_by),
	MEMBER(struct user, "username", name, .path = {JOIN_ONE(KIND_USER, annotation, made_by)}),
	MEMBER(struct annotation, "adminsonly", admins_only),
	MEMBER_AS(struct annotation, TIME, "created", row.created_us),
};
static const struct api_listing annotations = CS_LISTING(KIND_ANNOTATION, "annotation", members);

/* ---- in other answers ---- */

static void write_whether(struct api_call *e, struct json_writer *w, const char *name, const struct row *row,
			  enum annotation_part part)
{
	if (engine_find_newest_annotation(e->c, api_tables(e), row->id, part))
		json_write_bool(w, name, true);
}

void cs_write_has_annotations(struct api_call *e, struct json_writer *w, const char *name,
			      const struct row *row)
{
	write_whether(e, w, name, row, ANNOTATION_PART_WHOLE);
}

void cs_write_pod_has_annotations(struct api_call *e, struct json_writer *w, const char *name,
				  const struct row *zone)
{
	write_whether(e, w, name, zone, ANNOTATION_PART_POD);
}

void cs_write_cluster_has_annotations(struct api_call *e, struct json_writer *w, const char *name,
				      const struct row *zone)
{
	write_whether(e, w, name, zone, ANNOTATION_PART_CLUSTER);
}

void cs_write_newest_annotation(struct api_call *e, struct json_writer *w, const char *name,
				const struct row *host)
{
	const struct annotation *a =
		engine_find_newest_annotation(e->c, api_tables(e), host->id, ANNOTATION_PART_WHOLE);
	const struct user *author = a ? user_find(api_tables(e), a->made_by) : NULL;
	if (!a)
		return;
	json_write_text(w, name, a->text);
	cs_write_time(w, "lastannotated", a->row.created_us);
	if (author)
		json_write_text(w, "username", author->name);
}

/* ---- addAnnotation ---- */

struct add_args {
	struct annotation_wish wish;
	struct str type, entity;
};
#define P(wire, member, ...) PARAM(struct add_args, wire, member, __VA_ARGS__)
static const struct param add_params[] = {
	P("annotation", wish.text, .flags = REQUIRED, .doc = "Text of the annotation."),
	P("entitytype", type, .flags = REQUIRED, .doc = "Type of the entity: VM, VOLUME, NETWORK or HOST."),
	P("entityid", entity, .flags = REQUIRED, .doc = "Id of the entity."),
	P("adminsonly", wish.admins_only, .doc = "Visible to administrators only."),
};
#undef P

static RESULT prepare_add(struct cs_call *e, void *args)
{
	struct add_args *a = args;
	const struct entity_type *type = find_type(a->type);
	if (!type)
		return cs_fail_within(e, "'%" STR_FMT "' is not a valid EntityType to put annotations on",
				      STR_ARG(a->type));
	const struct user *user = user_find(cs_tables(e), e->c->who->user);
	if (!type->is_users && !identity_is_admin(e->c->who))
		return cs_fail_within(e, "User: %" STR_FMT " is not allowed to add annotations on type: %s",
				      STR_ARG(user ? user->name : STR_NONE), type->name);
	if (type->kind == KIND_NONE)
		return cs_fail_within(e, "Could not find an entity with type: %s and ID: %" STR_FMT,
				      type->name, STR_ARG(a->entity));
	a->wish.part = type->part;
	a->wish.resource = (struct ref){
		.kind = type->kind, .bits = 8 * sizeof(uuid), .text = a->entity, .field = STR("entityid")};
	return result_is_ok(uuid_parse_asked(a->entity, &a->wish.resource.prefix))
		       ? OK
		       : cs_fail_id(e, type->kind, "entityid", a->entity);
}

/* ---- removeAnnotation, updateAnnotationVisibility ---- */

static const struct param remove_params[] = {
	PARAM(struct annotation_target, "id", annotation, .kind = KIND_ANNOTATION, .flags = REQUIRED,
	      .doc = "The annotation."),
};
static const struct param show_params[] = {
	PARAM(struct annotation_visibility, "id", annotation, .kind = KIND_ANNOTATION, .flags = REQUIRED,
	      .doc = "The annotation."),
	PARAM(struct annotation_visibility, "adminsonly", admins_only, .flags = REQUIRED,
	      .doc = "Visible to administrators only."),
};

static RESULT prepare_remove(struct cs_call *e, void *args)
{
	const struct annotation_target *a = args;
	const struct row *row = NULL;
	TRY(engine_find_own(e->c, cs_tables(e), KIND_ANNOTATION, &a->annotation,
			    &row)); /* asks the guard first */
	const struct annotation *found = annotation_of(row);
	if (!engine_sees_annotation(e->c, cs_tables(e), found) || identity_is_admin(e->c->who) ||
	    uuid_equal(found->made_by, e->c->who->user))
		return OK; /* the engine refuses a hidden note as absent */
	const struct entity_type *type = type_of(cs_tables(e), found);
	return cs_fail_within(
		e,
		"Only administrators or entity owner users can delete annotations, cannot remove "
		"annotation with uuid: %" STR_FMT " - type: %s ",
		STR_ARG(a->annotation.text), type ? type->name : "");
}

/* ---- listAnnotations ---- */

struct list_args {
	struct cs_list_args list;
	struct str id, type, entity, user, filter;
	/* results: */
	const struct entity_type *of_type; /* NULL: of each, or of none that exists */
	uuid entity_id, user_id, one;
};
#define P(wire, member, ...) PARAM(struct list_args, wire, member, __VA_ARGS__)
static const struct param list_params[] = {
	CS_PAGE_PARAMS(struct list_args),
	P("id", id, .doc = "Resource by id."),
	P("entitytype", type, .doc = "Type of the entity, such as VM."),
	P("entityid", entity, .doc = "Id of the entity."),
	P("userid", user, .doc = "Author of the annotation."),
	P("annotationfilter", filter, .doc = "Filter: self for the caller's annotations, or all (default)."),
};
#undef P

/* Text that is no id has no rows. */
static uuid read_id(struct str text)
{
	uuid id = UUID_NONE;
	IGNORE(uuid_parse_asked(text, &id));
	return id;
}

static RESULT prepare_list(struct cs_call *e, void *args)
{
	struct list_args *a = args;
	if (a->id.n && a->type.n)
		return cs_fail(
			e, "id",
			"I can search for an anotation on an entity or for a specific annotation, not both");
	if (a->id.n && a->entity.n)
		return cs_fail(
			e, "id",
			"I will either search for a specific annotation or for annotations on an entity, "
			"not both");
	a->of_type = find_type(a->type);
	if (a->of_type && !a->of_type->is_users && a->entity.n && !identity_is_admin(e->c->who))
		return cs_fail_within(e, "Invalid entity type %s", a->of_type->name);
	a->one = read_id(a->id);
	a->entity_id = read_id(a->entity);
	a->user_id =
		str_equal_nocase(a->filter, STR("self")) && !a->user.n ? e->c->who->user : read_id(a->user);
	return OK;
}

struct search {
	struct cs_call *e;
	const struct list_args *asked;
	VEC(const void *) found;
};

static bool is_asked_for(const struct search *s, const struct annotation *a)
{
	const struct list_args *asked = s->asked;
	struct arena *arena = s->e->c->arena;
	bool is_self = str_equal_nocase(asked->filter, STR("self"));
	struct str keyword = asked->list.keyword;
	return (!asked->id.n || uuid_equal(asked->one, a->row.id)) &&
	       (!asked->type.n || (asked->of_type && type_of(cs_tables(s->e), a) == asked->of_type)) &&
	       (!asked->entity.n || uuid_equal(asked->entity_id, a->subject)) &&
	       (!(asked->user.n || is_self) || uuid_equal(asked->user_id, a->made_by)) &&
	       (!is_self || uuid_equal(s->e->c->who->user, a->made_by)) &&
	       (!keyword.n || str_contains(str_lower(arena, a->text), str_lower(arena, keyword)));
}

static RESULT take(struct search *s, const struct annotation *a)
{
	if (!engine_sees_annotation(s->e->c, cs_tables(s->e), a) || !is_asked_for(s, a))
		return OK;
	return VEC_PUSH(s->e->c->arena, &s->found, (const void *) a) ? OK : ctx_no_memory(s->e->c);
}

/* By the entity, or by the account; administrators see those of all accounts. */
static RESULT search(struct search *s)
{
	const struct tables *t = cs_tables(s->e);
	uuid account = s->e->c->who->account;
	const struct annotation *a = NULL;
	if (s->asked->id.n) {
		a = annotation_find(t, s->asked->one);
		return a ? take(s, a) : OK;
	}
	if (s->asked->entity.n) {
		for (a = annotation_first_by_subject(t, s->asked->entity_id); a;
		     a = annotation_next_by_subject(t, a))
			TRY(take(s, a));
		return OK;
	}
	if (identity_is_admin(s->e->c->who)) {
		for (a = annotation_first(t); a; a = annotation_next(t, a))
			TRY(take(s, a));
		return OK;
	}
	for (a = annotation_first_by_account(t, account); a; a = annotation_next_by_account(t, a))
		TRY(take(s, a));
	return OK;
}

/* Sorts the newest first. Notes with the same time are in the order of their ids, so that pages do not overlap. */
static int compare(const void *left, const void *right)
{
	const struct annotation *a = *(const struct annotation *const *) left;
	const struct annotation *b = *(const struct annotation *const *) right;
	if (a->row.created_us != b->row.created_us)
		return a->row.created_us < b->row.created_us ? 1 : -1;
	return memcmp(a->row.id.b, b->row.id.b, sizeof a->row.id.b);
}

static void write_item(struct cs_call *e, struct json_writer *w, const void *item)
{
	const struct annotation *a = item;
	members_write(&e->core, w, cs_write_time, &annotations.members, &a->row);
}

static RESULT list(struct cs_call *e, const void *args, struct json_writer *w)
{
	struct search s = {.e = e, .asked = args};
	TRY(search(&s));
	if (s.found.count > 1)
		qsort(s.found.at, s.found.count, sizeof *s.found.at, compare);
	return cs_write_items(e, w, &s.asked->list, annotations.item, s.found.at, s.found.count, write_item);
}

static const struct cs_action actions[] = {
	{CS_ACTION("addAnnotation", "ec2:CreateAnnotation"), .flags = API_WRITES,
	 .args = PARAMS(struct add_args, add_params), .prepare = prepare_add,
	 .operation = engine_add_annotation_run, .returns = KIND_ANNOTATION,
	 CS_SUBJECT(struct add_args, wish.annotation), .shows = &annotations,
	 .doc = "Adds an annotation to a resource."},
	{CS_ACTION("listAnnotations", "ec2:DescribeAnnotations"),
	 .args = PARAMS(struct list_args, list_params), .prepare = prepare_list, .answer = list,
	 .listing = &annotations, .doc = "Lists annotations, newest first."},
	{CS_ACTION("removeAnnotation", "ec2:DeleteAnnotation"), .flags = API_WRITES,
	 .args = PARAMS(struct annotation_target, remove_params), .prepare = prepare_remove,
	 .operation = engine_remove_annotation_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Removes an annotation."},
	{CS_ACTION("updateAnnotationVisibility", "ec2:ModifyAnnotation"), .flags = API_WRITES | CS_ADMIN,
	 .args = PARAMS(struct annotation_visibility, show_params), .operation = engine_update_annotation_run,
	 .returns = KIND_ANNOTATION, CS_SUBJECT(struct annotation_visibility, annotation.prefix),
	 .shows = &annotations, .doc = "Changes whether users, or only administrators, see an annotation."},
};
const struct api_actions cs_annotation_actions = API_ACTIONS(actions);
