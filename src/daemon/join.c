/* SPDX-License-Identifier: Apache-2.0
 * Copies a region's configuration and keys from one of its machines (join.h). The configuration is written last: after an
 * interruption the next run copies what is missing. */
#include "daemon/join.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/vec.h"
#include "daemon/command.h"
#include "daemon/daemon.h"
#include "daemon/ssh.h"

enum { LOOK_TIMEOUT_S = 60, FILE_CAP = 1024 * 1024, MODE_OCTAL = 8 };

/* A file of the other machine. */
struct copied {
	struct str name; /* its path, or its path below the data directory */
	mode_t mode;
	struct str bytes;
};

struct join {
	struct ctx *c;
	json_t *args;
	const char *config_path;
	struct ssh ssh;
	struct str yaml;       /* the other machine's configuration, then this one's */
	struct settings s;     /* the other machine's */
	VEC(struct str) paths; /* files that the configuration names */
	VEC(struct copied) files;
};

static struct str arg_of(const struct join *j, const char *name)
{
	const json_t *value = json_object_get(j->args, name);
	return (struct str){json_string_value(value), json_string_length(value)};
}

static RESULT check_options(const struct join *j)
{
	static const char *const of_a_new_region[] = {"region",   "zone",   "data",     "store", "port",
						      "account",  "host",   "host-uri", "names", "socket",
						      "endpoint", "no-tls", "upstreams"};
	for (size_t k = 0; k < sizeof of_a_new_region / sizeof *of_a_new_region; k++)
		if (json_object_get(j->args, of_a_new_region[k]))
			return ctx_fail(
				j->c, ERR_COMBINATION,
				"--%s is an option of a new region: with --join the other machine says it",
				of_a_new_region[k]);
	if (arg_of(j, "certificate").n ? !arg_of(j, "key").n : arg_of(j, "key").n > 0)
		return ctx_fail(j->c, ERR_COMBINATION, "--certificate and --key go together");
	return ssh_check_address(j->c, j->ssh.address);
}

/* ---- the other machine ---- */

/* Prints "=NAME MODE BASE64" for a file. Other lines, such as a greeting, are ignored. "=end" follows
 * the last file, so a connection that breaks leaves no half set. The test comes first: a command
 * that fails within printf's arguments would send an empty file. */
static const char put_function[] = "set -e\n"
				   "put() { [ -r \"$2\" ] || { echo \"$2 cannot be read\" >&2; exit 1; }; "
				   "printf '=%s %s %s\\n' \"$1\" \"$(stat -c %a \"$2\")\" "
				   "\"$(base64 -w0 <\"$2\")\"; }\n";

/* Files that were asked for: a machine that was broken into must not write others here. */
static bool is_asked_for(const struct join *j, struct str name)
{
	for (size_t k = 0; k < j->paths.count; k++)
		if (str_equal(name, j->paths.at[k]))
			return true;
	bool is_in_folder = str_starts_with(name, STR("libvirt/")) && ssh_has_only(name, "/._-@+:") &&
			    !str_contains(name, STR(".."));
	return is_in_folder || str_is(name, "version") || str_is(name, "config") ||
	       str_is(name, "master.key") || str_is(name, "bearer.key");
}

static RESULT take_line(struct join *j, struct str line)
{
	struct arena *a = j->c->arena;
	struct copied file = {0};
	struct str mode = STR_NONE, bytes = STR_NONE;
	line = str_slice(line, 1, line.n);
	if (!str_split_next(&line, ' ', &file.name) || !str_split_next(&line, ' ', &mode))
		return OK;
	(void) str_split_next(&line, ' ', &bytes);
	file.mode = (mode_t) strtoul(str_to_z(a, mode), NULL, MODE_OCTAL) & 0777;
	if (!is_asked_for(j, file.name) || !result_is_ok(str_decode_base64(a, bytes, &file.bytes)))
		return ctx_fail(j->c, ERR_INVALID, "%" STR_FMT " sent a file that cannot be read: %" STR_FMT,
				STR_ARG(j->ssh.address), STR_ARG(ssh_make_plain(a, file.name)));
	return VEC_PUSH(a, &j->files, file) ? OK : ctx_no_memory(j->c);
}

