/* SPDX-License-Identifier: Apache-2.0
 * QoS specs of volume types. Source: Block Storage API reference, "Quality of service (QoS)
 * specifications". The API makes three of its changes by GET. */
#include "api/openstack/core/write.h"
#include "api/openstack/volume/volumes.h"
#include "engine/storage/volume_type/volume_qos.h"
#include "model/volume_qos.h"
#include "store/volume_type.h"

static const struct attribute qos_rows[] = {
	ATTRIBUTE(volume_qos, "id", row.id, .filter = "id"),
	ATTRIBUTE(volume_qos, "name", name, .filter = "name", .sort = "name"),
	ATTRIBUTE_AS(ENUM, volume_qos, "consumer", consumer, .words = volume_qos_consumer_words,
		     .filter = "consumer"),
	ATTRIBUTE(volume_qos, "specs", specs),
};
static const struct attributes qos_members = ATTRIBUTES(qos_rows);
static const struct os_listing qos_listing = {
	.kind = KIND_VOLUME_QOS,
	.items = "qos_specs",
	.links = "qos_specs_links",
	.unknown_since = -1,
	.flags = OS_ALL_SEE_ALL | OS_NEWEST_FIRST,
	.page_max = 1000,
	.attributes = &qos_members,
};

/* ---- one ---- */

#define QOS_PATH(T, member) OS_PATH(T, "qos_id", member, .kind = KIND_VOLUME_QOS, .doc = "The QoS specs.")

struct os_qos_target {
	struct volume_qos_target wish;
};
static const struct param target_params[] = {QOS_PATH(struct os_qos_target, wish.qos)};
static const struct param delete_params[] = {
	QOS_PATH(struct os_qos_target, wish.qos),
	OS_QUERY(struct os_qos_target, "force", wish.force,
		 .doc = "Whether specs that volume types use may be deleted."),
};

static RESULT show_qos(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_qos_target *a = args;
	json_write_open(w, "qos_specs");
	TRY(os_write_found(e, &qos_listing, &a->wish.qos, w));
	json_write_close(w);
	os_write_volume_links(e, w, "qos-specs", a->wish.qos.prefix);
	return OK;
}

