/* SPDX-License-Identifier: Apache-2.0
 * The commands that need no server: dari init, serve, dev. */
#include <stdio.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "daemon/command.h"

enum { CERTIFICATE_YEARS = 10 };

static struct str arg_or(const json_t *args, const char *name, struct str absent)
{
	const json_t *value = json_object_get(args, name);
	return value ? (struct str){json_string_value(value), json_string_length(value)} : absent;
}

/* Open vSwitch's own name for this machine, else its host name. */
static struct str detect_chassis(struct ctx *c, struct str ovs_database)
{
	const char *argv[] = {"ovs-vsctl",
			      "--timeout=5",
			      str_print(c->arena, "--db=%" STR_FMT, STR_ARG(ovs_database)).p,
			      "get",
			      "Open_vSwitch",
			      ".",
			      "external_ids:system-id",
			      NULL};
	struct child child = {.argv = argv, .timeout_us = 10 * SECOND};
	struct child_end end = {0};
	if (result_is_ok(child_run(c, &child, &end)) && end.status == 0) {
		struct str name = str_trim(end.out);
		if (name.n > 2 && name.p[0] == '"')
			name = str_slice(name, 1, name.n - 1);
		return name;
	}
	ctx_clear_problem(c);
	char host[256] = "";
	(void) gethostname(host, sizeof host - 1);
	return str_copy(c->arena, str_from(host));
}

static RESULT fill_settings(struct ctx *c, const json_t *args, struct settings *s)
{
	struct str port = arg_or(args, "port", STR("8788")), upstreams = arg_or(args, "upstreams", STR_NONE);
	*s = (struct settings){
		.region = arg_or(args, "region", STR("us-east-1")),
		.region_id = uuid_to_str(c->arena, uuid_random()),
		.data_directory = arg_or(args, "data", STR("/var/lib/dari")),
		.control_socket = arg_or(args, "socket", STR("/run/dari/dari.sock")),
		.listen_ip = arg_or(args, "address", STR("127.0.0.1")),
		.tls_certificate = arg_or(args, "certificate", STR_NONE),
		.tls_key = arg_or(args, "key", STR_NONE),
		.endpoint = arg_or(args, "endpoint", STR_NONE),
		.ovn_northbound = arg_or(args, "ovn", STR("unix:/run/ovn/ovnnb_db.sock")),
		.ovs_database = arg_or(args, "ovs", STR("unix:/run/openvswitch/db.sock")),
		.chassis = arg_or(args, "chassis", STR_NONE),
	};
	struct ip address = {0};
	if (!result_is_ok(str_parse_int(port, &s->listen_port)) || s->listen_port < 1 ||
	    s->listen_port > 65535)
		return ctx_fail(c, ERR_INVALID, "--port wants 1 to 65535, not %" STR_FMT, STR_ARG(port));
	if (!result_is_ok(ip_parse(s->listen_ip, &address)))
		return ctx_fail(c, ERR_INVALID, "--address wants an IP address, not %" STR_FMT,
				STR_ARG(s->listen_ip));
	if (s->tls_certificate.n && !s->tls_key.n)
		return ctx_fail(c, ERR_COMBINATION, "--certificate needs --key");
	if (str_is_empty(s->chassis))
		s->chassis = detect_chassis(c, s->ovs_database);
	VEC(struct str) list = {0};
	struct str piece = STR_NONE;
	while (str_split_next(&upstreams, ',', &piece))
		if (piece.n && !VEC_PUSH(c->arena, &list, str_trim(piece)))
			return ctx_no_memory(c);
	s->dns_upstreams = (struct strs){list.at, list.count};
	return OK;
}

static const char *directory_of(struct ctx *c, const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? str_print(c->arena, "%.*s", slash == path ? 1 : (int) (slash - path), path).p : ".";
}

/* An API that others reach speaks TLS, unless told not to. The certificate lies beside the
 * configuration, where everybody may read it: clients have to trust it. */
