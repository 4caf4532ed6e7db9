/* SPDX-License-Identifier: Apache-2.0
 * dari init: asks for required values, shows the plan, executes it. The configuration is written last: after
 * an interruption, the next run creates what is missing and keeps the rest. */
#include <ifaddrs.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "daemon/command.h"
#include "daemon/join.h"
#include "engine/region/host.h"
#include "engine/region/region.h"

enum { CERTIFICATE_YEARS = 10, ANSWER_SIZE = 256, HOST_NAME_SIZE = 256 };

static const char unit_directory[] = "/var/lib/dari"; /* writable for the server under dari.service */

struct init {
	struct ctx *c;
	json_t *args;
	const char *config_path;
	struct settings s;
	bool has_config, has_key, has_database, makes_certificate;
	bool is_chassis_known; /* from Open vSwitch, or given by the user */
	struct str certificate_names;
	struct str told; /* output of the commands that created account and host */
};

/* Flags that correspond to settings. */
static const struct {
	const char *flag, *key;
	size_t offset;
} setting_flags[] = {
	{"region", "region.name", offsetof(struct settings, region)},
	{"data", "data.directory", offsetof(struct settings, data_directory)},
	{"store", "store", offsetof(struct settings, store)},
	{"socket", "control.socket", offsetof(struct settings, control_socket)},
	{"address", "api.address", offsetof(struct settings, listen_ip)},
	{"certificate", "api.certificate", offsetof(struct settings, tls_certificate)},
	{"key", "api.key", offsetof(struct settings, tls_key)},
	{"endpoint", "api.endpoint", offsetof(struct settings, endpoint)},
	{"ovn", "ovn.northbound", offsetof(struct settings, ovn_northbound)},
	{"ovn-southbound", "ovn.southbound", offsetof(struct settings, ovn_southbound)},
	{"ovs", "ovn.local", offsetof(struct settings, ovs_database)},
	{"chassis", "ovn.chassis", offsetof(struct settings, chassis)},
};

static struct str arg_of(const struct init *init, const char *name)
{
	const json_t *value = json_object_get(init->args, name);
	return (struct str){json_string_value(value), json_string_length(value)};
}

static bool has_flag(const struct init *init, const char *name)
{
	return json_object_get(init->args, name) != NULL;
}

static struct str host_name(struct arena *a)
{
	char name[HOST_NAME_SIZE] = "";
	(void) gethostname(name, sizeof name - 1);
	return str_copy(a, str_from(name));
}

struct str command_full_name(struct arena *a)
{
	struct str name = host_name(a);
	struct addrinfo hints = {.ai_flags = AI_CANONNAME}, *found = NULL;
	if (getaddrinfo(str_to_z(a, name), NULL, &hints, &found) != 0)
		return name;
	if (found->ai_canonname && strchr(found->ai_canonname, '.'))
		name = str_copy(a, str_from(found->ai_canonname));
	freeaddrinfo(found);
	return name;
}

static bool is_any_address(struct str ip)
{
	return str_is(ip, "0.0.0.0") || str_is(ip, "::");
}

static struct str add_name(struct arena *a, struct str names, struct str name)
{
	struct str rest = names, one;
	while (str_split_next(&rest, ',', &one))
		if (str_equal(one, name))
			return names;
	return names.n ? str_print(a, "%" STR_FMT ",%" STR_FMT, STR_ARG(names), STR_ARG(name)) : name;
}

/* Adds the IPv4 addresses of this machine's interfaces. */
static struct str add_own_addresses(struct arena *a, struct str names)
{
	struct ifaddrs *list = NULL;
	char text[IP_TEXT_SIZE];
	if (getifaddrs(&list) != 0)
		return names;
	for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET)
			continue;
		const struct sockaddr_in *at = (const void *) i->ifa_addr;
		struct ip ip = ip_from_v4(ntohl(at->sin_addr.s_addr));
		names = add_name(a, names, str_copy(a, str_from(ip_write(ip, text))));
	}
	freeifaddrs(list);
	return names;
}

