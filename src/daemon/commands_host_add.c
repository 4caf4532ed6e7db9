/* SPDX-License-Identifier: Apache-2.0
 * dari host add root@ADDRESS, host remove NAME --undo, host renew: turns a machine into a host and back, with
 * host_add.sh in a shell on it.
 *
 * ssh runs in the typed command rather than the server: so it uses the operator's keys, agent, jump hosts and
 * ~/.ssh/config, and the server needs none of them. The authority's key stays on the server: certificate
 * requests are sent to it over the control socket (daemon/authority.h). Every step may be repeated: after an
 * interruption, run the same command again. */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ip.h"
#include "daemon/authority.h"
#include "daemon/command.h"
#include "daemon/onboard.h"
#include "daemon/ssh.h"

enum {
	PLAN_TIMEOUT_S = 120,
	APPLY_TIMEOUT_S = 3600,
	ROUNDS_MAX = 3,
	RENEWALS_MAX = 4,
	UP_TRIES = 60, /* a minute: hosts are looked at every few seconds */
	UP_LOOK_MS = 1000,
	ANSWER_SIZE = 16
};

struct onboarding {
	struct ctx *c;
	json_t *args;
	const char *config_path;
	struct settings settings;
	struct ssh ssh;
	struct onboard_wish wish;
	struct onboard_outcome outcome;
	struct str directory; /* directory with dari's certificate: libvirt's pkipath */
	bool is_told;         /* the previous round printed everything before the certificates */
	bool is_quiet;        /* print problems only */
};

static struct str arg_of(const struct onboarding *o, const char *name)
{
	const json_t *value = json_object_get(o->args, name);
	return (struct str){json_string_value(value), json_string_length(value)};
}

static bool has_flag(const struct onboarding *o, const char *name)
{
	return json_is_true(json_object_get(o->args, name));
}

static struct str copy_text(struct onboarding *o, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	return str_copy(o->c->arena, (struct str){json_string_value(value), json_string_length(value)});
}

static RESULT ask(struct onboarding *o, const char *words, json_t *args, json_t **ret_value)
{
	struct result result =
		args ? client_ask(o->c, o->config_path, words, args, ret_value) : ctx_no_memory(o->c);
	json_decref(args);
	return result;
}

static RESULT open_onboarding(struct onboarding *o, struct str address)
{
	struct arena *a = o->c->arena;
	json_t *authority = NULL;
	o->ssh.address = address;
	TRY(ssh_check_address(o->c, address));
	TRY(settings_load(o->c, o->config_path, &o->settings));
	TRY(ask(o, "host authority", json_object(), &authority));
	o->wish.ca = copy_text(o, authority, "trusted");
	o->directory = copy_text(o, authority, "directory");
	json_decref(authority);
	o->ssh.known_hosts = authority_path(a, &o->settings, "known_hosts");
	o->wish.region = o->settings.region_id;
	o->wish.flows = o->settings.flow_log_listen;
	o->wish.control = authority_client_name(a, &o->settings);
	return o->wish.ca.n && o->directory.n ? OK : ctx_no_memory(o->c);
}

/* ---- the machine's key ---- */

static RESULT ask_operator(struct onboarding *o, const struct ssh_host_key *key)
{
	char line[ANSWER_SIZE] = "";
	printf("The machine %" STR_FMT " shows the key %" STR_FMT " (%" STR_FMT ").\n",
	       STR_ARG(o->ssh.address), STR_ARG(key->fingerprint), STR_ARG(key->type));
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return ctx_fail(o->c, ERR_DENIED,
				"nobody has said that this is its key: compare it with what ssh-keygen -l -f "
				"/etc/ssh/ssh_host_*_key.pub says there, and give it with --fingerprint");
	printf("Is that what ssh-keygen -l -f /etc/ssh/ssh_host_*_key.pub says there? (yes or no): ");
	(void) fflush(stdout);
	if (fgets(line, sizeof line, stdin) && str_is(str_trim(str_from(line)), "yes"))
		return OK;
	return ctx_fail(o->c, ERR_DENIED, "the key was not accepted, and nothing was sent there");
}

