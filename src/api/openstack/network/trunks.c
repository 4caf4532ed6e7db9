/* SPDX-License-Identifier: Apache-2.0
 * Trunks and their sub-ports. Source: Networking API reference, "Trunk networking", and neutron.services.trunk. */
#include "api/openstack/network/network.h"
#include "engine/network/port/trunk.h"
#include "store/port.h"
#include "store/trunk.h"

/* ---- members ---- */

static struct attribute_rows list_subports(struct api_call *e, const struct row *row)
{
	const struct tables *t = api_tables(e);
	VEC(const struct port *) ports = {0};
	const struct port *p = port_first_by_trunk_parent(t, trunk_of(row)->port);
	for (; p; p = port_next_by_trunk_parent(t, p))
		(void) VEC_PUSH(e->c->arena, &ports, p);
	return (struct attribute_rows){ports.at, ports.count};
}

/* Neutron's words: DOWN while no host binds the parent, BUILD while a sub-port is being deployed, and DEGRADED if one
 * that is enabled stays unbound. */
static const char *get_status(struct api_call *e, const struct row *row)
{
	const struct tables *t = api_tables(e);
	const struct port *parent = port_find(t, trunk_of(row)->port);
	const char *status = "ACTIVE";
	if (!parent || !parent->seen_up)
		return "DOWN";
	const struct port *p = port_first_by_trunk_parent(t, parent->row.id);
	for (; p; p = port_next_by_trunk_parent(t, p)) {
		if (p->seen_gen != (int64_t) p->row.gen)
			return "BUILD";
		if (!p->seen_up && !p->is_down)
			status = "DEGRADED";
	}
	return status;
}

#define SUBPORT_ROWS                                                                                         \
	ATTRIBUTE(port, "segmentation_id", vlan_id), ATTRIBUTE_CONST("segmentation_type", "\"vlan\""),       \
		ATTRIBUTE(port, "port_id", row.id)
static const struct attribute subport_rows[] = {SUBPORT_ROWS};
static const struct attributes subport_members = ATTRIBUTES(subport_rows);

static const struct attribute trunk_rows[] = {
	ATTRIBUTE(trunk, "id", row.id, .filter = "id"),
	OS_FIELD(trunk, "name", name),
	ATTRIBUTE(trunk, "port_id", port, .filter = "port_id", .sort = "port_id", .index = TRUNK_INDEX_PORT),
	OS_UP(trunk, is_down),
	OS_MADE(WORD, word, "status", get_status),
	ATTRIBUTE_ROWS("sub_ports", subport_members, list_subports),
	OS_STANDARD_ROWS(trunk),
};
static const struct attributes trunk_members = ATTRIBUTES(trunk_rows);

static const struct os_listing trunks = {
	.kind = KIND_TRUNK,
	.items = "trunks",
	.links = "trunks_links",
	.filters = OS_FILTERS(os_tag_filters),
	.flags = OS_ADMIN_SEES_ALL,
	.attributes = &trunk_members,
};

/* A port shows the trunk of which it is the parent. Source: neutron-lib's trunk_details. */
static const struct attribute detailed_subport_rows[] = {SUBPORT_ROWS, ATTRIBUTE(port, "mac_address", mac)};
static const struct attributes detailed_subport_members = ATTRIBUTES(detailed_subport_rows);
static const struct attribute detail_rows[] = {
	ATTRIBUTE(trunk, "trunk_id", row.id),
	ATTRIBUTE_ROWS("sub_ports", detailed_subport_members, list_subports),
};
const struct attributes os_trunk_details = ATTRIBUTES(detail_rows);

const void *os_find_trunk(struct api_call *e, const struct row *row)
{
	return engine_get_trunk_of(api_tables(e), row->id);
}

/* ---- sub-ports in bodies ---- */

