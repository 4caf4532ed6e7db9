/* SPDX-License-Identifier: Apache-2.0
 * dari host …: the machines that run instances. */
#include "base/clock.h"
#include "daemon/authority.h"
#include "daemon/command.h"
#include "engine/instance/instance_event.h"
#include "engine/instance/instance_migration.h"
#include "engine/region/host.h"
#include "engine/resolve.h"
#include "model/processor.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/instance_event.h"
#include "store/instance_migration.h"
#include "store/zone.h"

/* What only makes a machine a host is the client's affair: commands_host_add.c. */
static RESULT refuse_ssh_options(struct command_call *call)
{
	static const char *const names[] = {"as",       "ovn-remote",  "uplink", "physical-network",
					    "underlay", "fingerprint", "plan"};
	for (size_t k = 0; k < sizeof names / sizeof *names; k++)
		if (json_object_get(call->args, names[k]))
			return ctx_fail_field(&call->ctx, ERR_COMBINATION, str_from(names[k]),
					      "--%s goes with dari host add root@ADDRESS", names[k]);
	return OK;
}

static RESULT host_add(struct command_call *call)
{
	struct ctx *c = &call->ctx;
	TRY(refuse_ssh_options(call));
	struct str zone = command_arg(call, "zone"), pool = command_arg(call, "pool");
	struct host_wish wish = {.name = command_arg(call, "name"),
				 .uri = command_arg(call, "uri"),
				 .address = command_arg(call, "address"),
				 .cpu = command_arg(call, "cpu"),
				 .pool_path = pool.n ? pool : STR("/var/lib/libvirt/images")};
	if (str_is_empty(wish.uri))
		wish.uri = str_print(c->arena, "qemu+tls://%" STR_FMT "/system", STR_ARG(wish.name));
	if (zone.n)
		wish.zone = (struct ref){.kind = KIND_ZONE, .text = zone, .field = STR("zone")};
	TRY(command_int_arg(call, "overcommit-percent", 0, 10, 10000, &wish.overcommit_percent));
	int64_t reserved_mib = 0;
	TRY(command_int_arg(call, "reserved-mib", -1, 0, 1024 * 1024, &reserved_mib));
	wish.reserved_memory = reserved_mib < 0 ? -1 : reserved_mib * 1024 * 1024;
	TRY(command_commit(call, "dari:host add", engine_add_host_run, &wish));
	buf_print(&call->text, "host %" STR_FMT " added; it is being looked at: dari host list\n",
		  STR_ARG(wish.name));
	call->value = json_pack("{s:s}", "host", uuid_write(wish.host, (char[UUID_TEXT_SIZE]){0}));
	return OK;
}

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

/* "EPYC of AMD: abm aes avx …" */
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