/* Confirms the host's key at first contact, and when --fingerprint differs from the trusted key. */
static RESULT meet(struct onboarding *o)
{
	struct ssh_host_key key = {0};
	struct str wanted = arg_of(o, "fingerprint");
	struct result known = ssh_find_key(o->c, &o->ssh, &key);
	if (known.code && known.code != ERR_NOT_FOUND)
		return known;
	ctx_clear_problem(o->c);
	if (!known.code && (!wanted.n || str_equal(wanted, key.fingerprint)))
		return OK;
	TRY(ssh_learn_key(o->c, &o->ssh, &key));
	if (!wanted.n)
		TRY(ask_operator(o, &key));
	else if (!str_equal(wanted, key.fingerprint))
		return ctx_fail(o->c, ERR_DENIED,
				"%" STR_FMT " shows the key %" STR_FMT " (%" STR_FMT "), not %" STR_FMT,
				STR_ARG(o->ssh.address), STR_ARG(key.fingerprint), STR_ARG(key.type),
				STR_ARG(wanted));
	return ssh_trust_key(o->c, &o->ssh, &key);
}

/* ---- the machine's output ---- */

static void print_line(const struct onboard_line *line)
{
	static const char *const marks[] = {[ONBOARD_OK] = "ok",
					    [ONBOARD_NOTE] = "??",
					    [ONBOARD_WRONG] = "!!",
					    [ONBOARD_WOULD] = "->",
					    [ONBOARD_CHANGED] = "++"};
	bool is_pem = str_is(line->step, "certificate") || str_is(line->step, "trusted");
	if (line->what == ONBOARD_COMMAND)
		printf("      %" STR_FMT "\n", STR_ARG(line->found));
	else if (line->what == ONBOARD_FACT && !is_pem)
		printf("      %" STR_FMT ": %" STR_FMT "\n", STR_ARG(line->step), STR_ARG(line->found));
	else if (line->what <= ONBOARD_CHANGED)
		printf("%s  %-14.*s %" STR_FMT "\n", marks[line->what], STR_ARG(line->step),
		       STR_ARG(line->found));
}

static RESULT run_script(struct onboarding *o, const char *mode)
{
	bool is_plan = mode[0] == 'p';
	struct child_end end = {0};
	struct str line = STR_NONE;
	o->wish.mode = mode;
	o->outcome = (struct onboard_outcome){0};
	struct str script = onboard_write_script(o->c->arena, &o->wish);
	if (!script.p)
		return ctx_no_memory(o->c);
	(void) fflush(stdout);
	TRY(ssh_run(o->c, &o->ssh, script, (is_plan ? PLAN_TIMEOUT_S : APPLY_TIMEOUT_S) * SECOND, &end));
	while (str_split_next(&end.out, '\n', &line)) {
		struct onboard_line said = onboard_read_line(o->c->arena, line);
		onboard_count(&o->outcome, &said);
		o->is_told = o->is_told && !str_is(said.step, "certificates");
		if (said.what == ONBOARD_WRONG || (!o->is_told && !o->is_quiet))
			print_line(&said);
	}
	if (o->outcome.wrong)
		return ctx_fail(o->c, ERR_STATE,
				"mend what has !! above, and run the same command again: what is done stays");
	if (o->outcome.has_ended)
		return OK;
	return ctx_fail(o->c, ERR_IO,
			"%" STR_FMT " was not heard to the end (ssh ended with %d): %" STR_FMT
			"\n  Run the same command again: what is done stays. ssh %" STR_FMT
			" true has to work without a question.",
			STR_ARG(o->ssh.address), end.status,
			STR_ARG(ssh_make_plain(o->c->arena, str_trim(end.err))), STR_ARG(o->ssh.address));
}

/* ---- plan ---- */

static RESULT check_word(struct onboarding *o, const char *name, const char *others, struct str *value)
{
	struct str given = arg_of(o, name);
	if (!json_object_get(o->args, name))
		return OK;
	if (!ssh_has_only(given, others))
		return ctx_fail_field(o->c, ERR_INVALID, str_from(name), "--%s cannot be \"%" STR_FMT "\"",
				      name, STR_ARG(given));
	*value = given;
	return OK;
}

static RESULT find_remote(struct onboarding *o)
{
	TRY(check_word(o, "ovn-remote", ".:_-[],/", &o->wish.remote));
	if (!o->wish.remote.n)
		o->wish.remote = command_ask_ovs(o->c, o->settings.ovs_database, "ovn-remote");
	if (str_starts_with(o->wish.remote, STR("tcp:")) || str_starts_with(o->wish.remote, STR("ssl:")))
		return OK;
	return ctx_fail(o->c, ERR_MISSING,
			"--ovn-remote says where hosts find OVN's southbound database, such as "
			"tcp:10.0.0.1:6642; Open vSwitch here has \"%" STR_FMT "\"",
			STR_ARG(o->wish.remote));
}