struct os_subport {
	struct ref port;
	struct str type;
	int64_t vlan;
	bool has_type, has_vlan;
};
static const struct param subport_params_rows[] = {
	OS_BODY(struct os_subport, "port_id", port, .flags = REQUIRED, .kind = KIND_PORT,
		.doc = "The sub-port."),
	OS_BODY(struct os_subport, "segmentation_type", type, .given = OS_GIVEN(struct os_subport, has_type),
		.doc = "Must be vlan; ignored by a removal."),
	OS_BODY(struct os_subport, "segmentation_id", vlan, .given = OS_GIVEN(struct os_subport, has_vlan),
		.doc = "VLAN tag, 1 to 4094; ignored by a removal."),
};
static const struct params subport_params = OS_PARAMS(struct os_subport, subport_params_rows);
struct os_subports {
	const struct os_subport *at;
	size_t count;
};

static RESULT check_segment(struct os_call *e, const struct os_subport *s)
{
	if (!s->has_type || !s->has_vlan)
		return ctx_fail_field(
			e->c, ERR_RANGE, STR("sub_ports"),
			"Invalid input for operation: Invalid subport details: missing segmentation "
			"information. Must specify both segmentation_id and segmentation_type.");
	if (str_is(s->type, "vlan"))
		return OK;
	return ctx_fail_field(e->c, ERR_RANGE, STR("sub_ports"),
			      str_is(s->type, "inherit")
				      ? "Invalid input for operation: The segmentation_type inherit is not "
					"supported: networks have no VLAN that a sub-port could inherit."
				      : "Invalid input for operation: Unknown segmentation_type '%" STR_FMT
					"'",
			      STR_ARG(s->type));
}

static RESULT read_subports(struct os_call *e, struct os_subports body, bool removes,
			    struct trunk_subports *ret_subports)
{
	struct trunk_subport *at = arena_new_array(e->c->arena, struct trunk_subport, body.count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < body.count; k++) {
		if (!removes)
			TRY(check_segment(e, &body.at[k]));
		at[k] = (struct trunk_subport){body.at[k].port, body.at[k].vlan};
	}
	*ret_subports = (struct trunk_subports){at, body.count};
	return OK;
}

/* ---- calls ---- */

#define TRUNK_PATH(T, member) OS_PATH(T, "trunk_id", member, .kind = KIND_TRUNK, .doc = "The trunk.")

struct os_trunk_target {
	struct trunk_target wish;
};
static const struct param target_params[] = {TRUNK_PATH(struct os_trunk_target, wish.trunk)};

struct os_create_trunk {
	struct trunk_wish wish;
	struct os_subports subports;
};
static const struct param create_params[] = {
	OS_BODY(struct os_create_trunk, "port_id", wish.port, .flags = REQUIRED, .kind = KIND_PORT,
		.doc = "The parent port."),
	OS_BODY(struct os_create_trunk, "name", wish.name, .doc = "Name; need not be unique."),
	OS_BODY(struct os_create_trunk, "description", wish.description, .doc = "Description: free text."),
	OS_BODY(struct os_create_trunk, "admin_state_up", wish.is_down, .flags = OPPOSITE,
		.doc = "Whether sub-ports may be changed."),
	OS_BODY_LIST(struct os_create_trunk, "sub_ports", subports, subport_params, .max = TRUNK_SUBPORTS_MAX,
		     .doc = "The sub-ports."),
	OS_PROJECT(struct os_create_trunk, wish.account),
};

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_create_trunk *a = args;
	return read_subports(e, a->subports, false, &a->wish.subports);
}

struct os_update_trunk {
	struct trunk_settings wish;
};
static const struct param update_params[] = {
	TRUNK_PATH(struct os_update_trunk, wish.trunk),
	OS_BODY(struct os_update_trunk, "name", wish.name, .doc = "Name; need not be unique."),
	OS_BODY(struct os_update_trunk, "description", wish.description, .doc = "Description: free text."),
	OS_BODY(struct os_update_trunk, "admin_state_up", wish.is_down, .flags = OPPOSITE,
		.doc = "Whether sub-ports may be changed."),
};

