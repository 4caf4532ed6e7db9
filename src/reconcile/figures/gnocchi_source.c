/* SPDX-License-Identifier: Apache-2.0
 * Finds metrics by Gnocchi's dimensions: a resource, a search for resources, or ids of metrics. Names are Ceilometer's, as far as
 * there are figures of guests; other metrics are those that accounts created. Source of names and units: Ceilometer Administrator
 * Guide, "Measurements". */
#include "engine/alarm/alarm.h"
#include "engine/alarm/gnocchi.h"
#include "engine/scaling/scaling.h"
#include "reconcile/figures/internal.h"
#include "reconcile/figures/metrics.h"
#include "store/instance.h"

enum { GUESTS_MAX = 2 * SCALING_SIZE_MAX };
#define MIB (1 << 20)

/* Ids of metrics count from the beginning: append only. */
const struct metric_ceilometer metrics_of_ceilometer[METRICS_OF_CEILOMETER] = {
	{"instance", {"cpu", "ns", FIGURE_CPU_NS, FIGURE_RATE, 0}},
	{"instance", {"memory.usage", "MB", FIGURE_MEMORY, FIGURE_LEVEL, MIB}},
	{"instance_disk", {"disk.device.read.bytes", "B", FIGURE_READ_BYTES, FIGURE_RATE, 0}},
	{"instance_disk", {"disk.device.read.requests", "request", FIGURE_READS, FIGURE_RATE, 0}},
	{"instance_disk", {"disk.device.write.bytes", "B", FIGURE_WRITE_BYTES, FIGURE_RATE, 0}},
	{"instance_disk", {"disk.device.write.requests", "request", FIGURE_WRITES, FIGURE_RATE, 0}},
	{"instance_network_interface", {"network.incoming.bytes", "B", FIGURE_RX_BYTES, FIGURE_RATE, 0}},
	{"instance_network_interface",
	 {"network.incoming.packets", "packet", FIGURE_RX_PACKETS, FIGURE_RATE, 0}},
	{"instance_network_interface", {"network.outgoing.bytes", "B", FIGURE_TX_BYTES, FIGURE_RATE, 0}},
	{"instance_network_interface",
	 {"network.outgoing.packets", "packet", FIGURE_TX_PACKETS, FIGURE_RATE, 0}},
};

static const struct metric_ec2 *find_figure(enum gnocchi_type type, struct str name)
{
	for (size_t k = 0; k < METRICS_OF_CEILOMETER; k++)
		if (str_is(name, metrics_of_ceilometer[k].figure.name) &&
		    (type == GNOCCHI_TYPES ||
		     !strcmp(metrics_of_ceilometer[k].type, gnocchi_type_word(type))))
			return &metrics_of_ceilometer[k].figure;
	return NULL;
}

/* Guests of one source share its figure. */
static RESULT add_guest(struct ctx *c, const struct instance *i, const struct metric_ec2 *figure,
			struct metric_source *source)
{
	if (!source->guests)
		source->guests = arena_new_array(c->arena, struct metric_guest, GUESTS_MAX);
	if (!source->guests)
		return ctx_no_memory(c);
	if (!uuid_is_none(i->host) && source->guest_count < GUESTS_MAX)
		source->guests[source->guest_count++] = (struct metric_guest){i->row.id, i->host};
	source->ec2 = figure;
	source->unit = str_from(figure->unit);
	source->is_there = true;
	return OK;
}

static RESULT add_published(struct ctx *c, const struct metric *m, struct metric_source *source)
{
	struct metric_series *at = arena_new_array(c->arena, struct metric_series, source->series_count + 1);
	if (!at)
		return ctx_no_memory(c);
	if (source->series_count)
		memcpy(at, source->series, source->series_count * sizeof *at);
	at[source->series_count] = (struct metric_series){m->row.id, str_copy(c->arena, m->unit)};
	source->series = at;
	source->series_count++;
	source->is_there = true;
	return OK;
}

/* ---- the metric of a resource ---- */

static RESULT find_of_resource(struct ctx *c, const struct tables *t, struct str name,
			       const struct strs *dimensions, struct metric_source *source)
{
	struct gnocchi_resource r;
	const struct metric_ec2 *figure = NULL;
	bool is_there = gnocchi_find_resource(t, source->account, GNOCCHI_TYPES, dimensions->at[1], &r);
	if (is_there && r.instance)
		figure = find_figure(r.type, name);
	if (figure)
		return add_guest(c, r.instance, figure, source);
	const struct metric *m =
		engine_first_metric(t, source->account, STR(METRICS_GNOCCHI), name, dimensions);
	return m ? add_published(c, m, source) : OK;
}

/* ---- of those that a search finds ---- */

static RESULT find_of_query(struct ctx *c, const struct tables *t, struct str name, struct str type_word,
			    struct str text, struct metric_source *source)
{
	enum gnocchi_type type = GNOCCHI_TYPES;
	struct gnocchi_resource r;
	json_t *query = NULL;
	if (!gnocchi_read_type(type_word, &type) || type >= GNOCCHI_VOLUME || !find_figure(type, name))
		return OK;
	struct gnocchi_search of = {c, t, type};
	const struct json_search search = gnocchi_search_of(&of);
	TRY(json_search_read(c, text, &search, &query));
	struct result result = OK;
	for (const struct instance *i = instance_first_by_account(t, source->account);
	     i && result_is_ok(result); i = instance_next_by_account(t, i))
		if (gnocchi_of_instance(i, type, &r) && json_search_fits(c, query, &search, &r))
			result = add_guest(c, i, find_figure(type, name), source);
	json_decref(query);
	return result;
}

/* ---- by ids ---- */

static RESULT find_of_id(struct ctx *c, const struct tables *t, struct str text, struct metric_source *source)
{
	uuid id;
	size_t index = 0;
	const struct instance *i = NULL;
	if (!result_is_ok(uuid_parse(text, &id)))
		return OK;
	const struct metric *m = metric_find(t, id);
	if (m && uuid_equal(m->account, source->account))
		return add_published(c, m, source);
	if (!gnocchi_find_metric(t, source->account, id, METRICS_OF_CEILOMETER, &i, &index))
		return OK;
	const struct metric_ec2 *figure = &metrics_of_ceilometer[index].figure;
	return source->ec2 && source->ec2 != figure ? OK : add_guest(c, i, figure, source);
}

RESULT gnocchi_find_source(struct ctx *c, const struct tables *t, struct str name,
			   const struct strs *dimensions, struct metric_source *source)
{
	if (dimensions->count == 2 && str_is(dimensions->at[0], "resource_id"))
		return find_of_resource(c, t, name, dimensions, source);
	if (dimensions->count == 4 && str_is(dimensions->at[0], "query") &&
	    str_is(dimensions->at[2], "resource_type"))
		return find_of_query(c, t, name, dimensions->at[3], dimensions->at[1], source);
	for (size_t k = 0; k + 1 < dimensions->count && str_is(dimensions->at[k], "metric_id"); k += 2)
		TRY(find_of_id(c, t, dimensions->at[k + 1], source));
	const struct metric *m =
		dimensions->count
			? NULL
			: engine_first_metric(t, source->account, STR(METRICS_GNOCCHI), name, dimensions);
	return m ? add_published(c, m, source) : OK;
}