/* The names and addresses by which others can reach an API listening there; 0.0.0.0 is not usable itself. */
static struct str names_of(struct arena *a, struct str listen_ip)
{
	struct str names = add_name(a, command_full_name(a), host_name(a));
	names = add_name(a, add_name(a, names, STR("localhost")), STR("127.0.0.1"));
	return is_any_address(listen_ip) ? add_own_addresses(a, names) : add_name(a, names, listen_ip);
}

static bool is_loopback(struct str ip)
{
	return str_starts_with(ip, STR("127.")) || str_is(ip, "::1");
}

/* ---- questions ---- */

/* Reads an answer into the arena; an empty one means the default in brackets. ERR_STATE: end of standard
 * input. */
static RESULT ask(struct init *init, const char *question, struct str absent, struct str *ret_answer)
{
	char line[ANSWER_SIZE];
	printf("%s%s%" STR_FMT "%s: ", question, absent.n ? " [" : "", STR_ARG(absent), absent.n ? "]" : "");
	if (fflush(stdout) != 0 || !fgets(line, sizeof line, stdin))
		return ctx_fail(init->c, ERR_STATE, "no answer came, and nothing was created");
	if (strlen(line) + 1 == sizeof line)
		return ctx_fail(init->c, ERR_INVALID, "an answer has up to %d bytes; nothing was created",
				ANSWER_SIZE - 2);
	*ret_answer = str_copy(init->c->arena, str_trim(str_from(line)));
	return OK;
}

static RESULT ask_for(struct init *init, const char *flag, const char *question, struct str absent)
{
	struct str answer = STR_NONE;
	if (has_flag(init, flag))
		return OK;
	TRY(ask(init, question, absent, &answer));
	if (answer.n && json_object_set_new(init->args, flag, json_stringn(answer.p, answer.n)))
		return ctx_fail(init->c, ERR_INVALID, "the answer is not UTF-8");
	return OK;
}

/* Asks only interactively, and only for a new region. */
static RESULT ask_all(struct init *init)
{
	TRY(ask_for(init, "region", "Name of the region", init->s.region));
	TRY(ask_for(init, "zone", "Its zones, comma separated", STR("a")));
	TRY(ask_for(init, "address",
		    "Address that the API listens on; 127.0.0.1: this machine alone, 0.0.0.0: all of its "
		    "addresses",
		    init->s.listen_ip));
	struct str address = arg_of(init, "address");
	if (address.n && !is_loopback(address) && !has_flag(init, "certificate") && !has_flag(init, "no-tls"))
		TRY(ask_for(init, "names",
			    "Names and addresses under which clients reach the API; URLs in answers have the "
			    "first",
			    names_of(init->c->arena, address)));
	TRY(ask_for(init, "account", "Name of the first account; empty: none yet", STR_NONE));
	TRY(ask_for(
		init, "host",
		"First host, by its system-id in Open vSwitch; empty: none yet, as dari host add makes hosts",
		STR_NONE));
	struct str host = arg_of(init, "host");
	if (str_is_empty(host))
		return OK;
	return ask_for(init, "host-uri", "Its libvirt, such as qemu+ssh://root@10.0.0.11/system",
		       str_print(init->c->arena, "qemu+tls://%" STR_FMT "/system", STR_ARG(host)));
}

/* ---- plan ---- */

struct str command_ask_ovs(struct ctx *c, struct str ovs_database, const char *key)
{
	const char *database = str_print(c->arena, "--db=%" STR_FMT, STR_ARG(ovs_database)).p;
	const char *column = str_print(c->arena, "external_ids:%s", key).p;
	const char *argv[] = {"ovs-vsctl", "--timeout=5", database, "get", "Open_vSwitch", ".", column, NULL};
	struct child child = {.argv = argv, .timeout_us = 10 * SECOND};
	struct child_end end = {0};
	struct str name = STR_NONE;
	if (result_is_ok(child_run(c, &child, &end)) && end.status == 0)
		name = str_trim(end.out);
	ctx_clear_problem(c);
	return name.n > 2 && name.p[0] == '"' ? str_slice(name, 1, name.n - 1) : name;
}