static RESULT look(struct join *j, struct str script)
{
	struct child_end end = {0};
	struct str rest, line;
	j->files.count = 0;
	bool is_whole = false;
	script = str_print(j->c->arena, "%s%" STR_FMT "echo =end\n", put_function, STR_ARG(script));
	TRY(ssh_run(j->c, &j->ssh, script, LOOK_TIMEOUT_S * SECOND, &end));
	rest = end.out;
	while (str_split_next(&rest, '\n', &line))
		is_whole = is_whole || str_is(line, "=end");
	if (end.status != 0 || !is_whole)
		return ctx_fail(
			j->c, ERR_STATE, "%" STR_FMT ": %" STR_FMT, STR_ARG(j->ssh.address),
			STR_ARG(ssh_make_plain(j->c->arena, str_trim(end.err.n ? end.err : end.out))));
	rest = end.out;
	while (str_split_next(&rest, '\n', &line))
		if (str_starts_with(line, STR("=")))
			TRY(take_line(j, line));
	return OK;
}

static RESULT find_file(struct join *j, const char *name, struct str *ret_bytes)
{
	for (size_t k = 0; k < j->files.count; k++)
		if (str_is(j->files.at[k].name, name)) {
			*ret_bytes = j->files.at[k].bytes;
			return OK;
		}
	return ctx_fail(j->c, ERR_NOT_FOUND, "%" STR_FMT " did not send %s", STR_ARG(j->ssh.address), name);
}

static RESULT read_configuration(struct join *j)
{
	struct arena *a = j->c->arena;
	struct str version = STR_NONE;
	struct str path = ssh_quote(a, str_from(j->config_path));
	TRY(look(j, str_print(a,
			      "printf '=version 0 %%s\\n' \"$(dari --version | base64 -w0)\"\n"
			      "put config %" STR_FMT "\n",
			      STR_ARG(path))));
	TRY(find_file(j, "version", &version));
	TRY(find_file(j, "config", &j->yaml));
	struct str here = str_print(a, "dari %s", DARI_VERSION);
	if (!str_equal(str_trim(version), here))
		return ctx_fail(j->c, ERR_STATE,
				"%" STR_FMT " runs %" STR_FMT " and this machine %" STR_FMT
				": install the same version on both",
				STR_ARG(j->ssh.address), STR_ARG(ssh_make_plain(a, str_trim(version))),
				STR_ARG(here));
	return settings_parse(j->c, j->yaml, j->config_path, &j->s);
}

static RESULT check_region(struct join *j)
{
	const struct settings *s = &j->s;
	struct str there = j->ssh.address;
	if (!str_starts_with(s->store, STR("postgresql://")) &&
	    !str_starts_with(s->store, STR("postgres://")))
		return ctx_fail(
			j->c, ERR_STATE,
			"the region of %" STR_FMT
			" has its database in SQLite, which serves one machine: move it to PostgreSQL first "
			"with `dari store copy`",
			STR_ARG(there));
	if (str_starts_with(s->ovn_northbound, STR("unix:")) && !arg_of(j, "ovn").n)
		return ctx_fail(
			j->c, ERR_STATE,
			"ovn.northbound of %" STR_FMT
			" is a socket, which other machines cannot reach: make OVN's databases a cluster "
			"first, or name this machine's address for them with --ovn and --ovn-southbound",
			STR_ARG(there));
	if (str_starts_with(s->listen_ip, STR("127.")) || str_is(s->listen_ip, "::1"))
		return ctx_fail(j->c, ERR_STATE,
				"the API of %" STR_FMT " listens on %" STR_FMT
				", which other machines cannot reach: change api.address there first",
				STR_ARG(there), STR_ARG(s->listen_ip));
	return OK;
}

static RESULT add_path(void *arg, const char *path)
{
	struct join *j = arg;
	return VEC_PUSH(j->c->arena, &j->paths, str_from(path)) ? OK : ctx_no_memory(j->c);
}