struct os_change_trunk {
	struct trunk_change wish;
	struct os_subports subports;
};
static const struct param change_params[] = {
	TRUNK_PATH(struct os_change_trunk, wish.trunk),
	OS_BODY_LIST(struct os_change_trunk, "sub_ports", subports, subport_params, .flags = REQUIRED,
		     .max = TRUNK_SUBPORTS_MAX, .doc = "The sub-ports."),
};

static RESULT prepare_add(struct os_call *e, void *args)
{
	struct os_change_trunk *a = args;
	return read_subports(e, a->subports, a->wish.removes, &a->wish.subports);
}

static RESULT prepare_remove(struct os_call *e, void *args)
{
	((struct os_change_trunk *) args)->wish.removes = true;
	return prepare_add(e, args);
}

static RESULT show_subports(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct row *row = NULL;
	char id[UUID_TEXT_SIZE];
	TRY(os_find(e, KIND_TRUNK, &((const struct os_trunk_target *) args)->wish.trunk, &row));
	struct attribute_rows ports = list_subports(&e->core, row);
	json_write_open_list(w, "sub_ports");
	for (size_t k = 0; k < ports.count; k++) {
		const struct port *p = ((const struct port *const *) ports.pointers)[k];
		json_write_open(w, NULL);
		json_write_int(w, "segmentation_id", p->vlan_id);
		json_write_z(w, "segmentation_type", "vlan");
		json_write_z(w, "port_id", uuid_write(p->row.id, id));
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

#define TRUNKS "/v2.0/trunks"
#define TARGET OS_PARAMS(struct os_trunk_target, target_params)
#define CHANGE                                                                                               \
	.flags = API_WRITES, .args = OS_PARAMS(struct os_change_trunk, change_params),                       \
	.operation = engine_change_trunk_run, OS_SHOWS(trunks, struct os_change_trunk, wish.trunk),          \
	.returns = KIND_TRUNK
static const struct os_action actions[] = {
	{HTTP_GET, TRUNKS, .permit = "get_trunk", .list = &trunks, .doc = "Lists trunks."},
	{HTTP_POST, TRUNKS, .permit = "create_trunk", .flags = API_WRITES | OS_BULK, .status = 201,
	 .args = OS_PARAMS(struct os_create_trunk, create_params), .wrap = "trunk", .item = "trunk",
	 .prepare = prepare_create, .operation = engine_create_trunk_run,
	 OS_SHOWS(trunks, struct os_create_trunk, wish.trunk), .returns = KIND_TRUNK,
	 .doc = "Creates a trunk."},
	{HTTP_GET, TRUNKS "/{trunk_id}", .permit = "get_trunk", .args = TARGET, .item = "trunk",
	 OS_SHOWS(trunks, struct os_trunk_target, wish.trunk), .doc = "Shows one trunk."},
	{HTTP_PUT, TRUNKS "/{trunk_id}", .permit = "update_trunk", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_update_trunk, update_params), .wrap = "trunk", .item = "trunk",
	 .operation = engine_update_trunk_run, OS_SHOWS(trunks, struct os_update_trunk, wish.trunk),
	 .returns = KIND_TRUNK, .doc = "Changes a trunk."},
	{HTTP_GET, TRUNKS "/{trunk_id}/get_subports", .permit = "get_subports", .args = TARGET,
	 .answer = show_subports, .doc = "Lists the sub-ports of a trunk."},
	{HTTP_PUT, TRUNKS "/{trunk_id}/add_subports", .permit = "add_subports", CHANGE,
	 .prepare = prepare_add, .doc = "Adds sub-ports to a trunk."},
	{HTTP_PUT, TRUNKS "/{trunk_id}/remove_subports", .permit = "remove_subports", CHANGE,
	 .prepare = prepare_remove, .doc = "Removes sub-ports from a trunk."},
	{HTTP_DELETE, TRUNKS "/{trunk_id}", .permit = "delete_trunk", .flags = API_WRITES, .status = 204,
	 .args = TARGET, .operation = engine_delete_trunk_run, .doc = "Deletes a trunk. Its ports stay."},
};
const struct os_actions os_trunk_actions = OS_ACTIONS(OS_NETWORK, actions);
