/* SPDX-License-Identifier: Apache-2.0
 * dari host …: dead hosts: fencing them, its proof, and evacuation. */
#include "base/clock.h"
#include "daemon/client/ask.h"
#include "daemon/command.h"
#include "model/id.h"

static const char *host_path(const struct asking *a, const char *behind)
{
	return str_print(a->c->arena, "/hosts/%" STR_FMT "%s",
			 STR_ARG(asking_segment(a, asking_arg(a, "name"))), behind)
		.p;
}

/* With the flag --plan, only a trial. */
static RESULT make(struct asking *a, const char *behind, const json_t *body, const json_t **ret_found)
{
	bool is_plan = json_is_true(json_object_get(a->args, "plan"));
	const char *path = str_print(a->c->arena, "%s%s", host_path(a, behind), is_plan ? "?dry=1" : "").p;
	TRY(asking_change(a, "POST", path, body, ret_found));
	if (is_plan)
		*ret_found = json_object_get(*ret_found, "would");
	return OK;
}

/* ---- fencing ---- */

static const struct carried device_members[] = {
	{"command", "command"},
	{"options", "option", CARRY_PAIRS},
	{"secret", "secret-file", CARRY_SECRET},
	{"addresses", "blocklist", CARRY_COMMAS},
	{"after_s", "after-s"},
	{"after_s", "by-hand", .constant = "-1"},
};

static RESULT set_fence(struct asking *a)
{
	const json_t *answer = NULL;
	struct str name = asking_arg(a, "name"),
		   says = STR("is turned off when it is dead: see `dari doctor`");
	bool removes = json_is_true(json_object_get(a->args, "none"));
	if (removes + (asking_arg(a, "command").n > 0) + (asking_arg(a, "blocklist").n > 0) != 1)
		return ctx_fail_field(
			a->c, ERR_INVALID, STR("command"),
			"--command names the program that turns the host off, --blocklist has Ceph keep "
			"it out, or --none takes that away");
	json_t *body = removes ? NULL : json_object();
	struct result result = OK;
	for (size_t k = 0; body && k < sizeof device_members / sizeof *device_members && result_is_ok(result);
	     k++)
		result = asking_carry(a, &device_members[k], body);
	if (result_is_ok(result))
		result = asking_change(a, removes ? "DELETE" : "PUT", host_path(a, "/fence-device"), body,
				       &answer);
	json_decref(body);
	TRY(result);
	if (removes)
		says = STR("has no fence command any more");
	else if (json_object_get(a->args, "by-hand"))
		says = STR("is turned off by `dari host fence` alone");
	buf_print(&a->text, "host %" STR_FMT " %" STR_FMT "\n", STR_ARG(name), STR_ARG(says));
	asking_tell_nothing(a);
	return OK;
}

/* ---- that it is off ---- */

static const char *write_time(struct asking *a, int64_t us)
{
	char text[CLOCK_TEXT_SIZE] = "";
	if (us)
		(void) clock_write_s(us, text);
	return str_print(a->c->arena, "%s", text).p;
}

static void write_fence(struct asking *a, struct str host, const json_t *f)
{
	const char *asked = write_time(a, asking_int(f, "created_us")),
		   *confirmed = write_time(a, asking_int(f, "confirmed_us")),
		   *ended = write_time(a, asking_int(f, "ended_us"));
	struct str stage = asking_text(f, "stage"), proof = asking_text(f, "proof"),
		   reason = asking_text(f, "reason"), problem = asking_text(f, "problem"),
		   asked_by = asking_text(f, "asked_by");
	size_t left = json_array_size(json_object_get(f, "left"));
	buf_print(&a->text, "%-16.*s %-20s %-9.*s %-7.*s %-20s %5zu  %" STR_FMT "\n", STR_ARG(host), asked,
		  STR_ARG(stage), STR_ARG(proof), ended, left, STR_ARG(problem.n ? problem : reason));
	(void) json_array_append_new(
		a->value,
		json_pack("{s:o, s:s, s:o, s:o, s:o, s:s, s:s, s:I, s:o, s:o}", "host", asking_json(host),
			  "asked", asked, "asked_by", asking_json(asked_by), "stage", asking_json(stage),
			  "proof", asking_json(proof), "confirmed", confirmed, "ended", ended, "left",
			  (json_int_t) left, "reason", asking_json(reason), "problem", asking_json(problem)));
}

static RESULT list_fences(struct asking *a)
{
	struct str name = asking_arg(a, "name");
	const json_t *hosts = NULL, *fences = NULL;
	json_t *host = NULL, *fence = NULL;
	size_t h = 0, f = 0;
	TRY(asking_list(a, "/hosts", "name", &hosts));
	TRY(asking_list(a, "/fences", "*", &fences));
	buf_print(&a->text, "%-16s %-20s %-9s %-7s %-20s %5s  %s\n", "host", "asked", "stage", "proof",
		  "over", "left", "why");
	json_array_foreach (hosts, h, host)
		json_array_foreach (fences, f, fence)
			if ((!name.n || str_equal(name, asking_text(host, "name"))) &&
			    str_equal(asking_text(fence, "host"), asking_text(host, "id")))
				write_fence(a, asking_text(host, "name"), fence);
	return OK;
}

/* ---- evacuation ---- */

