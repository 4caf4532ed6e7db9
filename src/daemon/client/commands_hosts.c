/* SPDX-License-Identifier: Apache-2.0
 * dari host …: changes of hosts. */
#include "daemon/client/ask.h"
#include "daemon/command.h"
#include "model/id.h"

static const char *host_path(const struct asking *a, const char *behind)
{
	return str_print(a->c->arena, "/hosts/%" STR_FMT "%s",
			 STR_ARG(asking_segment(a, asking_arg(a, "name"))), behind)
		.p;
}

/* Turning a machine into a host is implemented elsewhere: commands_host_add.c. */
static RESULT add(struct asking *a)
{
	static const char *const names[] = {"as",       "ovn-remote",  "uplink", "physical-network",
					    "underlay", "fingerprint", "plan"};
	for (size_t k = 0; k < sizeof names / sizeof *names; k++)
		if (json_object_get(a->args, names[k]))
			return ctx_fail_field(a->c, ERR_COMBINATION, str_from(names[k]),
					      "--%s goes with dari host add root@ADDRESS", names[k]);
	return asking_make_change(a);
}

/* ---- maintenance ---- */

static const struct carried maintenance_members[] = {
	{"begins_us", "from", CARRY_TIME},
	{"ends_us", "to", CARRY_TIME},
	{"deadline_us", "deadline", CARRY_TIME},
	{"kind", "kind"},
	{"reason", "reason"},
};

/* Lists the consequences for each instance placed there. */
static RESULT write_events(struct asking *a, struct str host)
{
	const json_t *events = NULL;
	json_t *event = NULL;
	size_t k = 0;
	TRY(asking_list(a, "/instance-events", "*", &events));
	json_array_foreach (events, k, event) {
		uuid instance;
		if (!str_equal(asking_text(event, "host"), host) || asking_int(event, "ended_us") ||
		    !result_is_ok(uuid_parse(asking_text(event, "instance"), &instance)))
			continue;
		struct str id = id_to_ec2(a->c->arena, KIND_INSTANCE, instance),
			   code = asking_text(event, "code"), description = asking_text(event, "description");
		buf_print(&a->text, "%" STR_FMT " %" STR_FMT ": %" STR_FMT "\n", STR_ARG(id), STR_ARG(code),
			  STR_ARG(description));
		(void) json_array_append_new(a->value, json_pack("{s:o, s:o, s:o}", "instance",
								 asking_json(id), "event", asking_json(code),
								 "description", asking_json(description)));
	}
	return OK;
}

static RESULT plan(struct asking *a)
{
	const json_t *answer = NULL;
	struct str name = asking_arg(a, "name");
	struct result result = OK;
	if (!asking_arg(a, "from").n)
		return ctx_fail_field(a->c, ERR_MISSING, STR("from"),
				      "--from says when it begins; --end, that it is over");
	json_t *body = json_pack("{s:s}", "kind", "stop");
	for (size_t k = 0;
	     k < sizeof maintenance_members / sizeof *maintenance_members && result_is_ok(result); k++)
		result = asking_carry(a, &maintenance_members[k], body);
	if (result_is_ok(result))
		result = asking_change(a, "POST", host_path(a, "/maintenance"), body, &answer);
	json_decref(body);
	TRY(result);
	buf_print(&a->text, "host %" STR_FMT " has a maintenance ahead; its instances' owners see when\n",
		  STR_ARG(name));
	return write_events(a, asking_text(json_array_get(json_object_get(answer, "items"), 0), "id"));
}

static RESULT maintain(struct asking *a)
{
	const json_t *answer = NULL;
	if (!json_is_true(json_object_get(a->args, "end")))
		return plan(a);
	TRY(asking_change(a, "POST", host_path(a, "/end-maintenance"), NULL, &answer));
	buf_print(&a->text, "host %" STR_FMT ": its maintenance is over\n", STR_ARG(asking_arg(a, "name")));
	asking_tell_nothing(a);
	return OK;
}

/* ---- live migration ---- */

RESULT asking_write_moves(struct asking *a, const json_t *moves, const char *stays)
{
	const json_t *hosts = NULL;
	json_t *move = NULL;
	size_t k = 0;
	TRY(asking_list(a, "/hosts", "name", &hosts));
	json_array_foreach (moves, k, move) {
		uuid instance = UUID_NONE;
		if (!result_is_ok(uuid_parse(asking_text(move, "instance"), &instance)))
			continue;
		struct str id = id_to_ec2(a->c->arena, KIND_INSTANCE, instance),
			   why = asking_text(move, "problem"),
			   host = asking_text(asking_find(hosts, asking_text(move, "target")), "name");
		buf_print(&a->text, "%" STR_FMT " %s %" STR_FMT "\n", STR_ARG(id), why.n ? stays : "goes to",
			  STR_ARG(why.n ? why : host));
		(void) json_array_append_new(a->value, json_pack("{s:o, s:o, s:o}", "instance",
								 asking_json(id), "target", asking_json(host),
								 "problem", asking_json(why)));
	}
	return OK;
}

static RESULT drain(struct asking *a)
{
	const json_t *answer = NULL;
	struct str name = asking_arg(a, "name");
	json_t *body = json_object();
	struct result result = asking_carry(a, &(struct carried){"reason", "reason"}, body);
	if (result_is_ok(result))
		result = asking_change(a, "POST", host_path(a, "/drain"), body, &answer);
	json_decref(body);
	TRY(result);
	buf_print(&a->text, "host %" STR_FMT " takes no new instances\n", STR_ARG(name));
	return asking_write_moves(a, json_object_get(answer, "instances"), "stays:");
}

