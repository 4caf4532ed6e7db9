/* SPDX-License-Identifier: Apache-2.0
 * dari host …: hosts that run instances. */
#include "base/clock.h"
#include "daemon/authority.h"
#include "daemon/command.h"
#include "engine/instance/instance_event.h"
#include "engine/instance/placement/instance_migration.h"
#include "engine/region/host.h"
#include "engine/resolve.h"
#include "model/processor.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/instance_event.h"
#include "store/instance_migration.h"
#include "store/zone.h"

static const char *state_of(const struct host *h)
{
	if (h->maintenance_us)
		return clock_now_us() < h->maintenance_us ? "closing" : "closed";
	return h->enabled ? host_seen_state_words[h->seen_state] : "disabled";
}

static void write_host(struct command_call *call, const struct tables *t, const struct host *h)
{
	const struct zone *zone = zone_find(t, h->zone);
	struct str zone_name = zone ? zone->name : STR_NONE;
	size_t instances = 0;
	int64_t vcpus = 0, memory = 0;
	for (const struct instance *i = instance_first_by_host(t, h->row.id); i;
	     i = instance_next_by_host(t, i))
		if (row_is_live(&i->row)) {
			instances++;
			vcpus += i->vcpus;
			memory += i->memory;
		}
	const char *state = host_seen_state_words[h->seen_state], *virt = host_seen_virt_words[h->seen_virt];
	struct str model = processor_model(h->seen_cpu);
	struct cached_images cached = reconciler_read_cached_images(call->daemon->reconciler, h->row.id);
	buf_print(&call->text,
		  "%-16.*s %-14.*s %-8s %-5s %-16.*s %4lld/%-4lld %7lld/%-7lld %5zu  %" STR_FMT "\n",
		  STR_ARG(h->name), STR_ARG(zone_name), state_of(h), virt, STR_ARG(model), (long long) vcpus,
		  (long long) h->seen_cpus, (long long) (memory >> 20), (long long) (h->seen_memory >> 20),
		  instances, STR_ARG(h->uri));
	(void) json_array_append_new(
		call->value,
		json_pack("{s:s%, s:s%, s:s, s:s, s:s%, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s%}",
			  "name", h->name.p, h->name.n, "zone", zone_name.p ? zone_name.p : "", zone_name.n,
			  "state", state, "virtualization", virt, "processor", model.p ? model.p : "",
			  model.n, "enabled", (int) h->enabled, "instances", (json_int_t) instances,
			  "vcpus_used", (json_int_t) vcpus, "cpus", (json_int_t) h->seen_cpus, "memory_used",
			  (json_int_t) memory, "memory", (json_int_t) h->seen_memory, "bytes_cached",
			  (json_int_t) cached.images, "bytes_unneeded", (json_int_t) cached.unneeded, "uri",
			  h->uri.p, h->uri.n));
}

/* ---- one ---- */

static void write_line(struct command_call *call, const char *name, struct str value)
{
	buf_print(&call->text, "%-16s %" STR_FMT "\n", name, STR_ARG(value));
	(void) json_object_set_new(call->value, name, json_stringn(value.p ? value.p : "", value.n));
}

/* Writes e.g. "EPYC of AMD: abm aes avx …". */
static struct str write_processor(struct command_call *call, struct str cpu)
{
	struct str rest = cpu, word;
	if (!cpu.n)
		return STR("all that its own can do");
	(void) str_split_next(&rest, ' ', &word);
	(void) str_split_next(&rest, ' ', &word);
	return str_print(call->ctx.arena, "%" STR_FMT " of %" STR_FMT ": %" STR_FMT,
			 STR_ARG(processor_model(cpu)), STR_ARG(processor_vendor(cpu)), STR_ARG(rest));
}

static RESULT host_show(struct command_call *call)
{
	const struct host *h = NULL;
	struct ref ref = {.kind = KIND_HOST, .text = command_arg(call, "name"), .field = STR("name")};
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	TRY(engine_find_own_host(&call->ctx, view.tables, &ref, &h));
	call->value = json_object();
	write_line(call, "name", h->name);
	write_line(call, "address", engine_get_host_address(h));
	write_line(call, "uri", h->uri);
	write_line(call, "state", str_from(state_of(h)));
	write_line(call, "version", h->seen_version);
	write_line(call, "machine", h->seen_machine);
	write_line(call, "networks", h->seen_physical_networks);
	write_line(call, "cpu", h->cpu.n ? h->cpu : STR("region"));
	write_line(call, "processor", h->seen_cpu.n ? write_processor(call, h->seen_cpu) : STR_NONE);
	write_line(call, "guests get", write_processor(call, h->seen_guest_cpu));
	write_line(call, "move-rate",
		   h->move_rate ? str_print(call->ctx.arena, "%lld MiB/s", (long long) h->move_rate)
				: STR("as fast as it goes"));
	return OK;
}

static RESULT host_list(struct command_call *call)
{
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	call->value = json_array();
	buf_print(&call->text, "%-16s %-14s %-8s %-5s %-16s %-9s %-15s %5s  %s\n", "name", "zone", "state",
		  "virt", "processor", "vcpus", "memory MiB", "inst.", "address");
	for (const struct host *h = host_first(view.tables); h; h = host_next(view.tables, h))
		write_host(call, view.tables, h);
	return OK;
}

const struct command host_commands[] = {
	{"host list",
	 "Lists hosts with their state and usage.",
	 {{0}},
	 .run = host_list,
	 .is_anywhere = true},
	{"host show",
	 "Shows a host: its CPU, and what guests get of it.",
	 {{"name", PARAM_POSITIONAL, true, "The host."}},
	 .run = host_show,
	 .is_anywhere = true},
	{0},
};