/* Reads the keys, and the files that the configuration names: OVN's certificates, secrets, the API's certificate. */
static RESULT read_files(struct join *j)
{
	struct arena *a = j->c->arena;
	struct str data = ssh_quote(a, j->s.data_directory);
	struct str script =
		str_print(a,
			  "cd %" STR_FMT "\nput master.key master.key\nput bearer.key bearer.key\n"
			  "[ ! -d libvirt ] || find libvirt -type f | while read -r f; do put \"$f\" \"$f\"; "
			  "done\n",
			  STR_ARG(data));
	TRY(settings_each_file(a, &j->s, add_path, j));
	for (size_t k = 0; k < j->paths.count; k++) {
		struct str path = ssh_quote(a, j->paths.at[k]);
		script = str_print(a, "%" STR_FMT "put %" STR_FMT " %" STR_FMT "\n", STR_ARG(script),
				   STR_ARG(path), STR_ARG(path));
	}
	return look(j, script);
}

/* ---- this machine's configuration ---- */

/* A key that is written into YAML text. */
struct setting {
	const char *section; /* NULL: the key stands outside of sections */
	struct str header;   /* "api:" */
	struct str start;    /* "  address:" */
	struct str value;
};

static void write_setting(struct buf *out, const struct setting *s)
{
	buf_print(out, "%" STR_FMT " \"%" STR_FMT "\"\n", STR_ARG(s->start), STR_ARG(s->value));
}

/* Copies a line unless it sets the key. The new value follows its section's header. */
static void copy_line(struct buf *out, struct str line, const struct setting *s, bool *is_inside,
		      bool *is_set)
{
	bool is_top = line.n && line.p[0] != ' ' && line.p[0] != '#';
	bool is_header = s->section && is_top && str_equal(str_trim(line), s->header);
	if (s->section && is_top)
		*is_inside = is_header;
	if (*is_inside && str_starts_with(line, s->start))
		return;
	buf_print(out, "%" STR_FMT "\n", STR_ARG(line));
	if (is_header) {
		write_setting(out, s);
		*is_set = true;
	}
}

/* Sets a key in the text, so that comments and other keys stay. */
static void set_key(struct join *j, const char *section, const char *key, struct str value)
{
	struct arena *a = j->c->arena;
	struct buf out;
	struct str rest = j->yaml, line;
	bool is_inside = !section, is_set = false;
	const struct setting s = {.section = section,
				  .header = str_print(a, "%s:", section ? section : ""),
				  .start = str_print(a, "%s%s:", section ? "  " : "", key),
				  .value = value};
	buf_init(&out, FILE_CAP);
	while (str_split_next(&rest, '\n', &line))
		copy_line(&out, line, &s, &is_inside, &is_set);
	if (!is_set && section)
		buf_print(&out, "%s:\n", section);
	if (!is_set)
		write_setting(&out, &s);
	j->yaml = out.failed ? STR_NONE : str_copy(a, buf_str(&out));
	buf_done(&out);
}

static RESULT choose_address(struct join *j, struct settings *mine)
{
	struct str given = arg_of(j, "address");
	struct ip ip;
	bool is_any = str_is(mine->listen_ip, "0.0.0.0") || str_is(mine->listen_ip, "::");
	if (!given.n && !is_any)
		return ctx_fail(
			j->c, ERR_INVALID,
			"--address is missing: the address on which the API listens here (there: %" STR_FMT
			")",
			STR_ARG(mine->listen_ip));
	if (given.n && !result_is_ok(ip_parse(given, &ip)))
		return ctx_fail(j->c, ERR_INVALID, "--address wants an IP address, not %" STR_FMT,
				STR_ARG(given));
	if (given.n)
		mine->listen_ip = given;
	return OK;
}

