/* SPDX-License-Identifier: Apache-2.0
 * dari migrate …: machines of clouds elsewhere become instances of this region, and the reverse. */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/client/ask.h"
#include "daemon/command.h"

/* People wait for the plan, which takes some requests to the cloud. */
enum { LOOKS_MAX = 60, LOOK_EVERY_US = 500 * 1000, BLOCK_SIZE = 512 * 1024, EC2_DIGITS = 17 };

/* ---- finding ---- */

/* EC2's id of the row's instance. */
static struct str ec2_of_instance(struct asking *a, const json_t *row)
{
	struct str id = asking_text(row, "instance");
	char hex[EC2_DIGITS + 1];
	size_t n = 0;
	for (size_t k = 0; k < id.n && n < EC2_DIGITS; k++)
		if (id.p[k] != '-')
			hex[n++] = id.p[k];
	hex[n] = '\0';
	return n == EC2_DIGITS ? str_print(a->c->arena, "i-%s", hex) : STR_NONE;
}

/* True if the text names the row: its id, the machine there, or the instance here. */
static bool is_called(struct asking *a, const json_t *row, struct str said)
{
	struct str ref = asking_text(row, "ref");
	return str_equal(asking_text(row, "id"), said) || (ref.n && str_equal(ref, said)) ||
	       str_equal(asking_text(row, "instance"), said) || str_equal(ec2_of_instance(a, row), said);
}

/* The row with that id or ref; of several the one that has not ended. */
static RESULT find_in(struct asking *a, const char *path, const char *what, const json_t **ret_row)
{
	const json_t *rows = NULL, *found = NULL;
	struct str said = asking_arg(a, "id");
	json_t *each = NULL;
	size_t k = 0, count = 0;
	TRY(asking_list(a, path, "*", &rows));
	json_array_foreach (rows, k, each) {
		if (!is_called(a, each, said))
			continue;
		if (str_equal(asking_text(each, "id"), said) || !asking_int(each, "ended_us")) {
			found = each;
			count++;
		} else if (!found) {
			found = each;
		}
	}
	if (count > 1)
		return ctx_fail_field(a->c, ERR_INVALID, STR("id"),
				      "several %ss are called %" STR_FMT "; give the id", what,
				      STR_ARG(said));
	*ret_row = found;
	return found ? OK
		     : ctx_fail_field(a->c, ERR_NOT_FOUND, STR("id"), "there is no %s %" STR_FMT, what,
				      STR_ARG(said));
}

static RESULT find_migration(struct asking *a, const json_t **ret_row)
{
	return find_in(a, "/cloud-migrations", "migration", ret_row);
}

/* ---- showing ---- */

/* The machine there, or the source's name while there is none. */
static struct str shown_ref(const json_t *row)
{
	struct str ref = asking_text(row, "ref");
	return ref.n ? ref : asking_text(row, "name");
}

static void say_list(struct asking *a, const json_t *row, const char *member, const char *title)
{
	const json_t *list = json_object_get(row, member);
	for (size_t k = 0; k < json_array_size(list); k++)
		buf_print(&a->text, "%-10s %s\n", title, json_string_value(json_array_get(list, k)));
}

static void say_estimate(struct asking *a, const json_t *row)
{
	const json_t *e = json_object_get(row, "estimate");
	buf_print(&a->text,
		  "%-10s %" PRId64 " MiB of disks; %" PRId64 " MiB, %" PRId64
		  " s to copy; downtime about %" PRId64 " s%s\n",
		  "expected", asking_int(e, "size") >> 20, asking_int(e, "left_bytes") >> 20,
		  asking_int(e, "left_s"), asking_int(e, "downtime_s"),
		  asking_bool(e, "is_measured") ? "" : " (a guess, until a round is measured)");
}

