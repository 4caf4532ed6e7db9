/* SPDX-License-Identifier: Apache-2.0
 * Command lines of ansible-runner, confined or not. */
#include "reconcile/playbook_command.h"
#include "reconcile/playbooks.h"

#include <assert.h>

#include "base/child.h"
#include "base/clock.h"

#define PLAYBOOK_ROOM "64m"

static const int64_t systemctl_timeout_us = 30 * SECOND;
/* systemd kills a run that the server did not kill in time. */
enum { UNIT_GRACE_S = 30 };

/* PID 1 of the namespace is the run itself, so that all of its processes end with it, in other sessions, too; and it ends with
 * the server. /tmp is the one place to write, and the home. */
static const char *const namespaces[] = {
	"unshare",
	"--mount",
	"--pid",
	"--fork",
	"--kill-child=KILL",
	"--mount-proc",
	"sh",
	"-c",
	"mount -t tmpfs -o size=" PLAYBOOK_ROOM
	",mode=1777,nosuid,nodev none /tmp && mount --bind /tmp /var/tmp && "
	"mount --bind /tmp /dev/shm && exec env -i HOME=/tmp LANG=C.UTF-8 PATH=\"$PATH\" \"$@\"",
	"playbook",
	"setpriv"};
/* A change of the user clears the signal at the parent's death; setpriv sets it afterwards. */
static const char *const limits[] = {
	"--clear-groups", "--no-new-privs",   "--inh-caps=-all", "--bounding-set=-all", "--pdeathsig=KILL",
	"prlimit",        "--fsize=67108864", "--core=0",        "--nproc=512",         "--as=4294967296"};
/* The unit ends with dari.service, also after a crash. */
static const char *const unit_properties[] = {"--property=BindsTo=dari.service",
					      "--property=KillMode=control-group",
					      "--property=NoNewPrivileges=yes",
					      "--property=CapabilityBoundingSet=",
					      "--property=RestrictSUIDSGID=yes",
					      "--property=ProtectSystem=strict",
					      "--property=ProtectHome=yes",
					      "--property=ProtectProc=invisible",
					      "--property=ProtectKernelTunables=yes",
					      "--property=ProtectControlGroups=yes",
					      "--property=PrivateDevices=yes",
					      "--property=InaccessiblePaths=-/etc/dari -/run/dari",
					      "--property=TemporaryFileSystem=/tmp:size=" PLAYBOOK_ROOM
					      ",mode=1777 /var/tmp:size=1m,mode=1777",
					      "--property=MemoryMax=2G",
					      "--property=TasksMax=512",
					      "--property=LimitFSIZE=67108864",
					      "--property=LimitCORE=0",
					      "--setenv=HOME=/tmp",
					      "--setenv=LANG=C.UTF-8"};

void reconciler_confine_playbooks(struct reconciler *r, unsigned user, unsigned group, bool has_units)
{
	r->playbook_user = user;
	r->playbook_group = group;
	r->has_playbook_units = has_units;
}

static void add(struct playbook_command *command, const char *word)
{
	assert(command->count + 1 < PLAYBOOK_WORDS_MAX);
	command->argv[command->count++] = word;
}

static void add_all(struct playbook_command *command, const char *const *words, size_t count)
{
	for (size_t k = 0; k < count; k++)
		add(command, words[k]);
}
#define ADD_ALL(command, words) add_all(command, words, sizeof(words) / sizeof(words)[0])

static const char *print_number(struct arena *a, const char *head, int64_t number)
{
	return str_to_z(a, str_print(a, "%s%lld", head, (long long) number));
}

static struct str unit_of(struct arena *a, struct str ident)
{
	return str_print(a, "dari-playbook-%" STR_FMT ".service", STR_ARG(ident));
}

static void add_unit(struct arena *a, const struct reconciler *r, const struct playbook_run *run,
		     struct playbook_command *command)
{
	static const char *const head[] = {"systemd-run", "--quiet", "--collect",
					   "--pipe",      "--wait",  "--service-type=exec"};
	ADD_ALL(command, head);
	add(command, str_to_z(a, str_print(a, "--unit=%" STR_FMT, STR_ARG(unit_of(a, run->ident)))));
	add(command, print_number(a, "--property=User=", r->playbook_user));
	add(command, print_number(a, "--property=RuntimeMaxSec=", run->limit_s + UNIT_GRACE_S));
	ADD_ALL(command, unit_properties);
}

static void add_namespaces(struct arena *a, const struct reconciler *r, struct playbook_command *command)
{
	ADD_ALL(command, namespaces);
	add(command, print_number(a, "--reuid=", r->playbook_user));
	add(command, print_number(a, "--regid=", r->playbook_group));
	ADD_ALL(command, limits);
}

/* Without --omit-env-files ansible-runner would write the first run's variables to env/cmdline, from where a second run that
 * begins at the same time would take them. */
RESULT playbook_command_make(struct ctx *c, const struct reconciler *r, const struct playbook_run *run,
			     struct playbook_command *ret_command)
{
	struct arena *a = c->arena;
	bool is_confined = r->playbook_user != 0;
	*ret_command = (struct playbook_command){0};
	if (is_confined && r->has_playbook_units)
		add_unit(a, r, run, ret_command);
	else if (is_confined)
		add_namespaces(a, r, ret_command);
	const char *const words[] = {r->playbook_runner,
				     "run",
				     r->playbook_directory,
				     "-p",
				     str_to_z(a, run->playbook),
				     "--ident",
				     str_to_z(a, run->ident),
				     is_confined ? "--artifact-dir" : "--rotate-artifacts",
				     is_confined ? "/tmp/artifacts" : "100",
				     "--omit-env-files",
				     "--cmdline",
				     str_to_z(a, str_print(a, "-e '%" STR_FMT "'", STR_ARG(run->vars)))};
	ADD_ALL(ret_command, words);
	return arena_is_full(a) ? ctx_no_memory(c) : OK;
}

void playbook_command_stop(struct ctx *c, const struct reconciler *r, struct str ident)
{
	const char *const argv[] = {"systemctl", "--no-ask-password", "stop",
				    str_to_z(c->arena, unit_of(c->arena, ident)), NULL};
	const struct child child = {.argv = argv, .timeout_us = systemctl_timeout_us};
	struct child_end end = {0};
	if (!r->has_playbook_units || !r->playbook_user)
		return;
	IGNORE(child_run(c, &child, &end)); /* most units are gone already */
	ctx_clear_problem(c);
}