static RESULT move(struct asking *a)
{
	const json_t *answer = NULL, *hosts = NULL;
	struct str id = asking_arg(a, "instance");
	json_t *body = json_object();
	struct result result = asking_carry(a, &(struct carried){"host", "to"}, body);
	if (result_is_ok(result))
		result = asking_change(a, "POST",
				       str_print(a->c->arena, "/instances/%" STR_FMT "/migrate",
						 STR_ARG(asking_segment(a, id)))
					       .p,
				       body, &answer);
	json_decref(body);
	TRY(result);
	TRY(asking_list(a, "/hosts", "name", &hosts));
	struct str host = asking_text(asking_find(hosts, asking_text(answer, "target")), "name");
	buf_print(&a->text, "%" STR_FMT " goes to %" STR_FMT "\n", STR_ARG(id), STR_ARG(host));
	json_decref(a->value);
	a->value = json_pack("{s:o, s:o}", "migration", asking_json(asking_text(answer, "migration")),
			     "target", asking_json(host));
	return OK;
}

const struct command host_change_commands[] = {
	{"host add",
	 "Adds a host: libvirt at that address, and an OVN chassis of that name. root@ADDRESS sets the "
	 "machine up over ssh.",
	 {{"name", PARAM_POSITIONAL, true,
	   "Name of the host and its Open vSwitch system-id; or root@ADDRESS, to set the machine up over ssh "
	   "first."},
	  {"uri", PARAM_OPTION, false, "libvirt URI (default: qemu+tls://NAME/system)."},
	  {"zone", PARAM_OPTION, false, "Availability zone (default: the first)."},
	  {"address", PARAM_OPTION, false,
	   "Address for live migration from other hosts (default: the host in the URI)."},
	  {"pool", PARAM_OPTION, false, "Directory for disks (default: /var/lib/libvirt/images)."},
	  {"cpu", PARAM_OPTION, false, "CPU of the guests, as in `dari host set` (default: region)."},
	  {"overcommit-percent", PARAM_OPTION, false, "vCPUs offered per 100 physical CPUs (default: 400)."},
	  {"reserved-mib", PARAM_OPTION, false,
	   "Memory in MiB reserved for the host itself (default: 1024)."},
	  {"as", PARAM_OPTION, false,
	   "With root@ADDRESS: name of the host (default: the machine's host name)."},
	  {"ovn-remote", PARAM_OPTION, false,
	   "With root@ADDRESS: OVN's southbound database (default: as on this machine)."},
	  {"uplink", PARAM_OPTION, false,
	   "With root@ADDRESS: interface for br-ex (default: none). Never the interface of the ssh "
	   "connection."},
	  {"physical-network", PARAM_OPTION, false,
	   "With --uplink: name of the physical network for `dari network add-external` (default: "
	   "physnet1)."},
	  {"underlay", PARAM_OPTION, false,
	   "With root@ADDRESS: network of the other hosts, for the firewall (default: the network of its "
	   "address)."},
	  {"fingerprint", PARAM_OPTION, false,
	   "With root@ADDRESS: SHA256:… of the machine's ssh key (default: asks on a terminal)."},
	  {"plan", PARAM_FLAG, false,
	   "With root@ADDRESS: prints the changes and their commands, and stops."}},
	 .ask = add,
	 .run_here = command_host_add,
	 .is_here = command_host_add_is_here},
	{"host set",
	 "Changes a host's settings for guests that start from now on.",
	 {{"name", PARAM_POSITIONAL, true, "The host."},
	  {"cpu", PARAM_OPTION, false,
	   "region: features that all similar hosts have, for live migration among them; host: all features "
	   "of its own CPU; or a model's name."},
	  {"move-rate", PARAM_OPTION, false,
	   "Bandwidth limit of each live migration from the host, in MiB/s; 0: unlimited."}},
	 .ask = asking_make_change},
	{"host maintenance",
	 "Schedules a maintenance: closes the host for new instances, and moves or stops its instances at "
	 "that time.",
	 {{"name", PARAM_POSITIONAL, true, "The host."},
	  {"from", PARAM_OPTION, false, "Start: now, or 2030-01-31T22:00:00Z."},
	  {"to", PARAM_OPTION, false, "End (default: until --end)."},
	  {"deadline", PARAM_OPTION, false,
	   "Latest time to which users may postpone their events (default: they may not)."},
	  {"kind", PARAM_OPTION, false,
	   "stop: instances stay stopped (default); reboot: they are started again afterwards; move: they "
	   "are live-migrated, or rebooted if that is impossible."},
	  {"reason", PARAM_OPTION, false, "Reason, shown to users."},
	  {"end", PARAM_FLAG, false, "Ends or cancels the maintenance."}},
	 .ask = maintain},
	{"host drain",
	 "Closes a host for new instances, and live-migrates its instances; lists those that cannot move, "
	 "with the reason.",
	 {{"name", PARAM_POSITIONAL, true, "The host."},
	  {"reason", PARAM_OPTION, false, "Reason for closing it."}},
	 .ask = drain},
	{"host move",
	 "Live-migrates an instance to another host.",
	 {{"instance", PARAM_POSITIONAL, true, "Its id."},
	  {"to", PARAM_OPTION, false, "Target host (default: one with capacity)."}},
	 .ask = move},
	{"host remove",
	 "Removes a host that has no instances and no volumes.",
	 {{"name", PARAM_POSITIONAL, true, "Its name."},
	  {"undo", PARAM_FLAG, false, "Reverts over ssh what dari host add changed on the machine."},
	  {"plan", PARAM_FLAG, false, "With --undo: prints the changes, and stops."},
	  {"ssh", PARAM_OPTION, false, "With --undo: root@ADDRESS (default: as it was added)."}},
	 .ask = asking_make_change,
	 .run_here = command_host_undo,
	 .is_here = command_host_undo_is_here},
	{0},
};
