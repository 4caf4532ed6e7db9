/* SPDX-License-Identifier: Apache-2.0
 * dari host check: lists missing requirements for a host. Runs host_check.sh by a single ssh, which changes
 * nothing. Needs no server, so it can be used before a region exists. */
#include <stdio.h>

#include "base/clock.h"
#include "daemon/command.h"
#include "daemon/ssh.h"
#include "drivers/network.h"
#include "host_check.h"

enum { CHECK_TIMEOUT_S = 90, FIELDS = 5 };

struct check {
	struct ctx *c;
	struct str address, pool;
	struct str flows; /* where hosts send IPFIX; empty: nowhere, or there is no configuration here */
	struct str output;
	bool is_fine;
};

static RESULT check_words(struct check *check)
{
	TRY(ssh_check_address(check->c, check->address));
	if (!ssh_has_only(check->pool, "/._-") || check->pool.p[0] != '/')
		return ctx_fail(check->c, ERR_INVALID,
				"--pool wants a whole path, from /, not \"%" STR_FMT "\"",
				STR_ARG(check->pool));
	return OK;
}

/* A machine without a configuration checks hosts, too. The place goes into a shell's line: other characters leave it out. */
static void find_flows(struct check *check, const char *config_path)
{
	struct settings settings = {0};
	if (result_is_ok(settings_load(check->c, config_path, &settings)) &&
	    ssh_has_only(settings.flow_log_listen, ".:[]"))
		check->flows = settings.flow_log_listen;
	ctx_clear_problem(check->c);
}

/* Uses ssh's configuration but no prompts: an unknown host key is refused. */
static RESULT run_script(struct check *check)
{
	struct ctx *c = check->c;
	struct str script = str_print(
		c->arena, "our_time=%lld\npool=%" STR_FMT "\nflows=%" STR_FMT "\nsample_set=%d\n%" STR_FMT,
		(long long) (clock_now_us() / SECOND), STR_ARG(check->pool), STR_ARG(check->flows),
		NETWORK_SAMPLE_SET, STR_ARG(page_host_check_sh));
	struct child_end end = {0};
	if (!script.p)
		return ctx_no_memory(c);
	TRY(ssh_run(c, &(struct ssh){.address = check->address}, script, CHECK_TIMEOUT_S * SECOND, &end));
	check->output = end.out;
	if (str_contains(end.out, STR("dari-check\tend\n")))
		return OK;
	return ctx_fail(c, ERR_IO,
			"%" STR_FMT " was not checked (ssh ended with %d): %" STR_FMT "\n  Try: ssh %" STR_FMT
			" true. It must work without a question: accept the host key once, and use a key or "
			"an agent.",
			STR_ARG(check->address), end.status, STR_ARG(str_trim(end.err)),
			STR_ARG(check->address));
}

static void print_finding(struct check *check, struct str line)
{
	struct str fields[FIELDS] = {0};
	size_t count = 0;
	while (count < FIELDS && str_split_next(&line, '\t', &fields[count]))
		count++;
	if (count < FIELDS || !str_is(fields[0], "dari-check"))
		return; /* e.g. the host's greeting */
	for (size_t k = 1; k < FIELDS; k++)
		fields[k] = ssh_make_plain(check->c->arena, fields[k]);
	bool is_wrong = str_is(fields[1], "wrong"), is_fine = str_is(fields[1], "ok");
	check->is_fine = check->is_fine && !is_wrong;
	printf("%s  %-16.*s %" STR_FMT "\n",
	       is_wrong  ? "!!"
	       : is_fine ? "ok"
			 : "??",
	       STR_ARG(fields[2]), STR_ARG(fields[3]));
	if (!is_fine)
		printf("      %" STR_FMT "\n", STR_ARG(fields[4]));
}

static RESULT run_check(struct check *check)
{
	TRY(check_words(check));
	TRY(run_script(check));
	struct str rest = check->output, line = STR_NONE;
	while (str_split_next(&rest, '\n', &line))
		print_finding(check, line);
	if (!check->is_fine)
		printf("\n`dari host add %" STR_FMT
		       " --as NAME` on the region's machine installs and sets up what is "
		       "missing (all but the user, the\nsystem and the clock's difference). With --plan it "
		       "only says what "
		       "it would do.\n",
		       STR_ARG(check->address));
	return OK;
}

static int host_check_here(const struct command *command, json_t *args, const char *config_path)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct ctx c;
	ctx_init(&c, arena);
	const char *pool = json_string_value(json_object_get(args, "pool"));
	struct check check = {.c = &c,
			      .address = str_from(json_string_value(json_object_get(args, "address"))),
			      .pool = pool ? str_from(pool) : STR("/var/lib/libvirt/images"),
			      .is_fine = true};
	find_flows(&check, config_path);
	struct result result = run_check(&check);
	if (!result_is_ok(result))
		fprintf(stderr, "dari %s: %" STR_FMT "\n", command->words, STR_ARG(c.problem.message));
	return result_is_ok(result) && check.is_fine ? 0 : 1;
}

const struct command host_check_commands[] = {
	{"host check",
	 "Checks over ssh whether a machine can be a host. Changes nothing. ok: passed; ??: note; !!: to be "
	 "fixed.",
	 {{"address", PARAM_POSITIONAL, true, "ssh destination: root@ADDRESS."},
	  {"pool", PARAM_OPTION, false, "Directory for disks (default: /var/lib/libvirt/images)."}},
	 .run_here = host_check_here},
	{0},
};