/* Other machines check the certificate of the URL's name, so a copied certificate says nothing about a good URL. */
static RESULT choose_peer(struct join *j, struct settings *mine)
{
	struct arena *a = j->c->arena;
	bool is_own = arg_of(j, "certificate").n > 0, has_tls = mine->tls_certificate.n > 0;
	mine->store_peer = arg_of(j, "peer");
	if (mine->store_peer.n)
		return OK;
	if (has_tls && !is_own)
		return ctx_fail(
			j->c, ERR_INVALID,
			"--peer is missing: the URL at which the other machines reach this one. Its name "
			"must be "
			"in the API's certificate, which is copied; or give --certificate and --key of this "
			"machine's own");
	bool is_any = str_is(mine->listen_ip, "0.0.0.0") || str_is(mine->listen_ip, "::");
	struct str name = is_own || is_any ? command_full_name(a) : mine->listen_ip;
	mine->store_peer = str_print(a, "%s://%" STR_FMT ":%lld", has_tls ? "https" : "http", STR_ARG(name),
				     (long long) mine->listen_port);
	return OK;
}

static RESULT choose_settings(struct join *j, struct settings *mine)
{
	struct str ovn = arg_of(j, "ovn"), southbound = arg_of(j, "ovn-southbound"), ovs = arg_of(j, "ovs"),
		   certificate = arg_of(j, "certificate"), chassis = arg_of(j, "chassis");
	*mine = j->s;
	TRY(choose_address(j, mine));
	mine->endpoint = settings_endpoint(j->c->arena, &j->s);
	mine->ovn_northbound = ovn.n ? ovn : mine->ovn_northbound;
	mine->ovn_southbound = southbound.n ? southbound : mine->ovn_southbound;
	mine->ovs_database = ovs.n ? ovs : mine->ovs_database;
	if (certificate.n) {
		mine->tls_certificate = certificate;
		mine->tls_key = arg_of(j, "key");
	}
	mine->chassis = chassis.n ? chassis : command_ask_ovs(j->c, mine->ovs_database, "system-id");
	if (!mine->chassis.n)
		return ctx_fail(j->c, ERR_STATE,
				"Open vSwitch does not answer at %" STR_FMT
				": apt install openvswitch-switch ovn-host, or give --chassis",
				STR_ARG(mine->ovs_database));
	return choose_peer(j, mine);
}

static const struct {
	const char *section, *key;
	size_t offset;
} own_keys[] = {
	{NULL, "store_peer", offsetof(struct settings, store_peer)},
	{"api", "address", offsetof(struct settings, listen_ip)},
	{"api", "endpoint", offsetof(struct settings, endpoint)},
	{"api", "certificate", offsetof(struct settings, tls_certificate)},
	{"api", "key", offsetof(struct settings, tls_key)},
	{"ovn", "northbound", offsetof(struct settings, ovn_northbound)},
	{"ovn", "southbound", offsetof(struct settings, ovn_southbound)},
	{"ovn", "local", offsetof(struct settings, ovs_database)},
	{"ovn", "chassis", offsetof(struct settings, chassis)},
};

static struct str own_value(const struct settings *s, size_t k)
{
	return *(const struct str *) (const void *) ((const char *) s + own_keys[k].offset);
}

static RESULT write_configuration(struct join *j, const struct settings *mine)
{
	struct settings written = {0};
	for (size_t k = 0; k < sizeof own_keys / sizeof *own_keys; k++)
		if (!str_equal(own_value(mine, k), own_value(&j->s, k)))
			set_key(j, own_keys[k].section, own_keys[k].key, own_value(mine, k));
	bool is_right = result_is_ok(settings_parse(j->c, j->yaml, j->config_path, &written));
	ctx_clear_problem(j->c);
	for (size_t k = 0; k < sizeof own_keys / sizeof *own_keys; k++)
		is_right = is_right && str_equal(own_value(mine, k), own_value(&written, k));
	return is_right ? OK
			: ctx_fail(j->c, ERR_INVALID,
				   "the configuration of %" STR_FMT
				   " is YAML of a form that this command cannot change: copy it by hand",
				   STR_ARG(j->ssh.address));
}

/* ---- files ---- */

/* "" where the file is not copied: this machine has a certificate of its own. */
static const char *place_of(struct join *j, const struct settings *mine, const struct copied *file)
{
	if (file->name.p[0] != '/')
		return settings_path(j->c->arena, mine, str_to_z(j->c->arena, file->name));
	bool is_replaced = arg_of(j, "certificate").n && (str_equal(file->name, j->s.tls_certificate) ||
							  str_equal(file->name, j->s.tls_key));
	return is_replaced ? "" : str_to_z(j->c->arena, file->name);
}