static RESULT take_port(struct init *init)
{
	struct str port = arg_of(init, "port");
	if (str_is_empty(port))
		return OK;
	int64_t number = 0;
	if (!result_is_ok(str_parse_int(port, &number)) || number < 1 || number > 65535)
		return ctx_fail(init->c, ERR_INVALID, "--port wants 1 to 65535, not %" STR_FMT,
				STR_ARG(port));
	if (init->has_config && number != init->s.listen_port)
		return ctx_fail(init->c, ERR_CONFLICT, "%s says api.port %lld: change it there",
				init->config_path, (long long) init->s.listen_port);
	init->s.listen_port = number;
	return OK;
}

static RESULT take_upstreams(struct init *init)
{
	struct str rest = arg_of(init, "upstreams"), piece = STR_NONE;
	VEC(struct str) list = {0};
	while (str_split_next(&rest, ',', &piece))
		if (piece.n && !VEC_PUSH(init->c->arena, &list, str_trim(piece)))
			return ctx_no_memory(init->c);
	if (!init->has_config)
		init->s.dns_upstreams = (struct strs){list.at, list.count};
	return OK;
}

/* An existing region's configuration takes precedence: settings are changed there. */
static RESULT take_flags(struct init *init)
{
	for (size_t k = 0; k < sizeof setting_flags / sizeof *setting_flags; k++) {
		struct str *setting = (struct str *) ((char *) &init->s + setting_flags[k].offset);
		struct str given = arg_of(init, setting_flags[k].flag);
		if (str_is_empty(given))
			continue;
		if (init->has_config && !str_equal(given, *setting))
			return ctx_fail(init->c, ERR_CONFLICT,
					"%s says %s \"%" STR_FMT "\", not \"%" STR_FMT
					"\": change it there, or make another region with --config FILE and "
					"--data DIRECTORY",
					init->config_path, setting_flags[k].key, STR_ARG(*setting),
					STR_ARG(given));
		*setting = given;
	}
	TRY(take_port(init));
	return take_upstreams(init);
}

static RESULT check_settings(struct init *init)
{
	struct settings *s = &init->s;
	struct ip address = {0};
	if (!engine_is_region_name(s->region))
		return ctx_fail(init->c, ERR_INVALID,
				"--region wants up to 32 of a-z, 0-9 and '-', not \"%" STR_FMT "\"",
				STR_ARG(s->region));
	if (!result_is_ok(ip_parse(s->listen_ip, &address)))
		return ctx_fail(init->c, ERR_INVALID, "--address wants an IP address, not %" STR_FMT,
				STR_ARG(s->listen_ip));
	if (s->tls_certificate.n ? !s->tls_key.n : s->tls_key.n > 0)
		return ctx_fail(init->c, ERR_COMBINATION, "--certificate and --key go together");
	if (has_flag(init, "host-uri") && !has_flag(init, "host"))
		return ctx_fail(init->c, ERR_COMBINATION, "--host-uri is of a host: --host names it");
	return OK;
}

static void find_chassis(struct init *init)
{
	struct settings *s = &init->s;
	init->is_chassis_known = s->chassis.n > 0;
	if (init->is_chassis_known)
		return;
	s->chassis = command_ask_ovs(init->c, s->ovs_database, "system-id");
	init->is_chassis_known = s->chassis.n > 0;
	if (!init->is_chassis_known)
		s->chassis = host_name(init->c->arena);
}

static const char *beside_config(struct init *init, const char *name)
{
	const char *slash = strrchr(init->config_path, '/');
	int size = slash ? (int) (slash - init->config_path) : 1;
	return str_print(init->c->arena, "%.*s/%s", size, slash ? init->config_path : ".", name).p;
}

/* An API reachable by others uses TLS unless disabled. The certificate is stored with the configuration,
 * readable by everybody, because clients need to trust it. */
static void plan_certificate(struct init *init)
{
	struct settings *s = &init->s;
	bool is_own = is_loopback(s->listen_ip) && !has_flag(init, "names");
	if (init->has_config || s->tls_certificate.n || is_own || has_flag(init, "no-tls"))
		return;
	s->tls_certificate = str_from(beside_config(init, "api.crt"));
	s->tls_key = str_from(beside_config(init, "api.key"));
	init->makes_certificate = !file_exists(s->tls_certificate.p) || !file_exists(s->tls_key.p);
	init->certificate_names = arg_of(init, "names");
	if (str_is_empty(init->certificate_names))
		init->certificate_names = names_of(init->c->arena, s->listen_ip);
}