static RESULT make_certificate(struct ctx *c, const json_t *args, const char *directory, struct settings *s)
{
	bool loopback = str_starts_with(s->listen_ip, STR("127.")) || str_is(s->listen_ip, "::1");
	if (s->tls_certificate.n || (loopback && !json_object_get(args, "names")) ||
	    json_object_get(args, "no-tls"))
		return OK;
	char host[256] = "";
	(void) gethostname(host, sizeof host - 1);
	struct str names =
		arg_or(args, "names",
		       str_print(c->arena, "%s,localhost,127.0.0.1,%" STR_FMT, host, STR_ARG(s->listen_ip)));
	struct str cert = STR_NONE, key = STR_NONE;
	TRY(crypto_make_certificate(c, names, (int64_t) CERTIFICATE_YEARS * 365 * 24 * HOUR, &cert, &key));
	const char *cert_path = str_print(c->arena, "%s/api.crt", directory).p;
	const char *key_path = str_print(c->arena, "%s/api.key", directory).p;
	TRY(file_write_synced(c, key_path, key, 0600));
	TRY(file_write_synced(c, cert_path, cert, 0644));
	s->tls_certificate = str_from(cert_path);
	s->tls_key = str_from(key_path);
	return OK;
}

/* An API on every address is told to clients by this machine's name, which is in the certificate. */
static void name_endpoint(struct ctx *c, struct settings *s)
{
	char host[256] = "";
	bool is_any = str_is(s->listen_ip, "0.0.0.0") || str_is(s->listen_ip, "::");
	if (s->endpoint.n || !is_any || gethostname(host, sizeof host - 1) != 0)
		return;
	s->endpoint = str_print(c->arena, "%s://%s:%lld", s->tls_certificate.n ? "https" : "http", host,
				(long long) s->listen_port);
}

static RESULT init_all(struct ctx *c, const json_t *args, const char *config_path)
{
	struct settings s = {0};
	if (file_exists(config_path))
		return ctx_fail(c, ERR_EXISTS, "%s is there already: this region was made before",
				config_path);
	TRY(fill_settings(c, args, &s));
	TRY(init_region(c, &s, arg_or(args, "zone", STR("a"))));
	const char *directory = directory_of(c, config_path);
	TRY(file_make_directory(c, directory, 0755));
	TRY(make_certificate(c, args, directory, &s));
	name_endpoint(c, &s);
	TRY(file_write_synced(c, config_path, settings_write(c->arena, &s), 0644));
	printf("Region %.*s is made.\n"
	       "  configuration  %s\n"
	       "  data           %.*s\n"
	       "  master key     %s\n"
	       "KEEP A COPY OF THE MASTER KEY somewhere else, apart from backups of the database:\n"
	       "without it no secret in the database can be read again, by anybody.\n"
	       "Next: dari serve, then dari host add, dari network add-external, dari account create.\n",
	       STR_ARG(s.region), config_path, STR_ARG(s.data_directory),
	       settings_path(c->arena, &s, "master.key"));
	return OK;
}

static int init_here(const struct command *command, json_t *args, const char *config_path)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct ctx c;
	ctx_init(&c, arena);
	struct result result = init_all(&c, args, config_path);
	if (!result_is_ok(result))
		fprintf(stderr, "dari %s: %.*s\n", command->words, STR_ARG(c.problem.message));
	return result_is_ok(result) ? 0 : 1;
}

static int serve_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) command;
	(void) args;
	return serve_run(config_path);
}

static bool int_arg(const struct command *command, const json_t *args, const char *name, int64_t min,
		    int64_t max, int64_t *value)
{
	struct str text = arg_or(args, name, STR_NONE);
	int64_t given = 0;
	if (str_is_empty(text))
		return true;
	if (!result_is_ok(str_parse_int(text, &given)) || given < min || given > max) {
		fprintf(stderr, "dari %s: --%s wants a number from %lld to %lld, not %.*s\n", command->words,
			name, (long long) min, (long long) max, STR_ARG(text));
		return false;
	}
	*value = given;
	return true;
}