static RESULT say_disks(struct asking *a, const json_t *row)
{
	const json_t *rows = NULL;
	json_t *disk = NULL;
	size_t k = 0;
	TRY(asking_list(a, "/cloud-migration-disks", "*", &rows));
	json_array_foreach (rows, k, disk) {
		if (!str_equal(asking_text(disk, "migration"), asking_text(row, "id")))
			continue;
		struct str device = asking_text(disk, "device"), volume = asking_text(disk, "volume"),
			   problem = asking_text(disk, "problem");
		int64_t size = asking_int(disk, "size"), at = asking_int(disk, "next_block") * BLOCK_SIZE;
		if (asking_bool(disk, "is_copied") || at > size)
			at = size;
		buf_print(&a->text,
			  "%-10s %" STR_FMT " %" STR_FMT " %" PRId64 " MiB, %" PRId64
			  " %% of the round, %" PRId64 " MiB copied%s%" STR_FMT "\n",
			  "disk", STR_ARG(device), STR_ARG(volume), size >> 20, size ? at * 100 / size : 0,
			  asking_int(disk, "done_bytes") >> 20, problem.n ? ": " : "", STR_ARG(problem));
	}
	return OK;
}

/* Name of the row with that id, or its EC2 id if it has no name. The id itself if the caller may not read the row. */
static struct str name_of(struct asking *a, const char *path, struct str id)
{
	const json_t *answer = NULL;
	const char *whole = str_print(a->c->arena, "%s/%" STR_FMT, path, STR_ARG(id)).p;
	if (!result_is_ok(asking_read(a, whole, NULL, &answer))) {
		ctx_clear_problem(a->c);
		return id;
	}
	const json_t *row = json_object_get(answer, "item");
	struct str name = asking_text(row, "name"), ec2 = asking_text(row, "ec2");
	return name.n ? name : ec2.n ? ec2 : id;
}

static void say_target(struct asking *a, const json_t *row)
{
	static const struct {
		const char *member, *path;
	} parts[] = {{"type", "/instance-types"},
		     {"subnet", "/subnets"},
		     {"key_pair", "/key-pairs"},
		     {"instance", "/instances"}};
	static const char *const there[] = {"target_type", "target_subnet", "target_key"};
	for (size_t k = 0; k < sizeof there / sizeof there[0]; k++)
		if (asking_text(row, there[k]).n)
			buf_print(&a->text, "%-10s %" STR_FMT " there\n", there[k] + strlen("target_"),
				  STR_ARG(asking_text(row, there[k])));
	for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++) {
		struct str id = asking_text(row, parts[k].member);
		if (id.n)
			buf_print(&a->text, "%-10s %" STR_FMT "\n", parts[k].member,
				  STR_ARG(name_of(a, parts[k].path, id)));
	}
}

static RESULT say_migration(struct asking *a, const json_t *row)
{
	struct str ref = asking_text(row, "ref"), name = asking_text(row, "name"),
		   stage = asking_text(row, "stage"), problem = asking_text(row, "problem");
	bool is_out = str_is(asking_text(row, "direction"), "out");
	buf_print(&a->text, "%-10s %" STR_FMT, is_out ? "machine there" : "machine", STR_ARG(ref));
	if (name.n && !str_equal(name, ref))
		buf_print(&a->text, " (%" STR_FMT ")", STR_ARG(name));
	buf_print(&a->text, "\n%-10s %" STR_FMT ", round %" PRId64 "%s\n", "stage", STR_ARG(stage),
		  asking_int(row, "round"), asking_bool(row, "is_final") ? ", of the stopped machine" : "");
	if (problem.n)
		buf_print(&a->text, "%-10s %" STR_FMT "\n", "problem", STR_ARG(problem));
	say_target(a, row);
	TRY(say_disks(a, row));
	if (!asking_int(row, "ended_us"))
		say_estimate(a, row);
	say_list(a, row, "refusals", "refused");
	say_list(a, row, "warnings", "note");
	json_decref(a->value);
	a->value = json_incref((json_t *) row);
	return OK;
}

static RESULT show(struct asking *a)
{
	const json_t *row = NULL;
	TRY(find_migration(a, &row));
	return say_migration(a, row);
}