static RESULT take_wish(struct onboarding *o)
{
	struct ip ip;
	struct cidr cidr;
	struct onboard_wish *w = &o->wish;
	w->pool = STR("/var/lib/libvirt/images");
	w->physical_network = STR("physnet1");
	TRY(check_word(o, "as", ".-_", &w->name));
	TRY(check_word(o, "pool", "/._-", &w->pool));
	TRY(check_word(o, "uplink", "._-", &w->uplink));
	TRY(check_word(o, "physical-network", "._-", &w->physical_network));
	TRY(check_word(o, "underlay", ".:/", &w->underlay));
	TRY(check_word(o, "address", ".:", &w->address));
	if (w->pool.p[0] != '/')
		return ctx_fail(o->c, ERR_INVALID, "--pool wants a whole path, from /");
	if (w->address.n && !result_is_ok(ip_parse(w->address, &ip)))
		return ctx_fail(o->c, ERR_INVALID, "--address wants an IP address");
	if (w->underlay.n && (!result_is_ok(cidr_parse(w->underlay, &cidr)) || !cidr_is_canonical(cidr)))
		return ctx_fail(o->c, ERR_INVALID, "--underlay wants a network such as 10.0.0.0/24");
	return find_remote(o);
}

/* ---- doing it ---- */

static RESULT sign(struct onboarding *o)
{
	struct onboard_outcome *seen = &o->outcome;
	json_t *value = NULL;
	if (!seen->name.n || !seen->address.n)
		return ctx_fail(o->c, ERR_IO, "the host does not say what it is called");
	/* Untrusted input from the machine: the server validates it and checks possession of the key. */
	json_t *args = json_pack("{s:s%, s:s%, s:s%, s:s%}", "name", seen->name.p, seen->name.n, "address",
				 seen->address.p, seen->address.n, "libvirt", seen->libvirt_request.p,
				 seen->libvirt_request.n, "qemu", seen->qemu_request.p, seen->qemu_request.n);
	TRY(ask(o, "host sign", args, &value));
	o->wish.libvirt_certificate = copy_text(o, value, "libvirt");
	o->wish.qemu_certificate = copy_text(o, value, "qemu");
	json_decref(value);
	return OK;
}

/* Repeats the script after the host has requested certificates, which are then passed along. */
static RESULT apply(struct onboarding *o)
{
	for (int round = 0; round < ROUNDS_MAX; round++) {
		TRY(run_script(o, "apply"));
		if (!o->outcome.libvirt_request.n || !o->outcome.qemu_request.n)
			return OK;
		TRY(sign(o));
		o->wish.renew = false;
		o->is_told = true;
	}
	return ctx_fail(o->c, ERR_IO, "%" STR_FMT " asks for certificates again and again",
			STR_ARG(o->ssh.address));
}

static RESULT note_installed(struct onboarding *o)
{
	struct onboard_outcome *seen = &o->outcome;
	json_t *args = json_pack("{s:s%, s:s%, s:s%, s:s%, s:s%}", "name", seen->name.p ? seen->name.p : "",
				 seen->name.n, "ssh", o->ssh.address.p, o->ssh.address.n, "address",
				 seen->address.p ? seen->address.p : "", seen->address.n, "installed",
				 seen->certificate.p ? seen->certificate.p : "", seen->certificate.n,
				 "trusted", seen->trusted.p ? seen->trusted.p : "", seen->trusted.n);
	return ask(o, "host sign", args, NULL);
}

static RESULT find_row(struct onboarding *o, struct str name, json_t **ret_list, json_t **ret_row)
{
	size_t k = 0;
	json_t *row = NULL;
	*ret_row = NULL;
	TRY(ask(o, "host list", json_object(), ret_list));
	json_array_foreach (*ret_list, k, row)
		if (str_is(name, json_string_value(json_object_get(row, "name"))))
			*ret_row = row;
	return OK;
}

static struct str write_uri(struct onboarding *o)
{
	struct str address = o->outcome.address, uri = arg_of(o, "uri");
	bool is_v6 = str_find_char(address, ':', 0) < address.n;
	return uri.n ? uri
		     : str_print(o->c->arena, "qemu+tls://%s%" STR_FMT "%s/system?pkipath=%" STR_FMT,
				 is_v6 ? "[" : "", STR_ARG(address), is_v6 ? "]" : "", STR_ARG(o->directory));
}

