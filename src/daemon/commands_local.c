/* SPDX-License-Identifier: Apache-2.0
 * Commands that need no server: dari serve, dev. */
#include <stdio.h>

#include "daemon/command.h"

static struct str arg_or(const json_t *args, const char *name, struct str absent)
{
	const json_t *value = json_object_get(args, name);
	return value ? (struct str){json_string_value(value), json_string_length(value)} : absent;
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
		.store = arg_or(args, "store", STR_NONE),
		.port = -1,
		.host_count = DEV_HOSTS,
		.address_count = DEV_ADDRESSES,
		.at_once = json_object_get(args, "instant") != NULL,
		.fetch_from = arg_or(args, "fetch-from", STR_NONE),
		.playbook_user = arg_or(args, "playbook-user", STR_NONE),
		.proxies = arg_or(args, "proxies", STR_NONE),
		.directory = arg_or(args, "directory", STR_NONE),
		.has_tls = json_object_get(args, "tls") != NULL,
		.limited = json_object_get(args, "limits") != NULL,
	};
	if (!int_arg(command, args, "port", 0, 65535, &wish.port) ||
	    !int_arg(command, args, "cloudstack-port", 1, 65535, &wish.cloudstack_port) ||
	    !int_arg(command, args, "hosts", 1, DEV_HOSTS_MAX, &wish.host_count) ||
	    !int_arg(command, args, "addresses", 1, DEV_ADDRESSES, &wish.address_count) ||
	    !int_arg(command, args, "leftovers", 0, DEV_LEFTOVERS_MAX, &wish.leftover_count))
		return 2;
	return dev_run(&wish);
}

const struct command local_commands[] = {
	{"serve", "Runs the control plane until SIGTERM.", {{0}}, .run_here = serve_here},
	{"dev",
	 "Runs a simulated region to try things: no guests, no root, no configuration.",
	 {{"port", PARAM_OPTION, false, "Port of the API on 127.0.0.1; 0: any free port (default: 4280)."},
	  {"cloudstack-port", PARAM_OPTION, false,
	   "Additional port for CloudStack clients, which expect 8080 (default: none)."},
	  {"hosts", PARAM_OPTION, false, "Number of simulated hosts (default: 4)."},
	  {"addresses", PARAM_OPTION, false,
	   "Number of public addresses, and of addresses for gateways (default: 65,000)."},
	  {"leftovers", PARAM_OPTION, false,
	   "Number of orphaned disks on the first host, to try the consistency check (default: 0)."},
	  {"data", PARAM_OPTION, false,
	   "Directory that keeps the region: empty, new, or kept before (default: a temporary directory, "
	   "deleted at the end)."},
	  {"store", PARAM_OPTION, false,
	   "Database as postgresql://HOST/NAME; needs --data for the master key (default: a file in "
	   "--data)."},
	  {"instant", PARAM_FLAG, false, "Simulated work takes no time."},
	  {"fetch-from", PARAM_OPTION, false,
	   "Private addresses from which images and issuers' keys may be downloaded, comma separated."},
	  {"playbook-user", PARAM_OPTION, false,
	   "User that playbooks run as, which needs root (default: the server's own)."},
	  {"proxies", PARAM_OPTION, false,
	   "Reverse proxies whose X-Forwarded-For is trusted: addresses and blocks, comma separated."},
	  {"directory", PARAM_OPTION, false,
	   "Configuration file with the keys directory.…, for sign-in by LDAP, or backup.…, for backups in "
	   "S3."},
	  {"tls", PARAM_FLAG, false, "Serves the API over TLS with a new certificate, as az requires."},
	  {"limits", PARAM_FLAG, false, "Limits requests as dari serve does."}},
	 .run_here = dev_here},
	{0},
};