static RESULT list(struct asking *a)
{
	const json_t *rows = NULL;
	json_t *row = NULL;
	size_t k = 0;
	TRY(asking_list(a, "/cloud-migrations", "*", &rows));
	buf_print(&a->text, "%-36s %-20s %-20s %-10s %5s %10s %s\n", "id", "machine", "name", "stage",
		  "round", "delta MiB", "problem");
	json_array_foreach (rows, k, row) {
		struct str id = asking_text(row, "id"), ref = shown_ref(row), name = asking_text(row, "name"),
			   stage = asking_text(row, "stage"), problem = asking_text(row, "problem");
		buf_print(&a->text,
			  "%-36.*s %-20.*s %-20.*s %-10.*s %5" PRId64 " %10" PRId64 " %" STR_FMT "\n",
			  STR_ARG(id), STR_ARG(ref), STR_ARG(name), STR_ARG(stage), asking_int(row, "round"),
			  asking_int(row, "delta") >> 20, STR_ARG(problem));
		(void) json_array_append(a->value, row);
	}
	return OK;
}

/* ---- changes ---- */

/* Waits until the machine has been described. */
static RESULT wait_for_plan(struct asking *a)
{
	const json_t *row = NULL;
	for (int k = 0; k < LOOKS_MAX; k++) {
		TRY(find_migration(a, &row));
		if (!str_is(asking_text(row, "stage"), "planning"))
			break;
		clock_sleep_us(LOOK_EVERY_US);
	}
	return say_migration(a, row);
}

/* The provider with the id or name that --to gives. */
static RESULT find_provider(struct asking *a, const json_t **ret_row)
{
	const json_t *rows = NULL;
	struct str said = asking_arg(a, "to");
	json_t *each = NULL;
	size_t k = 0;
	TRY(asking_list(a, "/providers", "*", &rows));
	json_array_foreach (rows, k, each)
		if (str_equal(asking_text(each, "id"), said) || str_equal(asking_text(each, "name"), said)) {
			*ret_row = each;
			return OK;
		}
	return ctx_fail_field(a->c, ERR_NOT_FOUND, STR("to"), "there is no provider %" STR_FMT,
			      STR_ARG(said));
}

static RESULT plan(struct asking *a)
{
	const json_t *found = NULL, *answer = NULL;
	bool is_out = asking_arg(a, "to").n > 0;
	TRY(is_out ? find_provider(a, &found) : find_in(a, "/remote-machines", "machine", &found));
	struct str id = asking_arg(a, "id");
	json_t *body = is_out ? json_pack("{s:s%, s:O}", "instance", id.p, id.n, "provider",
					  json_object_get(found, "id"))
			      : json_pack("{s:O}", "machine", json_object_get(found, "id"));
	struct result result = asking_change(a, "POST", "/cloud-migrations", body, &answer);
	json_decref(body);
	TRY(result);
	return wait_for_plan(a);
}

static RESULT set(struct asking *a)
{
	static const struct carried members[] = {
		{.member = "name", .param = "name"},
		{.member = "type", .param = "type"},
		{.member = "subnet", .param = "subnet"},
		{.member = "groups", .param = "group", .how = CARRY_LINES},
		{.member = "key_pair", .param = "key"},
		{.member = "target_type", .param = "to-type"},
		{.member = "target_subnet", .param = "to-subnet"},
		{.member = "target_groups", .param = "to-group", .how = CARRY_LINES},
		{.member = "target_key", .param = "to-key"},
		{.member = "keeps_ip", .param = "keep-ip", .how = CARRY_CHOICE},
		{.member = "lacks_virtio", .param = "lacks-virtio", .how = CARRY_CHOICE},
		{.member = "drops_local", .param = "drop-local", .how = CARRY_CHOICE},
		{.member = "round_s", .param = "round-s", .how = CARRY_COUNT},
	};
	const json_t *row = NULL, *answer = NULL;
	TRY(find_migration(a, &row));
	json_t *body = json_object();
	struct result result = asking_carry_all(a, members, sizeof members / sizeof members[0], body);
	if (result_is_ok(result))
		result = asking_change(a, "PATCH", asking_path(a, "/cloud-migrations", row, ""), body,
				       &answer);
	json_decref(body);
	TRY(result);
	return show(a);
}