static RESULT add_row(struct onboarding *o)
{
	static const char *const taken_over[] = {"zone", "overcommit-percent", "reserved-mib"};
	struct str name = o->outcome.name, uri = write_uri(o);
	json_t *args = json_pack("{s:s%, s:s%, s:s%, s:s%}", "name", name.p, name.n, "uri",
				 uri.p ? uri.p : "", uri.n, "address", o->outcome.address.p,
				 o->outcome.address.n, "pool", o->wish.pool.p, o->wish.pool.n);
	for (size_t k = 0; args && k < sizeof taken_over / sizeof *taken_over; k++)
		if (json_object_get(o->args, taken_over[k]))
			(void) json_object_set(args, taken_over[k], json_object_get(o->args, taken_over[k]));
	struct result result = ask(o, "host add", args, NULL);
	if (result.code != ERR_EXISTS)
		return result;
	ctx_clear_problem(o->c);
	json_t *list = NULL, *row = NULL;
	TRY(find_row(o, name, &list, &row));
	struct str now = copy_text(o, row, "uri");
	json_decref(list);
	if (str_equal(now, uri))
		return OK;
	return ctx_fail(o->c, ERR_EXISTS,
			"the host %" STR_FMT " is there, and libvirt's address in it is %" STR_FMT
			": dari host remove %" STR_FMT ", then this again, or another name by --as",
			STR_ARG(name), STR_ARG(now), STR_ARG(name));
}

static RESULT await_up(struct onboarding *o)
{
	struct str name = o->outcome.name;
	for (int k = 0; k < UP_TRIES; k++) {
		json_t *list = NULL, *row = NULL;
		TRY(find_row(o, name, &list, &row));
		bool is_up = str_is(STR("up"), json_string_value(json_object_get(row, "state")));
		json_decref(list);
		if (is_up) {
			printf("host %" STR_FMT " is up\n", STR_ARG(name));
			return OK;
		}
		(void) poll(NULL, 0, UP_LOOK_MS);
	}
	return ctx_fail(o->c, ERR_TIMEOUT,
			"the host %" STR_FMT
			" is added and does not answer yet: dari host list, dari explain %" STR_FMT,
			STR_ARG(name), STR_ARG(name));
}

static RESULT run_add(struct onboarding *o)
{
	TRY(open_onboarding(o, arg_of(o, "name")));
	TRY(take_wish(o));
	TRY(meet(o));
	if (has_flag(o, "plan")) {
		TRY(run_script(o, "plan"));
		printf("%zu steps would change something there; nothing was changed.\n", o->outcome.would);
		return OK;
	}
	printf("Packages may take minutes.\n");
	TRY(apply(o));
	TRY(note_installed(o));
	TRY(add_row(o));
	return await_up(o);
}

static int end_here(const struct command *command, struct onboarding *o, struct result result)
{
	(void) fflush(stdout);
	if (!result_is_ok(result))
		fprintf(stderr, "dari %s: %" STR_FMT "\n", command->words, STR_ARG(o->c->problem.message));
	return result_is_ok(result) ? 0 : 1;
}

bool command_host_add_is_here(const json_t *args)
{
	struct str name = str_from(json_string_value(json_object_get(args, "name")));
	return str_find_char(name, '@', 0) < name.n;
}

int command_host_add(const struct command *command, json_t *args, const char *config_path)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct ctx c;
	ctx_init(&c, arena);
	struct onboarding o = {.c = &c, .args = args, .config_path = config_path};
	return end_here(command, &o, run_add(&o));
}

/* ---- undo ---- */

static RESULT remove_row(struct onboarding *o, struct str name)
{
	struct result result =
		ask(o, "host remove", json_pack("{s:s%, s:b}", "name", name.p, name.n, "undo", 1), NULL);
	if (result.code != ERR_NOT_FOUND)
		return result;
	ctx_clear_problem(o->c); /* an earlier run was interrupted after that */
	return OK;
}

static RESULT find_ssh(struct onboarding *o, struct str name, struct str *ret_address)
{
	json_t *value = NULL;
	*ret_address = arg_of(o, "ssh");
	if (ret_address->n)
		return OK;
	TRY(ask(o, "host authority", json_pack("{s:s%}", "name", name.p, name.n), &value));
	*ret_address = copy_text(o, json_array_get(json_object_get(value, "hosts"), 0), "ssh");
	json_decref(value);
	return ret_address->n ? OK
			      : ctx_fail(o->c, ERR_NOT_FOUND,
					 "%" STR_FMT
					 " was not added by dari host add root@ADDRESS; --ssh root@ADDRESS "
					 "names a machine whose adding was cut off",
					 STR_ARG(name));
}