static RESULT show_associations(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct volume_qos *qos = NULL;
	TRY(engine_find_volume_qos(e->c, os_tables(e), &((const struct os_qos_target *) args)->wish.qos,
				   &qos));
	json_write_open_list(w, "qos_associations");
	for (const struct volume_type *t = volume_type_first_by_qos(os_tables(e), qos->row.id); t;
	     t = volume_type_next_by_qos(os_tables(e), t)) {
		json_write_open(w, NULL);
		json_write_z(w, "association_type", "volume_type");
		json_write_text(w, "name", t->name);
		os_write_id(w, "id", t->row.id);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* ---- changes ---- */

struct os_qos_change {
	struct volume_qos_wish wish;
	struct tags specs; /* as sent, including name and consumer */
};
#define SPECS                                                                                                \
	OS_BODY(struct os_qos_change, "qos_specs", specs, .flags = REQUIRED,                                 \
		.doc = "Specs by key, such as name, consumer and total_iops_sec.")
static const struct param create_params[] = {SPECS};
static const struct param update_params[] = {QOS_PATH(struct os_qos_change, wish.qos), SPECS};
static const struct param unset_params[] = {
	QOS_PATH(struct os_qos_change, wish.qos),
	OS_BODY(struct os_qos_change, "keys", wish.gone, .flags = REQUIRED, .doc = "Keys to remove."),
};

/* Moves name and consumer out of the specs into the wish. */
static RESULT take_specs(struct os_call *e, struct os_qos_change *a, bool takes_name)
{
	struct tag *rest = arena_new_array(e->c->arena, struct tag, a->specs.count + 1);
	size_t count = 0;
	if (!rest)
		return ctx_no_memory(e->c);
	for (size_t n = 0; n < a->specs.count; n++) {
		const struct tag *spec = &a->specs.at[n];
		if (takes_name && str_is(spec->key, "name"))
			a->wish.name = spec->value;
		else if (str_is(spec->key, "consumer"))
			a->wish.consumer = spec->value;
		else
			rest[count++] = *spec;
	}
	a->wish.specs = (struct tags){rest, count};
	return OK;
}

static RESULT prepare_create(struct os_call *e, void *args)
{
	return take_specs(e, args, true);
}

static RESULT prepare_update(struct os_call *e, void *args)
{
	return take_specs(e, args, false);
}

static RESULT show_created(struct os_call *e, const void *args, struct json_writer *w)
{
	uuid id = ((const struct os_qos_change *) args)->wish.made;
	json_write_open(w, "qos_specs");
	TRY(os_write_returned(e, &qos_listing, id, w));
	json_write_close(w);
	os_write_volume_links(e, w, "qos-specs", id);
	return OK;
}

static RESULT show_sent(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	os_write_tags(w, "qos_specs", ((const struct os_qos_change *) args)->specs);
	return OK;
}

struct os_qos_association {
	struct volume_qos_association wish;
};
static const struct param association_params[] = {
	QOS_PATH(struct os_qos_association, wish.qos),
	OS_QUERY(struct os_qos_association, "vol_type_id", wish.type, .flags = REQUIRED,
		 .kind = KIND_VOLUME_TYPE, .doc = "The volume type."),
};
static const struct param all_params[] = {QOS_PATH(struct os_qos_association, wish.qos)};

#define ALL "/v3/{project_id}/qos-specs"
#define ONE ALL "/{qos_id}"
#define POLICY(word) "volume_extension:qos_specs_manage:" word
#define ASSOCIATION(rows, run)                                                                               \
	.permit = POLICY("update"), .flags = API_WRITES | OS_ADMIN, .status = 202,                           \
	.args = OS_PARAMS(struct os_qos_association, rows), .operation = (run)
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = POLICY("get_all"), .flags = OS_ADMIN, .list = &qos_listing,
	 .doc = "Lists QoS specs."},
	{HTTP_POST, ALL, .permit = POLICY("create"), .flags = API_WRITES | OS_ADMIN,
	 .args = OS_PARAMS(struct os_qos_change, create_params), .prepare = prepare_create,
	 .operation = engine_create_volume_qos_run, .answer = show_created, .returns = KIND_VOLUME_QOS,
	 .doc = "Creates QoS specs."},
	{HTTP_GET, ONE, .permit = POLICY("get"), .flags = OS_ADMIN,
	 .args = OS_PARAMS(struct os_qos_target, target_params), .answer = show_qos,
	 .doc = "Shows one set of QoS specs."},
	{HTTP_PUT, ONE, .permit = POLICY("update"), .flags = API_WRITES | OS_ADMIN,
	 .args = OS_PARAMS(struct os_qos_change, update_params), .prepare = prepare_update,
	 .operation = engine_update_volume_qos_run, .answer = show_sent,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Adds or changes specs."},
	{HTTP_PUT, ONE "/delete_keys", .permit = POLICY("delete"), .flags = API_WRITES | OS_ADMIN,
	 .status = 202, .args = OS_PARAMS(struct os_qos_change, unset_params),
	 .operation = engine_update_volume_qos_run, .doc = "Removes specs."},
	{HTTP_DELETE, ONE, .permit = POLICY("delete"), .flags = API_WRITES | OS_ADMIN, .status = 202,
	 .args = OS_PARAMS(struct os_qos_target, delete_params), .operation = engine_delete_volume_qos_run,
	 .doc = "Deletes QoS specs."},
	{HTTP_GET, ONE "/associations", .permit = POLICY("get_all"), .flags = OS_ADMIN,
	 .args = OS_PARAMS(struct os_qos_target, target_params), .answer = show_associations,
	 .doc = "Lists the volume types associated with QoS specs."},
	{HTTP_GET, ONE "/associate", ASSOCIATION(association_params, engine_associate_volume_qos_run),
	 .doc = "Associates a volume type with QoS specs, which then limit its volumes."},
	{HTTP_GET, ONE "/disassociate", ASSOCIATION(association_params, engine_disassociate_volume_qos_run),
	 .doc = "Disassociates a volume type from QoS specs."},
	{HTTP_GET, ONE "/disassociate_all", ASSOCIATION(all_params, engine_disassociate_volume_qos_run),
	 .doc = "Disassociates all volume types from QoS specs."},
};
const struct os_actions os_qos_spec_actions = OS_ACTIONS(OS_VOLUME, actions);