static int dev_here(const struct command *command, json_t *args, const char *config_path)
{
	(void) config_path;
	struct dev_wish wish = {
		.data = arg_or(args, "data", STR_NONE),
		.port = -1,
		.host_count = DEV_HOSTS,
		.address_count = DEV_ADDRESSES,
		.at_once = json_object_get(args, "instant") != NULL,
		.fetch_from = arg_or(args, "fetch-from", STR_NONE),
		.limited = json_object_get(args, "limits") != NULL,
	};
	if (!int_arg(command, args, "port", 0, 65535, &wish.port) ||
	    !int_arg(command, args, "cloudstack-port", 1, 65535, &wish.cloudstack_port) ||
	    !int_arg(command, args, "hosts", 1, DEV_HOSTS_MAX, &wish.host_count) ||
	    !int_arg(command, args, "addresses", 1, DEV_ADDRESSES, &wish.address_count))
		return 2;
	return dev_run(&wish);
}

const struct command local_commands[] = {
	{"init",
	 "Makes a region: configuration, master key, database, certificate.",
	 {{"region", PARAM_OPTION, false, "Its name; absent: us-east-1."},
	  {"zone", PARAM_OPTION, false, "Its zones, a or us-east-1a, comma separated; absent: a."},
	  {"data", PARAM_OPTION, false, "Data directory; absent: /var/lib/dari."},
	  {"address", PARAM_OPTION, false, "Where the API listens; absent: 127.0.0.1."},
	  {"port", PARAM_OPTION, false, "Its port; absent: 8788."},
	  {"names", PARAM_OPTION, false, "Names and addresses in the certificate, comma separated."},
	  {"certificate", PARAM_OPTION, false, "PEM file of a certificate of yours; with --key."},
	  {"key", PARAM_OPTION, false, "Its private key."},
	  {"endpoint", PARAM_OPTION, false, "URL that clients are told; absent: made from the above."},
	  {"no-tls", PARAM_FLAG, false, "No certificate, although others reach the address."},
	  {"socket", PARAM_OPTION, false, "Control socket; absent: /run/dari/dari.sock."},
	  {"ovn", PARAM_OPTION, false, "OVN's northbound database; absent: unix:/run/ovn/ovnnb_db.sock."},
	  {"ovs", PARAM_OPTION, false, "This machine's Open vSwitch database."},
	  {"chassis", PARAM_OPTION, false, "This machine's system-id; absent: asked of Open vSwitch."},
	  {"upstreams", PARAM_OPTION, false, "DNS resolvers for names outside, comma separated."}},
	 .run_here = init_here},
	{"serve", "Runs the control plane until SIGTERM.", {{0}}, .run_here = serve_here},
	{"dev",
	 "Runs a region to try things on: simulated hosts, no guest runs, no root, no configuration.",
	 {{"port", PARAM_OPTION, false, "Of its API on 127.0.0.1; 0: any free one; absent: 4280."},
	  {"cloudstack-port", PARAM_OPTION, false,
	   "A second one, as clients of CloudStack expect 8080; absent: none."},
	  {"hosts", PARAM_OPTION, false, "How many; absent: 4."},
	  {"addresses", PARAM_OPTION, false,
	   "How many public ones, and for routers' gateways; absent: 65,000."},
	  {"data", PARAM_OPTION, false, "Directory to keep it in; absent: gone at the end."},
	  {"instant", PARAM_FLAG, false, "Simulated work takes no time."},
	  {"fetch-from", PARAM_OPTION, false,
	   "Addresses of this machine or others that images and issuers' keys may come from, comma "
	   "separated."},
	  {"limits", PARAM_FLAG, false, "Requests are limited as dari serve limits them."}},
	 .run_here = dev_here},
	{0},
};