/* Contacts the machine first: if it can't be undone, it remains a host. */
static RESULT run_undo(struct onboarding *o)
{
	struct str name = arg_of(o, "name"), address = STR_NONE;
	TRY(find_ssh(o, name, &address));
	TRY(open_onboarding(o, address));
	TRY(meet(o));
	o->is_quiet = !has_flag(o, "plan");
	TRY(run_script(o, "plan-undo"));
	if (!o->is_quiet)
		return OK;
	o->is_quiet = false;
	TRY(remove_row(o, name));
	TRY(run_script(o, "undo"));
	TRY(ask(o, "host sign", json_pack("{s:s%, s:b}", "name", name.p, name.n, "forget", 1), NULL));
	printf("host %" STR_FMT " removed, and the machine is as it was before\n", STR_ARG(name));
	return OK;
}

bool command_host_undo_is_here(const json_t *args)
{
	return json_is_true(json_object_get(args, "undo"));
}

int command_host_undo(const struct command *command, json_t *args, const char *config_path)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct ctx c;
	ctx_init(&c, arena);
	struct onboarding o = {.c = &c, .args = args, .config_path = config_path};
	return end_here(command, &o, run_undo(&o));
}

/* ---- renewal ---- */

static RESULT renew_host(struct onboarding *o, const json_t *host)
{
	TRY(open_onboarding(o, copy_text(o, host, "ssh")));
	o->wish.name = copy_text(o, host, "name");
	o->wish.address = copy_text(o, host, "address");
	o->wish.only = "certificates libvirt";
	o->wish.renew = true;
	printf("%" STR_FMT ":\n", STR_ARG(o->wish.name));
	TRY(meet(o));
	TRY(apply(o));
	return note_installed(o);
}

/* Reports an unreachable host and continues with the others. */
static bool renew_each(const struct command *command, struct onboarding *o, json_t *hosts)
{
	bool is_fine = true, all = has_flag(o, "all");
	size_t k = 0;
	json_t *host = NULL;
	json_array_foreach (hosts, k, host) {
		if (all && !json_is_true(json_object_get(host, "due")))
			continue;
		struct onboarding one = {.c = o->c, .args = o->args, .config_path = o->config_path};
		is_fine = end_here(command, &one, renew_host(&one, host)) == 0 && is_fine;
		ctx_clear_problem(o->c);
	}
	return is_fine;
}

static RESULT find_hosts(struct onboarding *o, json_t **ret_authority)
{
	struct str name = arg_of(o, "name");
	if (has_flag(o, "all") == (name.n > 0))
		return ctx_fail(o->c, ERR_COMBINATION, "a host's name, or --all");
	TRY(ask(o, "host authority", name.n ? json_pack("{s:s%}", "name", name.p, name.n) : json_object(),
		ret_authority));
	if (has_flag(o, "all") || json_array_size(json_object_get(*ret_authority, "hosts")))
		return OK;
	return ctx_fail(o->c, ERR_NOT_FOUND,
			"%" STR_FMT
			" was not added by dari host add root@ADDRESS: its certificate is not ours",
			STR_ARG(name));
}

static bool has_due(const json_t *hosts)
{
	size_t k = 0;
	json_t *host = NULL;
	json_array_foreach (hosts, k, host)
		if (json_is_true(json_object_get(host, "due")))
			return true;
	return false;
}

/* Replacing the authority takes several rounds: the next step depends on all hosts having done the previous
 * one. */
static int host_renew_here(const struct command *command, json_t *args, const char *config_path)
{
	bool is_fine = true, again = true;
	for (int round = 0; round < RENEWALS_MAX && is_fine && again; round++) {
		AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
		struct ctx c;
		ctx_init(&c, arena);
		struct onboarding o = {.c = &c, .args = args, .config_path = config_path};
		json_t *authority = NULL;
		is_fine = end_here(command, &o, find_hosts(&o, &authority)) == 0;
		json_t *hosts = json_object_get(authority, "hosts");
		again = has_flag(&o, "all") && has_due(hosts);
		is_fine = is_fine && renew_each(command, &o, hosts);
		json_decref(authority);
	}
	return is_fine ? 0 : 1;
}

const struct command host_add_commands[] = {
	{"host renew",
	 "Renews the keys and certificates of libvirt and QEMU on a host that dari host add root@… set up.",
	 {{"name", PARAM_POSITIONAL, false, "The host."},
	  {"all", PARAM_FLAG, false,
	   "Renews all hosts whose certificate has less than 30 of its 90 days left, or was issued before "
	   "`dari host replace-authority`."}},
	 .run_here = host_renew_here},
	{0},
};
