/* SPDX-License-Identifier: Apache-2.0
 * Rows of the local Open vSwitch's database. They are found by our mark, and updated with the same diff engine as the
 * northbound database's. */
#include "drivers/switch_port.h"

#include "base/vec.h"
#include "drivers/ovn/wish.h"
#include "drivers/ovsdb/ovsdb.h"

static const struct ovsdb_column columns[] = {
	{"Bridge", "name", OVSDB_TEXT, false},      {"Bridge", "ports", OVSDB_UUIDS, false},
	{"Port", "name", OVSDB_TEXT, false},        {"Port", "interfaces", OVSDB_UUIDS, true},
	{"Port", "external_ids", OVSDB_MAP, false}, {"Interface", "name", OVSDB_TEXT, false},
	{"Interface", "type", OVSDB_TEXT, false},   {"Interface", "external_ids", OVSDB_MAP, false},
};
static const char *const roots[] = {"Bridge", NULL};
static const struct ovsdb_schema schema = {"Open_vSwitch", columns, sizeof columns / sizeof columns[0], roots,
					   MARK_SCOPE};

RESULT switch_open(struct ctx *c, struct str address, struct ovsdb **ret_switch)
{
	return ovsdb_open(c, &(struct ovsdb_config){address, &schema, 0}, ret_switch);
}

/* ---- changes ---- */

struct row_step {
	struct wish *wish;
	const struct switch_port *port;
	json_t *ops;
};

static const char *find_bridge(const struct ovsdb_cache *cache)
{
	const char *id;
	json_t *row;
	json_object_foreach (ovsdb_cache_table(cache, "Bridge"), id, row)
		if (str_is(str_from(json_string_value(json_object_get(row, "name"))), "br-int"))
			return id;
	return NULL;
}

static RESULT plan_rows(struct ctx *c, const struct ovsdb_cache *cache, void *arg)
{
	struct row_step *s = arg;
	const char *bridge = find_bridge(cache), *link = s->port->link;
	char text[UUID_TEXT_SIZE];
	uuid bridge_id, port_id = uuid_v5(s->wish->scope, STR("plug-port"));
	if (link) {
		if (!bridge || uuid_parse(str_from(bridge), &bridge_id).code)
			return ctx_fail(c, ERR_AGAIN, "the local Open vSwitch has no bridge br-int yet");
		struct wish_row *row =
			wish_add_row(s->wish, "Port", port_id, json_pack("{s:s}", "name", link));
		wish_add_edge(s->wish, row, "Bridge", "ports", bridge_id);
		row = wish_add_row(s->wish, "Interface", uuid_v5(s->wish->scope, STR("plug-interface")),
				   json_pack("{s:s,s:s}", "name", link, "type", ""));
		wish_add_mark(s->wish, row, "iface-id", str_from(uuid_write(s->port->port, text)));
		wish_add_edge(s->wish, row, "Port", "interfaces", port_id);
	}
	return wish_diff(c, s->wish, cache, &s->ops);
}

RESULT switch_apply_port(struct ovsdb *vswitch, struct ctx *c, uuid region, const struct switch_port *port)
{
	struct wish w;
	struct row_step s = {.wish = &w, .port = port};
	wish_init(&w, c->arena, region, port->scope, port->kind);
	struct result r = ovsdb_with_cache(vswitch, c, plan_rows, &s);
	if (!r.code && s.ops)
		r = ovsdb_transact(vswitch, c, s.ops, NULL);
	json_decref(s.ops);
	wish_free(&w);
	return r;
}

/* ---- looking ---- */

struct port_search {
	const char *region, *kind;
	VEC(uuid) scopes;
	uuid wanted;     /* of find: the scope */
	struct str link; /* of find */
};

static RESULT search(struct ctx *c, const struct ovsdb_cache *cache, void *arg)
{
	struct port_search *l = arg;
	const char *id;
	json_t *row;
	uuid scope;
	json_object_foreach (ovsdb_cache_table(cache, "Port"), id, row) {
		struct str region = str_from(ovsdb_row_mark(row, MARK_REGION));
		struct str kind = str_from(ovsdb_row_mark(row, MARK_KIND));
		if (!str_is(region, l->region) || !str_is(kind, l->kind) ||
		    uuid_parse(str_from(ovsdb_row_mark(row, MARK_SCOPE)), &scope).code)
			continue;
		if (!VEC_PUSH(c->arena, &l->scopes, scope))
			return ctx_no_memory(c);
		if (uuid_equal(scope, l->wanted))
			l->link =
				str_copy(c->arena, str_from(json_string_value(json_object_get(row, "name"))));
	}
	return OK;
}

RESULT switch_remove_all(struct ovsdb *vswitch, struct ctx *c, uuid region, const char *kind)
{
	char text[UUID_TEXT_SIZE];
	struct port_search l = {.region = uuid_write(region, text), .kind = kind};
	TRY(ovsdb_with_cache(vswitch, c, search, &l));
	for (size_t k = 0; k < l.scopes.count; k++)
		TRY(switch_apply_port(vswitch, c, region,
				      &(struct switch_port){.kind = kind, .scope = l.scopes.at[k]}));
	return OK;
}

RESULT switch_find_link(struct ovsdb *vswitch, struct ctx *c, uuid region, const struct switch_port *port,
			struct str *ret_link)
{
	char text[UUID_TEXT_SIZE];
	struct port_search l = {
		.region = uuid_write(region, text), .kind = port->kind, .wanted = port->scope};
	TRY(ovsdb_with_cache(vswitch, c, search, &l));
	*ret_link = l.link;
	return OK;
}