/* Tells whether the file is there; refuses another one of that name. */
static RESULT compare(struct join *j, const char *path, struct str bytes, bool *ret_is_there)
{
	struct str present = STR_NONE;
	*ret_is_there = file_exists(path);
	if (!*ret_is_there)
		return OK;
	TRY(file_read(j->c, path, FILE_CAP, &present));
	if (str_equal(present, bytes))
		return OK;
	return ctx_fail(j->c, ERR_CONFLICT, "%s is there and differs from that of %" STR_FMT ": move it away",
			path, STR_ARG(j->ssh.address));
}

static const char *folder_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash && slash > path ? str_print(a, "%.*s", (int) (slash - path), path).p : "/";
}

/* Compares first, so that a refusal leaves nothing half copied. */
static RESULT copy_files(struct join *j, const struct settings *mine, bool is_plan)
{
	struct arena *a = j->c->arena;
	for (int round = is_plan ? 1 : 2; round > 0; round--) {
		for (size_t k = 0; k < j->files.count; k++) {
			const struct copied *file = &j->files.at[k];
			const char *path = place_of(j, mine, file);
			bool is_there = true;
			if (*path)
				TRY(compare(j, path, file->bytes, &is_there));
			if (round == (is_plan ? 1 : 2) && *path)
				printf("  %-8s %s\n", is_there ? "exists" : "copy", path);
			if (is_there || is_plan || round == 2)
				continue;
			bool is_data = file->name.p[0] != '/';
			TRY(file_make_directory(j->c, folder_of(a, path), is_data ? 0700 : 0755));
			TRY(file_write_synced(j->c, path, file->bytes, file->mode));
		}
	}
	return OK;
}

static void print_end(const struct join *j, const struct settings *mine)
{
	printf("This machine has the configuration and the keys of region %" STR_FMT
	       ". The others reach it at %" STR_FMT
	       ".\nNext: systemctl enable --now dari, then dari doctor says which machine writes.\n",
	       STR_ARG(mine->region), STR_ARG(mine->store_peer));
	if (!j->s.store_peer.n)
		printf("On %" STR_FMT
		       ": set store_peer in %s to a URL at which this machine reaches it, and restart dari. "
		       "Without it the other machines use api.endpoint, %" STR_FMT ".\n",
		       STR_ARG(j->ssh.address), j->config_path, STR_ARG(mine->endpoint));
}

static RESULT check_here(struct join *j, const struct settings *mine)
{
	if (file_exists(settings_path(j->c->arena, mine, "dari.db")))
		return ctx_fail(j->c, ERR_CONFLICT, "%s is the database of another region: move it away",
				settings_path(j->c->arena, mine, "dari.db"));
	bool is_there = false;
	return compare(j, j->config_path, j->yaml, &is_there);
}

RESULT join_run(struct ctx *c, json_t *args, const char *config_path)
{
	struct join *j = arena_new_object(c->arena, struct join);
	struct settings mine;
	if (!j)
		return ctx_no_memory(c);
	*j = (struct join){.c = c, .args = args, .config_path = config_path};
	j->ssh.address = arg_of(j, "join");
	bool is_plan = json_object_get(args, "plan") != NULL;
	TRY(check_options(j));
	TRY(read_configuration(j));
	TRY(check_region(j));
	TRY(choose_settings(j, &mine));
	TRY(write_configuration(j, &mine));
	TRY(read_files(j));
	TRY(check_here(j, &mine));
	TRY(copy_files(j, &mine, is_plan));
	printf("  %-8s %s\n", file_exists(config_path) ? "exists" : "create", config_path);
	if (is_plan)
		return OK;
	TRY(file_make_directory(c, folder_of(c->arena, config_path), 0755));
	TRY(file_write_synced(c, config_path, j->yaml, 0644));
	print_end(j, &mine);
	return OK;
}
