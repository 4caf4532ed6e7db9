/* SPDX-License-Identifier: Apache-2.0
 * Samples of what policies drop. */
#include "drivers/ovn/nb_samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "drivers/ovsdb/ovsdb_value.h"

#define DOMAIN_KEY "debug_drop_domain_id"
#define SET_KEY "debug_drop_collector_set"
enum { NUMBER_SIZE = 16, ACTION_SIZE = 160, STAGES = 3, FORMS = 2 };

/* Stages in which security groups, network ACLs and the routers' firewalls drop. */
static const char *const stages[STAGES] = {"ls_in_acl", "ls_out_acl", "lr_in_policy"};

static void write_numbers(char domain[NUMBER_SIZE], char set[NUMBER_SIZE])
{
	(void) snprintf(domain, NUMBER_SIZE, "%d", NETWORK_SAMPLE_DOMAIN);
	(void) snprintf(set, NUMBER_SIZE, "%d", NETWORK_SAMPLE_SET);
}

bool nb_samples_are(const json_t *options, bool on)
{
	char domain[NUMBER_SIZE], set[NUMBER_SIZE];
	const char *is_domain = json_string_value(json_object_get(options, DOMAIN_KEY));
	const char *is_set = json_string_value(json_object_get(options, SET_KEY));
	write_numbers(domain, set);
	if (on)
		return is_domain && is_set && strcmp(is_domain, domain) == 0 && strcmp(is_set, set) == 0;
	/* Somebody else's numbers stay. */
	return !is_domain || strcmp(is_domain, domain) != 0;
}

json_t *nb_samples_ops(const char *global, bool on)
{
	char domain[NUMBER_SIZE], set[NUMBER_SIZE];
	write_numbers(domain, set);
	if (!on)
		return json_pack("[{s:s,s:s,s:[[s,s,o]],s:[[s,s,[s,[s,s]]]]}]", "op", "mutate", "table",
				 "NB_Global", "where", "_uuid", "==", ovsdb_uuid_write(global), "mutations",
				 "options", "delete", "set", DOMAIN_KEY, SET_KEY);
	return json_pack("[{s:s,s:s,s:[[s,s,o]],s:[[s,s,[s,[s,s]]],[s,s,[s,[[s,s],[s,s]]]]]}]", "op",
			 "mutate", "table", "NB_Global", "where", "_uuid", "==", ovsdb_uuid_write(global),
			 "mutations", "options", "delete", "set", DOMAIN_KEY, SET_KEY, "options", "insert",
			 "map", DOMAIN_KEY, domain, SET_KEY, set);
}

/* The actions that northd writes for a drop: bare, or after a connection was marked as blocked. */
static void write_actions(int form, char text[ACTION_SIZE])
{
	(void) snprintf(
		text, ACTION_SIZE,
		"%ssample(probability=65535,collector_set=%d,obs_domain=%d,obs_point=$cookie); /* drop "
		"*/",
		form ? "ct_commit { ct_mark.blocked = 1; }; " : "", NETWORK_SAMPLE_SET,
		NETWORK_SAMPLE_DOMAIN);
}

json_t *nb_samples_ask(void)
{
	json_t *ops = json_array();
	for (int stage = 0; ops && stage < STAGES; stage++)
		for (int form = 0; form < FORMS; form++) {
			char actions[ACTION_SIZE];
			write_actions(form, actions);
			json_t *op = json_pack("{s:s,s:s,s:[[s,s,s],[s,s,[s,[[s,s]]]]],s:[s]}", "op",
					       "select", "table", "Logical_Flow", "where", "actions",
					       "==", actions, "external_ids", "includes", "map", "stage-name",
					       stages[stage], "columns", "_uuid");
			(void) json_array_append_new(ops, op);
		}
	json_t *op = json_pack("{s:s,s:s,s:[],s:[s,s]}", "op", "select", "table", "Datapath_Binding", "where",
			       "columns", "tunnel_key", "external_ids");
	(void) json_array_append_new(ops, op);
	if (json_array_size(ops) == STAGES * FORMS + 1)
		return ops;
	json_decref(ops);
	return NULL;
}

/* Value of a key in OVSDB's ["map", [[key, value], …]]. */
static const char *find_key(const json_t *map, const char *key)
{
	const json_t *pairs = json_array_get(map, 1);
	for (size_t k = 0; k < json_array_size(pairs); k++) {
		const json_t *pair = json_array_get(pairs, k);
		const char *name = json_string_value(json_array_get(pair, 0));
		if (name && strcmp(name, key) == 0)
			return json_string_value(json_array_get(pair, 1));
	}
	return NULL;
}

typedef VEC(struct network_drop) drops;
typedef VEC(struct network_datapath) datapaths;

/* A flow's cookie is the first part of its id. */
static bool add_drops(struct ctx *c, const json_t *rows, bool is_out, drops *list)
{
	for (size_t k = 0; k < json_array_size(rows); k++) {
		const json_t *id = json_object_get(json_array_get(rows, k), "_uuid");
		const char *text = json_string_value(json_array_get(id, 1));
		struct network_drop drop = {text ? (uint32_t) strtoul(text, NULL, 16) : 0, is_out};
		if (text && !VEC_PUSH(c->arena, list, drop))
			return false;
	}
	return true;
}

static bool add_datapaths(struct ctx *c, const json_t *rows, datapaths *list)
{
	for (size_t k = 0; k < json_array_size(rows); k++) {
		const json_t *row = json_array_get(rows, k), *ids = json_object_get(row, "external_ids");
		const char *of_switch = find_key(ids, "logical-switch");
		const char *id = of_switch ? of_switch : find_key(ids, "logical-router");
		struct network_datapath path = {
			.key = (uint32_t) json_integer_value(json_object_get(row, "tunnel_key"))};
		if (id && result_is_ok(uuid_parse(str_from(id), &path.id)) && !VEC_PUSH(c->arena, list, path))
			return false;
	}
	return true;
}

RESULT nb_samples_read(struct ctx *c, const json_t *results, struct network_samples *ret_samples)
{
	drops found = {0};
	datapaths paths = {0};
	bool is_whole = true;
	for (int k = 0; k < STAGES * FORMS; k++) {
		const json_t *rows = json_object_get(json_array_get(results, (size_t) k), "rows");
		is_whole = is_whole && add_drops(c, rows, k / FORMS == 1, &found);
	}
	const json_t *rows = json_object_get(json_array_get(results, STAGES * FORMS), "rows");
	is_whole = is_whole && add_datapaths(c, rows, &paths);
	*ret_samples = (struct network_samples){found.at, found.count, paths.at, paths.count};
	return is_whole ? OK : ctx_no_memory(c);
}