static RESULT evacuate(struct asking *a)
{
	const json_t *found = NULL;
	json_t *body = json_pack("{s:b}", "rebuilds", json_is_true(json_object_get(a->args, "rebuild")));
	struct result result = make(a, "/evacuate", body, &found);
	json_decref(body);
	TRY(result);
	return asking_write_moves(a, json_object_get(found, "instances"), "waits:");
}

/* ---- one that never comes back ---- */

static struct str write_id(struct asking *a, enum kind kind, struct str text)
{
	uuid id;
	return result_is_ok(uuid_parse(text, &id)) ? id_to_ec2(a->c->arena, kind, id) : text;
}

static void write_lost(struct asking *a, const json_t *lost)
{
	struct str kind = asking_text(lost, "kind"), account = asking_text(lost, "account");
	bool is_volume = str_is(kind, "volume"), is_instance = str_is(kind, "instance");
	struct str id = write_id(a,
				 is_volume     ? KIND_VOLUME
				 : is_instance ? KIND_INSTANCE
					       : KIND_SNAPSHOT,
				 asking_text(lost, "id"));
	buf_print(&a->text, "%" STR_FMT " of account %" STR_FMT, STR_ARG(id), STR_ARG(account));
	if (is_volume)
		buf_print(&a->text, ", %lld GiB,", (long long) (asking_int(lost, "size") >> 30));
	buf_print(&a->text, " %s\n",
		  is_volume     ? "is lost"
		  : is_instance ? "is off, and cannot be started as it is"
				: "fails");
	(void) json_array_append_new(a->value, json_pack("{s:o, s:o, s:o}", "kind", asking_json(kind), "id",
							 asking_json(id), "account", asking_json(account)));
}

static RESULT forget(struct asking *a)
{
	const json_t *found = NULL;
	json_t *lost = NULL;
	size_t k = 0;
	struct str name = asking_arg(a, "name");
	bool is_plan = json_is_true(json_object_get(a->args, "plan"));
	if (is_plan == json_is_true(json_object_get(a->args, "disks-lost")))
		return ctx_fail_field(
			a->c, ERR_MISSING, STR("disks-lost"),
			"the disks that the host alone has are lost with it: --plan says which, "
			"--disks-lost forgets them");
	TRY(make(a, "/forget", NULL, &found));
	json_array_foreach (json_object_get(found, "lost"), k, lost)
		write_lost(a, lost);
	buf_print(&a->text, "host %" STR_FMT " %s\n", STR_ARG(name),
		  is_plan ? "would be forgotten" : "is forgotten");
	return OK;
}

const struct command fence_commands[] = {
	{"host set-fence",
	 "Sets how a dead host is powered off: by a fence agent, such as /usr/sbin/fence_ipmilan, or by "
	 "Ceph's blocklist.",
	 {{"name", PARAM_POSITIONAL, true, "The host."},
	  {"command", PARAM_OPTION, false,
	   "Absolute path of the fence agent, which reads its options from standard input."},
	  {"option", PARAM_OPTION, false, "Option of the agent, such as ipaddr=192.0.2.7; may be repeated.",
	   .repeats = true},
	  {"secret-file", PARAM_OPTION, false,
	   "File with secret options, such as passwd=…; stored encrypted, and never shown.", .is_path = true},
	  {"blocklist", PARAM_OPTION, false,
	   "Addresses from which its guests reach Ceph, comma separated: Ceph blocks them, which releases "
	   "guests whose disks are all in Ceph."},
	  {"after-s", PARAM_OPTION, false,
	   "Seconds without an answer until it is fenced automatically (default: hosts.fence_after_s, else "
	   "120)."},
	  {"by-hand", PARAM_FLAG, false, "Fences only on request."},
	  {"none", PARAM_FLAG, false, "Removes the fence device."}},
	 .ask = set_fence},
	{"host fence",
	 "Powers off a host that does not answer, by its fence device.",
	 {{"name", PARAM_POSITIONAL, true, "The host."},
	  {"reason", PARAM_OPTION, false, "Reason, for the host's events."}},
	 .ask = asking_make_change},
	{"host fenced",
	 "Confirms that a host is off: its instances may be started elsewhere.",
	 {{"name", PARAM_POSITIONAL, true, "The host."},
	  {"i-have-seen-it-off", PARAM_FLAG, false,
	   "Confirms that you have seen it: no guest runs there, and it stays off for now."},
	  {"by", PARAM_OPTION, false, "Your name, for the host's events."}},
	 .ask = asking_make_change},
	{"host fences",
	 "Lists fencing operations, their proof, and how many instances were released.",
	 {{"name", PARAM_POSITIONAL, false, "The host (default: all)."}},
	 .ask = list_fences},
	{"host evacuate",
	 "Starts the instances of a host that is off on other hosts, and lists those that wait, with the "
	 "reason.",
	 {{"name", PARAM_POSITIONAL, true, "The host."},
	  {"rebuild", PARAM_FLAG, false, "Recreates root disks that only this host has from their images."},
	  {"plan", PARAM_FLAG, false, "Prints the outcome for each instance, and stops."}},
	 .ask = evacuate},
	{"host forget",
	 "Removes a host that will not return, with the disks that only it has, and lists them.",
	 {{"name", PARAM_POSITIONAL, true, "The host."},
	  {"disks-lost", PARAM_FLAG, false,
	   "Confirms that its disks are lost: its volumes change to the state error."},
	  {"plan", PARAM_FLAG, false, "Prints what would be lost, and stops."}},
	 .ask = forget},
	{0},
};