static RESULT host_set(struct command_call *call)
{
	struct host_settings wish = {
		.host = {.kind = KIND_HOST, .text = command_arg(call, "name"), .field = STR("name")},
		.cpu = command_arg(call, "cpu"),
		.set_move_rate = command_arg(call, "move-rate").n > 0,
	};
	TRY(command_int_arg(call, "move-rate", 0, 0, 1000000, &wish.move_rate));
	TRY(command_commit(call, "dari:host set", engine_update_host_run, &wish));
	buf_print(&call->text, "host %" STR_FMT " changed\n", STR_ARG(wish.host.text));
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

/* ---- maintenance ---- */

/* "now", or as ISO 8601 has it; absent: 0. */
static RESULT time_arg(struct command_call *call, const char *name, int64_t *ret_us)
{
	struct str text = command_arg(call, name);
	*ret_us = str_is(text, "now") ? clock_now_us() : 0;
	if (str_is_empty(text) || *ret_us || result_is_ok(clock_parse(text, ret_us)))
		return OK;
	return ctx_fail_field(&call->ctx, ERR_INVALID, str_from(name),
			      "--%s wants a time such as 2030-01-31T22:00:00Z, or now", name);
}

/* What it means for each that is to run there. */
static void write_events(struct command_call *call, const struct tables *t, uuid host)
{
	call->value = json_array();
	for (const struct instance_event *e = instance_event_first_by_host(t, host); e;
	     e = instance_event_next_by_host(t, e)) {
		if (e->ended_us)
			continue;
		struct str id = id_to_ec2(call->ctx.arena, KIND_INSTANCE, e->instance);
		const char *code = instance_event_code_words[e->code];
		buf_print(&call->text, "%" STR_FMT " %s: %" STR_FMT "\n", STR_ARG(id), code,
			  STR_ARG(e->description));
		(void) json_array_append_new(call->value, json_pack("{s:s%, s:s, s:s%}", "instance", id.p,
								    id.n, "event", code, "description",
								    e->description.p ? e->description.p : "",
								    e->description.n));
	}
}

static RESULT plan(struct command_call *call, struct str name)
{
	int kind = 0;
	TRY(command_word_arg(call, "kind", host_maintenance_kind_words, HOST_MAINTENANCE_KIND_STOP, &kind));
	struct maintenance_wish wish = {.host = {.kind = KIND_HOST, .text = name, .field = STR("name")},
					.kind = (enum host_maintenance_kind) kind,
					.reason = command_arg(call, "reason")};
	TRY(time_arg(call, "from", &wish.from_us));
	TRY(time_arg(call, "to", &wish.end_us));
	TRY(time_arg(call, "deadline", &wish.deadline_us));
	if (!wish.from_us)
		return ctx_fail_field(&call->ctx, ERR_MISSING, STR("from"),
				      "--from says when it begins; --end, that it is over");
	TRY(command_commit(call, "dari:host maintenance", engine_plan_maintenance_run, &wish));
	buf_print(&call->text, "host %" STR_FMT " has a maintenance ahead; its instances' owners see when\n",
		  STR_ARG(name));
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	const struct host *host = host_find_by_name(view.tables, name);
	if (host)
		write_events(call, view.tables, host->row.id);
	return OK;
}

static RESULT host_maintenance(struct command_call *call)
{
	struct str name = command_arg(call, "name");
	if (!json_is_true(json_object_get(call->args, "end")))
		return plan(call, name);
	struct maintenance_target wish = {.host = {.kind = KIND_HOST, .text = name, .field = STR("name")}};
	TRY(command_commit(call, "dari:host maintenance", engine_end_maintenance_run, &wish));
	buf_print(&call->text, "host %" STR_FMT ": its maintenance is over\n", STR_ARG(name));
	return OK;
}

/* ---- live migration ---- */

static struct str name_of_host(const struct tables *t, uuid id)
{
	const struct host *h = host_find(t, id);
	return h ? h->name : STR("?");
}

void command_write_moves(struct command_call *call, const struct drained_instance *instances, size_t count,
			 const char *stays)
{
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	call->value = json_array();
	for (size_t k = 0; k < count; k++) {
		const struct drained_instance *i = &instances[k];
		struct str id = id_to_ec2(call->ctx.arena, KIND_INSTANCE, i->instance);
		struct str host = i->why.n ? STR_NONE : name_of_host(view.tables, i->target);
		buf_print(&call->text, "%" STR_FMT " %s %" STR_FMT "\n", STR_ARG(id),
			  i->why.n ? stays : "goes to", STR_ARG(i->why.n ? i->why : host));
		(void) json_array_append_new(call->value,
					     json_pack("{s:s%, s:s%, s:s%}", "instance", id.p, id.n, "target",
						       host.p ? host.p : "", host.n, "problem",
						       i->why.p ? i->why.p : "", i->why.n));
	}
}

static RESULT host_drain(struct command_call *call)
{
	struct host_draining wish = {
		.host = {.kind = KIND_HOST, .text = command_arg(call, "name"), .field = STR("name")},
		.reason = command_arg(call, "reason"),
	};
	TRY(command_commit(call, "dari:host drain", engine_drain_host_run, &wish));
	buf_print(&call->text, "host %" STR_FMT " takes no new instances\n", STR_ARG(wish.host.text));
	command_write_moves(call, wish.instances, wish.instance_count, "stays:");
	return OK;
}

static RESULT host_move(struct command_call *call)
{
	struct str host = command_arg(call, "to");
	struct instance_migrating wish = {0};
	TRY(command_id_arg(call, "instance", KIND_INSTANCE, &wish.instance));
	if (host.n)
		wish.host = (struct ref){.kind = KIND_HOST, .text = host, .field = STR("to")};
	TRY(command_commit(call, "dari:host move", engine_migrate_instance_run, &wish));
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	const struct instance_migration *m = instance_migration_find(view.tables, wish.migration);
	struct str name = m ? name_of_host(view.tables, m->target) : STR("?");
	buf_print(&call->text, "%" STR_FMT " goes to %" STR_FMT "\n", STR_ARG(command_arg(call, "instance")),
		  STR_ARG(name));
	call->value =
		json_pack("{s:s, s:s%}", "migration", uuid_write(wish.migration, (char[UUID_TEXT_SIZE]){0}),
			  "target", name.p, name.n);
	return OK;
}

static RESULT host_remove(struct command_call *call)
{
	struct host_target wish = {
		.host = {.kind = KIND_HOST, .text = command_arg(call, "name"), .field = STR("name")},
	};
	TRY(command_commit(call, "dari:host remove", engine_remove_host_run, &wish));
	if (!json_is_true(json_object_get(call->args, "undo"))) /* which has to find the machine still */
		TRY(authority_forget_host(&call->ctx, &call->daemon->settings, wish.host.text));
	buf_print(&call->text, "host %" STR_FMT " removed\n", STR_ARG(wish.host.text));
	return OK;
}

const struct command host_commands[] = {
	{"host add",
	 "Adds a machine: libvirt reachable at its address, OVN chassis of the same name.",
	 {{"name", PARAM_POSITIONAL, true,
	   "Its name, which is also its Open vSwitch system-id; or root@ADDRESS: the machine is made a host "
	   "by "
	   "ssh first, step by step."},
	  {"uri", PARAM_OPTION, false, "libvirt's address; absent: qemu+tls://NAME/system."},
	  {"zone", PARAM_OPTION, false, "Availability zone; absent: the first."},
	  {"address", PARAM_OPTION, false,
	   "Where other hosts reach it, which send it guests that move; absent: the host in its uri."},
	  {"pool", PARAM_OPTION, false, "Directory for disks; absent: /var/lib/libvirt/images."},
	  {"cpu", PARAM_OPTION, false, "As in host set; absent: region."},
	  {"overcommit-percent", PARAM_OPTION, false, "vCPUs offered per 100 real ones; absent: 400."},
	  {"reserved-mib", PARAM_OPTION, false, "Memory kept for the machine itself; absent: 1024."},
	  {"as", PARAM_OPTION, false, "With root@ADDRESS: its name; absent: what the machine calls itself."},
	  {"ovn-remote", PARAM_OPTION, false,
	   "With root@ADDRESS: OVN's southbound database; absent: as this machine has it."},
	  {"uplink", PARAM_OPTION, false,
	   "With root@ADDRESS: the interface for br-ex; absent: none. Never the one that ssh comes by."},
	  {"physical-network", PARAM_OPTION, false,
	   "With --uplink: what it is called in dari network add-external; absent: physnet1."},
	  {"underlay", PARAM_OPTION, false,
	   "With root@ADDRESS: where other hosts are, for its firewall; absent: the network of its address."},
	  {"fingerprint", PARAM_OPTION, false,
	   "With root@ADDRESS: SHA256:… of the machine's ssh key; absent: it is asked, on a terminal."},
	  {"plan", PARAM_FLAG, false,
	   "With root@ADDRESS: only says what would change, and by which commands."}},
	 .run = host_add,
	 .run_here = command_host_add,
	 .is_here = command_host_add_is_here},
	{"host list", "Lists the hosts, their state and load.", {{0}}, .run = host_list, .is_anywhere = true},
	{"host show",
	 "Shows a host: what its processor can do, and what its guests get of that.",
	 {{"name", PARAM_POSITIONAL, true, "The host."}},
	 .run = host_show,
	 .is_anywhere = true},
	{"host set",
	 "Changes what guests get that start on a host from now on.",
	 {{"name", PARAM_POSITIONAL, true, "The host."},
	  {"cpu", PARAM_OPTION, false,
	   "region: what all hosts can do that are like it, so that its guests may go to any of them while "
	   "they run; "
	   "host: all that its own can do; or a model's name."},
	  {"move-rate", PARAM_OPTION, false,
	   "MiB a second at which each guest that leaves it, running, is sent; 0: as fast as it goes."}},
	 .run = host_set,
	 .is_anywhere = true},
	{"host maintenance",
	 "Plans a maintenance: nothing is placed there, and at its time what still runs there is stopped.",
	 {{"name", PARAM_POSITIONAL, true, "The host."},
	  {"from", PARAM_OPTION, false, "When it begins: now, or 2030-01-31T22:00:00Z."},
	  {"to", PARAM_OPTION, false, "When it is over; absent: with --end."},
	  {"deadline", PARAM_OPTION, false, "Until when users may put off their stops; absent: not at all."},
	  {"kind", PARAM_OPTION, false,
	   "stop: what ran there stays stopped (absent); reboot: it is started again afterwards; move: it "
	   "goes to other "
	   "hosts while it runs, and what cannot is rebooted."},
	  {"reason", PARAM_OPTION, false, "What for, as users are told."},
	  {"end", PARAM_FLAG, false, "It is over, or called off."}},
	 .run = host_maintenance,
	 .is_anywhere = true},
	{"host drain",
	 "Closes a host, and moves what runs there to others; says what cannot move, and why.",
	 {{"name", PARAM_POSITIONAL, true, "The host."},
	  {"reason", PARAM_OPTION, false, "Why it is closed."}},
	 .run = host_drain,
	 .is_anywhere = true},
	{"host move",
	 "Moves a running instance to another host.",
	 {{"instance", PARAM_POSITIONAL, true, "Its id."},
	  {"to", PARAM_OPTION, false, "The host; absent: where there is room."}},
	 .run = host_move,
	 .is_anywhere = true},
	{"host remove",
	 "Removes a host that holds no instance and no volume.",
	 {{"name", PARAM_POSITIONAL, true, "Its name."},
	  {"undo", PARAM_FLAG, false, "Takes back on the machine, by ssh, what dari host add changed there."},
	  {"plan", PARAM_FLAG, false, "With --undo: only says what would be taken back."},
	  {"ssh", PARAM_OPTION, false, "With --undo: root@ADDRESS; absent: as it was added."}},
	 .run = host_remove,
	 .is_anywhere = true,
	 .run_here = command_host_undo,
	 .is_here = command_host_undo_is_here},
	{0},
};