/* For an API on all addresses, clients use the certificate's first name, or this machine's. */
static void name_endpoint(struct init *init)
{
	struct settings *s = &init->s;
	struct str rest = init->certificate_names, name = STR_NONE;
	if (!str_split_next(&rest, ',', &name))
		name = command_full_name(init->c->arena);
	if (!init->has_config && is_any_address(s->listen_ip) && str_is_empty(s->endpoint))
		s->endpoint = str_print(init->c->arena, "%s://%" STR_FMT ":%lld",
					s->tls_certificate.n ? "https" : "http", STR_ARG(str_trim(name)),
					(long long) s->listen_port);
}

static RESULT plan(struct init *init)
{
	struct arena *a = init->c->arena;
	init->has_config = file_exists(init->config_path);
	if (init->has_config)
		TRY(settings_load(init->c, init->config_path, &init->s));
	else
		TRY(settings_fill_defaults(init->c, &init->s));
	if (!init->has_config && !has_flag(init, "yes") && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		TRY(ask_all(init));
	TRY(take_flags(init));
	TRY(check_settings(init));
	find_chassis(init);
	plan_certificate(init);
	name_endpoint(init);
	if (!init->has_config)
		init->s.region_id = uuid_to_str(a, uuid_random());
	init->has_key = file_exists(settings_path(a, &init->s, "master.key"));
	init->has_database = !init->s.store.n && file_exists(settings_path(a, &init->s, "dari.db"));
	if (init->has_database && !init->has_key)
		return ctx_fail(
			init->c, ERR_STATE,
			"%s is there and its master key is not: put the copy of master.key back beside it "
			"(without it no secret of that region can be read), or name another --data",
			settings_path(a, &init->s, "dari.db"));
	return OK;
}

/* ---- messages ---- */

static void print_item(bool is_there, const char *what, struct str where)
{
	printf("  %-8s %-15s %" STR_FMT "\n", is_there ? "exists" : "create", what, STR_ARG(where));
}

static void print_advice(const struct init *init)
{
	const struct settings *s = &init->s;
	if (!init->is_chassis_known)
		printf("Open vSwitch does not answer at %" STR_FMT
		       ", so ovn.chassis is this machine's host name.\n"
		       "  apt install openvswitch-switch ovn-central ovn-host; the server needs them to "
		       "start.\n",
		       STR_ARG(s->ovs_database));
	if (!str_is(s->data_directory, unit_directory))
		printf("dari.service lets the server write to %s only. For the data directory above:\n"
		       "  systemctl edit dari, and the lines [Service] and ReadWritePaths=%" STR_FMT "\n",
		       unit_directory, STR_ARG(s->data_directory));
}

static void print_plan(struct init *init)
{
	struct arena *a = init->c->arena;
	struct settings *s = &init->s;
	struct str account = arg_of(init, "account"), host = arg_of(init, "host");
	if (geteuid() != 0 && str_starts_with(s->data_directory, STR("/var/")))
		printf("This needs root: run it with sudo, or name directories of your own (--config, "
		       "--data).\n");
	printf("The region %" STR_FMT ", its API at %" STR_FMT ":\n", STR_ARG(s->region),
	       STR_ARG(settings_endpoint(a, s)));
	print_item(init->has_key, "master key", str_from(settings_path(a, s, "master.key")));
	print_item(init->has_database, "database",
		   s->store.n ? STR("in PostgreSQL") : str_from(settings_path(a, s, "dari.db")));
	if (init->certificate_names.n)
		print_item(!init->makes_certificate, "certificate",
			   str_print(a, "%" STR_FMT " for %" STR_FMT, STR_ARG(s->tls_certificate),
				     STR_ARG(init->certificate_names)));
	if (account.n)
		print_item(false, "account",
			   str_print(a, "%" STR_FMT ", unless it exists", STR_ARG(account)));
	if (host.n)
		print_item(false, "host", str_print(a, "%" STR_FMT ", unless it exists", STR_ARG(host)));
	print_item(init->has_config, "configuration", str_from(init->config_path));
	print_advice(init);
}

static bool is_all_there(const struct init *init)
{
	return init->has_config && init->has_key && init->has_database && !has_flag(init, "account") &&
	       !has_flag(init, "host") && !has_flag(init, "zone");
}

static void print_end(struct init *init)
{
	const struct settings *s = &init->s;
	printf("Region %" STR_FMT " is created.\n%" STR_FMT, STR_ARG(s->region), STR_ARG(init->told));
	if (!init->has_key)
		printf("KEEP A COPY OF THE MASTER KEY %s somewhere else, apart from backups of the "
		       "database:\n"
		       "without it no secret in the database can be read again, by anybody.\n",
		       settings_path(init->c->arena, s, "master.key"));
	printf("Next: systemctl enable --now dari (or dari serve), then dari doctor says what is missing.\n");
}

/* ---- creation ---- */

/* Runs a command as if typed; its output is printed at the end. */
static RESULT make_typed(struct init *init, struct daemon *d, const char *words, json_t *args)
{
	struct str text = STR_NONE;
	TRY(command_run_typed(d, init->c, words, args, &text));
	init->told = str_print(init->c->arena, "%" STR_FMT "%" STR_FMT, STR_ARG(init->told), STR_ARG(text));
	return OK;
}

static RESULT make_host(struct init *init, struct daemon *d, struct host_wish *wish)
{
	struct result made = store_commit(d->store, init->c, "dari:init", engine_add_host_run, wish);
	if (made.code == ERR_EXISTS) {
		ctx_clear_problem(init->c);
		return OK;
	}
	TRY(made);
	init->told = str_print(init->c->arena,
			       "%" STR_FMT "host %" STR_FMT " added; it is being looked at: dari host list\n",
			       STR_ARG(init->told), STR_ARG(wish->name));
	return OK;
}

static RESULT make_first(struct daemon *d, void *arg)
{
	struct init *init = arg;
	struct str account = arg_of(init, "account"), host = arg_of(init, "host"),
		   uri = arg_of(init, "host-uri");
	if (account.n)
		TRY(make_typed(init, d, "account create", json_pack("{s:s%}", "name", account.p, account.n)));
	if (str_is_empty(host))
		return OK;
	return make_host(init, d, &(struct host_wish){.name = host, .uri = uri, .reserved_memory = -1});
}

static RESULT make_certificate(struct init *init)
{
	struct str certificate = STR_NONE, key = STR_NONE;
	TRY(crypto_make_certificate(init->c, init->certificate_names,
				    (int64_t) CERTIFICATE_YEARS * 365 * 24 * HOUR, &certificate, &key));
	TRY(file_write_synced(init->c, init->s.tls_key.p, key, 0600));
	return file_write_synced(init->c, init->s.tls_certificate.p, certificate, 0644);
}

static RESULT make_all(struct init *init)
{
	struct ctx *c = init->c;
	struct str zones = arg_of(init, "zone");
	TRY(file_make_directory(c, beside_config(init, ""), 0755));
	TRY(init_region(c, &init->s, zones.n || init->has_database ? zones : STR("a"), make_first, init));
	if (init->makes_certificate)
		TRY(make_certificate(init));
	if (init->has_config)
		return OK;
	return file_write_synced(c, init->config_path, settings_write(c->arena, &init->s), 0644);
}

static RESULT run_init(struct init *init)
{
	struct str answer = STR_NONE;
	TRY(plan(init));
	print_plan(init);
	if (has_flag(init, "plan"))
		return OK;
	if (is_all_there(init)) {
		printf("All of it exists: nothing was changed.\n");
		return OK;
	}
	if (!has_flag(init, "yes") && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		TRY(ask(init, "Create it? (yes or no)", STR("yes"), &answer));
	if (answer.n && answer.p[0] != 'y' && answer.p[0] != 'Y')
		return ctx_fail(init->c, ERR_STATE, "nothing was created");
	struct result result = make_all(init);
	if (result_is_ok(result))
		print_end(init);
	else
		printf("%" STR_FMT, STR_ARG(init->told)); /* usually keys, which exist now */
	return result;
}

/* Advice for a failure whose message gives none. */
static const char *advise(enum err code)
{
	if (code == ERR_IN_USE)
		return "  The server runs: dari account create and dari host add do the rest.\n";
	if (code == ERR_IO && geteuid() != 0)
		return "  Run it as root, or name places of your own with --config, --data and --socket.\n";
	return "";
}

/* Makes a path absolute for the configuration, since a service has another working directory. */
static const char *whole_path(struct ctx *c, const char *path)
{
	char here[PATH_MAX];
	if (*path == '/' || !getcwd(here, sizeof here))
		return path;
	return str_print(c->arena, "%s/%s", here, path).p;
}

static int init_here(const struct command *command, json_t *args, const char *config_path)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct ctx c;
	ctx_init(&c, arena);
	struct init init = {.c = &c, .args = args, .config_path = whole_path(&c, config_path)};
	bool joins = has_flag(&init, "join");
	struct result result = joins ? join_run(&c, args, init.config_path) : run_init(&init);
	if (!result_is_ok(result)) {
		(void) fflush(stdout);
		fprintf(stderr, "dari %s: %" STR_FMT "\n%s", command->words, STR_ARG(c.problem.message),
			advise(result.code));
	}
	return result_is_ok(result) ? 0 : 1;
}

const struct command init_commands[] = {
	{"init",
	 "Creates a region: configuration, master key, database, certificate, first account and host. Asks "
	 "on a terminal, and prints the plan first. Run it again to create what is missing. With --join, "
	 "makes "
	 "this machine another one of a region.",
	 {{"region", PARAM_OPTION, false, "Name of the region (default: us-east-1)."},
	  {"zone", PARAM_OPTION, false, "Availability zones, a or us-east-1a, comma separated (default: a)."},
	  {"data", PARAM_OPTION, false, "Data directory (default: /var/lib/dari)."},
	  {"store", PARAM_OPTION, false,
	   "The database, as postgresql://HOST/NAME (default: SQLite's in the data directory)."},
	  {"address", PARAM_OPTION, false, "Address on which the API listens (default: 127.0.0.1)."},
	  {"port", PARAM_OPTION, false, "Port of the API (default: 8788)."},
	  {"account", PARAM_OPTION, false, "First account; its keys are printed."},
	  {"host", PARAM_OPTION, false, "First host, by its Open vSwitch system-id."},
	  {"host-uri", PARAM_OPTION, false,
	   "libvirt URI of the first host (default: qemu+tls://HOST/system)."},
	  {"names", PARAM_OPTION, false, "Names and addresses in the certificate, comma separated."},
	  {"certificate", PARAM_OPTION, false, "PEM file of your own certificate; with --key."},
	  {"key", PARAM_OPTION, false, "PEM file of the certificate's private key."},
	  {"endpoint", PARAM_OPTION, false,
	   "URL of the API in answers (default: made from the names and the port)."},
	  {"no-tls", PARAM_FLAG, false,
	   "Creates no certificate, although the address is reachable by others."},
	  {"socket", PARAM_OPTION, false, "Control socket (default: /run/dari/dari.sock)."},
	  {"ovn", PARAM_OPTION, false, "OVN's northbound database (default: unix:/run/ovn/ovnnb_db.sock)."},
	  {"ovn-southbound", PARAM_OPTION, false,
	   "OVN's southbound database (default: unix:/run/ovn/ovnsb_db.sock)."},
	  {"ovs", PARAM_OPTION, false, "This machine's Open vSwitch database."},
	  {"chassis", PARAM_OPTION, false, "This machine's system-id (default: as in Open vSwitch)."},
	  {"upstreams", PARAM_OPTION, false, "DNS resolvers for names outside, comma separated."},
	  {"join", PARAM_OPTION, false,
	   "root@HOST, a machine of the region: copies its configuration and keys over ssh, and makes this "
	   "machine a follower."},
	  {"peer", PARAM_OPTION, false,
	   "With --join: URL at which the region's other machines reach this one."},
	  {"plan", PARAM_FLAG, false, "Prints what would be created, and stops."},
	  {"yes", PARAM_FLAG, false, "Non-interactive: uses the defaults for missing options."}},
	 .run_here = init_here},
	{0},
};