/* `dari migrate start` and its like: the command's second word is the step. */
static RESULT step(struct asking *a)
{
	const json_t *row = NULL, *answer = NULL;
	const char *word = a->words + sizeof "migrate";
	bool accepts = json_is_true(json_object_get(a->args, "accept-loss"));
	TRY(find_migration(a, &row));
	json_t *body = accepts ? json_pack("{s:b}", "accepts_loss", 1) : NULL;
	const char *path = asking_path(a, "/cloud-migrations", row, str_print(a->c->arena, "/%s", word).p);
	struct result result = asking_change(a, "POST", path, body, &answer);
	json_decref(body);
	TRY(result);
	buf_print(&a->text, "%s of the migration of %" STR_FMT " is requested\n", word,
		  STR_ARG(shown_ref(row)));
	asking_tell_nothing(a);
	return OK;
}

static RESULT delete (struct asking *a)
{
	const json_t *row = NULL, *answer = NULL;
	TRY(find_migration(a, &row));
	TRY(asking_change(a, "DELETE", asking_path(a, "/cloud-migrations", row, ""), NULL, &answer));
	buf_print(&a->text, "the migration of %" STR_FMT " is forgotten\n", STR_ARG(shown_ref(row)));
	asking_tell_nothing(a);
	return OK;
}

#define MIGRATION                                                                                            \
	{                                                                                                    \
		"id", PARAM_POSITIONAL, true,                                                                \
			"Id of the migration, of the machine in the other cloud, or of the instance."        \
	}

const struct command migrate_commands[] = {
	{"migrate plan",
	 "Plans the migration of a machine of another cloud, or with --to of an instance: lists what moves, "
	 "and "
	 "what prevents it.",
	 {{"id", PARAM_POSITIONAL, true,
	   "Id of the machine in the other cloud, as `dari remote list` shows it; with --to, of the "
	   "instance."},
	  {"to", PARAM_OPTION, false, "Name or id of the provider that the instance is to be moved to."}},
	 .ask = plan},
	{"migrate set",
	 "Changes the plan of a migration.",
	 {MIGRATION,
	  {"name", PARAM_OPTION, false, "Name of the instance here."},
	  {"type", PARAM_OPTION, false, "Type of the instance here."},
	  {"subnet", PARAM_OPTION, false, "Subnet of the instance here."},
	  {"group", PARAM_OPTION, false, "A security group; may be repeated.", .repeats = true},
	  {"key", PARAM_OPTION, false, "Key pair of the instance here."},
	  {"to-type", PARAM_OPTION, false, "Way out: type of the machine in the other cloud."},
	  {"to-subnet", PARAM_OPTION, false, "Way out: id of the subnet in the other cloud."},
	  {"to-group", PARAM_OPTION, false,
	   "Way out: id of a security group in the other cloud; may be repeated.", .repeats = true},
	  {"to-key", PARAM_OPTION, false, "Way out: key pair in the other cloud."},
	  {"keep-ip", PARAM_OPTION, false, "yes or no: the instance gets the machine's private address."},
	  {"lacks-virtio", PARAM_OPTION, false,
	   "yes or no: the instance gets SATA disks and an e1000e interface."},
	  {"drop-local", PARAM_OPTION, false,
	   "yes or no: the content of disks that cannot be snapshotted may be lost."},
	  {"round-s", PARAM_OPTION, false, "Seconds between two copy rounds."}},
	 .ask = set},
	{"migrate list", "Lists migrations.", {{0}}, .ask = list},
	{"migrate show",
	 "Shows a migration, its disks, and the estimated downtime.",
	 {MIGRATION},
	 .ask = show},
	{"migrate start", "Starts copying the disks while the machine runs.", {MIGRATION}, .ask = step},
	{"migrate cutover",
	 "Stops the source, copies the rest, and starts the copy.",
	 {MIGRATION},
	 .ask = step},
	{"migrate undo",
	 "Removes the created resources, and restarts the source if the migration stopped it.",
	 {MIGRATION,
	  {"accept-loss", PARAM_FLAG, false,
	   "Accepts that data which the copy wrote since the cutover stays behind, on the stopped copy."}},
	 .ask = step},
	{"migrate delete",
	 "Deletes a migration that has ended or was not started.",
	 {MIGRATION},
	 .ask = delete},
	{0},
};
